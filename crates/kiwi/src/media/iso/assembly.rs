//! Puts a medium together: what xorriso gives, and the largest file, which it does not read.
//!
//! ```text
//! xorriso -> pipe -> system area, descriptors, folders, all other files | largest file | zeros | partition | zeros, sum
//!                    from xorriso                                         from here on by kiwi
//! ```
//!
//! xorriso reads 2 KiB at a time and hands them from thread to thread, which costs more than all the rest of the medium.
//! So it gets a stand-in for its largest file, a hole of the same size that begins with a mark, which it lays last, and is
//! stopped at the mark. Everything that depends on sizes was written before. The bytes are those that xorriso would have
//! written, and each of them is written once, and summed on the way.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use bootconfig::{DESCRIPTOR, MediumDigester, SECTOR, Volume};
use sha2::{Digest, Sha256};

use super::Graft;
use crate::artifact::hex;
use crate::host::{Command, Host};

/// Where the MBR says in which sector of 512 bytes its second partition begins.
const SECOND_PARTITION: usize = 446 + 16 + 8;
/// Bytes that are taken at once; xorriso writes more than that behind its last file.
const CHUNK: usize = 32 * SECTOR as usize;

/// What xorriso sees instead of a file.
pub(super) struct StandIn {
    /// Where that is on the medium.
    pub(super) place: String,
    /// The file it stands for.
    file: PathBuf,
    size: u64,
    /// Its first sector.
    mark: Vec<u8>,
}

impl StandIn {
    /// Makes the file `path` to stand for that of a graft; `name` is what no other medium has.
    pub(super) fn make(graft: &Graft, path: &Path, name: &str, host: &Host) -> Result<Self> {
        let file = graft.source.clone();
        let what = || format!("making a stand-in for {}", file.display());
        let size = file.metadata().with_context(what)?.len();
        ensure!(size >= SECTOR, "the largest file of a medium, {}, has {size} bytes only", file.display());
        let digest = Sha256::new().chain_update("the largest file of ").chain_update(name).finalize();
        let mark = digest.repeat(SECTOR as usize / digest.len());
        let stand_in = host.create_file(path).with_context(what)?;
        stand_in.write_all_at(&mark, 0).and_then(|()| stand_in.set_len(size)).with_context(what)?;
        Ok(Self { place: graft.place.clone(), file, size, mark })
    }
}

/// Writes the medium into the file `output` and its sum into its last sectors; its SHA-256 in lower-case hex. `xorriso`
/// writes to its standard output, with the stand-in last; `partition` is what it appends.
pub(super) fn write(
    xorriso: Command<'_>,
    stand_in: &StandIn,
    partition: Option<&Path>,
    output: &Path,
    host: &Host,
) -> Result<String> {
    let writing = || format!("writing the medium {}", output.display());
    let mut medium = Medium::make(output, host).with_context(writing)?;
    let beginning = xorriso.run_read(|stream| medium.take(stream, &stand_in.mark)).with_context(writing)?;
    medium.finish(&beginning, stand_in, partition, host).with_context(writing)
}

/// A medium that is written from its first byte on.
struct Medium {
    file: File,
    digester: MediumDigester,
    position: u64,
}

impl Medium {
    fn make(output: &Path, host: &Host) -> io::Result<Self> {
        Ok(Self { file: host.create_file(output)?, digester: MediumDigester::default(), position: 0 })
    }

