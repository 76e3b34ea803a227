//! Assembles a medium from the output of xorriso and the large files, which xorriso does not read.
//!
//! ```text
//! xorriso -> pipe -> system area, descriptors, directories, small files | large files | zeros | partition | zeros, sum
//!                    from xorriso                                     from here on by kiwi
//! ```
//!
//! xorriso reads 2 KiB at a time and passes them between threads, which costs more than the rest of the medium. Therefore it
//! places the large files last, gets a substitute for the first of them (a hole of the same size that starts with a mark),
//! and is stopped at the mark. Everything that depends on sizes was written before. The bytes are those that xorriso would
//! have written; each of them is written once, and the checksum is computed in the same pass.
//!
//! A file that does not exist yet is written directly to its offset on the medium: a first run of xorriso with a small
//! substitute yields the offset, a second one with the final size everything before it.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::{DESCRIPTOR, MediumDigester, SECTOR, Volume};
use ondisk::digest::{Digest, Sha256};

use super::{Graft, InPlace, finish};
use crate::host::{Command, Host};
use ondisk::digest::hex;

/// Offset in the MBR of the start of its second partition, in sectors of 512 bytes.
const SECOND_PARTITION: usize = 446 + 16 + 8;
/// Bytes read at a time; xorriso writes more than that behind its last file.
const CHUNK: usize = 32 * SECTOR as usize;
/// Minimum size of a large file in bytes.
const LARGE: u64 = 1 << 20;

/// The large files of a medium, in their order.
pub(super) struct LargeFiles<'a> {
    files: Vec<LargeFile>,
    /// Writes the first one, if it does not exist yet.
    in_place: Option<&'a InPlace<'a>>,
    stand_in: PathBuf,
    epoch: u64,
    /// First sector of the substitute.
    mark: Vec<u8>,
}

struct LargeFile {
    location: String,
    source: PathBuf,
    size: u64,
}

impl<'a> LargeFiles<'a> {
    /// Finds them, and makes `path` the substitute for the first one among the grafts; `name` is unique to the medium.
    pub(super) fn of(
        grafts: &mut Vec<Graft>,
        in_place: Option<&'a InPlace<'a>>,
        path: &Path,
        (name, epoch): (&str, u64),
        host: &Host,
    ) -> Result<Self> {
        let size = |graft: &Graft| {
            graft.source.metadata().map_or(0, |file| if file.is_file() { file.len() } else { 0 })
        };
        let mut files: Vec<LargeFile> = grafts
            .iter()
            .map(|graft| LargeFile {
                location: graft.location.clone(),
                source: graft.source.clone(),
                size: size(graft),
            })
            .collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.size));
        let count = files.iter().filter(|file| file.size >= LARGE).count();
        files.truncate(if in_place.is_some() { count } else { count.max(1) });
        let digest = Sha256::new().chain_update("the largest file of ").chain_update(name).finalize();
        let mark = digest.repeat(SECTOR as usize / digest.len());
        if let Some(in_place) = in_place {
            files.insert(
                0,
                LargeFile { location: in_place.location.clone(), source: PathBuf::new(), size: SECTOR },
            );
            grafts.push(Graft::new(&in_place.location, ""));
        }
        let first = files.first().filter(|file| file.size >= SECTOR).context("a medium has no files")?;
        let (location, size) = (&first.location, first.size);
        host.write_file(path, &mark).context("creating a substitute for a file of the medium")?;
        for graft in grafts.iter_mut().filter(|graft| graft.location == *location) {
            graft.source = path.to_owned();
        }
        let mut large = Self { files, in_place, stand_in: path.to_owned(), epoch, mark };
        large.resize(size, host)?;
        Ok(large)
    }

    /// Sets the size of the first one and of its substitute.
    fn resize(&mut self, size: u64, host: &Host) -> Result<()> {
        self.files[0].size = size;
        host.open_file(&self.stand_in)
            .and_then(|file| file.set_len(size))
            .context("creating a substitute for a file of the medium")?;
        finish(&self.stand_in, self.epoch, host)
    }

    /// Returns the xorriso arguments that place them last, in their order.
    pub(super) fn weights(&self) -> impl Iterator<Item = String> {
        let weights = self.files.iter().enumerate();
        weights.flat_map(|(number, file)| {
            ["--sort-weight".to_owned(), format!("-{}", number + 1), file.location.clone()]
        })
    }
}

