//! What this version of kiwi does with each element and attribute, for each image type.
//!
//! Nothing is declared: each word is put into a small description of each image type with two values, and the description is
//! read and selected as for a build. A word that raises neither an error nor a warning claims to be built; a test of the
//! library proves it, by plans that differ.

mod samples;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};

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

/// Returns every word of the newest schema, in each place that it has; those of outer elements first.
pub fn words() -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut named = BTreeSet::new();
    let mut paths: VecDeque<Vec<&'static ElementSchema>> = VecDeque::from([Vec::new()]);
    while let Some(path) = paths.pop_front() {
        let keyword = path.last().copied().unwrap_or(&IMAGE);
        // An element and the one around it may be in several others.
        let number = std::ptr::from_ref(keyword).addr();
        words
            .extend(own_words(keyword, &path).into_iter().filter(|word| named.insert((word.name(), number))));
        for child in keyword.child_schemas().iter().filter(|child| child.life.covers(SchemaVersion::NEWEST)) {
            // An include is replaced by what it includes when a description is read.
            let unread =
                child.element.name == "include" || matches!(child.element.content, Content::Anything);
            let is_inside = path.iter().any(|outer| std::ptr::eq(*outer, child.element));
            if !unread && !is_inside {
                paths.push_back(path.iter().copied().chain([child.element]).collect());
            }
        }
    }
    words
}

/// Returns the words of one element.
fn own_words(keyword: &'static ElementSchema, path: &[&'static ElementSchema]) -> Vec<Word> {
    let schema = SchemaVersion::NEWEST;
    // The image type itself is not a word of image types, and the version of the schema not one of the image.
    let own = |known: &&AttributeSchema| {
        known.life.covers(schema) && !["image", "schemaversion"].contains(&known.name)
    };
    let attributes = keyword.attributes.iter().filter(own);
    let mut words: Vec<Word> =
        attributes.map(|attribute| Word { path: path.to_vec(), attribute: Some(attribute) }).collect();
    let has_text = keyword.text.is_some() && keyword.text_life.covers(schema);
    if has_text || (keyword.attributes.is_empty() && keyword.child_schemas().is_empty()) {
        words.push(Word { path: path.to_vec(), attribute: None });
    }
    words
}

impl Word {
    /// Returns its name: the element with its parent, and the attribute.
    pub fn name(&self) -> String {
        let from = self.path.len().saturating_sub(2);
        let mut name: String =
            self.path[from..].iter().map(|keyword| keyword.name).collect::<Vec<_>>().join("/");
        if self.path.is_empty() {
            IMAGE.name.clone_into(&mut name);
        }
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

    /// Returns descriptions of that image type, as XML, that differ in the word only, with the value: all that are built of
    /// keywords, two of other forms. If there is only one, the first description lacks the word, unless the value is the default.
    pub fn descriptions(&self, image_type: &str) -> Vec<(String, String)> {
        // Of keywords only some may be built; of other words all values are, or none.
        let built =
            |value: &String| !self.is_enumeration() || self.support_of(image_type, value) == Support::Built;
        let mut values: Vec<String> = samples::values(self).into_iter().filter(built).collect();
        values.dedup();
        let mut beside = Sample::description(image_type);
        for (path, value) in samples::companions(self, image_type) {
            beside.set(path, value);
        }
        let mut descriptions = Vec::new();
        if let [only] = values.as_slice()
            && self.default() != Some(only)
        {
            let mut sample = beside.clone();
            if self.attribute.is_some() {
                sample.put(&self.path, None, "");
            }
            descriptions.push(("nothing".to_owned(), sample.to_xml()));
        }
        for value in values {
            let mut sample = beside.clone();
            sample.put(&self.path, self.attribute, &value);
            descriptions.push((value, sample.to_xml()));
        }
        descriptions
    }

    fn default(&self) -> Option<&'static str> {
        match self.attribute {
            Some(attribute) => attribute.default,
            None => self.path.last().and_then(|keyword| keyword.default),
        }
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
