//! `kill -9` of kiwi at random moments of a build leaves nothing behind, and the next build succeeds; signals end it with their
//! exit codes.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process};

use kiwi_tests::machine::{judge, run_kiwi};
use kiwi_tests::program::kiwi;

const ROUNDS: u64 = 20;
const IMAGE: &str = "victim.x86_64-1.0.0";

/// A small system: no kernel, but packages, users, scripts and a file system.
const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="victim">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="ext4"/></preferences>
  <users><user name="tux" groups="tux" password="x" pwdformat="plain"/></users>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="bootstrap"><package name="passwd"/></packages>
  <packages type="image"><package name="less"/></packages>
</image>"#;

fn mounts() -> String {
    std::fs::read_to_string("/proc/self/mountinfo").unwrap()
}

fn loop_devices() -> BTreeSet<String> {
    let entries = std::fs::read_dir("/sys/block").unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| Path::new("/sys/block").join(name).join("loop/backing_file").exists()).collect()
}

/// Processes that carry our mark in their environment, which children inherit up to the neutral one of a sandbox, or
/// that have our directory on their command line.
fn processes(mark: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let path = entry.path();
        let read = |name: &str| std::fs::read(path.join(name)).unwrap_or_default();
        let text = [read("cmdline"), read("environ")].concat();
        let own = path.ends_with(std::process::id().to_string());
        if !own && String::from_utf8_lossy(&text).contains(mark) {
            found.push(String::from_utf8_lossy(&read("cmdline")).replace('\0', " "));
        }
    }
    found
}

#[test]
fn kill_9_leaves_nothing_and_the_next_build_succeeds() {
    let directory = tempfile::tempdir().unwrap();
    let description = directory.path().join("description");
    let images = directory.path().join("images");
    std::fs::create_dir_all(&images).unwrap();
    std::fs::create_dir_all(&description).unwrap();
    std::fs::write(description.join("config.xml"), DESCRIPTION).unwrap();
    let write_script = |round: u64| {
        std::fs::write(description.join("config.sh"), format!("#!/bin/sh\nsleep 1 # {round}\n")).unwrap();
    };
    write_script(ROUNDS);
    let mark = directory.path().to_str().unwrap().to_owned();
    let keywords = ["build", description.to_str().unwrap(), "--destdir", images.to_str().unwrap()];
    let whole_keywords = [&keywords[..], &["--no-cache"]].concat();
    // The whole build once, to know how long it takes; its results are taken away again. One that takes its packages
    // from the cache is shorter.
    let started = Instant::now();
    run_kiwi(&whole_keywords);
    let whole = started.elapsed();
    run_kiwi(&keywords);
    write_script(ROUNDS + 1);
    let started = Instant::now();
    run_kiwi(&keywords);
    let short = started.elapsed();
    for entry in std::fs::read_dir(&images).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let (mounted, looped) = (mounts(), loop_devices());
    let mut random = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
    eprintln!("seed {random}, a build takes {whole:?}, from the cache {short:?}");
    for round in 0..ROUNDS {
        // xorshift: moments spread over the whole build.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        // Every third build takes packages from the cache, and is killed while it adds to it.
        let stored = round % 3 == 2;
        write_script(round);
        let moment = if stored { short } else { whole }.mul_f64((random % 1000) as f64 / 1000.0);
        let arguments = if stored { &keywords[..] } else { &whole_keywords };
        let mut child =
            Command::new(kiwi()).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(moment);
        child.kill().unwrap();
        child.wait().unwrap();
        let limit = Instant::now() + Duration::from_secs(5);
        while !processes(&mark).is_empty() && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(20));
        }
        let what = format!("round {round}, killed after {moment:?}");
        assert_eq!(processes(&mark), Vec::<String>::new(), "{what}");
        assert_eq!(mounts(), mounted, "{what}");
        assert_eq!(loop_devices(), looped, "{what}");
        // Publishing is a few renames, the image itself last: when it has its name, all of it is there. A kill may come
        // while the build only takes its own things away.
        if images.join(IMAGE).exists() {
            let sum = std::fs::read_to_string(images.join(format!("{IMAGE}.md5"))).expect(&what);
            let found = judge("md5sum", &[images.join(IMAGE).to_str().unwrap()]);
            assert_eq!(sum.split_whitespace().next(), found.split_whitespace().next(), "{what}");
            assert!(images.join(format!("{IMAGE}.packages")).exists(), "{what}");
        }
        for entry in std::fs::read_dir(&images).unwrap().flatten() {
            if !entry.file_name().to_string_lossy().starts_with(".kiwi.") {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
    }
    run_kiwi(&keywords);
    assert!(images.join(IMAGE).is_file());
    let left: Vec<_> = std::fs::read_dir(&images).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(
        left.iter().all(|name| !name.to_string_lossy().starts_with(".kiwi.")),
        "work directories are left: {left:?}"
    );
}

