//! The control files of a package.

use std::io::Read;
use std::path::{Component, Path};

use anyhow::{Context, Result, bail};

use super::entry::{Kind, entries};
use super::plain_name;
use crate::deb822::{self, Comments};

/// Names of files that dpkg writes beside the control files of a package.
const RESERVED: [&str; 1] = ["list"];
/// Fields that dpkg adds to the paragraph of a package in its status file.
const STATUS_FIELDS: [&str; 5] =
    ["Status", "Config-Version", "Conffiles", "Triggers-Awaited", "Triggers-Pending"];
/// The flag of a configuration file that an upgrade removes.
const REMOVE_ON_UPGRADE: &str = "remove-on-upgrade";

/// The `control` file: exactly one deb822 paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Control {
    text: String,
    fields: Vec<(String, String)>,
}

/// Another control file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct ControlMember {
    pub(in super::super) name: String,
    pub(in super::super) mode: u32,
    /// Seconds since 1970.
    pub(in super::super) time: i64,
    pub(in super::super) bytes: Vec<u8>,
}

/// Reads an unpacked `control.tar`.
pub(super) fn read(archive: impl Read) -> Result<(Control, Vec<ControlMember>)> {
    let (mut control, mut members) = (None, Vec::new());
    entries(archive, |entry, content| {
        match entry.kind {
            Kind::Directory => return Ok(()),
            Kind::File => {}
            Kind::Link(_) | Kind::HardLink(_) | Kind::Fifo | Kind::Device(_) => {
                bail!("its control file {} is not a regular file", entry.path.display())
            }
        }
        let name = entry.path.to_string_lossy().into_owned();
        plain_name(&name, "control file")?;
        if RESERVED.contains(&name.as_str()) {
            bail!("it contains the control file {name}, which dpkg itself writes");
        }
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        match name.as_str() {
            "control" => control = Some(Control::read(&String::from_utf8_lossy(&bytes))?),
            "conffiles" if wrong_conffile(&bytes).is_some() => bail!(
                "its conffiles have a line that is neither an absolute path nor a known flag and one: {:?}",
                wrong_conffile(&bytes).unwrap_or_default()
            ),
            _ => members.push(ControlMember { name, mode: entry.mode, time: entry.time, bytes }),
        }
        Ok(())
    })?;
    Ok((control.context("it has no control file")?, members))
}

/// Returns the lines of `conffiles`: a path, and the flag before it or an empty text.
pub(super) fn conffile_lines(bytes: &[u8]) -> Vec<(String, String)> {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .map(|line| match line.split_once(" /") {
            Some((flag, path)) if !line.starts_with('/') => (format!("/{path}"), flag.trim().to_owned()),
            _ => (line.to_owned(), String::new()),
        })
        .collect()
}

/// Returns the first line of `conffiles` that dpkg does not know.
fn wrong_conffile(bytes: &[u8]) -> Option<String> {
    let is_right = |(path, flag): &(String, String)| {
        let is_below = Path::new(path).components().all(|part| part != Component::ParentDir);
        path.starts_with('/') && is_below && (flag.is_empty() || flag == REMOVE_ON_UPGRADE)
    };
    let wrong = conffile_lines(bytes).into_iter().find(|line| !is_right(line))?;
    Some(format!("{} {}", wrong.1, wrong.0).trim().to_owned())
}

impl Control {
    /// Parses a paragraph that has at least a package, a version and an architecture.
    pub(in super::super) fn read(text: &str) -> Result<Self> {
        let text = text.trim_matches('\n').to_owned();
        let mut paragraphs = deb822::paragraphs(&text, Comments::Stray);
        let (Some(paragraph), true) = (paragraphs.pop(), paragraphs.is_empty()) else {
            bail!("its control file has no paragraph, or more than one paragraph");
        };
        if let Some(line) = paragraph.stray {
            bail!("its control file has a line that is not a field: {}", line.escape_debug());
        }
        let fields: Vec<(String, String)> =
            paragraph.fields.into_iter().map(|field| (field.name.to_owned(), field.value)).collect();
        let of_status = |name: &str| STATUS_FIELDS.iter().any(|field| name.eq_ignore_ascii_case(field));
        if let Some((name, _)) = fields.iter().find(|(name, _)| of_status(name)) {
            bail!("its control file has the field {name}, which dpkg itself writes");
        }
        let control = Self { text, fields };
        for name in ["Package", "Version", "Architecture"] {
            let value = control.field(name).with_context(|| format!("its control file has no {name}"))?;
            plain_name(value, name)?;
        }
        Ok(control)
    }

