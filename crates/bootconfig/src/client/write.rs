//! Writes a client configuration.

use std::fmt::{self, Display};

use super::ClientConfig;
use super::key::ClientKey;
use super::lines::quoted;

impl ClientConfig {
    /// Returns the value of a key as it is written; none when the key is not set.
    pub fn value(&self, key: ClientKey) -> Option<String> {
        fn text(value: Option<&impl Display>) -> Option<String> {
            value.map(ToString::to_string)
        }
        let is_on = |value: bool| value.then(|| "yes".to_owned());
        let device = |name: &String| format!("/dev/{name}");
        match key {
            ClientKey::Disk => self.disk.as_ref().map(device),
            ClientKey::Part => text(self.partitions.as_ref()),
            ClientKey::Image => list(&self.images, ""),
            ClientKey::Conf => list(&self.files, ","),
            ClientKey::Sync => text(self.sync.as_ref()),
            ClientKey::Journal => self.journal.clone(),
            ClientKey::ReloadImage => is_on(self.reload_image),
            ClientKey::ReloadConfig => is_on(self.reload_config),
            ClientKey::CombinedImage => is_on(self.combined_image),
            ClientKey::RebootImage => is_on(self.reboot_image),
            ClientKey::UnionfsConfig => text(self.union.as_ref()),
            ClientKey::Initrd => self.initrd.clone(),
            ClientKey::Kernel => self.kernel.clone(),
            ClientKey::KernelOptions => self.kernel_options.clone(),
            ClientKey::BootTimeout => text(self.boot_timeout.as_ref()),
            ClientKey::NfsRoot => text(self.nfs_root.as_ref()),
            ClientKey::NbdRoot => text(self.nbd_root.as_ref()),
            ClientKey::Filter => self.filter.clone(),
            ClientKey::Choice(choice) => is_on(self.choices.contains(&choice)),
        }
    }
}

/// Returns the entries of a list, each of which but the last one ends with a comma.
fn list<T: Display>(entries: &[T], end: &str) -> Option<String> {
    let texts: Vec<String> = entries.iter().map(ToString::to_string).collect();
    (!texts.is_empty()).then(|| texts.join(",") + end)
}

impl Display for ClientConfig {
    /// Writes the text of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for key in ClientKey::all() {
            let Some(value) = self.value(key) else { continue };
            match key {
                ClientKey::Filter => writeln!(f, "{}={value}", key.name())?,
                _ => writeln!(f, "{}={}", key.name(), quoted(&value))?,
            }
        }
        Ok(())
    }
}
