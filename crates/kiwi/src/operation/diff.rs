//! `kiwi diff`: compares two directories, root trees or images: the paths that differ, and the first different byte of a
//! file. Images that differ are unpacked, and the different paths in them named.

pub(super) mod inside;
mod link_times;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io::{BufReader, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::outcome::{Comparison, Difference, Outcome};
use crate::context::Context;
use crate::host::Host;
use crate::host::device::Device;
use crate::root_tree::extended_attributes;

/// The two sides and the options.
#[derive(Debug, Clone)]
pub struct Request {
    /// A directory or a file.
    pub one: PathBuf,
    /// Another.
    pub other: PathBuf,
    /// Whether modification times are compared.
    pub times: bool,
}

/// Compares both and returns every difference.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let mut compare = Comparing { times: request.times, found: Vec::new(), host: &context.host };
    compare.paths(&request.one, &request.other, Path::new(""))?;
    Ok(Outcome::Comparison(Comparison {
        one: request.one.clone(),
        other: request.other.clone(),
        same: compare.found.is_empty(),
        differences: compare.found,
    }))
}

/// A comparison in progress.
struct Comparing<'h> {
    times: bool,
    found: Vec<Difference>,
    host: &'h Host,
}

impl Comparing<'_> {
    fn add(&mut self, path: &str, what: String) {
        self.found.push(Difference { path: path.to_owned(), inside: Vec::new(), what });
    }

    fn paths(&mut self, one: &Path, other: &Path, inside: &Path) -> Result<()> {
        self.host.check_interrupt()?;
        let read =
            |path: &Path| path.symlink_metadata().with_context(|| format!("reading {}", path.display()));
        let (first, second) = (read(one)?, read(other)?);
        let shown = Path::new("/").join(inside).display().to_string();
        if first.file_type() != second.file_type() {
            self.add(&shown, format!("{} here, {} there", kind(&first), kind(&second)));
            return Ok(());
        }
        // Two files that were named, such as images, have the times at which they were built.
        let times = self.times && !(first.is_file() && inside.as_os_str().is_empty());
        for (what, here, there) in [
            ("mode", format!("{:o}", first.mode()), format!("{:o}", second.mode())),
            ("owner", owner(&first), owner(&second)),
            ("links", links(&first), links(&second)),
            ("time", first.mtime().to_string(), second.mtime().to_string()),
            ("device", device(one, &first), device(other, &second)),
            ("attributes", attributes(one), attributes(other)),
        ] {
            if here != there && (what != "time" || times) {
                self.add(&shown, format!("{what} {here} here, {there} there"));
            }
        }
        if first.is_dir() {
            for name in names(one)?.union(&names(other)?) {
                let location = inside.join(name);
                match (one.join(name), other.join(name)) {
                    (here, _) if here.symlink_metadata().is_err() => {
                        self.add(&format!("/{}", location.display()), "only there".to_owned());
                    }
                    (_, there) if there.symlink_metadata().is_err() => {
                        self.add(&format!("/{}", location.display()), "only here".to_owned());
                    }
                    (here, there) => self.paths(&here, &there, &location)?,
                }
            }
        } else if first.is_symlink() {
            let (here, there) = (std::fs::read_link(one)?, std::fs::read_link(other)?);
            if here != there {
                self.add(&shown, format!("links to {} here, {} there", here.display(), there.display()));
            }
        } else if first.is_file() {
            if first.len() != second.len() {
                self.add(&shown, format!("{} bytes here, {} there", first.len(), second.len()));
            }
            let location = first_difference(one, other, self.host)?;
            if let Some(location) = location {
                self.add(&shown, format!("first difference at byte {location}"));
            }
            if location.is_some() || first.len() != second.len() {
                self.images(one, other, &shown)?;
            }
        }
        Ok(())
    }

    /// Adds the differences inside two images of a kind that can be unpacked.
    fn images(&mut self, one: &Path, other: &Path, shown: &str) -> Result<()> {
        let opened = match inside::Opened::open(one, other, self.host) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(()),
            Err(error) => {
                self.host.check_interrupt()?;
                self.add(shown, format!("cannot compare the contents: {error:#}"));
                return Ok(());
            }
        };
        let mut within = Comparing { times: self.times, found: Vec::new(), host: self.host };
        let compared = within.paths(&opened.one, &opened.other, Path::new(""));
        opened.close()?;
        compared?;
        if within.found.is_empty() {
            self.add(shown, "all files in it are identical; only the way it was written differs".to_owned());
        }
        for Difference { path, mut inside, what } in within.found {
            inside.insert(0, path);
            self.found.push(Difference { path: shown.to_owned(), inside, what });
        }
        Ok(())
    }
}

fn names(directory: &Path) -> Result<BTreeSet<OsString>> {
    let reading = || format!("reading {}", directory.display());
    directory
        .read_dir()
        .with_context(reading)?
        .map(|entry| Ok(entry.with_context(reading)?.file_name()))
        .collect()
}

