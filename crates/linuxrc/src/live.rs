//! Assembles a live system from the files of its medium (docs/formats/image-files.md and docs/formats/boot-images.md).
//!
//! ```text
//! union   R or LiveOS/squashfs.img -> loop -> read-only --+-> overlay at the system's mount point
//!                    memory, or a part of the stick ------+
//! split   N.gz -> memory -> loop -> ext2 at the system's mount point, grown to the available memory
//!         read-only-system/ or R -> loop: each of its directories bound over the empty one of N
//! ```
//!
//! Mounts below /run/kiwi stay there for the running system.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bootconfig::{Checksum, Digester, LiveConfig, LiveParameters};
use ondisk::{Bytes, Filesystem, Growth, probe};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount, mount_bind};

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::console::Console;
use crate::loop_device;
use crate::machine::Machine;
use crate::medium;
use crate::modules::Modules;
use crate::stream::fill;
use crate::sys;
use crate::union;

/// Default memory limit of the writable part.
const LAYER_SIZE: &str = "50%";

/// A mounted directory for what the system writes.
pub(crate) struct Kept(pub(crate) PathBuf);

/// The medium while its system is assembled.
struct Live<'a> {
    machine: &'a Machine,
    /// Its mount point.
    medium: PathBuf,
    config: LiveConfig,
    modules: &'a mut Modules,
    console: &'a Console,
}

/// Mounts the system of the medium at the machine's system directory.
pub(crate) fn assemble(
    machine: &Machine,
    plan: &BootPlan,
    parameters: &LiveParameters,
    kept: Option<&Kept>,
    modules: &mut Modules,
    console: &Console,
) -> Result<(), BootFailure> {
    let medium = medium::location(machine);
    let config = read_config(&medium)?;
    let mut live = Live { machine, medium, config, modules, console };
    let size = parameters.layer_size.as_deref().unwrap_or(LAYER_SIZE);
    let memory = machine.root.join("run/kiwi/read-write");
    match live.config.union {
        Some(keyword) => {
            if keyword != bootconfig::Union::Overlay {
                console.announce(&format!("{} is overlayfs today", keyword.keyword()));
            }
            let below = live.mount_read_only(&live.union_file()?)?;
            let layer = match kept {
                Some(Kept(directory)) => directory.clone(),
                None => mount_memory(&memory, size).map(|()| memory)?,
            };
            live.modules.load("overlay", console);
            union::join(&below, &layer, &machine.system, plan.read_only, live.modules)
        }
        None => {
            if kept.is_some() {
                console.announce("a system in two parts keeps nothing; only a union does");
            }
            mount_memory(&memory, size)?;
            live.mount_memory_part(&memory)?;
            live.bind_read_only_part()
        }
    }
}

fn read_config(medium: &Path) -> Result<LiveConfig, BootFailure> {
    let text =
        fs::read_to_string(medium.join(LiveConfig::PATH.trim_start_matches('/'))).map_err(|error| {
            BootFailure::shell(format!(
                "The medium carries no live system: reading {}: {error}",
                LiveConfig::PATH
            ))
        })?;
    LiveConfig::parse(&text).map_err(|error| BootFailure::shell(error.to_string()))
}

fn mount_memory(directory: &Path, size: &str) -> Result<(), BootFailure> {
    let options = std::ffi::CString::new(format!("mode=755,size={size}")).unwrap_or_default();
    fs::create_dir_all(directory)
        .and_then(|()| Ok(mount("tmpfs", directory, "tmpfs", MountFlags::empty(), options.as_c_str())?))
        .map_err(|error| BootFailure::reboot(format!("mounting memory on {}: {error}", directory.display())))
}

