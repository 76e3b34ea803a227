//! The layer of a container image: the tree as a tar archive, compressed, with its digests.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use description::{Container, LayerCompression};
use ondisk::digest::{Digest as _, Sha256};

use crate::gzip::GzipWriter;
use crate::host::{Host, Meter};
use crate::root_tree::RootTree;
use crate::tree_archive::TarWriter;
use ondisk::digest::hex;

/// The default compression level of the program zstd.
const LEVEL: i32 = 3;
/// Bytes that are summed and compressed at once.
const BUFFER: usize = 256 << 10;
/// Prefix of names that remove a file of a lower layer.
const WHITEOUT: &[u8] = b".wh.";
/// Directories whose content is left out of the image.
const TEMPORARY: [&str; 2] = ["run", "tmp"];

/// A layer that was written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Layer {
    /// SHA-256 of the archive before compression, in hex.
    pub(super) diff_id: String,
    /// SHA-256 of what was written, in hex.
    pub(super) digest: String,
    /// Bytes that were written.
    pub(super) size: u64,
}

/// Writes the layer to `output`, from its current position on.
pub(super) fn write(
    image: &Container,
    tree: &RootTree,
    output: &File,
    meter: &Meter<'_>,
    host: &Host,
) -> Result<Layer> {
    let output = Summed::new(output);
    let (diff_id, written) = match image.compression {
        LayerCompression::None => {
            let written = pack(image, tree, output, meter, host)?;
            (written.digest(), written)
        }
        LayerCompression::Zstd => {
            let mut encoder = zstd::Encoder::new(output, LEVEL)?;
            encoder.include_checksum(true)?;
            // With one thread or more the bytes do not depend on the number of threads.
            encoder.multithread(u32::try_from(host.processors().max(1))?)?;
            let packed = pack(image, tree, Summed::new(encoder), meter, host)?;
            (packed.digest(), packed.inner.finish()?)
        }
        LayerCompression::Gzip => {
            let encoder = GzipWriter::new(output, host.processors())?;
            let packed = pack(image, tree, Summed::new(encoder), meter, host)?;
            (packed.digest(), packed.inner.finish()?)
        }
    };
    Ok(Layer { diff_id, digest: written.digest(), size: written.length })
}

/// Writes the archive of the tree to `output` and returns it.
fn pack<W: Write>(
    image: &Container,
    tree: &RootTree,
    output: Summed<W>,
    meter: &Meter<'_>,
    host: &Host,
) -> Result<Summed<W>> {
    let mut writer = TarWriter::new(BufWriter::with_capacity(BUFFER, output), None);
    let is_left_out = |path: &Path| {
        let parent = path.parent().and_then(|parent| parent.strip_prefix(tree.path()).ok());
        image.empty_temporary && TEMPORARY.iter().any(|directory| parent == Some(Path::new(directory)))
    };
    let walk = walkdir::WalkDir::new(tree.path()).sort_by_file_name();
    for entry in walk.into_iter().filter_entry(|entry| !is_left_out(entry.path())) {
        host.check_interrupt()?;
        let entry = entry.context("cannot read the tree")?;
        let inside = entry.path().strip_prefix(tree.path())?;
        if entry.file_name().as_bytes().starts_with(WHITEOUT) && entry.depth() > 0 {
            bail!(
                "/{} cannot be in a container image: a name that begins with .wh. removes a file of a lower layer; \
                 rename or remove it",
                inside.display()
            );
        }
        let metadata = entry.metadata().context("cannot read the tree")?;
        writer
            .entry(entry.path(), inside, &metadata)
            .with_context(|| format!("cannot write /{} to the layer", inside.display()))?;
        meter.add(if metadata.is_file() { metadata.len() } else { 0 });
    }
    Ok(writer.finish()?.into_inner().map_err(io::IntoInnerError::into_error)?)
}

/// Passes bytes on and computes their number and digest.
struct Summed<W> {
    inner: W,
    sha256: Sha256,
    length: u64,
}

impl<W: Write> Summed<W> {
    fn new(inner: W) -> Self {
        Self { inner, sha256: Sha256::new(), length: 0 }
    }

    /// Returns the SHA-256 of everything written so far, in hex.
    fn digest(&self) -> String {
        hex(self.sha256.clone().finalize())
    }
}

impl<W: Write> Write for Summed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.inner.write(bytes)?;
        self.sha256.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
