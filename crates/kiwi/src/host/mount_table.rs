//! The mounts that a process sees: `/proc/self/mountinfo`, as proc(5) describes it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Its number, as `statx` returns it.
    pub(super) id: u64,
    pub(super) path: PathBuf,
    /// The name of its file system.
    pub(super) filesystem: String,
}

/// Parses the table; lines that it does not understand are left out.
pub(super) fn parse(table: &[u8]) -> Vec<Mount> {
    table.split(|byte| *byte == b'\n').filter_map(mount).collect()
}

fn mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|byte| *byte == b' ');
    let id = std::str::from_utf8(fields.next()?).ok()?.parse().ok()?;
    let path = PathBuf::from(OsString::from_vec(unescaped(fields.nth(3)?)));
    // A dash ends the optional fields.
    let filesystem = fields.skip_while(|field| *field != b"-").nth(1)?;
    Some(Mount { id, path, filesystem: String::from_utf8_lossy(filesystem).into_owned() })
}

/// Replaces `\040` and the like by the byte with this octal number.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        let octal = tail
            .get(..3)
            .filter(|_| *first == b'\\')
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok());
        bytes.push(octal.unwrap_or(*first));
        rest = if octal.is_some() { &tail[3..] } else { tail };
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read() {
        let table = b"22 1 254:0 / / rw,relatime shared:1 master:2 - ext4 /dev/vda rw\n\
            30 22 0:5 /x /mnt/a\\040b\\134c\\011 rw - fuse.sshfs host:/ rw,user_id=0\nrubbish\n31 22 0:6 / /short\n";
        let mount = |id, path: &str, filesystem: &str| Mount {
            id,
            path: PathBuf::from(path),
            filesystem: filesystem.to_owned(),
        };
        assert_eq!(parse(table), [mount(22, "/", "ext4"), mount(30, "/mnt/a b\\c\t", "fuse.sshfs")]);
    }

    #[test]
    fn only_octal_numbers_are_replaced() {
        assert_eq!(unescaped(b"a\\04"), b"a\\04");
        assert_eq!(unescaped(b"\\999\\0410"), b"\\999!0");
    }
}
