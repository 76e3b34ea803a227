//! Named groups of packages: `patterns.xml` of SUSE and `comps.xml` of Fedora.

use std::io::BufRead;

use anyhow::Result;

use super::form::{self, checked};
use super::xml::{Element, each_child};

/// A pattern of SUSE or a group of Fedora.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name of a pattern, or the `id` of a group.
    pub id: String,
    /// Its title for people.
    pub title: String,
    /// Packages that always belong to it: required by a pattern, mandatory in a group.
    pub required: Vec<String>,
    /// Packages that usually belong to it: recommended by a pattern, default in a group.
    pub recommended: Vec<String>,
    /// Packages that may belong to it: suggested by a pattern, optional in a group.
    pub optional: Vec<String>,
}

/// Reads an uncompressed `patterns.xml`.
pub fn patterns(source: impl BufRead) -> Result<Vec<Group>> {
    let mut found = Vec::new();
    each_child(source, "patterns", &["description"], |element| {
        if element.name() == "pattern" {
            found.push(pattern(&element)?);
        }
        Ok(())
    })?;
    Ok(found)
}

fn pattern(element: &Element) -> Result<Group> {
    let entries = |relation: &str| -> Result<Vec<String>> {
        let lists = element.children(relation);
        let entries = lists.flat_map(|list| list.children("entry"));
        entries.map(|entry| entry.required("name").map(str::to_owned)).collect()
    };
    Ok(Group {
        id: element.required_child("name")?.text().to_owned(),
        title: title(element, "summary"),
        required: entries("requires")?,
        recommended: entries("recommends")?,
        optional: entries("suggests")?,
    })
}

/// Reads an uncompressed `comps.xml`. Environments and categories, which are lists of groups, are left out.
pub fn groups(source: impl BufRead) -> Result<Vec<Group>> {
    let mut found = Vec::new();
    each_child(source, "comps", &["description"], |element| {
        if element.name() == "group" {
            found.push(group(&element)?);
        }
        Ok(())
    })?;
    Ok(found)
}

fn group(element: &Element) -> Result<Group> {
    let mut group = Group {
        id: element.required_child("id")?.text().to_owned(),
        title: title(element, "name"),
        required: Vec::new(),
        recommended: Vec::new(),
        optional: Vec::new(),
    };
    let packages = element.child("packagelist").into_iter().flat_map(|list| list.children("packagereq"));
    for package in packages {
        let name = checked(package.text(), form::is_name, "name of a package")?.to_owned();
        match package.attribute("type").unwrap_or("mandatory") {
            "default" | "conditional" => group.recommended.push(name),
            "optional" => group.optional.push(name),
            _ => group.required.push(name),
        }
    }
    Ok(group)
}

/// Returns the title in no language, or the first one.
fn title(element: &Element, name: &str) -> String {
    let untranslated = element.children(name).find(|title| title.attribute("lang").is_none());
    untranslated.or_else(|| element.child(name)).map(|title| title.text().to_owned()).unwrap_or_default()
}
