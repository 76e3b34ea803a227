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
