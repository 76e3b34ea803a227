//! `/config.isoclient` of an installation medium (spec 1.4, sections 4.8 and 7.3): what is installed, and how.
//!
//! ```text
//! IMAGE=/dev/sda;<name>.<arch>;<version>    the image below /image, and the disk it is for when there is one
//! UNATTENDED=yes                            nothing is asked
//! SHUTDOWN=yes                              the machine is switched off afterwards instead of booted
//! ```
//!
//! The same text is the file `N.config` beside a disk image, which `create` writes. `DISK=` says the disk too, as in
//! the chapter's files; keys of other boot images say nothing here.

use std::fmt;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallConfig {
    /// The image's name N.
    pub image: String,
    /// The disk, without `/dev/`.
    pub disk: Option<String>,
    /// Whether nothing is asked.
    pub unattended: bool,
    /// Whether the machine is switched off afterwards.
    pub shutdown: bool,
}

/// Why a text is not such a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallConfigError(String);

impl fmt::Display for InstallConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InstallConfigError {}

impl InstallConfig {
    /// Where it is on a medium.
    pub const PATH: &'static str = "/config.isoclient";

    /// The installation of `image` that asks everything.
    pub fn new(image: &str) -> Self {
        Self { image: image.to_owned(), disk: None, unattended: false, shutdown: false }
    }

    /// Where the packed image is on the medium.
    pub fn image_path(&self) -> String {
        format!("/image/{}.gz", self.image)
    }

    /// Where its checksum is on the medium; it is about the unpacked image.
    pub fn checksum_path(&self) -> String {
        format!("/image/{}.md5", self.image)
    }

    /// Reads the file's text.
    pub fn parse(text: &str) -> Result<Self, InstallConfigError> {
        let value = |key: &str| {
            let lines = text.lines().filter_map(|line| line.split_once('='));
            lines.rev().find(|(name, _)| *name == key).map(|(_, value)| value.replace('\'', ""))
        };
        let image = value("IMAGE").ok_or_else(|| InstallConfigError("IMAGE is missing".to_owned()))?;
        let entry = image.split(',').next().unwrap_or_default();
        let words: Vec<&str> = entry.split(';').collect();
        let (device, name) = match words[..] {
            [device, name, "", ..] | [device, name] => (device, name.to_owned()),
            [device, name, version, ..] => (device, format!("{name}-{version}")),
            _ => ("", String::new()),
        };
        if name.is_empty() || name.contains('/') {
            return Err(InstallConfigError(format!(
                "IMAGE=\"{image}\": expected /dev/DISK;<name>.<arch>;<version>"
            )));
        }
        let is_on = |key: &str| value(key).is_some_and(|word| matches!(word.as_str(), "yes" | "1" | "true"));
        let disk = value("DISK").unwrap_or_else(|| device.to_owned());
        let disk = disk.strip_prefix("/dev/").unwrap_or(&disk).to_owned();
        Ok(Self {
            image: name,
            disk: Some(disk).filter(|disk| !disk.is_empty()),
            unattended: is_on("UNATTENDED"),
            shutdown: is_on("SHUTDOWN"),
        })
    }
}

impl fmt::Display for InstallConfig {
    /// The file's text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let disk = self.disk.as_ref().map(|disk| format!("/dev/{disk}")).unwrap_or_default();
        let (name, version) = self.image.rsplit_once('-').unwrap_or((&self.image, ""));
        writeln!(f, "IMAGE={disk};{name};{version}")?;
        if self.unattended {
            writeln!(f, "UNATTENDED=yes")?;
        }
        if self.shutdown {
            writeln!(f, "SHUTDOWN=yes")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_chapters_words_are_understood() {
        let text = "DISK=/dev/sda\nPART=1024;S;x,x;L;/,\nIMAGE=/dev/sda2;full-suse-10.2.i686;1.1.2;192.168.1.1;4096\n";
        let config = InstallConfig::parse(text).unwrap();
        assert_eq!(config.image_path(), "/image/full-suse-10.2.i686-1.1.2.gz");
        assert_eq!((config.disk.as_deref(), config.unattended), (Some("sda"), false));
        let error = |text| InstallConfig::parse(text).unwrap_err().to_string();
        assert_eq!(error("DISK=/dev/sda\n"), "IMAGE is missing");
        assert!(error("IMAGE=/dev/sda;../../etc/passwd;1\n").contains("expected /dev/DISK;"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            image in "[a-z]{1,9}(\\.x86_64-[0-9]\\.[0-9]\\.[0-9])?",
            disk in proptest::option::of("[a-z]{1,5}"),
            unattended: bool,
            shutdown: bool,
        ) {
            let config = InstallConfig { image, disk, unattended, shutdown };
            prop_assert_eq!(InstallConfig::parse(&config.to_string()), Ok(config));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = InstallConfig::parse(&text);
        }
    }
}
