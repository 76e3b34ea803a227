//! Package URLs (purl): `pkg:deb/debian/bash@5.2-1?arch=amd64&distro=debian-12`.

use super::escaped;
use crate::package_manager::{InventoryItem, PackageForm};
use crate::root_tree::RootTree;

/// What `os-release` contains about a system.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Distribution {
    /// `ID`
    pub(super) id: Option<String>,
    /// `VERSION_ID`
    pub(super) version: Option<String>,
    /// `PRETTY_NAME`
    pub(super) name: Option<String>,
}

impl Distribution {
    /// Reads `os-release` of a tree; a missing file gives no values.
    pub(super) fn of(tree: &RootTree) -> Self {
        let files = ["etc/os-release", "usr/lib/os-release"];
        let text = files.iter().find_map(|file| tree.read_text(file).ok()).unwrap_or_default();
        let value = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
            line.map(|value| value.trim().trim_matches(['"', '\'']).to_owned())
                .filter(|value| !value.is_empty())
        };
        Self { id: value("ID"), version: value("VERSION_ID"), name: value("PRETTY_NAME") }
    }

    /// Returns the value of the qualifier `distro`.
    fn qualifier(&self) -> Option<String> {
        match (&self.id, &self.version) {
            (Some(id), Some(version)) => Some(format!("{id}-{version}")),
            (id, _) => id.clone(),
        }
    }
}

/// Returns the package URL of an installed package.
pub(super) fn of(item: &InventoryItem, distribution: &Distribution) -> String {
    let (kind, fallback) = match item.form {
        PackageForm::Deb => ("deb", "debian"),
        PackageForm::Rpm => ("rpm", ""),
    };
    let id = distribution.id.as_deref().unwrap_or(fallback);
    // A name of a family such as opensuse-leap: purl has the vendor only.
    let namespace = match id.split_once('-') {
        Some(("opensuse", _)) => "opensuse",
        _ => id,
    };
    let (epoch, version) = match (item.form, item.version.split_once(':')) {
        (PackageForm::Rpm, Some((epoch, version))) => (Some(epoch.to_owned()), version),
        (PackageForm::Rpm | PackageForm::Deb, _) => (None, item.version.as_str()),
    };
    let source = match item.form {
        PackageForm::Deb => item.source.as_deref().map(source_package),
        PackageForm::Rpm => item.source.clone(),
    };
    let upstream = source.filter(|source| *source != item.name);
    // In the order of their names, as the canonical form has them.
    let qualifiers = [
        ("arch", Some(item.architecture.clone())),
        ("distro", distribution.qualifier()),
        ("epoch", epoch),
        ("upstream", upstream),
    ];
    let qualifiers: Vec<String> = qualifiers
        .into_iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", plain(&value?))))
        .collect();
    let name = match namespace {
        "" => plain(&item.name),
        namespace => format!("{}/{}", plain(&namespace.to_lowercase()), plain(&item.name)),
    };
    format!("pkg:{kind}/{name}@{}?{}", plain(version), qualifiers.join("&"))
}

/// Returns `NAME@VERSION` of the value of the field `Source`: `NAME` or `NAME (VERSION)`.
fn source_package(value: &str) -> String {
    match value.split_once(" (") {
        Some((name, version)) => format!("{name}@{}", version.trim_end_matches(')')),
        None => value.to_owned(),
    }
}

/// Returns the text with every character escaped that a part of a package URL cannot contain.
fn plain(text: &str) -> String {
    escaped(text, |byte| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte))
}
