//! Metadata of media before 2010: `content` and the packages in the directory that it names, as lines of `=KEY: VALUE`.

use std::io::{BufRead, Read as _};

use anyhow::{Context as _, Result, bail, ensure};

use super::checksum::Checksum;
use super::form::{self, checked};
use super::primary::{Edition, PrimaryPackage};

/// The path of the file below a repository that has the checksums of all others.
pub const CONTENT: &str = "content";
/// Bytes of a line that are read; the longest have some hundreds.
const LINE: u64 = 1 << 16;

/// What `content` says about the other files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// `DATADIR`: the directory of packages.
    pub packages: String,
    /// `DESCRDIR`: the directory of metadata.
    pub metadata: String,
    /// `META`: checksums of the files in the directory of metadata, by their names.
    pub files: Vec<(String, Checksum)>,
}

impl Content {
    /// Reads the text of a file `content`.
    pub fn parse(text: &[u8]) -> Result<Self> {
        let mut content =
            Self { packages: "suse".to_owned(), metadata: "suse/setup/descr".to_owned(), files: Vec::new() };
        for line in String::from_utf8_lossy(text).lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("DATADIR") => content.packages = directory(words.next())?,
                Some("DESCRDIR") => content.metadata = directory(words.next())?,
                Some("META") => {
                    let [Some(algorithm), Some(digits), Some(name)] =
                        [words.next(), words.next(), words.next()]
                    else {
                        bail!("the line {line:?} of content is incomplete");
                    };
                    let name = form::location(name)?.to_owned();
                    content.files.push((name, Checksum::parse(algorithm, digits)?));
                }
                _ => {}
            }
        }
        Ok(content)
    }

    /// Returns the paths below the repository at which the list of packages may be.
    pub fn lists(&self) -> [String; 2] {
        ["packages.gz", "packages"].map(|name| format!("{}/{name}", self.metadata))
    }
}

fn directory(value: Option<&str>) -> Result<String> {
    let value = value.context("content names no directory")?;
    Ok(form::location(value.trim_end_matches('/'))?.to_owned())
}

/// A package whose lines are being read.
#[derive(Default)]
struct Lines {
    identity: String,
    checksum: Option<Checksum>,
    sizes: (u64, u64),
    time: u64,
    location: Option<String>,
}

/// Calls `each` with every package of a list that is already uncompressed. `directory` is that of the packages.
pub fn packages_of_media(
    mut source: impl BufRead,
    directory: &str,
    mut each: impl FnMut(PrimaryPackage) -> Result<()>,
) -> Result<()> {
    let mut current: Option<Lines> = None;
    // The end of the list of values that is being skipped, such as `-Req:`.
    let mut skipped: Option<String> = None;
    let mut line = Vec::new();
    loop {
        line.clear();
        if source.by_ref().take(LINE).read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if let Some(end) = &skipped {
            if text == end {
                skipped = None;
            }
        } else if let Some(list) = text.strip_prefix('+') {
            // `+Req:` begins a list that `-Req:` ends.
            skipped = Some(format!("-{list}"));
        } else if let Some(identity) = text.strip_prefix("=Pkg:") {
            if let Some(package) = current.take() {
                each(package.finish(directory)?)?;
            }
            current = Some(Lines { identity: identity.to_owned(), ..Lines::default() });
        } else if let (Some(package), Some((key, value))) = (&mut current, text.split_once(':')) {
            package.add(key, value.trim())?;
        }
    }
    match current {
        Some(package) => each(package.finish(directory)?),
        None => Ok(()),
    }
}

impl Lines {
    fn add(&mut self, key: &str, value: &str) -> Result<()> {
        let mut words = value.split_whitespace();
        let mut number = || words.next().and_then(|word| word.parse().ok());
        match key {
            "=Siz" => self.sizes = (number().unwrap_or(0), number().unwrap_or(0)),
            "=Tim" => self.time = number().unwrap_or(0),
            "=Loc" => self.location = Some(value.to_owned()),
            "=Cks" => {
                let (algorithm, digits) = value.split_once(' ').unwrap_or((value, ""));
                self.checksum = Some(Checksum::parse(algorithm, digits.trim())?);
            }
            _ => {}
        }
        Ok(())
    }

