//! Descriptions generated from the tables, for properties that hold for all descriptions.
//!
//! A description is generated at random from the keywords of a schema; parts that the rules between keywords refuse are
//! removed until it is valid.

use std::fmt::Write as _;

use crate::image_type::type_row;
use crate::schema::{Content, ElementSchema, IMAGE, TYPE, Value};
use crate::{Description, Parsed, SchemaVersion, Severity, SourceFile};

/// Texts to choose from for the form that a table requires.
const TEXTS: [&str; 40] = [
    "a",
    "b-1",
    "Some \"quoted\" & <escaped> text",
    "two\nlines\tand a tab",
    "true",
    "null",
    "1.10",
    "0x10",
    "007",
    " - # : {",
    "'single'",
    "gr\u{fc}\u{df}e \u{1f427}",
    "1.0.0",
    "/srv/image",
    "/",
    "this://key",
    "https://example.org/repo",
    "us",
    "UTC",
    "en_US,de_DE",
    "52:54:00:12:34:56",
    "1G",
    "all",
    "80/tcp",
    "01234567-89ab-cdef-0123-456789abcdef",
    "1.2.3.4",
    "users:100,wheel",
    "file.tar",
    "x",
    "image",
    "60",
    "no",
    "~",
    "a: b",
    "%N-%v",
    "@root",
    "\\backslash",
    "end:",
    "2026-11-24",
    "1e3",
];

/// A sequence of pseudo-random numbers that is the same in every run.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % bound.max(1)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn one_of<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        from.get(self.below(from.len()))
    }
}

/// An element under construction.
struct Plant {
    name: String,
    attributes: Vec<(String, String)>,
    text: Option<String>,
    children: Vec<Plant>,
}

/// Returns the file that the descriptions include: one package, in the schema that its name contains.
pub(crate) fn included(path: &str) -> Result<SourceFile, String> {
    let number = path.strip_prefix("part-").and_then(|rest| rest.strip_suffix(".xml"));
    let schema = number.and_then(SchemaVersion::parse).ok_or("nothing else is included")?;
    let text = format!(
        "<image {}=\"{schema}\" name=\"part\"><packages type=\"image\"><package name=\"included\"/></packages></image>",
        schema.attribute()
    );
    Ok(SourceFile { name: path.to_owned(), text })
}

/// Reads a description with its includes.
pub(crate) fn load(name: &str, text: &str) -> Parsed {
    Description::load(SourceFile { name: name.to_owned(), text: text.to_owned() }, &mut included)
}

/// Returns a valid description of that schema, as XML.
pub(crate) fn description(schema: SchemaVersion, dice: &mut Dice) -> String {
    let mut image = plant(&IMAGE, schema, 0, dice);
    for (name, value) in &mut image.attributes {
        if name == schema.attribute() {
            schema.number().clone_into(value);
        }
    }
    image.children.retain(|child| child.name != "include" && child.name != "profiles");
    if IMAGE.child_schema("include", schema).is_some_and(|include| include.life.covers(schema)) {
        image.children.push(Plant {
            name: "include".to_owned(),
            attributes: vec![("from".to_owned(), format!("part-{schema}.xml"))],
            text: None,
            children: Vec::new(),
        });
    }
    let profile = Plant {
        name: "profile".to_owned(),
        attributes: vec![("name".to_owned(), "a".to_owned()), ("description".to_owned(), "d".to_owned())],
        text: None,
        children: Vec::new(),
    };
    image.children.push(Plant {
        name: "profiles".to_owned(),
        attributes: Vec::new(),
        text: None,
        children: vec![profile],
    });
    for _ in 0..60 {
        let (text, locations) = written(&image);
        let parsed = load("config.xml", &text);
        let errors: Vec<_> =
            parsed.diagnostics.0.iter().filter(|one| one.severity == Severity::Error).collect();
        if errors.is_empty() {
            return text;
        }
        // The last first, so that earlier paths stay valid.
        let mut cut: Vec<&Path> =
            errors.iter().filter_map(|error| at(&locations, error.span.range.start)).collect();
        cut.sort();
        cut.dedup();
        for path in cut.into_iter().rev() {
            remove(&mut image, path);
        }
    }
    let (text, _) = written(&image);
    let parsed = load("config.xml", &text);
    panic!("schema {schema} gave nothing valid: {:#?}\n{text}", parsed.diagnostics);
}

