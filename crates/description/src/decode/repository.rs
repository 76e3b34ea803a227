//! `<repository>`.

use super::{Decoder, boolean, text};
use crate::description::RepositoryEntry;
use crate::document::{Element, Text};
use crate::schema;
use crate::{
    Architecture, Diagnostic, Origin, Repository, RepositoryStatus, RepositoryType, SourcePath, SourceType,
};

impl Decoder<'_> {
    pub(super) fn repository(&mut self, element: &Element) -> Option<RepositoryEntry> {
        let source_element = element.child("source")?;
        let path = source_element.value("path")?;
        // Any architecture serves to check the form of the path; `select` inserts that of the build.
        let Some(source) = SourcePath::parse(&path.text, &Architecture::new("x86_64")) else {
            self.unknown_source_path(path);
            return None;
        };
        if boolean(element, "imageinclude") == Some(true) && boolean(element, "imageonly") == Some(true) {
            let location = element.attribute("imageonly")?;
            self.diagnostics.push(
                Diagnostic::error(
                    location.name_span.clone(),
                    "`imageinclude` and `imageonly` exclude each other",
                )
                .rule("repository-in-the-image")
                .label("only one of the two is allowed")
                .help("`imageinclude`: for the build and in the image; `imageonly`: only in the image"),
            );
        }
        let repository = Repository {
            kind: element.value("type").and_then(|kind| RepositoryType::parse(&kind.text)),
            status: match element.value("status").map(|status| status.text.as_str()) {
                Some("replaceable") => RepositoryStatus::Replaceable,
                _ => RepositoryStatus::Fixed,
            },
            source,
            alias: text(element, "alias"),
            source_type: element
                .value("sourcetype")
                .and_then(|keyword| SourceType::parse(&keyword.text))
                .unwrap_or_default(),
            customize: text(element, "customize"),
            priority: element.value("priority").and_then(|priority| priority.text.parse().ok()),
            distribution: text(element, "distribution"),
            components: list(element, "components"),
            architectures: list(element, "architectures"),
            check_repository: boolean(element, "repository_gpgcheck"),
            check_packages: boolean(element, "package_gpgcheck"),
            signing_keys: source_element.children("signing").filter_map(|key| text(key, "key")).collect(),
            in_image: boolean(element, "imageinclude") == Some(true)
                || boolean(element, "imageonly") == Some(true),
            image_only: boolean(element, "imageonly") == Some(true),
            credentials: text(element, "username")
                .map(|username| (username, text(element, "password").unwrap_or_default())),
            valid_until: true,
            origin: Origin::Description(path.span.clone()),
        };
        Some(RepositoryEntry { path: path.text.clone(), span: path.span.clone(), repository })
    }

    fn unknown_source_path(&mut self, path: &Text) {
        if path.text.is_empty() {
            // Reported as a missing text.
            return;
        }
        let diagnostic =
            Diagnostic::error(path.span.clone(), format!("`{}` is not a source path", path.text))
                .rule("source-path");
        let relative = !path.text.contains(':');
        self.diagnostics.push(if relative {
            diagnostic.label("neither absolute nor with a scheme").help(format!(
                "write `this://{}` for a directory inside the description, or an absolute path",
                path.text
            ))
        } else {
            diagnostic
                .label("no such scheme, or not its form")
                .help(format!("expected {}", SourcePath::EXPECTED))
        });
    }
}

fn list(element: &Element, name: &str) -> Vec<String> {
    let text = element.value(name).map(|value| value.text.as_str()).unwrap_or_default();
    schema::list_items(text).map(str::to_owned).collect()
}
