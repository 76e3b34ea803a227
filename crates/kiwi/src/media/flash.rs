//! Writes a medium to a device or a file, then reads everything back and compares it.
//!
//! A device first loses its first block and gets that of the image last: what an interrupted run leaves does not start.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::{Advice, SeekFrom, fadvise, seek};

use crate::failure::fail;
use crate::host::{Host, StageTask, Unit};

/// Bytes written and read at a time.
const BLOCK: usize = 4 << 20;

/// The contents of a target before it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Before {
    /// Zeros only, like a new file: blocks of zeros are not written.
    Zeros,
    /// Anything: empty parts of the image must be overwritten with zeros.
    Anything,
}

/// Like `write`, to a new file at `path`.
pub fn write_file(image: &Path, path: &Path, name: &str, host: &Host) -> Result<()> {
    let creating = || format!("creating {name}");
    let size = image.metadata().with_context(|| format!("reading {}", image.display()))?.len();
    let file = host.create_file(path).with_context(creating)?;
    file.set_len(size).with_context(creating)?;
    write(image, &file, name, Before::Zeros, host)
}

/// Copies `image` to the start of `device`, called `name` in messages, then reads the device back and compares it.
pub fn write(image: &Path, device: &File, name: &str, before: Before, host: &Host) -> Result<()> {
    let size = image.metadata().with_context(|| format!("reading {}", image.display()))?.len();
    let room = seek(device, SeekFrom::End(0)).with_context(|| format!("reading the size of {name}"))?;
    if room < size {
        fail!(
            NoSpace,
            "{name} is too small: it has {} MB and {} MB are needed",
            room / 1_000_000,
            size.div_ceil(1_000_000)
        );
    }
    let stage =
        host.stage(StageTask::WriteStick, format!("Writing {} MB to {name}", size.div_ceil(1_000_000)));
    copy(open(image)?, size, device, name, before, |done| stage.advance(done, size, Unit::Bytes), host)?;
    stage.finish();
    verify(image, size, device, name, host)
}

/// Writes everything that `source` reads.
fn copy(
    source: impl Read,
    size: u64,
    device: &File,
    name: &str,
    before: Before,
    advance: impl Fn(u64),
    host: &Host,
) -> Result<()> {
    let put = |bytes: &[u8], offset: u64| {
        let writing = || format!("writing to {name} at {offset}");
        device.write_all_at(bytes, offset).with_context(writing)?;
        // Otherwise a slow device has gigabytes to write in the end, without progress, and a signal waits for them.
        if before == Before::Anything { device.sync_data().with_context(writing) } else { Ok(()) }
    };
    // The first block has the partition table and the boot loader. It is written last, so that a stick that was
    // interrupted does not look like a complete one.
    let mut first = Vec::new();
    each_block(source, size, host, |block, done| {
        advance(done);
        if done == 0 {
            first = block.to_vec();
            return if before == Before::Zeros { Ok(()) } else { put(&vec![0; block.len()], 0) };
        }
        let is_written = before == Before::Zeros && block.iter().all(|byte| *byte == 0);
        if is_written { Ok(()) } else { put(block, done) }
    })?;
    host.check_interrupt()?;
    put(&first, 0)?;
    device.sync_all().with_context(|| format!("writing to {name}"))
}

fn verify(image: &Path, size: u64, device: &File, name: &str, host: &Host) -> Result<()> {
    let stage = host.stage(StageTask::VerifyStick, format!("Reading {name} back"));
    // Data that is still in memory proves nothing.
    fadvise(device, 0, None, Advice::DontNeed).with_context(|| format!("reading {name} back"))?;
    let mut read = vec![0; BLOCK];
    each_block(open(image)?, size, host, |block, done| {
        stage.advance(done, size, Unit::Bytes);
        let read = &mut read[..block.len()];
        device.read_exact_at(read, done).with_context(|| format!("reading {name} back at {done}"))?;
        match block.iter().zip(read.iter()).position(|(written, read)| written != read) {
            None => Ok(()),
            Some(at) => fail!(
                Damaged,
                "{name} does not hold what was written to it: it differs at byte {}; the device is broken or smaller \
                 than it says, use another one",
                done + at as u64
            ),
        }
    })?;
    stage.finish();
    Ok(())
}

