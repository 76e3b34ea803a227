//! Rules of `<split>`: paths without a meaning, and lists that contradict each other.

use super::{Found, Rule, types};
use crate::SplitList;
use crate::document::{Attribute, Element};

pub(super) static RULES: &[Rule] = &[
    Rule { name: "path-in-a-split-image", check: path },
    Rule { name: "temporary-settings-of-a-client", check: client },
    Rule { name: "contradiction-in-a-split-image", check: contradiction },
    Rule { name: "exception-without-effect", check: exception },
];

/// Returns each `<split>`.
fn sections(root: &Element) -> impl Iterator<Item = &Element> {
    root.child("split").into_iter().chain(types(root).filter_map(|image_type| image_type.child("split")))
}

/// Returns each list: `<temporary>` and `<persistent>`.
fn lists(root: &Element) -> impl Iterator<Item = &Element> {
    sections(root).flat_map(|section| section.children("temporary").chain(section.children("persistent")))
}

/// Returns the attribute with the path of each entry.
fn names<'a>(list: &'a Element, entry: &str) -> Vec<&'a Attribute> {
    list.children(entry).filter_map(|file| file.attribute("name")).collect()
}

/// Returns the paths of the entries that have one.
fn paths<'a>(list: &'a Element, entry: &str) -> Vec<(&'a Attribute, String)> {
    let names = names(list, entry).into_iter();
    names.filter_map(|name| Some((name, SplitList::path(&name.value.text)?))).collect()
}

fn path(root: &Element, found: &mut Found) {
    for name in lists(root).flat_map(|list| [names(list, "file"), names(list, "except")].concat()) {
        if SplitList::path(&name.value.text).is_none() {
            found.value(
                name,
                "does not name one file or directory",
                "the whole system, or a pattern",
                "write each path; `/*` at the end of one, for all of the directory, is the only pattern",
            );
        }
    }
}

fn client(root: &Element, found: &mut Found) {
    let temporary = lists(root).filter(|list| list.name == "temporary");
    for (name, _) in temporary.flat_map(|list| paths(list, "file")).filter(|(_, path)| path == "etc") {
        found.value(
            name,
            "cannot be temporary: the client would install the system again at each boot",
            "the client's fstab and the names of its images are here",
            "write the paths below it",
        );
    }
}

fn contradiction(root: &Element, found: &mut Found) {
    for list in lists(root) {
        let files = paths(list, "file");
        for (name, path) in paths(list, "except") {
            if files.iter().any(|(_, file)| *file == path) {
                found.value(
                    name,
                    &format!("is a `<file>` of `<{}>`, too", list.name),
                    "it is in the list, and is not",
                    "remove one of the two",
                );
            }
        }
    }
    for section in sections(root) {
        let of = |name| section.children(name).flat_map(|list| paths(list, "file"));
        for (name, path) in of("persistent") {
            if of("temporary").any(|(_, file)| file == path) {
                found.value(
                    name,
                    "is in `<temporary>`, too",
                    "its changes are kept, and are lost",
                    "remove it from one of the two lists",
                );
            }
        }
    }
}

fn exception(root: &Element, found: &mut Found) {
    for list in lists(root) {
        let files = paths(list, "file");
        for (name, path) in paths(list, "except") {
            let is_below =
                |file: &str| path.strip_prefix(file).is_some_and(|rest| !rest.starts_with(|c| c != '/'));
            if !files.iter().any(|(_, file)| is_below(file)) {
                found.warn(
                    name,
                    &format!("has no effect: it is below no `<file>` of `<{}>`", list.name),
                    "no effect",
                    "remove it, or list the directory above it",
                );
            }
        }
    }
}
