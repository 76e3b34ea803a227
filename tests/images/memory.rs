//! Builds in less memory than they need: with a limit of a control group, and with a script that writes more than expected.

use std::fs;
use std::path::Path;
use std::process::Command;

use kiwi_tests::program::{checkout, kiwi};
use kiwi_tests::run::Run;

/// A control group, version 1, with a limit; it is removed with the value.
struct Group(String);

impl Group {
    fn new(limit: &str) -> Self {
        let path = format!("/sys/fs/cgroup/memory/kiwi-test-{}", std::process::id());
        fs::create_dir(&path).expect("a control group of version 1, as root");
        fs::write(format!("{path}/memory.limit_in_bytes"), limit).unwrap();
        Self(path)
    }

    /// Returns a command that starts kiwi in the group.
    fn kiwi(&self, directory: &Path) -> Command {
        let mut command = Command::new("sh");
        let script = "echo $$ > \"$0/cgroup.procs\" && exec \"$@\"";
        command.args(["-c", script, &self.0]).arg(kiwi()).current_dir(directory);
        command
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
#[ignore = "builds a server for two minutes, in a control group of version 1"]
fn a_server_is_built_in_400_megabytes() {
    let directory = tempfile::tempdir().unwrap();
    let group = Group::new("400M");
    let mut command = group.kiwi(directory.path());
    command.args(["build", "--no-cache", "--destdir", "."]).arg(checkout().join("examples/debian-12-server"));
    let _ = Run::of(&mut command).done();
    let events = fs::read_to_string(format!("{}/memory.oom_control", group.0)).unwrap();
    assert!(events.contains("oom_kill 0"), "{events}");
}

/// Writes a description of a squashfs of a small system with this script.
fn describe(directory: &Path, name: &str, script: &str) {
    let text = format!(
        r#"<image schemaversion="8.5" name="{name}">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="squashfs"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="passwd"/></packages><packages type="bootstrap"><package name="base-files"/></packages>
</image>"#
    );
    fs::create_dir(directory).unwrap();
    fs::write(directory.join("config.xml"), text).unwrap();
    fs::write(directory.join("config.sh"), script).unwrap();
}

/// Returns the bytes of a file in a squashfs.
fn size_in(image: &Path, file: &str) -> u64 {
    let listed = Command::new("unsquashfs").args(["-lln"]).arg(image).arg(file).output().unwrap();
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let line =
        text.lines().find(|line| line.ends_with(&format!("/{file}"))).unwrap_or_else(|| panic!("{listed:?}"));
    line.split_whitespace().nth(2).unwrap().parse().unwrap()
}

#[test]
#[ignore = "two builds that write a gigabyte, in a control group of version 1"]
fn two_builds_share_the_memory_of_a_group() {
    let directory = tempfile::tempdir().unwrap();
    let group = Group::new("700M");
    let builds: Vec<_> = ["one", "two"]
        .map(|name| {
            let own = directory.path().join(name);
            describe(&own, name, "head -c 500M /dev/urandom > /big\n");
            let mut command = group.kiwi(directory.path());
            command.args(["build", "--no-cache", "--destdir", ".", name]);
            std::thread::spawn(move || {
                let _ = Run::of(&mut command).done();
            })
        })
        .into_iter()
        .collect();
    builds.into_iter().for_each(|build| build.join().unwrap());
    for name in ["one", "two"] {
        assert_eq!(size_in(&directory.path().join(format!("{name}.x86_64-1.0.0")), "big"), 500 << 20);
    }
    let events = fs::read_to_string(format!("{}/memory.oom_control", group.0)).unwrap();
    assert!(events.contains("oom_kill 0"), "{events}");
}

#[test]
#[ignore = "writes several gigabytes"]
fn a_script_that_fills_the_memory_goes_on_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let description = directory.path().join("description");
    // The error is ignored, and the file would be incomplete without a word.
    describe(&description, "twice", "head -c 3G /dev/zero > /big || true\n");
    let mut command = Command::new(kiwi());
    command.args(["build", "--no-cache", "--destdir", ".", "description"]).current_dir(directory.path());
    let run = Run::of(&mut command).done();
    assert!(
        run.all("message").any(|event| event["text"].as_str().unwrap().contains("on the disk")),
        "{}",
        run.last()
    );
    assert_eq!(size_in(&directory.path().join("twice.x86_64-1.0.0"), "big"), 3 << 30);
}
