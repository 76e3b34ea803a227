//! `/config.isoclient` of a live medium: which image it carries and how it is put together
//! (docs/formats/image-files.md).
//!
//! ```text
//! IMAGE=/dev/ram1;<name>.<arch>;<version>
//! UNIONFS_CONFIG=/dev/ram1,/dev/loop1,overlay      only where one read-only system lies under a writable layer
//! ```
//!
//! The devices are the chapter's: today the writable part is memory and the read-only one a loop device, whatever
//! their numbers. Without the second line the read-only part is what is there: directories below `read-only-system`
//! or the file R, `<name>-read-only.<arch>-<version>`.

use std::fmt;

use crate::image_name::ImageName;
use crate::parameter::Parameters;
use ondisk::Filesystem;

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveConfig {
    /// The image.
    pub image: ImageName,
    /// The union over the read-only system, where the medium has one.
    pub union: Option<Union>,
}

/// The file system that lays a writable layer over a read-only system, as it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Union {
    /// overlayfs.
    Overlay,
    /// aufs, of the chapter's time; overlayfs does its work.
    Aufs,
    /// unionfs, older still; overlayfs does its work.
    Unionfs,
}

impl Union {
    /// Every keyword.
    pub const ALL: [Union; 3] = [Self::Overlay, Self::Aufs, Self::Unionfs];

    /// The keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Overlay => "overlay",
            Self::Aufs => "aufs",
            Self::Unionfs => "unionfs",
        }
    }
}

/// What a kernel command line asks of a live system, in the keywords of today's live systems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveParameters {
    /// `mediacheck`, or `rd.live.check`: the whole medium is read and compared with its sum first.
    pub media_check: bool,
    /// `rd.live.overlay.persistent`: what the system writes is kept on the stick.
    pub persistent: bool,
    /// `rd.live.overlay.cowfs=`: the file system that is made for it (ext4).
    pub persistent_filesystem: Option<Filesystem>,
    /// `rd.live.overlay.size=`: how much memory the writable layer may take, as tmpfs(5) has it (`50%`, `500m`).
    pub layer_size: Option<String>,
    /// Whether swap space on the machine's disks is used; `noswap` says that it is not.
    pub swap: bool,
}

impl LiveParameters {
    /// Takes them from the keywords of a command line. A size or file system that cannot be is not there.
    pub fn of(keywords: &Parameters) -> Self {
        let is_size = |text: &&str| {
            let number = text.trim_end_matches(['%', 'k', 'm', 'g']);
            !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()) && text.len() - number.len() < 2
        };
        Self {
            media_check: keywords.is_on("mediacheck") || keywords.is_on("rd.live.check"),
            persistent: keywords.is_on("rd.live.overlay.persistent"),
            persistent_filesystem: keywords
                .value("rd.live.overlay.cowfs")
                .and_then(Filesystem::parse)
                .filter(|filesystem| matches!(filesystem, Filesystem::Ext4 | Filesystem::Xfs)),
            layer_size: keywords.value("rd.live.overlay.size").filter(is_size).map(str::to_owned),
            swap: !keywords.is_on("noswap"),
        }
    }
}

/// Why a text is not a `/config.isoclient`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveConfigError(String);

impl fmt::Display for LiveConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", LiveConfig::PATH, self.0)
    }
}

impl std::error::Error for LiveConfigError {}

impl LiveConfig {
    /// Where it is on a medium.
    pub const PATH: &'static str = "/config.isoclient";

    /// The directory of the read-only directories, where they are not packed.
    pub const DIRECTORIES: &'static str = "/read-only-system";

    /// Today's location of the read-only system of the layout `overlay`.
    pub const LIVE_OS: &'static str = "/LiveOS/squashfs.img";

    /// Reads the file's text. Remarks and keys of other boot images say nothing here.
    pub fn parse(text: &str) -> Result<Self, LiveConfigError> {
        let value = |key: &str| {
            let lines = text.lines().filter_map(|line| line.split_once('='));
            lines.rev().find(|(name, _)| *name == key).map(|(_, value)| value.replace('\'', ""))
        };
        let image = value("IMAGE").ok_or_else(|| LiveConfigError("IMAGE is missing".to_owned()))?;
        let malformed =
            || LiveConfigError(format!("IMAGE=\"{image}\": expected /dev/ram1;<name>.<arch>;<version>"));
        let keywords: Vec<&str> = image.split(',').next().unwrap_or_default().split(';').collect();
        let [_, name, version, ..] = keywords[..] else { return Err(malformed()) };
        let (name, architecture) = name.rsplit_once('.').ok_or_else(malformed)?;
        let is_name = |text: &&str| text.is_empty() || text.contains('/');
        if [name, architecture, version].iter().any(is_name) {
            return Err(malformed());
        }
        let union = value("UNIONFS_CONFIG").map(|config| {
            let keyword = config.rsplit(',').next().unwrap_or_default();
            let known =
                Union::ALL.into_iter().find(|union| union.keyword() == keyword || keyword == "overlayfs");
            known.ok_or_else(|| {
                LiveConfigError(format!(
                    "UNIONFS_CONFIG=\"{config}\": expected overlay, aufs or unionfs at its end"
                ))
            })
        });
        Ok(Self { image: ImageName::new(name, architecture, version), union: union.transpose()? })
    }
}

impl fmt::Display for LiveConfig {
    /// The file's text.
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
    fn the_chapters_text_is_written_and_read() {
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
    fn the_command_line_is_understood() {
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
    fn damage_is_said() {
        let error = |text: &str| LiveConfig::parse(text).unwrap_err().to_string();
        assert_eq!(error("x"), "/config.isoclient: IMAGE is missing");
        assert_eq!(
            error("IMAGE=/dev/ram1;../x.y;1"),
            "/config.isoclient: IMAGE=\"/dev/ram1;../x.y;1\": expected /dev/ram1;<name>.<arch>;<version>"
        );
        assert_eq!(
            error("IMAGE=/dev/ram1;a.b;1\nUNIONFS_CONFIG=a,b,mergerfs"),
            "/config.isoclient: UNIONFS_CONFIG=\"a,b,mergerfs\": expected overlay, aufs or unionfs at its end"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = LiveConfig::parse(&text);
        }
    }
}
