//! Loading kernel modules for the devices of the machine.
//!
//! `Modules` walks the devices in sysfs and loads the module for each one; new buses bring new devices, so the
//! walk is repeated until nothing new appears. Modules are plain `.ko` files, the builder decompresses them.
//!
//! A module that does not load is not an error: its hardware may be absent. If something is missing in the end (a root
//! device, a file system), that error lists the loaded modules and those that failed.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ondisk::modules::{Lookup, ModuleFiles, ModuleIndex, uncompressed};

use crate::boot_failure::BootFailure;
use crate::console::Console;
use crate::machine::Machine;

/// How a module file is loaded into the kernel; tests record the files instead.
type Insert = fn(&Path) -> io::Result<()>;

/// Reads depmod's files below `directory`; a missing one is empty. Only modules whose file is there count.
fn read_index(directory: &Path) -> ModuleIndex {
    let text = |name: &str| fs::read_to_string(directory.join(name)).unwrap_or_default();
    let files = ModuleFiles {
        dependencies: &text("modules.dep"),
        soft_dependencies: &text("modules.softdep"),
        aliases: &text("modules.alias"),
        builtin: &text("modules.builtin"),
    };
    ModuleIndex::parse(files, |path| directory.join(path).exists())
}

/// The modules of an initrd and their state.
pub(crate) struct Modules {
    directory: PathBuf,
    index: ModuleIndex,
    insert: Insert,
    /// Modaliases that were already handled.
    seen: HashSet<String>,
    loaded: BTreeSet<String>,
    failed: Vec<(String, io::Error)>,
}

impl Modules {
    /// Reads the modules for the running kernel and loads those in `named`.
    pub(crate) fn open(machine: &Machine, named: &[String], console: &Console) -> Self {
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let mut modules = Self::at(machine.root.join("lib/modules").join(release), crate::sys::insert_module);
        named.iter().for_each(|name| modules.load(name, console));
        modules
    }

    fn at(directory: PathBuf, insert: Insert) -> Self {
        let index = read_index(&directory);
        Self { directory, index, insert, seen: HashSet::new(), loaded: BTreeSet::new(), failed: Vec::new() }
    }

    /// Returns whether the kernel contains `name` itself, or the initrd has a module for it.
    pub(crate) fn provides(&self, name: &str) -> bool {
        self.index.provides(name, Lookup::NamesAndAliases)
    }

    /// Loads `name` with its dependencies, as far as they exist.
    pub(crate) fn load(&mut self, name: &str, console: &Console) {
        let reason = name.get(..60).unwrap_or(name);
        for module in self.index.closure([name], Lookup::NamesAndAliases) {
            if self.loaded.contains(module) || self.failed.iter().any(|(failed, _)| failed == module) {
                continue;
            }
            let Some(file) = self.index.module(module) else { continue };
            match (self.insert)(&self.directory.join(uncompressed(&file.path))) {
                Ok(()) => {
                    console.trace(&format!("module {module} for {reason}"));
                    self.loaded.insert(module.to_owned());
                }
                Err(error) => {
                    console.trace(&format!("module {module} for {reason}: {error}"));
                    self.failed.push((module.to_owned(), error));
                }
            }
        }
    }

    /// Loads the modules for devices that appeared since the last call; returns whether there were any.
    pub(crate) fn serve_devices(&mut self, machine: &Machine, console: &Console) -> bool {
        let fresh: Vec<String> =
            modaliases(&machine.sys).into_iter().filter(|alias| !self.seen.contains(alias)).collect();
        for alias in &fresh {
            self.seen.insert(alias.clone());
            self.load(alias, console);
        }
        !fresh.is_empty()
    }

    /// Returns the error for the file system `keyword` on `location`, which the kernel does not know (ENODEV).
    pub(crate) fn unknown_filesystem(&self, keyword: &str, module: &str, location: &Path) -> BootFailure {
        let state = if self.provides(module) { "did not load" } else { "is missing in the initrd" };
        BootFailure::shell(format!(
            "The kernel cannot mount {keyword}, which is on {}: its module {module} {state}.\n\n\
             Nothing is wrong with what is there; make the boot image again, with the module.\n{}",
            location.display(),
            self.report()
        ))
    }

