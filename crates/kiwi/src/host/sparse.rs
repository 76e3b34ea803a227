//! Sparse files: their data, and copying them without reading the holes.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::{Host, Interrupted, StageTask, Unit};

/// Returns the data ranges of a sparse file, and an empty one at its end.
pub fn extents(file: &File, size: u64) -> std::io::Result<Vec<(u64, u64)>> {
    use rustix::fs::{SeekFrom, seek};
    let mut found = Vec::new();
    let mut position = 0;
    while position < size {
        let start = match seek(file, SeekFrom::Data(position)) {
            Ok(start) => start,
            Err(rustix::io::Errno::NXIO) => break,
            // A file system without holes: everything is data.
            Err(rustix::io::Errno::INVAL) => position,
            Err(error) => return Err(error.into()),
        };
        let end = seek(file, SeekFrom::Hole(start)).unwrap_or(size);
        found.push((start, end));
        position = end;
    }
    found.push((size, size));
    Ok(found)
}

/// The size from which reading a file is a piece of work of its own, with its progress.
const LARGE: u64 = 1 << 30;

/// The time between two reports of progress.
pub const INTERVAL: Duration = Duration::from_millis(200);

/// Passes every byte of a file to `take`, in order; returns their number. Holes are not read, because they contain only
/// zeros.
pub fn read_all(path: &Path, host: &Host, mut take: impl FnMut(&[u8])) -> Result<u64> {
    let reading = || format!("reading {}", path.display());
    let file = File::open(path).with_context(reading)?;
    let size = file.metadata().with_context(reading)?.len();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stage = (size >= LARGE).then(|| host.stage(StageTask::ComputeDigests, format!("Reading {name}")));
    let (zeros, mut buffer) = (vec![0; 1 << 18], vec![0; 1 << 18]);
    let (mut position, mut shown) = (0, Instant::now());
    let mut advance = |position: u64| {
        host.check_interrupt()?;
        if let Some(stage) = &stage
            && shown.elapsed() >= INTERVAL
        {
            stage.advance(position, size, Unit::Bytes);
            shown = Instant::now();
        }
        Ok::<(), Interrupted>(())
    };
    for (start, end) in extents(&file, size).with_context(reading)? {
        while position < start {
            let count = usize::try_from((start - position).min(zeros.len() as u64))?;
            take(&zeros[..count]);
            position += count as u64;
            advance(position)?;
        }
        while position < end {
            let count = usize::try_from((end - position).min(buffer.len() as u64))?;
            file.read_exact_at(&mut buffer[..count], position).with_context(reading)?;
            take(&buffer[..count]);
            position += count as u64;
            advance(position)?;
        }
    }
    if let Some(stage) = stage {
        stage.finish();
    }
    Ok(size)
}

/// Copies the data of `source` to `offset` of `target`, leaving holes unchanged.
pub fn copy(source: &Path, target: &File, offset: u64) -> Result<()> {
    let what = || format!("copying {} into the disk", source.display());
    let file = File::open(source).with_context(what)?;
    let size = file.metadata().with_context(what)?.len();
    for (start, end) in extents(&file, size).with_context(what)? {
        let (mut from, mut to) = (start, start + offset);
        while from < end {
            let count = usize::try_from(end - from)?;
            let copied = rustix::fs::copy_file_range(&file, Some(&mut from), target, Some(&mut to), count);
            match copied {
                Ok(0) => bail!("{} ended early", source.display()),
                Ok(_) => {}
                // File systems that cannot do it: read and write.
                Err(_) => copy_plain(&file, target, from, to, end).with_context(what)?,
            }
            if copied.is_err() {
                break;
            }
        }
    }
    Ok(())
}

fn copy_plain(source: &File, target: &File, mut from: u64, mut to: u64, end: u64) -> Result<()> {
    let mut buffer = vec![0; 1 << 20];
    while from < end {
        let count = usize::try_from((end - from).min(buffer.len() as u64))?;
        source.read_exact_at(&mut buffer[..count], from)?;
        target.write_all_at(&buffer[..count], to)?;
        from += count as u64;
        to += count as u64;
    }
    Ok(())
}
