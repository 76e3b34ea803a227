//! `/config.isoclient` of an installation medium: the image to install, and options
//! (docs/formats/image-files.md and docs/formats/media.md).
//!
//! ```text
//! DISK=/dev/sda                             the target disk, when it is known in advance
//! PART=<size>;<type>;<mountpoint>,...       the partitions that the disk gets (`deployed`)
//! IMAGE=/dev/sda2;<name>.<arch>;<version>   the image in /image; the number is that of the system's partition
//! FILTER=<expression>                       disks whose name or model matches are not offered
//! UNATTENDED=yes                            an option (`install_choice`)
//! ```
//!
//! `create` writes the same text to the file `N.config` beside an image. Without `DISK=` the disk is that of `IMAGE=`.
//! Keys of other boot images are ignored.

use std::collections::BTreeSet;
use std::fmt;

use crate::deployed::Deployed;
use crate::install_choice::InstallChoice;
use crate::partition::partition_name;
use crate::plain_text;
use crate::storage::StorageError;

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallConfig {
    /// The base name N of the image.
    pub image: String,
    /// The target disk, without `/dev/`.
    pub disk: Option<String>,
    /// The partitions of the target disk.
    pub deployed: Option<Deployed>,
    /// A regular expression; disks that it matches are not offered.
    pub filter: Option<String>,
    /// The options that are set.
    pub choices: BTreeSet<InstallChoice>,
}

/// The error for a text that is not a valid `/config.isoclient`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallConfigError(String);

impl fmt::Display for InstallConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InstallConfigError {}

impl From<StorageError> for InstallConfigError {
    fn from(error: StorageError) -> Self {
        Self(error.to_string())
    }
}

impl InstallConfig {
    /// The path of the file on a medium.
    pub const PATH: &'static str = "/config.isoclient";

    /// Returns the configuration that installs `image` and asks every question.
    pub fn new(image: &str) -> Self {
        Self { image: image.to_owned(), disk: None, deployed: None, filter: None, choices: BTreeSet::new() }
    }

    /// Returns whether this option is set.
    pub fn is(&self, choice: InstallChoice) -> bool {
        self.choices.contains(&choice)
    }

    /// Returns the path of the compressed image on the medium.
    pub fn image_path(&self) -> String {
        format!("/image/{}.gz", self.image)
    }

    /// Returns the path of the checksum file on the medium; the checksum is that of the uncompressed image.
    pub fn checksum_path(&self) -> String {
        format!("/image/{}.md5", self.image)
    }

    /// Parses the text of the file.
    pub fn parse(text: &str) -> Result<Self, InstallConfigError> {
        if let Some((line, problem)) = plain_text::problem(text) {
            return Err(InstallConfigError(format!("line {line}: {problem}")));
        }
        let value = |key: &str| {
            let lines = text.lines().filter_map(|line| line.split_once('='));
            lines.rev().find(|(name, _)| *name == key).map(|(_, value)| value.replace('\'', ""))
        };
        let image = value("IMAGE").ok_or_else(|| InstallConfigError("IMAGE is missing".to_owned()))?;
        let entry = image.split(',').next().unwrap_or_default();
        let keywords: Vec<&str> = entry.split(';').collect();
        let (device, name) = match keywords[..] {
            [device, name, "", ..] | [device, name] => (device, name.to_owned()),
            [device, name, version, ..] => (device, format!("{name}-{version}")),
            _ => ("", String::new()),
        };
        if name.is_empty() || name.contains('/') {
            return Err(InstallConfigError(format!(
                "IMAGE=\"{image}\": expected /dev/DISK;<name>.<arch>;<version>"
            )));
        }
        let is_on =
            |key: &str| value(key).is_some_and(|value| matches!(value.as_str(), "yes" | "1" | "true"));
        let device = device.strip_prefix("/dev/").unwrap_or(device);
        if !plain_text::stays_below(device) {
            return Err(InstallConfigError(format!("IMAGE=\"{image}\": expected a device below /dev")));
        }
        let parts = value("PART");
        let disk = value("DISK").map(|disk| disk.strip_prefix("/dev/").unwrap_or(&disk).to_owned());
        if let Some(disk) = disk.as_ref().filter(|disk| !plain_text::stays_below(disk)) {
            return Err(InstallConfigError(format!("DISK=\"{disk}\": expected a device below /dev")));
        }
        // Without partitions the device is the disk itself.
        let (disk, target) = match (&parts, &disk) {
            (Some(_), Some(disk)) => (disk.as_str(), number_of(device, disk)),
            (Some(_), None) => split_number(device),
            (None, _) => (disk.as_deref().unwrap_or(device), None),
        };
        Ok(Self {
            image: name,
            disk: Some(disk.to_owned()).filter(|disk| !disk.is_empty()),
            deployed: parts.map(|parts| Deployed::parse(&parts, target)).transpose()?,
            filter: text.lines().find_map(|line| line.strip_prefix("FILTER=")).map(str::to_owned),
            choices: InstallChoice::ALL.into_iter().filter(|choice| is_on(choice.key())).collect(),
        })
    }
}

