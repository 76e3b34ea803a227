//! Made-up machines: a disk the system runs from, sticks in every state.

use std::cell::RefCell;

use super::*;

struct Machine(tempfile::TempDir);

impl Machine {
    fn new() -> Self {
        let machine = Self(tempfile::tempdir().unwrap());
        machine.add("sda", "8:0", "0", "ATA", "System disk");
        machine.add("sdb", "8:16", "1", "SanDisk", "Ultra Fit");
        machine.part("sdb", "sdb1", "8:17", "E:ID_FS_TYPE=vfat\nE:ID_FS_LABEL=HOLIDAY\n");
        machine.part("sdb", "sdb2", "8:18", "");
        machine.add("sr0", "11:0", "1", "QEMU", "DVD");
        machine.write("proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
        machine.write("proc/swaps", "Filename Type Size Used Priority\n/dev/sda2 partition 1 0 -2\n");
        machine
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn add(&self, name: &str, number: &str, removable: &str, vendor: &str, model: &str) {
        let at = |file: &str| format!("sys/class/block/{name}/{file}");
        for (file, text) in [
            ("dev", number),
            ("removable", removable),
            ("size", "31250000\n"),
            ("ro", "0"),
            ("device/vendor", vendor),
            ("device/model", model),
        ] {
            self.write(&at(file), text);
        }
    }

    fn part(&self, disk: &str, name: &str, number: &str, udev: &str) {
        // The kernel shows a partition twice: in its disk and, as a link, among all devices.
        let directory = format!("sys/class/block/{disk}/{name}");
        self.write(&format!("{directory}/dev"), number);
        self.write(&format!("{directory}/partition"), "1");
        std::os::unix::fs::symlink(
            self.0.path().join(directory),
            self.0.path().join("sys/class/block").join(name),
        )
        .unwrap();
        self.write(&format!("run/udev/data/b{number}"), udev);
    }

    fn locations(&self) -> Locations {
        Locations::below(self.0.path())
    }

    /// Returns the choice or the error after these answers, and what was shown.
    fn answered(&self, answers: &[&str]) -> (Result<String>, String) {
        let shown = RefCell::new(String::new());
        let mut answers = answers.iter();
        let result = choose(
            &self.locations(),
            None,
            |line| shown.borrow_mut().push_str(&format!("{line}\n")),
            |_| Ok(answers.next().map(ToString::to_string).unwrap_or_default()),
        );
        (result, shown.into_inner())
    }

    fn refused(&self, asked: &str) -> String {
        let result = choose(
            &self.locations(),
            Some(asked),
            |_| (),
            |_| unreachable!("a named device is not asked for"),
        );
        result.unwrap_err().to_string()
    }
}

#[test]
fn sticks_are_shown_with_what_is_on_them() {
    let machine = Machine::new();
    let lines: Vec<String> = list(&machine.locations()).iter().map(Stick::to_string).collect();
    assert_eq!(
        lines,
        ["/dev/sdb  SanDisk Ultra Fit  16.0 GB  (sdb1: vfat \"HOLIDAY\", sdb2: unknown content)"]
    );
}

#[test]
fn a_partial_name_is_rejected_and_asked_for_again() {
    let machine = Machine::new();
    let (chosen, shown) = machine.answered(&["b", "/dev/sda", "sdb1", "/dev/sdb\n"]);
    assert_eq!(chosen.unwrap(), "sdb");
    assert!(shown.starts_with("Sticks of this machine:\n---> /dev/sdb  SanDisk"), "{shown}");
    assert!(shown.contains("there is no removable disk 'b'; name a whole one"), "{shown}");
    assert!(shown.contains("cannot write to /dev/sda: it is not a removable disk"), "{shown}");
    assert!(shown.contains("there is no removable disk 'sdb1'"), "{shown}");
    assert_eq!(machine.answered(&[]).0.unwrap_err().to_string(), "no device was chosen; nothing was written");
}

#[test]
fn a_stick_in_use_is_refused_with_the_reason() {
    for (file, text, reason) in [
        (
            "proc/self/mountinfo",
            "9 1 8:17 / /media/my\\040stick rw - vfat /dev/sdb1 rw\n",
            "mounted at /media/my stick;",
        ),
        ("proc/self/mountinfo", "9 1 0:44 / /mnt rw - btrfs /dev/sdb2 rw\n", "mounted at /mnt;"),
        ("proc/swaps", "Filename\n/dev/sdb2 partition 1 0 -2\n", "/dev/sdb2 is swap space in use;"),
        ("sys/class/block/sdb/sdb2/holders/dm-3/dev", "254:3", "it is part of dm-3;"),
        ("sys/class/block/sdb/ro", "1\n", "it is write-protected"),
    ] {
        let machine = Machine::new();
        machine.write(file, text);
        let error = machine.refused("/dev/sdb");
        assert!(error.starts_with("cannot write to /dev/sdb: ") && error.contains(reason), "{error}");
        let (none, _) = machine.answered(&["sdb"]);
        assert!(none.unwrap_err().to_string().starts_with("no stick was found that can be written to;"));
    }
}

#[test]
fn the_systems_own_disk_and_cd_drives_are_not_sticks() {
    let machine = Machine::new();
    assert!(machine.refused("sda").contains("it is not a removable disk"), "{}", machine.refused("sda"));
    assert!(machine.refused("/dev/sr0").contains("it is not a removable disk"));
    assert_eq!(
        machine.refused("/dev/sdz"),
        "there is no removable disk '/dev/sdz'; name a whole one, such as /dev/sdb"
    );
}
