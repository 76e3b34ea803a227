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
//! The grammar is that of [`ClientConfig`]. `create` writes the same text to the file `N.config` beside an image. Without
//! `DISK=` the disk is that of `IMAGE=`.

use std::collections::BTreeSet;
use std::fmt;

use crate::client::{ClientConfig, ImageEntry, split_number};
use crate::deployed::Deployed;
use crate::install_choice::InstallChoice;
use crate::partition::partition_name;

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
        let config = ClientConfig::parse(text).map_err(|error| InstallConfigError(error.to_string()))?;
        Self::of(&config)
    }

    /// Returns what an installation medium does with a configuration. Its keys for network clients are not used.
    pub fn of(config: &ClientConfig) -> Result<Self, InstallConfigError> {
        let image = config.images.first().ok_or_else(|| InstallConfigError("IMAGE is missing".to_owned()))?;
        // Without partitions the device is the disk itself.
        let disk = match (&config.partitions, &config.disk) {
            (_, Some(disk)) => disk,
            (Some(_), None) => split_number(&image.device).0,
            (None, None) => &image.device,
        };
        Ok(Self {
            image: image.file_name(),
            disk: Some(disk.to_owned()).filter(|disk| !disk.is_empty()),
            deployed: config.partitions.clone(),
            filter: config.filter.clone(),
            choices: config.choices.clone(),
        })
    }
}

impl From<&InstallConfig> for ClientConfig {
    fn from(config: &InstallConfig) -> Self {
        let mut device = config.disk.clone().unwrap_or_default();
        let target = config.deployed.as_ref().and_then(|deployed| deployed.target);
        if let Some(number) = target.and_then(|number| u32::try_from(number).ok()) {
            device = partition_name(&device, number);
        }
        let (name, version) = config.image.rsplit_once('-').unwrap_or((&config.image, ""));
        let image = ImageEntry {
            device,
            name: name.to_owned(),
            version: version.to_owned(),
            server: None,
            block_size: None,
            compressed: None,
        };
        Self {
            images: vec![image],
            // Without partitions the device of the image says it.
            disk: config.disk.clone().filter(|_| config.deployed.is_some()),
            partitions: config.deployed.clone(),
            filter: config.filter.clone(),
            choices: config.choices.clone(),
            ..Self::default()
        }
    }
}

impl fmt::Display for InstallConfig {
    /// Writes the text of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        ClientConfig::from(self).fmt(f)
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
        assert!(error("IMAGE=/dev/sda;../../etc/passwd;1\n").contains("is not the name of an image"));
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
