//! Reads the files of an XFS into a directory, without a mount: the file system need not be one that kiwi wrote, and nothing of it
//! is trusted.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::fs::{File, FileTimes, Permissions};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use byteorder::{BE, ByteOrder};
use rustix::fs::{Timespec, Timestamps};

use super::layout::{FORK, Format, Inode, Layout};
use super::tree::{LINK_HEAD, MODE};
use super::{attributes, directory, times};
use crate::host::Host;
use crate::host::device::Device;
use crate::root_tree::{Attributes, TreeWriter};

/// Offsets in an inode: owner, group, number of links.
const OWNER: usize = 8;
const GROUP: usize = 12;
const LINKS: usize = 16;
/// The kinds of a mode.
const KIND: u32 = 0o170_000;
/// Bits of a minor number.
const MINOR_BITS: u32 = 18;
/// The longest target of a link, and the deepest directory.
const LONGEST_TARGET: u64 = 4096;
const DEEPEST: usize = 2000;
/// The largest file that is unpacked; a larger one, made of holes, would take hours.
const LARGEST_FILE: u64 = 1 << 40;

/// Writes the files of the XFS at byte `start` of `file` into the existing directory `target`.
pub fn unpack(file: &File, start: u64, target: &Path, host: &Host) -> Result<()> {
    let layout = Layout::read_at(file, start)?;
    let root = layout.inode(layout.root)?;
    let writer = TreeWriter::of_archive(target)?;
    let mut unpacker =
        Unpacker { layout: &layout, writer, first: HashMap::new(), directories: HashSet::new(), host };
    let of_root = unpacker.attributes(&root)?;
    unpacker.directory(root, Path::new(""), 0)?;
    unpacker.writer.close()?;
    let directory = File::open(target)?;
    std::os::unix::fs::fchown(&directory, Some(of_root.user), Some(of_root.group))?;
    directory.set_permissions(Permissions::from_mode(of_root.mode))?;
    let Timespec { tv_sec, tv_nsec } = of_root.times.last_modification;
    let seconds = Duration::from_secs(tv_sec.unsigned_abs());
    let time = match tv_sec < 0 {
        true => SystemTime::UNIX_EPOCH.checked_sub(seconds),
        false => SystemTime::UNIX_EPOCH.checked_add(seconds),
    };
    let time = time.and_then(|time| time.checked_add(Duration::from_nanos(u64::try_from(tv_nsec).ok()?)));
    directory
        .set_times(FileTimes::new().set_modified(time.context("the root directory has no usable time")?))?;
    Ok(())
}

struct Unpacker<'l> {
    layout: &'l Layout<'l>,
    writer: TreeWriter<'l>,
    /// The first name of each file with several.
    first: HashMap<u64, PathBuf>,
    /// The directories that were read.
    directories: HashSet<u64>,
    host: &'l Host,
}

