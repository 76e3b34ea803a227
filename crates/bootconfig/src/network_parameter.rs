//! The kernel parameters of a network boot.
//!
//! | parameter | value |
//! |---|---|
//! | `kiwiserver`, `kiwitftp` | name or address of the server, and for HTTP a port after a colon |
//! | `kiwiservertype` | `tftp` or `http` |
//! | `BOOTIF` | the card that loaded the boot image, as pxelinux and GRUB write it |
//! | `ip` | the address, in the notation of the kernel: `<client>:<server>:<gateway>:<netmask>:<name>:<card>:<method>` |
//! | `vlan` | a number, or `<card>.<number>:<card>` as for dracut |
//! | `nameserver` | the address of a name server; may be repeated |
//! | `NAME` | whether a name for the machine is asked for: 0, a number of seconds, or -1 for no limit |
//! | `kiwikernelmodule` | modules to load, separated by commas |
//! | `IMAGE` and others | the keys of `config.<MAC>`: the system is on the disk, and the network is not used |

use std::fmt;
use std::net::Ipv4Addr;

use crate::client::{ClientConfig, MacAddress};
use crate::parameter::Parameters;

/// How files come from the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServerType {
    /// TFTP.
    Tftp,
    /// HTTP.
    Http,
}

impl ServerType {
    /// Every type.
    pub const ALL: [Self; 2] = [Self::Tftp, Self::Http];

    /// Returns the value of `kiwiservertype`.
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Tftp => "tftp",
            Self::Http => "http",
        }
    }
}

/// Whether the client asks for a name of the machine when it registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AliasPrompt {
    /// It does not ask.
    Never,
    /// It asks and waits so many seconds.
    Seconds(u32),
    /// It asks and waits.
    Forever,
}

/// An address that the command line sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaticAddress {
    /// The address of the client.
    pub address: Ipv4Addr,
    /// The number of the leading bits that all addresses of the network have.
    pub prefix: u8,
    /// The server.
    pub server: Option<Ipv4Addr>,
    /// The gateway.
    pub gateway: Option<Ipv4Addr>,
    /// The name of the machine.
    pub host_name: Option<String>,
}

/// The parameters of a network boot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetParameters {
    /// The name or the address of the server.
    pub server: Option<String>,
    /// The port of the server.
    pub port: Option<u16>,
    /// How files come from the server, when it is specified.
    pub server_type: Option<ServerType>,
    /// The card that loaded the boot image.
    pub boot_card: Option<MacAddress>,
    /// The kernel's name of the card to use.
    pub card: Option<String>,
    /// The address, when DHCP is not used.
    pub address: Option<StaticAddress>,
    /// The number of the VLAN.
    pub vlan: Option<u16>,
    /// Name servers, in addition to those of DHCP.
    pub name_servers: Vec<Ipv4Addr>,
    /// Whether a name is asked for when the machine registers.
    pub alias_prompt: AliasPrompt,
    /// Modules to load.
    pub modules: Vec<String>,
    /// The configuration in the parameters: the system is on the disk, and the network is not used.
    pub local: Option<ClientConfig>,
}

/// An invalid parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetParametersError {
    /// The name of the parameter.
    pub parameter: String,
    /// What is wrong and what is expected.
    pub text: String,
}

impl fmt::Display for NetParametersError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.parameter, self.text)
    }
}

impl std::error::Error for NetParametersError {}

