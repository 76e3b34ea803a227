//! Turns the canonical tree into the model.
//!
//! The tree was checked against its schema before: a missing or malformed keyword was already reported, and decoding
//! continues without it. Errors reported here involve several elements or attributes: a type and its attributes, a profile
//! and its declaration, two sections that contradict each other.

mod bootloader;
mod deploy;
mod image_type;
mod iso;
mod machine;
mod oem;
mod packages;
mod partitions;
mod preferences;
mod repository;
mod users;
mod variables;

pub use variables::type_variables;

use std::collections::BTreeSet;

use crate::description::{Condition, Description, DriverSection, Inherit, Section};
use crate::document::{Element, Text};
use crate::rules;
use crate::schema::{self, ChildSchema, IMAGE, State};
use crate::suggest::{listed, nearest};
use crate::unsupported::{self, architectures};
use crate::without_effect;
use crate::{
    DescriptionKind, Diagnostic, Diagnostics, DriverKind, Drivers, ImageName, Profile, ProfileName,
    Requirement, SchemaVersion, Severity, SplitFiles, SplitList,
};

/// Reads the schema version; without a known one nothing else can be checked.
pub(crate) fn schema_version(root: &Element, diagnostics: &mut Diagnostics) -> Option<SchemaVersion> {
    if root.name != IMAGE.name || root.foreign {
        diagnostics.push(
            Diagnostic::error(root.span.clone(), format!("`<{}>` is not an image description", root.name))
                .rule("not-a-description")
                .label("expected `<image>`")
                .help("a description starts with `<image schemaversion=\"8.5\" name=\"...\">`"),
        );
        return None;
    }
    let Some(attribute) = root.attribute("schemaversion").or_else(|| root.attribute("schemeversion")) else {
        diagnostics.push(
            Diagnostic::error(root.span.clone(), "`<image>` does not specify its schema version")
                .rule("schema-version")
                .label("`schemaversion` is missing")
                .help("today's is `schemaversion=\"8.5\"`"),
        );
        return None;
    };
    let Some(version) = SchemaVersion::parse(&attribute.value.text) else {
        diagnostics.push(
            Diagnostic::error(
                attribute.value.span.clone(),
                format!("this version of kiwi does not read schema version `{}`", attribute.value.text),
            )
            .rule("schema-version")
            .label("not accepted")
            .help(versions_near(&attribute.value.text)),
        );
        return None;
    };
    if attribute.name != version.attribute() {
        diagnostics.push(
            Diagnostic::error(
                attribute.name_span.clone(),
                format!("schema {version} calls this attribute `{}`", version.attribute()),
            )
            .rule("schema-version")
            .label(if version == SchemaVersion::NEWEST {
                format!("the spelling of the schemas up to {}", SchemaVersion::V2_4)
            } else {
                format!("the spelling of the schemas since {}", SchemaVersion::V3_5)
            }),
        );
        return None;
    }
    Some(version)
}

/// Returns what to write instead of an unknown version.
fn versions_near(written: &str) -> String {
    let number = |text: &str| -> Option<(u32, u32)> {
        let (major, minor) = text.trim().split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    };
    let newest = SchemaVersion::NEWEST;
    match (number(written), number(newest.number())) {
        (Some(asked), Some(last)) if asked > last => {
            format!("the newest schema it knows is {newest}; a newer kiwi may read this file")
        }
        (Some(asked), _) => {
            let later = SchemaVersion::ALL.iter().find(|version| number(version.number()) > Some(asked));
            let near = later.copied().unwrap_or(newest);
            format!("the next one it reads is {near}, today's is {newest}")
        }
        (None, _) => format!("a schema version is a number such as {newest}"),
    }
}

