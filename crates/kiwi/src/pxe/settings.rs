//! `kiwi-pxe.json`: the settings of a tree, which `kiwi pxe init` writes.

use std::fmt;
use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::Tree;
use crate::checked;
use crate::failure::{Failure, Kind, fail};

/// The file's name.
pub const FILE: &str = "kiwi-pxe.json";

/// The most bytes of the file.
const LARGEST: u64 = 1 << 16;

/// Version of the file.
const VERSION: u32 = 1;

/// How machines load systems. Boot images are loaded by TFTP in all cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// TFTP.
    Tftp,
    /// HTTP.
    Http,
}

impl Transport {
    /// Returns the value of the kernel parameter `kiwiservertype`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Tftp => "tftp",
            Self::Http => "http",
        }
    }
}

/// The network of the server: `192.168.100.2/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The address of the server.
    pub server: Ipv4Addr,
    /// The number of the leading bits that all addresses of the network have.
    pub prefix: u8,
}

impl Network {
    /// Parses `ADDRESS/BITS`; without a number of bits there are 24.
    pub fn parse(text: &str) -> Option<Self> {
        let (address, prefix) = text.split_once('/').unwrap_or((text, "24"));
        let prefix = prefix.parse().ok().filter(|bits| (8..=29).contains(bits))?;
        Some(Self { server: address.parse().ok()?, prefix })
    }

    /// Returns the netmask.
    pub fn mask(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::MAX << (32 - u32::from(self.prefix)))
    }

    /// Returns the address of the network.
    pub fn network(self) -> Ipv4Addr {
        Ipv4Addr::from(u32::from(self.server) & u32::from(self.mask()))
    }

    /// Returns the first and last address for machines: the upper half of the network without its last address.
    pub fn machines(self) -> (Ipv4Addr, Ipv4Addr) {
        let network = u32::from(self.network());
        let size = 1_u32 << (32 - u32::from(self.prefix));
        let (mut first, last) = (network + size / 2, network + size - 2);
        if u32::from(self.server) >= first {
            first = u32::from(self.server) + 1;
        }
        if first > last {
            return (Ipv4Addr::from(network + 1), Ipv4Addr::from(u32::from(self.server) - 1));
        }
        (Ipv4Addr::from(first), Ipv4Addr::from(last))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.server, self.prefix)
    }
}

/// The settings of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    version: u32,
    /// The server and its network.
    pub network: Network,
    /// How machines load systems.
    pub transport: Transport,
    /// Kernel parameters of all boots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<String>,
}

impl Settings {
    /// Returns the settings of a new tree.
    pub fn new(network: Network, transport: Transport, parameters: Option<String>) -> Self {
        Self { version: VERSION, network, transport, parameters }
    }

    /// Returns the kernel parameters with which a machine finds its server.
    pub fn kernel_parameters(&self) -> String {
        let server = self.network.server;
        let further =
            self.parameters.as_ref().map_or_else(String::new, |parameters| format!(" {parameters}"));
        match self.transport {
            Transport::Tftp => format!("kiwitftp={server}{further}"),
            Transport::Http => format!("kiwiserver={server} kiwiservertype=http{further}"),
        }
    }

    /// Reads the settings of a tree.
    pub fn read(tree: &Tree) -> Result<Self> {
        let path = tree.file(FILE);
        let text = match checked::read(&path, LARGEST) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                fail!(
                    File,
                    "{} is not a directory for network boot: 'kiwi pxe init {} --server ADDRESS' makes one",
                    tree.path().display(),
                    tree.path().display()
                )
            }
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        let settings: Self = serde_json::from_slice(&text)
            .map_err(|error| Failure::new(Kind::Damaged, checked::at(&path, &error)))?;
        if settings.version != VERSION {
            fail!(
                Damaged,
                "{} has version {}, but this kiwi reads version {VERSION}",
                path.display(),
                settings.version
            );
        }
        Ok(settings)
    }

    /// Returns the text of the file.
    pub fn text(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self).context("writing the settings as JSON")? + "\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_addresses_for_machines_beside_the_server() {
        let network = |text| Network::parse(text).unwrap();
        let machines = |text| {
            let (first, last) = network(text).machines();
            format!("{first}-{last}")
        };
        assert_eq!(network("192.168.100.2").to_string(), "192.168.100.2/24");
        assert_eq!(machines("192.168.100.2/24"), "192.168.100.128-192.168.100.254");
        assert_eq!(machines("192.168.100.200/24"), "192.168.100.201-192.168.100.254");
        assert_eq!(machines("192.168.100.254/24"), "192.168.100.1-192.168.100.253");
        assert_eq!(network("10.1.2.3/16").mask().to_string(), "255.255.0.0");
        assert_eq!(network("10.1.2.3/16").network().to_string(), "10.1.0.0");
        for text in ["", "10.0.0.1/", "10.0.0.1/31", "10.0.0/8", "server", "::1/64"] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn machines_find_their_server_by_parameters() {
        let settings =
            |transport| Settings::new(Network::parse("10.0.0.1").unwrap(), transport, Some("quiet".into()));
        assert_eq!(settings(Transport::Tftp).kernel_parameters(), "kiwitftp=10.0.0.1 quiet");
        assert_eq!(
            settings(Transport::Http).kernel_parameters(),
            "kiwiserver=10.0.0.1 kiwiservertype=http quiet"
        );
        let text = settings(Transport::Http).text().unwrap();
        assert_eq!(serde_json::from_str::<Settings>(&text).unwrap(), settings(Transport::Http));
    }
}
