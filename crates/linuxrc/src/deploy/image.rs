//! Loads the images of a configuration.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use bootconfig::{Checksum, ChunkIndex, Compression, ImageEntry};

use crate::boot_failure::BootFailure;
use crate::console::Console;
use crate::download::{CopyError, Sums, Target, Unpacked, Watched, copy, parse_sha256};
use crate::net::{NetError, NetErrorKind, Report, Server};
use crate::verified::{VerifiedReader, trusted_index};

/// How often an image is loaded whose sum is wrong.
const ATTEMPTS: u32 = 3;
/// The pause between two of these attempts.
const PAUSE: Duration = Duration::from_secs(15);
/// The largest checksum file.
const SUM_FILE: usize = 4096;

/// The largest chunk index: that of an image of about 100 GB.
const INDEX_FILE: usize = 64 << 20;
/// The largest signature.
const SIGNATURE_FILE: usize = 4096;

/// An image of the configuration.
#[derive(Debug, Clone)]
pub(crate) struct Image<'c> {
    pub(crate) entry: &'c ImageEntry,
    pub(crate) served: Served,
}

/// An image as a server offers it.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    /// Its base name N.
    pub(crate) name: String,
    /// Its path on the server.
    pub(crate) path: String,
    pub(crate) compression: Option<Compression>,
    pub(crate) sums: Sums,
    /// The signed index of its file; none: nothing has to be signed.
    pub(crate) index: Option<ChunkIndex>,
}

/// The server of an image, and the one from which a wrong chunk is fetched then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Servers {
    pub(crate) first: Server,
    /// The server of the configuration, when the image has another one.
    pub(crate) second: Option<Server>,
}

/// Where an image goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    /// A block device.
    Device(PathBuf),
    /// A file in memory.
    Memory(PathBuf),
}

impl Destination {
    fn path(&self) -> &Path {
        match self {
            Self::Device(path) | Self::Memory(path) => path,
        }
    }
}

impl Served {
    /// Fetches what is known of the image of an entry.
    pub(crate) fn of_entry(
        server: &Server,
        entry: &ImageEntry,
        key: Option<&str>,
    ) -> Result<Self, BootFailure> {
        let path = entry.image_path();
        Self::fetch(server, &entry.file_name(), path, &entry.checksum_path(), entry.compressed, key)
    }

    /// Fetches the sums of the image N at `path`, and its index, which must be signed with `key`. `checksum` is the path of
    /// `N.md5`.
    pub(crate) fn fetch(
        server: &Server,
        name: &str,
        path: String,
        checksum: &str,
        compression: Option<Compression>,
        key: Option<&str>,
    ) -> Result<Self, BootFailure> {
        let index = key.map(|key| fetch_index(server, &path, key)).transpose()?;
        let sums = fetch_sums(server, name, checksum)?;
        Ok(Self { name: name.to_owned(), path, compression, sums, index })
    }
}

/// Fetches the sums of the image `name` from `N.md5` and, where the server has it, `N.sha256`.
fn fetch_sums(server: &Server, name: &str, path: &str) -> Result<Sums, BootFailure> {
    let bytes = server.fetch(path, SUM_FILE).map_err(|error| {
        let remedy = match error.kind {
            NetErrorKind::NotFound => {
                "kiwi writes this file beside the image; publish it with the image. IMAGE may name another version."
            }
            _ => "Nothing was written to a disk.",
        };
        BootFailure::reboot(format!("The image {name} has no checksum: {path}: {error}\n\n{remedy}"))
    })?;
    let damaged = |why: String| {
        BootFailure::reboot(format!(
            "{path} on the server is not a checksum file: {why}\n\nNothing was written to a disk. Publish the image again."
        ))
    };
    let checksum =
        Checksum::parse(&String::from_utf8_lossy(&bytes)).map_err(|error| damaged(error.to_string()))?;
    let path = format!("{}.sha256", path.strip_suffix(".md5").unwrap_or(path));
    let sha256 = match server.fetch(&path, SUM_FILE) {
        Ok(bytes) => {
            let sum = parse_sha256(&String::from_utf8_lossy(&bytes));
            Some(sum.ok_or_else(|| damaged(format!("{path} does not begin with 64 hexadecimal digits")))?)
        }
        Err(error) if error.kind == NetErrorKind::NotFound => None,
        Err(error) => {
            return Err(BootFailure::reboot(format!(
                "Loading {path} failed: {error}\n\nNothing was written to a disk."
            )));
        }
    };
    Sums::new(&checksum, sha256).ok_or_else(|| damaged("the size is impossible".to_owned()))
}

/// Fetches the chunk index of the image at `path`, which must be signed with `key`.
fn fetch_index(server: &Server, path: &str, key: &str) -> Result<ChunkIndex, BootFailure> {
    let failed = |error: String| {
        BootFailure::reboot(format!(
            "The image {path} on {server} is not trusted: {error}\n\nNothing was written to a disk. This boot image accepts only \
             images that are published with kiwi pxe publish --sign."
        ))
    };
    let index =
        server.fetch(&format!("{path}.caibx"), INDEX_FILE).map_err(|error| failed(error.to_string()))?;
    let signature = server
        .fetch(&format!("{path}.caibx.minisig"), SIGNATURE_FILE)
        .map_err(|error| failed(error.to_string()))?;
    let signature = String::from_utf8_lossy(&signature);
    trusted_index(key, path, &index, &signature).map_err(|error| failed(error.to_string()))
}

