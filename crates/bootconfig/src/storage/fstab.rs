//! The lines of fstab.

use super::{Content, FirstBoot, Partition, fat_uuid};

/// The mount point of swap space in fstab.
pub const NO_MOUNT: &str = "none";

/// A line of fstab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FstabLine {
    /// The mount point; [`NO_MOUNT`] for swap space.
    pub mount: String,
    /// The line, with a line feed.
    pub text: String,
}

impl Partition {
    /// Returns the line for the partition, named by the UUID of its content where that is known, else by `part_uuid`; none
    /// for a partition that the system does not use.
    pub fn fstab_line(&self, part_uuid: &str) -> Option<FstabLine> {
        let device = |uuid: Option<String>| {
            uuid.map_or(format!("PARTUUID={part_uuid}"), |uuid| format!("UUID={uuid}"))
        };
        let (device, mount, kind, options, pass) = match &self.content {
            Content::Filesystem(volume) => {
                let mount = volume.mount.as_ref()?;
                let pass = match (volume.kind.checker(), mount.path.as_str()) {
                    (None, _) => 0,
                    (Some(_), "/") => 1,
                    (Some(_), _) => 2,
                };
                (device(volume.uuid.clone()), &*mount.path, volume.kind.keyword(), &*mount.options, pass)
            }
            Content::Fat { id, mount } => {
                let mount = mount.as_ref()?;
                (device(id.map(fat_uuid)), &*mount.path, "vfat", &*mount.options, 2)
            }
            Content::Swap { uuid, .. } => {
                let options = match self.first_boot {
                    FirstBoot::Unchanged | FirstBoot::Grows(_) => "sw",
                    // It is missing when the disk has no room for it.
                    FirstBoot::Creates(_) => "sw,nofail",
                };
                (device(uuid.clone()), NO_MOUNT, "swap", options, 0)
            }
            Content::BootCode | Content::Empty => return None,
        };
        let text = format!("{device} {mount} {kind} {options} 0 {pass}\n");
        Some(FstabLine { mount: mount.to_owned(), text })
    }
}