    /// Returns the paragraph as it is in the package.
    pub(in super::super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the value of a field; continuation lines start with a space.
    pub(in super::super) fn field(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns the name of the package.
    pub(in super::super) fn name(&self) -> &str {
        self.field("Package").unwrap_or_default()
    }

    /// Returns its version.
    pub(in super::super) fn version(&self) -> &str {
        self.field("Version").unwrap_or_default()
    }

    /// Returns its architecture, or `all`.
    pub(in super::super) fn architecture(&self) -> &str {
        self.field("Architecture").unwrap_or_default()
    }

    /// Returns its name in dpkg's database: with the architecture if it is `Multi-Arch: same`.
    pub(in super::super) fn known_as(&self) -> String {
        match self.field("Multi-Arch") {
            Some("same") => format!("{}:{}", self.name(), self.architecture()),
            _ => self.name().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_fields_with_continuation_lines() {
        let text = "Package: a\nVersion: 1:2~3+b1\nArchitecture: amd64\nMulti-Arch: same\nDescription: x\n long\n .\n";
        let control = Control::read(text).unwrap();
        assert_eq!((control.name(), control.known_as().as_str()), ("a", "a:amd64"));
        assert_eq!(control.field("description"), Some("x\n long\n ."));
    }

    #[test]
    fn a_control_file_cannot_add_other_packages_to_the_database() {
        let refused = |text: &str| format!("{:#}", Control::read(text).unwrap_err());
        let base = "Package: a\nVersion: 1\nArchitecture: all\n";
        assert!(refused(&format!("{base}\nPackage: b\n")).contains("more than one paragraph"));
        assert!(refused(&format!("{base}nonsense\n")).contains("not a field"));
        assert!(refused("Package: ../a\nVersion: 1\nArchitecture: all\n").contains("invalid characters"));
        assert!(refused("Package: a\nVersion: 1\n").contains("no Architecture"));
        for field in ["Status: install ok installed", "conffiles: x", "Config-Version: 1"] {
            assert!(refused(&format!("{base}{field}\n")).contains("dpkg itself writes"));
        }
    }

    #[test]
    fn control_files_cannot_replace_parts_of_the_database() {
        let refused = |name: &str, text: &str| {
            let mut builder = tar::Builder::new(Vec::new());
            for (name, text) in [("./control", "Package: a\nVersion: 1\nArchitecture: all\n"), (name, text)] {
                let mut header = tar::Header::new_gnu();
                header.set_size(text.len() as u64);
                header.set_mode(0o644);
                header.set_uid(0);
                header.set_gid(0);
                header.set_mtime(0);
                builder.append_data(&mut header, name, text.as_bytes()).unwrap();
            }
            read(builder.into_inner().unwrap().as_slice()).err().map(|error| format!("{error:#}"))
        };
        assert!(refused("./list", "/etc/passwd\n").unwrap().contains("control file list"));
        for line in ["etc/a", "/etc/../a", "obsolete /etc/a", "remove-on-upgrade etc/a"] {
            let message = refused("./conffiles", &format!("/etc/b\n{line}\n")).unwrap();
            assert!(message.contains(&format!("{line:?}")), "{message}");
        }
        assert_eq!(refused("./conffiles", "/etc/a b\n\nremove-on-upgrade /etc/c\n/etc/a /b\n"), None);
        assert_eq!(refused("./md5sums", ""), None);
    }

    #[test]
    fn reads_conffiles_with_flags() {
        let lines = conffile_lines(b"/etc/a\n remove-on-upgrade /etc/b \n/etc/c /d\n");
        let expected = [("/etc/a", ""), ("/etc/b", "remove-on-upgrade"), ("/etc/c /d", "")];
        assert_eq!(lines, expected.map(|(path, flag)| (path.to_owned(), flag.to_owned())));
    }
}