/// Loads an image to its destination. One whose sum is wrong is loaded again, a few times.
pub(crate) fn load(
    servers: Servers,
    image: &Served,
    destination: &Destination,
    console: &Console,
) -> Result<(), BootFailure> {
    let mut attempt = 1;
    loop {
        let Err(failed) = load_once(servers, image, destination, console) else { return Ok(()) };
        let text = explain(image, destination, &failed);
        let may_differ = match &failed.error {
            CopyError::Sum(_) | CopyError::Truncated(_) | CopyError::TooLong => true,
            // Data that cannot be decompressed is as wrong as a wrong sum.
            CopyError::Source(_) => failed.server.is_none(),
            CopyError::Target(_) => false,
        };
        if !may_differ || attempt == ATTEMPTS {
            return Err(BootFailure::reboot(text));
        }
        attempt += 1;
        console.say(&format!(
            "\n*** kiwi - {text}\n\nThe image is loaded again in {} seconds (attempt {attempt} of {ATTEMPTS}).\n",
            PAUSE.as_secs()
        ));
        std::thread::sleep(PAUSE);
    }
}

/// A failed attempt to load an image.
struct Failed {
    error: CopyError,
    /// The error of the server, when that is the cause.
    server: Option<String>,
}

impl From<CopyError> for Failed {
    fn from(error: CopyError) -> Self {
        Self { error, server: None }
    }
}

fn load_once(
    servers: Servers,
    image: &Served,
    destination: &Destination,
    console: &Console,
) -> Result<(), Failed> {
    let report = |error: &NetError, left: Duration| waits(error, left, console);
    let mut stream = match open_image(servers, image, &report) {
        Ok(stream) => Watched::new(stream),
        Err(error) => {
            let server = Some(error.to_string());
            return Err(Failed { error: CopyError::Source(error), server });
        }
    };
    let file = open(destination).map_err(CopyError::Target)?;
    let target = match destination {
        Destination::Device(_) => Target::device(&file),
        Destination::Memory(_) => Target::memory(&file),
    };
    let target = target.map_err(CopyError::Target)?;
    let progress = console.progress(&format!("Loading {}", image.name), image.sums.bytes);
    let copied = {
        let mut unpacked = Unpacked::new(&mut stream, image.compression);
        copy(&mut unpacked, &image.sums, target, progress)
    };
    copied.map_err(|error| Failed { error, server: stream.failure() })
}

/// Opens the file of the image; only verified chunks leave it, if the image must be signed.
fn open_image<'a>(
    servers: Servers,
    image: &'a Served,
    report: &'a Report<'a>,
) -> io::Result<Box<dyn Read + 'a>> {
    let path = &image.path;
    let Some(index) = &image.index else {
        return Ok(Box::new(servers.first.open(path, 0)?.reporting(report)));
    };
    Ok(Box::new(VerifiedReader::new(index, move |offset, attempt| {
        let second = servers.second.filter(|_| attempt % 2 == 1);
        let source = second.unwrap_or(servers.first).open(path, offset).map_err(io::Error::from)?;
        Ok(source.reporting(report))
    })))
}

/// Says that a download waits for its server.
fn waits(error: &NetError, left: Duration, console: &Console) {
    console.say(&format!(
        "\r{error}. The download goes on when the server answers; it waits for {} s more. ",
        left.as_secs()
    ));
}

fn open(destination: &Destination) -> io::Result<File> {
    let create = match destination {
        Destination::Device(_) => false,
        Destination::Memory(_) => true,
    };
    OpenOptions::new().read(true).write(true).create(create).truncate(false).open(destination.path())
}

/// Returns the screen for a failed download.
fn explain(image: &Served, destination: &Destination, failed: &Failed) -> String {
    let Served { name, path, .. } = image;
    let expected = image.sums.bytes;
    if let Some(error) = &failed.server {
        return format!(
            "Loading {path} failed: {error}\n\nThe system is not complete. Check the server and the network."
        );
    }
    match &failed.error {
        CopyError::Source(error) => format!(
            "{path} cannot be decompressed: {error}\n\nThe file on the server is damaged, or compressed in another way than \
             IMAGE specifies."
        ),
        CopyError::Target(error) => format!(
            "Writing {name} to {} failed: {error}\n\nThe disk may be broken, or the memory is not sufficient.",
            destination.path().display()
        ),
        CopyError::Truncated(bytes) => format!(
            "The image {name} is truncated: it has {bytes} bytes, and its checksum file specifies {expected}.\n\n\
             The file on the server is not complete, or the checksum file belongs to another image."
        ),
        CopyError::TooLong => format!(
            "The image {name} is longer than the {expected} bytes that its checksum file specifies.\n\n\
             The checksum file belongs to another image."
        ),
        CopyError::Sum(sum) => format!(
            "The image {name} has a wrong {} sum.\n\n\
             Possible causes: the file on the server is damaged, or changed while it was loaded; its checksum file belongs to \
             another image; a broken network card, cable or switch; broken memory in this machine.",
            sum.name()
        ),
    }
}
