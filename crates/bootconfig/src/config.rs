//! `/kiwi.boot`, the settings that the builder writes into an initrd.
//!
//! Lines of `key=value`; empty lines and lines that start with `#` are ignored. `kind` is required. A duplicate key, an
//! unknown key or an invalid value is an error: builder and linuxrc come from one build, so a difference is damage.
//! The kernel command line takes precedence over this file.
//!
//! | key | value | default |
//! |---|---|---|
//! | `kind` | the keyword of a `Kind` | an error |
//! | `root` | as `root=` of the command line | searched for in the order of KIWI 1.x |
//! | `filesystem` | `ext2` `ext3` `ext4` `xfs` `btrfs` `squashfs` | detected |
//! | `rootflags` | mount options | none |
//! | `grow` | `yes`, `no` | `no` |
//! | `partitions` | how the disk is repartitioned at the first boot (`partition_plan`) | unchanged |
//! | `storage` | the content of the disk, as [`Storage`] in one line | only the partition of the system is known |
//! | `modules` | names, separated by blanks | none |
//! | `medium` | the UUID of the CD or stick | the first medium with a live system |
//! | `init` | absolute path in the system | `/sbin/init` |

use std::fmt;

use crate::kind::Kind;
use crate::partition::RootDevice;
use crate::partition_plan::PartitionPlan;
use crate::storage::Storage;
use ondisk::Filesystem;

/// The content of `/kiwi.boot`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootConfig {
    /// The purpose of the boot image.
    pub kind: Kind,
    /// The device with the system.
    pub root: Option<RootDevice>,
    /// The file system of the system.
    pub filesystem: Option<Filesystem>,
    /// Mount options of the system.
    pub root_flags: Option<String>,
    /// Whether the last partition and its file system grow to the end of the disk.
    pub grow: bool,
    /// The partitions that the disk gets at its first boot.
    pub partitions: Option<PartitionPlan>,
    /// The storage of the disk with the system, when it has more than the system and the partitions of the firmware. It
    /// has no UUIDs: partitions are identified by their number, on the disk with the system.
    pub storage: Option<Storage>,
    /// Kernel modules to load regardless of the hardware, in this order, in addition to the modules of the file system.
    pub modules: Vec<String>,
    /// Volume set id of the medium that contains the boot image.
    pub medium: Option<String>,
    /// The program that becomes PID 1 of the system.
    pub init: Option<String>,
}

/// The error for a text that is not a valid `/kiwi.boot`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The line number, counted from 1; 0 when the error has no line.
    pub line: usize,
    /// What is wrong and what is expected.
    pub text: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", BootConfig::PATH, self.text),
            line => write!(f, "{}:{line}: {}", BootConfig::PATH, self.text),
        }
    }
}

impl std::error::Error for ConfigError {}

impl BootConfig {
    /// The path of the file in an initrd.
    pub const PATH: &'static str = "/kiwi.boot";

    /// Returns settings that contain the kind only.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            root: None,
            filesystem: None,
            root_flags: None,
            grow: false,
            partitions: None,
            storage: None,
            modules: Vec::new(),
            medium: None,
            init: None,
        }
    }

    /// Parses the text of the file.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let mut kind = None;
        let mut config = Self::new(Kind::Vmx);
        let mut seen = Vec::new();
        for (line, written) in (1..).zip(text.lines()) {
            if written.is_empty() || written.starts_with('#') {
                continue;
            }
            let at = |text: String| ConfigError { line, text };
            let (key, value) = written
                .split_once('=')
                .ok_or_else(|| at(format!("\"{written}\" is not a setting: expected key=value")))?;
            if seen.contains(&key) {
                return Err(at(format!("duplicate key \"{key}\"")));
            }
            seen.push(key);
            let wrong = |expected: &str| at(format!("{key}=\"{value}\": expected {expected}"));
            match key {
                "kind" => {
                    kind = Some(
                        Kind::parse(value).ok_or_else(|| wrong(&format!("one of {}", Kind::expected())))?,
                    );
                }
                "root" => {
                    let root = RootDevice::parse(value).map_err(|error| at(error.to_string()))?;
                    config.root = Some(root);
                }

                "filesystem" => {
                    config.filesystem = Some(
                        Filesystem::parse(value)
                            .ok_or_else(|| wrong(&format!("one of {}", Filesystem::expected())))?,
                    );
                }
                "rootflags" if !value.is_empty() => config.root_flags = Some(value.to_owned()),
                "rootflags" => return Err(wrong("mount options")),
                "grow" => {
                    config.grow = match value {
                        "yes" => true,
                        "no" => false,
                        _ => return Err(wrong("yes or no")),
                    }
                }
                "partitions" => {
                    let partition_plan =
                        PartitionPlan::parse(value).map_err(|error| at(error.to_string()))?;
                    config.partitions = Some(partition_plan);
                }
                "storage" => {
                    config.storage = Some(Storage::parse(value).map_err(|error| at(error.to_string()))?);
                }
                "modules" => config.modules = value.split_whitespace().map(str::to_owned).collect(),
                "medium" if !value.is_empty() => config.medium = Some(value.to_owned()),
                "medium" => return Err(wrong("a UUID")),
                "init" if value.starts_with('/') => config.init = Some(value.to_owned()),
                "init" => return Err(wrong("a path that starts with \"/\"")),
                _ => return Err(at(format!("unknown key \"{key}\""))),
            }
        }
        config.kind = kind.ok_or_else(|| ConfigError {
            line: 0,
            text: format!("kind is missing: expected one of {}", Kind::expected()),
        })?;
        Ok(config)
    }
}

