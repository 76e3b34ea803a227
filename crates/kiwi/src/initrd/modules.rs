//! The kernel modules of a boot image: those a machine may need to reach its disk, with their dependencies.

use std::collections::BTreeSet;
use std::io::Read;

use anyhow::{Context, Result};
use description::{DriverKind, Drivers};
use ondisk::modules::{Lookup, ModuleFiles, ModuleIndex, module_name, uncompressed};

use crate::kernel::Kernel;
use crate::root_tree::RootTree;

/// The modules of a kernel, and the text of the files that depmod writes.
pub(super) struct Modules {
    index: ModuleIndex,
    aliases: String,
    soft_dependencies: String,
    builtin: String,
}

/// Returns the uncompressed module; distributions compress modules in different ways.
pub(super) fn decompressed(path: &str, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let mut plain = Vec::new();
    let unpacked = if path.ends_with(".xz") {
        liblzma::read::XzDecoder::new(bytes.as_slice()).read_to_end(&mut plain)
    } else if path.ends_with(".zst") {
        zstd::Decoder::new(bytes.as_slice()).and_then(|mut decoder| decoder.read_to_end(&mut plain))
    } else if path.ends_with(".gz") {
        flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut plain)
    } else {
        return Ok(bytes);
    };
    unpacked.with_context(|| format!("decompressing the kernel module {path}"))?;
    Ok(plain)
}

/// Decompresses every module of a boot tree in place: `linuxrc` passes modules to the kernel unchanged.
pub(super) fn decompress_in_place(tree: &RootTree) -> Result<()> {
    for version in tree.list("lib/modules")? {
        let base = format!("lib/modules/{version}");
        let list = format!("{base}/modules.dep");
        let Ok(text) = tree.read_text(&list) else { continue };
        let mut plain = String::new();
        for line in text.lines() {
            let (path, needed) = line.split_once(':').unwrap_or((line, ""));
            if uncompressed(path) != path && tree.exists(format!("{base}/{path}")) {
                let bytes = decompressed(path, tree.read(format!("{base}/{path}"))?)?;
                tree.write(format!("{base}/{}", uncompressed(path)), bytes, 0o644)?;
                tree.remove(format!("{base}/{path}"))?;
            }
            let needed: Vec<&str> = needed.split_whitespace().map(uncompressed).collect();
            plain += &format!("{}: {}\n", uncompressed(path), needed.join(" "));
        }
        tree.write(&list, plain, 0o644)?;
        tree.remove(format!("{base}/modules.dep.bin"))?;
    }
    Ok(())
}

impl Modules {
    pub(super) fn read(tree: &RootTree, kernel: &Kernel) -> Result<Self> {
        let base = format!("lib/modules/{}", kernel.version);
        let text = tree.read_text(format!("{base}/modules.dep")).with_context(|| {
            format!(
                "kernel {} has no list of its modules; the package kmod writes it (depmod)",
                kernel.version
            )
        })?;
        let optional = |name: &str| tree.read_text(format!("{base}/{name}")).unwrap_or_default();
        Ok(Self::parse(
            &text,
            optional("modules.alias"),
            optional("modules.softdep"),
            optional("modules.builtin"),
        ))
    }

    fn parse(dependencies: &str, aliases: String, soft_dependencies: String, builtin: String) -> Self {
        let files = ModuleFiles {
            dependencies,
            soft_dependencies: &soft_dependencies,
            aliases: &aliases,
            builtin: &builtin,
        };
        let index = ModuleIndex::parse(files, |_| true);
        Self { index, aliases, soft_dependencies, builtin }
    }

    /// Returns the names of the modules among `names` that this kernel has, with all their hard and soft dependencies.
    pub(super) fn closure<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<&str> {
        self.index.closure(names, Lookup::Names)
    }

    /// Returns the paths of `chosen` modules below the directory of the modules, as they are in the tree.
    pub(super) fn paths<'a>(&'a self, chosen: &[&'a str]) -> BTreeSet<&'a str> {
        chosen.iter().filter_map(|name| self.index.module(name)).map(|module| module.path.as_str()).collect()
    }

    /// Returns the modules that `<drivers>` names, and the names for which this kernel has no module and nothing built in.
    pub(super) fn named<'a>(&'a self, drivers: &[Drivers]) -> (Vec<&'a str>, Vec<String>) {
        let (mut chosen, mut lacking) = (Vec::new(), Vec::new());
        for section in drivers {
            for file in &section.files {
                let matching = self.index.paths().filter(|(_, path)| names(section.kind, file, path));
                let found: Vec<&str> = matching.map(|(name, _)| name).collect();
                if found.is_empty() && !self.index.provides(&module_name(file), Lookup::Names) {
                    lacking.push(file.clone());
                }
                chosen.extend(found);
            }
        }
        (chosen, lacking)
    }

    /// Returns whether this kernel has that code neither as a module nor built in. If the tree has no list of built-in
    /// modules, the code is assumed to be built in.
    pub(super) fn lacks(&self, name: &str) -> bool {
        !self.index.has_no_builtin_list() && !self.index.provides(name, Lookup::Names)
    }

