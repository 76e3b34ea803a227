//! Kernel modules: which one drives a device, its dependencies, and loading it.
//!
//! `ModuleIndex` holds what depmod wrote below lib/modules/<release>: modules.dep, .alias, .softdep, .builtin.
//! `Modules` walks the devices in sysfs and loads the module for each one; new buses bring new devices, so the
//! walk is repeated until nothing new appears. Modules are plain `.ko` files, the builder decompresses them.
//!
//! A module that does not load is not an error: its hardware may be absent. If something is missing in the end (a root
//! device, a file system), that error lists the loaded modules and those that failed.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::boot_failure::BootFailure;
use crate::console::Console;
use crate::machine::Machine;
use crate::modalias::{matches, underscored};

/// One line of modules.dep.
#[derive(Debug)]
struct Module {
    /// Path below lib/modules/<release>, without its compression suffix.
    path: String,
    depends: Vec<String>,
}

/// One line of modules.softdep.
#[derive(Debug, Default)]
struct SoftDependency {
    before: Vec<String>,
    after: Vec<String>,
}

/// What depmod knows about the modules.
#[derive(Debug, Default)]
pub(crate) struct ModuleIndex {
    modules: HashMap<String, Module>,
    builtin: HashSet<String>,
    /// Patterns by their bus, the part before the first colon: most devices only need to be compared with few of them.
    aliases: HashMap<String, Vec<(String, String)>>,
    soft: HashMap<String, SoftDependency>,
}

/// Returns `ext4` for `kernel/fs/ext4/ext4.ko.xz`; `-` and `_` are the same character in module names.
fn module_name(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split(".ko").next().unwrap_or(file).replace('-', "_")
}

fn bus(alias: &str) -> &str {
    alias.split(':').next().unwrap_or(alias)
}

impl ModuleIndex {
    /// Reads the four files of `directory`; a missing one is empty.
    pub(crate) fn read(directory: &Path) -> Self {
        let text = |name: &str| fs::read_to_string(directory.join(name)).unwrap_or_default();
        Self::parse(
            &text("modules.dep"),
            &text("modules.alias"),
            &text("modules.softdep"),
            &text("modules.builtin"),
            |path| directory.join(path).exists(),
        )
    }

    /// The builder may keep depmod's files and omit most modules: only those that are `present` count.
    fn parse(dep: &str, alias: &str, softdep: &str, builtin: &str, present: impl Fn(&str) -> bool) -> Self {
        let mut index = Self::default();
        for line in dep.lines() {
            let Some((path, depends)) = line.split_once(':') else { continue };
            let plain = path.split_inclusive(".ko").next().unwrap_or(path).to_owned();
            let depends = depends.split_whitespace().map(module_name).collect();
            if present(&plain) {
                index.modules.insert(module_name(path), Module { path: plain, depends });
            }
        }
        index.builtin = builtin.lines().map(module_name).collect();
        for line in alias.lines() {
            let mut keywords = line.split_whitespace();
            let (Some("alias"), Some(pattern), Some(module)) =
                (keywords.next(), keywords.next(), keywords.next())
            else {
                continue;
            };
            let (pattern, module) = (underscored(pattern), module_name(module));
            if index.modules.contains_key(&module) {
                index.aliases.entry(bus(&pattern).to_owned()).or_default().push((pattern, module));
            }
        }
        for line in softdep.lines() {
            let mut keywords = line.split_whitespace();
            let (Some("softdep"), Some(module)) = (keywords.next(), keywords.next()) else { continue };
            let soft = index.soft.entry(module_name(module)).or_default();
            let mut after = false;
            for keyword in keywords {
                match keyword {
                    "pre:" => after = false,
                    "post:" => after = true,
                    name if after => soft.after.push(name.to_owned()),
                    name => soft.before.push(name.to_owned()),
                }
            }
        }
        index
    }

    /// Returns the modules for `name`, which is a module or an alias: `crc32c` is all modules that compute it.
    fn resolve(&self, name: &str) -> Vec<&str> {
        let name = underscored(name);
        if let Some((module, _)) = self.modules.get_key_value(&name) {
            return vec![module];
        }
        let patterns = self.aliases.get(bus(&name)).map(Vec::as_slice).unwrap_or_default();
        patterns
            .iter()
            .filter(|(pattern, _)| matches(pattern, &name))
            .map(|(_, module)| module.as_str())
            .collect()
    }

    /// Returns the modules to load for `name`, in order: dependencies and `pre` soft dependencies first, `post` ones last.
    pub(crate) fn closure(&self, name: &str) -> Vec<&str> {
        let mut order = Vec::new();
        let mut visited = HashSet::new();
        for module in self.resolve(name) {
            self.visit(module, &mut visited, &mut order);
        }
        order
    }