/// Starts kiwi with `--json`, sends a signal as soon as it reports `begun`, and checks how it ends.
fn interrupt(arguments: &[&str], begun: &str, signal: Signal, mark: &str) {
    let mut child = Command::new(kiwi())
        .arg("--json")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut events = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut before = String::new();
    let reported = events.any(|event| {
        before = event;
        before.contains(begun)
    });
    assert!(reported, "{arguments:?} never reported {begun}, at last: {before}");
    kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), signal).unwrap();
    // Much longer than the end takes.
    let limit = Instant::now() + Duration::from_secs(120);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < limit, "{arguments:?} goes on after {signal:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
    let what = format!("{signal:?} after {begun}");
    assert_eq!(child.wait().unwrap().code(), Some(128 + signal.as_raw()), "{what}");
    let last = events.last().expect("an event");
    assert!(last.contains("\"kind\":\"interrupted\""), "{what}: {last}");
    while !processes(mark).is_empty() && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(processes(mark), Vec::<String>::new(), "{what}");
}

#[test]
fn a_signal_ends_scripts_and_compression_and_leaves_only_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let [description, images] = ["description", "images"].map(|name| directory.path().join(name));
    std::fs::create_dir_all(&images).unwrap();
    std::fs::create_dir_all(&description).unwrap();
    let text = DESCRIPTION.replace("image=\"ext4\"", "image=\"ext4\" compressed=\"true\"");
    std::fs::write(description.join("config.xml"), text).unwrap();
    let mark = directory.path().to_str().unwrap().to_owned();
    let keywords = ["build", description.to_str().unwrap(), "--destdir", images.to_str().unwrap()];
    for (script, begun) in [
        ("sleep 1000", "\"task\":\"run-script\""),
        ("trap '' HUP INT TERM; while :; do :; done", "\"task\":\"run-script\""),
        ("true", "\"task\":\"write-filesystem\""),
        ("true", "\"task\":\"compress\""),
    ] {
        for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
            // A script of its own, in each run of this test: the cache must have no stage of an earlier build.
            let text = format!("#!/bin/sh\n{script} # {begun} {signal:?} {mark}\n");
            std::fs::write(description.join("config.sh"), text).unwrap();
            interrupt(&keywords, begun, signal, &mark);
            let left: Vec<_> =
                std::fs::read_dir(&images).unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert_eq!(left, [OsString::from(format!("{IMAGE}.log"))], "{signal:?} after {begun}");
        }
    }
    run_kiwi(&keywords);
    assert!(images.join(format!("{IMAGE}.gz")).is_file());
}