/// Returns the position of the first different byte in the common length of two files.
fn first_difference(one: &Path, other: &Path, host: &Host) -> Result<Option<u64>> {
    let open = |path: &Path| std::fs::File::open(path).with_context(|| format!("opening {}", path.display()));
    let (mut one, mut other) = (BufReader::new(open(one)?), BufReader::new(open(other)?));
    let (mut here, mut there) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut position = 0;
    loop {
        host.check_interrupt()?;
        let count = fill(&mut one, &mut here)?.min(fill(&mut other, &mut there)?);
        if let Some(location) =
            here[..count].iter().zip(&there[..count]).position(|(here, there)| here != there)
        {
            return Ok(Some(position + location as u64));
        }
        if count < here.len() {
            return Ok(None);
        }
        position += count as u64;
    }
}

/// Reads until the buffer is full or the file ends.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            count => filled += count,
        }
    }
    Ok(filled)
}

fn kind(metadata: &Metadata) -> &'static str {
    let kind = metadata.file_type();
    match () {
        () if kind.is_dir() => "a directory",
        () if kind.is_file() => "a file",
        () if kind.is_symlink() => "a link",
        () if kind.is_char_device() || kind.is_block_device() => "a device",
        () => "something else",
    }
}

fn owner(metadata: &Metadata) -> String {
    format!("{}:{}", metadata.uid(), metadata.gid())
}

/// Returns the number of hard links of a file; that of a directory depends on its contents.
fn links(metadata: &Metadata) -> String {
    if metadata.is_dir() { String::new() } else { metadata.nlink().to_string() }
}

/// Returns the device number of a node or of the marker that represents one.
fn device(path: &Path, metadata: &Metadata) -> String {
    let device = Device::of(path, metadata).ok().flatten();
    device.map_or("none".to_owned(), |device| device.to_string())
}

/// Returns extended attributes, with capabilities and access control lists, as one text.
fn attributes(path: &Path) -> String {
    let listed = match extended_attributes(path) {
        Ok(attributes) => attributes,
        Err(error) => return format!("unreadable ({error:#})"),
    };
    let lines: Vec<String> = listed
        .iter()
        .map(|(name, value)| format!("{}={}", name.to_string_lossy(), ondisk::digest::hex(value)))
        .collect();
    lines.join(" ")
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test makes directories of its own")]
mod tests {
    use super::*;
    use crate::host::Output;

    #[test]
    fn named_files_of_different_times_are_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let files = ["one", "other"].map(|name| directory.path().join(name));
        for (path, seconds) in files.iter().zip([1, 2]) {
            std::fs::write(path, "image").unwrap();
            let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            std::fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
        }
        let host = Host::new(crate::host::Output::Quiet);
        let mut compare = Comparing { times: true, found: Vec::new(), host: &host };
        compare.paths(&files[0], &files[1], Path::new("")).unwrap();
        assert_eq!(compare.found, []);
        compare.paths(&files[0], &files[1], Path::new("etc/file")).unwrap();
        assert_eq!(compare.found.len(), 1, "the time of a file in a directory: {:?}", compare.found);
    }

    #[test]
    fn reports_every_kind_of_difference() {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in [("one", "abcd"), ("other", "abXd")] {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.join("etc")).unwrap();
            std::fs::write(path.join("etc/file"), text).unwrap();
            std::os::unix::fs::symlink(name, path.join("link")).unwrap();
            std::fs::write(path.join(format!("only-{name}")), "").unwrap();
            let device =
                Device { is_block: false, major: 1, minor: text.len() as u32 + u32::from(name == "one") };
            device.make(rustix::fs::CWD, path.join("node"), 0o600).unwrap();
            std::fs::write(path.join("perhaps"), "").unwrap();
        }
        let (one, other) = (directory.path().join("one"), directory.path().join("other"));
        std::fs::remove_file(one.join("perhaps")).unwrap();
        Device { is_block: true, major: 8, minor: 0 }
            .make(rustix::fs::CWD, one.join("perhaps"), 0o644)
            .unwrap();
        let host = Host::new(Output::Quiet);
        let differences = |one: &Path, other: &Path| {
            let mut compare = Comparing { times: false, found: Vec::new(), host: &host };
            compare.paths(one, other, Path::new("")).unwrap();
            compare.found
        };
        let all = differences(&one, &other).iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        for text in [
            "/etc/file: first difference at byte 2",
            "/link: links to one here, other there",
            "/node: device c 1 5 here, c 1 4 there",
            "/perhaps: device b 8 0 here, none there",
            "/only-one: only here",
            "/only-other: only there",
        ] {
            assert!(all.contains(text), "no \"{text}\" in:\n{all}");
        }
        assert!(!all.contains("kiwi.device"), "{all}");
        assert!(differences(&one, &one).is_empty());
    }
}