impl Unpacker<'_> {
    fn directory(&mut self, mut inode: Inode, path: &Path, depth: usize) -> Result<()> {
        let reading = || format!("reading the directory /{} of the file system", path.display());
        ensure!(self.directories.insert(inode.number), "the directory /{} contains itself", path.display());
        ensure!(depth < DEEPEST, "directories are nested more than {DEEPEST} deep");
        let mut entries = Vec::new();
        directory::rename(self.layout, &mut inode, |name, number| {
            entries.push((name.to_vec(), number));
            Ok(None)
        })
        .with_context(reading)?;
        entries.sort();
        for (name, number) in entries {
            self.host.check_interrupt()?;
            ensure!(
                !name.is_empty() && !name.contains(&b'/') && !name.contains(&0),
                "a file has no usable name"
            );
            let inside = path.join(OsString::from_vec(name));
            self.entry(number, &inside, depth)
                .with_context(|| format!("reading /{} of the file system", inside.display()))?;
        }
        Ok(())
    }

    fn entry(&mut self, number: u64, path: &Path, depth: usize) -> Result<()> {
        let mut inode = self.layout.inode(number)?;
        let attributes = self.attributes(&inode)?;
        let mode = u32::from(BE::read_u16(&inode.bytes[MODE..]));
        let is_directory = mode & KIND == 0o040_000;
        if !is_directory && BE::read_u32(&inode.bytes[LINKS..]) > 1 {
            if let Some(first) = self.first.get(&number) {
                return self.writer.hard_link(path, first);
            }
            self.first.insert(number, path.to_owned());
        }
        match mode & KIND {
            0o040_000 => {
                self.writer.directory(path, &attributes)?;
                self.directory(inode, path, depth + 1)
            }
            0o100_000 => {
                ensure!(inode.size() <= LARGEST_FILE, "the file has {} bytes", inode.size());
                let blocks = self.layout.data(&inode)?;
                let mut content = Content { layout: self.layout, blocks, size: inode.size(), position: 0 };
                self.writer.sparse_file(path, &mut content, &attributes)
            }
            0o120_000 => {
                let target = self.target(&mut inode)?;
                let target = Path::new(std::ffi::OsStr::from_bytes(&target));
                self.writer.link(path, target, &attributes).map(drop)
            }
            0o010_000 => self.writer.fifo(path, &attributes),
            kind @ (0o020_000 | 0o060_000) => {
                ensure!(inode.format()? == Format::Device, "a device has no number");
                let number = BE::read_u32(&inode.bytes[FORK..]);
                let (major, minor) = (number >> MINOR_BITS, number & ((1 << MINOR_BITS) - 1));
                let device = Device { is_block: kind == 0o060_000, major, minor };
                self.writer.device(path, device, &attributes)
            }
            // Sockets are of use only to the program that made them.
            0o140_000 => Ok(()),
            kind => bail!("the kind {kind:o} of a file is unknown"),
        }
    }

    fn attributes(&self, inode: &Inode) -> Result<Attributes> {
        let (seconds, nanoseconds) = times::modified(inode);
        let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
        Ok(Attributes {
            mode: u32::from(BE::read_u16(&inode.bytes[MODE..])) & 0o7777,
            user: BE::read_u32(&inode.bytes[OWNER..]),
            group: BE::read_u32(&inode.bytes[GROUP..]),
            times: Timestamps { last_access: time, last_modification: time },
            extended: attributes::read(inode)?,
        })
    }

    /// Returns the target of a link: in the inode, or in blocks that begin with a header.
    fn target(&self, inode: &mut Inode) -> Result<Vec<u8>> {
        let size = inode.size();
        ensure!(size > 0 && size < LONGEST_TARGET, "the target of the link has {size} bytes");
        let size = usize::try_from(size)?;
        if inode.format()? == Format::Local {
            return Ok(inode.local()?.get(..size).context("the target ends beyond its inode")?.to_vec());
        }
        let mut target = Vec::new();
        for (_, block) in self.layout.data(inode)? {
            target.extend_from_slice(&self.layout.blocks(&[block])?[LINK_HEAD..]);
        }
        ensure!(target.len() >= size, "the target ends beyond its blocks");
        target.truncate(size);
        Ok(target)
    }
}

/// The bytes of a file.
struct Content<'l> {
    layout: &'l Layout<'l>,
    /// Blocks with their offsets in the file, counted in blocks, in ascending order.
    blocks: Vec<(u64, u64)>,
    size: u64,
    position: u64,
}