    /// Adds bytes; those that no sum depends on, which are zeros in every image, are zeros in `bytes` afterwards.
    fn add(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, self.position)?;
        self.digester.update(bytes);
        self.position += bytes.len() as u64;
        Ok(())
    }

    /// Adds what a stream has before the sector `mark`; the first sectors, up to the volume descriptor.
    fn take(&mut self, stream: &mut dyn Read, mark: &[u8]) -> io::Result<Vec<u8>> {
        let mut chunk = vec![0; CHUNK];
        stream.read_exact(&mut chunk)?;
        let beginning = chunk[..(DESCRIPTOR + SECTOR) as usize].to_vec();
        loop {
            let place = chunk.chunks(mark.len()).position(|sector| sector == mark);
            self.add(&mut chunk[..place.map_or(CHUNK, |sectors| sectors * mark.len())])?;
            if place.is_some() {
                return Ok(beginning);
            }
            stream.read_exact(&mut chunk)?;
        }
    }

    /// Adds all that follows: the largest file, the partition where the MBR in `beginning` has it, the sum. The SHA-256.
    fn finish(
        &mut self,
        beginning: &[u8],
        stand_in: &StandIn,
        partition: Option<&Path>,
        host: &Host,
    ) -> Result<String> {
        let volume = Volume::parse(&beginning[DESCRIPTOR as usize..])
            .context("there is no volume descriptor where xorriso writes it")?;
        self.copy(&stand_in.file, stand_in.size, host)?;
        if let Some(partition) = partition {
            let sector = &beginning[SECOND_PARTITION..SECOND_PARTITION + 4];
            let place = u64::from(u32::from_le_bytes([sector[0], sector[1], sector[2], sector[3]])) * 512;
            self.fill(place).context("the partition begins inside of a file")?;
            let size =
                partition.metadata().with_context(|| format!("reading {}", partition.display()))?.len();
            self.copy(partition, size, host)?;
        }
        self.fill(volume.summed()).context("the place of the medium's sum holds something else")?;
        self.add(&mut self.digester.sum().sector())?;
        self.fill(volume.bytes)?;
        Ok(hex(&self.digester.sum().0))
    }

    /// Adds a file of `size` bytes.
    fn copy(&mut self, file: &Path, size: u64, host: &Host) -> Result<()> {
        let copying = || format!("copying {} to the medium", file.display());
        let source = File::open(file).with_context(copying)?;
        let mut chunk = vec![0; 1 << 20];
        let mut place = 0;
        while place < size {
            host.check_interrupt()?;
            let count = usize::try_from((size - place).min(chunk.len() as u64))?;
            source.read_exact_at(&mut chunk[..count], place).with_context(copying)?;
            self.add(&mut chunk[..count]).with_context(copying)?;
            place += count as u64;
        }
        Ok(())
    }

    /// Adds zeros up to `place`.
    fn fill(&mut self, place: u64) -> Result<()> {
        let mut count = place
            .checked_sub(self.position)
            .with_context(|| format!("{} bytes lie where {place} were expected", self.position))?;
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
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;
    use crate::filesystem::foreign_tool::run;
    use crate::host::Output;

    #[test]
    fn the_medium_is_the_one_that_xorriso_writes_from_the_largest_file_itself() {
        let host = Host::new(Output::Quiet);
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let large: Vec<u8> = (0..3_000_001_u32).map(|number| (number / 3 % 251) as u8 + 1).collect();
        let small = |size: usize| vec![b'a'; size];
        for (name, bytes) in [("large", large), ("small", small(70_001)), ("partition", small(1 << 20))] {
            std::fs::write(at(name), bytes).unwrap();
        }
        let graft = Graft::new("/A/large", at("large"));
        let stand_in = StandIn::make(&graft, &at("stand-in"), "a medium", &host).unwrap();
        for name in ["large", "small", "stand-in"] {
            let file = std::fs::OpenOptions::new().write(true).open(at(name)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
        }
        let written = |output: &str, large: &str| {
            let (output, partition) = (at(output), at("partition").display().to_string());
            let words = format!(
                "SOURCE_DATE_EPOCH=1000000000 xorriso -as mkisofs -quiet -iso-level 3 -rock -joliet -partition_offset 16 \
                 -append_partition 2 0xef {partition} -output {} --sort-weight -1 /A/large \
                 -graft-points /A/large={} /B/small={}",
                output.display(),
                at(large).display(),
                at("small").display()
            );
            run("sh", &["-c", &words]);
            std::fs::read(output).unwrap()
        };
        let (mut expected, with_stand_in) =
            (written("expected", "large"), written("with-stand-in", "stand-in"));
        let mut medium = Medium::make(&at("medium"), &host).unwrap();
        let beginning = medium.take(&mut with_stand_in.as_slice(), &stand_in.mark).unwrap();
        let sha256 = medium.finish(&beginning, &stand_in, Some(&at("partition")), &host).unwrap();
        assert_eq!(crate::artifact::Sums::of(&at("medium")).unwrap().sha256, sha256);
        let found = std::fs::read(at("medium")).unwrap();
        let place = expected.len() - 16 * SECTOR as usize;
        let mut sum = MediumDigester::default();
        sum.update(&mut expected[..place]);
        expected[place..place + SECTOR as usize].copy_from_slice(&sum.sum().sector());
        assert!(found == expected, "the bytes of a medium are not those of xorriso");
        assert!(medium.take(&mut &with_stand_in[..100 << 10], &stand_in.mark).is_err(), "it ended early");
    }
}