/// Writes the medium to the file `output` and its checksum to its last sectors; returns its SHA-256 in lower-case hex.
/// `xorriso` writes to its standard output; `partition` is what it appends.
pub(super) fn write<'h>(
    xorriso: impl Fn() -> Result<Command<'h>>,
    mut large: LargeFiles<'_>,
    partition: Option<&Path>,
    output: &Path,
    host: &Host,
) -> Result<String> {
    let writing = || format!("writing the medium {}", output.display());
    let mark = large.mark.clone();
    let take = |medium: &mut Medium| {
        let xorriso = xorriso()?;
        xorriso.run_read(|stream| medium.take(stream, &mark)).with_context(writing)
    };
    let mut medium = Medium::make(output, host).with_context(writing)?;
    let mut beginning = take(&mut medium)?;
    if let Some(in_place) = large.in_place {
        let mut offset = 0;
        // Once, unless a size of more than 32 bits moves what follows the directory that contains it.
        while offset != medium.position {
            offset = medium.position;
            (in_place.write)(output, offset)?;
            let end = output.metadata().with_context(writing)?.len();
            large.resize(end.saturating_sub(offset), host)?;
            medium = Medium::over(output, host).with_context(writing)?;
            beginning = take(&mut medium)?;
        }
        large.files[0].source = output.to_owned();
    }
    medium.finish(&beginning, &large, partition, host).with_context(writing)
}

/// A medium that is written from start to end.
struct Medium {
    file: File,
    digester: MediumDigester,
    position: u64,
}

impl Medium {
    fn make(output: &Path, host: &Host) -> io::Result<Self> {
        host.create_file(output).map(Self::new)
    }

    /// Starts in a file that already contains a part of the medium.
    fn over(output: &Path, host: &Host) -> io::Result<Self> {
        host.open_file(output).map(Self::new)
    }

    fn new(file: File) -> Self {
        Self { file, digester: MediumDigester::default(), position: 0 }
    }

