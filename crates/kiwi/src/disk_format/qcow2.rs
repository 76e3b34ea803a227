//! A disk as a qcow2 file whose clusters are compressed with zstd, on all processors.
//!
//! ```text
//! header | compressed clusters, in the order of the disk, without gaps | tables: L2 ..., L1, reference counts
//! ```
//!
//! qemu-img compresses either in parallel or in a fixed order, not both. Format: QEMU, docs/interop/qcow2.rst, version 3
//! with the feature bit for zstd (QEMU 5.1, 2020). Numbers are big-endian.

mod earlier;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::{Context, Result};

pub(super) use self::earlier::Earlier;
use self::earlier::Lookup;
use crate::host::{Host, RunningStage, sparse};
use crate::parallel;

/// Clusters of 128 KiB: twice the default size needs about 3 % less space.
const CLUSTER_BITS: u32 = 17;
const CLUSTER: u64 = 1 << CLUSTER_BITS;
/// The default compression level of zstd, which qemu-img uses, too.
const LEVEL: i32 = 3;
/// Entries of a table of one cluster with eight bytes each, and with two bytes each.
const OFFSETS: u64 = CLUSTER / 8;
const COUNTS: u64 = CLUSTER / 2;

const MAGIC: [u8; 4] = *b"QFI\xfb";
const HEADER_LENGTH: u32 = 112;
/// Incompatible feature: the header contains the compression type.
const COMPRESSION_TYPE: u64 = 1 << 3;
const ZSTD: u8 = 1;
/// 2^4 bits for each reference count.
const REFCOUNT_ORDER: u32 = 4;
/// Flag of an entry of L1 or L2: its cluster has exactly one reference.
const COPIED: u64 = 1 << 63;
/// Flag of an entry of L2: the cluster is compressed; the other bits are its byte offset and the number of sectors.
const PACKED: u64 = 1 << 62;
const SECTORS_SHIFT: u32 = 62 - (CLUSTER_BITS - 8);
const SECTOR: u64 = 512;

/// The stored form of a cluster.
enum Cluster {
    /// Nothing but zeros: it is not stored.
    Zeros,
    Packed(Vec<u8>),
    /// Stored uncompressed, because compression does not make it smaller.
    Plain(Vec<u8>),
}

/// Writes the raw disk as qcow2 into the new file `output`. The compressed form of clusters that `earlier` contains, too,
/// is copied from there, which gives the same bytes.
pub(super) fn write(
    raw: &Path,
    output: &File,
    earlier: Option<&Earlier>,
    stage: &RunningStage<'_>,
    host: &Host,
) -> Result<()> {
    let disk = File::open(raw).with_context(|| format!("reading {}", raw.display()))?;
    let size = disk.metadata()?.len();
    let numbers = with_content(&disk, size).with_context(|| format!("reading {}", raw.display()))?;
    let packers: Vec<Packer<'_>> =
        (0..host.processors()).map(|_| Packer::new(&disk, size, earlier)).collect::<Result<_>>()?;
    let packing = || format!("packing {}", raw.display());
    let mut image = Image::begin(output, size)?;
    let meter = stage.meter(numbers.len() as u64 * CLUSTER);
    parallel::for_each(
        &numbers,
        packers,
        |packer, number| {
            host.check_interrupt()?;
            packer.pack(*number).with_context(packing)
        },
        |number, cluster| {
            meter.add(CLUSTER);
            image.add(*number, cluster)
        },
    )?;
    image.finish()
}

/// Returns the numbers of the clusters that contain data, in order.
fn with_content(disk: &File, size: u64) -> Result<Vec<u64>> {
    let mut numbers: Vec<u64> = Vec::new();
    for (start, end) in sparse::extents(disk, size)? {
        let first = numbers.last().map_or(0, |last| last + 1).max(start / CLUSTER);
        numbers.extend(first..end.div_ceil(CLUSTER));
    }
    Ok(numbers)
}