    /// Returns a list of loaded and failed modules for a boot failure.
    pub(crate) fn report(&self) -> String {
        let list = |names: Vec<String>| if names.is_empty() { "none".to_owned() } else { names.join(" ") };
        let mut text = format!("Modules loaded: {}", list(self.loaded.iter().cloned().collect()));
        if self.index.is_empty() {
            text += &format!(
                "\nThe initrd has no modules for this kernel: {} is missing",
                self.directory.display()
            );
        }
        // A driver returns ENODEV if its hardware is absent, which is normal.
        for (name, error) in &self.failed {
            if error.raw_os_error() != Some(rustix::io::Errno::NODEV.raw_os_error()) {
                text += &format!("\nModule {name} did not load: {error}");
            }
        }
        text
    }
}

/// Drivers of USB keyboards. Loaded once, they serve a keyboard whenever it is plugged in.
const KEYBOARDS: [&str; 2] = ["usbhid", "hid_generic"];

/// Loads the drivers of keyboards. Called before somebody has to type: a keyboard can appear after the disk that ended the search
/// for devices.
pub(crate) fn load_keyboards(console: &Console) {
    let machine = console.machine();
    let mut modules = Modules::open(machine, &KEYBOARDS.map(str::to_owned), console);
    while modules.serve_devices(machine, console) {}
}

/// Returns the modaliases of the devices of all buses, and of the processor.
fn modaliases(sys: &Path) -> BTreeSet<String> {
    let entries = |path: &Path| fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path());
    entries(&sys.join("bus"))
        .flat_map(|bus| entries(&bus.join("devices")))
        .chain([sys.join("devices/system/cpu")])
        .filter_map(|device| fs::read_to_string(device.join("modalias")).ok())
        .map(|alias| alias.trim_end().to_owned())
        .filter(|alias| !alias.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEP: &str = "kernel/drivers/virtio/virtio_pci.ko.xz: kernel/drivers/virtio/virtio.ko.xz\n\
        kernel/drivers/virtio/virtio.ko.xz:\nkernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko.xz\n\
        kernel/drivers/late.ko:\n";
    const ALIAS: &str = "alias virtio:d00000002v* virtio_blk\n";

    fn insert_unless_empty(path: &Path) -> io::Result<()> {
        match fs::metadata(path)?.len() {
            0 => Err(rustix::io::Errno::NOEXEC.into()),
            _ => Ok(()),
        }
    }

    #[test]
    fn devices_are_served_once_and_failures_are_reported() {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::below(dir.path());
        let console = Console::quiet(&machine);
        let lib = dir.path().join("lib");
        for directory in ["virtio", "block"] {
            fs::create_dir_all(lib.join("kernel/drivers").join(directory)).unwrap();
        }
        fs::write(lib.join("modules.dep"), DEP).unwrap();
        fs::write(lib.join("modules.alias"), ALIAS).unwrap();
        fs::write(lib.join("kernel/drivers/virtio/virtio.ko"), "module").unwrap();
        fs::write(lib.join("kernel/drivers/block/virtio_blk.ko"), "").unwrap();
        let mut modules = Modules::at(lib, insert_unless_empty);

        let device = machine.sys.join("bus/virtio/devices/virtio0");
        fs::create_dir_all(&device).unwrap();
        fs::write(device.join("modalias"), "virtio:d00000002v00001AF4\n").unwrap();
        assert!(!modules.provides("late"), "its file is not in the initrd");
        assert!(modules.serve_devices(&machine, &console));
        assert!(!modules.serve_devices(&machine, &console));
        let report = modules.report();
        assert!(report.starts_with("Modules loaded: virtio\n"), "{report}");
        assert!(report.contains("Module virtio_blk did not load: Exec format error"), "{report}");
    }
}
