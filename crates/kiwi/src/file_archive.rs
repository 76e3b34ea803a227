//! Archives of finished files: `N.tar.xz` of the type kis, `N.install.tar`, and the archives of disks
//! (docs/formats/image-files.md).
//!
//! The bytes depend on the files only: owners are zero, times are those of the build, and xz packs blocks of a fixed size.

mod sparse_member;

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use liblzma::stream::{Check, MtStreamBuilder, Stream};
use liblzma::write::XzEncoder;
use tar::{Builder, EntryType, Header};

use crate::gzip::GzipWriter;
use crate::host::{Host, Meter, RunningStage};

/// The level of xz: the highest one that is not slower than a disk.
const LEVEL: u32 = 1;
/// Bytes that are compressed by themselves.
const BLOCK: u64 = 16 << 20;
/// Bytes that are read at a time.
const BUFFER: usize = 1 << 20;

/// A file that goes into an archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Member {
    /// Its name in the archive.
    pub name: String,
    /// The file.
    pub path: PathBuf,
}

/// The compression of an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// None: the members are compressed.
    Plain,
    /// None, in the format `ustar` of POSIX, which an OVA requires.
    Ustar,
    /// gzip.
    Gzip,
    /// gzip; blocks of zeros are left out, as `tar --format=oldgnu --sparse` does.
    SparseGzip,
    /// xz.
    Xz,
}

/// Writes an archive of the members to `output`, in the order of their names. All have the time `epoch`.
pub fn create(
    members: &[Member],
    packing: Packing,
    epoch: u64,
    output: &Path,
    stage: &RunningStage<'_>,
    host: &Host,
) -> Result<()> {
    let mut members: Vec<Member> = members.to_vec();
    members.sort();
    create_in_order(&members, packing, epoch, output, stage, host)
}

/// Writes an archive of the members to `output`, in the given order. All have the time `epoch`.
pub fn create_in_order(
    members: &[Member],
    packing: Packing,
    epoch: u64,
    output: &Path,
    stage: &RunningStage<'_>,
    host: &Host,
) -> Result<()> {
    let size = |member: &Member| member.path.metadata().map_or(0, |file| file.len());
    let meter = stage.meter(members.iter().map(size).sum());
    let writer = Writer { members, epoch, packing, meter: &meter, host };
    let writing = || format!("writing {}", output.display());
    let file = host.create_file(output).with_context(writing)?;
    let header = match packing {
        Packing::Ustar => Header::new_ustar(),
        Packing::Plain | Packing::Gzip | Packing::SparseGzip | Packing::Xz => Header::new_gnu(),
    };
    match packing {
        Packing::Plain | Packing::Ustar => writer
            .write(&header, BufWriter::with_capacity(BUFFER, file))?
            .into_inner()
            .context("writing the end of the archive")?,
        Packing::Gzip | Packing::SparseGzip => {
            let encoder = GzipWriter::new(file, host.processors()).with_context(writing)?;
            writer.write(&header, encoder)?.finish().with_context(writing)?
        }
        Packing::Xz => {
            let encoder = XzEncoder::new_stream(file, stream(host.processors())?);
            writer.write(&header, encoder)?.finish().with_context(writing)?
        }
    };
    Ok(())
}

/// Compresses a file with xz to `output`.
pub fn compress(path: &Path, output: &Path, stage: &RunningStage<'_>, host: &Host) -> Result<()> {
    let what = || format!("compressing {}", path.display());
    let mut source = File::open(path).with_context(what)?;
    let meter = stage.meter(source.metadata().with_context(what)?.len());
    let target = host.create_file(output).with_context(what)?;
    let mut encoder = XzEncoder::new_stream(target, stream(host.processors())?);
    let mut block = vec![0; BUFFER];
    loop {
        host.check_interrupt()?;
        match source.read(&mut block).with_context(what)? {
            0 => break,
            count => {
                encoder.write_all(&block[..count]).with_context(what)?;
                meter.add(count as u64);
            }
        }
    }
    encoder.finish().with_context(what)?;
    Ok(())
}

fn stream(threads: usize) -> Result<Stream> {
    MtStreamBuilder::new()
        .threads(u32::try_from(threads.max(1))?)
        .block_size(BLOCK)
        .preset(LEVEL)
        .check(Check::Crc64)
        .encoder()
        .context("starting xz")
}

/// The members of an archive and their form.
struct Writer<'a> {
    members: &'a [Member],
    epoch: u64,
    packing: Packing,
    meter: &'a Meter<'a>,
    host: &'a Host,
}

