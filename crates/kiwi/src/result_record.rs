//! `kiwi.result.json` beside the images: what was built in a directory, by role and digest. Described in docs/create.md.
//!
//! There is one file per directory; builds add to it under a lock. A build of several types writes one for each directory of a
//! type, and one above them with all images. The record of an image that is built again replaces the
//! old one, and images whose files no longer exist are removed.

mod sparse_digest;

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use ondisk::digest::{Digest, Sha256};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use crate::artifact::{Artifact, Role};
use crate::checked;
use crate::failure::{Failure, Kind, fail};
use crate::host::{Host, sparse};
use crate::origins::Origins;
use crate::workspace::Workspace;

/// The file's name.
pub const FILE: &str = "kiwi.result.json";

/// The most bytes of a record.
const LARGEST: u64 = 16 << 20;

/// Version of the record. New fields keep it; a change of an existing one raises it. In version 1 every file has `sha256`.
const VERSION: u32 = 2;
/// The versions that are read.
const KNOWN: [u32; 2] = [1, VERSION];

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
    /// Name of the description, with the profile if the names of the files contain it.
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
    /// The directory of its files; `None`: that of the record.
    #[serde(
        default,
        deserialize_with = "checked::optional_file_name",
        skip_serializing_if = "Option::is_none"
    )]
    pub directory: Option<String>,
    /// The profiles that were active.
    pub profiles: Vec<String>,
    /// Name format of a bundle in the description.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle_format: Option<String>,
    /// Its files, the image itself last.
    pub files: Vec<BuiltFile>,
    /// What the steps of the build changed in the tree.
    #[serde(default, skip_serializing_if = "Origins::is_empty")]
    pub origins: Origins,
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
    /// SHA-256 of its bytes in lower-case hex; of a sparse file only if it was requested.
    #[serde(default, deserialize_with = "checked::optional_sha256", skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// The digest of a sparse file (docs/create.md).
    #[serde(
        default,
        rename = "sha256-sparse",
        deserialize_with = "checked::optional_sha256",
        skip_serializing_if = "Option::is_none"
    )]
    pub sha256_sparse: Option<String>,
    /// Whether a bundle compresses it.
    pub compress: bool,
}

/// The record of a directory, which other builds cannot change at the moment.
#[derive(Debug)]
pub struct Locked {
    _directory: File,
}

impl BuiltImage {
    /// Returns the path of one of its files, relative to the record.
    pub fn path_of(&self, file: &BuiltFile) -> PathBuf {
        self.directory.iter().map(PathBuf::from).collect::<PathBuf>().join(&file.file)
    }

    /// Returns what distinguishes the images of a record.
    fn key(&self) -> impl Ord + use<> {
        let Self { name, version, architecture, image_type, directory, .. } = self.clone();
        (name, version, architecture, image_type, directory)
    }
}

impl BuiltFile {
    /// Returns whether this is the image itself, not a file beside it.
    fn is_image(&self) -> bool {
        matches!(self.role, Role::Image | Role::Initrd)
    }

    /// Computes the facts of an artifact at its present path.
    pub fn measure(artifact: &Artifact, compress: bool, host: &Host) -> Result<Self> {
        let path = &artifact.path;
        let reading = || format!("reading {}", path.display());
        let size = path.metadata().with_context(reading)?.len();
        let (mut sha256, mut sha256_sparse) = (artifact.sha256.clone(), None);
        if sha256.is_none() && sparse_digest::has_hole(path).with_context(reading)? {
            sha256_sparse = Some(sparse_digest::digest(path, host)?);
        } else if sha256.is_none() {
            sha256 = Some(digest::<Sha256>(path, host)?.1);
        }
        Ok(Self { role: artifact.role, file: artifact.name.clone(), size, sha256, sha256_sparse, compress })
    }

    /// Adds the plain SHA-256 of the file at `path` if it is missing.
    pub fn complete(&mut self, path: &Path, host: &Host) -> Result<()> {
        if self.sha256.is_none() {
            self.sha256 = Some(digest::<Sha256>(path, host)?.1);
        }
        Ok(())
    }

    /// Returns whether the file at `path` has the recorded digest.
    pub fn is_intact(&self, path: &Path, host: &Host) -> Result<bool> {
        let Self { role: _, file: _, size, sha256, sha256_sparse, compress: _ } = self;
        let found = path.metadata().with_context(|| format!("reading {}", path.display()))?.len();
        Ok(match (sha256_sparse, sha256) {
            (Some(expected), _) => found == *size && sparse_digest::digest(path, host)? == *expected,
            (None, Some(expected)) => found == *size && digest::<Sha256>(path, host)?.1 == *expected,
            (None, None) => false,
        })
    }

    /// Returns the name of a digest and the digest: the plain one, if it is known.
    pub fn known_digest(&self) -> Option<(&'static str, String)> {
        let plain = self.sha256.clone().map(|digest| ("sha256", digest));
        plain.or_else(|| self.sha256_sparse.clone().map(|digest| ("sha256-sparse", digest)))
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
        if !KNOWN.contains(&record.version) {
            fail!(
                Damaged,
                "{} has version {}, but this kiwi reads the versions up to {VERSION}",
                path.display(),
                record.version
            );
        }
        let mut files = record.images.iter().flat_map(|image| &image.files);
        if let Some(file) = files.find(|file| file.known_digest().is_none()) {
            fail!(Damaged, "{} has no digest of {}", path.display(), file.file);
        }
        Ok(record)
    }

    /// Waits for the lock on the record of the destination directory.
    pub fn lock(workspace: &Workspace) -> Result<Locked> {
        Self::lock_in(workspace.destdir())
    }