impl NetParameters {
    /// Extracts the parameters of a network boot.
    pub fn of(parameters: &Parameters) -> Result<Self, NetParametersError> {
        let (server, port) = match parameters.value("kiwiserver").or(parameters.value("kiwitftp")) {
            None | Some("") => (None, None),
            Some(text) => {
                let (server, port) = server(text).ok_or_else(|| {
                    wrong("kiwiserver", text, "a name or an address of a server, and perhaps :<port>")
                })?;
                (Some(server), port)
            }
        };
        let ip = parameters.value("ip").map(Ip::parse).transpose()?;
        let vlan = parameters.value("vlan").map(vlan).transpose()?;
        let name_servers = parameters
            .values("nameserver")
            .map(|text| text.parse().map_err(|_| wrong("nameserver", text, "an IPv4 address")))
            .collect::<Result<Vec<Ipv4Addr>, _>>()?;
        let local =
            match parameters.value("IMAGE") {
                None | Some("") => None,
                Some(_) => Some(ClientConfig::of_parameters(parameters).map_err(|error| {
                    NetParametersError { parameter: "IMAGE".to_owned(), text: error.text }
                })?),
            };
        let (address, card, further) =
            ip.map_or((None, None, Vec::new()), |ip| (ip.address, ip.card, ip.name_servers));
        Ok(Self {
            server,
            port,
            server_type: parameters.value("kiwiservertype").map(server_type).transpose()?,
            boot_card: parameters
                .value("BOOTIF")
                .map(|text| {
                    MacAddress::parse_bootif(text).map_err(|error| NetParametersError {
                        parameter: "BOOTIF".to_owned(),
                        text: error.to_string(),
                    })
                })
                .transpose()?,
            card: vlan.as_ref().and_then(|(_, card)| card.clone()).or(card),
            address,
            vlan: vlan.map(|(number, _)| number),
            name_servers: [name_servers, further].concat(),
            alias_prompt: alias_prompt(parameters.value("NAME"))?,
            modules: parameters
                .values("kiwikernelmodule")
                .flat_map(|names| names.split(','))
                .filter(|name| !name.is_empty())
                .map(str::to_owned)
                .collect(),
            local,
        })
    }
}

fn wrong(parameter: &str, value: &str, expected: &str) -> NetParametersError {
    NetParametersError { parameter: parameter.to_owned(), text: format!("\"{value}\": expected {expected}") }
}

/// Returns name and port of a server.
pub(crate) fn server(text: &str) -> Option<(String, Option<u16>)> {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) => (name, Some(port.parse().ok().filter(|port| *port != 0)?)),
        None => (text, None),
    };
    let valid = |c: u8| c.is_ascii_alphanumeric() || b".-_".contains(&c);
    (!name.is_empty() && name.bytes().all(valid)).then(|| (name.to_owned(), port))
}

fn server_type(text: &str) -> Result<ServerType, NetParametersError> {
    ServerType::ALL
        .into_iter()
        .find(|kind| kind.keyword() == text)
        .ok_or_else(|| wrong("kiwiservertype", text, &ServerType::ALL.map(ServerType::keyword).join(" or ")))
}

fn alias_prompt(text: Option<&str>) -> Result<AliasPrompt, NetParametersError> {
    match text {
        None | Some("" | "0") => Ok(AliasPrompt::Never),
        Some("-1") => Ok(AliasPrompt::Forever),
        Some(text) => {
            let expected = "0, -1 or a number of seconds";
            text.parse().map(AliasPrompt::Seconds).map_err(|_| wrong("NAME", text, expected))
        }
    }
}

/// Returns number and card of `vlan=5`, `vlan=eth0.5:eth0` or `vlan=vlan5:eth0`.
fn vlan(text: &str) -> Result<(u16, Option<String>), NetParametersError> {
    let (name, card) = text.split_once(':').map_or((text, None), |(name, card)| (name, Some(card)));
    let digits = name.rsplit_once('.').map_or(name.trim_start_matches("vlan"), |(_, digits)| digits);
    let number: Option<u16> = digits.parse().ok().filter(|number| (1..=4094).contains(number));
    match (number, card) {
        (Some(number), None) => Ok((number, None)),
        (Some(number), Some(card)) if is_card(card) => Ok((number, Some(card.to_owned()))),
        _ => Err(wrong("vlan", text, "a number from 1 to 4094, or <card>.<number>:<card>")),
    }
}

