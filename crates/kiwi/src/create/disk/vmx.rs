//! `N.vmx`: the machine of a disk, as VMware reads it (docs/formats/image-files.md).

use std::fmt::Write;

use bootconfig::ImageName;
use description::Machine;

/// Values of VMware's settings without an attribute of `<machine>`, as KIWI 1.x writes them.
const HARDWARE: i64 = 3;
const GUEST: &str = "Linux";

/// Returns the settings of the machine. They name the file of the disk.
pub(super) fn settings(name: &ImageName, machine: &Machine, file: &str) -> String {
    let mut text = "#!/usr/bin/env vmware\n".to_owned();
    let mut set = |key: &str, value: &str| {
        // A double quote would end the value.
        let _ = writeln!(text, "{key} = \"{}\"", value.replace('"', "|22"));
    };
    set("config.version", "8");
    set("virtualHW.version", &machine.hardware.unwrap_or(HARDWARE).to_string());
    if let Some(memory) = machine.memory {
        set("memsize", &memory.to_string());
    }
    if let Some(processors) = machine.processors {
        set("numvcpus", &processors.to_string());
    }
    set("guestOS", machine.guest.as_deref().unwrap_or(GUEST));
    set("displayName", &name.to_string());
    disk(machine, file, &mut set);
    if let Some(drive) = &machine.dvd {
        if let Some(bus) = Some(drive).filter(|drive| drive.starts_with("scsi") && **drive != machine.disk) {
            set(&format!("{bus}.present"), "true");
        }
        // The disk is the first device of its bus.
        let device = format!("{drive}:{}", u8::from(*drive == machine.disk));
        set(&format!("{device}.present"), "true");
        set(&format!("{device}.deviceType"), "cdrom-raw");
        set(&format!("{device}.autodetect"), "true");
        set(&format!("{device}.startConnected"), "true");
    }
    cards(machine, &mut set);
    set("usb.present", "true");
    for state in ["priority.grabbed", "priority.ungrabbed"] {
        set(state, "normal");
    }
    for action in ["powerOff", "powerOn", "suspend", "reset"] {
        set(&format!("powerType.{action}"), "hard");
    }
    for entry in &machine.entries {
        text += &format!("{entry}\n");
    }
    text
}

fn disk(machine: &Machine, file: &str, set: &mut impl FnMut(&str, &str)) {
    let controller = &machine.disk;
    let device = format!("{controller}:0");
    if controller.starts_with("ide") {
        set(&format!("{device}.present"), "true");
        set(&format!("{device}.fileName"), file);
        set(&format!("{device}.redo"), "");
        return;
    }
    set(&format!("{controller}.present"), "true");
    set(&format!("{controller}.sharedBus"), "none");
    let adapter = machine.adapter.unwrap_or(description::Adapter::LsiLogic);
    set(&format!("{controller}.virtualDev"), adapter.keyword());
    set(&format!("{device}.present"), "true");
    set(&format!("{device}.fileName"), file);
    set(&format!("{device}.deviceType"), "scsi-hardDisk");
}

fn cards(machine: &Machine, set: &mut impl FnMut(&str, &str)) {
    if machine.cards.is_empty() {
        set("Ethernet0.present", "true");
        set("ethernet0.addressType", "generated");
    }
    for (index, card) in machine.cards.iter().enumerate() {
        let number = card.interface.trim_start_matches(|c: char| !c.is_ascii_digit());
        let number: usize = number.parse().unwrap_or(index);
        let key = |name: &str| format!("ethernet{number}.{name}");
        set(&key("present"), "true");
        match &card.mac {
            Some(mac) => {
                set(&key("addressType"), "static");
                set(&key("address"), mac);
            }
            None => set(&key("addressType"), "generated"),
        }
        if let Some(driver) = &card.driver {
            set(&key("virtualDev"), driver);
        }
        if let Some(mode) = &card.mode {
            set(&key("connectionType"), mode);
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
