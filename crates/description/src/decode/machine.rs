//! `<machine>`.

use super::{number, text};
use crate::Machine;
use crate::document::Element;

/// `<machine>`, as far as the settings of a virtual machine are written.
pub(super) fn machine(element: &Element) -> Option<Machine> {
    let machine = element.child("machine")?;
    let disk = machine.child("vmdisk");
    let name = |disk: &Element| {
        let id = number(disk, "id").unwrap_or(0);
        text(disk, "device").unwrap_or_else(|| {
            match disk.value("controller").map(|keyword| keyword.text.as_str()) {
                None | Some("ide") => format!("ide{id}"),
                Some(_) => format!("scsi{id}"),
            }
        })
    };
    Some(Machine { memory: number(machine, "memory")?, disk: disk.map_or_else(|| "ide0".to_owned(), name) })
}
