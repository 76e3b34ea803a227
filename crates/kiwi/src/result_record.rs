//! `kiwi.result.json` beside the images: what was built in a directory, by role and digest. Described in docs/create.md.
//!
//! There is one file per directory; builds add to it under a lock. The record of an image that is built again replaces the
//! old one, and images whose files no longer exist are removed.

use std::fs::File;
use std::path::Path;

use anyhow::{Context, Result};
use ondisk::digest::{Digest, Sha256};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::artifact::{Artifact, Role};
use crate::checked;
use crate::failure::{Failure, Kind, fail};
use crate::host::{Host, sparse};
use crate::workspace::Workspace;

/// The file's name.
pub const FILE: &str = "kiwi.result.json";

/// The most bytes of a record.
const LARGEST: u64 = 16 << 20;

/// Version of the record. New fields keep it; a change of an existing one raises it.
const VERSION: u32 = 1;

/// Everything that was built in one directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultRecord {
    version: u32,
    /// Sorted by name.
    pub images: Vec<BuiltImage>,
}

/// One build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltImage {
    /// Name of the description.
    #[serde(deserialize_with = "checked::name")]
    pub name: String,
    /// Its version.
    #[serde(deserialize_with = "checked::name")]
    pub version: String,
    /// The architecture.
    #[serde(deserialize_with = "checked::name")]
    pub architecture: String,
    /// The image type.
    #[serde(rename = "type", deserialize_with = "checked::name")]
    pub image_type: String,
    /// The profiles that were active.
    pub profiles: Vec<String>,
    /// Name format of a bundle in the description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle_format: Option<String>,
    /// Its files, the image itself last.
    pub files: Vec<BuiltFile>,
}

/// One file of a build.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BuiltFile {
    /// Its role.
    pub role: Role,
    /// Its name, without directory.
    #[serde(deserialize_with = "checked::file_name")]
    pub file: String,
    /// Bytes.
    #[serde(deserialize_with = "checked::size")]
    pub size: u64,
    /// SHA-256 of its bytes in lower-case hex.
    #[serde(deserialize_with = "checked::sha256")]
    pub sha256: String,
    /// Whether a bundle compresses it.
    pub compress: bool,
}

/// The record of a directory, which other builds cannot change at the moment.
#[derive(Debug)]
pub struct Locked {
    _directory: File,
}

impl BuiltFile {
    /// Returns whether this is the image itself, not a file beside it.
    fn is_image(&self) -> bool {
        matches!(self.role, Role::Image | Role::Initrd)
    }

    /// Computes the facts of an artifact at its present path.
    pub fn measure(artifact: &Artifact, compress: bool, host: &Host) -> Result<Self> {
        let (size, sha256) = match &artifact.sha256 {
            Some(sha256) => {
                let reading = || format!("reading {}", artifact.path.display());
                (artifact.path.metadata().with_context(reading)?.len(), sha256.clone())
            }
            None => digest::<Sha256>(&artifact.path, host)?,
        };
        Ok(Self { role: artifact.role, file: artifact.name.clone(), size, sha256, compress })
    }
}

impl ResultRecord {
    /// Reads the record of a directory; `None` if it has none.
    pub fn read(directory: &Path) -> Result<Option<Self>> {
        let path = directory.join(FILE);
        let text = match checked::read(&path, LARGEST) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        Self::parse(&text, &path).map(Some)
    }

    /// Parses the record of this path.
    pub(crate) fn parse(text: &[u8], path: &Path) -> Result<Self> {
        let record: Self = serde_json::from_slice(text).map_err(|error| {
            Failure::new(Kind::File, checked::at(path, &error))
                .remedy("The file was not written by this kiwi; build the images again.")
        })?;
        if record.version != VERSION {
            fail!(
                Damaged,
                "{} has version {}, but this kiwi reads version {VERSION}",
                path.display(),
                record.version
            );
        }
        Ok(record)
    }

    /// Waits for the lock on the record of the destination directory.
    pub fn lock(workspace: &Workspace) -> Result<Locked> {
        let directory = workspace.destdir();
        let locking = || format!("locking {}", directory.display());
        let lock = File::open(directory).with_context(locking)?;
        flock(&lock, FlockOperation::LockExclusive).with_context(locking)?;
        Ok(Locked { _directory: lock })
    }

    /// Adds a build to the record of the destination directory.
    pub fn add(image: BuiltImage, _lock: &Locked, workspace: &Workspace, host: &Host) -> Result<()> {
        let directory = workspace.destdir();
        let writing = || format!("writing {}", directory.join(FILE).display());
        // A record that cannot be read comes from another program or is damaged: this build starts a new one.
        let before = Self::read(directory).ok().flatten().map_or_else(Vec::new, |record| record.images);
        let record =
            Self { version: VERSION, images: merged(before, image, |file| directory.join(file).exists()) };
        let unfinished = workspace.unfinished(FILE);
        host.write_file(&unfinished, serde_json::to_string_pretty(&record)? + "\n")
            .and_then(|()| host.rename(&unfinished, &workspace.published(FILE)))
            .with_context(writing)
    }
}

