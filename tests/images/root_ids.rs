//! The ids of programs of a tree that root starts: other ones on the machine, the same on the disk.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use kiwi_tests::program::kiwi;

/// Programs of busybox that the tests need.
const PROGRAMS: [&str; 6] = ["chmod", "chown", "sh", "sleep", "stat", "touch"];
const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="tiny">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="cpio"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="bash"/></packages>
</image>"#;
/// Prints the owner of a file that belongs to root of the machine; an owner that does not exist inside is shown as 65534.
const OWNER_OF_DEVICE: &str = "stat -c %u /dev/null";

/// A tree with busybox, which only root can enter.
fn tree(path: &Path) {
    for directory in ["bin", "dev", "proc", "run", "image", "root", "sys", "tmp", "usr/bin"] {
        std::fs::create_dir_all(path.join(directory)).unwrap();
    }
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).unwrap();
    std::fs::copy("/usr/bin/busybox", path.join("bin/busybox")).expect("package busybox-static");
    for program in PROGRAMS {
        symlink("busybox", path.join("bin").join(program)).unwrap();
    }
    symlink("/bin/busybox", path.join("usr/bin/env")).unwrap();
    std::fs::write(path.join("image/config.xml"), DESCRIPTION).unwrap();
}

fn shell(tree: &Path, script: &str) -> Command {
    let mut command = Command::new(kiwi());
    command.arg("shell").arg(tree).args(["--", "sh", "-e", "-c", script]).stdin(Stdio::null());
    command
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let (said, shown) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{command:?}: {said}{shown}");
    shown.lines().map(str::trim).collect::<Vec<_>>().join("\n")
}

/// Ends it with everything that it started.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Returns the real, effective, saved and file system id of a process whose command line contains `mark`, as the machine sees it.
fn ids_of(mark: &str, field: &str) -> Option<Vec<u32>> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let status = processes.map(|process| process.path()).find_map(|process| {
        let line = std::fs::read(process.join("cmdline")).ok()?;
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        line.starts_with(mark).then(|| std::fs::read_to_string(process.join("status")).ok())?
    })?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(line.split_whitespace().map(|id| id.parse().unwrap()).collect())
}

#[test]
fn root_of_a_tree_is_nobody_on_the_machine() {
    let directory = tempfile::tempdir().unwrap();
    let tree_path = directory.path().join("tree");
    tree(&tree_path);
    assert_eq!(output(&mut shell(&tree_path, OWNER_OF_DEVICE)), "65534");
    let mark = format!("sleep 600.{}", std::process::id());
    let _started = Started(shell(&tree_path, &format!("exec {mark}")).spawn().unwrap());
    let limit = Instant::now() + Duration::from_secs(60);
    let (uids, gids) = loop {
        if let (Some(uids), Some(gids)) = (ids_of(&mark, "Uid:"), ids_of(&mark, "Gid:")) {
            break (uids, gids);
        }
        assert!(Instant::now() < limit, "the program does not run");
        std::thread::sleep(Duration::from_millis(50));
    };
    let foreign = |ids: &[u32]| ids.len() == 4 && ids.iter().all(|id| *id >= 65_536);
    assert!(foreign(&uids) && foreign(&gids), "{uids:?} {gids:?}");
}

#[test]
fn files_of_a_tree_keep_their_owners() {
    let directory = tempfile::tempdir().unwrap();
    let tree_path = directory.path().join("tree");
    tree(&tree_path);
    // The root's, a system user's, and ids that are the same inside and outside.
    let script = "cd /root; for owner in 0:0 33:65535 100000:4000000000; do touch $owner; chown $owner $owner; done; \
        chmod 4755 33:65535; chown -h 7:8 /bin/sleep; stat -c %u:%g *";
    assert_eq!(output(&mut shell(&tree_path, script)), "0:0\n100000:4000000000\n33:65535");
    for (user, group) in [(0, 0), (33, 65_535), (100_000, 4_000_000_000)] {
        let facts = tree_path.join(format!("root/{user}:{group}")).metadata().unwrap();
        assert_eq!((facts.uid(), facts.gid()), (user, group));
    }
    let set_id = tree_path.join("root/33:65535").metadata().unwrap();
    assert_eq!(set_id.mode() & 0o7777, 0o4755);
    let link = tree_path.join("bin/sleep").symlink_metadata().unwrap();
    assert_eq!((link.uid(), link.gid()), (7, 8));
}

#[test]
fn on_a_file_system_that_cannot_be_mapped_root_keeps_its_ids() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    tree(&path("lower"));
    for name in ["upper", "work", "merged"] {
        std::fs::create_dir(path(name)).unwrap();
    }
    // The mount is seen by this shell and its children only.
    let script =
        "cd \"$0\"; mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work none merged; exec \"$@\"";
    let build = |named: &str| {
        let inside = shell(&path(named), &format!("touch /root/new; {OWNER_OF_DEVICE}"));
        let mut command = Command::new("unshare");
        command.args(["--mount", "sh", "-e", "-c", script]).arg(directory.path());
        output(command.arg(inside.get_program()).args(inside.get_args()).stdin(Stdio::null()))
    };
    assert_eq!(build("merged"), "0", "the tree is on the overlay");
    assert_eq!(path("upper/root/new").metadata().unwrap().uid(), 0);
    assert_eq!(build("lower"), "65534", "nothing that is named is on the overlay");
}

#[test]
fn a_log_may_be_a_pipe_of_the_caller() {
    let directory = tempfile::tempdir().unwrap();
    tree(&directory.path().join("tree"));
    let inside = shell(&directory.path().join("tree"), OWNER_OF_DEVICE);
    let mut command = Command::new(inside.get_program());
    let shown = output(command.args(["--logfile", "/dev/stdout"]).args(inside.get_args()));
    assert!(shown.contains("uid 0 of the tree is uid ") && !shown.contains("cannot be mapped"), "{shown}");
}