impl Live<'_> {
    /// Returns R, or the same file at today's path.
    fn union_file(&self) -> Result<PathBuf, BootFailure> {
        let read_only = self.config.image.read_only().to_string();
        let locations = [read_only.as_str(), LiveConfig::LIVE_OS.trim_start_matches('/')];
        let found = locations.iter().map(|location| self.medium.join(location)).find(|path| path.is_file());
        found.ok_or_else(|| {
            BootFailure::shell(format!(
                "The system is missing on the medium: neither {} nor {} is there.",
                locations[0], locations[1]
            ))
        })
    }

    /// Mounts a compressed read-only part.
    fn mount_read_only(&mut self, file: &Path) -> Result<PathBuf, BootFailure> {
        let damaged = |why: String| {
            let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
            BootFailure::shell(format!(
                "The read-only part of the system, {name}, is damaged: {why}.\n\n\
                 Check the medium from its boot menu, or write its image again."
            ))
        };
        let keyword = read_only_filesystem(file).map_err(&damaged)?;
        self.modules.load(keyword, self.console);
        let location = self.machine.root.join("run/kiwi/read-only");
        fs::create_dir_all(&location)
            .and_then(|()| loop_device::attach(self.machine, file, false))
            .and_then(|device| Ok(mount(device, &location, keyword, MountFlags::RDONLY, None)?))
            .map_err(|error| match error.raw_os_error() {
                Some(code) if code == Errno::NODEV.raw_os_error() => {
                    self.modules.unknown_filesystem(keyword, keyword, file)
                }
                _ => damaged(error.to_string()),
            })?;
        Ok(location)
    }

    /// Uncompresses N.gz to `memory`, compares it with N.md5 and mounts it, as large as the memory allows.
    fn mount_memory_part(&mut self, memory: &Path) -> Result<(), BootFailure> {
        let name = self.config.image.to_string();
        let file = memory.join(&name);
        let damaged = |why: String| {
            BootFailure::reboot(format!(
                "The part of the system that goes to memory, {name}, is damaged: {why}.\n\n\
                 Check the medium from its boot menu, or write its image again."
            ))
        };
        let sum_file = self.medium.join(self.config.image.checksum_file());
        let expected = fs::read_to_string(&sum_file)
            .map_err(|error| damaged(format!("reading {}: {error}", self.config.image.checksum_file())))
            .and_then(|text| Checksum::parse(&text).map_err(|error| damaged(error.to_string())))?;
        let packed = File::open(self.medium.join(self.config.image.packed()));
        let written =
            packed.and_then(|packed| unpack(packed, &file)).map_err(|error| match error.kind() {
                io::ErrorKind::StorageFull => BootFailure::reboot(format!(
                    "This machine has not enough memory for the live system: {} MiB go to memory.\n\n\
                     rd.live.overlay.size=80% in the boot menu lets them take more of it than half.",
                    expected.blocks.bytes().unwrap_or_default() >> 20
                )),
                _ => damaged(error.to_string()),
            })?;
        if written != expected {
            return Err(damaged("its MD5 sum is wrong".to_owned()));
        }
        self.modules.load(Filesystem::Ext2.module(), self.console);
        let size = rustix::fs::statvfs(memory).map_or(0, |room| room.f_blocks * room.f_frsize / 10 * 9);
        let size = size.max(expected.blocks.bytes().unwrap_or_default());
        let mounted = File::options()
            .write(true)
            .open(&file)
            .and_then(|file| file.set_len(size))
            .and_then(|()| loop_device::attach(self.machine, &file, true))
            .and_then(|device| {
                fs::create_dir_all(&self.machine.system)?;
                // Some kernels' ext4 driver does not register the name of the older file system.
                let location = &self.machine.system;
                let mounted = mount(&device, location, "ext2", MountFlags::NOATIME, None)
                    .or_else(|_| mount(&device, location, "ext4", MountFlags::NOATIME, None));
                Ok(mounted?)
            });
        mounted.map_err(|error| damaged(error.to_string()))?;
        if let Err(error) = self.grow(&file, size) {
            self.console.warn(&format!("growing the part in memory: {error}; the boot goes on"));
        }
        Ok(())
    }

    fn grow(&self, file: &Path, size: u64) -> io::Result<()> {
        let superblock = probe(&mut File::open(file)?)?;
        match superblock.map(|superblock| superblock.growth) {
            Some(Growth::Ext { block_size }) => {
                sys::grow_ext(&File::open(&self.machine.system)?, size / block_size)
            }
            Some(Growth::Xfs { .. } | Growth::Btrfs { .. } | Growth::Reiserfs { .. } | Growth::Fixed)
            | None => Ok(()),
        }
    }

    /// Binds the read-only directories to their empty directories in the system.
    fn bind_read_only_part(&mut self) -> Result<(), BootFailure> {
        let directories = self.medium.join(LiveConfig::DIRECTORIES.trim_start_matches('/'));
        let source = match directories.is_dir() {
            true => directories,
            false => self.mount_read_only(&self.medium.join(self.config.image.read_only().to_string()))?,
        };
        let entries = fs::read_dir(&source)
            .map_err(|error| BootFailure::shell(format!("reading {}: {error}", source.display())))?;
        for entry in entries.flatten() {
            let target = self.machine.system.join(entry.file_name());
            fs::create_dir_all(&target).and_then(|()| Ok(mount_bind(entry.path(), &target)?)).map_err(
                |error| {
                    BootFailure::shell(format!("showing {} in the system: {error}", entry.path().display()))
                },
            )?;
        }
        Ok(())
    }
}

