//! `<preferences>`.

use super::{Decoder, boolean};
use crate::description::{Preferences, TypeEntry};
use crate::document::Element;
use crate::schema;
use crate::{Diagnostic, PackageManager, Version};

impl Decoder<'_> {
    pub(super) fn preferences(&mut self, element: &Element) -> Preferences {
        let text = |name| element.child_text(name).map(|text| text.text.clone());
        let flag = |name| element.child_text(name).and_then(|text| schema::boolean(&text.text));
        Preferences {
            span: element.span.clone(),
            types: self.types(element),
            version: text("version").and_then(|version| Version::parse(&version)),
            package_manager: text("packagemanager").and_then(|keyword| PackageManager::parse(&keyword)),
            package_manager_span: element.child_text("packagemanager").map(|text| text.span.clone()),
            check_signatures: flag("rpm-check-signatures"),
            exclude_docs: flag("rpm-excludedocs"),
            force: flag("rpm-force"),
            filter_locales: flag("rpm-locale-filtering"),
            release_version: text("release-version"),
            keytable: text("keytable"),
            timezone: text("timezone"),
            locale: text("locale"),
            default_destination: text("defaultdestination"),
            default_root: text("defaultroot"),
            compressed: flag("compressed"),
            variables: super::variables::of_preferences(element),
        }
    }

    fn types(&mut self, element: &Element) -> Vec<TypeEntry> {
        let mut types: Vec<TypeEntry> = Vec::new();
        for child in element.children("type") {
            let Some(entry) = self.type_entry(child) else { continue };
            let keyword = child.value("image").map_or(&child.span, |keyword| &keyword.span);
            if types.iter().any(|earlier| earlier.keyword == entry.keyword) {
                self.diagnostics.push(
                    Diagnostic::error(keyword.clone(), format!("duplicate type `{}`", entry.keyword))
                        .rule("one-type-of-a-kind")
                        .label("named before")
                        .help("`--type` could not tell them apart; today's schema has profiles for that"),
                );
            } else if boolean(child, "primary") == Some(true) && types.iter().any(|earlier| earlier.primary) {
                let span = child.attribute("primary").map_or(&child.span, |primary| &primary.name_span);
                self.diagnostics.push(
                    Diagnostic::warning(span.clone(), "more than one type is primary")
                        .rule("one-primary-type")
                        .label("without effect: the first one counts"),
                );
            }
            types.push(entry);
        }
        types
    }
}
