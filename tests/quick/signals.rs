//! A signal ends every phase that can be tried without building an image: the exit code is 128 plus its number, the last line of
//! `--json` says so, and nothing is left. `json.rs` has the download, `tests/images` scripts, compression and machines.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use kiwi_tests::program::kiwi;

const SIGNALS: [Signal; 3] = [Signal::HUP, Signal::INT, Signal::TERM];

/// Much longer than any end takes; only a program that does not end at all reaches it.
const LIMIT: Duration = Duration::from_secs(60);

/// Starts kiwi in `directory`, which also gets its temporary files.
fn start(directory: &Path, words: &str) -> Child {
    fs::create_dir_all(directory.join("tmp")).unwrap();
    Command::new(kiwi())
        .args(words.split(' '))
        .current_dir(directory)
        .env("TMPDIR", directory.join("tmp"))
        .env("KIWI_CACHE", directory.join("cache"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < LIMIT, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Waits until kiwi would notice signals.
fn listens(child: &Child) {
    let status = format!("/proc/{}/status", child.id());
    wait_until("kiwi does not listen for signals", || {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap_or("0").trim();
        let caught = u64::from_str_radix(caught, 16).unwrap();
        SIGNALS.iter().all(|signal| caught & (1 << (signal.as_raw() - 1)) != 0)
    });
}

/// Sends the signal and checks the exit code and the last event.
fn ends(mut child: Child, output: &mut impl Read, signal: Signal) {
    let pid = Pid::from_raw(child.id().cast_signed()).unwrap();
    kill_process(pid, signal).unwrap();
    wait_until("kiwi does not end", || child.try_wait().unwrap().is_some());
    let status = child.wait().unwrap();
    assert_eq!(status.code(), Some(128 + signal.as_raw()), "{signal:?}, signal {:?}", status.signal());
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&last["event"], &last["kind"]), (&json!("error"), &json!("interrupted")));
    assert_eq!(last["exit_code"], 128 + signal.as_raw());
}

fn is_empty(directory: &Path) -> bool {
    directory.read_dir().unwrap().next().is_none()
}

/// A result with a disk whose digest takes minutes: nearly all of it is a hole.
fn large_result(directory: &Path) {
    let images = directory.join("images");
    fs::create_dir_all(&images).unwrap();
    for name in ["n.x86_64-1.0.0.raw", "other.raw"] {
        fs::File::create(images.join(name)).unwrap().set_len(1 << 40).unwrap();
    }
    let file = json!({"role": "image", "file": "n.x86_64-1.0.0.raw", "size": 1_u64 << 40, "sha256": "0".repeat(64),
        "compress": true});
    let image = json!({"name": "n", "version": "1.0.0", "architecture": "x86_64", "type": "oem", "profiles": [],
        "files": [file]});
    let record = json!({"version": 1, "images": [image]});
    fs::write(images.join("kiwi.result.json"), record.to_string()).unwrap();
}

/// Reads events until one is of this kind.
fn read_until(output: &mut impl BufRead, event: &str) {
    let wanted = format!("\"event\":\"{event}\"");
    let mut line = String::new();
    while output.read_line(&mut line).unwrap() > 0 {
        if line.contains(&wanted) {
            return;
        }
        line.clear();
    }
    panic!("no event {event}");
}

#[test]
fn the_digest_of_a_large_disk_shows_progress_and_ends() {
    let directory = tempfile::tempdir().unwrap();
    large_result(directory.path());
    for signal in SIGNALS {
        let words = "--json result bundle --target-dir images --bundle-dir bundle --id 1";
        let mut child = start(directory.path(), words);
        let mut output = BufReader::new(child.stdout.take().unwrap());
        read_until(&mut output, "progress");
        ends(child, &mut output, signal);
        assert!(is_empty(&directory.path().join("bundle")), "{signal:?} leaves files of the bundle");
        assert!(is_empty(&directory.path().join("tmp")), "{signal:?} leaves temporary files");
    }
}

#[test]
fn the_comparison_of_large_disks_ends() {
    let directory = tempfile::tempdir().unwrap();
    large_result(directory.path());
    for signal in SIGNALS {
        let mut child = start(directory.path(), "--json diff images/n.x86_64-1.0.0.raw images/other.raw");
        let mut output = BufReader::new(child.stdout.take().unwrap());
        listens(&child);
        // What it compares at the moment the signal comes does not matter.
        std::thread::sleep(Duration::from_millis(300));
        ends(child, &mut output, signal);
        assert!(is_empty(&directory.path().join("tmp")), "{signal:?} leaves temporary files");
    }
}

#[test]
fn the_check_of_the_cache_ends_and_removes_nothing() {
    let directory = tempfile::tempdir().unwrap();
    // A package whose digest takes minutes: it is a hole.
    let packages = directory.path().join("cache/packages/sha256");
    fs::create_dir_all(&packages).unwrap();
    let package = packages.join("0".repeat(64));
    fs::File::create(&package).unwrap().set_len(1 << 40).unwrap();
    for signal in SIGNALS {
        let mut child = start(directory.path(), "--json cache verify");
        let mut output = BufReader::new(child.stdout.take().unwrap());
        reads(&child, &package);
        ends(child, &mut output, signal);
        assert!(package.exists(), "{signal:?} removes a package that was not read to its end");
    }
}

/// Waits until kiwi has this file open.
fn reads(child: &Child, file: &Path) {
    let descriptors = format!("/proc/{}/fd", child.id());
    wait_until("kiwi does not read the file", || {
        let entries = fs::read_dir(&descriptors).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| fs::read_link(entry.path()).is_ok_and(|target| target == file))
    });
}

#[test]
fn waiting_for_the_lock_of_the_cache_ends() {
    let directory = tempfile::tempdir().unwrap();
    let cache = directory.path().join("cache");
    fs::create_dir(&cache).unwrap();
    let lock = fs::File::create(cache.join(".lock")).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    for signal in SIGNALS {
        let mut child = start(directory.path(), "--json cache prune");
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let process = format!(" {} ", child.id());
        wait_until("kiwi does not wait for the lock", || {
            let locks = fs::read_to_string("/proc/locks").unwrap();
            locks.lines().any(|line| line.contains("->") && line.contains(&process))
        });
        ends(child, &mut output, signal);
    }
}

#[test]
fn a_question_ends() {
    let directory = tempfile::tempdir().unwrap();
    for signal in SIGNALS {
        let mut child = start(directory.path(), "--json create-password");
        let mut output = BufReader::new(child.stdout.take().unwrap());
        listens(&child);
        ends(child, &mut output, signal);
    }
}
