//! Signed chunk indices beside published images (docs/formats/chunk-index.md).

use std::fs::File;
use std::io;

use anyhow::{Context as _, Result};
use bootconfig::{ChunkSizes, trusted_comment};

use crate::chunks;
use crate::host::Host;
use crate::pxe::{self, Change, Tree};
use crate::signature::SigningKey;

/// Writes the index of the file `path` of the tree, and its signature. Returns their paths and what happened to them.
pub(super) fn sign(key: &SigningKey, path: &str, tree: &Tree, host: &Host) -> Result<[(String, Change); 2]> {
    let file = tree.file(path);
    let reading = || format!("reading {}", file.display());
    let interrupted = |_| host.check_interrupt().map_err(io::Error::other);
    let index = chunks::index(File::open(&file).with_context(reading)?, ChunkSizes::DEFAULT, interrupted)
        .with_context(reading)?;
    let index_path = format!("{path}.caibx");
    let signature_path = format!("{index_path}.minisig");
    let change = pxe::write(tree, &index_path, &index.encode(), host)?;
    let indexed = tree.file(&index_path);
    let directory = indexed.parent().unwrap_or(std::path::Path::new("."));
    let unfinished = host
        .unfinished_file(directory)
        .with_context(|| format!("writing {}", tree.file(&signature_path).display()))?;
    key.sign(&indexed, &unfinished, &trusted_comment(path), host)?;
    let signature = pxe::adopt(tree, &signature_path, unfinished, host)?;
    Ok([(index_path, change), (signature_path, signature)])
}
