//! `kiwi pxe publish`: puts finished images into a directory for network boot (`pxe` describes the consistency).

mod sign;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use bootconfig::{Checksum, ClientConfig, Compression, Digester};
use ondisk::digest::{Digest as _, Sha256, hex};

use super::list_results;
use super::outcome::{Outcome, Published, PublishedFile, PublishedImage};
use super::pxe_client;
use crate::artifact::Role;
use crate::context::Context;
use crate::failure::fail;
use crate::host::{Host, StageTask};
use crate::media::boot_files::{BootFiles, directory_of};
use crate::pxe::{self, BootEntry, Settings, Tree};
use crate::result_record::{BuiltImage, ResultRecord};
use crate::signature::{self, SigningKey};

/// The images and the directory.
#[derive(Debug, Clone)]
pub struct Request {
    /// Images, or directories with the results of builds.
    pub images: Vec<PathBuf>,
    /// The directory for network boot.
    pub tree: PathBuf,
    /// The boot image, if it is not the one that was built with an image.
    pub boot: Option<PathBuf>,
    /// Whether images of the same name and version are replaced.
    pub replace: bool,
    /// The secret key that signs the images.
    pub sign: Option<PathBuf>,
}

/// An image to publish.
struct Image {
    /// The base name N.
    name: String,
    /// `N`, or the compressed image.
    file: PathBuf,
    compression: Option<Compression>,
    checksum: PathBuf,
    /// `N.config`.
    settings: Option<PathBuf>,
    boot: Option<PathBuf>,
}

/// Publishes the images. Every image is read and compared with its checksum before anything is published.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let tree = Tree::at(&request.tree);
    let settings = Settings::read(&tree)?;
    let key = match &request.sign {
        Some(path) => {
            host.find_program(signature::PROGRAM)?;
            Some(SigningKey::open(path, host)?)
        }
        None => None,
    };
    let mut images = Vec::new();
    for path in &request.images {
        images.extend(find(path, request.boot.as_deref())?);
    }
    let mut verified = Vec::new();
    for image in &images {
        let stage = host.stage(StageTask::ComputeDigests, format!("Checking {}", image.name));
        verified.push(verify(image)?);
        stage.finish();
    }
    let mut published = Vec::new();
    let mut last = None;
    for (image, sha256) in images.iter().zip(verified) {
        let (outcome, entry) = publish(image, &sha256, &tree, request.replace, key.as_ref(), host)?;
        last = entry.or(last);
        published.push(outcome);
    }
    if let Some(entry) = last {
        pxe_client::set_default(&tree, &settings, &entry, host)?;
    }
    Ok(Outcome::Published(Published { directory: tree.path().to_owned(), images: published }))
}

/// Returns the image of this file, or the images of this directory of results.
fn find(path: &Path, boot: Option<&Path>) -> Result<Vec<Image>> {
    if !path.is_dir() {
        let record = ResultRecord::read(directory_of(path))?;
        let name = path.file_name().unwrap_or_default();
        let is_here = |built: &&BuiltImage| {
            built.directory.is_none() && built.files.iter().any(|file| name == file.file.as_str())
        };
        let built = record.as_ref().and_then(|record| record.images.iter().find(is_here));
        return Ok(vec![image(path, boot, built)?]);
    }
    let record = list_results::read(path)?;
    let mut images = Vec::new();
    // A kis has a boot image that looks for the system on a disk.
    for built in record.images.iter().filter(|built| built.image_type != "kis") {
        for file in built.files.iter().filter(|file| file.role == Role::Image) {
            let file = path.join(built.path_of(file));
            // Others, such as disks and media, are not for network clients.
            let name = file.to_string_lossy();
            if Path::new(&format!("{}.md5", split_name(&name).0)).is_file() {
                images.push(image(&file, boot, Some(built))?);
            }
        }
    }
    if images.is_empty() {
        fail!(
            File,
            "{} has no image with a checksum file; build the type pxe, split or a file system",
            path.display()
        );
    }
    Ok(images)
}

/// Splits the name of a file into N and its compression.
fn split_name(name: &str) -> (&str, Option<Compression>) {
    Compression::ALL
        .into_iter()
        .find_map(|compression| Some((name.strip_suffix(compression.suffix())?, Some(compression))))
        .unwrap_or((name, None))
}

fn image(path: &Path, boot: Option<&Path>, built: Option<&BuiltImage>) -> Result<Image> {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let (name, compression) = split_name(&file);
    let directory = directory_of(path);
    let beside = |suffix: &str| directory.join(format!("{name}{suffix}"));
    for needed in [path, &beside(".md5")] {
        if !needed.is_file() {
            fail!(
                File,
                "there is no file {}; 'kiwi build' writes an image and its checksum",
                needed.display()
            );
        }
    }
    let own = built
        .and_then(|image| image.files.iter().find(|file| file.role == Role::Initrd))
        .map(|initrd| directory.join(&initrd.file));
    Ok(Image {
        name: name.to_owned(),
        compression,
        checksum: beside(".md5"),
        settings: Some(beside(".config")).filter(|path| path.is_file()),
        boot: boot.map(Path::to_owned).or(own),
        file: path.to_owned(),
    })
}

