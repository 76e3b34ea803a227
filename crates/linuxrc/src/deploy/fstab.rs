//! The fstab of an installed system.

use bootconfig::NO_MOUNT;

/// A line of fstab.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// `UUID=` or a device below /dev.
    pub(crate) device: String,
    /// The mount point; none: swap space.
    pub(crate) mount: Option<String>,
    /// The keyword of the file system.
    pub(crate) filesystem: String,
}

impl Line {
    fn text(&self) -> String {
        let Self { device, mount, filesystem } = self;
        match mount.as_deref() {
            None => format!("{device} {NO_MOUNT} swap sw,pri=42,nofail 0 0\n"),
            Some("/") => format!("{device} / {filesystem} defaults 0 1\n"),
            // The system starts without a partition that is not its own.
            Some(path) => format!("{device} {path} {filesystem} defaults,nofail 0 2\n"),
        }
    }
}

/// The root file system in fstab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    /// It is one of the lines.
    Listed,
    /// It has no device that fstab can name: a union. A line of the image is removed.
    Unlisted,
}

/// Replaces the lines of an image's fstab for the mount points of `lines`, and for swap space where they have some.
pub(crate) fn with_lines(before: &str, lines: &[Line], root: Root) -> String {
    let is_ours = |line: &str| {
        let mut fields = line.split_whitespace();
        let (Some(device), Some(mount), Some(kind)) = (fields.next(), fields.next(), fields.next()) else {
            return false;
        };
        !device.starts_with('#')
            && ((mount == "/" && root == Root::Unlisted)
                || lines.iter().any(|our| match &our.mount {
                    Some(path) => path == mount,
                    None => kind == "swap",
                }))
    };
    let kept = before.lines().filter(|line| !is_ours(line)).flat_map(|line| [line, "\n"]).map(str::to_owned);
    kept.chain(lines.iter().map(Line::text)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(device: &str, mount: Option<&str>) -> Line {
        Line { device: device.to_owned(), mount: mount.map(str::to_owned), filesystem: "ext4".to_owned() }
    }

    #[test]
    fn our_lines_replace_those_of_the_image_and_of_an_earlier_attempt() {
        let before = "# a comment / none swap\nUUID=old / ext3 ro 0 1\nproc /proc proc defaults 0 0\nUUID=s none swap sw 0 0";
        let ours = [line("UUID=a", Some("/")), line("UUID=b", None), line("/dev/sda3", Some("/home"))];
        let first = with_lines(before, &ours, Root::Listed);
        assert_eq!(
            first,
            "# a comment / none swap\nproc /proc proc defaults 0 0\nUUID=a / ext4 defaults 0 1\n\
             UUID=b none swap sw,pri=42,nofail 0 0\n/dev/sda3 /home ext4 defaults,nofail 0 2\n"
        );
        assert_eq!(with_lines(&first, &ours, Root::Listed), first);
        let union = with_lines(before, &ours[2..], Root::Unlisted);
        assert!(!union.contains(" / ext3") && union.contains("UUID=s none swap") && union.contains("/home"));
    }
}
