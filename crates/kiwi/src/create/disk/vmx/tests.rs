#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::collections::BTreeMap;
use std::path::Path;

use description::{Adapter, NetworkCard, Range};
use ondisk::digest::{Digest, Md5, hex};

use super::*;

fn of(machine: &Machine) -> String {
    settings(&ImageName::new("n", "x86_64", "1.0.0"), machine, "n.vmdk")
}

/// Returns the settings of a file, by keys in lower case, which VMware does not distinguish. The file must consist of lines
/// `key = "value"`, comments and empty lines; a quotation mark in a value is `|22`, and no key may be set twice.
fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let mut values = BTreeMap::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let parts = line.split_once(" = ").and_then(|(key, value)| {
            let value = value.strip_prefix('"')?.strip_suffix('"')?;
            let plain = |c: char| c.is_ascii_alphanumeric() || ".:_".contains(c);
            let escaped = value.split('|').skip(1).all(|code| {
                code.get(..2).is_some_and(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()))
            });
            let valid = !key.is_empty() && key.chars().all(plain) && !value.contains('"') && escaped;
            valid.then(|| (key.to_ascii_lowercase(), value.to_owned()))
        });
        let Some((key, value)) = parts else { return Err(format!("no setting: {line}")) };
        if values.insert(key.clone(), value).is_some() {
            return Err(format!("{key} is set twice"));
        }
    }
    Ok(values)
}

