//! Starts the system: it becomes `/`, the initrd's memory is freed, and its init becomes PID 1.

use std::convert::Infallible;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::mount::{UnmountFlags, mount_move, unmount};

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::console::Console;
use crate::machine::{Machine, PanicTimeout};

/// The default paths of the system's init.
const INITS: [&str; 4] = ["/sbin/init", "/etc/init", "/bin/init", "/usr/lib/systemd/systemd"];

/// Starts the mounted system.
pub(crate) fn enter(
    machine: &Machine,
    plan: &BootPlan,
    panic: &PanicTimeout,
    console: &Console,
) -> Result<Infallible, BootFailure> {
    let init = find_init(&machine.system, plan.init.as_deref(), console.debug())?;
    console.trace(&format!("the system's init is {init}"));
    panic.restore();
    console.phase("switch_root");
    let failed = |doing: &str, error: io::Error| BootFailure::reboot(format!("{doing}: {error}"));
    move_kernel_filesystems(machine, console);
    clear_initrd(&machine.root).map_err(|error| failed("freeing the initrd's memory", error))?;
    std::env::set_current_dir(&machine.system)
        .and_then(|()| mount_move(".", "/").map_err(io::Error::from))
        .and_then(|()| rustix::process::chroot(".").map_err(io::Error::from))
        .and_then(|()| std::env::set_current_dir("/"))
        .map_err(|error| failed("entering the system", error))?;
    // The kernel passes parameters that it does not know to init (`single`, `3`).
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let error = Command::new(init).args(arguments).exec();
    Err(failed(&format!("starting {init}"), error))
}

/// Returns the init of the system. Without one, DEBUG=1 opens a shell.
fn find_init<'a>(system: &Path, asked: Option<&'a str>, debug: bool) -> Result<&'a str, BootFailure> {
    let candidates = match asked {
        Some(init) => vec![init],
        None => INITS.to_vec(),
    };
    let shell = debug.then_some("/bin/sh");
    candidates.iter().copied().chain(shell).find(|init| is_program(system, init)).ok_or_else(|| {
        BootFailure::shell(format!(
            "the system has no init: {} is not there.\n\
             The device holds a file system, but no system; or init= names something else.",
            candidates.join(", ")
        ))
    })
}

/// Whether `path` is an executable file of the system. Links are resolved in the system, not in the initrd.
fn is_program(system: &Path, path: &str) -> bool {
    let open = || -> rustix::io::Result<bool> {
        let root = rustix::fs::open(system, OFlags::PATH | OFlags::DIRECTORY, Mode::empty())?;
        let file = rustix::fs::openat2(&root, path, OFlags::PATH, Mode::empty(), ResolveFlags::IN_ROOT)?;
        let mode = rustix::fs::fstat(&file)?.st_mode;
        Ok(rustix::fs::FileType::from_raw_mode(mode).is_file() && mode & 0o111 != 0)
    };
    open().unwrap_or(false)
}

/// Moves /dev, /proc, /sys and /run. Those without a mount point in the system stay behind: its init mounts its own.
fn move_kernel_filesystems(machine: &Machine, console: &Console) {
    for from in machine.kernel_directories() {
        let Some(name) = from.file_name() else { continue };
        let to = machine.system.join(name);
        // On a read-only system this fails, and so does the move.
        let _ = fs::create_dir(&to);
        if let Err(error) = mount_move(&from, &to) {
            console.trace(&format!("moving {}: {error}", from.display()));
            let _ = unmount(&from, UnmountFlags::DETACH);
        }
    }
}

/// Deletes the initrd from memory; file systems mounted below it are left alone.
fn clear_initrd(root: &Path) -> io::Result<()> {
    const RAMFS: i64 = 0x8584_58f6;
    const TMPFS: i64 = 0x0102_1994;
    // Even after an earlier error: only memory is ever deleted.
    if !matches!(rustix::fs::statfs(root)?.f_type, RAMFS | TMPFS) {
        return Ok(());
    }
    clear(root, fs::symlink_metadata(root)?.dev())
}

fn clear(directory: &Path, device: u64) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.dev() != device {
            continue;
        }
        if metadata.is_dir() {
            clear(&entry.path(), device)?;
            // A directory with a mount point inside stays.
            let _ = fs::remove_dir(entry.path());
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn system() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for directory in ["sbin", "bin", "usr/lib/systemd"] {
            fs::create_dir_all(dir.path().join(directory)).unwrap();
        }
        dir
    }

    fn add_program(system: &Path, path: &str) {
        let path = system.join(path);
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[test]
    fn links_are_resolved_inside_the_system() {
        let system = system();
        symlink("/usr/lib/systemd/systemd", system.path().join("sbin/init")).unwrap();
        assert!(find_init(system.path(), None, false).is_err(), "what it points to is missing in the system");
        add_program(system.path(), "usr/lib/systemd/systemd");
        assert_eq!(find_init(system.path(), None, false), Ok("/sbin/init"));
    }

    #[test]
    fn a_missing_init_is_reported_and_debug_gets_a_shell() {
        let system = system();
        fs::write(system.path().join("sbin/init"), "not executable").unwrap();
        add_program(system.path(), "bin/sh");
        let text = find_init(system.path(), None, false).unwrap_err().text;
        let expected = "the system has no init: /sbin/init, /etc/init, /bin/init, /usr/lib/systemd/systemd is not there.";
        assert_eq!(text.lines().next(), Some(expected));
        assert_eq!(find_init(system.path(), None, true), Ok("/bin/sh"));
        assert!(find_init(system.path(), Some("/sbin/mine"), false).unwrap_err().text.contains("/sbin/mine"));
    }

    #[test]
    fn only_files_on_the_device_are_deleted() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("a/b")).unwrap();
        fs::write(dir.path().join("a/b/c"), "").unwrap();
        symlink("/", dir.path().join("outside")).unwrap();
        let device = fs::metadata(dir.path()).unwrap().dev();
        clear(dir.path(), device + 1).unwrap();
        assert!(dir.path().join("a/b/c").exists());
        clear(dir.path(), device).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(Path::new("/").exists());
    }
}
