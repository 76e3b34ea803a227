//! Builds inside of a container: by a user where all but one directory is read-only, and where no ids can be mapped.
//!
//! A plain container is made of a mount namespace and a bounding set; runs as root, which makes the ordinary user.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use kiwi::host::{Host, Output};
use kiwi_tests::machine::judge;
use kiwi_tests::run::Run;
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
pub(crate) fn container_directory() -> tempfile::TempDir {
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

/// Runs `kiwi build` in the container, with these additional options.
pub(crate) fn build_contained(
    directory: &Path,
    setup: &str,
    who: &str,
    path: &str,
    options: &[&str],
) -> std::process::Output {
    let here = directory.to_str().unwrap();
    let kiwi = format!("{here}/kiwi");
    let (description, images) = (format!("{here}/description"), format!("{here}/images"));
    let path = format!("PATH={path}/usr/sbin:/usr/bin:/sbin:/bin");
    let keywords = [here, setup, who, &path, &kiwi, "build", &description, "--destdir", &images];
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", CONTAINER]).args(keywords).args(options).output().unwrap()
}

#[test]
fn user_of_a_read_only_container_builds() {
    let directory = container_directory();
    let here = directory.path().to_str().unwrap();
    let setup = "for file in subuid subgid; do mount --bind \"$0/ids\" /etc/$file; done";
    let who = "--reuid kiwi-test --regid kiwi-test --init-groups";
    let path = format!("{here}/capable:");
    let run = Run::from_output(&build_contained(directory.path(), setup, who, &path, &["--json"])).done();
    assert_eq!(run.warnings("cache").len(), 1, "no warning about the temporary cache: {run:?}");
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
fn a_program_writes_to_its_own_directory_in_memory_and_to_nothing_beside_it() {
    let (own, beside) =
        (tempfile::tempdir_in("/dev/shm").unwrap(), tempfile::tempdir_in("/dev/shm").unwrap());
    let host = Host::new(Output::Quiet);
    let touch = |directory: &Path| {
        host.command("touch").arg(directory.join("file")).writable(own.path()).run().is_ok()
    };
    assert!(touch(own.path()) && own.path().join("file").exists());
    assert!(!touch(beside.path()) && !beside.path().join("file").exists());
    // One that writes nowhere reads files there, too.
    std::fs::write(beside.path().join("file"), "in memory").unwrap();
    let read = host.command("cat").arg(beside.path().join("file")).output();
    assert_eq!(read.unwrap(), "in memory");
    assert!(host.command("touch").arg(beside.path().join("file")).run().is_err());
}

#[test]
fn a_program_of_the_host_has_few_capabilities_and_calls() {
    let host = Host::new(Output::Quiet);
    let status = host.command("grep").args(["-E", "^(Cap(Prm|Eff|Bnd)|Seccomp):", "/proc/self/status"]);
    // CHOWN, DAC_OVERRIDE, FOWNER, FSETID, MKNOD, SETFCAP, and a filter.
    let few = "000000008800001b";
    let expected = format!("CapPrm:\t{few}\nCapEff:\t{few}\nCapBnd:\t{few}\nSeccomp:\t2\n");
    assert_eq!(status.output().unwrap(), expected);
    for namespace in ["--mount", "--user", "--net"] {
        assert!(host.command("unshare").args([namespace, "true"]).run().is_err(), "{namespace}");
    }
    assert!(host.command("mount").args(["-o", "remount,bind,rw", "/"]).run().is_err());
    assert!(host.command("chroot").args(["/", "true"]).run().is_err());
}
