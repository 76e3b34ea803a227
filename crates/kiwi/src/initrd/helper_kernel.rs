//! The kernel that fills a file system: that of the tree, or the one that `--helper-kernel` names.

use std::path::{Path, PathBuf};

use anyhow::Result;
use ondisk::Filesystem;

use super::modules::Modules;
use crate::failure::fail;
use crate::kernel::Kernel;
use crate::root_tree::RootTree;

/// A kernel outside the root tree, with its modules: `ROOT/boot/vmlinuz-VERSION` and `ROOT/lib/modules/VERSION`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HelperKernel {
    /// The directory above `boot` and `lib`.
    root: PathBuf,
    version: String,
}

impl HelperKernel {
    /// Interprets the value of `--helper-kernel`; fails unless the kernel and its modules exist.
    pub fn parse(path: &Path) -> Result<Self> {
        let path = match path.canonicalize() {
            Ok(path) => path,
            Err(error) => {
                fail!(File, "cannot read the kernel {} of --helper-kernel: {error}", path.display())
            }
        };
        let version = path.file_name().and_then(|name| name.to_str()?.strip_prefix("vmlinuz-"));
        let root = path.parent().filter(|directory| directory.ends_with("boot")).and_then(Path::parent);
        if let (Some(version), Some(root)) = (version, root)
            && root.join("lib/modules").join(version).join("modules.dep").is_file()
        {
            return Ok(Self { root: root.to_owned(), version: version.to_owned() });
        }
        fail!(
            Usage,
            "--helper-kernel {}: expected ROOT/boot/vmlinuz-VERSION with its modules in ROOT/lib/modules/VERSION, and their list \
             modules.dep, which depmod writes",
            path.display()
        )
    }

    /// Returns the tree with the kernel, and the kernel.
    fn open(&self) -> Result<(RootTree, Kernel)> {
        let image = format!("boot/vmlinuz-{}", self.version);
        Ok((RootTree::unlocked(&self.root)?, Kernel { version: self.version.clone(), image }))
    }
}

/// A kernel that has the drivers of some file systems.
pub(super) struct ChosenKernel {
    /// The tree that contains it, if that is not the root tree.
    pub(super) other: Option<RootTree>,
    pub(super) kernel: Kernel,
    pub(super) modules: Modules,
}

/// Returns the kernel of the tree, or `named` if that one lacks a driver.
pub(super) fn choose(
    filesystems: &[Filesystem],
    named: Option<&HelperKernel>,
    tree: &RootTree,
) -> Result<ChosenKernel> {
    let lacking = |modules: &Modules| -> Option<&'static str> {
        let lacking = filesystems.iter().find(|filesystem| modules.lacks(filesystem.module()));
        lacking.map(|filesystem| filesystem.keyword())
    };
    let own = Kernel::find(tree).ok();
    let own = own.map(|kernel| Modules::read(tree, &kernel).map(|modules| (kernel, modules))).transpose()?;
    let reason = match own {
        Some((kernel, modules)) => match lacking(&modules) {
            None => return Ok(ChosenKernel { other: None, kernel, modules }),
            Some(keyword) => format!("kernel {} of the root tree has no driver of {keyword}", kernel.version),
        },
        None => "the root tree has no kernel".to_owned(),
    };
    let Some(named) = named else {
        let keywords: Vec<&str> = filesystems.iter().map(|filesystem| filesystem.keyword()).collect();
        fail!(
            Packages,
            "only a kernel with its driver can fill the file system {}, and {reason}; name one with --helper-kernel, such as the \
             package linux-image-amd64 of Debian 12 depends on, install it in the tree, or use ext4",
            keywords.join(" and ")
        );
    };
    let (other, kernel) = named.open()?;
    let modules = Modules::read(&other, &kernel)?;
    if let Some(keyword) = lacking(&modules) {
        fail!(
            Packages,
            "{reason}, and kernel {} of --helper-kernel has none; name another one, such as the package linux-image-amd64 of \
             Debian 12 depends on, or use another file system than {keyword}",
            kernel.version
        );
    }
    Ok(ChosenKernel { other: Some(other), kernel, modules })
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use super::*;

    /// A kernel without a real image, and modules without content.
    fn kernel(root: &Path, version: &str, modules: &str) -> PathBuf {
        let lists = root.join("lib/modules").join(version);
        std::fs::create_dir_all(&lists).unwrap();
        std::fs::create_dir_all(root.join("boot")).unwrap();
        std::fs::write(lists.join("modules.dep"), modules).unwrap();
        std::fs::write(lists.join("modules.builtin"), "kernel/fs/ext4/ext4.ko\n").unwrap();
        let image = root.join("boot").join(format!("vmlinuz-{version}"));
        std::fs::write(&image, "").unwrap();
        image
    }

    #[test]
    fn a_kernel_is_named_by_its_image() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let image = kernel(&root, "6", "");
        let named = HelperKernel { root: root.clone(), version: "6".to_owned() };
        assert_eq!(HelperKernel::parse(&image).unwrap(), named);
        // As a package has it before depmod ran.
        std::fs::remove_file(root.join("lib/modules/6/modules.dep")).unwrap();
        for (path, part) in [
            (image, "expected ROOT/boot/vmlinuz-VERSION"),
            (root.join("boot"), "expected ROOT/boot/vmlinuz-VERSION"),
            (root.join("boot/missing"), "cannot read the kernel"),
        ] {
            let error = HelperKernel::parse(&path).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn the_tree_comes_first_and_a_missing_driver_has_a_remedy() {
        let directory = tempfile::tempdir().unwrap();
        let [tree, other] = ["tree", "other"].map(|name| directory.path().join(name));
        let driver = "kernel/fs/reiserfs/reiserfs.ko:\n";
        kernel(&other, "7", driver);
        let root = other.canonicalize().unwrap();
        let named = HelperKernel { root, version: "7".to_owned() };
        std::fs::create_dir(&tree).unwrap();
        let chosen = |named: Option<&HelperKernel>| {
            let tree = RootTree::merged(&tree).unwrap();
            choose(&[Filesystem::Reiserfs], named, &tree).map(|chosen| chosen.kernel.version)
        };
        let error = chosen(None).unwrap_err().to_string();
        assert!(error.contains("the root tree has no kernel; name one with --helper-kernel"), "{error}");
        assert_eq!(chosen(Some(&named)).unwrap(), "7");
        kernel(&tree, "6", "");
        let error = chosen(None).unwrap_err().to_string();
        assert!(error.contains("kernel 6 of the root tree has no driver of reiserfs; name one"), "{error}");
        assert_eq!(chosen(Some(&named)).unwrap(), "7");
        kernel(&other, "7", "");
        let error = chosen(Some(&named)).unwrap_err().to_string();
        assert!(error.contains("kernel 7 of --helper-kernel has none"), "{error}");
        kernel(&tree, "6", driver);
        assert_eq!(chosen(Some(&named)).unwrap(), "6");
    }
}