/// Compares an image with its checksum and checks its configuration. Returns the SHA-256 of the uncompressed image.
fn verify(image: &Image) -> Result<String> {
    let path = &image.file;
    let reading = || format!("reading {}", path.display());
    let text = std::fs::read_to_string(&image.checksum)
        .with_context(|| format!("reading {}", image.checksum.display()))?;
    let expected = Checksum::parse(&text).with_context(|| format!("reading {}", image.checksum.display()))?;
    let file = File::open(path).with_context(reading)?;
    let mut reader: Box<dyn Read> = match image.compression {
        None => Box::new(file),
        Some(Compression::Gzip) => Box::new(flate2::read::MultiGzDecoder::new(file)),
        Some(Compression::Xz) => Box::new(liblzma::read::XzDecoder::new_multi_decoder(file)),
        Some(Compression::Zstd) => Box::new(zstd::Decoder::new(file).with_context(reading)?),
    };
    let (mut md5, mut sha256) = (Digester::default(), Sha256::new());
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = reader.read(&mut buffer).with_context(reading)?;
        if count == 0 {
            break;
        }
        md5.update(&buffer[..count]);
        sha256.update(&buffer[..count]);
    }
    let found = md5.finish();
    // Other programs divide the size into other blocks.
    if (found.digest, found.blocks.bytes()) != (expected.digest, expected.blocks.bytes()) {
        fail!(
            Damaged,
            "{} does not match {}; a file is damaged, or one of them belongs to another build",
            path.display(),
            image.checksum.display()
        );
    }
    if let Some(settings) = &image.settings {
        let reading = || format!("reading {}", settings.display());
        let text = std::fs::read_to_string(settings).with_context(reading)?;
        ClientConfig::parse(&text).with_context(reading)?;
    }
    Ok(hex(sha256.finalize()))
}

fn publish(
    image: &Image,
    sha256: &str,
    tree: &Tree,
    replace: bool,
    key: Option<&SigningKey>,
    host: &Host,
) -> Result<(PublishedImage, Option<BootEntry>)> {
    let name = &image.name;
    let stage = host.stage(StageTask::Publish, format!("Publishing {name}"));
    let mut files = Vec::new();
    let entry = match &image.boot {
        Some(initrd) => Some(publish_boot(initrd, tree, &mut files, host)?),
        None => None,
    };
    let suffix = image.compression.map_or("", Compression::suffix);
    let system = format!("image/{name}{suffix}");
    let sum = format!("image/{name}.md5");
    // Both are complete before the first one gets its name.
    let copied = pxe::copy(tree, &system, &image.file, replace, host)?;
    let checksum = pxe::copy(tree, &sum, &image.checksum, replace, host)?;
    let mut note = |path: String, change| files.push(PublishedFile { path, change });
    note(system.clone(), copied.publish(host)?);
    note(sum, checksum.publish(host)?);
    if let Some(key) = key {
        for (path, change) in sign::sign(key, &system, tree, host)? {
            note(path, change);
        }
    }
    let mut written = |path: String, text: &str| -> Result<()> {
        let change = pxe::write(tree, &path, text.as_bytes(), host)?;
        note(path, change);
        Ok(())
    };
    written(format!("image/{name}.sha256"), &format!("{sha256}  {name}\n"))?;
    if let Some(settings) = &image.settings {
        let text =
            std::fs::read_to_string(settings).with_context(|| format!("reading {}", settings.display()))?;
        written(format!("image/{name}.config"), &text)?;
    }
    if let Some(entry) = &entry {
        written(format!("image/{name}.boot"), &entry.to_string())?;
    }
    stage.finish();
    Ok((PublishedImage { name: name.clone(), files }, entry))
}

/// Publishes a boot image and its kernel. Their names contain their digests, so that a menu always names a pair.
fn publish_boot(
    initrd: &Path,
    tree: &Tree,
    files: &mut Vec<PublishedFile>,
    host: &Host,
) -> Result<BootEntry> {
    let boot = BootFiles::find(initrd)?;
    let digest = |path: &Path| -> Result<String> {
        let sums = crate::artifact::Sums::of(path, host)?;
        Ok(sums.sha256[..12].to_owned())
    };
    let name = crate::media::boot_files::base_name(initrd);
    let entry = BootEntry {
        kernel: format!("boot/linux-{}-{}", boot.kernel_version, digest(&boot.kernel)?),
        initrd: format!("boot/{name}-{}", digest(&boot.initrd)?),
        hypervisor: match &boot.hypervisor {
            Some(hypervisor) => Some(format!("boot/xen-{}.gz", digest(hypervisor)?)),
            None => None,
        },
    };
    let hypervisor = entry.hypervisor.as_ref().zip(boot.hypervisor.as_ref());
    let linux = [(&entry.kernel, &boot.kernel), (&entry.initrd, &boot.initrd)];
    for (path, source) in linux.into_iter().chain(hypervisor) {
        let change = pxe::copy(tree, path, source, false, host)?.publish(host)?;
        files.push(PublishedFile { path: path.clone(), change });
    }
    Ok(entry)
}