    fn visit<'a>(&'a self, name: &'a str, visited: &mut HashSet<&'a str>, order: &mut Vec<&'a str>) {
        let Some(module) = self.modules.get(name) else { return };
        if !visited.insert(name) {
            return;
        }
        let soft = self.soft.get(name);
        for wish in soft.map(|soft| soft.before.as_slice()).unwrap_or_default() {
            self.resolve(wish).into_iter().for_each(|wish| self.visit(wish, visited, order));
        }
        for depend in &module.depends {
            self.visit(depend, visited, order);
        }
        order.push(name);
        for wish in soft.map(|soft| soft.after.as_slice()).unwrap_or_default() {
            self.resolve(wish).into_iter().for_each(|wish| self.visit(wish, visited, order));
        }
    }

    /// Whether the kernel itself contains `name`, or a module of the initrd does.
    pub(crate) fn provides(&self, name: &str) -> bool {
        self.builtin.contains(&name.replace('-', "_")) || !self.resolve(name).is_empty()
    }
}

/// How a module file is loaded into the kernel; tests record the files instead.
type Insert = fn(&Path) -> io::Result<()>;

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
        let index = ModuleIndex::read(&directory);
        Self { directory, index, insert, seen: HashSet::new(), loaded: BTreeSet::new(), failed: Vec::new() }
    }

    /// Returns the index.
    pub(crate) fn index(&self) -> &ModuleIndex {
        &self.index
    }

    /// Loads `name` with its dependencies, as far as they exist.
    pub(crate) fn load(&mut self, name: &str, console: &Console) {
        let reason = name.get(..60).unwrap_or(name);
        let order: Vec<String> = self.index.closure(name).into_iter().map(str::to_owned).collect();
        for module in order {
            if self.loaded.contains(&module) || self.failed.iter().any(|(failed, _)| *failed == module) {
                continue;
            }
            let Some(Module { path, .. }) = self.index.modules.get(&module) else { continue };
            match (self.insert)(&self.directory.join(path)) {
                Ok(()) => {
                    console.trace(&format!("module {module} for {reason}"));
                    self.loaded.insert(module);
                }
                Err(error) => {
                    console.trace(&format!("module {module} for {reason}: {error}"));
                    self.failed.push((module, error));
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
        let state = if self.index.provides(module) { "did not load" } else { "is missing in the initrd" };
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
        if self.index.modules.is_empty() {
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

    const DEP: &str = "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko kernel/fs/mbcache.ko kernel/lib/crc16.ko\n\
        kernel/fs/jbd2/jbd2.ko:\nkernel/fs/mbcache.ko:\nkernel/lib/crc16.ko:\n\
        kernel/crypto/crc32c_generic.ko:\nkernel/arch/x86/crypto/crc32c-intel.ko:\n\
        kernel/drivers/virtio/virtio_pci.ko.xz: kernel/drivers/virtio/virtio.ko.xz\n\
        kernel/drivers/virtio/virtio.ko.xz:\nkernel/drivers/block/virtio_blk.ko: kernel/drivers/virtio/virtio.ko.xz\n\
        kernel/a.ko: kernel/b.ko\nkernel/b.ko: kernel/a.ko\n\
        kernel/drivers/cxl.ko:\nkernel/drivers/late.ko:\n";
    const ALIAS: &str = "# Aliases extracted from modules themselves.\n\
        alias pci:v00001AF4d*sv*sd*bc*sc*i* virtio_pci\nalias virtio:d00000002v* virtio_blk\n\
        alias crc32c crc32c_generic\nalias crc32c crc32c_intel\nalias fs-ext4 ext4\n\
        alias pci:v* not_in_this_initrd\n";
    const SOFT: &str = "softdep ext4 pre: crc32c\nsoftdep cxl pre: nothing post: late\n";

    fn index() -> ModuleIndex {
        ModuleIndex::parse(DEP, ALIAS, SOFT, "kernel/drivers/nvme/host/nvme-core.ko\n", |_| true)
    }

    #[test]
    fn dependencies_are_loaded_first() {
        assert_eq!(
            index().closure("ext4"),
            ["crc32c_generic", "crc32c_intel", "jbd2", "mbcache", "crc16", "ext4"]
        );
        assert_eq!(index().closure("cxl"), ["cxl", "late"]);
        assert_eq!(index().closure("fs-ext4").last(), Some(&"ext4"));
    }

    #[test]
    fn a_circle_of_dependencies_ends() {
        assert_eq!(index().closure("a"), ["b", "a"]);
    }

    #[test]
    fn devices_find_their_module() {
        let alias = "pci:v00001AF4d00001042sv00001AF4sd00001100bc01sc00i00";
        assert_eq!(index().closure(alias), ["virtio", "virtio_pci"]);
        assert_eq!(index().closure("virtio:d00000002v00001AF4"), ["virtio", "virtio_blk"]);
        assert!(index().closure("usb:v1").is_empty());
    }

    #[test]
    fn builtin_modules_are_provided() {
        assert!(index().provides("nvme-core") && index().provides("ext4") && !index().provides("xfs"));
    }

    #[test]
    fn compressed_names_mean_the_file_the_builder_decompressed() {
        assert_eq!(index().modules["virtio"].path, "kernel/drivers/virtio/virtio.ko");
    }

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
        assert!(modules.index().resolve("late").is_empty(), "its file is not in the initrd");
        assert!(modules.serve_devices(&machine, &console));
        assert!(!modules.serve_devices(&machine, &console));
        let report = modules.report();
        assert!(report.starts_with("Modules loaded: virtio\n"), "{report}");
        assert!(report.contains("Module virtio_blk did not load: Exec format error"), "{report}");
    }
}
