//! What `kiwi init` writes builds and boots, every template. The template `server` is in `boot.rs`.

use std::fs;
use std::path::{Path, PathBuf};

use kiwi_tests::machine::{Firmware, Machine, Slot, judge, run_kiwi};
use kiwi_tests::run::json;
use kiwi_tests::small::text;

use super::netboot::built::Server;

/// Of the password kiwi.
const HASH: &str = "$6$rounds=5000$r6KA41yQcb1snahg$6J3KM5oR1G4q4jh0rezU87HLi3pv4eNdG4fdvzqjExbBKtsfH5/9CI/F0iI6Ul0ew936oKScwV5icZrVN.vhu.";

/// Writes and builds the description of a template; returns its directory and that of the images.
fn built(template: &str, directory: &Path, options: &[&str]) -> [PathBuf; 2] {
    let [description, images] = ["description", "images"].map(|name| directory.join(name));
    fs::create_dir_all(&images).unwrap();
    run_kiwi(&[&["init", template, "--name", template, "--directory", text(&description)], options].concat());
    run_kiwi(&["build", text(&description), "--destdir", text(&images)]);
    [description, images]
}

/// Runs `kiwi test` with these checks in the last image that was built.
fn checks_pass(description: &Path, image: &Path, checks: &str) {
    fs::write(description.join("test.yaml"), checks).unwrap();
    let run = json(&["test", text(description), "--image", text(image), "--accel", "tcg"]);
    assert_eq!(run.code, 0, "{run:?}");
}

const TUX: [&str; 4] = ["--user", "tux", "--password-hash", HASH];

#[test]
#[ignore = "part of scripts/test --all"]
fn the_appliance_shows_its_page() {
    let directory = tempfile::tempdir().unwrap();
    let [description, images] = built("appliance", directory.path(), &TUX);
    checks_pass(
        &description,
        &images.join("appliance.x86_64-1.0.0.qcow2"),
        "time_limit: 900\nlogin: {user: tux, password: kiwi}\nchecks:\n- unit: nginx.service\n- unit: ssh.service\n- port: 80\n\
         - command: systemctl is-system-running --wait\n  output: running\n- file: /var/www/html/index.html\n  content: appliance\n",
    );
}

#[test]
#[ignore = "part of scripts/test --all"]
fn the_cloud_system_is_configured_by_its_seed() {
    let directory = tempfile::tempdir().unwrap();
    let [_, images] = built("cloud", directory.path(), &[]);
    let seed = directory.path().join("seed");
    fs::create_dir(&seed).unwrap();
    fs::write(seed.join("meta-data"), "instance-id: one\nlocal-hostname: from-the-cloud\n").unwrap();
    let user = format!(
        "#cloud-config\nusers:\n- name: debian\n  lock_passwd: false\n  passwd: {HASH}\n  shell: /bin/bash\n"
    );
    fs::write(seed.join("user-data"), user).unwrap();
    let medium = directory.path().join("seed.iso");
    let keywords = ["-as", "mkisofs", "-quiet", "-volid", "CIDATA", "-joliet", "-rational-rock", "-output"];
    judge("xorriso", &[&keywords[..], &[text(&medium), text(&seed)]].concat());
    let disk = format!("file={},format=qcow2,if=virtio", images.join("cloud.x86_64-1.0.0.qcow2").display());
    let seed = format!("file={},format=raw,if=virtio,readonly=on", medium.display());
    let keywords = ["-drive", &disk, "-drive", &seed].map(str::to_owned);
    let mut machine = Machine::start(&keywords, Firmware::Uefi, directory.path());
    // Messages of cloud-init come after the prompt, in its line; Return gives another one.
    machine.expect(&["from-the-cloud login: "], 1000);
    machine.type_line("");
    machine.log_in("debian", "kiwi");
    assert_eq!(machine.ask("hostname"), "from-the-cloud");
    assert!(machine.ask("cloud-init status --wait").contains("done"));
}

#[test]
#[ignore = "part of scripts/test --all"]
fn the_live_desktop_opens() {
    let directory = tempfile::tempdir().unwrap();
    let [_, images] = built("live-desktop", directory.path(), &[]);
    let image = images.join("live-desktop.x86_64-1.0.0.iso");
    let keywords = [Slot::Cdrom.keywords(&image), ["-m", "2048"].map(str::to_owned).to_vec()].concat();
    let mut machine = Machine::start(&keywords, Firmware::Uefi, directory.path());
    machine.log_in("live", "live");
    assert_eq!(machine.ask("sudo id -un"), "root");
    let desktop = "for i in $(seq 200); do pgrep -u live xfce4-session && break; sleep 2; done";
    assert!(!machine.ask(desktop).is_empty(), "the session of Xfce has not started; {}", machine.tail());
}

#[test]
#[ignore = "part of scripts/test --all"]
fn the_rescue_system_opens_a_root_shell_from_a_stick() {
    let directory = tempfile::tempdir().unwrap();
    let [_, images] = built("rescue", directory.path(), &[]);
    let keywords = Slot::Usb.keywords(&images.join("rescue.x86_64-1.0.0.iso"));
    let mut machine = Machine::start(&keywords, Firmware::Bios, directory.path());
    machine.expect(&["(automatic login)"], 400);
    machine.expect(&["# "], 100);
    assert_eq!(machine.ask("id -un"), "root");
    for program in ["testdisk", "ddrescue", "mdadm", "cryptsetup", "xfs_repair", "btrfs", "smartctl"] {
        assert!(machine.ask(&format!("command -v {program}")).ends_with(program), "{program} is missing");
    }
}

#[test]
#[ignore = "part of scripts/test --all"]
fn the_kiosk_shows_its_browser() {
    let directory = tempfile::tempdir().unwrap();
    let [description, images] = built("kiosk", directory.path(), &TUX);
    assert!(images.join("kiosk.x86_64-1.0.0.install.iso").is_file());
    checks_pass(
        &description,
        &images.join("kiosk.x86_64-1.0.0.raw"),
        "time_limit: 1200\nmemory: 2048\nlogin: {user: tux, password: kiwi}\nchecks:\n- unit: kiosk.service\n\
         - command: for i in $(seq 120); do pgrep -u kiosk firefox && break; sleep 2; done; pgrep -u kiosk firefox\n\
         - command: sleep 20; systemctl show --property NRestarts kiosk\n  output: NRestarts=0\n",
    );
}

#[test]
#[ignore = "part of scripts/test --all"]
fn a_machine_loads_the_network_client_into_its_memory() {
    let server = Server::new("template");
    let [_, images] = built("pxe-client", &server.directory, &TUX);
    server.publish(&images);
    server.configure("IMAGE=/dev/ram1;pxe-client.x86_64;1.0.0;;;compressed\n");
    let mut machine = server.boot(&["-m", "3072"].map(str::to_owned));
    assert_eq!(machine.ask("hostname"), "pxe-client");
}
