//! Swap space on the disks of the machine, for a live system (docs/formats/boot-images.md).
//!
//! The system's fstab gets a line for each. Swap space of a hibernated machine has another signature and is left alone.
//! KIWI 1.x could also create a swap file on a partition it found; kiwi does not, because a live system must not change
//! the disks.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use crate::console::Console;
use crate::fstab;
use crate::machine::Machine;

/// The mount option that marks our lines; those of another machine, kept on a stick, are removed.
const MARK: &str = "x-kiwi.found";

/// Adds all swap space to the mounted system's fstab. If that fails the system has none.
pub(crate) fn offer(machine: &Machine, console: &Console) {
    let found = found(machine);
    console.trace(&format!("swap space: {}", found.join(" ")));
    if let Err(error) = fstab::change(&machine.system, |before| with_lines(before, &found)) {
        console.warn(&format!("adding swap space to the system: {error}; the boot continues"));
    }
}

/// Returns the UUIDs, in order.
fn found(machine: &Machine) -> Vec<String> {
    let entries = fs::read_dir(machine.sys.join("class/block")).into_iter().flatten().flatten();
    let mut found: Vec<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            !["ram", "loop", "fd", "sr", "zram", "nbd"].iter().any(|other| name.starts_with(other))
        })
        .filter_map(|name| uuid(&machine.dev.join(name)))
        .collect();
    found.sort();
    found.dedup();
    found
}

fn uuid(device: &Path) -> Option<String> {
    let mut start = [0; 4096];
    File::open(device).ok()?.read_exact(&mut start).ok()?;
    ondisk::probe_swap(&start)
}

fn with_lines(before: &str, found: &[String]) -> String {
    let kept = before.lines().filter(|line| !line.contains(MARK)).flat_map(|line| [line, "\n"]);
    let ours = found.iter().map(|uuid| format!("UUID={uuid} none swap sw,nofail,{MARK} 0 0\n"));
    kept.map(str::to_owned).chain(ours).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::tests::Files;

    fn space(signature: &[u8; 10]) -> Vec<u8> {
        let mut bytes = vec![0; 8192];
        bytes[1036..1052].copy_from_slice(&[0xab; 16]);
        bytes[4086..4096].copy_from_slice(signature);
        bytes
    }

    #[test]
    fn swap_space_is_added_once_and_a_hibernated_machine_left_alone() {
        let files = Files::new();
        files.add("sda", None, &space(b"S1SUSPEND\0"));
        files.add("sdb1", None, &space(b"SWAPSPACE2"));
        files.add("sdc", None, &[0; 100]);
        let etc = files.machine.system.join("etc");
        fs::create_dir_all(&etc).unwrap();
        fs::write(
            etc.join("fstab"),
            format!("proc /proc proc defaults 0 0\nUUID=old none swap sw,{MARK} 0 0\n"),
        )
        .unwrap();
        offer(&files.machine, &Console::quiet(&files.machine));
        let line = format!("UUID=abababab-abab-abab-abab-abababababab none swap sw,nofail,{MARK} 0 0\n");
        let text = fs::read_to_string(etc.join("fstab")).unwrap();
        assert_eq!(text, format!("proc /proc proc defaults 0 0\n{line}"));
    }
}
