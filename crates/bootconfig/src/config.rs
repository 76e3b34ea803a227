//! `/kiwi.boot`, the settings that the builder writes into an initrd.
//!
//! Lines of `key=value`; empty lines and lines that start with `#` are ignored. `kind` is required. A duplicate key, an
//! unknown key or an invalid value is an error: builder and linuxrc come from one build, so a difference is damage.
//! The kernel command line takes precedence over this file.
//!
//! | key | value | default |
//! |---|---|---|
//! | `kind` | the keyword of a `Kind` | an error |
//! | `storage` | the disk with the system, as [`Storage`] in one line | any layout; the system grows to the end of its disk |
//! | `modules` | names, separated by blanks | none |
//! | `medium` | the UUID of the CD or stick | the first medium with a live system |
//! | `init` | absolute path in the system | `/sbin/init` |

use std::fmt;

use crate::kind::Kind;
use crate::plain_text;
use crate::storage::Storage;

/// The content of `/kiwi.boot`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootConfig {
    /// The purpose of the boot image.
    pub kind: Kind,
    /// The storage of the disk with the system.
    pub storage: Option<Storage>,
    /// Kernel modules to load regardless of the hardware, in this order, in addition to the modules of the file system.
    pub modules: Vec<String>,
    /// Volume set id of the medium that contains the boot image.
    pub medium: Option<String>,
    /// The program that becomes PID 1 of the system.
    pub init: Option<String>,
    /// The public key of minisign, in base64, with which everything that is downloaded must be signed; none: nothing is.
    pub verify_key: Option<String>,
}

/// The error for a text that is not a valid `/kiwi.boot`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The line number, counted from 1; 0 when the error has no line.
    pub line: usize,
    /// What is wrong and what is expected.
    pub text: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", BootConfig::PATH, self.text),
            line => write!(f, "{}:{line}: {}", BootConfig::PATH, self.text),
        }
    }
}

impl std::error::Error for ConfigError {}

impl BootConfig {
    /// The path of the file in an initrd.
    pub const PATH: &'static str = "/kiwi.boot";

    /// Returns settings that contain the kind only.
    pub fn new(kind: Kind) -> Self {
        Self { kind, storage: None, modules: Vec::new(), medium: None, init: None, verify_key: None }
    }

    /// Parses the text of the file.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        if let Some((line, text)) = plain_text::problem(text) {
            return Err(ConfigError { line, text });
        }
        let mut kind = None;
        let mut config = Self::new(Kind::Vmx);
        let mut seen = Vec::new();
        for (line, written) in (1..).zip(text.lines()) {
            if written.is_empty() || written.starts_with('#') {
                continue;
            }
            let at = |text: String| ConfigError { line, text };
            if written.contains(|c: char| c.is_control() && c != '\t') {
                return Err(at("contains a control character".to_owned()));
            }
            let (key, value) = written
                .split_once('=')
                .ok_or_else(|| at(format!("\"{written}\" is not a setting: expected key=value")))?;
            if seen.contains(&key) {
                return Err(at(format!("duplicate key \"{key}\"")));
            }
            seen.push(key);
            let wrong = |expected: &str| at(format!("{key}=\"{value}\": expected {expected}"));
            match key {
                "kind" => {
                    kind = Some(
                        Kind::parse(value).ok_or_else(|| wrong(&format!("one of {}", Kind::expected())))?,
                    );
                }
                "storage" => {
                    config.storage = Some(Storage::parse(value).map_err(|error| at(error.to_string()))?);
                }
                "modules" => config.modules = value.split_whitespace().map(str::to_owned).collect(),
                "medium" if !value.is_empty() => config.medium = Some(value.to_owned()),
                "medium" => return Err(wrong("a UUID")),
                "init" if value.starts_with('/') && plain_text::stays_below(value) => {
                    config.init = Some(value.to_owned());
                }
                "init" => return Err(wrong("a path that starts with \"/\"")),
                "verify-key" if is_public_key(value) => config.verify_key = Some(value.to_owned()),
                "verify-key" => return Err(wrong("a public key of minisign")),
                _ => return Err(at(format!("unknown key \"{key}\""))),
            }
        }
        config.kind = kind.ok_or_else(|| ConfigError {
            line: 0,
            text: format!("kind is missing: expected one of {}", Kind::expected()),
        })?;
        Ok(config)
    }
}