fn plant(keyword: &'static ElementSchema, schema: SchemaVersion, depth: usize, dice: &mut Dice) -> Plant {
    let mut plant =
        Plant { name: keyword.name.to_owned(), attributes: Vec::new(), text: None, children: Vec::new() };
    if let Content::Anything = keyword.content {
        return plant;
    }
    if let Some(form) = keyword.text.filter(|_| keyword.text_life.covers(schema))
        && (!keyword.text_optional || dice.one_in(2))
    {
        plant.text = Some(value(&form, schema, dice)).filter(|text| !text.trim().is_empty());
    }
    let image_type = std::ptr::eq(keyword, &TYPE);
    let mut kind = plant.text.clone().filter(|_| image_type);
    for known in keyword.attributes.iter().filter(|known| known.life.covers(schema)) {
        let fits = !image_type
            || known.fits.is_none_or(|feature| {
                kind.as_ref().and_then(|kind| type_row(kind)).is_some_and(|row| row.takes(feature))
            });
        let rare = if keyword.attributes.len() > 40 { 12 } else { 3 };
        let wanted = known.required || matches!(known.name, "filesystem" | "boot" | "password" | "pwd");
        if fits && (wanted || dice.one_in(rare)) {
            let value =
                if known.name == "profiles" { "a".to_owned() } else { value(&known.value, schema, dice) };
            if known.name == "image" {
                kind = Some(value.clone());
            }
            plant.attributes.push((known.name.to_owned(), value));
        }
    }
    for child in keyword.child_schemas().iter().filter(|child| child.life.covers(schema)) {
        let many = child.many.is_some_and(|many| many.covers(schema));
        let required = child.required.is_some_and(|required| required.covers(schema));
        let least = usize::from(required || matches!(child.element.name, "version" | "type"));
        let rare = 2 + depth + keyword.child_schemas().len() / 8;
        let more = usize::from(dice.one_in(rare)) * (1 + usize::from(many) * dice.below(2));
        for _ in 0..if many { least + more } else { least.max(more) } {
            plant.children.push(self::plant(child.element, schema, depth + 1, dice));
        }
    }
    plant
}

fn value(form: &Value, schema: SchemaVersion, dice: &mut Dice) -> String {
    let fitting = |valid: &dyn Fn(&str) -> bool| -> Vec<&'static str> {
        TEXTS.iter().copied().filter(|text| valid(text)).collect()
    };
    match form {
        Value::Count(most) => value(&Value::Number(0, *most), schema, dice),
        Value::Text => dice.one_of(&TEXTS).map_or_else(String::new, |text| (*text).to_owned()),
        Value::Boolean => dice
            .one_of(&["true", "false", "yes", "No", "1", "0"])
            .map_or_else(String::new, |text| (*text).to_owned()),
        Value::Number(least, most) => {
            let span = usize::try_from((most - least).min(1000)).unwrap_or(0);
            (least + dice.below(span + 1) as u64).to_string()
        }
        Value::Integer => format!("-{}", dice.below(100)),
        Value::OneOf(known) | Value::ListOf(known) => {
            let keywords: Vec<&str> = known
                .iter()
                .filter(|keyword| keyword.life.covers(schema))
                // What later schemas dropped cannot be converted to them: rare, so that most descriptions can.
                .filter(|keyword| keyword.life.covers(SchemaVersion::NEWEST) || dice.one_in(4))
                .map(|keyword| keyword.keyword)
                .collect();
            let first = dice.one_of(&keywords).copied().unwrap_or_default();
            match form {
                Value::ListOf(_) if dice.one_in(2) => {
                    format!("{first},{}", dice.one_of(&keywords).copied().unwrap_or_default())
                }
                _ => first.to_owned(),
            }
        }
        Value::Form(expected, valid) => {
            let texts = fitting(&|text| valid(text));
            dice.one_of(&texts).map_or_else(|| panic!("no text is {expected}"), |text| (*text).to_owned())
        }
    }
}

/// The child indices to follow from the root, and the attribute there.
type Path = (Vec<usize>, Option<usize>);

/// Returns the text, and the position of each element and attribute.
fn written(image: &Plant) -> (String, Vec<(usize, Path)>) {
    let mut text = String::new();
    let mut locations = Vec::new();
    write(image, &mut Vec::new(), &mut text, &mut locations);
    (text, locations)
}

fn write(plant: &Plant, path: &mut Vec<usize>, text: &mut String, locations: &mut Vec<(usize, Path)>) {
    locations.push((text.len(), (path.clone(), None)));
    write!(text, "<{}", plant.name).expect("a string");
    for (position, (name, value)) in plant.attributes.iter().enumerate() {
        locations.push((text.len(), (path.clone(), Some(position))));
        write!(text, " {name}=\"{}\"", escaped(value)).expect("a string");
    }
    locations.push((text.len(), (path.clone(), None)));
    text.push('>');
    text.push_str(&plant.text.as_deref().map(escaped).unwrap_or_default());
    for (position, child) in plant.children.iter().enumerate() {
        path.push(position);
        write(child, path, text, locations);
        path.pop();
    }
    writeln!(text, "</{}>", plant.name).expect("a string");
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    text.replace('\n', "&#10;").replace('\t', "&#9;")
}

fn at(locations: &[(usize, Path)], offset: usize) -> Option<&Path> {
    locations.iter().rfind(|(start, _)| *start <= offset).map(|(_, path)| path)
}

fn remove(image: &mut Plant, (path, attribute): &Path) {
    let Some((last, parents)) = path.split_last() else {
        if let Some(attribute) = attribute {
            image.attributes.remove(*attribute);
        }
        return;
    };
    let mut parent = image;
    for position in parents {
        let Some(child) = parent.children.get_mut(*position) else { return };
        parent = child;
    }
    match attribute {
        Some(attribute) => {
            if let Some(child) = parent.children.get_mut(*last)
                && *attribute < child.attributes.len()
            {
                child.attributes.remove(*attribute);
            }
        }
        None if *last < parent.children.len() => {
            parent.children.remove(*last);
        }
        None => {}
    }
}
