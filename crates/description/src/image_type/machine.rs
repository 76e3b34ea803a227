//! The virtual machine that a disk is for.

use crate::DiskMode;

/// `memory` and `disk` of a Xen or VMware package section, or today's `<machine>`.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Machine {
    /// Memory in mebibytes.
    pub memory: Option<u64>,
    /// Name of the disk or its controller in the virtual machine (`/dev/hda`, `ide0`, `scsi0`).
    pub disk: String,
    /// The adapter of a SCSI disk, by VMware's name; none: VMware's default.
    pub adapter: Option<Adapter>,
    /// `diskmode` of `<vmdisk>`: how a VMDK stores its sectors.
    pub mode: Option<DiskMode>,
    /// `HWversion`: the version of VMware's hardware.
    pub hardware: Option<i64>,
    /// `guestOS`: the system's name in VMware.
    pub guest: Option<String>,
    /// `ncpus`
    pub processors: Option<u64>,
    /// `min_memory` and `max_memory` in mebibytes, of an OVA.
    pub memory_range: Range,
    /// `min_cpu` and `max_cpu`, of an OVA.
    pub processor_range: Range,
    /// `<vmdvd>`: controller and number of the drive, such as `ide1`.
    pub dvd: Option<String>,
    /// `<vmnic>`
    pub cards: Vec<NetworkCard>,
    /// `<vmconfig-entry>`: lines for the settings of the machine.
    pub entries: Vec<String>,
}

/// The least and the most that a machine may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Range {
    /// The least.
    pub min: Option<u64>,
    /// The most.
    pub max: Option<u64>,
}

/// The adapter of a SCSI disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Adapter {
    /// `buslogic`
    BusLogic,
    /// `lsilogic`
    LsiLogic,
    /// `legacyESX`, which differs from `lsilogic` in the disk's file only.
    LegacyEsx,
    /// `lsisas1068`
    LsiSas,
    /// `pvscsi`
    Pvscsi,
}

impl Adapter {
    /// Returns the adapter of a controller's keyword; none for IDE.
    pub fn parse(keyword: &str) -> Option<Self> {
        match keyword {
            "buslogic" => Some(Self::BusLogic),
            "lsilogic" => Some(Self::LsiLogic),
            "legacyESX" => Some(Self::LegacyEsx),
            "lsisas1068" => Some(Self::LsiSas),
            "pvscsi" => Some(Self::Pvscsi),
            _ => None,
        }
    }

    /// Returns its name in VMware.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::BusLogic => "buslogic",
            Self::LsiLogic | Self::LegacyEsx => "lsilogic",
            Self::LsiSas => "lsisas1068",
            Self::Pvscsi => "pvscsi",
        }
    }

    /// Returns its name in a VMDK, which knows three adapters only.
    pub fn in_vmdk(self) -> &'static str {
        match self {
            Self::BusLogic => "buslogic",
            Self::LegacyEsx => "legacyESX",
            Self::LsiLogic | Self::LsiSas | Self::Pvscsi => "lsilogic",
        }
    }
}

/// `<vmnic>`
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NetworkCard {
    /// Its number, the name of its bridge, or empty: its position.
    pub interface: String,
    /// The emulated card.
    pub driver: Option<String>,
    /// The connection: `bridged`, `nat` and others.
    pub mode: Option<String>,
    /// Its hardware address; none: VMware chooses one.
    pub mac: Option<String>,
}

impl NetworkCard {
    /// Returns the bridge that it is connected to, if it names one.
    pub fn bridge(&self) -> Option<&str> {
        let is_bridge = !self.interface.is_empty() && self.interface.parse::<u32>().is_err();
        is_bridge.then_some(self.interface.as_str())
    }
}
