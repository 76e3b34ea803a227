//! The outer `ar` archive of a package: the positions and the compression of its members.

use std::io::{Read, Seek, SeekFrom};

use anyhow::{Context, Result, bail};

use crate::compression::Compression;

/// A compressed archive inside the package file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) compression: Compression,
}

/// Returns the compression of a member for its suffix; `None` for one that kiwi does not read.
fn of_suffix(suffix: &str) -> Option<Compression> {
    match suffix {
        "" => Some(Compression::None),
        ".gz" => Some(Compression::Gzip),
        ".xz" => Some(Compression::Xz),
        ".lzma" => Some(Compression::Lzma),
        ".zst" => Some(Compression::Zstd),
        _ => None,
    }
}

/// Returns the members `control.tar.*` and `data.tar.*` of a package.
pub(super) fn members(file: &mut (impl Read + Seek)) -> Result<(Member, Member)> {
    let end = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut magic = [0; 8];
    file.read_exact(&mut magic).context("it is not a Debian package: it is too short")?;
    if &magic != b"!<arch>\n" {
        bail!("it is not a Debian package: it does not start with an ar header");
    }
    let (name, offset, size) = header(file, 8, end)?;
    let mut version = vec![0; size.min(16) as usize];
    file.read_exact(&mut version)?;
    if name != "debian-binary" || !version.starts_with(b"2.") {
        bail!("it is not a Debian package of format 2: its first member is {}", name.escape_debug());
    }
    let (control, data) = (next("control.tar", file, offset + size, end)?, end);
    let data = next("data.tar", file, control.offset + control.size, data)?;
    Ok((control, data))
}

/// Returns the next member, which must be `stem` with a known suffix; skips members that start with `_`.
fn next(stem: &str, file: &mut (impl Read + Seek), mut position: u64, end: u64) -> Result<Member> {
    loop {
        let (name, offset, size) = header(file, position + position % 2, end)?;
        if name.starts_with('_') {
            position = offset + size;
            continue;
        }
        let suffix = name.strip_prefix(stem);
        let Some(suffix) = suffix else {
            bail!("it contains the member {} instead of {stem}", name.escape_debug());
        };
        let Some(compression) = of_suffix(suffix) else {
            bail!(
                "{} has a compression that kiwi does not support; use --package-path plain to unpack it with dpkg",
                name.escape_debug()
            );
        };
        return Ok(Member { offset, size, compression });
    }
}

/// Parses the header of a member at `position` (60 bytes): returns its name, offset and size, checked against the file.
fn header(file: &mut (impl Read + Seek), position: u64, end: u64) -> Result<(String, u64, u64)> {
    file.seek(SeekFrom::Start(position))?;
    let mut header = [0; 60];
    file.read_exact(&mut header).context("it is truncated: a member is missing")?;
    let text = |range: std::ops::Range<usize>| String::from_utf8_lossy(&header[range]).trim_end().to_owned();
    let name = text(0..16).trim_end_matches('/').to_owned();
    let offset = position + 60;
    let size = text(48..58).parse::<u64>().ok().filter(|_| &header[58..] == b"`\n");
    match size {
        Some(size) if size <= end.saturating_sub(offset) => Ok((name, offset, size)),
        Some(_) => bail!("it is truncated: the member {} is incomplete", name.escape_debug()),
        None => bail!("the header of a member at byte {position} is damaged"),
    }
}

/// Returns the header (60 bytes) of a member of `size` bytes, as in a package.
pub(super) fn member_header(name: &str, size: u64) -> Vec<u8> {
    format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", 0, 0, 0, 100_644).into_bytes()
}

#[cfg(test)]
pub(in super::super) fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = b"!<arch>\n".to_vec();
    for (name, content) in members {
        bytes.extend(member_header(name, content.len() as u64));
        bytes.extend(*content);
        if content.len() % 2 == 1 {
            bytes.push(b'\n');
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn read(members_of: &[(&str, &[u8])]) -> Result<(Member, Member)> {
        members(&mut Cursor::new(archive(members_of)))
    }

    fn refused(bytes: Vec<u8>) -> String {
        format!("{:#}", members(&mut Cursor::new(bytes)).unwrap_err())
    }

    #[test]
    fn finds_members_with_odd_sizes_and_after_extensions() {
        let (control, data) = read(&[
            ("debian-binary", b"2.0\n"),
            ("_gpg", b"x"),
            ("control.tar.gz", b"abc"),
            ("data.tar.zst/", b"defg"),
        ])
        .unwrap();
        assert_eq!((control.size, control.compression), (3, Compression::Gzip));
        assert_eq!((data.size, data.compression), (4, Compression::Zstd));
        assert_eq!(data.offset % 2, 0);
    }

    #[test]
    fn rejects_what_is_not_a_package() {
        assert!(refused(b"PK".to_vec()).contains("too short"));
        assert!(refused(b"not an archive".to_vec()).contains("ar header"));
        assert!(refused(archive(&[("hello", b"2.0\n")])).contains("format 2"));
        let whole =
            archive(&[("debian-binary", b"2.0\n"), ("control.tar", b"abcd"), ("data.tar.xz", b"12345678")]);
        assert!(refused(whole[..whole.len() - 4].to_vec()).contains("data.tar.xz is incomplete"));
        assert!(refused(whole[..100].to_vec()).contains("a member is missing"));
        let other = archive(&[("debian-binary", b"2.0\n"), ("control.tar", b""), ("data.tar.bz2", b"")]);
        assert!(refused(other).contains("--package-path plain"));
        let mut size = whole.clone();
        size[8 + 48..8 + 58].copy_from_slice(b"9999999999");
        assert!(refused(size).contains("debian-binary is incomplete"));
    }
}
