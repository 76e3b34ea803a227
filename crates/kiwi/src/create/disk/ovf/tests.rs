use std::path::Path;
use std::process::Command;

use description::NetworkCard;
use test_programs::{have, run};

use super::*;

fn of(machine: &Machine, family: &Family) -> String {
    let files = Files { vmdk: "n.vmdk", bytes: 1000, capacity: 1 << 30 };
    description("n", machine, &files, true, family)
}

fn ide() -> Machine {
    Machine { disk: "ide0".to_owned(), ..Machine::default() }
}

#[test]
fn every_device_of_a_range_of_machines_has_its_place() {
    if !have(&["xmllint"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("n.ovf");
    let machine = Machine {
        memory: Some(512),
        disk: "scsi1".to_owned(),
        adapter: Some(Adapter::LsiSas),
        dvd: Some("ide1".to_owned()),
        memory_range: Range { min: Some(256), max: Some(1024) },
        ..Machine::default()
    };
    std::fs::write(&file, of(&machine, &Family::Vmware)).unwrap();
    let text = |path: &str| run("xmllint", &["--xpath", path, file.to_str().unwrap()]).trim().to_owned();
    let item = |kind: u8| format!("//*[local-name()='Item'][*[local-name()='ResourceType']={kind}]");
    assert_eq!(text(&format!("count({})", item(MEMORY_TYPE))), "3");
    let max =
        format!("string({}[@*[local-name()='bound']='max']/*[local-name()='VirtualQuantity'])", item(4));
    assert_eq!(text(&max), "1024");
    // Each device names its controller by number.
    let controller = text(&format!("string({}/*[local-name()='InstanceID'])", item(SCSI)));
    assert_eq!(text(&format!("string({}/*[local-name()='Parent'])", item(DISK))), controller);
    let drive = text(&format!("string({}/*[local-name()='InstanceID'])", item(IDE)));
    assert_eq!(text(&format!("string({}/*[local-name()='Parent'])", item(CD))), drive);
    assert_ne!(controller, drive);
    let numbers =
        run("xmllint", &["--xpath", "//*[local-name()='InstanceID']/text()", file.to_str().unwrap()]);
    let mut sorted: Vec<&str> = numbers.split_whitespace().collect();
    sorted.dedup();
    assert_eq!(sorted.len(), numbers.split_whitespace().count());
}

/// The schema of the settings lists the elements in the order of their names (CIM_ResourceAllocationSettingData.xsd).
#[test]
fn elements_of_a_device_are_in_the_order_of_the_schema() {
    for machine in [ide(), Machine { disk: "scsi0".to_owned(), dvd: Some("scsi0".to_owned()), ..ide() }] {
        let text = of(&machine, &Family::VirtualBox { mac: "080027000001".to_owned() });
        for item in text.split("<Item>").skip(1) {
            let lines = item.lines().filter_map(|line| line.trim().strip_prefix("<rasd:"));
            let elements: Vec<&str> = lines.filter_map(|line| line.split('>').next()).collect();
            let mut sorted = elements.clone();
            sorted.sort_unstable();
            assert!(elements.len() > 2 && elements == sorted, "{elements:?}");
        }
    }
}

#[test]
fn names_of_systems_are_those_of_the_format() {
    assert_eq!(guest("debian12-64"), "debian12_64Guest");
    assert_eq!(guest("otherLinux64Guest"), "otherLinux64Guest");
    assert!(of(&ide(), &Family::Vmware).contains("vmw:osType=\"otherLinux64Guest\""));
}

/// Machines with every setting that decides about a device.
fn machines() -> Vec<Machine> {
    let card = |interface: &str, mode: Option<&str>, mac: Option<&str>| NetworkCard {
        interface: interface.to_owned(),
        driver: Some("vmxnet3".to_owned()),
        mode: mode.map(str::to_owned),
        mac: mac.map(str::to_owned),
    };
    let adapters =
        [Adapter::BusLogic, Adapter::LsiLogic, Adapter::LsiSas, Adapter::Pvscsi, Adapter::LegacyEsx];
    let full = |adapter| Machine {
        memory: Some(2048),
        processors: Some(4),
        disk: "scsi0".to_owned(),
        adapter: Some(adapter),
        dvd: Some("ide1".to_owned()),
        memory_range: Range { min: Some(512), max: Some(4096) },
        processor_range: Range { min: Some(1), max: Some(8) },
        hardware: Some(9),
        guest: Some("a \"b\" <c> & d".to_owned()),
        cards: vec![
            card("0", Some("NAT & more"), Some("00:50:56:00:00:01")),
            card("br1", None, None),
            card("br1", None, None),
        ],
        entries: vec!["tools.syncTime = \"a & b\"".to_owned(), "no setting".to_owned()],
        ..Machine::default()
    };
    let bare = Machine { dvd: Some("ide0".to_owned()), ..ide() };
    adapters.into_iter().map(full).chain([ide(), bare, Machine::default()]).collect()
}

/// Returns what a description violates: the schema of the format, or a rule about references, which a schema cannot express.
pub(in super::super) fn violations(text: &str, directory: &Path) -> String {
    let file = directory.join("n.ovf");
    std::fs::write(&file, text).unwrap();
    let file = file.to_str().unwrap();
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/formats/ovf-1.1.rng");
    let output = Command::new("xmllint").args(["--noout", "--relaxng", schema, file]).output().unwrap();
    let mut found = String::new();
    if !output.status.success() {
        found += &String::from_utf8_lossy(&output.stderr);
    }
    let all = |name: &str| format!("//*[local-name()='{name}']");
    let attribute = |name: &str| format!("@*[local-name()='{name}']");
    let child = |name: &str| format!("*[local-name()='{name}']");
    let (item, number, parent) = (all("Item"), child("InstanceID"), child("Parent"));
    let (host, connection) = (child("HostResource"), child("Connection"));
    let (reference, disk) = (attribute("fileRef"), attribute("diskId"));
    let place = [parent.clone(), child("AddressOnParent")];
    for (rule, offenders) in [
        (
            "a disk has a file",
            format!("{}[{reference}][not({reference} = {}/{})]", all("Disk"), all("File"), attribute("id")),
        ),
        (
            "a device has a disk",
            format!("{item}[{host}][not(substring-after({host}, '/disk/') = {}/{disk})]", all("Disk")),
        ),
        (
            "a card has a network",
            format!("{item}[{connection}][not({connection} = {}/{})]", all("Network"), attribute("name")),
        ),
        (
            "a device has a controller",
            format!(
                "{item}[{parent}][not({parent} = {item}[{0}=5 or {0}=6]/{number})]",
                child("ResourceType")
            ),
        ),
        ("a number is unique", format!("{item}[{number} = preceding::*[local-name()='InstanceID']]")),
        (
            "a network is unique",
            format!("{0}[{1} = preceding::*[local-name()='Network']/{1}]", all("Network"), attribute("name")),
        ),
        (
            "a place is unique",
            format!(
                "{item}[{0}][concat({0}, ':', {1}) = concat(preceding-sibling::*[{0}][1]/{0}, ':', preceding-sibling::*[{0}][1]/{1})]",
                place[0], place[1]
            ),
        ),
    ] {
        if run("xmllint", &["--xpath", &format!("count({offenders})"), file]).trim() != "0" {
            found += &format!("not so: {rule}\n");
        }
    }
    found
}

#[test]
fn descriptions_follow_the_schema_and_their_references_lead_somewhere() {
    if !have(&["xmllint"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    for machine in machines() {
        for family in [Family::Vmware, Family::VirtualBox { mac: "080027000001".to_owned() }] {
            let text = of(&machine, &family);
            assert_eq!(violations(&text, directory.path()), "", "{text}");
        }
    }
}

#[test]
fn the_schema_refuses_what_the_format_does_not_know() {
    if !have(&["xmllint"]) {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let machine = &machines()[0];
    let text = of(machine, &Family::Vmware);
    for (right, wrong) in [
        (" ovf:id=\"file1\"", ""),
        ("ovf:capacity=\"1073741824\"", "ovf:capacity=\"1 GB\""),
        ("<Info>Virtual disks</Info>", ""),
        ("<rasd:Parent>", "<rasd:Owner/><rasd:Parent>"),
        ("<rasd:ResourceType>17<", "<rasd:ResourceType>99<"),
        ("hertz * 10^6", "MHz"),
        ("ovf:bound=\"min\"", "ovf:bound=\"least\""),
        ("vmx-09", "vmx-9"),
        ("<VirtualSystem ", "<Machine/><VirtualSystem "),
        // References.
        ("ovf:fileRef=\"file1\"", "ovf:fileRef=\"file2\""),
        ("ovf:/disk/vmdisk1", "ovf:/disk/vmdisk2"),
        ("<rasd:Connection>br1<", "<rasd:Connection>br2<"),
        ("<rasd:Parent>7<", "<rasd:Parent>1<"),
        ("<rasd:InstanceID>8<", "<rasd:InstanceID>7<"),
        ("<Network ovf:name=\"br1\">", "<Network ovf:name=\"NAT &amp; more\">"),
    ] {
        assert!(text.contains(right), "{right}: {text}");
        let broken = text.replacen(right, wrong, 1);
        assert_ne!(violations(&broken, directory.path()), "", "{wrong}");
    }
}