impl fmt::Display for BootConfig {
    /// Writes the text of the file. A value is cut at its first line feed, which the format cannot hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line =
            |key: &str, value: &str| writeln!(f, "{key}={}", value.split('\n').next().unwrap_or_default());
        line("kind", self.kind.keyword())?;
        if let Some(root) = &self.root {
            line("root", &root.to_string())?;
        }
        if let Some(filesystem) = self.filesystem {
            line("filesystem", filesystem.keyword())?;
        }
        if let Some(flags) = &self.root_flags {
            line("rootflags", flags)?;
        }
        line("grow", if self.grow { "yes" } else { "no" })?;
        if let Some(partitions) = &self.partitions {
            line("partitions", &partitions.to_string())?;
        }
        if let Some(storage) = &self.storage {
            line("storage", &storage.to_string())?;
        }
        if !self.modules.is_empty() {
            line("modules", &self.modules.join(" "))?;
        }
        if let Some(medium) = &self.medium {
            line("medium", medium)?;
        }
        if let Some(init) = &self.init {
            line("init", init)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_back_a_full_file() {
        let text = "kind=vmx\nroot=UUID=ab-12\nfilesystem=ext4\nrootflags=noatime\ngrow=yes\n\
                    partitions=system:500,swap:memory\n\
                    storage=table;scheme=mbr partition;number=1;name=a;content=empty\nmodules=ext4 crc32c\nmedium=ab-34\ninit=/sbin/init\n";
        let config = BootConfig {
            kind: Kind::Vmx,
            root: Some(RootDevice::Uuid("ab-12".into())),
            filesystem: Some(Filesystem::Ext4),
            root_flags: Some("noatime".into()),
            grow: true,
            partitions: Some(PartitionPlan::parse("system:500,swap:memory").unwrap()),
            storage: Some(
                Storage::parse("table;scheme=mbr partition;number=1;name=a;content=empty").unwrap(),
            ),
            modules: vec!["ext4".into(), "crc32c".into()],
            medium: Some("ab-34".into()),
            init: Some("/sbin/init".into()),
        };
        assert_eq!(BootConfig::parse(text).as_ref(), Ok(&config));
        assert_eq!(config.to_string(), text);
    }

    #[test]
    fn ignores_comments_and_empty_lines() {
        assert_eq!(BootConfig::parse("# made by kiwi\n\nkind=oem\n"), Ok(BootConfig::new(Kind::Oem)));
    }

    #[test]
    fn names_the_line_and_the_expected_value() {
        let error = |text| BootConfig::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("grow=yes\n"),
            "/kiwi.boot: kind is missing: expected one of vmx, oem, usb, iso, install"
        );
        assert_eq!(
            error("kind=cd\n"),
            "/kiwi.boot:1: kind=\"cd\": expected one of vmx, oem, usb, iso, install"
        );
        assert_eq!(error("kind=vmx\ngrow=1\n"), "/kiwi.boot:2: grow=\"1\": expected yes or no");
        assert_eq!(error("kind=vmx\nkind=oem\n"), "/kiwi.boot:2: duplicate key \"kind\"");
        assert_eq!(error("kind=vmx\n\nswap=1\n"), "/kiwi.boot:3: unknown key \"swap\"");
        assert_eq!(error("vmx\n"), "/kiwi.boot:1: \"vmx\" is not a setting: expected key=value");
    }

    prop_compose! {
        fn any_config()(
            kind in prop::sample::select(&Kind::ALL[..]),
            root in option::of("(UUID=|LABEL=|PARTUUID=|PARTLABEL=|/dev/)[a-z0-9-]{1,36}"),
            filesystem in option::of(prop::sample::select(Filesystem::ALL)),
            root_flags in option::of("[a-z0-9=,@]{1,30}"),
            grow: bool,
            partitions in option::of("system:rest(,swap:[1-9][0-9]{0,3})?(,/[a-z]{1,5}:[1-9]{1,3})?"),
            storage in option::of("table;scheme=(gpt|mbr) partition;number=[1-9];name=[a-z]{1,5};content=(swap|empty)"),
            modules in prop::collection::vec("[a-z0-9_-]{1,12}", 0..4),
            medium in option::of("[0-9a-f-]{1,36}"),
            init in option::of("/[a-z/]{1,20}"),
        ) -> BootConfig {
            let root = root.map(|text| RootDevice::parse(&text).unwrap());
            let partitions = partitions.map(|text| PartitionPlan::parse(&text).unwrap());
            let storage = storage.map(|text| Storage::parse(&text).unwrap());
            BootConfig { kind, root, filesystem, root_flags, grow, partitions, storage, modules, medium, init }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(config in any_config()) {
            prop_assert_eq!(BootConfig::parse(&config.to_string()), Ok(config));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = BootConfig::parse(&text);
        }
    }
}
