//! The kernel command line.
//!
//! Split into keywords as the kernel does it: blanks separate, double quotes keep blanks together and are not part of
//! the value, `--` ends the parameters (what follows is init's). Nothing is ever evaluated: a keyword stays a keyword.

use std::fmt;

use crate::partition::{RootDevice, RootDeviceError};
use ondisk::Filesystem;

/// The keywords of a command line, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(Vec<(String, Option<String>)>);

impl Parameters {
    /// Splits a command line into its keywords.
    pub fn parse(line: &str) -> Self {
        let mut keywords = Vec::new();
        let (mut keyword, mut quoted, mut begun) = (String::new(), false, false);
        for c in line.chars() {
            match c {
                '"' => (quoted, begun) = (!quoted, true),
                c if c.is_whitespace() && !quoted => {
                    if begun {
                        keywords.push(std::mem::take(&mut keyword));
                    }
                    begun = false;
                }
                c => {
                    keyword.push(c);
                    begun = true;
                }
            }
        }
        if begun {
            keywords.push(keyword);
        }
        Self(
            keywords
                .into_iter()
                .take_while(|keyword| keyword != "--")
                .map(|keyword| match keyword.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (keyword, None),
                })
                .collect(),
        )
    }

    /// The value of `name`; the last one counts when it is given several times, as for the kernel.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(keyword, _)| keyword == name)?.1.as_deref()
    }

    /// Whether `name` stands there, with or without a value.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(keyword, _)| keyword == name)
    }

    /// Whether `name` is switched on: it stands there without a value, or with one that is neither empty nor 0.
    pub fn is_on(&self, name: &str) -> bool {
        match self.0.iter().rev().find(|(keyword, _)| keyword == name) {
            Some((_, Some(value))) => !matches!(value.as_str(), "" | "0" | "no" | "off"),
            Some((_, None)) => true,
            None => false,
        }
    }
}

/// What a command line asks of a boot image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootParameters {
    /// `root=`
    pub root: Option<RootDevice>,
    /// `rootfstype=`
    pub filesystem: Option<Filesystem>,
    /// `rootflags=`, options of the file system.
    pub root_flags: Option<String>,
    /// `ro`, unless a later `rw` takes it back: the system is entered read-only.
    pub read_only: bool,
    /// `init=`, an absolute path in the system.
    pub init: Option<String>,
    /// `DEBUG=1`, or `rd.kiwi.debug` in today's keywords: traces, phases, and shells where something fails.
    pub debug: bool,
    /// `kiwi.phases=1`: the phases alone, for machines that read the console.
    pub phases: bool,
    /// `rd.timeout=`, seconds to wait for the root device; 0 waits for ever.
    pub timeout: Option<u64>,
    /// Whether `panic=` stands there: then the kernel's own answer to a panic is left alone.
    pub panic: bool,
}

/// What is wrong with a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterError {
    /// `root=`
    Root(RootDeviceError),
    /// `rootfstype=` with an unknown file system.
    Filesystem(String),
    /// `init=` that does not start with a slash.
    Init(String),
    /// `rd.timeout=` that is not a number.
    Timeout(String),
}

impl fmt::Display for ParameterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(error) => error.fmt(f),
            Self::Filesystem(keyword) => {
                write!(f, "rootfstype=\"{keyword}\" is not known: expected one of {}", Filesystem::expected())
            }
            Self::Init(path) => {
                write!(f, "init=\"{path}\" is not a path: expected one that starts with \"/\"")
            }
            Self::Timeout(text) => write!(f, "rd.timeout=\"{text}\" is not a number of seconds"),
        }
    }
}

impl std::error::Error for ParameterError {}