/// The values of a setting.
enum Values {
    /// `TRUE` or `FALSE` in any case.
    Boolean,
    /// A number in this range.
    Number(u64, u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Letters, digits and hyphens.
    Name,
    /// Any text with at least one character.
    Text,
    /// A hardware address.
    Address,
    /// The name of a file beside the settings.
    File,
}

/// The settings of a machine that kiwi writes, with `N` for numbers of buses, devices and cards, and those that tests add.
const KEYS: [(&str, Values); 34] = [
    ("config.version", Values::Word(&["8"])),
    ("virtualhw.version", Values::Number(3, 21)),
    ("memsize", Values::Number(4, 1 << 24)),
    ("numvcpus", Values::Number(1, 768)),
    ("guestos", Values::Name),
    ("displayname", Values::Text),
    ("ideN:N.present", Values::Boolean),
    ("ideN:N.filename", Values::File),
    ("ideN:N.redo", Values::Word(&[""])),
    ("ideN:N.devicetype", Values::Word(&["ata-hardDisk", "cdrom-raw", "cdrom-image"])),
    ("ideN:N.autodetect", Values::Boolean),
    ("ideN:N.startconnected", Values::Boolean),
    ("scsiN.present", Values::Boolean),
    ("scsiN.sharedbus", Values::Word(&["none", "virtual", "physical"])),
    ("scsiN.virtualdev", Values::Word(&["buslogic", "lsilogic", "lsisas1068", "pvscsi"])),
    ("scsiN:N.present", Values::Boolean),
    ("scsiN:N.filename", Values::File),
    ("scsiN:N.devicetype", Values::Word(&["scsi-hardDisk", "cdrom-raw", "cdrom-image"])),
    ("scsiN:N.autodetect", Values::Boolean),
    ("scsiN:N.startconnected", Values::Boolean),
    ("ethernetN.present", Values::Boolean),
    ("ethernetN.addresstype", Values::Word(&["generated", "static", "vpx"])),
    ("ethernetN.address", Values::Address),
    ("ethernetN.virtualdev", Values::Word(&["vlance", "vmxnet", "vmxnet3", "e1000", "e1000e"])),
    ("ethernetN.connectiontype", Values::Word(&["bridged", "nat", "hostonly", "custom"])),
    ("usb.present", Values::Boolean),
    ("priority.grabbed", Values::Word(&["normal", "high"])),
    ("priority.ungrabbed", Values::Word(&["normal", "idle"])),
    ("powertype.poweroff", Values::Word(&["hard", "soft", "default"])),
    ("powertype.poweron", Values::Word(&["hard", "soft", "default"])),
    ("powertype.suspend", Values::Word(&["hard", "soft", "default"])),
    ("powertype.reset", Values::Word(&["hard", "soft", "default"])),
    ("tools.synctime", Values::Boolean),
    ("annotation", Values::Text),
];

/// Returns the key with `N` for each number that follows a letter of a bus or card, or a colon.
fn pattern(key: &str) -> String {
    let mut pattern = String::new();
    for c in key.chars() {
        if !c.is_ascii_digit() || !["ide", "scsi", "ethernet"].iter().any(|bus| key.starts_with(bus)) {
            pattern.push(c);
        } else if !pattern.ends_with('N') {
            pattern.push('N');
        }
    }
    pattern
}

impl Values {
    fn contain(&self, value: &str, directory: &Path) -> bool {
        match self {
            Self::Boolean => ["true", "false"].contains(&value.to_ascii_lowercase().as_str()),
            Self::Number(least, most) => {
                value.parse().is_ok_and(|number: u64| (*least..=*most).contains(&number))
            }
            Self::Word(words) => words.contains(&value),
            Self::Name => !value.is_empty() && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'),
            Self::Text => !value.is_empty(),
            Self::Address => {
                let parts: Vec<&str> = value.split(':').collect();
                let pair = |part: &&str| part.len() == 2 && u8::from_str_radix(part, 16).is_ok();
                parts.len() == 6 && parts.iter().all(pair)
            }
            Self::File => !value.contains('/') && directory.join(value).is_file(),
        }
    }
}

/// Returns why VMware would not understand settings that are in `directory`: their form, a key or value that it does not know,
/// a device without its controller or medium, an address without its type.
pub(in super::super) fn violations(text: &str, directory: &Path) -> Vec<String> {
    let values = match parse(text) {
        Ok(values) => values,
        Err(error) => return vec![error],
    };
    let is = |key: &str, word: &str| values.get(key).is_some_and(|value| value.eq_ignore_ascii_case(word));
    let mut found = Vec::new();
    for (key, value) in &values {
        match KEYS.iter().find(|(known, _)| *known == pattern(key)) {
            None => found.push(format!("unknown key {key}")),
            Some((_, allowed)) if !allowed.contain(value, directory) => {
                found.push(format!("{key} cannot be \"{value}\""));
            }
            Some(_) => {}
        }
        let (device, setting) = key.rsplit_once('.').unwrap_or((key, ""));
        if setting != "present" && !pattern(device).eq(device) && !is(&format!("{device}.present"), "true") {
            found.push(format!("{key} is of a device that is not present"));
        }
        if let Some((bus, number)) = device.split_once(':') {
            let last = if bus.starts_with("ide") { 1 } else { 15 };
            if number.parse().map_or(true, |number: u8| number > last || (last == 15 && number == 7)) {
                found.push(format!("{bus} has no device {number}"));
            }
            if bus.starts_with("scsi") && !is(&format!("{bus}.present"), "true") {
                found.push(format!("{device} is at a controller that is not present"));
            }
            let drive = is(&format!("{device}.devicetype"), "cdrom-raw");
            let automatic = drive && is(&format!("{device}.autodetect"), "true");
            if setting == "present" && !automatic && !values.contains_key(&format!("{device}.filename")) {
                found.push(format!("{device} has no file"));
            }
        }
        if setting == "addresstype"
            && (value == "static") != values.contains_key(&format!("{device}.address"))
        {
            found.push(format!("{device} has an address and another type, or none"));
        }
    }
    for key in ["config.version", "virtualhw.version", "guestos", "displayname"] {
        if !values.contains_key(key) {
            found.push(format!("{key} is missing"));
        }
    }
    found
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
    let values = parse(&text).unwrap();
    assert!(!values.contains_key("memsize") && !values.contains_key("ethernet1.present"));
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
        assert_eq!(values.get(&key.to_ascii_lowercase()).map(String::as_str), Some(value), "{key}");
    }
}
#[test]
fn settings_follow_the_rules_of_the_format() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("n.vmdk"), "").unwrap();
    let adapters = [None, Some(Adapter::BusLogic), Some(Adapter::LegacyEsx), Some(Adapter::LsiSas)];
    for adapter in adapters.into_iter().chain([Some(Adapter::Pvscsi)]) {
        for disk in ["ide0", "ide1", "scsi0", "scsi1"] {
            for dvd in [None, Some("ide0"), Some("ide1"), Some("scsi0"), Some("scsi1")] {
                let machine = Machine {
                    memory: Some(512),
                    disk: disk.to_owned(),
                    adapter,
                    dvd: dvd.map(str::to_owned),
                    cards: vec![
                        NetworkCard { interface: "0".into(), driver: None, mode: None, mac: None },
                        NetworkCard {
                            interface: "eth1".into(),
                            driver: Some("e1000e".into()),
                            mode: Some("bridged".into()),
                            mac: Some("00:50:56:00:00:01".into()),
                        },
                    ],
                    entries: vec!["annotation = \"a |22b|22\"".to_owned()],
                    ..Machine::default()
                };
                let text = of(&machine);
                assert_eq!(violations(&text, directory.path()), [""; 0], "{text}");
            }
        }
    }
    let machine = Machine { disk: "scsi0".to_owned(), dvd: Some("ide1".to_owned()), ..Machine::default() };
    let text = of(&machine);
    for (right, wrong) in [
        ("config.version = \"8\"", "config.version = 8"),
        ("usb.present = \"true\"", "usb.present=\"true\""),
        ("usb.present = \"true\"", "usb.present = \"yes\""),
        ("usb.present = ", "USB.Present = \"true\"\nusb.present = "),
        ("displayName = \"", "displayName = \"a \"b\" "),
        ("displayName = \"", "displayName = \"a|zz"),
        ("displayName", "shownName"),
        ("lsilogic", "lsi"),
        ("n.vmdk", "m.vmdk"),
        ("scsi0.present = \"true\"", "scsi0.present = \"false\""),
        ("scsi0:0.fileName", "scsi0:7.fileName"),
        ("ide1:0.autodetect = \"true\"\n", ""),
        ("\"generated\"", "\"static\""),
        ("Ethernet0.present = \"true\"\n", ""),
        ("virtualHW.version = \"3\"\n", ""),
    ] {
        assert!(text.contains(right), "{right}: {text}");
        assert_ne!(violations(&text.replacen(right, wrong, 1), directory.path()), [""; 0], "{wrong}");
    }
}
