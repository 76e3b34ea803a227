//! How the kernel and linuxrc mount the system: the parameters that follow from its mount point.

use super::{Content, FilesystemContent, Storage, Table};

/// Options of fstab that only programs of the system know, and those that are the default.
const NOT_OF_THE_KERNEL: [&str; 12] = [
    "defaults", "rw", "ro", "auto", "noauto", "user", "users", "nouser", "owner", "group", "nofail",
    "_netdev",
];

impl Table {
    /// Returns the file system of the system.
    pub fn system(&self) -> Option<&FilesystemContent> {
        match &self.mounted_at("/")?.content {
            Content::Filesystem(volume) => Some(volume),
            Content::Fat { .. } | Content::Swap { .. } | Content::BootCode | Content::Empty => None,
        }
    }

    /// Returns the kernel parameters that name the system: `root=UUID=..`, and `ro` or `rw`; none if its file system has no UUID.
    pub fn kernel_parameters(&self) -> Option<[String; 2]> {
        let system = self.system()?;
        let is_read_only = system.options().any(|option| option == "ro");
        let mode = if is_read_only { "ro" } else { "rw" };
        Some([format!("root=UUID={}", system.uuid.as_deref()?), mode.to_owned()])
    }
}

impl FilesystemContent {
    /// Returns the options of its mount point.
    fn options(&self) -> impl Iterator<Item = &str> {
        self.mount.iter().flat_map(|mount| mount.options.split(','))
    }
}

impl Storage {
    /// Returns the options with which the system is mounted before it reads its own fstab, as `rootflags=` has them; none for
    /// the default ones.
    pub fn root_flags(&self) -> Option<String> {
        let system = self.tables.iter().find_map(Table::system)?;
        let is_flag = |option: &&str| {
            !option.is_empty()
                && !NOT_OF_THE_KERNEL.contains(option)
                && !option.starts_with("x-")
                && !option.starts_with("comment=")
        };
        let flags: Vec<&str> = system.options().filter(is_flag).collect();
        (!flags.is_empty()).then(|| flags.join(","))
    }
}
