//! The fstab of a disk image, derived from its layout.

use bootconfig::{FstabLine, NO_MOUNT};

use super::DiskLayout;

/// Returns the fstab for `layout` and a tree whose own fstab is `own`; none when that needs no more lines.
///
/// A mount point that the tree's own fstab contains is left to the tree. A tree that mounts its own root file system only
/// gets lines for the other partitions.
pub fn merged(layout: &DiskLayout, own: &str) -> Option<String> {
    let has = |path: &str| own.lines().any(|line| line.split_whitespace().nth(1) == Some(path));
    let mut lines = lines(layout);
    if has("/") {
        let is_further = |line: &FstabLine| !matches!(line.mount.as_str(), "/" | "/boot/efi");
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
fn lines(layout: &DiskLayout) -> Vec<FstabLine> {
    let mut lines: Vec<FstabLine> = layout
        .partitions()
        .filter_map(|(partition, extent)| partition.fstab_line(&layout.partition_uuid(partition, extent)))
        .collect();
    lines.sort_by_key(|line| match line.mount.as_str() {
        NO_MOUNT => (true, String::new()),
        path => (false, path.to_owned()),
    });
    lines
}

#[cfg(test)]
mod tests {
    use bootconfig::{Content, FilesystemContent, Mount, Scheme, Table};
    use ondisk::{Filesystem, Mebibytes};

    use super::*;
    use crate::disk::storage::{identify, numbered};
    use crate::identity::Identity;

    fn layout(mounts: &[(&str, Filesystem)]) -> DiskLayout {
        let content = |(path, kind): &(&str, Filesystem)| {
            let mount = Some(Mount::new(*path, "defaults"));
            Content::Filesystem(FilesystemContent { kind: *kind, uuid: None, label: None, mount })
        };
        let mut contents: Vec<Content> = mounts.iter().map(content).collect();
        contents.insert(0, Content::Swap { uuid: None, label: None });
        let partitions =
            contents.into_iter().map(|content| ("p.x".to_owned(), Some(Mebibytes(1)), content)).collect();
        let mut table = Table { scheme: Scheme::Gpt, partitions: numbered(partitions) };
        let identity = Identity::new(1, ["x"]);
        identify(&mut table, &identity);
        DiskLayout::of(table, Mebibytes(0), &identity)
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