/// Reads and compresses clusters, one at a time.
struct Packer<'a> {
    disk: &'a File,
    size: u64,
    lookup: Option<Lookup<'a>>,
    zstd: zstd::bulk::Compressor<'static>,
    content: Vec<u8>,
    packed: Vec<u8>,
}

impl<'a> Packer<'a> {
    fn new(disk: &'a File, size: u64, earlier: Option<&'a Earlier>) -> Result<Self> {
        let lookup = earlier.map(Lookup::new).transpose().context("starting zstd")?;
        let zstd = zstd::bulk::Compressor::new(LEVEL).context("starting zstd")?;
        // The buffer is smaller than a cluster: a cluster that does not get smaller does not fit, and is stored uncompressed.
        let packed = Vec::with_capacity(usize::try_from(CLUSTER - 1)?);
        Ok(Self { disk, size, lookup, zstd, content: vec![0; usize::try_from(CLUSTER)?], packed })
    }

    fn pack(&mut self, number: u64) -> Result<Cluster> {
        let start = number * CLUSTER;
        let count = usize::try_from(CLUSTER.min(self.size - start))?;
        self.disk.read_exact_at(&mut self.content[..count], start)?;
        self.content[count..].fill(0);
        if self.content.iter().all(|byte| *byte == 0) {
            return Ok(Cluster::Zeros);
        }
        if let Some(lookup) = &mut self.lookup
            && lookup.find(number, &self.content, &mut self.packed)
        {
            return Ok(Cluster::Packed(self.packed.clone()));
        }
        self.packed.clear();
        Ok(match self.zstd.compress_to_buffer(&self.content, &mut self.packed) {
            Ok(_) => Cluster::Packed(self.packed.clone()),
            // The only possible error is the size of the buffer.
            Err(_) => Cluster::Plain(self.content.clone()),
        })
    }
}

/// The file while it is written.
struct Image<'a> {
    output: BufWriter<&'a File>,
    size: u64,
    /// The number of bytes written.
    position: u64,
    /// The entries of all L2 tables, by number of the table.
    tables: BTreeMap<u64, Vec<u64>>,
    /// The number of references to each cluster of the file.
    counts: Vec<u16>,
}

impl<'a> Image<'a> {
    /// Writes the header last: until then the file is not a valid qcow2.
    fn begin(output: &'a File, size: u64) -> Result<Self> {
        let mut image = Self {
            output: BufWriter::with_capacity(1 << 20, output),
            size,
            position: 0,
            tables: BTreeMap::new(),
            counts: Vec::new(),
        };
        image.cache(&vec![0; usize::try_from(CLUSTER)?])?;
        Ok(image)
    }

    fn add(&mut self, number: u64, cluster: Cluster) -> Result<()> {
        let entry = match cluster {
            Cluster::Zeros => return Ok(()),
            Cluster::Plain(bytes) => self.table(&bytes)? | COPIED,
            Cluster::Packed(bytes) => {
                let start = self.cache(&bytes)?;
                let next = (self.position - 1) / SECTOR - start / SECTOR;
                PACKED | next << SECTORS_SHIFT | start
            }
        };
        let table = self.tables.entry(number / OFFSETS).or_insert_with(|| vec![0; OFFSETS as usize]);
        table[usize::try_from(number % OFFSETS)?] = entry;
        Ok(())
    }

    /// Appends bytes, and adds a reference to each cluster of the file that they touch.
    fn cache(&mut self, bytes: &[u8]) -> Result<u64> {
        let start = self.position;
        self.output.write_all(bytes).context("writing the disk")?;
        self.position += bytes.len() as u64;
        let (first, last) = (start / CLUSTER, (self.position - 1) / CLUSTER);
        self.counts.resize(self.counts.len().max(usize::try_from(last + 1)?), 0);
        for cluster in first..=last {
            self.counts[usize::try_from(cluster)?] += 1;
        }
        Ok(start)
    }

