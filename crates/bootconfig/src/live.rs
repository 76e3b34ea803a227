//! `/config.isoclient` of a live medium: the image it contains and how its parts are combined
//! (docs/formats/image-files.md).
//!
//! ```text
//! IMAGE=/dev/ram1;<name>.<arch>;<version>
//! UNIONFS_CONFIG=/dev/ram1,/dev/loop1,overlay      only for a read-only system below a writable layer
//! ```
//!
//! The device names are those of KIWI 1.x. linuxrc ignores their numbers: the writable part is memory, the read-only part
//! a loop device. Without the second line linuxrc looks for the read-only part on the medium: the directories in
//! `read-only-system`, or the file R, `<name>-read-only.<arch>-<version>`.

use std::fmt;

use crate::image_name::ImageName;
use crate::parameter::Parameters;
use ondisk::Filesystem;

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveConfig {
    /// The image.
    pub image: ImageName,
    /// The union over the read-only system; none when the medium has no such union.
    pub union: Option<Union>,
}

/// The union file system that the file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Union {
    /// overlayfs.
    Overlay,
    /// aufs, used by KIWI 1.x; overlayfs replaces it.
    Aufs,
    /// unionfs, used by older versions; overlayfs replaces it.
    Unionfs,
}

impl Union {
    /// Every union file system.
    pub const ALL: [Union; 3] = [Self::Overlay, Self::Aufs, Self::Unionfs];

    /// Returns the keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Overlay => "overlay",
            Self::Aufs => "aufs",
            Self::Unionfs => "unionfs",
        }
    }
}

/// The parameters of the kernel command line for a live system, which are those of dracut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveParameters {
    /// `mediacheck` or `rd.live.check`: read the whole medium and compare its checksum first.
    pub media_check: bool,
    /// `rd.live.overlay.persistent`: keep what the system writes on the stick.
    pub persistent: bool,
    /// `rd.live.overlay.cowfs=`: the file system to create for it (ext4).
    pub persistent_filesystem: Option<Filesystem>,
    /// `rd.live.overlay.size=`: the memory that the writable layer may use, in the notation of tmpfs(5) (`50%`, `500m`).
    pub layer_size: Option<String>,
    /// Whether swap space on the disks of the machine is used; `noswap` switches it off.
    pub swap: bool,
}

impl LiveParameters {
    /// Extracts the parameters from a command line. An invalid size or file system is ignored.
    pub fn of(parameters: &Parameters) -> Self {
        let is_size = |text: &&str| {
            let number = text.trim_end_matches(['%', 'k', 'm', 'g']);
            !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && text.len() - number.len() < 2
        };
        Self {
            media_check: parameters.is_on("mediacheck") || parameters.is_on("rd.live.check"),
            persistent: parameters.is_on("rd.live.overlay.persistent"),
            persistent_filesystem: parameters
                .value("rd.live.overlay.cowfs")
                .and_then(Filesystem::parse)
                .filter(|filesystem| filesystem.maker().is_some()),
            layer_size: parameters.value("rd.live.overlay.size").filter(is_size).map(str::to_owned),
            swap: !parameters.is_on("noswap"),
        }
    }
}

/// The error for a text that is not a valid `/config.isoclient`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveConfigError(String);

impl fmt::Display for LiveConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", LiveConfig::PATH, self.0)
    }
}

impl std::error::Error for LiveConfigError {}

impl LiveConfig {
    /// The path of the file on a medium.
    pub const PATH: &'static str = "/config.isoclient";

    /// The directory with the read-only directories that are not packed.
    pub const DIRECTORIES: &'static str = "/read-only-system";

    /// The path of the read-only system in the layout `overlay`.
    pub const LIVE_OS: &'static str = "/LiveOS/squashfs.img";