/// Returns whether a text can be the kernel's name of a network card.
fn is_card(text: &str) -> bool {
    let valid = |c: char| c.is_ascii_graphic() && !matches!(c, '/' | ':');
    (1..16).contains(&text.len()) && !matches!(text, "." | "..") && text.chars().all(valid)
}

/// The parameter `ip`.
struct Ip {
    address: Option<StaticAddress>,
    card: Option<String>,
    name_servers: Vec<Ipv4Addr>,
}

impl Ip {
    /// Parses the value. The address is used with the methods `none`, `off` and `static` only: pxelinux gives the address
    /// of its own DHCP request without a method, and it can end while the system runs.
    fn parse(text: &str) -> Result<Self, NetParametersError> {
        let error = |expected: &str| wrong("ip", text, expected);
        let fields: Vec<&str> = text.split(':').collect();
        if let [method] = fields[..] {
            return match method {
                "dhcp" | "on" | "any" => Ok(Self { address: None, card: None, name_servers: Vec::new() }),
                _ => Err(error("dhcp, or <client>:<server>:<gateway>:<netmask>:<name>:<card>:<method>")),
            };
        }
        // dracut: `ip=<card>:dhcp`.
        if let [card, "dhcp" | "on" | "any"] = fields[..] {
            let card =
                Some(card.to_owned()).filter(|card| is_card(card)).ok_or_else(|| error("<card>:dhcp"))?;
            return Ok(Self { address: None, card: Some(card), name_servers: Vec::new() });
        }
        let field = |index: usize| fields.get(index).copied().filter(|field| !field.is_empty());
        let address_of = |index: usize| {
            let parse = |text: &str| text.parse().map_err(|_| error("IPv4 addresses"));
            field(index).map(parse).transpose()
        };
        let client: Option<Ipv4Addr> = address_of(0)?;
        let (server, gateway) =
            (address_of(1)?.filter(|server: &Ipv4Addr| !server.is_unspecified()), address_of(2)?);
        let prefix = field(3)
            .map(|text| prefix(text).ok_or_else(|| error("a netmask such as 255.255.255.0")))
            .transpose()?;
        let card = field(5).map(str::to_owned);
        if card.as_ref().is_some_and(|card| !is_card(card)) {
            return Err(error("the name of a network card as the sixth field"));
        }
        let is_static = match field(6) {
            Some("none" | "off" | "static") => true,
            None | Some("dhcp" | "on" | "any" | "both" | "bootp" | "rarp") => false,
            Some(_) => return Err(error("the method none or dhcp as the seventh field")),
        };
        let name_servers = [address_of(7)?, address_of(8)?].into_iter().flatten().collect();
        let address = match (is_static, client, prefix) {
            (false, ..) => None,
            (true, Some(address), Some(prefix)) => Some(StaticAddress {
                address,
                prefix,
                server,
                gateway,
                host_name: field(4).map(str::to_owned),
            }),
            (true, ..) => return Err(error("an address and a netmask")),
        };
        Ok(Self { address, card, name_servers })
    }
}