impl Writer<'_> {
    fn write<W: Write>(&self, form: &Header, output: W) -> Result<W> {
        let Self { members, epoch, packing, meter, host } = *self;
        let mut builder = Builder::new(output);
        for Member { name, path } in members {
            host.check_interrupt()?;
            let what = || format!("adding {} to the archive", path.display());
            let file = File::open(path).with_context(what)?;
            let mut header = form.clone();
            header.set_entry_type(EntryType::Regular);
            header.set_mode(0o644);
            header.set_uid(0);
            header.set_gid(0);
            header.set_mtime(epoch);
            let size = file.metadata().with_context(what)?.len();
            header.set_size(size);
            if packing == Packing::SparseGzip
                && let Some(map) = sparse_member::Map::of(&file, size, host).with_context(what)?
            {
                map.append(&mut builder, &mut header, name, &file).with_context(what)?;
                meter.add(size);
                continue;
            }
            let file = meter.reading(BufReader::with_capacity(BUFFER, file));
            builder.append_data(&mut header, name, file).with_context(what)?;
        }
        builder.into_inner().context("writing the end of the archive")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::FileExt;
    use std::process::Command;

    use test_programs::have;

    use super::*;
    use crate::host::StageTask;

    #[test]
    fn other_programs_read_the_archives_and_bytes_do_not_depend_on_the_order() {
        if !have(&["tar", "gzip", "xz"]) {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let host = Host::new(crate::host::Output::Quiet);
        let stage = host.stage(StageTask::WriteArchive, "Packing");
        let long = format!("{}.x86_64-1.0.0.config", "n".repeat(120));
        let mut members = Vec::new();
        for (name, content) in [("b", vec![7; 20 << 20]), (long.as_str(), b"text".to_vec()), ("a", vec![])] {
            let path = dir.path().join(name);
            fs::write(&path, content).unwrap();
            members.push(Member { name: name.to_owned(), path });
        }
        for (packing, option) in [
            (Packing::Plain, "--no-auto-compress"),
            (Packing::Ustar, "--no-auto-compress"),
            (Packing::Gzip, "--gzip"),
            (Packing::Xz, "--xz"),
        ] {
            let [one, other] = ["one", "other"].map(|name| dir.path().join(name));
            create(&members, packing, 1_000_000_000, &one, &stage, &host).unwrap();
            members.reverse();
            create(&members, packing, 1_000_000_000, &other, &stage, &host).unwrap();
            assert!(fs::read(&one).unwrap() == fs::read(&other).unwrap(), "{packing:?}");
            let mut tar = Command::new("tar");
            tar.args([option, "--list", "--verbose", "--numeric-owner", "--utc", "--file"]).arg(&one);
            let output = tar.output().unwrap();
            let listed = String::from_utf8(output.stdout).unwrap();
            assert!(output.status.success(), "{listed}");
            let names: Vec<&str> = listed.lines().filter_map(|line| line.split_whitespace().last()).collect();
            assert_eq!(names, ["a", "b", &long]);
            assert!(
                listed.lines().all(|line| line.contains(" 0/0 ") && line.contains(" 2001-09-09 01:46 ")),
                "{listed}"
            );
        }
        let holes = dir.path().join("holes");
        let file = File::create(&holes).unwrap();
        // More parts than a header has room for, zeros that are no hole, and an end within a block.
        file.set_len((64 << 20) + 1000).unwrap();
        for part in 0..40_u64 {
            file.write_all_at(&[u8::try_from(part).unwrap(); 100], part << 20).unwrap();
        }
        let archive = dir.path().join("sparse");
        let [empty, dense] =
            ["a", "b"].map(|name| Member { name: name.to_owned(), path: dir.path().join(name) });
        let member = [empty, dense, Member { name: "holes".to_owned(), path: holes.clone() }];
        create(&member, Packing::SparseGzip, 1_000_000_000, &archive, &stage, &host).unwrap();
        let target = dir.path().join("unpacked");
        fs::create_dir(&target).unwrap();
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(&archive).arg("-C").arg(&target);
        let output = tar.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        for name in ["a", "b", "holes"] {
            let both =
                [target.as_path(), dir.path()].map(|directory| fs::read(directory.join(name)).unwrap());
            assert!(both[0] == both[1], "{name}");
        }
        let output = Command::new("gzip").arg("-dc").arg(&archive).output().unwrap();
        assert!(output.stdout.len() < 24 << 20, "{} bytes", output.stdout.len());
        // The archive does not depend on where the file system has holes.
        fs::copy(&holes, dir.path().join("dense")).unwrap();
        fs::write(&holes, fs::read(dir.path().join("dense")).unwrap()).unwrap();
        let again = dir.path().join("again");
        create(&member, Packing::SparseGzip, 1_000_000_000, &again, &stage, &host).unwrap();
        assert!(fs::read(&archive).unwrap() == fs::read(&again).unwrap());
        let [source, packed] = ["b", "b.xz"].map(|name| dir.path().join(name));
        compress(&source, &packed, &stage, &host).unwrap();
        let output = Command::new("xz").args(["--decompress", "--stdout"]).arg(&packed).output().unwrap();
        assert!(output.stdout == fs::read(&source).unwrap());
    }
}