    /// Parses the text of the file. Comments and keys of other boot images are ignored.
    pub fn parse(text: &str) -> Result<Self, LiveConfigError> {
        let value = |key: &str| {
            let lines = text.lines().filter_map(|line| line.split_once('='));
            lines.rev().find(|(name, _)| *name == key).map(|(_, value)| value.replace('\'', ""))
        };
        let image = value("IMAGE").ok_or_else(|| LiveConfigError("IMAGE is missing".to_owned()))?;
        let malformed =
            || LiveConfigError(format!("IMAGE=\"{image}\": expected /dev/ram1;<name>.<arch>;<version>"));
        let fields: Vec<&str> = image.split(',').next().unwrap_or_default().split(';').collect();
        let [_, name, version, ..] = fields[..] else { return Err(malformed()) };
        let (name, architecture) = name.rsplit_once('.').ok_or_else(malformed)?;
        let is_wrong = |text: &&str| text.is_empty() || text.contains(|c: char| c == '/' || c.is_control());
        if [name, architecture, version].iter().any(is_wrong) {
            return Err(malformed());
        }
        let union = value("UNIONFS_CONFIG").map(|config| {
            let keyword = config.rsplit(',').next().unwrap_or_default();
            let known =
                Union::ALL.into_iter().find(|union| union.keyword() == keyword || keyword == "overlayfs");
            known.ok_or_else(|| {
                LiveConfigError(format!(
                    "UNIONFS_CONFIG=\"{config}\": expected overlay, aufs or unionfs as the last item"
                ))
            })
        });
        Ok(Self { image: ImageName::new(name, architecture, version), union: union.transpose()? })
    }
}

impl fmt::Display for LiveConfig {
    /// Writes the text of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "IMAGE=/dev/ram1;{}", self.image.entry())?;
        match self.union {
            Some(union) => writeln!(f, "UNIONFS_CONFIG=/dev/ram1,/dev/loop1,{}", union.keyword()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn writes_and_reads_the_text_of_kiwi_1() {
        let image = ImageName::new("live-10.3", "x86_64", "1.1.2");
        let config = LiveConfig { image, union: Some(Union::Overlay) };
        let text = "IMAGE=/dev/ram1;live-10.3.x86_64;1.1.2\nUNIONFS_CONFIG=/dev/ram1,/dev/loop1,overlay\n";
        assert_eq!(config.to_string(), text);
        assert_eq!(LiveConfig::parse(text), Ok(config.clone()));
        let old = text.replace("overlay", "aufs");
        assert_eq!(LiveConfig::parse(&old).unwrap().union, Some(Union::Aufs));
        let split = LiveConfig { union: None, ..config };
        assert_eq!(LiveConfig::parse("# remark\nIMAGE='/dev/ram1;live-10.3.x86_64;1.1.2'\n"), Ok(split));
    }

    #[test]
    fn reads_the_command_line() {
        let of = |line| LiveParameters::of(&Parameters::parse(line));
        assert_eq!(of("quiet mediacheck=0 rd.live.overlay.size=5,mode=777"), of("quiet"));
        assert!(of("quiet").swap && !of("noswap").swap);
        let all =
            of("rd.live.check rd.live.overlay.persistent rd.live.overlay.cowfs=xfs rd.live.overlay.size=80%");
        assert!(all.media_check && all.persistent);
        assert_eq!(all.persistent_filesystem, Some(Filesystem::Xfs));
        assert_eq!(all.layer_size.as_deref(), Some("80%"));
    }

    #[test]
    fn rejects_damaged_text() {
        let error = |text: &str| LiveConfig::parse(text).unwrap_err().to_string();
        assert_eq!(error("x"), "/config.isoclient: IMAGE is missing");
        assert_eq!(
            error("IMAGE=/dev/ram1;../x.y;1"),
            "/config.isoclient: IMAGE=\"/dev/ram1;../x.y;1\": expected /dev/ram1;<name>.<arch>;<version>"
        );
        assert_eq!(
            error("IMAGE=/dev/ram1;a.b;1\nUNIONFS_CONFIG=a,b,mergerfs"),
            "/config.isoclient: UNIONFS_CONFIG=\"a,b,mergerfs\": expected overlay, aufs or unionfs as the last item"
        );
    }

    /// A fuzz target found it: a carriage return at the end of a name is lost when the text is written and read.
    #[test]
    fn rejects_control_characters_in_names() {
        assert!(LiveConfig::parse("IMAGE=/dev/ram1;a.x86_64;1\r,x\n").is_err());
        assert!(LiveConfig::parse("IMAGE=/dev/ram1;a.x86_64;1\r\n").is_ok());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = LiveConfig::parse(&text);
        }
    }
}