/// Returns the number in the name of a partition of `disk`.
fn number_of(device: &str, disk: &str) -> Option<usize> {
    let number = device.strip_prefix(disk)?;
    number.strip_prefix('p').unwrap_or(number).parse().ok()
}

/// Splits the name of a partition into disk and number: `sda2`, `nvme0n1p2`.
fn split_number(device: &str) -> (&str, Option<usize>) {
    let disk = device.trim_end_matches(|letter: char| letter.is_ascii_digit());
    let number = device[disk.len()..].parse().ok();
    let bare = disk.strip_suffix('p').filter(|bare| bare.ends_with(|letter: char| letter.is_ascii_digit()));
    (bare.unwrap_or(disk), number)
}

impl fmt::Display for InstallConfig {
    /// Writes the text of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut device = self.disk.clone().unwrap_or_default();
        if let Some(deployed) = &self.deployed {
            if self.disk.is_some() {
                writeln!(f, "DISK=/dev/{device}")?;
            }
            writeln!(f, "PART={deployed}")?;
            if let Some(number) = deployed.target.and_then(|number| u32::try_from(number).ok()) {
                device = partition_name(&device, number);
            }
        }
        let disk = if self.disk.is_some() { format!("/dev/{device}") } else { device };
        let (name, version) = self.image.rsplit_once('-').unwrap_or((&self.image, ""));
        writeln!(f, "IMAGE={disk};{name};{version}")?;
        if let Some(filter) = &self.filter {
            writeln!(f, "FILTER={filter}")?;
        }
        self.choices.iter().try_for_each(|choice| writeln!(f, "{}=yes", choice.key()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_the_configuration_of_kiwi_1() {
        let text = "DISK=/dev/sda\nPART=1024;S;x,x;L;/,\nIMAGE=/dev/sda2;full-suse-10.2.i686;1.1.2;192.168.1.1;4096\n";
        let config = InstallConfig::parse(text).unwrap();
        assert_eq!(config.image_path(), "/image/full-suse-10.2.i686-1.1.2.gz");
        assert_eq!((config.disk.as_deref(), config.choices.len()), (Some("sda"), 0));
        assert_eq!(config.deployed.unwrap().to_string(), "1024;S;x,x;L;/,");
        let without_disk =
            InstallConfig::parse("PART=5;S;x,x;L;x,x;L;/srv\nIMAGE=/dev/nvme0n1p3;n;1\n").unwrap();
        assert_eq!(without_disk.disk.as_deref(), Some("nvme0n1"));
        assert_eq!(without_disk.deployed.unwrap().target, Some(3));
        let error = |text| InstallConfig::parse(text).unwrap_err().to_string();
        assert_eq!(error("DISK=/dev/sda\n"), "IMAGE is missing");
        assert!(error("IMAGE=/dev/sda;../../etc/passwd;1\n").contains("expected /dev/DISK;"));
        assert!(error("IMAGE=/dev/../etc/passwd;n;1\n").contains("expected a device below /dev"));
        assert!(error("DISK=/dev/../x\nIMAGE=/dev/sda;n;1\n").contains("expected a device below /dev"));
        assert!(error("IMAGE=/dev/sda;n;1\nFILTER=\0\n").starts_with("line 2: "));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            image in "[a-z]{1,9}(\\.x86_64-[0-9]\\.[0-9]\\.[0-9])?",
            disk in proptest::option::of("[a-oq-z]{1,5}|nvme[0-9]n[0-9]"),
            parts in proptest::option::of("((x|[1-9][0-9]{0,5});(S|L);(x|/[a-z]{0,8}),){1,4}"),
            target in proptest::option::of(1usize..9),
            filter in proptest::option::of("[a-z^$'|]{1,5}"),
            choices in proptest::collection::btree_set(proptest::sample::select(&InstallChoice::ALL), 0..4),
        ) {
            let deployed = parts.map(|parts| Deployed::parse(&parts, target).unwrap());
            let config = InstallConfig { image, disk, deployed, filter, choices };
            prop_assert_eq!(InstallConfig::parse(&config.to_string()), Ok(config));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = InstallConfig::parse(&text);
        }
    }
}