    fn lock_in(directory: &Path) -> Result<Locked> {
        let locking = || format!("locking {}", directory.display());
        let lock = File::open(directory).with_context(locking)?;
        flock(&lock, FlockOperation::LockExclusive).with_context(locking)?;
        Ok(Locked { _directory: lock })
    }

    /// Adds a build to the record of the destination directory.
    pub fn add(image: BuiltImage, _lock: &Locked, workspace: &Workspace, host: &Host) -> Result<()> {
        let directory = workspace.destdir();
        let unfinished = workspace.unfinished(FILE);
        host.write_file(&unfinished, Self::text_with(directory, image)?)
            .and_then(|()| workspace.publish(&unfinished, FILE, host).map(drop))
            .with_context(|| format!("writing {}", directory.join(FILE).display()))
    }

    /// Adds a build to the record of the directory above, if this is one of several types.
    pub fn add_to_all(image: BuiltImage, workspace: &Workspace, host: &Host) -> Result<()> {
        let Some((directory, name)) = workspace.collection() else { return Ok(()) };
        let _lock = Self::lock_in(directory)?;
        let image = BuiltImage { directory: Some(name.to_owned()), ..image };
        let unfinished = workspace.unfinished(FILE);
        host.write_file(&unfinished, Self::text_with(directory, image)?)
            .and_then(|()| workspace.publish_together(&unfinished, FILE, host))
            .with_context(|| format!("writing {}", directory.join(FILE).display()))
    }

    /// Returns the text of the record of a directory after a build.
    fn text_with(directory: &Path, image: BuiltImage) -> Result<String> {
        // A record that cannot be read comes from another program or is damaged: this build starts a new one.
        let before = Self::read(directory).ok().flatten().map_or_else(Vec::new, |record| record.images);
        let images = merged(before, image, |file| directory.join(file).exists());
        Ok(serde_json::to_string_pretty(&Self { version: VERSION, images })? + "\n")
    }
}

impl ResultRecord {
    /// Returns the profiles of the image of this name, version, architecture and type in a directory, if it was built with others.
    pub fn other_profiles(directory: &Path, image: &BuiltImage) -> Option<Vec<String>> {
        let record = Self::read(directory).ok().flatten()?;
        let is_same = |other: &&BuiltImage| other.key() == image.key();
        let other = record.images.iter().find(is_same)?;
        (other.profiles != image.profiles).then(|| other.profiles.clone())
    }
}

/// Returns the new build and the earlier ones whose files all exist, without files that the new one overwrote. An earlier
/// build whose image was overwritten is removed; an overwritten list or checksum belongs to the new build.
fn merged(before: Vec<BuiltImage>, image: BuiltImage, exists: impl Fn(&Path) -> bool) -> Vec<BuiltImage> {
    let overwritten = |file: &BuiltFile| {
        image.files.iter().any(|new| {
            new.file == file.file && (new.known_digest() != file.known_digest() || new.role == Role::Image)
        })
    };
    let is_beside = |other: &BuiltImage| other.directory == image.directory;
    let is_gone = |other: &BuiltImage, file: &BuiltFile| {
        !exists(&other.path_of(file)) || (is_beside(other) && file.is_image() && overwritten(file))
    };
    let exist = |other: &BuiltImage| !other.files.iter().any(|file| is_gone(other, file));
    let mut images: Vec<BuiltImage> = before.into_iter().filter(exist).collect();
    for other in images.iter_mut().filter(|other| is_beside(other)) {
        other.files.retain(|file| !overwritten(file));
    }
    images.push(image);
    images.sort_by_key(BuiltImage::key);
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
            sha256: Some("0".repeat(64)),
            sha256_sparse: None,
            compress: false,
        };
        BuiltImage {
            name: "n".to_owned(),
            version: "1.0.0".to_owned(),
            architecture: "x86_64".to_owned(),
            image_type: image_type.to_owned(),
            directory: None,
            profiles: Vec::new(),
            bundle_format: None,
            files: files.iter().map(file).collect(),
            origins: Origins::default(),
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
        assert_eq!(types(&merged(overwritten, xfs, |file| file != Path::new("n.qcow2"))), "xfs");
    }

    #[test]
    fn images_of_other_directories_are_not_overwritten() {
        let inside = |image_type: &str, profile: &str| {
            let image = image(image_type, &[(Role::Image, "n")]);
            let directory = Some(image_type.to_owned());
            BuiltImage { directory, profiles: vec![profile.to_owned()], ..image }
        };
        let images = merged(vec![inside("ext4", "a")], inside("xfs", "b"), |path| path != Path::new("n"));
        let facts = |image: &BuiltImage| (image.path_of(&image.files[0]), image.profiles.concat());
        let expected = [("ext4/n".into(), "a".to_owned()), ("xfs/n".into(), "b".to_owned())];
        assert_eq!(images.iter().map(facts).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_overwritten_checksum_belongs_to_the_new_build() {
        let mut squashfs = image("squashfs", &[(Role::Checksum, "n.md5"), (Role::Image, "n")]);
        squashfs.files[0].sha256 = Some("old".to_owned());
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
        assert_eq!(read(&right).unwrap(), Some(record.clone()));
        assert_eq!(read(&right.replace("\"sha256\"", "\"sha256-sparse\"")).unwrap().unwrap().version, 1);
        assert!(read(&right.replace("\"sha256\"", "\"other\"")).is_err(), "a file without a digest");
        assert!(read(&right.replace("\"version\": 1,", "\"version\": 3,")).is_err());
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
