//! The description of a machine's hardware that it sends when it registers.

use std::fs;
use std::path::Path;

use crate::machine::Machine;

/// The largest value that is taken from the kernel.
const LONGEST: usize = 200;

/// Returns vendor and model of the machine, if its firmware tells them.
pub(super) fn model(machine: &Machine) -> Option<String> {
    let id = |name: &str| line(&machine.sys.join("class/dmi/id").join(name));
    let names: Vec<String> = ["sys_vendor", "product_name"].into_iter().filter_map(id).collect();
    (!names.is_empty()).then(|| names.join(" "))
}

/// Returns the text of `hwinfo.<MAC>`: a line for each fact.
pub(super) fn report(machine: &Machine) -> String {
    let mut text = String::new();
    let mut add = |key: &str, value: Option<String>| {
        if let Some(value) = value {
            text += &format!("{key}: {value}\n");
        }
    };
    let id = |name: &str| line(&machine.sys.join("class/dmi/id").join(name));
    for name in ["sys_vendor", "product_name", "product_serial", "board_name", "bios_vendor", "bios_version"]
    {
        add(name, id(name));
    }
    add("cpu", field(&machine.proc.join("cpuinfo"), "model name"));
    add("memory", field(&machine.proc.join("meminfo"), "MemTotal"));
    for (class, facts) in [("net", &["address", "operstate"][..]), ("block", &["size", "device/model"])] {
        for entry in names(&machine.sys.join("class").join(class)) {
            let directory = machine.sys.join("class").join(class).join(&entry);
            let values: Vec<String> = facts.iter().filter_map(|fact| line(&directory.join(fact))).collect();
            add(&format!("{class} {entry}"), Some(values.join(" ")));
        }
    }
    for bus in ["pci", "usb"] {
        let directory = machine.sys.join("bus").join(bus).join("devices");
        for entry in names(&directory) {
            add(&format!("{bus} {entry}"), line(&directory.join(&entry).join("modalias")));
        }
    }
    text
}

/// Returns the names in a directory, sorted.
fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

/// Returns the first line of a file of the kernel.
fn line(path: &Path) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line: String = text.lines().next()?.trim().chars().take(LONGEST).collect();
    (!line.is_empty()).then_some(line)
}

fn field(path: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(path).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_what_the_kernel_knows() {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::below(dir.path());
        assert_eq!((model(&machine), report(&machine)), (None, String::new()));
        for (path, text) in [
            ("sys/class/dmi/id/sys_vendor", "QEMU\n"),
            ("sys/class/dmi/id/product_name", "PC\n"),
            ("sys/class/net/eth0/address", "52:54:00:00:00:01\n"),
            ("sys/bus/pci/devices/0000:00:01.0/modalias", "pci:v1\n"),
            ("proc/meminfo", "MemFree: 1 kB\nMemTotal:  512 kB\n"),
        ] {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(model(&machine).as_deref(), Some("QEMU PC"));
        assert_eq!(
            report(&machine),
            "sys_vendor: QEMU\nproduct_name: PC\nmemory: 512 kB\nnet eth0: 52:54:00:00:00:01\npci 0000:00:01.0: pci:v1\n"
        );
    }
}
