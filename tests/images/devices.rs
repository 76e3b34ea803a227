//! Device nodes: what programs in a sandbox make, and what programs that write images see of them.
//!
//! Without a build; runs as root, which may have namespaces.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

use kiwi::host::device::Device;
use kiwi::host::{Command, Host, Output};

/// A tree with the programs of the machine.
struct Tree {
    directory: tempfile::TempDir,
    host: Host,
}

impl Tree {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        for name in ["dev", "proc", "run", "usr", "opt/inner", "sealed"] {
            std::fs::create_dir_all(directory.path().join(name)).unwrap();
        }
        for name in ["bin", "sbin", "lib", "lib64"] {
            symlink(format!("usr/{name}"), directory.path().join(name)).unwrap();
        }
        Self { directory, host: Host::new(Output::Quiet) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn command(&self, program: &str) -> Command<'_> {
        let command = self.host.command(program).in_root(self.directory.path()).bind("/usr", "/usr", true);
        command.bind(self.path("sealed"), "/sealed", true)
    }

    /// What a script says that runs in the tree and has to succeed.
    fn run(&self, script: &str) -> String {
        self.command("/bin/sh").args(["-e", "-c", script]).output().unwrap()
    }

    fn metadata(&self, name: &str) -> Metadata {
        self.path(name).symlink_metadata().unwrap()
    }

    fn device(&self, name: &str) -> Option<String> {
        Device::of(&self.path(name), &self.metadata(name)).unwrap().map(|device| device.to_string())
    }
}

#[test]
fn programs_of_a_tree_make_nodes() {
    let tree = Tree::new();
    tree.run(
        "mknod /opt/null c 1 3; chmod 666 /opt/null; cd /opt/inner; umask 027; mknod disk b 259 70000; \
         chown 12:34 disk; ln disk again; mknod -m 600 ../tty c 5 1; ln -s /opt/inner /shortcut; \
         mknod /shortcut/full c 1 7; mkdir -m 2775 /opt/group; chgrp 7 /opt/group; mknod /opt/group/zero c 1 5; \
         mkfifo /opt/pipe; cp --archive /opt/null /opt/copy; mv /opt/copy /opt/moved; echo text > /opt/moved",
    );
    for (name, device, mode, owner) in [
        ("opt/null", "c 1 3", 0o666, (0, 0)),
        ("opt/inner/disk", "b 259 70000", 0o640, (12, 34)),
        ("opt/inner/again", "b 259 70000", 0o640, (12, 34)),
        ("opt/tty", "c 5 1", 0o600, (0, 0)),
        ("opt/inner/full", "c 1 7", 0o640, (0, 0)),
        ("opt/group/zero", "c 1 5", 0o640, (0, 7)),
        ("opt/moved", "c 1 3", 0o666, (0, 0)),
    ] {
        let metadata = tree.metadata(name);
        assert_eq!(tree.device(name).as_deref(), Some(device), "{name}");
        let expected = (0o100_000 | mode, owner);
        assert_eq!((metadata.mode(), (metadata.uid(), metadata.gid())), expected, "{name}");
    }
    assert_eq!(tree.metadata("opt/inner/disk").ino(), tree.metadata("opt/inner/again").ino());
    assert_eq!(tree.device("opt/pipe"), None);
}

/// What `mknod` says that must not succeed, with these keywords before it.
fn refused(tree: &Tree, keywords: &str) -> String {
    tree.run(&format!("LC_ALL=C; export LC_ALL; if {keywords} 2>&1; then echo it was made; fi"))
}

