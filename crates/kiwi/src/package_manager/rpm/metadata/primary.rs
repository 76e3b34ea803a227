//! `primary.xml`: the packages of a repository.

use std::fmt;
use std::io::BufRead;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::checksum::Checksum;
use super::form::{self, checked};
use super::xml::{Element, each_child};

/// Epoch, version and release of a package.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Edition {
    /// The epoch; 0 if the package has none.
    pub epoch: u32,
    /// The version.
    pub version: String,
    /// The release.
    pub release: String,
}

/// A package of a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrimaryPackage {
    /// Its name.
    pub name: String,
    /// Epoch, version and release.
    pub edition: Edition,
    /// Its architecture.
    pub architecture: String,
    /// The checksum of its file.
    pub checksum: Checksum,
    /// The path of its file below the repository, or below `base`.
    pub location: String,
    /// The URL of another location of its file, if it is not below the repository.
    pub base: Option<String>,
    /// The bytes of its file.
    pub file_size: u64,
    /// The bytes of its content after installation.
    pub installed_size: u64,
    /// The time at which it was built, in seconds since 1970.
    pub build_time: u64,
}

impl fmt::Display for Edition {
    /// Writes `[EPOCH:]VERSION-RELEASE`; the epoch 0 is left out.
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch != 0 {
            write!(to, "{}:", self.epoch)?;
        }
        write!(to, "{}-{}", self.version, self.release)
    }
}

impl Edition {
    /// Reads `[EPOCH:]VERSION-RELEASE`, as zypper and rpm write it.
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, rest) = text.split_once(':').unwrap_or(("0", text));
        let (version, release) = rest.rsplit_once('-')?;
        let epoch = epoch.parse().ok()?;
        let valid = form::is_version(version) && form::is_version(release);
        valid.then(|| Self { epoch, version: version.to_owned(), release: release.to_owned() })
    }
}

impl PrimaryPackage {
    /// Returns `NAME-VERSION-RELEASE.ARCHITECTURE`, as rpm names a package.
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.edition, self.architecture)
    }

    fn read(element: &Element) -> Result<Self> {
        let name = checked(element.required_child("name")?.text(), form::is_name, "name of a package")?;
        Self::read_named(name, element).with_context(|| format!("the package {name}"))
    }

    fn read_named(name: &str, element: &Element) -> Result<Self> {
        let version = element.required_child("version")?;
        let architecture = element.required_child("arch")?.text();
        let location = element.required_child("location")?;
        let size = |key| {
            Ok::<u64, anyhow::Error>(
                element.child("size").map(|size| size.number(key)).transpose()?.flatten().unwrap_or(0),
            )
        };
        let epoch = version.attribute("epoch").filter(|text| !text.is_empty()).unwrap_or("0");
        let is_epoch = |text: &str| text.parse::<u32>().is_ok();
        Ok(Self {
            name: name.to_owned(),
            edition: Edition {
                epoch: checked(epoch, is_epoch, "epoch")?.parse()?,
                version: checked(version.required("ver")?, form::is_version, "version")?.to_owned(),
                release: checked(version.required("rel")?, form::is_version, "release")?.to_owned(),
            },
            architecture: checked(architecture, form::is_architecture, "architecture")?.to_owned(),
            checksum: Checksum::read(element.required_child("checksum")?)?,
            location: form::location(location.required("href")?)?.to_owned(),
            base: location.attribute("base").filter(|base| !base.is_empty()).map(str::to_owned),
            file_size: size("package")?,
            installed_size: size("installed")?,
            build_time: element
                .child("time")
                .map(|time| time.number("build"))
                .transpose()?
                .flatten()
                .unwrap_or(0),
        })
    }
}

/// Calls `each` with every package of a `primary.xml`, which is already uncompressed.
pub fn packages(source: impl BufRead, mut each: impl FnMut(PrimaryPackage) -> Result<()>) -> Result<()> {
    // Relations and texts are most of the file; the solver has read them.
    let skipped = ["format", "summary", "description", "packager", "url"];
    each_child(source, "metadata", &skipped, |element| match element.name() {
        "package" if element.attribute("type").is_none_or(|kind| kind == "rpm") => {
            each(PrimaryPackage::read(&element)?)
        }
        _ => Ok(()),
    })
}
