//! The tasks of one boot, from the command line and the file `/kiwi.boot` of the initrd.

use std::fs;
use std::io::ErrorKind;

use bootconfig::{BootConfig, BootParameters, Kind, Parameters, PlannedSize, RootDevice, Storage, Table};
use ondisk::Filesystem;

use crate::boot_failure::BootFailure;
use crate::device::System;
use crate::machine::Machine;

/// The tasks of this boot. The command line takes precedence over `/kiwi.boot`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BootPlan {
    pub(crate) kind: Kind,
    /// The device with the system; none: it is searched for.
    pub(crate) root: Option<RootDevice>,
    /// The file system of the system where that is not recognised.
    pub(crate) filesystem: Option<Filesystem>,
    pub(crate) root_flags: Option<String>,
    pub(crate) read_only: bool,
    /// The storage of the disk with the system; none: only the system is known.
    pub(crate) storage: Option<Storage>,
    pub(crate) modules: Vec<String>,
    /// Volume set id of the medium with the system.
    pub(crate) medium: Option<String>,
    pub(crate) init: Option<String>,
    /// The key with which everything that is downloaded must be signed; none: nothing is.
    pub(crate) verify_key: Option<String>,
    /// Seconds to wait for the root device; no wait is unlimited.
    pub(crate) timeout: Option<u64>,
}

/// The change of a boot to the partitions of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change<'p> {
    /// None.
    Nothing,
    /// The system grows to the end of the disk.
    Fill,
    /// The system grows, and partitions are created behind it.
    Repartition(&'p Table),
}

/// Seconds to wait for the root device by default.
const TIMEOUT: u64 = 60;

impl BootPlan {
    fn of(config: BootConfig, parameters: BootParameters) -> Self {
        Self {
            kind: config.kind,
            root: parameters.root,
            filesystem: parameters.filesystem.or_else(|| system_of(config.storage.as_ref())?.filesystem),
            root_flags: parameters.root_flags.or_else(|| config.storage.as_ref()?.root_flags()),
            read_only: parameters.read_only,
            storage: config.storage,
            modules: config.modules,
            medium: config.medium,
            init: parameters.init.or(config.init),
            verify_key: config.verify_key,
            timeout: match parameters.timeout {
                None => Some(TIMEOUT),
                Some(0) => None,
                Some(seconds) => Some(seconds),
            },
        }
    }

    /// Returns the change of this boot to the partitions of the disk.
    pub(crate) fn change(&self) -> Change<'_> {
        let Some(storage) = &self.storage else { return Change::Fill };
        let Some((table, system)) = storage.system() else { return Change::Nothing };
        match table.growing() {
            Some((growing, _)) if growing.number != system.number => Change::Nothing,
            Some((_, PlannedSize::Rest)) if table.created().is_empty() => Change::Fill,
            Some((_, PlannedSize::Rest | PlannedSize::Fixed(_) | PlannedSize::TwiceMemory)) => {
                Change::Repartition(table)
            }
            None => Change::Nothing,
        }
    }

    /// Returns what is known about the partition with the system.
    pub(crate) fn system(&self) -> Option<System<'_>> {
        system_of(self.storage.as_ref())
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

fn system_of(storage: Option<&Storage>) -> Option<System<'_>> {
    let (table, partition) = storage?.system()?;
    let volume = table.system();
    Some(System {
        number: partition.number,
        filesystem: volume.map(|volume| volume.kind),
        uuid: volume.and_then(|volume| volume.uuid.as_deref()),
    })
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

    fn system(change: &str) -> String {
        format!(
            "table;scheme=gpt partition;number=3;name=a;{change}content=filesystem;kind=ext4;uuid=ab-12;mount=/;options=defaults,noatime"
        )
    }

    #[test]
    fn the_command_line_goes_before_the_initrd() {
        let config = format!("kind=vmx\ninit=/a\nstorage={}\n", system("grows=rest;"));
        let silent = plan("quiet", Some(&config)).unwrap();
        let system = System { number: 3, filesystem: Some(Filesystem::Ext4), uuid: Some("ab-12") };
        assert_eq!((silent.root.as_ref(), silent.system()), (None, Some(system)));
        assert_eq!((silent.filesystem, silent.init.as_deref()), (Some(Filesystem::Ext4), Some("/a")));
        assert_eq!((silent.root_flags.as_deref(), silent.timeout), (Some("noatime"), Some(60)));
        let line = "root=LABEL=b rootfstype=xfs rootflags=discard init=/b ro rd.timeout=0";
        let asked = plan(line, Some(&config)).unwrap();
        assert_eq!(asked.root, Some(RootDevice::Label("b".into())));
        assert_eq!((asked.filesystem, asked.init.as_deref()), (Some(Filesystem::Xfs), Some("/b")));
        assert_eq!((asked.root_flags.as_deref(), asked.timeout), (Some("discard"), None));
        assert!(asked.read_only);
    }

    #[test]
    fn the_storage_decides_what_grows() {
        let changed = |storage: Option<String>| {
            let storage = storage.map(|text| format!("storage={text}\n")).unwrap_or_default();
            let plan = plan("", Some(&format!("kind=oem\n{storage}"))).unwrap();
            match plan.change() {
                Change::Nothing => "nothing".to_owned(),
                Change::Fill => "fill".to_owned(),
                Change::Repartition(table) => table.planned(),
            }
        };
        let swap = " partition;number=4;name=;creates=64;content=swap";
        assert_eq!(changed(None), "fill", "only the system is known");
        assert_eq!(changed(Some(system(""))), "nothing");
        assert_eq!(changed(Some(system("grows=rest;"))), "fill");
        assert_eq!(changed(Some(system("grows=900;"))), "system:900");
        assert_eq!(changed(Some(system("grows=rest;") + swap)), "system:rest,swap:64");
        let layer = system("") + " partition;number=4;name=;grows=rest;content=empty";
        assert_eq!(changed(Some(layer)), "nothing", "the layer grows");
    }

    #[test]
    fn errors_in_the_boot_settings_are_reported() {
        let text = |line, config| plan(line, config).unwrap_err().text;
        assert!(text("", None).starts_with("/kiwi.boot is missing in the initrd.\n"));
        assert_eq!(
            text("", Some("kind=x\n")),
            "/kiwi.boot:1: kind=\"x\": expected one of vmx, oem, usb, iso, install, netboot"
        );
        assert!(
            text("root=sda1", Some("kind=vmx\n"))
                .starts_with("root=\"sda1\" is not a device: expected UUID=")
        );
    }
}