/// Returns the new build and the earlier ones whose files all exist, without files that the new one overwrote. An earlier
/// build whose image was overwritten is removed; an overwritten list or checksum belongs to the new build.
fn merged(before: Vec<BuiltImage>, image: BuiltImage, exists: impl Fn(&str) -> bool) -> Vec<BuiltImage> {
    let overwritten = |file: &BuiltFile| {
        image
            .files
            .iter()
            .any(|new| new.file == file.file && (new.sha256 != file.sha256 || new.role == Role::Image))
    };
    let is_gone = |file: &BuiltFile| !exists(&file.file) || (file.is_image() && overwritten(file));
    let mut images: Vec<BuiltImage> =
        before.into_iter().filter(|other| !other.files.iter().any(is_gone)).collect();
    for other in &mut images {
        other.files.retain(|file| !overwritten(file));
    }
    images.push(image);
    let key = |image: &BuiltImage| {
        (image.name.clone(), image.version.clone(), image.architecture.clone(), image.image_type.clone())
    };
    images.sort_by_key(key);
    images
}

/// Returns size and digest of a file. Holes are not read: they are zeros.
pub fn digest<D: Digest>(path: &Path, host: &Host) -> Result<(u64, String)> {
    let mut digest = D::new();
    let size = sparse::read_all(path, host, |bytes| digest.update(bytes))?;
    Ok((size, ondisk::digest::hex(digest.finalize())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt;

    use super::*;

    fn image(image_type: &str, files: &[(Role, &str)]) -> BuiltImage {
        let file = |(role, file): &(Role, &str)| BuiltFile {
            role: *role,
            file: (*file).to_owned(),
            size: 1,
            sha256: "0".repeat(64),
            compress: false,
        };
        BuiltImage {
            name: "n".to_owned(),
            version: "1.0.0".to_owned(),
            architecture: "x86_64".to_owned(),
            image_type: image_type.to_owned(),
            profiles: Vec::new(),
            bundle_format: None,
            files: files.iter().map(file).collect(),
        }
    }

    #[test]
    fn keeps_the_builds_of_a_directory_while_their_files_exist() {
        let list = (Role::PackageList, "n.packages");
        let oem = image("oem", &[list, (Role::Image, "n.qcow2")]);
        let ext4 = image("ext4", &[list, (Role::Image, "n")]);
        let xfs = image("xfs", &[list, (Role::Image, "n")]);
        let types = |images: &[BuiltImage]| {
            images.iter().map(|image| image.image_type.clone()).collect::<Vec<_>>().join(" ")
        };
        let both = merged(vec![oem], ext4, |_| true);
        assert_eq!(types(&both), "ext4 oem");
        let overwritten = merged(both, xfs.clone(), |_| true);
        assert_eq!(types(&overwritten), "oem xfs");
        assert_eq!(types(&merged(overwritten, xfs, |file| file != "n.qcow2")), "xfs");
    }

    #[test]
    fn an_overwritten_checksum_belongs_to_the_new_build() {
        let mut squashfs = image("squashfs", &[(Role::Checksum, "n.md5"), (Role::Image, "n")]);
        squashfs.files[0].sha256 = "old".to_owned();
        let cpio = image("cpio", &[(Role::Checksum, "n.md5"), (Role::Initrd, "n.gz")]);
        let images = merged(vec![squashfs], cpio, |_| true);
        let files = |image: &BuiltImage| image.files.iter().map(|file| file.file.clone()).collect::<Vec<_>>();
        assert_eq!(images.iter().map(files).collect::<Vec<_>>(), [vec!["n.md5", "n.gz"], vec!["n"]]);
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test is its own host")]
    fn rejects_values_of_the_wrong_form_with_their_position() {
        let directory = tempfile::tempdir().unwrap();
        let record = ResultRecord { version: 1, images: vec![image("oem", &[(Role::Image, "disk")])] };
        let right = serde_json::to_string_pretty(&record).unwrap();
        let read = |text: &str| {
            std::fs::write(directory.path().join(FILE), text).unwrap();
            ResultRecord::read(directory.path())
        };
        assert_eq!(read(&right).unwrap(), Some(record));
        for (from, to) in [
            ("\"disk\"", "\"../x\""),
            ("\"disk\"", "\"/etc/passwd\""),
            ("\"disk\"", "\"a\\u0000b\""),
            ("\"n\"", "\"../../n\""),
            ("\"1.0.0\"", "\"1\\u001b[2J\""),
            ("\"size\": 1", "\"size\": 18446744073709551615"),
            ("\"size\": 1", "\"size\": -1"),
            (&"0".repeat(64), "../../../etc/passwd"),
        ] {
            assert!(right.contains(from), "{from}");
            let error = read(&right.replace(from, to)).unwrap_err();
            let failure = error.downcast_ref::<Failure>().expect(to);
            assert!(failure.message.contains("kiwi.result.json:"), "{error}");
        }
        std::fs::remove_file(directory.path().join(FILE)).unwrap();
        std::os::unix::fs::symlink("/dev/zero", directory.path().join(FILE)).unwrap();
        assert!(ResultRecord::read(directory.path()).is_err());
    }

    #[test]
    fn holes_count_as_zeros() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(3 << 20).unwrap();
        file.as_file().write_all_at(b"x", 1 << 20).unwrap();
        let mut bytes = vec![0; 3 << 20];
        bytes[1 << 20] = b'x';
        let expected = ondisk::digest::hex(Sha256::digest(&bytes));
        assert_eq!(
            digest::<Sha256>(file.path(), &Host::new(crate::host::Output::Quiet)).unwrap(),
            (3 << 20, expected)
        );
    }
}