impl Read for Content<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let block_size = self.layout.block_size;
        let (number, inside) = (self.position / block_size, self.position % block_size);
        let next = self.blocks.partition_point(|(start, _)| *start < number);
        let found = self.blocks.get(next);
        let rest = usize::try_from(self.size.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(rest);
        // Blocks that follow each other, or a hole up to the next block.
        let count = match found {
            Some(&(start, block)) if start == number => {
                let follows = |index: u64| {
                    let at = next + usize::try_from(index).unwrap_or(usize::MAX - next);
                    self.blocks.get(at) == Some(&(start + index, block + index))
                };
                let most = (wanted as u64 + inside).div_ceil(block_size).max(1);
                (1..most).take_while(|index| follows(*index)).count() as u64 * block_size + block_size
            }
            Some(&(start, _)) => (start - number).saturating_mul(block_size),
            None => u64::MAX,
        };
        let count = wanted.min(usize::try_from(count - inside).unwrap_or(usize::MAX));
        let buffer = &mut buffer[..count];
        match found {
            Some(&(start, block)) if start == number => self.layout.read_at_block(block, inside, buffer)?,
            _ => buffer.fill(0),
        }
        self.position += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test asks the foreign tools")]
mod tests {
    use std::fs;
    use std::os::unix::fs::FileExt;

    use test_programs::{have, run};

    use super::*;
    use crate::host::{Output, sparse};

    /// Entries of a prototype of mkfs.xfs.
    const FILES: &str = "/\n0 0\nd--755 0 0\nsmall d--755 0 0\nfile ---644 1 2 SOURCE\n$\nlarge d--755 0 0\nENTRIES$\n\
                         link l--777 0 0 small/file\nnode c--600 0 0 5 300\npipe p--644 0 0\n$\n";

    fn image(directory: &Path) -> PathBuf {
        let source = directory.join("source");
        fs::write(&source, vec![b'x'; 9000]).unwrap();
        let source = source.display().to_string();
        let entries: String = (0..60).map(|number| format!("name-{number} ---644 0 0 {source}\n")).collect();
        let prototype = FILES.replace("SOURCE", &source).replace("ENTRIES", &entries);
        fs::write(directory.join("prototype"), prototype).unwrap();
        let image = directory.join("image");
        fs::File::create(&image).unwrap().set_len(320 << 20).unwrap();
        run(
            "mkfs.xfs",
            &["-q", "-p", &directory.join("prototype").display().to_string(), &image.display().to_string()],
        );
        image
    }

    #[test]
    fn damaged_file_systems_are_errors_and_nothing_else() {
        if !have(&["mkfs.xfs"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let image = image(directory.path());
        let host = Host::new(Output::Quiet);
        let file = File::options().read(true).write(true).open(&image).unwrap();
        let unpacked = |name: &str| {
            let target = directory.path().join(name);
            fs::create_dir(&target).unwrap();
            let result = unpack(&file, 0, &target, &host);
            let node = target.join("node");
            let device = node.metadata().ok().and_then(|facts| Device::of(&node, &facts).ok().flatten());
            fs::remove_dir_all(&target).unwrap();
            result.map(|()| device)
        };
        let device = unpacked("whole").unwrap();
        assert_eq!(device, Some(Device { is_block: false, major: 5, minor: 300 }));
        // Bytes of the superblock and of every block of metadata, which contains its own number or a magic number.
        let mut blocks = vec![0];
        let mut content = [0; 4096];
        let extents = sparse::extents(&file, 320 << 20).unwrap();
        for number in extents.into_iter().flat_map(|(start, end)| start.max(4096) / 4096..end / 4096) {
            file.read_exact_at(&mut content, number * 4096).unwrap();
            let starts = |magic: &[u8]| content.starts_with(magic);
            if [&b"IN"[..], b"XDB3", b"XDD3", b"BMA3"].into_iter().any(starts) {
                blocks.push(number);
            }
        }
        assert!(blocks.len() > 3, "{blocks:?}");
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut failed = 0;
        for round in 0..200 {
            let block = blocks[usize::try_from(random(blocks.len() as u64)).unwrap()];
            // Heads of structures matter most.
            let inside = random(8) * 512 + random(256);
            let position = block * 4096 + inside;
            let mut before = [0];
            file.read_exact_at(&mut before, position).unwrap();
            file.write_all_at(&[u8::try_from(random(256)).unwrap()], position).unwrap();
            failed += usize::from(unpacked(&format!("damaged-{round}")).is_err());
            file.write_all_at(&before, position).unwrap();
        }
        assert!(failed > 2, "{failed}");
        assert!(unpacked("again").is_ok());
    }
}