/// Returns the keyword of the compressed file system in a file, which must have the bytes that its superblock specifies.
/// That is quick; the checksum of everything is for the media check.
fn read_only_filesystem(file: &Path) -> Result<&'static str, String> {
    let read = || -> io::Result<_> {
        let mut opened = File::open(file)?;
        Ok((probe(&mut opened)?, opened.metadata()?.len()))
    };
    let (superblock, found) = read().map_err(|error| error.to_string())?;
    let superblock = superblock
        .filter(|superblock| superblock.filesystem.is_read_only())
        .ok_or("it holds no squashfs or erofs")?;
    if Bytes(found) < superblock.bytes {
        return Err(format!("it has {found} bytes and must have {}", superblock.bytes.0));
    }
    Ok(superblock.filesystem.keyword())
}

/// Uncompresses `packed` to the file `target`; returns the checksum. Blocks of zeros become holes.
fn unpack(packed: File, target: &Path) -> io::Result<Checksum> {
    let mut packed = flate2::read::GzDecoder::new(io::BufReader::with_capacity(1 << 18, packed));
    let mut output = File::create(target)?;
    let mut digester = Digester::default();
    let mut buffer = vec![0; 1 << 18];
    loop {
        let count = fill(&mut packed, &mut buffer)?;
        if count == 0 {
            break;
        }
        digester.update(&buffer[..count]);
        for page in buffer[..count].chunks(4096) {
            match page.iter().all(|&byte| byte == 0) {
                true => io::Seek::seek_relative(&mut output, page.len() as i64)?,
                false => output.write_all(page)?,
            }
        }
    }
    let end = io::Seek::stream_position(&mut output)?;
    output.set_len(end)?;
    Ok(digester.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unpacked_has_the_sum_and_the_holes_of_the_original() {
        let dir = tempfile::tempdir().unwrap();
        let mut original = vec![0; 3 << 20];
        original[2 << 20..][..10_000].fill(7);
        let packed = dir.path().join("n.gz");
        let mut encoder =
            flate2::write::GzEncoder::new(File::create(&packed).unwrap(), flate2::Compression::fast());
        encoder.write_all(&original).unwrap();
        encoder.finish().unwrap();
        let target = dir.path().join("n");
        let sum = unpack(File::open(&packed).unwrap(), &target).unwrap();
        assert_eq!(fs::read(&target).unwrap(), original);
        assert_eq!(sum.blocks.bytes(), Some(3 << 20));
        let blocks = std::os::unix::fs::MetadataExt::blocks(&target.metadata().unwrap());
        assert!(blocks < 100, "{blocks} blocks of 512 bytes are no holes");
        let cut = fs::read(&packed).unwrap();
        fs::write(&packed, &cut[..cut.len() / 2]).unwrap();
        assert!(unpack(File::open(&packed).unwrap(), &target).is_err());
    }

    #[test]
    fn the_size_of_a_part_is_compared() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("part");
        fs::write(&file, [0; 4096]).unwrap();
        assert_eq!(read_only_filesystem(&file), Err("it holds no squashfs or erofs".to_owned()));
        let mut part = vec![0; 8192];
        part[..4].copy_from_slice(b"hsqs");
        part[40..48].copy_from_slice(&8000u64.to_le_bytes());
        fs::write(&file, &part).unwrap();
        assert_eq!(read_only_filesystem(&file), Ok("squashfs"));
        fs::write(&file, &part[..4096]).unwrap();
        assert_eq!(read_only_filesystem(&file), Err("it has 4096 bytes and must have 8000".to_owned()));
        let mut part = vec![0; 8192];
        part[1024..1028].copy_from_slice(&0xe0f5_e1e2u32.to_le_bytes());
        part[1024 + 12] = 12;
        part[1024 + 36] = 2;
        fs::write(&file, &part).unwrap();
        assert_eq!(read_only_filesystem(&file), Ok("erofs"));
        fs::write(&file, &part[..4096]).unwrap();
        assert_eq!(read_only_filesystem(&file), Err("it has 4096 bytes and must have 8192".to_owned()));
    }
}
