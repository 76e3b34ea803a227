//! `N.boot`: the boot image with which a system is started.

use std::fmt;

use crate::failure::fail;

/// A boot image and its kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootEntry {
    /// The path of the kernel in the tree.
    pub kernel: String,
    /// The path of the boot image in the tree.
    pub initrd: String,
    /// The path of the hypervisor in the tree that starts the kernel.
    pub hypervisor: Option<String>,
}

impl BootEntry {
    /// Returns an entry without a hypervisor.
    pub fn of_linux(kernel: String, initrd: String) -> Self {
        Self { kernel, initrd, hypervisor: None }
    }

    /// Parses the text of the file, in which `path` is its name for messages.
    pub fn parse(text: &str, path: &str) -> anyhow::Result<Self> {
        let value = |key: &str| {
            let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
            let plain = |c: u8| c.is_ascii_alphanumeric() || b"/._+~-".contains(&c);
            let valid = value.starts_with("boot/") && value.bytes().all(plain) && !value.contains("..");
            valid.then(|| value.to_owned())
        };
        match (value("kernel"), value("initrd")) {
            (Some(kernel), Some(initrd)) => Ok(Self { kernel, initrd, hypervisor: value("hypervisor") }),
            _ => fail!(
                Damaged,
                "{path} does not name a kernel and a boot image in boot/; publish the image again"
            ),
        }
    }
}

impl fmt::Display for BootEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kernel={}\ninitrd={}", self.kernel, self.initrd)?;
        self.hypervisor.iter().try_for_each(|hypervisor| writeln!(f, "hypervisor={hypervisor}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_back() {
        let entry = BootEntry::of_linux("boot/linux-6.1-abc".into(), "boot/initrd-n-abc".into());
        assert_eq!(BootEntry::parse(&entry.to_string(), "x").unwrap(), entry);
        let entry = BootEntry { hypervisor: Some("boot/xen-abc".into()), ..entry };
        assert_eq!(BootEntry::parse(&entry.to_string(), "x").unwrap(), entry);
        for text in [
            "",
            "kernel=boot/a\n",
            "kernel=/etc/a\ninitrd=boot/b\n",
            "kernel=boot/../a\ninitrd=boot/b\n",
            "kernel=boot/a b\ninitrd=boot/b",
        ] {
            assert!(BootEntry::parse(text, "x").is_err(), "{text}");
        }
    }
}
