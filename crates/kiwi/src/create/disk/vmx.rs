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
mod tests {
    use std::collections::BTreeMap;

    use description::{Adapter, NetworkCard, Range};
    use ondisk::digest::{Digest, Md5, hex};

    use super::*;

    fn of(machine: &Machine) -> String {
        settings(&ImageName::new("n", "x86_64", "1.0.0"), machine, "n.vmdk")
    }

    /// Returns the settings, of which none may be set twice.
    fn values(text: &str) -> BTreeMap<&str, &str> {
        let mut values = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (key, value) = line.split_once(" = ").expect("a setting");
            assert!(values.insert(key, value.trim_matches('"')).is_none(), "{key} is set twice");
        }
        values
    }

    #[test]
    fn settings_of_kiwi_1x_keep_their_bytes() {
        for (disk, digest) in
            [("ide0", "0cdaa17a4966a1ae8c41b3cae1b8d16a"), ("scsi0", "cfd00cd5270c689a4d8e29480fac60d5")]
        {
            let text = of(&Machine { memory: Some(512), disk: disk.to_owned(), ..Machine::default() });
            assert_eq!(hex(Md5::digest(&text)), digest);
        }
    }

    #[test]
    fn every_setting_of_a_machine_is_written() {
        let machine = Machine {
            memory: None,
            disk: "scsi0".to_owned(),
            adapter: Some(Adapter::Pvscsi),
            mode: None,
            memory_range: Range::default(),
            processor_range: Range::default(),
            hardware: Some(13),
            guest: Some("debian12-64".to_owned()),
            processors: Some(4),
            dvd: Some("scsi0".to_owned()),
            cards: vec![
                NetworkCard {
                    interface: "0".into(),
                    driver: Some("vmxnet3".into()),
                    mode: Some("nat".into()),
                    mac: None,
                },
                NetworkCard {
                    interface: "eth3".into(),
                    driver: None,
                    mode: None,
                    mac: Some("00:50:56:00:00:01".into()),
                },
            ],
            entries: vec!["tools.syncTime = \"true\"".to_owned()],
        };
        let text = of(&machine);
        let values = values(&text);
        assert!(!values.contains_key("memsize") && !values.contains_key("Ethernet0.present"));
        for (key, value) in [
            ("virtualHW.version", "13"),
            ("guestOS", "debian12-64"),
            ("numvcpus", "4"),
            ("scsi0.virtualDev", "pvscsi"),
            ("scsi0:0.fileName", "n.vmdk"),
            ("scsi0:1.deviceType", "cdrom-raw"),
            ("ethernet0.virtualDev", "vmxnet3"),
            ("ethernet0.connectionType", "nat"),
            ("ethernet3.address", "00:50:56:00:00:01"),
            ("tools.syncTime", "true"),
        ] {
            assert_eq!(values.get(key), Some(&value), "{key}");
        }
    }
}