fn open(image: &Path) -> Result<File> {
    File::open(image).with_context(|| format!("reading {}", image.display()))
}

/// Calls a function with each block of an image and its offset.
fn each_block(
    mut source: impl Read,
    size: u64,
    host: &Host,
    mut take: impl FnMut(&[u8], u64) -> Result<()>,
) -> Result<()> {
    let mut block = vec![0; BLOCK];
    let mut done = 0;
    while done < size {
        host.check_interrupt()?;
        let count = usize::try_from(size - done).unwrap_or(BLOCK).min(BLOCK);
        source.read_exact(&mut block[..count]).context("reading the image")?;
        take(&block[..count], done)?;
        done += count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Failure, Kind};
    use crate::host::Output;

    #[test]
    fn a_device_holds_the_image_and_keeps_its_rest() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let (image, device) = (directory.path().join("image"), directory.path().join("device"));
        let bytes: Vec<u8> = (0..BLOCK + 4096).map(|at| (at % 251) as u8).collect();
        std::fs::write(&image, &bytes).unwrap();
        std::fs::write(&device, vec![0xff; BLOCK + 8192]).unwrap();
        let open = || File::options().read(true).write(true).open(&device).unwrap();
        write(&image, &open(), "sdx", Before::Anything, &host).unwrap();
        let written = std::fs::read(&device).unwrap();
        assert!(written[..bytes.len()] == bytes && written[bytes.len()..].iter().all(|byte| *byte == 0xff));
        std::fs::write(&device, [0; 4096]).unwrap();
        let error = write(&image, &open(), "sdx", Before::Anything, &host).unwrap_err();
        assert_eq!(error.downcast_ref::<Failure>().unwrap().kind, Kind::NoSpace, "{error}");
    }

    #[test]
    fn a_device_that_was_not_completed_has_no_first_block() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("device");
        std::fs::write(&path, vec![0xff; 3 * BLOCK]).unwrap();
        let device = File::options().read(true).write(true).open(&path).unwrap();
        let host = Host::new(Output::Quiet);
        // The image ends too early.
        let image = vec![1; 2 * BLOCK];
        let copied = copy(&image[..], 3 * BLOCK as u64, &device, "sdx", Before::Anything, |_| {}, &host);
        assert!(copied.is_err());
        let written = std::fs::read(&path).unwrap();
        assert!(written[..BLOCK].iter().all(|byte| *byte == 0), "the first block would start");
        assert!(written[BLOCK..2 * BLOCK].iter().all(|byte| *byte == 1));
    }

    #[test]
    fn a_file_is_the_same_with_its_holes() {
        use std::os::unix::fs::MetadataExt;
        let directory = tempfile::tempdir().unwrap();
        let (image, copy) = (directory.path().join("image"), directory.path().join("copy"));
        let bytes = [vec![1; BLOCK], vec![0; 4 * BLOCK], vec![2; 512]].concat();
        std::fs::write(&image, &bytes).unwrap();
        std::fs::write(&copy, vec![0xff; 8 * BLOCK]).unwrap();
        write_file(&image, &copy, "stick.raw", &Host::new(Output::Quiet)).unwrap();
        assert!(std::fs::read(&copy).unwrap() == bytes);
        assert!(copy.metadata().unwrap().blocks() * 512 < 2 * BLOCK as u64, "zeros take room");
    }

    #[test]
    fn a_device_that_forgets_is_found_out() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let (image, device) = (directory.path().join("image"), directory.path().join("device"));
        std::fs::write(&image, [1; 8192]).unwrap();
        std::fs::write(&device, [[1; 4096], [2; 4096]].concat()).unwrap();
        let file = File::open(&device).unwrap();
        let error = verify(&image, 8192, &file, "sdx", &host).unwrap_err();
        let failure = error.downcast_ref::<Failure>().unwrap();
        assert_eq!(failure.kind, Kind::Damaged, "{error}");
        assert!(failure.message.contains(" 4096"), "{error}");
    }
}