#[test]
fn a_signal_during_repro_removes_its_destination() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    std::fs::create_dir(at("description")).unwrap();
    std::fs::write(at("description/config.xml"), DESCRIPTION).unwrap();
    std::fs::write(at("description/config.sh"), "#!/bin/sh\nsleep 1000\n").unwrap();
    let mark = directory.path().to_str().unwrap().to_owned();
    for (signal, destdir) in [(Signal::HUP, "new"), (Signal::INT, "new/below"), (Signal::TERM, "empty")] {
        std::fs::create_dir_all(at("empty")).unwrap();
        let mut child = Command::new(kiwi())
            .args(["repro", at("description").to_str().unwrap(), "--destdir", at(destdir).to_str().unwrap()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let limit = Instant::now() + Duration::from_secs(300);
        let script = || std::fs::read_to_string(at(destdir).join("one/build.log")).unwrap_or_default();
        while !script().contains("config.sh") {
            assert!(
                Instant::now() < limit && child.try_wait().unwrap().is_none(),
                "the script does not start"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
        kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), signal).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(128 + signal.as_raw()));
        assert_eq!(processes(&mark), Vec::<String>::new(), "{signal:?}");
        assert_eq!(names(directory.path()), ["description", "empty"], "{signal:?}");
        assert_eq!(names(&at("empty")), [""; 0], "{signal:?}");
    }
}

#[test]
fn a_signal_ends_the_digest_the_writing_and_the_verification_of_media() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    // A system whose digest takes minutes, and a boot image that is written for a while.
    let mut system = std::fs::File::create(at("system.raw")).unwrap();
    system.write_all(&[&[0; 510][..], &[0x55, 0xaa]].concat()).unwrap();
    system.set_len(1 << 40).unwrap();
    let block: Vec<u8> = (0..1 << 20).map(|at| (at % 251) as u8 | 1).collect();
    for (name, blocks) in [("small", 1), ("large", 256)] {
        let mut file = std::fs::File::create(at(&format!("{name}.gz"))).unwrap();
        (0..blocks).for_each(|_| file.write_all(&block).unwrap());
        std::fs::write(at(&format!("{name}.kernel.1")), "kernel").unwrap();
    }
    let files = names(directory.path());
    let [cd, stick] = ["new.iso", "new.raw"].map(at);
    let [small, large, system] = ["small.gz", "large.gz", "system.raw"].map(at);
    let digest = ["install-cd", &small, "--system", &system, "--output", &cd];
    let write = ["boot-stick", &large, "--output", &stick];
    for (arguments, begun) in [
        (&digest[..], "\"event\":\"progress\""),
        (&write, "\"task\":\"write-stick\""),
        (&write, "\"task\":\"verify-stick\""),
    ] {
        for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
            interrupt(arguments, begun, signal, &at(""));
            assert_eq!(names(directory.path()), files, "{signal:?} after {begun}");
        }
    }
}

/// Returns the names of the files in a directory.
fn names(directory: &Path) -> Vec<String> {
    let entries = directory.read_dir().unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn a_signal_ends_the_machine_of_run() {
    let directory = tempfile::tempdir().unwrap();
    let disk = directory.path().join("disk.raw");
    // A boot sector that jumps to itself.
    let mut content = vec![0; 1 << 20];
    content[..2].copy_from_slice(&[0xeb, 0xfe]);
    content[510..512].copy_from_slice(&[0x55, 0xaa]);
    std::fs::write(&disk, content).unwrap();
    let mark = directory.path().to_str().unwrap().to_owned();
    for signal in [Signal::HUP, Signal::INT, Signal::TERM] {
        let mut child = Command::new(kiwi())
            .args(["run", disk.to_str().unwrap(), "--accel", "tcg"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let limit = Instant::now() + Duration::from_secs(120);
        while !processes(&mark).iter().any(|line| line.contains("qemu")) {
            assert!(Instant::now() < limit && child.try_wait().unwrap().is_none(), "QEMU does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), signal).unwrap();
        while child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < limit, "kiwi goes on after {signal:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_eq!(child.wait().unwrap().code(), Some(128 + signal.as_raw()));
        assert_eq!(processes(&mark), Vec::<String>::new(), "{signal:?} leaves QEMU");
    }
}