impl fmt::Display for BootConfig {
    /// Writes the text of the file. A value is cut at its first line feed, which the format cannot hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line =
            |key: &str, value: &str| writeln!(f, "{key}={}", value.split('\n').next().unwrap_or_default());
        line("kind", self.kind.keyword())?;
        if let Some(storage) = &self.storage {
            line("storage", &storage.to_string())?;
        }
        if !self.modules.is_empty() {
            line("modules", &self.modules.join(" "))?;
        }
        if let Some(medium) = &self.medium {
            line("medium", medium)?;
        }
        if let Some(init) = &self.init {
            line("init", init)?;
        }
        if let Some(key) = &self.verify_key {
            line("verify-key", key)?;
        }
        Ok(())
    }
}

/// Returns whether this is a public key of minisign: 42 bytes in base64, of which the first two are "Ed".
pub fn is_public_key(text: &str) -> bool {
    let is_base64 = |letter: u8| letter.is_ascii_alphanumeric() || b"+/".contains(&letter);
    text.len() == 56 && text.starts_with("RW") && text.bytes().all(is_base64)
}

#[cfg(test)]
mod tests {
    use proptest::option;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn reads_back_a_full_file() {
        let text = "kind=vmx\n\
                    storage=table;scheme=mbr partition;number=1;name=a;content=empty\nmodules=ext4 crc32c\nmedium=ab-34\ninit=/sbin/init\n\
                    verify-key=RWQFt/X5hw6Z0RQqTabdzx2mmB+cHccJb3pkP8Lw20INCHzp1AoxXBk3\n";
        let config = BootConfig {
            kind: Kind::Vmx,
            storage: Some(
                Storage::parse("table;scheme=mbr partition;number=1;name=a;content=empty").unwrap(),
            ),
            modules: vec!["ext4".into(), "crc32c".into()],
            medium: Some("ab-34".into()),
            init: Some("/sbin/init".into()),
            verify_key: Some("RWQFt/X5hw6Z0RQqTabdzx2mmB+cHccJb3pkP8Lw20INCHzp1AoxXBk3".into()),
        };
        assert_eq!(BootConfig::parse(text).as_ref(), Ok(&config));
        assert_eq!(config.to_string(), text);
    }

    #[test]
    fn ignores_comments_and_empty_lines() {
        assert_eq!(BootConfig::parse("# made by kiwi\n\nkind=oem\n"), Ok(BootConfig::new(Kind::Oem)));
    }

    #[test]
    fn names_the_line_and_the_expected_value() {
        let error = |text| BootConfig::parse(text).unwrap_err().to_string();
        assert_eq!(
            error("init=/a\n"),
            "/kiwi.boot: kind is missing: expected one of vmx, oem, usb, iso, install, netboot"
        );
        assert_eq!(
            error("kind=cd\n"),
            "/kiwi.boot:1: kind=\"cd\": expected one of vmx, oem, usb, iso, install, netboot"
        );
        assert_eq!(
            error("kind=vmx\ninit=a\n"),
            "/kiwi.boot:2: init=\"a\": expected a path that starts with \"/\""
        );
        assert_eq!(
            error("kind=netboot\nverify-key=RWQ\n"),
            "/kiwi.boot:2: verify-key=\"RWQ\": expected a public key of minisign"
        );
        assert_eq!(error("kind=vmx\nkind=oem\n"), "/kiwi.boot:2: duplicate key \"kind\"");
        assert_eq!(error("kind=vmx\n\nswap=1\n"), "/kiwi.boot:3: unknown key \"swap\"");
        // A carriage return at the end of a value would be lost when the text is written and read.
        assert_eq!(error("kind=vmx\ninit=/a\r\r\n"), "/kiwi.boot:2: contains a control character");
        assert_eq!(error("vmx\n"), "/kiwi.boot:1: \"vmx\" is not a setting: expected key=value");
    }

    prop_compose! {
        fn any_config()(
            kind in prop::sample::select(&Kind::ALL[..]),
            storage in option::of("table;scheme=(gpt|mbr) partition;number=[1-9];name=[a-z]{1,5};content=(swap|empty)"),
            modules in prop::collection::vec("[a-z0-9_-]{1,12}", 0..4),
            medium in option::of("[0-9a-f-]{1,36}"),
            init in option::of("/[a-z/]{1,20}"),
            verify_key in option::of("RW[a-zA-Z0-9+/]{54}"),
        ) -> BootConfig {
            let storage = storage.map(|text| Storage::parse(&text).unwrap());
            BootConfig { kind, storage, modules, medium, init, verify_key }
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(config in any_config()) {
            prop_assert_eq!(BootConfig::parse(&config.to_string()), Ok(config));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*") {
            let _ = BootConfig::parse(&text);
        }
    }
}