/// Decodes the whole tree. None only if something required is missing, which was reported.
pub(crate) fn decode(
    root: &Element,
    schema: SchemaVersion,
    diagnostics: &mut Diagnostics,
) -> Option<Description> {
    rules::check(root, diagnostics);
    without_effect::check(root, diagnostics);
    let profiles = profiles(root, diagnostics);
    let declared = profiles.iter().map(|profile| profile.name.clone()).collect();
    let mut decoder = Decoder { schema, declared, diagnostics };
    decoder.requirements(root);

    let mut preferences = Vec::new();
    let mut users = Vec::new();
    let mut drivers = Vec::new();
    let mut repositories = Vec::new();
    let mut packages = Vec::new();
    let mut unsupported = Vec::new();
    for element in root.children.iter().filter(|element| !element.foreign) {
        let Some(keyword) = IMAGE.child_schema(&element.name, SchemaVersion::NEWEST) else { continue };
        match element.name.as_str() {
            "preferences" => {
                let content = decoder.preferences(element);
                preferences.push(decoder.section(element, keyword, &["type"], content));
            }
            "users" => {
                let content = decoder.users(element);
                users.push(decoder.section(element, keyword, &[], content));
            }
            "drivers" => {
                let content = drivers_section(element);
                drivers.push(decoder.section(element, keyword, &[], content));
            }
            "repository" => {
                let content = decoder.repository(element);
                let section = decoder.section(element, keyword, &[], content);
                repositories.extend(section.transpose());
            }
            "packages" => {
                let content = decoder.packages(element);
                let section = decoder.section(element, keyword, &[], content);
                packages.extend(section.transpose());
            }
            "deploy" => unsupported.push(decoder.section(element, keyword, &[], ())),
            _ if keyword.element.state == State::Unsupported => {
                unsupported.push(decoder.section(element, keyword, &[], ()));
            }
            _ => {}
        }
    }
    decoder.version_somewhere(root, &preferences);
    let description = root.child("description");
    let text = |name| description.and_then(|element| element.child_text(name)).map(|text| text.text.clone());
    Some(Description {
        schema_version: schema,
        name: ImageName::parse(&root.value("name")?.text)?,
        display_name: root.value("displayname").map(|name| name.text.clone()),
        image_id: root.value("id").map(|id| id.text.clone()).filter(|id| !id.is_empty()),
        version: preferences.iter().find_map(|section| section.content.version.clone())?,
        inherit: root
            .value("inherit")
            .map(|path| Inherit { path: path.text.clone(), span: path.span.clone() }),
        kind: match description?.value("type")?.text.as_str() {
            "boot" => DescriptionKind::Boot,
            _ => DescriptionKind::System,
        },
        author: text("author").unwrap_or_default(),
        contact: text("contact").unwrap_or_default(),
        specification: text("specification").unwrap_or_default(),
        default_destination: preferences
            .iter()
            .find_map(|section| section.content.default_destination.clone()),
        default_root: preferences.iter().find_map(|section| section.content.default_root.clone()),
        split: root.child("split").map(split),
        deploy: root.child("deploy").map(deploy::deploy),
        profiles,
        preferences,
        users,
        drivers,
        repositories,
        packages,
        unsupported,
        image_span: root.span.clone(),
        profiles_span: root.child("profiles").map(|element| element.span.clone()),
    })
}

/// The state that the section decoders share.
struct Decoder<'a> {
    schema: SchemaVersion,
    /// The profiles that `profiles=` may name.
    declared: BTreeSet<ProfileName>,
    diagnostics: &'a mut Diagnostics,
}

impl Decoder<'_> {
    fn section<T>(
        &mut self,
        element: &Element,
        keyword: &ChildSchema,
        apart: &[&str],
        content: T,
    ) -> Section<T> {
        Section {
            condition: Condition {
                profiles: self.profiles_attribute(element),
                architectures: architectures(element),
            },
            unsupported: unsupported::collect(element, keyword.element, keyword.life.first(), apart),
            content,
        }
    }

    fn profiles_attribute(&mut self, element: &Element) -> Option<Vec<ProfileName>> {
        let items = element.value("profiles")?.items();
        let names = items.iter().filter_map(|item| {
            let name = ProfileName::parse(&item.text)?;
            self.declared_profile(item, &name, Severity::Warning);
            Some(name)
        });
        Some(names.collect())
    }

    /// Reports a profile that is not declared. `--profile` cannot select it, so that a section only for it is never used.
    fn declared_profile(&mut self, item: &Text, name: &ProfileName, severity: Severity) {
        if !self.declared.contains(name) {
            let diagnostic =
                Diagnostic::error(item.span.clone(), format!("the profile `{name}` is not declared"))
                    .rule("unknown-profile")
                    .label("not declared in `<profiles>`");
            let diagnostic = Diagnostic { severity, ..diagnostic };
            let names = || self.declared.iter().map(ProfileName::as_str);
            let help = match nearest(name.as_str(), names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if self.declared.is_empty() => {
                    format!(
                        "declare it: `<profiles><profile name=\"{name}\" description=\"...\"/></profiles>`"
                    )
                }
                None => format!("declared are {}", listed(names())),
            };
            self.diagnostics.push(diagnostic.help(help));
        }
    }

    fn requirements(&mut self, root: &Element) {
        let profiles = root.children("profiles").flat_map(|section| section.children("profile"));
        for requires in profiles.flat_map(|profile| profile.children("requires")) {
            if let Some(item) = requires.value("profile")
                && let Some(name) = ProfileName::parse(&item.text)
            {
                self.declared_profile(item, &name, Severity::Error);
            }
        }
    }

    /// Today's schema allows a section without a version, if another section has it.
    fn version_somewhere(
        &mut self,
        root: &Element,
        preferences: &[Section<crate::description::Preferences>],
    ) {
        // One mistake, one message: a misspelt one was reported.
        let sections = || root.children("preferences").flat_map(|section| &section.children);
        let written = sections().any(|child| {
            let known = IMAGE.child_schema("preferences", self.schema).map(|keyword| keyword.element);
            child.name == "version"
                || known.and_then(|keyword| keyword.meant_child(&child.name, self.schema)) == Some("version")
        });
        if self.schema != SchemaVersion::V1_4
            && !written
            && let Some(first) = preferences.first()
        {
            self.diagnostics.push(
                Diagnostic::error(first.content.span.clone(), "no `<preferences>` has a `<version>`")
                    .rule("missing-version")
                    .label("`<version>` is missing")
                    .help(format!("add `<version>...</version>`: {}", crate::Version::EXPECTED)),
            );
        }
    }
}

