//! Bills of materials: the packages of an image with their origin and their licences, in the forms SPDX 3.0.1 and CycloneDX 1.6.
//!
//! ```text
//! tree (database of packages, copyright files) + packages of the build (digest, repository) -> Bill -> JSON
//! ```
//!
//! The bytes depend on nothing but the image: the time is that of the image, and identifiers derive from the contents. A licence
//! is what the package declares in a form that a program can read; nothing is guessed from a text.

mod copyright;
mod cyclonedx;
mod identifier;
mod licence;
mod package_url;
mod spdx;

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::host::Host;
use crate::identity::Identity;
use crate::lock::LockedPackage;
use crate::package_manager::{InventoryItem, PackageForm, inventory};
use crate::root_tree::RootTree;
use licence::Licence;
use package_url::Distribution;

/// The form of a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// SPDX 3.0.1 as JSON-LD.
    Spdx,
    /// CycloneDX 1.6 as JSON.
    CycloneDx,
}

/// What a bill describes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Name of the image.
    pub name: String,
    /// Its version; empty if it is unknown.
    pub version: String,
    /// Its architecture; empty if it is unknown.
    pub architecture: String,
    /// The time of the image in seconds since 1970.
    pub epoch: u64,
}

/// The packages of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    subject: Subject,
    distribution: Distribution,
    components: Vec<Component>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Component {
    item: InventoryItem,
    /// Its package URL.
    url: String,
    licence: Licence,
    origin: Option<Origin>,
}

/// The file that a package was installed from.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    /// SHA-256 in lower-case hex.
    sha256: String,
    /// The repository, as descriptions write it.
    repository: String,
    /// The path of the file in it.
    file: String,
}

impl Form {
    /// Returns what the form adds to the name of an image.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Spdx => ".spdx.json",
            Self::CycloneDx => ".cdx.json",
        }
    }
}

impl Bill {
    /// Reads the packages of an image from its tree. Copyright files are those of the tree, else those of `before`, the
    /// tree before scripts of the image removed files. `packages` are those that the build installed, if they are known.
    pub fn read(
        subject: Subject,
        tree: &RootTree,
        before: Option<&RootTree>,
        packages: &[LockedPackage],
        host: &Host,
    ) -> Result<Self> {
        let distribution = Distribution::of(tree);
        let origins: BTreeMap<(&str, &str, &str), &LockedPackage> = packages
            .iter()
            .map(|package| {
                ((package.name.as_str(), package.version.as_str(), package.architecture.as_str()), package)
            })
            .collect();
        let mut components = Vec::new();
        for item in inventory(tree, host)? {
            let licence = match item.form {
                PackageForm::Deb => {
                    let files = std::iter::once(tree).chain(before);
                    copyright::licence(&item.name, files)
                }
                PackageForm::Rpm => Licence::of_tag(item.licence.as_deref()),
            };
            let origin =
                origins.get(&(item.name.as_str(), item.version.as_str(), item.architecture.as_str()));
            let origin = origin.map(|package| Origin {
                sha256: package.sha256.clone(),
                repository: package.repository.clone(),
                file: package.file.clone(),
            });
            let url = package_url::of(&item, &distribution);
            components.push(Component { item, url, licence, origin });
        }
        Ok(Self { subject, distribution, components })
    }

    /// Returns the text of the bill in a form.
    pub fn text(&self, form: Form) -> Result<String> {
        let value = match form {
            Form::Spdx => spdx::document(self, &self.identity()),
            Form::CycloneDx => cyclonedx::document(self, &self.identity()),
        };
        Ok(serde_json::to_string_pretty(&value)? + "\n")
    }

    /// Returns the source of identifiers: everything that the bill contains.
    fn identity(&self) -> Identity {
        let Subject { name, version, architecture, epoch } = &self.subject;
        let components = self.components.iter().map(|component| format!("{component:?}"));
        let parts = [name.clone(), version.clone(), architecture.clone()].into_iter().chain(components);
        let parts: Vec<String> = parts.collect();
        Identity::new(*epoch, parts.iter().map(String::as_str))
    }
}

impl Origin {
    /// Returns the location of the file as a URI; `None` if its repository is a directory of the builder.
    fn uri(&self) -> Option<String> {
        let Self { sha256: _, repository, file } = self;
        let is_uri = repository
            .split_once("://")
            .is_some_and(|(scheme, _)| !matches!(scheme, "dir" | "file" | "this"));
        is_uri.then(|| {
            let path = format!("{}/{file}", repository.trim_end_matches('/'));
            path_characters(&path)
        })
    }
}

/// Returns a location with every character that a URI cannot contain escaped.
fn path_characters(text: &str) -> String {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte);
    escaped(text, allowed)
}

fn escaped(text: &str, allowed: impl Fn(u8) -> bool) -> String {
    let escape = |byte: u8| match allowed(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// Returns whether a copyright file declares a licence in a form that programs can read.
#[cfg(feature = "fuzzing")]
pub(crate) fn declares_licence(text: &str) -> bool {
    copyright::parse(text).is_some()
}

/// Returns whether a text, such as the home page in a package, is a URI.
fn is_uri(text: &str) -> bool {
    let has_scheme = text.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric())
    });
    has_scheme && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"{}|\\^`".contains(&byte))
}

/// Returns the name and the address of `NAME <ADDRESS>`; the address only if it is one of mail.
fn name_and_address(maintainer: &str) -> (&str, Option<&str>) {
    let Some((name, address)) = maintainer.strip_suffix('>').and_then(|text| text.split_once(" <")) else {
        return (maintainer, None);
    };
    let is_address = address.contains('@') && !address.contains(|c: char| c.is_whitespace() || c == '/');
    (name.trim_matches('"'), Some(address).filter(|_| is_address))
}

#[cfg(test)]
mod tests;
