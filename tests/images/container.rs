//! Containers: a user's build where all is read-only but one directory, and what is said where ids cannot be had.
//!
//! A plain container is made of a mount namespace and a bounding set; runs as root, which makes the ordinary user.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use kiwi::host::{Host, Output};
use kiwi_tests::machine::judge;
use kiwi_tests::user::{USER, copy_programs, make_user};

/// As a container does it: the machine read-only but for the directory `$0`, parts of `/proc` hidden, so that there is no other
/// one, temporary files without a location, capabilities taken away. `$1` is a shell's keywords for what else is there, `$2` who starts the rest.
const CONTAINER: &str = "set -e; mount --bind \"$0\" \"$0\"; mount -t tmpfs -o ro none \"$0/nothing\"; eval \"$1\"; \
    mount -t tmpfs -o ro none /proc/fs; \
    mount -o remount,bind,ro /; who=$2; shift 2; \
    exec setpriv --bounding-set -sys_admin,-net_admin,-mknod,-sys_ptrace $who env HOME=/root KIWI_CACHE= TMPDIR=\"$0/nothing\" \"$@\"";

/// What a small system has of everything: owners, set-uid programs, a file capability.
const SMALL: &str = r#"<image schemaversion="8.5" name="contained">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="squashfs"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="iputils-ping"/></packages>
</image>"#;

/// A directory with kiwi, the description, and `newuidmap` with a file capability instead of the set-uid bit.
fn container_directory() -> tempfile::TempDir {
    make_user();
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    std::fs::set_permissions(directory.path(), PermissionsExt::from_mode(0o755)).unwrap();
    copy_programs(directory.path());
    for name in ["description", "capable", "images", "nothing"] {
        std::fs::create_dir(path(name)).unwrap();
    }
    judge("chown", &[USER, path("images").to_str().unwrap()]);
    std::fs::write(path("description/config.xml"), SMALL).unwrap();
    std::fs::write(path("description/config.sh"), "mknod -m 666 /opt/null c 1 3\n").unwrap();
    // A tree needs 65534; none of these is enough alone.
    std::fs::write(path("ids"), format!("{USER}:300000:999\n{USER}:400000:64535\n")).unwrap();
    for (program, capability) in [("newuidmap", 7), ("newgidmap", 6)] {
        let copy = path("capable").join(program);
        std::fs::copy(Path::new("/usr/bin").join(program), &copy).unwrap();
        std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o755)).unwrap();
        // Revision 2, effective; permitted and inheritable, 64 bits each in two halves.
        let keywords: [u32; 5] = [0x0200_0001, 1 << capability, 0, 0, 0];
        let bytes = keywords.map(u32::to_le_bytes).concat();
        rustix::fs::setxattr(&copy, "security.capability", &bytes, rustix::fs::XattrFlags::empty()).unwrap();
    }
    directory
}

/// `kiwi build` in the container; whether it succeeded, and what it said.
fn build_contained(directory: &Path, setup: &str, who: &str, path: &str) -> (bool, String) {
    let here = directory.to_str().unwrap();
    let kiwi = format!("{here}/kiwi");
    let (description, images) = (format!("{here}/description"), format!("{here}/images"));
    let path = format!("PATH={path}/usr/sbin:/usr/bin:/sbin:/bin");
    let keywords = [here, setup, who, &path, &kiwi, "build", &description, "--destdir", &images];
    let output =
        Command::new("unshare").args(["--mount", "sh", "-c", CONTAINER]).args(keywords).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn user_of_a_read_only_container_builds() {
    let directory = container_directory();
    let here = directory.path().to_str().unwrap();
    let setup = "for file in subuid subgid; do mount --bind \"$0/ids\" /etc/$file; done";
    let who = "--reuid kiwi-test --regid kiwi-test --init-groups";
    let (built, said) = build_contained(directory.path(), setup, who, &format!("{here}/capable:"));
    assert!(built, "{said}");
    assert!(said.contains("using a temporary cache for this run"), "{said}");
    let image = directory.path().join("images/contained.x86_64-1.0.0");
    let list = judge("unsquashfs", &["-lln", image.to_str().unwrap()]);
    let line = |name: &str| {
        let found = list.lines().find(|line| line.ends_with(&format!("squashfs-root/{name}")));
        found.unwrap_or_else(|| panic!("{name} is missing: {list}")).split_whitespace().collect::<Vec<_>>()
    };
    assert_eq!(line("etc/shadow")[..2], ["-rw-r-----", "0/42"]);
    assert_eq!(line("usr/bin/passwd")[..2], ["-rwsr-xr-x", "0/0"]);
    assert_eq!(line("var/mail")[..2], ["drwxrwsr-x", "0/8"]);
    assert_eq!(line("opt/null")[..4], ["crw-rw-rw-", "0/0", "1,", "3"]);
}

#[test]
fn what_keeps_a_user_of_a_container_from_its_ids_is_named() {
    let directory = container_directory();
    let here = directory.path().to_str().unwrap();
    let user = "--reuid kiwi-test --regid kiwi-test --init-groups";
    let capable = format!("{here}/capable:");
    let cases = [
        ("set-uid programs", "", user.to_owned(), "", "file capabilities instead of the set-uid bit"),
        ("no new privileges", "", format!("{user} --no-new-privs"), &capable, "allowPrivilegeEscalation"),
        (
            "no name",
            "",
            "--reuid 54321 --regid 0 --clear-groups".to_owned(),
            &capable,
            "uid 54321 has no name here",
        ),
        (
            "no newuidmap",
            "mount --bind /dev/null /usr/bin/newuidmap",
            user.to_owned(),
            "",
            "install the package",
        ),
        (
            "one range",
            "head -n 1 \"$0/ids\" > \"$0/one\"; mount --bind \"$0/one\" /etc/subuid",
            user.to_owned(),
            &capable,
            "has 999 subordinate ids in /etc/subuid, a root tree needs 65534",
        ),
    ];
    for (name, setup, who, path, expected) in cases {
        let (built, said) = build_contained(directory.path(), setup, &who, path);
        assert!(!built && said.contains(expected), "{name}: {said}");
    }
}

#[test]
fn a_program_writes_to_its_own_directory_in_memory_and_to_nothing_beside_it() {
    let (own, beside) =
        (tempfile::tempdir_in("/dev/shm").unwrap(), tempfile::tempdir_in("/dev/shm").unwrap());
    let host = Host::new(Output::Quiet);
    let touched = |directory: &Path| {
        let command = host.command("touch").arg(directory.join("file")).writable(own.path());
        command.run().map_err(|error| error.to_string())
    };
    assert_eq!(touched(own.path()), Ok(()));
    let refused = touched(beside.path()).unwrap_err();
    assert!(refused.contains("Read-only file system"), "{refused}");
}