    /// Returns the files that `linuxrc` reads, limited to the `chosen` modules: name and text of each.
    pub(super) fn files(&self, chosen: &[&str]) -> Vec<(&'static str, String)> {
        let names: BTreeSet<&str> = chosen.iter().copied().collect();
        let modules: BTreeSet<_> = names.iter().filter_map(|name| self.index.module(name)).collect();
        let dependencies = modules.iter().map(|module| {
            let depends: Vec<&str> = module.depends.iter().map(|path| uncompressed(path)).collect();
            let blank = if depends.is_empty() { "" } else { " " };
            format!("{}:{blank}{}\n", uncompressed(&module.path), depends.join(" "))
        });
        let keep = |line: &&str, field: usize| {
            line.split_whitespace().nth(field).is_some_and(|name| names.contains(module_name(name).as_str()))
        };
        let lines = |text: &str, field: usize| -> String {
            text.lines().filter(|line| keep(line, field)).flat_map(|line| [line, "\n"]).collect()
        };
        vec![
            ("modules.dep", dependencies.collect()),
            ("modules.alias", lines(&self.aliases, 2)),
            ("modules.softdep", lines(&self.soft_dependencies, 1)),
            ("modules.builtin", self.builtin.clone()),
        ]
    }
}

/// Returns whether `file` of a section of `<drivers>` names the module at `path` (docs/formats/boot-images.md): a path below the
/// directory of the section's kind, or below `drivers/`, or all modules of a directory (`virtio/*`); or the name of a module.
fn names(kind: DriverKind, file: &str, path: &str) -> bool {
    if !file.contains('/') && !file.ends_with(".ko") {
        return module_name(path) == module_name(file);
    }
    let directory = match kind {
        DriverKind::Drivers => "",
        DriverKind::Net => "drivers/net/",
        DriverKind::Usb => "drivers/usb/",
        DriverKind::Scsi => "drivers/scsi/",
    };
    let path = uncompressed(path).strip_prefix("kernel/").unwrap_or(path);
    [directory, "drivers/"].iter().filter_map(|base| path.strip_prefix(base)).any(|rest| {
        match file.strip_suffix('*').filter(|directory| directory.ends_with('/')) {
            Some(directory) => rest.starts_with(directory),
            None => rest == uncompressed(file),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modules() -> Modules {
        Modules::parse(
            "kernel/fs/ext4/ext4.ko.xz: kernel/fs/jbd2/jbd2.ko.xz\nkernel/fs/jbd2/jbd2.ko.xz:\n\
             kernel/lib/crc32c-generic.ko.xz:\nkernel/drivers/net/x.ko.xz:\n",
            "alias fs-ext4 ext4\nalias pci:v1 x\n".to_owned(),
            "softdep ext4 pre: crc32c-generic\n".to_owned(),
            String::new(),
        )
    }

    #[test]
    fn closure_follows_hard_and_soft_dependencies() {
        let modules = modules();
        let chosen = modules.closure(["ext4", "not_there"].into_iter());
        let expected =
            ["kernel/fs/ext4/ext4.ko.xz", "kernel/fs/jbd2/jbd2.ko.xz", "kernel/lib/crc32c-generic.ko.xz"];
        assert_eq!(modules.paths(&chosen).into_iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn drivers_are_named_by_path_directory_or_name() {
        let modules = Modules::parse(
            "kernel/drivers/net/phy/a.ko.xz:\nkernel/drivers/net/phy/b.ko.xz:\nkernel/drivers/scsi/s.ko.xz:\nkernel/fs/f-s.ko.xz:\n",
            String::new(),
            String::new(),
            "kernel/drivers/usb/core/usbcore.ko\n".to_owned(),
        );
        let named = |kind, files: &[&str]| {
            modules.named(&[Drivers { kind, files: files.iter().map(|file| (*file).to_owned()).collect() }])
        };
        assert_eq!(named(DriverKind::Net, &["phy/*"]).0, ["a", "b"]);
        assert_eq!(named(DriverKind::Scsi, &["s.ko"]).0, ["s"]);
        assert_eq!(named(DriverKind::Usb, &["net/phy/b.ko", "core/usbcore.ko"]), (vec!["b"], vec![]));
        assert_eq!(
            named(DriverKind::Drivers, &["fs/f-s.ko", "drivers/scsi/*", "f_s"]).0,
            ["f_s", "s", "f_s"]
        );
        assert_eq!(named(DriverKind::Drivers, &["fs/x.ko", "y"]).1, ["fs/x.ko", "y"]);
    }

    #[test]
    fn code_that_is_built_in_is_not_missing() {
        let unknown = modules();
        assert!(!unknown.lacks("ext4") && !unknown.lacks("xfs"));
        let known = Modules::parse(
            "a/ext4.ko:\n",
            String::new(),
            String::new(),
            "kernel/fs/fuse/fuse.ko\n".to_owned(),
        );
        assert!(!known.lacks("ext4") && !known.lacks("fuse") && known.lacks("xfs"));
    }

    #[test]
    fn files_name_only_chosen_modules() {
        let modules = modules();
        let files = modules.files(&modules.closure(["ext4"].into_iter()));
        assert_eq!(
            files[0].1,
            "kernel/fs/ext4/ext4.ko: kernel/fs/jbd2/jbd2.ko\nkernel/fs/jbd2/jbd2.ko:\nkernel/lib/crc32c-generic.ko:\n"
        );
        assert_eq!(files[1].1, "alias fs-ext4 ext4\n");
    }
}
