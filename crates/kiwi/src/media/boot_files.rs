//! A finished boot image: the published initrd and the kernel beside it.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use bootconfig::Checksum;
use ondisk::Bytes;

use crate::artifact;
use crate::failure::fail;
use crate::host::Host;

/// The two files that start a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootFiles {
    /// `N.gz`
    pub initrd: PathBuf,
    /// `N.kernel.VERSION`
    pub kernel: PathBuf,
    /// The kernel's version.
    pub kernel_version: String,
    /// `N.kernel-xen.VERSION.gz`, which starts the kernel.
    pub hypervisor: Option<PathBuf>,
}

impl BootFiles {
    /// Finds the kernel that belongs to the boot image at `initrd`.
    pub fn find(initrd: &Path) -> Result<Self> {
        if !initrd.is_file() {
            fail!(
                File,
                "there is no boot image at {}; 'kiwi create' makes one from a boot description",
                initrd.display()
            );
        }
        let prefix = format!("{}.kernel.", base_name(initrd));
        let directory = directory_of(initrd);
        let mut kernels = Vec::new();
        for entry in directory.read_dir().with_context(|| format!("reading {}", directory.display()))? {
            let name = entry.with_context(|| format!("reading {}", directory.display()))?.file_name();
            if let Some(version) = name.to_string_lossy().strip_prefix(&prefix) {
                kernels.push((directory.join(&name), version.to_owned()));
            }
        }
        kernels.sort();
        match <[_; 1]>::try_from(kernels) {
            Ok([(kernel, kernel_version)]) => {
                let name = format!("{}.kernel-xen.{kernel_version}.gz", base_name(initrd));
                let hypervisor = Some(directory.join(name)).filter(|path| path.is_file());
                Ok(Self { initrd: initrd.to_owned(), kernel, kernel_version, hypervisor })
            }
            Err(kernels) if kernels.is_empty() => fail!(
                File,
                "the kernel of the boot image {} is missing: expected {prefix}VERSION beside it",
                initrd.display()
            ),
            Err(kernels) => bail!(
                "the boot image {} has {} kernels beside it, {prefix}VERSION; remove the old ones",
                initrd.display(),
                kernels.len()
            ),
        }
    }

    /// Returns the checksums of both, which identify a medium made from them.
    pub fn sums(&self, host: &Host) -> Result<[Checksum; 2]> {
        Ok([artifact::checksum(&self.kernel, host)?, artifact::checksum(&self.initrd, host)?])
    }

    /// Returns the size of both.
    pub fn size(&self) -> Result<Bytes> {
        let size = |path: &Path| {
            path.metadata()
                .map(|metadata| Bytes(metadata.len()))
                .with_context(|| format!("reading {}", path.display()))
        };
        Ok(size(&self.kernel)?.saturating_add(size(&self.initrd)?))
    }
}

/// Returns the name of a file without its `.gz`: N of a boot image.
pub fn base_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.strip_suffix(".gz").unwrap_or(&name).to_owned()
}

/// Returns the directory of a file.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_stands_beside_its_boot_image() {
        let directory = tempfile::tempdir().unwrap();
        let initrd = directory.path().join("initrd-usbboot.x86_64-1.0.0.gz");
        let error = |path: &Path| format!("{:#}", BootFiles::find(path).unwrap_err());
        assert!(error(&initrd).starts_with("there is no boot image at "));
        std::fs::write(&initrd, "initrd").unwrap();
        assert!(error(&initrd).ends_with("expected initrd-usbboot.x86_64-1.0.0.kernel.VERSION beside it"));
        let kernel = directory.path().join("initrd-usbboot.x86_64-1.0.0.kernel.6.1.0");
        std::fs::write(&kernel, "kernel").unwrap();
        std::fs::write(directory.path().join("initrd-other.x86_64-1.0.0.kernel.5.0"), "").unwrap();
        let found = BootFiles::find(&initrd).unwrap();
        assert_eq!((&found.kernel, found.kernel_version.as_str()), (&kernel, "6.1.0"));
        assert_eq!(found.size().unwrap(), Bytes(12));
        std::fs::write(directory.path().join("initrd-usbboot.x86_64-1.0.0.kernel.6.2.0"), "").unwrap();
        assert!(error(&initrd).contains("has 2 kernels beside it"));
    }
}
