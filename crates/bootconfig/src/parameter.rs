//! The kernel command line.
//!
//! It is split into parameters as the kernel does it: blanks separate them, double quotes keep blanks together and are
//! not part of the value, `--` ends them (the rest belongs to init). Nothing is expanded or evaluated.

use std::fmt;

use crate::partition::{RootDevice, RootDeviceError};
use ondisk::Filesystem;

/// The parameters of a command line, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parameters(Vec<(String, Option<String>)>);

impl Parameters {
    /// Splits a command line into its parameters.
    pub fn parse(line: &str) -> Self {
        let mut parameters = Vec::new();
        let (mut parameter, mut quoted, mut begun) = (String::new(), false, false);
        for c in line.chars() {
            match c {
                '"' => (quoted, begun) = (!quoted, true),
                c if c.is_whitespace() && !quoted => {
                    if begun {
                        parameters.push(std::mem::take(&mut parameter));
                    }
                    begun = false;
                }
                c => {
                    parameter.push(c);
                    begun = true;
                }
            }
        }
        if begun {
            parameters.push(parameter);
        }
        Self(
            parameters
                .into_iter()
                .take_while(|parameter| parameter != "--")
                .map(|parameter| match parameter.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (parameter, None),
                })
                .collect(),
        )
    }

    /// Returns the value of `name`; the last one when it is given several times, as in the kernel.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(parameter, _)| parameter == name)?.1.as_deref()
    }

    /// Returns every value of `name`, in order.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0
            .iter()
            .filter(move |(parameter, _)| parameter == name)
            .filter_map(|(_, value)| value.as_deref())
    }

    /// Returns whether `name` is given, with or without a value.
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|(parameter, _)| parameter == name)
    }

    /// Returns whether `name` is switched on: it has no value, or one other than an empty one, `0`, `no` and `off`.
    pub fn is_on(&self, name: &str) -> bool {
        match self.0.iter().rev().find(|(parameter, _)| parameter == name) {
            Some((_, Some(value))) => !matches!(value.as_str(), "" | "0" | "no" | "off"),
            Some((_, None)) => true,
            None => false,
        }
    }
}

/// The parameters of a command line that concern a boot image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootParameters {
    /// `root=`
    pub root: Option<RootDevice>,
    /// `rootfstype=`
    pub filesystem: Option<Filesystem>,
    /// `rootflags=`, options of the file system.
    pub root_flags: Option<String>,
    /// `ro`, unless `rw` follows: the root file system is mounted read-only.
    pub read_only: bool,
    /// `init=`, an absolute path in the system.
    pub init: Option<String>,
    /// `DEBUG=1`, `rd.kiwi.debug` or `kiwidebug`: traces, phases, and a shell after an error.
    pub debug: bool,
    /// `kiwi.phases=1`: the phases only, for programs that read the console.
    pub phases: bool,
    /// `rd.timeout=`: seconds to wait for the root device; 0 waits without limit.
    pub timeout: Option<u64>,
    /// Whether `panic=` is given; then linuxrc does not change what the kernel does after a panic.
    pub panic: bool,
}

/// An error in a command line.
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
                write!(
                    f,
                    "rootfstype=\"{keyword}\" is not supported: expected one of {}",
                    Filesystem::expected()
                )
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
    /// Extracts the parameters of a boot image.
    pub fn of(parameters: &Parameters) -> Result<Self, ParameterError> {
        let read_only =
            parameters.0.iter().rev().find(|(parameter, _)| matches!(parameter.as_str(), "ro" | "rw"));
        Ok(Self {
            root: parameters
                .value("root")
                .map(RootDevice::parse)
                .transpose()
                .map_err(ParameterError::Root)?,
            filesystem: parameters
                .value("rootfstype")
                .map(|keyword| {
                    Filesystem::parse(keyword).ok_or_else(|| ParameterError::Filesystem(keyword.to_owned()))
                })
                .transpose()?,
            root_flags: parameters.value("rootflags").map(str::to_owned),
            read_only: read_only.is_some_and(|(parameter, _)| parameter == "ro"),
            init: parameters
                .value("init")
                .map(|path| match path.starts_with('/') {
                    true => Ok(path.to_owned()),
                    false => Err(ParameterError::Init(path.to_owned())),
                })
                .transpose()?,
            debug: ["DEBUG", "rd.kiwi.debug", "kiwidebug"].into_iter().any(|name| parameters.is_on(name)),
            phases: parameters.is_on("kiwi.phases"),
            timeout: parameters
                .value("rd.timeout")
                .map(|text| text.parse().map_err(|_| ParameterError::Timeout(text.to_owned())))
                .transpose()?,
            panic: parameters.contains("panic"),
        })
    }

    /// Parses a command line.
    pub fn parse(line: &str) -> Result<Self, ParameterError> {
        Self::of(&Parameters::parse(line))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_a_usual_line() {
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
    fn quotes_keep_blanks_and_are_not_part_of_the_value() {
        let parameters = Parameters::parse(r#"root="LABEL=my root" "a b=c d" empty="" x"#);
        assert_eq!(parameters.value("root"), Some("LABEL=my root"));
        assert_eq!(parameters.value("a b"), Some("c d"));
        assert_eq!(parameters.value("empty"), Some(""));
        assert!(parameters.contains("x"));
    }

    #[test]
    fn nothing_is_evaluated() {
        let parameters = Parameters::parse("x=$(reboot) y=`id`;z root=/dev/sda1 'q r'");
        assert_eq!(parameters.value("x"), Some("$(reboot)"));
        assert_eq!(parameters.value("y"), Some("`id`;z"));
        assert!(parameters.contains("'q") && parameters.contains("r'"));
    }

    #[test]
    fn uses_the_last_value_and_ignores_those_of_init() {
        let parse = |line| BootParameters::parse(line).unwrap();
        assert_eq!(parse("root=/dev/sda1 root=/dev/sdb1").root, Some(RootDevice::Device("sdb1".into())));
        assert!(!parse("ro rw").read_only && parse("rw ro").read_only && !parse("quiet").read_only);
        assert_eq!(parse("quiet -- root=/dev/sda1").root, None);
    }

    #[test]
    fn debug_has_three_names_and_can_be_off() {
        let debug = |line| BootParameters::parse(line).unwrap().debug;
        assert!(
            debug("DEBUG=1") && debug("rd.kiwi.debug") && debug("rd.kiwi.debug=1") && debug("kiwidebug=1")
        );
        assert!(!debug("DEBUG=0") && !debug("debug") && !debug("rd.kiwi.debug=0"));
    }

    #[test]
    fn errors_name_the_expected_value() {
        let error = |line| BootParameters::parse(line).unwrap_err().to_string();
        assert_eq!(
            error("rootfstype=ntfs"),
            "rootfstype=\"ntfs\" is not supported: expected one of ext2, ext3, ext4, reiserfs, xfs, btrfs, squashfs, erofs, cramfs"
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
