//! What this version of kiwi does with each element and attribute, for each image type.
//!
//! Nothing is declared: each word is put into a small description of each image type with two values, and the description is
//! read and selected as for a build. A word that raises neither an error nor a warning claims to be built; a test of the
//! library proves it, by plans that differ.

mod samples;
#[cfg(test)]
mod tests;

use super::Elements;
use crate::image_type::TYPES;
use crate::schema::{AttributeSchema, Content, ElementSchema, IMAGE};
use crate::{Choice, Description, NOT_BUILT, SchemaVersion, SourceFile};
use samples::Sample;

/// An attribute, or the text of an element.
#[derive(Debug, Clone)]
pub struct Word {
    /// The element and those around it, the outermost first; without `<image>`.
    path: Vec<&'static ElementSchema>,
    /// The attribute; none: the text of the element, or that it is there.
    attribute: Option<&'static AttributeSchema>,
}

/// What this version does with a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Support {
    /// The image type does not have it: an error.
    Misfit,
    /// It has the effect that it names.
    Built,
    /// It has none, which is a warning.
    Warned,
    /// It is an error: it is not built yet, or contradicts the smallest description.
    Refused,
}

/// Returns every word of the newest schema.
pub fn words() -> Vec<Word> {
    let elements = Elements::of(SchemaVersion::NEWEST);
    let mut words = Vec::new();
    for (keyword, _) in &elements.all {
        // An include is replaced by what it includes when a description is read.
        let unread = std::ptr::eq(*keyword, &IMAGE) || keyword.name == "include";
        if unread || matches!(keyword.content, Content::Anything) {
            continue;
        }
        let Some(path) = path_to(keyword) else { continue };
        let schema = SchemaVersion::NEWEST;
        // The image type itself is not a word of image types.
        let own = |known: &&AttributeSchema| known.life.covers(schema) && known.name != "image";
        for attribute in keyword.attributes.iter().filter(own) {
            words.push(Word { path: path.clone(), attribute: Some(attribute) });
        }
        let has_text = keyword.text.is_some() && keyword.text_life.covers(schema);
        if has_text || (keyword.attributes.is_empty() && keyword.child_schemas().is_empty()) {
            words.push(Word { path, attribute: None });
        }
    }
    words
}

/// Returns the shortest path to an element.
fn path_to(keyword: &'static ElementSchema) -> Option<Vec<&'static ElementSchema>> {
    let mut level: Vec<Vec<&'static ElementSchema>> = vec![Vec::new()];
    while !level.is_empty() {
        let mut next = Vec::new();
        for path in level {
            let parent = path.last().copied().unwrap_or(&IMAGE);
            let schema = SchemaVersion::NEWEST;
            for child in parent.child_schemas().iter().filter(|child| child.life.covers(schema)) {
                let path: Vec<_> = path.iter().copied().chain([child.element]).collect();
                if std::ptr::eq(child.element, keyword) {
                    return Some(path);
                }
                next.push(path);
            }
        }
        level = next;
    }
    None
}

impl Word {
    /// Returns its name: the element with its parent, and the attribute.
    pub fn name(&self) -> String {
        let from = self.path.len().saturating_sub(2);
        let mut name: String =
            self.path[from..].iter().map(|keyword| keyword.name).collect::<Vec<_>>().join("/");
        if let Some(attribute) = self.attribute {
            name = format!("{name}/@{}", attribute.name);
        }
        name
    }

    /// Returns the image types that it concerns: all for a word of `<type>`, otherwise those that use the section most.
    pub fn image_types(&self) -> Vec<&'static str> {
        match self.path.first().map_or("", |section| section.name) {
            "preferences" if self.path.iter().any(|keyword| keyword.name == "type") => types().collect(),
            "deploy" => vec!["pxe"],
            "split" => vec!["split"],
            "preferences" => vec!["ext4"],
            _ => vec!["oem"],
        }
    }

    /// Returns whether it is a word of `<type>`.
    pub fn is_of_type(&self) -> bool {
        self.path.iter().any(|keyword| keyword.name == "type")
    }

    /// Returns two descriptions of that image type, as XML, that differ in the value of the word only; none if there is only one
    /// value.
    pub fn descriptions(&self, image_type: &str) -> Option<[String; 2]> {
        // Of keywords only some may be built; of other words both values are, or neither.
        let built =
            |value: &String| !self.is_enumeration() || self.support_of(image_type, value) == Support::Built;
        let mut values = samples::values(self).into_iter().filter(built);
        let values = [values.next()?, values.next()?];
        let description = |value: &str| {
            let mut sample = Sample::description(image_type);
            for (path, value) in samples::companions(self, image_type) {
                sample.set(path, value);
            }
            sample.put(&self.path, self.attribute, value);
            sample.to_xml()
        };
        Some([description(&values[0]), description(&values[1])])
    }

    /// Returns what a build of that image type does with it.
    pub fn support(&self, image_type: &str) -> Support {
        let mut found = Support::Misfit;
        for value in samples::values(self) {
            found = match self.support_of(image_type, &value) {
                // A keyword that is not built says so; any other value has to be.
                Support::Built if self.is_enumeration() => return Support::Built,
                support => found.max(support),
            };
        }
        found
    }

    fn support_of(&self, image_type: &str, value: &str) -> Support {
        let mut beside = Sample::description(image_type);
        for (path, value) in samples::companions(self, image_type) {
            beside.set(path, value);
        }
        let mut sample = beside.clone();
        sample.put(&self.path, self.attribute, value);
        // The smallest description has no warnings.
        match judge(&sample.to_xml(), image_type) {
            Ok(0) => Support::Built,
            Ok(_) => Support::Warned,
            Err(rules) if rules.contains(&"attribute-of-another-type") => Support::Misfit,
            // What it needs beside it may not be built itself.
            Err(rules) if rules.iter().all(|rule| *rule == NOT_BUILT) => Support::Refused,
            Err(_) if judge(&beside.to_xml(), image_type).is_err() => Support::Misfit,
            Err(_) => Support::Refused,
        }
    }
}

/// Returns the number of warnings, or the rules of the errors.
fn judge(text: &str, image_type: &str) -> Result<usize, Vec<&'static str>> {
    let file = SourceFile { name: "config.xml".to_owned(), text: text.to_owned() };
    let parsed = Description::parse(file);
    let Some(description) = parsed.description else {
        return Err(parsed.diagnostics.0.iter().map(|one| one.rule).collect());
    };
    let choice = Choice { image_type: Some(image_type.to_owned()), ..Choice::default() };
    match description.select(&choice) {
        Ok(_) => Ok(parsed.diagnostics.0.len()),
        Err(errors) => Err(errors.0.iter().map(|one| one.rule).collect()),
    }
}

/// Returns the image types that this version builds.
pub fn types() -> impl Iterator<Item = &'static str> {
    TYPES.iter().filter(|row| row.built && row.is_in(SchemaVersion::NEWEST)).map(|row| row.keyword)
}