#[test]
fn nodes_are_refused_where_the_kernel_would_refuse_them() {
    let tree = Tree::new();
    std::fs::write(tree.path("opt/file"), "text").unwrap();
    symlink("/nowhere", tree.path("opt/link")).unwrap();
    let user = "setpriv --reuid 1000 --clear-groups mknod";
    std::fs::set_permissions(tree.path("opt"), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    for (keywords, expected) in [
        ("mknod /opt/file c 1 3", "File exists"),
        ("mknod /opt/link c 1 3", "File exists"),
        ("mknod /opt/missing/null c 1 3", "No such file"),
        ("mknod /opt/file/null c 1 3", "Not a directory"),
        ("mknod /sealed/null c 1 3", "Read-only"),
        (&format!("{user} /opt/null c 1 3"), "Operation not permitted"),
        ("setpriv --bounding-set -mknod mknod /opt/null c 1 3", "Operation not permitted"),
        ("setpriv --bounding-set -mknod mknod /opt/null b 8 0", "Operation not permitted"),
        // It has all capabilities, in a user namespace of its own.
        (
            "setpriv --reuid 1000 --clear-groups unshare --user --map-root-user mknod /opt/null c 1 3",
            "Operation not permitted",
        ),
        ("unshare --user --map-root-user mknod /opt/null c 1 3", "Operation not permitted"),
    ] {
        let said = refused(&tree, keywords);
        assert!(said.contains(expected), "{keywords}: {said}");
    }
    for name in ["opt/null", "opt/missing", "sealed/null", "nowhere"] {
        assert!(!tree.path(name).exists(), "{name}");
    }
    assert_eq!(std::fs::read_to_string(tree.path("opt/file")).unwrap(), "text");
}

#[test]
fn no_path_leads_out_of_what_a_program_sees() {
    let tree = Tree::new();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(outside.path(), Some(0), Some(0)).unwrap();
    symlink(outside.path(), tree.path("opt/hole")).unwrap();
    let location = outside.path().to_str().unwrap();
    let up = "../".repeat(30);
    tree.run(&format!(
        "cd /opt/inner; mknod {up}above c 1 3; mknod /..{location}/x c 1 3 && exit 1; mknod {location}/x c 1 3 && exit 1; \
         mknod /opt/hole/x c 1 3 && exit 1; mknod {up}{location}/x c 1 3 && exit 1; true"
    ));
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    assert_eq!(tree.device("above").as_deref(), Some("c 1 3"));
    // Root and directory of who asks count, not those of its sandbox.
    tree.run(&format!(
        "perl -e 'chroot q(/opt/inner) or die; chdir q(/) or die; symlink q(/), q(root); \
         for my $path (qw(/absolute ../../relative /root/../link)) {{ \
         my $copy = $path; syscall({}, -100, $copy, 020600, 0x103) == 0 or die $! }}'",
        libc::SYS_mknodat
    ));
    for name in ["absolute", "relative", "link"] {
        assert_eq!(tree.device(&format!("opt/inner/{name}")).as_deref(), Some("c 1 3"), "{name}");
    }
}

#[test]
fn a_program_that_ends_while_it_asks_holds_nothing_up() {
    let tree = Tree::new();
    tree.run(
        "cd /opt; for number in 1 2 3 4 5 6 7 8; do \
         (i=0; while mknod node.$number.$i c 1 3; do i=$((i+1)); done) & pids=\"$pids $!\"; done; \
         sleep 0.5; kill -9 $pids; (exec >/dev/null 2>&1; sleep 0.2; mknod late c 1 3) & exit 0",
    );
    // All that was made is whole.
    let names = std::fs::read_dir(tree.path("opt")).unwrap().map(|entry| entry.unwrap().file_name());
    let nodes: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with("node.")).collect();
    assert!(!nodes.is_empty());
    for name in nodes {
        assert_eq!(tree.device(&format!("opt/{}", name.display())).as_deref(), Some("c 1 3"));
    }
}

#[test]
fn who_reads_a_tree_sees_nodes_instead_of_what_stands_for_them() {
    let tree = Tree::new();
    tree.run(
        "cd /opt; mknod null c 1 3; mknod -m 640 disk b 259 70000; chown 5:6 disk; ln disk again; touch file",
    );
    let path = tree.directory.path().to_str().unwrap();
    let devices = || vec![PathBuf::from("/opt/null")];
    let says = |directory: &str, script: &str| {
        let command = tree.host.command("sh").args(["-e", "-c", script, "sh", path]).current_dir(directory);
        command.shows_devices(devices()).output().unwrap()
    };
    let expected = "character special file 666 0:0 1 1:3\nblock special file 640 5:6 2 103:11170\n\
                    block special file 640 5:6 2 103:11170\nregular empty file 644 0:0 1 0:0\n";
    let expected = expected.replace("666", "644");
    let format = "--format '%F %a %u:%g %h %t:%T'";
    assert_eq!(says("/", &format!("cd \"$1\"/opt; stat {format} null disk again file")), expected);
    assert_eq!(
        says("/", &format!("stat {format} $1/opt/null $1/opt/disk $1/opt/again $1/opt/file")),
        expected
    );
    assert_eq!(says("/", "getfattr --dump --match=- --absolute-names \"$1\"/opt/null"), "");
    // Nobody else does.
    let command = tree.host.command("stat").args(["--format", "%F"]).arg(tree.path("opt/null"));
    assert_eq!(command.output().unwrap(), "regular empty file\n");
}

/// Gives all that it starts a listener of its own, of which there can be one only.
const LISTENING: &str = "my $filter = pack(q(SCCL), 6, 0, 0, 0x7fff0000); my $program = pack(q(Sx6P), 1, $filter); \
    my $listener = syscall(shift() + 0, 1, 8, $program); $listener >= 0 or die $!; \
    open(my $handle, q(+<&=), $listener) or die $!; use Fcntl; fcntl($handle, F_SETFD, 0) or die $!; exec @ARGV or die $!";

#[test]
fn where_calls_cannot_be_answered_nothing_is_taken_for_a_file() {
    const NAME: &str = "devices::where_calls_cannot_be_answered_nothing_is_taken_for_a_file";
    const INNER: &str = "KIWI_TEST_LISTENING";
    if std::env::var_os(INNER).is_none() {
        let program = std::env::current_exe().unwrap();
        let mut inner = std::process::Command::new("perl");
        inner.args(["-e", LISTENING, &libc::SYS_seccomp.to_string()]).arg(program).args(["--exact", NAME]);
        let output = inner.env(INNER, "1").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        return;
    }
    let tree = Tree::new();
    assert_eq!(tree.run("echo runs"), "runs\n");
    let command = tree.host.command("stat").arg(tree.path("opt")).shows_devices(vec!["/opt/null".into()]);
    let error = command.run().unwrap_err();
    assert!(matches!(error, kiwi::host::CommandError::Devices { .. }), "{error}");
    assert!(error.to_string().contains("/opt/null"), "{error}");
}