impl BootParameters {
    /// Takes the parameters that concern a boot image from the keywords of a command line.
    pub fn of(keywords: &Parameters) -> Result<Self, ParameterError> {
        let read_only = keywords.0.iter().rev().find(|(keyword, _)| matches!(keyword.as_str(), "ro" | "rw"));
        Ok(Self {
            root: keywords.value("root").map(RootDevice::parse).transpose().map_err(ParameterError::Root)?,
            filesystem: keywords
                .value("rootfstype")
                .map(|keyword| {
                    Filesystem::parse(keyword).ok_or_else(|| ParameterError::Filesystem(keyword.to_owned()))
                })
                .transpose()?,
            root_flags: keywords.value("rootflags").map(str::to_owned),
            read_only: read_only.is_some_and(|(keyword, _)| keyword == "ro"),
            init: keywords
                .value("init")
                .map(|path| match path.starts_with('/') {
                    true => Ok(path.to_owned()),
                    false => Err(ParameterError::Init(path.to_owned())),
                })
                .transpose()?,
            debug: keywords.is_on("DEBUG") || keywords.is_on("rd.kiwi.debug"),
            phases: keywords.is_on("kiwi.phases"),
            timeout: keywords
                .value("rd.timeout")
                .map(|text| text.parse().map_err(|_| ParameterError::Timeout(text.to_owned())))
                .transpose()?,
            panic: keywords.contains("panic"),
        })
    }

    /// Reads a command line.
    pub fn parse(line: &str) -> Result<Self, ParameterError> {
        Self::of(&Parameters::parse(line))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_usual_line_is_understood() {
        let line = "BOOT_IMAGE=/boot/linux root=UUID=ab-12 rootfstype=xfs rootflags=noatime,discard ro \
                    init=/bin/init console=ttyS0 panic=-1 DEBUG=1 rd.timeout=5\n";
        assert_eq!(
            BootParameters::parse(line),
            Ok(BootParameters {
                root: Some(RootDevice::Uuid("ab-12".into())),
                filesystem: Some(Filesystem::Xfs),
                root_flags: Some("noatime,discard".into()),
                read_only: true,
                init: Some("/bin/init".into()),
                debug: true,
                phases: false,
                timeout: Some(5),
                panic: true,
            })
        );
    }

    #[test]
    fn quotes_keep_blanks_and_are_no_part_of_the_value() {
        let keywords = Parameters::parse(r#"root="LABEL=my root" "a b=c d" empty="" x"#);
        assert_eq!(keywords.value("root"), Some("LABEL=my root"));
        assert_eq!(keywords.value("a b"), Some("c d"));
        assert_eq!(keywords.value("empty"), Some(""));
        assert!(keywords.contains("x"));
    }

    #[test]
    fn nothing_is_evaluated() {
        let keywords = Parameters::parse("x=$(reboot) y=`id`;z root=/dev/sda1 'q r'");
        assert_eq!(keywords.value("x"), Some("$(reboot)"));
        assert_eq!(keywords.value("y"), Some("`id`;z"));
        assert!(keywords.contains("'q") && keywords.contains("r'"));
    }

    #[test]
    fn the_last_keyword_counts_and_init_keywords_do_not() {
        let parse = |line| BootParameters::parse(line).unwrap();
        assert_eq!(parse("root=/dev/sda1 root=/dev/sdb1").root, Some(RootDevice::Device("sdb1".into())));
        assert!(!parse("ro rw").read_only && parse("rw ro").read_only && !parse("quiet").read_only);
        assert_eq!(parse("quiet -- root=/dev/sda1").root, None);
    }

    #[test]
    fn debug_has_two_keywords_and_can_be_off() {
        let debug = |line| BootParameters::parse(line).unwrap().debug;
        assert!(debug("DEBUG=1") && debug("rd.kiwi.debug") && debug("rd.kiwi.debug=1"));
        assert!(!debug("DEBUG=0") && !debug("debug") && !debug("rd.kiwi.debug=0"));
    }

    #[test]
    fn wrong_values_say_what_was_expected() {
        let error = |line| BootParameters::parse(line).unwrap_err().to_string();
        assert_eq!(
            error("rootfstype=ntfs"),
            "rootfstype=\"ntfs\" is not known: expected one of ext2, ext3, ext4, reiserfs, xfs, btrfs, squashfs, erofs, cramfs"
        );
        assert_eq!(error("init=sh"), "init=\"sh\" is not a path: expected one that starts with \"/\"");
        assert_eq!(error("rd.timeout=soon"), "rd.timeout=\"soon\" is not a number of seconds");
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in "\\PC*") {
            let _ = BootParameters::parse(&line);
        }
    }
}
