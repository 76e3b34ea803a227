//! `<machine>` and `<vagrantconfig>`.

use super::{boolean, number, text};
use crate::document::Element;
use crate::image_type::{Adapter, Machine, NetworkCard, Range};
use crate::{DiskMode, VagrantBox, VagrantProvider};

/// `<machine>`, as far as it is in the settings of a virtual machine.
pub(super) fn machine(element: &Element) -> Option<Machine> {
    let machine = element.child("machine")?;
    let disk = machine.child("vmdisk");
    let adapter =
        disk.and_then(|disk| disk.value("controller")).and_then(|value| Adapter::parse(&value.text));
    let name = |disk: &Element| {
        let bus = if adapter.is_some() { "scsi" } else { "ide" };
        text(disk, "device").unwrap_or_else(|| format!("{bus}{}", number(disk, "id").unwrap_or(0)))
    };
    let drive = |dvd: &Element| Some(format!("{}{}", text(dvd, "controller")?, number(dvd, "id")?));
    let card = |nic: &Element| NetworkCard {
        interface: text(nic, "interface").unwrap_or_default(),
        driver: text(nic, "driver"),
        mode: text(nic, "mode"),
        mac: text(nic, "mac"),
    };
    let range = |min: &str, max: &str| Range { min: number(machine, min), max: number(machine, max) };
    let entry = |entry: &Element| entry.text.as_ref().map(|line| line.text.trim().to_owned());
    Some(Machine {
        memory: number(machine, "memory"),
        disk: disk.map_or_else(|| "ide0".to_owned(), name),
        adapter,
        mode: disk.and_then(|disk| disk.value("diskmode")).and_then(|value| DiskMode::parse(&value.text)),
        hardware: machine.value("HWversion").and_then(|version| version.text.parse().ok()),
        guest: text(machine, "guestOS"),
        processors: number(machine, "ncpus"),
        memory_range: range("min_memory", "max_memory"),
        processor_range: range("min_cpu", "max_cpu"),
        dvd: machine.child("vmdvd").and_then(drive),
        cards: machine.children("vmnic").map(card).collect(),
        entries: machine.children("vmconfig-entry").filter_map(entry).collect(),
    })
}

/// `<vagrantconfig>`; none for an incomplete one, which is an error of its own.
pub(super) fn vagrant_box(element: &Element) -> Option<VagrantBox> {
    Some(VagrantBox {
        provider: VagrantProvider::parse(&element.value("provider")?.text)?,
        size: number(element, "virtualsize")?,
        name: text(element, "boxname"),
        guest_additions: boolean(element, "virtualbox_guest_additions_present").unwrap_or(false),
        vagrantfile: text(element, "embedded_vagrantfile"),
    })
}
