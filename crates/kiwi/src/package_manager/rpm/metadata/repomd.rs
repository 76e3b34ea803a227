//! `repodata/repomd.xml`: the files of metadata of a repository with their checksums.

use anyhow::Result;

use super::checksum::Checksum;
use super::form;
use super::xml::{Element, each_child, number};

/// The path of the file below a repository.
pub const REPOMD: &str = "repodata/repomd.xml";

/// The content of `repomd.xml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Repomd {
    /// `<revision>`: usually the seconds since 1970 at which the metadata was made.
    pub revision: Option<String>,
    /// The files.
    pub files: Vec<MetadataFile>,
}

/// A file of metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetadataFile {
    /// Its type: `primary`, `filelists`, `group`, `patterns`, ..
    pub kind: String,
    /// Its path below the repository.
    pub location: String,
    /// The checksum of the file as it is stored.
    pub checksum: Checksum,
    /// Its size in bytes, as it is stored.
    pub size: Option<u64>,
    /// The time of its creation in seconds since 1970.
    pub timestamp: Option<u64>,
}

impl Repomd {
    /// Reads the text of a `repomd.xml`.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let mut repomd = Self::default();
        each_child(text, "repomd", &[], |element| {
            match element.name() {
                "revision" => repomd.revision = Some(element.text().to_owned()),
                "data" => repomd.files.push(MetadataFile::read(&element)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(repomd)
    }

    /// Returns the file of a type.
    pub fn file(&self, kind: &str) -> Option<&MetadataFile> {
        self.files.iter().find(|file| file.kind == kind)
    }

    /// Returns the list of groups of packages, which is compressed if there is a choice.
    pub fn groups(&self) -> Option<&MetadataFile> {
        ["group_gz", "group_zst", "group_xz", "group"].iter().find_map(|kind| self.file(kind))
    }

    /// Returns the time of the newest file in seconds since 1970; 0 without one.
    pub fn time(&self) -> u64 {
        let revision = self.revision.as_deref().and_then(|text| text.parse().ok());
        let files = self.files.iter().filter_map(|file| file.timestamp);
        // A revision that is not a time is a small number.
        files.chain(revision).max().unwrap_or(0)
    }
}

impl MetadataFile {
    fn read(element: &Element) -> Result<Self> {
        let text = |name: &str| element.child(name).map(Element::text);
        // Tools write a fraction of a second.
        let timestamp = text("timestamp").map(|text| text.split('.').next().unwrap_or(text));
        Ok(Self {
            kind: element.required("type")?.to_owned(),
            location: form::location(element.required_child("location")?.required("href")?)?.to_owned(),
            checksum: Checksum::read(element.required_child("checksum")?)?,
            size: text("size").map(|text| number(text, "size")).transpose()?,
            timestamp: timestamp.map(|text| number(text, "timestamp")).transpose()?,
        })
    }
}
