//! `hwtype.<MAC>`, which a client without a configuration writes to the server.
//!
//! ```text
//! NCNAME=undefined
//! ARCHITECTURE=x86_64
//! ```

use std::fmt;
use std::net::Ipv4Addr;

use super::lookup::UPLOAD_DIRECTORY;
use super::mac_address::MacAddress;
use crate::plain_text;

/// The content of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// `NCNAME`: the name that was entered at the machine, or `undefined`.
    pub alias: String,
    /// `ARCHITECTURE`: the machine's name for its architecture.
    pub architecture: String,
    /// `IPADDR`: its address at that time.
    pub address: Option<Ipv4Addr>,
    /// `HWTYPE`: the vendor and model of the machine.
    pub model: Option<String>,
}

/// The error for a text that is not a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationError(String);

impl fmt::Display for RegistrationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RegistrationError {}

impl Registration {
    /// The alias of a machine at which no name was entered.
    pub const UNDEFINED: &'static str = "undefined";

    /// Returns the registration of a machine at which no name was entered.
    pub fn new(architecture: &str) -> Self {
        Self {
            alias: Self::UNDEFINED.to_owned(),
            architecture: architecture.to_owned(),
            address: None,
            model: None,
        }
    }

    /// Returns the path of the file on the server.
    pub fn path(mac: MacAddress) -> String {
        format!("{UPLOAD_DIRECTORY}/hwtype.{mac}")
    }

    /// Returns the path of the description of the hardware on the server.
    pub fn hardware_path(mac: MacAddress) -> String {
        format!("{UPLOAD_DIRECTORY}/hwinfo.{mac}")
    }

    /// Parses the text of the file. Other keys are ignored: later versions of KIWI write more of them.
    pub fn parse(text: &str) -> Result<Self, RegistrationError> {
        if let Some((line, problem)) = plain_text::problem(text) {
            return Err(RegistrationError(format!("line {line}: {problem}")));
        }
        let value = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.trim().split_once('='));
            let (_, value) = lines.find(|(name, _)| *name == key)?;
            Some(plain(value)).filter(|value| !value.is_empty())
        };
        let missing = |key: &str| RegistrationError(format!("{key} is missing"));
        let address = value("IPADDR")
            .map(|text| {
                text.parse().map_err(|_| RegistrationError(format!("IPADDR=\"{text}\": expected an address")))
            })
            .transpose()?;
        Ok(Self {
            alias: value("NCNAME").ok_or_else(|| missing("NCNAME"))?,
            architecture: value("ARCHITECTURE").ok_or_else(|| missing("ARCHITECTURE"))?,
            address,
            model: value("HWTYPE"),
        })
    }
}

/// Returns a value as the format requires it: one line without control characters.
fn plain(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ").trim().to_owned()
}

impl fmt::Display for Registration {
    /// Writes the text of the file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = Some(plain(&self.alias)).filter(|alias| !alias.is_empty());
        writeln!(f, "NCNAME={}", named.as_deref().unwrap_or(Self::UNDEFINED))?;
        writeln!(f, "ARCHITECTURE={}", plain(&self.architecture))?;
        if let Some(address) = self.address {
            writeln!(f, "IPADDR={address}")?;
        }
        match self.model.as_deref().map(plain).filter(|model| !model.is_empty()) {
            Some(model) => writeln!(f, "HWTYPE={model}"),
            None => Ok(()),
        }
    }
}
