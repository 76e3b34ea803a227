//! The tasks of one boot, from the command line and the file `/kiwi.boot` of the initrd.

use std::fs;
use std::io::ErrorKind;

use bootconfig::{BootConfig, BootParameters, Kind, Parameters, PartitionPlan, RootDevice, Storage};
use ondisk::Filesystem;

use crate::boot_failure::BootFailure;
use crate::machine::Machine;

/// The tasks of this boot. The command line takes precedence over `/kiwi.boot`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BootPlan {
    pub(crate) kind: Kind,
    pub(crate) root: Option<RootDevice>,
    pub(crate) filesystem: Option<Filesystem>,
    pub(crate) root_flags: Option<String>,
    pub(crate) read_only: bool,
    pub(crate) grow: bool,
    pub(crate) partitions: Option<PartitionPlan>,
    pub(crate) storage: Option<Storage>,
    pub(crate) modules: Vec<String>,
    /// Volume set id of the medium with the system.
    pub(crate) medium: Option<String>,
    pub(crate) init: Option<String>,
    /// Seconds to wait for the root device; no wait is unlimited.
    pub(crate) timeout: Option<u64>,
}

/// Seconds to wait for the root device by default.
const TIMEOUT: u64 = 60;

impl BootPlan {
    fn of(config: BootConfig, parameters: BootParameters) -> Self {
        Self {
            kind: config.kind,
            root: parameters.root.or(config.root),
            filesystem: parameters.filesystem.or(config.filesystem),
            root_flags: parameters.root_flags.or(config.root_flags),
            read_only: parameters.read_only,
            grow: config.grow,
            partitions: config.partitions,
            storage: config.storage,
            modules: config.modules,
            medium: config.medium,
            init: parameters.init.or(config.init),
            timeout: match parameters.timeout {
                None => Some(TIMEOUT),
                Some(0) => None,
                Some(seconds) => Some(seconds),
            },
        }
    }

    /// Reads `/kiwi.boot` and combines it with the command line.
    pub(crate) fn read(machine: &Machine, keywords: &Parameters) -> Result<Self, BootFailure> {
        let parameters = BootParameters::of(keywords).map_err(|error| {
            BootFailure::shell(format!(
                "{error}\nThe error is on the kernel command line; correct it in the boot menu."
            ))
        })?;
        let path = machine.root.join(BootConfig::PATH.trim_start_matches('/'));
        let text = fs::read_to_string(&path).map_err(|error| {
            BootFailure::shell(match error.kind() {
                ErrorKind::NotFound => format!(
                    "{} is missing in the initrd.\nkiwi writes this file when it creates a boot image; create the boot image again.",
                    BootConfig::PATH
                ),
                _ => format!("reading {}: {error}", BootConfig::PATH),
            })
        })?;
        let config = BootConfig::parse(&text).map_err(|error| BootFailure::shell(error.to_string()))?;
        Ok(Self::of(config, parameters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(line: &str, config: Option<&str>) -> Result<BootPlan, BootFailure> {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::below(dir.path());
        if let Some(text) = config {
            fs::write(dir.path().join("kiwi.boot"), text).unwrap();
        }
        BootPlan::read(&machine, &Parameters::parse(line))
    }

    #[test]
    fn the_command_line_goes_before_the_initrd() {
        let config = "kind=vmx\nroot=LABEL=a\nfilesystem=ext4\nrootflags=noatime\ninit=/a\ngrow=yes\n";
        let silent = plan("quiet", Some(config)).unwrap();
        assert_eq!(silent.root, Some(RootDevice::Label("a".into())));
        assert_eq!((silent.filesystem, silent.init.as_deref()), (Some(Filesystem::Ext4), Some("/a")));
        assert_eq!((silent.root_flags.as_deref(), silent.timeout), (Some("noatime"), Some(60)));
        let line = "root=LABEL=b rootfstype=xfs rootflags=discard init=/b ro rd.timeout=0";
        let asked = plan(line, Some(config)).unwrap();
        assert_eq!(asked.root, Some(RootDevice::Label("b".into())));
        assert_eq!((asked.filesystem, asked.init.as_deref()), (Some(Filesystem::Xfs), Some("/b")));
        assert_eq!((asked.root_flags.as_deref(), asked.timeout), (Some("discard"), None));
        assert!(asked.read_only && asked.grow);
    }

    #[test]
    fn errors_in_the_boot_settings_are_reported() {
        let text = |line, config| plan(line, config).unwrap_err().text;
        assert!(text("", None).starts_with("/kiwi.boot is missing in the initrd.\n"));
        assert_eq!(
            text("", Some("kind=x\n")),
            "/kiwi.boot:1: kind=\"x\": expected one of vmx, oem, usb, iso, install"
        );
        assert!(
            text("root=sda1", Some("kind=vmx\n"))
                .starts_with("root=\"sda1\" is not a device: expected UUID=")
        );
    }
}
