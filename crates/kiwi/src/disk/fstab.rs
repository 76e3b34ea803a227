//! The fstab of a disk image, derived from its layout.

use bootconfig::{Content, Partition, fat_uuid};
use ondisk::Filesystem;

use super::{DiskLayout, Extent};

/// The mount point of swap space in fstab.
const NO_MOUNT: &str = "none";

/// A line of fstab.
struct Line {
    mount: String,
    text: String,
}

/// Returns the fstab for `layout` and a tree whose own fstab is `own`; none when that needs no more lines.
///
/// A mount point that the tree's own fstab contains is left to the tree. A tree that mounts its own root file system only
/// gets lines for the other partitions.
pub fn merged(layout: &DiskLayout, own: &str) -> Option<String> {
    let has = |path: &str| own.lines().any(|line| line.split_whitespace().nth(1) == Some(path));
    let mut lines = lines(layout);
    if has("/") {
        let is_further = |line: &Line| !matches!(line.mount.as_str(), "/" | "/boot/efi");
        lines.retain(|line| is_further(line) && (line.mount == NO_MOUNT || !has(&line.mount)));
        let text: String = lines.into_iter().map(|line| line.text).collect();
        let gap = if own.ends_with('\n') { "" } else { "\n" };
        return (!text.is_empty()).then(|| format!("{own}{gap}{text}"));
    }
    lines.retain(|line| line.mount == NO_MOUNT || !has(&line.mount));
    let kept = own.lines().filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty());
    let text: String = lines.into_iter().map(|line| line.text).collect();
    Some(text + &kept.flat_map(|line| [line, "\n"]).collect::<String>())
}

/// Returns the lines of a layout, parents before children, swap space last.
fn lines(layout: &DiskLayout) -> Vec<Line> {
    let mut lines: Vec<Line> =
        layout.partitions().filter_map(|(partition, extent)| line(layout, partition, extent)).collect();
    lines.sort_by_key(|line| match line.mount.as_str() {
        NO_MOUNT => (true, String::new()),
        path => (false, path.to_owned()),
    });
    lines
}

fn line(layout: &DiskLayout, partition: &Partition, extent: &Extent) -> Option<Line> {
    let part_uuid = || format!("PARTUUID={}", layout.partition_uuid(partition, extent));
    let (device, mount, kind, options, pass) = match &partition.content {
        Content::Filesystem(volume) => {
            let mount = volume.mount.as_ref()?;
            let device = volume.uuid.as_ref().map_or_else(part_uuid, |uuid| format!("UUID={uuid}"));
            (
                device,
                mount.path.as_str(),
                volume.kind.keyword(),
                &*mount.options,
                pass(volume.kind, &mount.path),
            )
        }
        Content::Fat { id, mount } => {
            let mount = mount.as_ref()?;
            let device = id.map_or_else(part_uuid, |id| format!("UUID={}", fat_uuid(id)));
            (device, mount.path.as_str(), "vfat", &*mount.options, 2)
        }
        Content::Swap { uuid, .. } => {
            let device = uuid.as_ref().map_or_else(part_uuid, |uuid| format!("UUID={uuid}"));
            (device, NO_MOUNT, "swap", "sw", 0)
        }
        Content::BootCode | Content::Empty => return None,
    };
    Some(Line { mount: mount.to_owned(), text: format!("{device} {mount} {kind} {options} 0 {pass}\n") })
}

/// Returns the order of the file system check at boot. Btrfs and XFS repair themselves when they are mounted, and a
/// read-only file system never changes.
fn pass(kind: Filesystem, path: &str) -> u8 {
    match kind {
        Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 if path == "/" => 1,
        Filesystem::Ext2 | Filesystem::Ext3 | Filesystem::Ext4 => 2,
        Filesystem::Xfs
        | Filesystem::Btrfs
        | Filesystem::Reiserfs
        | Filesystem::Squashfs
        | Filesystem::Erofs
        | Filesystem::Cramfs => 0,
    }
}

#[cfg(test)]
mod tests {
    use bootconfig::{FilesystemContent, Mount, Scheme, Table};

    use super::*;
    use crate::disk::storage::{identify, numbered};
    use crate::identity::Identity;

    fn layout(mounts: &[(&str, Filesystem)]) -> DiskLayout {
        let content = |(path, kind): &(&str, Filesystem)| {
            let mount = Some(Mount::new(*path, "defaults"));
            Content::Filesystem(FilesystemContent {
                kind: *kind,
                uuid: None,
                label: None,
                mount,
                grow: false,
            })
        };
        let mut contents: Vec<Content> = mounts.iter().map(content).collect();
        contents.insert(0, Content::Swap { uuid: None, label: None });
        let partitions = contents.into_iter().map(|content| ("p.x".to_owned(), Some(1), content)).collect();
        let mut table = Table { scheme: Scheme::Gpt, partitions: numbered(partitions) };
        let identity = Identity::new(1, ["x"]);
        identify(&mut table, &identity);
        DiskLayout::of(table, 0, &identity)
    }

    /// Returns device kind, mount point, type and check order of each line.
    fn shape(text: &str) -> Vec<String> {
        let shape = |line: &str| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let device = fields[0].split('=').next().unwrap_or_default();
            format!("{device} {} {} {}", fields[1], fields[2], fields[5])
        };
        text.lines().map(shape).collect()
    }

    #[test]
    fn mounts_parents_first_and_names_everything_by_uuid() {
        let layout = layout(&[
            ("/var/log", Filesystem::Ext4),
            ("/opt", Filesystem::Squashfs),
            ("/var", Filesystem::Xfs),
            ("/", Filesystem::Ext4),
        ]);
        let text = merged(&layout, "# remark\nproc /proc proc defaults 0 0\n").unwrap();
        let expected = [
            "UUID / ext4 1",
            "PARTUUID /opt squashfs 0",
            "UUID /var xfs 0",
            "UUID /var/log ext4 2",
            "UUID none swap 0",
            "proc /proc proc 0",
        ];
        assert_eq!(shape(&text), expected);
    }

    #[test]
    fn leaves_lines_of_the_tree_alone() {
        let layout =
            layout(&[("/home", Filesystem::Xfs), ("/srv", Filesystem::Ext4), ("/", Filesystem::Ext4)]);
        let own = "LABEL=x / ext4 defaults 0 1\n/dev/sdb1 /home ext4 defaults 0 2";
        let text = merged(&layout, own).unwrap();
        assert!(text.starts_with(&format!("{own}\nUUID=")), "{text}");
        assert_eq!(shape(&text)[2..], ["UUID /srv ext4 2", "UUID none swap 0"]);
    }
}
