//! The control files of a package.

use std::io::Read;

use anyhow::{Context, Result, bail};

use super::entry::{Kind, entries};
use super::plain_name;
use crate::deb822::{self, Comments};

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
            _ => bail!("its control file {} is not a regular file", entry.path.display()),
        }
        let name = entry.path.to_string_lossy().into_owned();
        plain_name(&name, "control file")?;
        let mut bytes = Vec::new();
        content.read_to_end(&mut bytes)?;
        match name.as_str() {
            "control" => control = Some(Control::read(&String::from_utf8_lossy(&bytes))?),
            _ => members.push(ControlMember { name, mode: entry.mode, time: entry.time, bytes }),
        }
        Ok(())
    })?;
    Ok((control.context("it has no control file")?, members))
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
        let fields = paragraph.fields.into_iter().map(|field| (field.name.to_owned(), field.value)).collect();
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
    }
}