    fn finish(&self, directory: &str) -> Result<PrimaryPackage> {
        let words: Vec<&str> = self.identity.split_whitespace().collect();
        let [name, version, release, architecture] = words[..] else {
            bail!("the package {:?} has no name, version, release and architecture", self.identity.trim());
        };
        let name = checked(name, form::is_name, "name of a package")?;
        self.finish_named(name, &format!("{version}-{release}"), architecture, directory)
            .with_context(|| format!("the package {name}"))
    }

    fn finish_named(
        &self,
        name: &str,
        edition: &str,
        architecture: &str,
        directory: &str,
    ) -> Result<PrimaryPackage> {
        let architecture = checked(architecture, form::is_architecture, "architecture")?;
        let edition =
            Edition::parse(edition).with_context(|| format!("the version {edition:?} is invalid"))?;
        // MEDIUM FILE [DIRECTORY]
        let location = self.location.as_deref().unwrap_or_default();
        let mut words = location.split_whitespace();
        let medium = words.next().unwrap_or("1");
        ensure!(medium == "1", "its file is on medium {medium}; kiwi reads repositories of one medium");
        let standard = format!("{name}-{}-{}.{architecture}.rpm", edition.version, edition.release);
        let file = words.next().unwrap_or(&standard);
        let path = format!("{directory}/{}/{file}", words.next().unwrap_or(architecture));
        Ok(PrimaryPackage {
            name: name.to_owned(),
            edition,
            architecture: architecture.to_owned(),
            checksum: self.checksum.clone().context("no checksum is listed")?,
            location: form::location(&path)?.to_owned(),
            base: None,
            file_size: self.sizes.0,
            installed_size: self.sizes.1,
            build_time: self.time,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: &str = "ff676a74dcf2c731642494ccea887333c7dfa0cd";

    fn read(text: &str) -> Result<Vec<PrimaryPackage>> {
        let mut found = Vec::new();
        packages_of_media(text.as_bytes(), "suse", |package| {
            found.push(package);
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn content_names_directories_and_checksums() {
        let text = format!(
            "CONTENTSTYLE 11\nDATADIR data\nDESCRDIR data/descr/\nMETA SHA1 {SHA1}  packages.gz\nKEY x\n"
        );
        let content = Content::parse(text.as_bytes()).unwrap();
        assert_eq!((content.packages.as_str(), content.metadata.as_str()), ("data", "data/descr"));
        assert_eq!(content.files[0].0, "packages.gz");
        assert_eq!(content.lists(), ["data/descr/packages.gz", "data/descr/packages"]);
        assert_eq!(Content::parse(b"PRODUCT x\n").unwrap().packages, "suse");
        for wrong in ["DATADIR ../x\n", "DESCRDIR\n", "META SHA1 abc packages\n", "META SHA1\n"] {
            assert!(Content::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn packages_have_their_files_and_lists_are_skipped() {
        let text = format!(
            "=Ver: 2.0\n=Pkg: a 1 2 noarch\n+Req:\n=Pkg: in a list\n-Prv:\n-Req:\n=Cks: SHA1 {SHA1}\n=Siz: 10 20\n\
             =Tim: 7\n=Loc: 1 other.rpm dir\n=Pkg: b 3:1 2 x86_64\n=Cks: SHA1 {SHA1}\n"
        );
        let found = read(&text).unwrap();
        let [first, second] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((first.nevra().as_str(), first.location.as_str()), ("a-1-2.noarch", "suse/dir/other.rpm"));
        assert_eq!((first.file_size, first.installed_size, first.build_time), (10, 20, 7));
        assert_eq!(second.nevra(), "b-3:1-2.x86_64");
        assert_eq!(second.location, "suse/x86_64/b-1-2.x86_64.rpm");
    }

    #[test]
    fn rejects_other_media_and_paths_outside() {
        for wrong in [
            format!("=Pkg: a 1 2 noarch\n=Cks: SHA1 {SHA1}\n=Loc: 2 a.rpm\n"),
            format!("=Pkg: a 1 2 noarch\n=Cks: SHA1 {SHA1}\n=Loc: 1 ../../../a.rpm\n"),
            format!("=Pkg: ../a 1 2 noarch\n=Cks: SHA1 {SHA1}\n"),
            format!("=Pkg: a 1 noarch\n=Cks: SHA1 {SHA1}\n"),
            "=Pkg: a 1 2 noarch\n".to_owned(),
        ] {
            assert!(read(&wrong).is_err(), "{wrong}");
        }
    }
}