/// Returns the number of leading bits of a netmask, or a number of bits.
fn prefix(text: &str) -> Option<u8> {
    if let Ok(bits) = text.parse::<u8>() {
        return (bits <= 32).then_some(bits);
    }
    let mask = u32::from(text.parse::<Ipv4Addr>().ok()?);
    let bits = mask.leading_ones();
    (mask.count_ones() == bits).then(|| u8::try_from(bits).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(line: &str) -> Result<NetParameters, NetParametersError> {
        NetParameters::of(&Parameters::parse(line))
    }

    #[test]
    fn reads_what_pxelinux_gives() {
        let line = "initrd=boot/initrd kiwitftp=192.168.0.254 \
                    ip=192.168.0.7:192.168.0.254:192.168.0.1:255.255.255.0 BOOTIF=01-52-54-00-12-34-ab";
        let read = of(line).unwrap();
        assert_eq!(read.server.as_deref(), Some("192.168.0.254"));
        assert_eq!(read.boot_card.unwrap().to_string(), "52:54:00:12:34:AB");
        assert_eq!(read.address, None, "DHCP is used");
        assert_eq!((read.alias_prompt, read.local), (AliasPrompt::Never, None));
    }

    #[test]
    fn reads_server_and_transport() {
        let read = of("kiwitftp=old kiwiserver=www.example.org:8080 kiwiservertype=http").unwrap();
        assert_eq!((read.server.as_deref(), read.port), (Some("www.example.org"), Some(8080)));
        assert_eq!(read.server_type, Some(ServerType::Http));
        assert_eq!(of("kiwiservertype=ftp").unwrap_err().parameter, "kiwiservertype");
        assert_eq!(of("kiwiserver=a:99999").unwrap_err().parameter, "kiwiserver");
        assert_eq!(of("kiwitftp=../x").unwrap_err().parameter, "kiwiserver");
    }

    #[test]
    fn a_static_address_needs_a_method() {
        let read =
            of("ip=10.0.0.5:10.0.0.1:10.0.0.254:255.255.252.0:till:eth1:none:10.0.0.3 nameserver=10.0.0.2")
                .unwrap();
        let address = read.address.unwrap();
        assert_eq!((address.prefix, address.gateway), (22, Some(Ipv4Addr::new(10, 0, 0, 254))));
        assert_eq!((address.host_name.as_deref(), read.card.as_deref()), (Some("till"), Some("eth1")));
        assert_eq!(read.name_servers, [Ipv4Addr::new(10, 0, 0, 2), Ipv4Addr::new(10, 0, 0, 3)]);
        assert_eq!(of("ip=eth2:dhcp").unwrap().card.as_deref(), Some("eth2"));
        assert_eq!(of("ip=dhcp").unwrap().address, None);
        for line in [
            "ip=10.0.0.5::::::none",
            "ip=10.0.0.5:::255.0.255.0:::none",
            "ip=x",
            "ip=1:2:3",
            "ip=:::::../x:dhcp",
        ] {
            assert_eq!(of(line).unwrap_err().parameter, "ip", "{line}");
        }
    }

    #[test]
    fn reads_a_vlan_in_every_form() {
        for (line, expected) in [
            ("vlan=5", (5, None)),
            ("vlan=eth0.0005:eth0", (5, Some("eth0"))),
            ("vlan=vlan12:en1", (12, Some("en1"))),
        ] {
            let read = of(line).unwrap();
            assert_eq!((read.vlan.unwrap(), read.card.as_deref()), expected, "{line}");
        }
        for line in ["vlan=0", "vlan=4095", "vlan=x", "vlan=5:", "vlan=5:a/b"] {
            assert_eq!(of(line).unwrap_err().parameter, "vlan", "{line}");
        }
    }

    #[test]
    fn an_image_in_the_parameters_is_a_local_boot() {
        let read = of("root=/dev/sda2 IMAGE=\"/dev/sda2;n.x86_64;1;;4096,/dev/sda3;r;1\" COMBINED_IMAGE=yes NAME=-1 kiwikernelmodule=a,b").unwrap();
        let local = read.local.unwrap();
        assert_eq!((local.images.len(), local.combined_image), (2, true));
        assert_eq!((read.alias_prompt, read.modules.len()), (AliasPrompt::Forever, 2));
        assert_eq!(of("NAME=30").unwrap().alias_prompt, AliasPrompt::Seconds(30));
        assert_eq!(of("NAME=soon").unwrap_err().parameter, "NAME");
        assert_eq!(of("IMAGE=/dev/../x;n;1").unwrap_err().parameter, "IMAGE");
    }

    proptest! {
        #[test]
        fn any_line_is_read_or_refused(line in "((ip|vlan|kiwiserver|BOOTIF|NAME|IMAGE|nameserver)=[0-9a-z:./;,-]{0,30} ){0,4}\\PC*") {
            let _ = of(&line);
        }
    }
}