    /// Pads the last cluster.
    fn align(&mut self) -> Result<()> {
        let rest = self.position.next_multiple_of(CLUSTER) - self.position;
        self.output.write_all(&vec![0; usize::try_from(rest)?]).context("writing the disk")?;
        self.position += rest;
        Ok(())
    }

    /// Appends bytes in clusters of their own.
    fn table(&mut self, bytes: &[u8]) -> Result<u64> {
        self.align()?;
        let start = self.cache(bytes)?;
        self.align()?;
        Ok(start)
    }

    fn finish(mut self) -> Result<()> {
        let mut l1 = vec![0; usize::try_from(self.size.div_ceil(CLUSTER * OFFSETS))?];
        for (number, entries) in std::mem::take(&mut self.tables) {
            l1[usize::try_from(number)?] = self.table(&bytes(&entries))? | COPIED;
        }
        let l1_place = self.table(&bytes(&l1))?;
        let (counts_place, counts_clusters) = self.write_counts()?;
        let mut header = Vec::new();
        header.extend(MAGIC);
        header.extend(3_u32.to_be_bytes());
        // No backing file.
        header.extend([0; 12]);
        header.extend(CLUSTER_BITS.to_be_bytes());
        header.extend(self.size.to_be_bytes());
        // Not encrypted.
        header.extend(0_u32.to_be_bytes());
        header.extend(u32::try_from(l1.len())?.to_be_bytes());
        header.extend(l1_place.to_be_bytes());
        header.extend(counts_place.to_be_bytes());
        header.extend(u32::try_from(counts_clusters)?.to_be_bytes());
        // No snapshots.
        header.extend([0; 12]);
        header.extend(COMPRESSION_TYPE.to_be_bytes());
        header.extend([0; 16]);
        header.extend(REFCOUNT_ORDER.to_be_bytes());
        header.extend(HEADER_LENGTH.to_be_bytes());
        header.extend([ZSTD, 0, 0, 0, 0, 0, 0, 0]);
        self.output.seek(SeekFrom::Start(0)).context("writing the disk")?;
        self.output.write_all(&header).context("writing the disk")?;
        self.output.flush().context("writing the disk")
    }

    /// Writes the reference counts, including those of their own clusters. Returns the offset of their table and the number
    /// of its clusters.
    fn write_counts(&mut self) -> Result<(u64, u64)> {
        self.align()?;
        let before = self.position / CLUSTER;
        // More blocks of counts need more counts; this ends after a few rounds.
        let (mut blocks, mut tables) = (0, 0);
        while before + blocks + tables > blocks * COUNTS || blocks > tables * OFFSETS {
            blocks = (before + blocks + tables).div_ceil(COUNTS);
            tables = blocks.div_ceil(OFFSETS);
        }
        self.counts.resize(usize::try_from(blocks * COUNTS)?, 0);
        for cluster in before..before + blocks + tables {
            self.counts[usize::try_from(cluster)?] = 1;
        }
        let counts: Vec<u8> = self.counts.iter().flat_map(|count| count.to_be_bytes()).collect();
        self.output.write_all(&counts).context("writing the disk")?;
        let offset = (before + blocks) * CLUSTER;
        let mut table: Vec<u64> = (before..before + blocks).map(|cluster| cluster * CLUSTER).collect();
        table.resize(usize::try_from(tables * OFFSETS)?, 0);
        self.output.write_all(&bytes(&table)).context("writing the disk")?;
        Ok((offset, tables))
    }
}