    /// Appends bytes; those that are excluded from every checksum and are zeros in every image are cleared in `bytes`.
    fn add(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.position)?;
        self.pass(bytes);
        Ok(())
    }

    /// Like `add`, for bytes that are already in the file.
    fn pass(&mut self, bytes: &mut [u8]) {
        self.digester.update(bytes);
        self.position += bytes.len() as u64;
    }

    /// Appends the part of a stream before the sector `mark`; returns the first sectors, up to the volume descriptor.
    fn take(&mut self, stream: &mut dyn Read, mark: &[u8]) -> io::Result<Vec<u8>> {
        let mut chunk = vec![0; CHUNK];
        stream.read_exact(&mut chunk)?;
        let beginning = chunk[..(DESCRIPTOR + SECTOR) as usize].to_vec();
        loop {
            let found = chunk.chunks(mark.len()).position(|sector| sector == mark);
            self.add(&mut chunk[..found.map_or(CHUNK, |sectors| sectors * mark.len())])?;
            if found.is_some() {
                return Ok(beginning);
            }
            stream.read_exact(&mut chunk)?;
        }
    }

    /// Appends the rest: the large files, the partition at the offset in the MBR in `beginning`, the checksum. Returns the
    /// SHA-256.
    fn finish(
        &mut self,
        beginning: &[u8],
        large: &LargeFiles<'_>,
        partition: Option<&Path>,
        host: &Host,
    ) -> Result<String> {
        let volume = Volume::parse(&beginning[DESCRIPTOR as usize..])
            .context("xorriso wrote no volume descriptor at the expected offset")?;
        for (number, file) in large.files.iter().enumerate() {
            let is_there = number == 0 && large.in_place.is_some();
            let from = if is_there { self.position } else { 0 };
            self.copy(&file.source, from, file.size, is_there, host)?;
            self.fill(self.position.next_multiple_of(SECTOR))?;
        }
        if let Some(partition) = partition {
            let sector = &beginning[SECOND_PARTITION..SECOND_PARTITION + 4];
            let offset = u64::from(u32::from_le_bytes([sector[0], sector[1], sector[2], sector[3]])) * 512;
            self.fill(offset).context("the partition starts inside a file")?;
            let size =
                partition.metadata().with_context(|| format!("reading {}", partition.display()))?.len();
            self.copy(partition, 0, size, false, host)?;
        }
        self.fill(volume.summed()).context("the area of the medium's checksum is not empty")?;
        self.add(&mut self.digester.sum().sector())?;
        self.fill(volume.bytes.0)?;
        Ok(hex(self.digester.sum().0))
    }

    /// Appends `size` bytes of a file from byte `from` on, or skips them if the medium already has them.
    fn copy(&mut self, file: &Path, from: u64, size: u64, is_there: bool, host: &Host) -> Result<()> {
        let copying = || format!("reading {}", file.display());
        let source = File::open(file).with_context(copying)?;
        let mut chunk = vec![0; 1 << 18];
        let mut done = 0;
        while done < size {
            host.check_interrupt()?;
            let count = usize::try_from((size - done).min(chunk.len() as u64))?;
            source.read_exact_at(&mut chunk[..count], from + done).with_context(copying)?;
            match is_there {
                true => self.pass(&mut chunk[..count]),
                false => self.add(&mut chunk[..count])?,
            }
            done += count as u64;
        }
        Ok(())
    }

    /// Appends zeros up to `offset`.
    fn fill(&mut self, offset: u64) -> Result<()> {
        let mut count = offset
            .checked_sub(self.position)
            .with_context(|| format!("the offset is {} where {offset} was expected", self.position))?;
        let mut zeros = vec![0; CHUNK];
        while count > 0 {
            let now = count.min(CHUNK as u64);
            self.add(&mut zeros[..now as usize])?;
            count -= now;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test writes the files of a medium")]
mod tests {
    use test_programs::{have, run};

    use super::*;
    use crate::host::Output;

    const EPOCH: u64 = 1_000_000_000;

    /// Returns what xorriso writes for the files of `directory`, with `large` as the first large file.
    fn written(directory: &Path, large: &str) -> Vec<u8> {
        let script = format!(
            "cd {} && SOURCE_DATE_EPOCH={EPOCH} xorriso -as mkisofs -quiet -iso-level 3 -rock -joliet -partition_offset 16 \
             -append_partition 2 0xef partition -output by-xorriso --sort-weight -1 /A/large --sort-weight -2 /A/kernel \
             -graft-points /=directories /A/large={large} /A/kernel=kernel /B/small=small",
            directory.display()
        );
        run("sh", &["-c", &script]);
        std::fs::read(directory.join("by-xorriso")).unwrap()
    }

    #[test]
    fn the_medium_is_the_one_that_xorriso_writes_from_all_files() {
        if !have(&["sh", "xorriso"]) {
            return;
        }
        let host = Host::new(Output::Quiet);
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let large: Vec<u8> = (0..3_000_001_u32).map(|number| (number / 3 % 251) as u8 + 1).collect();
        let kernel = large[500_000..2_000_000].to_vec();
        let files = [
            ("large", large.clone()),
            ("kernel", kernel),
            ("small", vec![1; 70_001]),
            ("partition", vec![2; 1 << 20]),
        ];
        for (name, bytes) in files {
            std::fs::write(at(name), bytes).unwrap();
            finish(&at(name), EPOCH, &host).unwrap();
        }
        // Directories that xorriso creates itself get another time each second.
        for name in ["directories/A", "directories/B", "directories"] {
            std::fs::create_dir_all(at(name)).unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(EPOCH);
            File::open(at(name)).unwrap().set_modified(time).unwrap();
        }
        let mut expected = written(directory.path(), "large");
        let offset = expected.len() - 16 * SECTOR as usize;
        let mut sum = MediumDigester::default();
        sum.update(&mut expected[..offset]);
        expected[offset..offset + SECTOR as usize].copy_from_slice(&sum.sum().sector());

        let write = |output: &Path, offset: u64| -> Result<()> {
            let file = host.create_file(output)?;
            Ok(file.write_all_at(&large, offset)?)
        };
        let in_place = InPlace { location: "/A/large".to_owned(), write: &write };
        for in_place in [None, Some(&in_place)] {
            let mut grafts = vec![Graft::new("/A/kernel", at("kernel")), Graft::new("/B/small", at("small"))];
            if in_place.is_none() {
                grafts.push(Graft::new("/A/large", at("large")));
            }
            let named = ("a medium", EPOCH);
            let mut files = LargeFiles::of(&mut grafts, in_place, &at("stand-in"), named, &host).unwrap();
            let weights = ["--sort-weight", "-1", "/A/large", "--sort-weight", "-2", "/A/kernel"];
            assert!(files.weights().eq(weights));
            let mut medium = Medium::make(&at("medium"), &host).unwrap();
            if let Some(in_place) = in_place {
                medium.take(&mut written(directory.path(), "stand-in").as_slice(), &files.mark).unwrap();
                (in_place.write)(&at("medium"), medium.position).unwrap();
                files.resize(large.len() as u64, &host).unwrap();
                files.files[0].source = at("medium");
                medium = Medium::over(&at("medium"), &host).unwrap();
            }
            let given = written(directory.path(), "stand-in");
            let beginning = medium.take(&mut given.as_slice(), &files.mark).unwrap();
            let sha256 = medium.finish(&beginning, &files, Some(&at("partition")), &host).unwrap();
            assert_eq!(crate::artifact::Sums::of(&at("medium"), &host).unwrap().sha256, sha256);
            let found = std::fs::read(at("medium")).unwrap();
            assert!(found == expected, "the bytes of a medium differ from those of xorriso");
            assert!(medium.take(&mut &given[..100 << 10], &files.mark).is_err(), "it ended early");
        }
    }
}
