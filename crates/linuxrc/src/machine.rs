//! The machine as linuxrc sees it: the directories of its devices, its kernel and the initrd itself.

use std::ffi::CStr;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::mount::{MountFlags, mount};

use crate::boot_failure::BootFailure;

/// The directories. Tests create a machine below a temporary directory.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    /// The initrd: `/`.
    pub(crate) root: PathBuf,
    /// procfs.
    pub(crate) proc: PathBuf,
    /// sysfs.
    pub(crate) sys: PathBuf,
    /// devtmpfs.
    pub(crate) dev: PathBuf,
    /// Mount point of the system before it becomes `/`.
    pub(crate) system: PathBuf,
}

impl Machine {
    /// Returns the machine that is booting.
    pub(crate) fn real() -> Self {
        Self::below(Path::new("/"))
    }

    /// Returns a machine whose initrd is the directory `root`.
    pub(crate) fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            proc: root.join("proc"),
            sys: root.join("sys"),
            dev: root.join("dev"),
            system: root.join("sysroot"),
        }
    }

    /// Returns the mount points of the kernel's file systems, which move into the system later.
    pub(crate) fn kernel_directories(&self) -> [PathBuf; 4] {
        [self.proc.clone(), self.sys.clone(), self.dev.clone(), self.root.join("run")]
    }

    /// Returns the shell of the initrd, if it has one.
    pub(crate) fn shell(&self) -> Option<PathBuf> {
        self.program(&["sh"])
    }

    /// Returns the first of these programs that the initrd has.
    pub(crate) fn program(&self, names: &[&str]) -> Option<PathBuf> {
        const DIRECTORIES: [&str; 4] = ["sbin", "usr/sbin", "bin", "usr/bin"];
        names
            .iter()
            .flat_map(|name| DIRECTORIES.map(|directory| self.root.join(directory).join(name)))
            .find(|path| path.is_file())
    }

    /// Mounts procfs, sysfs, devtmpfs and a tmpfs for /run, and connects to the console.
    ///
    /// The kernel does not mount devtmpfs itself: CONFIG_DEVTMPFS_MOUNT does not apply to initrds.
    pub(crate) fn mount_kernel_filesystems(&self) -> Result<(), BootFailure> {
        const NOTHING_RUNS: MountFlags =
            MountFlags::NOSUID.union(MountFlags::NODEV).union(MountFlags::NOEXEC);
        const DEVICES: MountFlags = MountFlags::NOSUID.union(MountFlags::NOEXEC);
        const RUN: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);
        let [proc, sys, dev, run] = self.kernel_directories();
        let mounts: [(&str, &Path, MountFlags, Option<&CStr>); 4] = [
            ("proc", &proc, NOTHING_RUNS, None),
            ("sysfs", &sys, NOTHING_RUNS, None),
            ("devtmpfs", &dev, DEVICES, Some(c"mode=755")),
            ("tmpfs", &run, RUN, Some(c"mode=755")),
        ];
        for (filesystem, directory, flags, options) in mounts {
            fs::create_dir_all(directory)
                .and_then(|()| mount(filesystem, directory, filesystem, flags, options).map_err(io::Error::from))
                // Already mounted, which is as good.
                .or_else(|error| match error.raw_os_error() {
                    Some(code) if code == rustix::io::Errno::BUSY.raw_os_error() => Ok(()),
                    _ => Err(error),
                })
                .map_err(|error| {
                    BootFailure::wait(format!(
                        "mounting {filesystem} on {}: {error}\nThe kernel lacks it, or the initrd is damaged.",
                        directory.display()
                    ))
                })?;
        }
        self.open_console();
        Ok(())
    }

    /// Connects standard input and output to the console. A machine without one boots nevertheless.
    fn open_console(&self) {
        if let Ok(console) = OpenOptions::new().read(true).write(true).open(self.dev.join("console")) {
            let _ = rustix::stdio::dup2_stdin(&console);
            let _ = rustix::stdio::dup2_stdout(&console);
            let _ = rustix::stdio::dup2_stderr(&console);
        }
    }
}

/// The kernel's reaction to a panic while linuxrc runs: a reboot after a minute instead of a machine that hangs.
///
/// The system keeps its own setting: `restore` resets it.
pub(crate) struct PanicTimeout {
    path: PathBuf,
    before: Option<String>,
}

impl PanicTimeout {
    /// Sets the timeout, unless the command line did.
    pub(crate) fn set(machine: &Machine, chosen_by_user: bool) -> Self {
        let path = machine.proc.join("sys/kernel/panic");
        let before = match fs::read_to_string(&path) {
            Ok(value) if value.trim() == "0" && !chosen_by_user => {
                fs::write(&path, "60\n").ok().map(|()| value)
            }
            Ok(_) | Err(_) => None,
        };
        Self { path, before }
    }

    /// Resets the previous value.
    pub(crate) fn restore(&self) {
        if let Some(before) = &self.before {
            let _ = fs::write(&self.path, before);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_reboots_unless_the_user_chose_and_the_system_gets_its_own_answer_back() {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::below(dir.path());
        let path = machine.proc.join("sys/kernel/panic");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        for (before, chosen, during) in
            [("0\n", false, "60\n"), ("0\n", true, "0\n"), ("-1\n", false, "-1\n")]
        {
            fs::write(&path, before).unwrap();
            let timeout = PanicTimeout::set(&machine, chosen);
            assert_eq!(fs::read_to_string(&path).unwrap(), during);
            timeout.restore();
            assert_eq!(fs::read_to_string(&path).unwrap(), before);
        }
    }

    #[test]
    fn programs_are_searched_in_order() {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::below(dir.path());
        assert_eq!(machine.program(&["e2fsck", "fsck.ext4"]), None);
        fs::create_dir_all(dir.path().join("usr/sbin")).unwrap();
        fs::write(dir.path().join("usr/sbin/fsck.ext4"), "").unwrap();
        assert_eq!(machine.program(&["e2fsck", "fsck.ext4"]), Some(dir.path().join("usr/sbin/fsck.ext4")));
    }
}