impl<T> Section<Option<T>> {
    fn transpose(self) -> Option<Section<T>> {
        let Self { condition, unsupported, content } = self;
        content.map(|content| Section { condition, unsupported, content })
    }
}

fn profiles(root: &Element, diagnostics: &mut Diagnostics) -> Vec<Profile> {
    let mut profiles: Vec<Profile> = Vec::new();
    for element in root.children("profiles").flat_map(|section| section.children("profile")) {
        let Some(written) = element.value("name") else { continue };
        let Some(name) = ProfileName::parse(&written.text) else { continue };
        let architectures = architectures(element);
        // A profile may have one declaration for each architecture.
        if profiles.iter().any(|other| other.name == name && other.architectures.overlaps(&architectures)) {
            diagnostics.push(
                Diagnostic::warning(written.span.clone(), format!("the profile `{name}` is declared twice"))
                    .rule("repeated-profile")
                    .label("without effect: declared before")
                    .help("remove one of them, or give them different `arch`"),
            );
            continue;
        }
        profiles.push(Profile {
            name,
            description: element.value("description").map(|text| text.text.clone()).unwrap_or_default(),
            import: boolean(element, "import").unwrap_or(false),
            requires: element
                .children("requires")
                .filter_map(|requires| {
                    let profile = ProfileName::parse(&requires.value("profile")?.text)?;
                    Some(Requirement { profile, architectures: unsupported::architectures(requires) })
                })
                .collect(),
            architectures,
        });
    }
    profiles
}

fn drivers_section(element: &Element) -> DriverSection {
    let keyword = element.value("type").map_or("drivers", |keyword| keyword.text.as_str());
    let files = || element.children("file").filter(|file| file.value("name").is_some());
    DriverSection {
        drivers: Drivers {
            kind: DriverKind::parse(keyword).unwrap_or(DriverKind::Drivers),
            files: files().filter_map(|file| text(file, "name")).collect(),
        },
        architectures: files().map(architectures).collect(),
    }
}

fn split(element: &Element) -> SplitFiles {
    let list = |name: &str| {
        let entries = |entry: &str| {
            let lists = element.children(name).flat_map(|list| list.children(entry));
            lists.filter_map(|file| text(file, "name")).collect()
        };
        SplitList { files: entries("file"), exceptions: entries("except") }
    };
    SplitFiles { temporary: list("temporary"), persistent: list("persistent") }
}

/// Returns the text of an attribute.
fn text(element: &Element, name: &str) -> Option<String> {
    element.value(name).map(|value| value.text.clone())
}

/// Returns the boolean of an attribute.
fn boolean(element: &Element, name: &str) -> Option<bool> {
    element.value(name).and_then(|value| schema::boolean(&value.text))
}

/// Returns the number of an attribute.
fn number(element: &Element, name: &str) -> Option<u64> {
    element.value(name).and_then(|value| schema::number(&value.text))
}
