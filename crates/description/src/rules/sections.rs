//! Rules of repositories, packages and other sections except `<preferences>`.

use super::{Found, Rule, is, switched_on};
use crate::document::Element;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "attributes-of-apt-repositories", check: apt_attributes },
    Rule { name: "local-repository-in-the-image", check: local_repository },
    Rule { name: "bootstrap-package", check: bootstrap_package },
    Rule { name: "collection-module-of-bootstrap-packages", check: collection_module },
    Rule { name: "stream-of-an-enabled-module", check: stream },
    Rule { name: "extension-for-each-namespace", check: extension },
];

/// Returns whether some part of the description installs with this package manager.
fn has(root: &Element, manager: &str) -> bool {
    let managers = root.children("preferences").filter_map(|section| section.child("packagemanager"));
    managers.filter_map(|manager| manager.text.as_ref()).any(|text| text.text == manager)
}

fn has_apt(root: &Element) -> bool {
    has(root, "apt")
}

/// A repository without a type has that of the package manager.
fn apt_attributes(root: &Element, found: &mut Found) {
    for repository in root.children("repository") {
        let path = repository.child("source").and_then(|source| source.value("path"));
        let apt = is(repository, "type", &["apt-deb", "deb", "apt-rpm"])
            || path.is_some_and(|path| path.text.starts_with("debian:"))
            || (repository.attribute("type").is_none() && has_apt(root));
        // A repository of pacman has components too.
        for name in ["distribution", "components", "architectures"] {
            if let Some(attribute) = repository.attribute(name).filter(|_| !apt && !has(root, "pacman")) {
                found.warn_attribute(
                    attribute,
                    "has no effect on this kind of repository",
                    "only an apt repository has it",
                    "add `type=\"apt-deb\"` if it is one",
                );
            }
        }
    }
}

fn local_repository(root: &Element, found: &mut Found) {
    for repository in root.children("repository") {
        let included =
            switched_on(repository, "imageinclude").or_else(|| switched_on(repository, "imageonly"));
        let path = repository.child("source").and_then(|source| source.value("path"));
        let (Some(included), Some(path)) = (included, path) else { continue };
        if path.text.starts_with('/')
            || ["dir:", "file:", "this:"].iter().any(|local| path.text.starts_with(local))
        {
            found.attribute(
                included,
                "puts a repository of this machine into the image",
                "the image cannot reach it",
                "name a repository on a server, or remove this attribute",
            );
        }
    }
}

fn bootstrap_package(root: &Element, found: &mut Found) {
    for section in root.children("packages") {
        let Some(attribute) = section.attribute("bootstrap_package") else { continue };
        if !is(section, "type", &["bootstrap"]) {
            found.attribute(
                attribute,
                "does not fit this type of packages",
                "it starts the whole tree",
                "it fits the type `bootstrap`",
            );
        } else if !has_apt(root) {
            found.attribute(
                attribute,
                "does not fit this package manager",
                "only apt starts from a packed tree",
                "remove it, or write `<packagemanager>apt</packagemanager>`",
            );
        }
    }
}

fn collection_module(root: &Element, found: &mut Found) {
    for section in root.children("packages").filter(|section| !is(section, "type", &["bootstrap"])) {
        for module in section.children("collectionModule") {
            found.element(
                module,
                "does not fit this type of packages",
                "modules are chosen before anything is installed",
                "it fits `<packages type=\"bootstrap\">`",
            );
        }
    }
}

fn stream(root: &Element, found: &mut Found) {
    for module in root.children("packages").flat_map(|section| section.children("collectionModule")) {
        if let Some(stream) = module.attribute("stream")
            && switched_on(module, "enable").is_none()
        {
            found.attribute(
                stream,
                "does not fit a module that is switched off",
                "means nothing here",
                "remove it, or write `enable=\"true\"`",
            );
        }
    }
}

fn extension(root: &Element, found: &mut Found) {
    for section in root.children("extension") {
        let mut seen: Vec<&str> = Vec::new();
        for element in &section.children {
            let Some(namespace) = namespace(element, &[section, root]).filter(|_| element.foreign) else {
                found.element(
                    element,
                    "has no namespace",
                    "an extension belongs to one",
                    "declare one: `<my:element xmlns:my=\"...\">`",
                );
                continue;
            };
            if seen.contains(&namespace) {
                found.element(
                    element,
                    "is the second extension of its namespace",
                    "one element for each namespace",
                    "put both into one element",
                );
            }
            seen.push(namespace);
        }
    }
}

/// The namespace that the prefix of an element denotes, declared here or in an outer element.
fn namespace<'a>(element: &'a Element, around: &[&'a Element]) -> Option<&'a str> {
    let declaration = match &element.layout.prefix {
        Some(prefix) => format!("xmlns:{prefix}"),
        None => "xmlns".to_owned(),
    };
    let declared = |element: &'a Element| {
        let mut declarations = element.layout.foreign.iter();
        declarations.find(|(name, _)| *name == declaration).map(|(_, namespace)| namespace.as_str())
    };
    std::iter::once(element).chain(around.iter().copied()).find_map(declared)
}