fn bytes(numbers: &[u64]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use test_programs::{command, have};

    use super::*;
    use crate::host::Output;
    use crate::host::StageTask;

    /// Returns a disk with a hole, written zeros, text, noise, and an end inside a cluster.
    fn disk(path: &Path) {
        let file = File::create(path).unwrap();
        file.set_len(2 * OFFSETS * CLUSTER + 3 * CLUSTER + 512).unwrap();
        let mut state = 1_u32;
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        let noise: Vec<u8> = noise.take(3 * CLUSTER as usize).collect();
        let text: Vec<u8> =
            b"all work and no play ".iter().copied().cycle().take(20 * CLUSTER as usize).collect();
        file.write_all_at(&text, 1000).unwrap();
        file.write_all_at(&vec![0; 2 * CLUSTER as usize], 30 * CLUSTER).unwrap();
        file.write_all_at(&noise, 40 * CLUSTER + 512).unwrap();
        file.write_all_at(&text[..700_000], 44 * CLUSTER).unwrap();
        file.write_all_at(&noise[..512], 2 * OFFSETS * CLUSTER + 3 * CLUSTER).unwrap();
    }

    #[test]
    fn qemu_img_reads_the_same_disk_without_errors() {
        if !have(&["qemu-img"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let [raw, one, other] = ["raw", "one", "other"].map(|name| directory.path().join(name));
        disk(&raw);
        let host = Host::new(Output::Quiet);
        let stage = host.stage(StageTask::ConvertDisk, "Converting");
        for image in [&one, &other] {
            write(&raw, &File::create(image).unwrap(), None, &stage, &host).unwrap();
        }
        assert!(std::fs::read(&one).unwrap() == std::fs::read(&other).unwrap(), "two files differ");
        let compare = ["compare", "-f", "raw", "-F", "qcow2"];
        for (arguments, last) in [(&["check", "-f", "qcow2"][..], None), (&compare[..], Some(&raw))] {
            let output = command("qemu-img").args(arguments).args(last).arg(&one).output().unwrap();
            assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
        }
    }

    #[test]
    fn reuses_compressed_clusters_and_writes_the_same_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let [raw, before, image, damaged] =
            ["raw", "before", "image", "damaged"].map(|name| directory.path().join(name));
        disk(&raw);
        let host = Host::new(Output::Quiet);
        let stage = host.stage(StageTask::ConvertDisk, "Converting");
        write(&raw, &File::create(&before).unwrap(), None, &stage, &host).unwrap();
        let file = File::options().write(true).open(&raw).unwrap();
        file.write_all_at(b"another text", 2 * CLUSTER + 77).unwrap();
        write(&raw, &File::create(&image).unwrap(), None, &stage, &host).unwrap();
        let expected = std::fs::read(&image).unwrap();

        let with = |earlier: &Path| {
            let earlier = Earlier::open(earlier);
            let output = directory.path().join("with");
            write(&raw, &File::create(&output).unwrap(), earlier.as_ref(), &stage, &host).unwrap();
            assert!(std::fs::read(output).unwrap() == expected, "an earlier image changes the bytes");
            earlier
        };
        let earlier = with(&before).unwrap();
        let content = |number: u64| {
            let mut content = vec![0; CLUSTER as usize];
            File::open(&raw).unwrap().read_exact_at(&mut content, number * CLUSTER).unwrap();
            content
        };
        let mut lookup = Lookup::new(&earlier).unwrap();
        let mut packed = Vec::new();
        assert!(lookup.find(1, &content(1), &mut packed), "nothing is taken");
        // Changed clusters, zeros, uncompressed clusters, clusters that the disk did not have.
        for number in [2, 30, 41, 1 << 40] {
            assert!(!lookup.find(number, &content(1), &mut packed), "{number}");
        }

        let mut bytes = std::fs::read(&before).unwrap();
        let offset = CLUSTER as usize + 20;
        bytes[offset] ^= 1;
        std::fs::write(&damaged, &bytes).unwrap();
        with(&damaged).unwrap();
        for length in [0, 111, CLUSTER as usize, bytes.len() - CLUSTER as usize * 4] {
            std::fs::write(&damaged, &bytes[..length]).unwrap();
            with(&damaged);
        }
        bytes[36..40].fill(0xff);
        std::fs::write(&damaged, &bytes).unwrap();
        assert!(with(&damaged).is_none(), "more tables than there is room for");
    }
}
