//! DHCP messages as bytes: RFC 2131, options of RFC 2132, 3396 (long options) and 3442 (classless routes).

use std::net::Ipv4Addr;

use crate::net::lease::{Lease, Route, mask};

/// The codes of the options that are used here.
pub(super) mod option {
    pub(in crate::net) const SUBNET_MASK: u8 = 1;
    pub(in crate::net) const ROUTERS: u8 = 3;
    pub(in crate::net) const NAME_SERVERS: u8 = 6;
    pub(in crate::net) const HOST_NAME: u8 = 12;
    pub(in crate::net) const DOMAIN: u8 = 15;
    pub(in crate::net) const REQUESTED_ADDRESS: u8 = 50;
    pub(in crate::net) const LEASE_TIME: u8 = 51;
    pub(in crate::net) const OVERLOAD: u8 = 52;
    pub(in crate::net) const MESSAGE_KIND: u8 = 53;
    pub(in crate::net) const SERVER_IDENTIFIER: u8 = 54;
    pub(in crate::net) const WANTED: u8 = 55;
    pub(in crate::net) const MESSAGE: u8 = 56;
    pub(in crate::net) const LARGEST_MESSAGE: u8 = 57;
    pub(in crate::net) const VENDOR_CLASS: u8 = 60;
    pub(in crate::net) const SERVER_NAME: u8 = 66;
    pub(in crate::net) const BOOT_FILE: u8 = 67;
    pub(in crate::net) const CLASSLESS_ROUTES: u8 = 121;
    pub(super) const PAD: u8 = 0;
    pub(super) const END: u8 = 255;
}

/// What a message is for: the values of option 53 that a client meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageKind {
    /// Who offers an address?
    Discover = 1,
    /// A server offers one.
    Offer = 2,
    /// The client takes it, or wants to keep it.
    Request = 3,
    /// The client found that another machine has the address.
    Decline = 4,
    /// The server agrees.
    Acknowledge = 5,
    /// The server does not agree.
    Refuse = 6,
    /// The client no longer needs its address.
    Release = 7,
}

impl MessageKind {
    const ALL: [Self; 7] = [
        Self::Discover,
        Self::Offer,
        Self::Request,
        Self::Decline,
        Self::Acknowledge,
        Self::Refuse,
        Self::Release,
    ];
}

/// A message. Options with the same code are one: their values are joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whether a server sent it.
    pub is_reply: bool,
    /// The number that a reply has in common with its request.
    pub transaction: u32,
    /// Seconds since the client began.
    pub seconds: u16,
    /// Whether replies must be broadcast.
    pub broadcast: bool,
    /// The client's present address.
    pub client: Ipv4Addr,
    /// The address that the server offers.
    pub offered: Ipv4Addr,
    /// The next server.
    pub next_server: Ipv4Addr,
    /// The client's hardware address.
    pub mac: [u8; 6],
    /// The fields for the server's name and for the boot file; empty if they contain options.
    pub fields: [Vec<u8>; 2],
    /// Codes and values.
    pub options: Vec<(u8, Vec<u8>)>,
}

const COOKIE: [u8; 4] = [99, 130, 83, 99];
const FIXED: usize = 236;
const SERVER_NAME_FIELD: std::ops::Range<usize> = 44..108;
const BOOT_FILE_FIELD: std::ops::Range<usize> = 108..FIXED;
/// Servers may drop requests that are shorter than those of BOOTP.
const SHORTEST: usize = 300;

impl Message {
    /// Returns a request of the client with this hardware address.
    pub(super) fn request(transaction: u32, mac: [u8; 6], kind: MessageKind) -> Self {
        Self {
            is_reply: false,
            transaction,
            seconds: 0,
            broadcast: false,
            client: Ipv4Addr::UNSPECIFIED,
            offered: Ipv4Addr::UNSPECIFIED,
            next_server: Ipv4Addr::UNSPECIFIED,
            mac,
            fields: [vec![], vec![]],
            options: vec![(option::MESSAGE_KIND, vec![kind as u8])],
        }
    }

    /// Reads a message for an Ethernet card. Returns none for anything else, and if a length leaves the message.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (fixed, rest) = bytes.split_at_checked(FIXED)?;
        let options = rest.strip_prefix(&COOKIE)?;
        let is_reply = match fixed[..3] {
            [1, 1, 6] => false,
            [2, 1, 6] => true,
            _ => return None,
        };
        let address = |at: usize| Ipv4Addr::from(u32_at(fixed, at));
        let mut message = Self {
            is_reply,
            transaction: u32_at(fixed, 4),
            seconds: u16::from_be_bytes([fixed[8], fixed[9]]),
            broadcast: fixed[10] & 0x80 != 0,
            client: address(12),
            offered: address(16),
            next_server: address(20),
            mac: fixed[28..34].try_into().ok()?,
            fields: [vec![], vec![]],
            options: vec![],
        };
        message.read_options(options)?;
        // Option 52 says that options continue in the fields: 1 in that of the boot file, 2 in the other, 3 in both.
        let overload = match message.option(option::OVERLOAD) {
            None => 0,
            Some([value @ 1..=3]) => *value,
            Some(_) => return None,
        };
        for (number, bit, range) in [(1, 1, BOOT_FILE_FIELD), (0, 2, SERVER_NAME_FIELD)] {
            let field = &fixed[range];
            if overload & bit != 0 {
                message.read_options(field)?;
            } else {
                message.fields[number] = field.split(|byte| *byte == 0).next()?.to_vec();
            }
        }
        // The option says nothing within the fields.
        let overloads = message.option(option::OVERLOAD).map_or(0, <[u8]>::len);
        (overloads <= 1).then_some(message)
    }

    fn read_options(&mut self, mut rest: &[u8]) -> Option<()> {
        while let [code, tail @ ..] = rest {
            match *code {
                option::PAD => rest = tail,
                option::END => return Some(()),
                code => {
                    let (length, tail) = tail.split_first()?;
                    let (value, tail) = tail.split_at_checked(usize::from(*length))?;
                    match self.options.iter_mut().find(|(known, _)| *known == code) {
                        Some((_, joined)) => joined.extend_from_slice(value),
                        None => self.options.push((code, value.to_vec())),
                    }
                    rest = tail;
                }
            }
        }
        Some(())
    }

    /// Returns the message as bytes. Values of more than 255 bytes become several options.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![0; FIXED];
        bytes[..4].copy_from_slice(&[if self.is_reply { 2 } else { 1 }, 1, 6, 0]);
        bytes[4..8].copy_from_slice(&self.transaction.to_be_bytes());
        bytes[8..10].copy_from_slice(&self.seconds.to_be_bytes());
        bytes[10] = if self.broadcast { 0x80 } else { 0 };
        for (at, address) in [(12, self.client), (16, self.offered), (20, self.next_server)] {
            bytes[at..at + 4].copy_from_slice(&address.octets());
        }
        bytes[28..34].copy_from_slice(&self.mac);
        for (field, range) in self.fields.iter().zip([SERVER_NAME_FIELD, BOOT_FILE_FIELD]) {
            let length = field.len().min(range.len());
            bytes[range][..length].copy_from_slice(&field[..length]);
        }
        bytes.extend_from_slice(&COOKIE);
        for (code, value) in &self.options {
            let empty: &[u8] = &[];
            let pieces = value.chunks(255).chain(value.is_empty().then_some(empty));
            for piece in pieces {
                bytes.extend_from_slice(&[*code, piece.len() as u8]);
                bytes.extend_from_slice(piece);
            }
        }
        bytes.push(option::END);
        bytes.resize(bytes.len().max(SHORTEST), option::PAD);
        bytes
    }

    fn option(&self, code: u8) -> Option<&[u8]> {
        self.options.iter().find(|(known, _)| *known == code).map(|(_, value)| value.as_slice())
    }

    /// Returns what the message is for.
    pub fn kind(&self) -> Option<MessageKind> {
        let [value] = self.option(option::MESSAGE_KIND)? else { return None };
        MessageKind::ALL.into_iter().find(|kind| *kind as u8 == *value)
    }

    /// Returns the server's identifier, which is an address.
    pub fn server_identifier(&self) -> Option<Ipv4Addr> {
        self.addresses(option::SERVER_IDENTIFIER)?.first().copied()
    }

    /// Returns the reason that a server gives for a refusal.
    pub(super) fn reason(&self) -> Option<String> {
        text(self.option(option::MESSAGE)?)
    }

    /// Returns the addresses of an option; none if there is no address or a part of one.
    fn addresses(&self, code: u8) -> Option<Vec<Ipv4Addr>> {
        let (addresses, rest) = self.option(code)?.as_chunks::<4>();
        (!addresses.is_empty() && rest.is_empty())
            .then(|| addresses.iter().map(|octets| Ipv4Addr::from(*octets)).collect())
    }

    /// Whether the server names the machine from which the boot files come.
    pub fn names_next_server(&self) -> bool {
        !self.next_server.is_unspecified() || self.option(option::SERVER_NAME).is_some()
    }

    /// Returns what the message offers or grants to the card `interface`. None: no machine can use it.
    pub fn lease(&self, interface: &str) -> Option<Lease> {
        let address = self.offered;
        if address.is_unspecified()
            || address.is_loopback()
            || address.is_multicast()
            || address.is_broadcast()
        {
            return None;
        }
        let prefix = match self.option(option::SUBNET_MASK) {
            Some(_) => prefix_of(u32::from(*self.addresses(option::SUBNET_MASK)?.first()?))?,
            None => default_prefix(address),
        };
        let server_name = self.option(option::SERVER_NAME).and_then(text).or_else(|| text(&self.fields[0]));
        let next_server = Some(self.next_server).filter(|address| !address.is_unspecified());
        let next_server = next_server.or_else(|| server_name.as_deref()?.parse().ok());
        let dhcp_server = self.server_identifier();
        let seconds = match self.option(option::LEASE_TIME) {
            None => None,
            Some(value) => {
                Some(u32::from_be_bytes(value.try_into().ok()?)).filter(|value| *value != u32::MAX)
            }
        };
        Some(Lease {
            interface: interface.to_owned(),
            mac: self.mac,
            address,
            prefix,
            routers: self.addresses(option::ROUTERS).unwrap_or_default(),
            routes: self.option(option::CLASSLESS_ROUTES).and_then(routes).unwrap_or_default(),
            dns: self.addresses(option::NAME_SERVERS).unwrap_or_default(),
            domain: self.option(option::DOMAIN).and_then(domain_name),
            host_name: self.option(option::HOST_NAME).and_then(domain_name),
            server: next_server.or(dhcp_server)?,
            server_name,
            boot_file: self.option(option::BOOT_FILE).and_then(text).or_else(|| text(&self.fields[1])),
            dhcp_server,
            seconds,
        })
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Returns the length of a network mask's prefix; none if its ones are not together.
fn prefix_of(bits: u32) -> Option<u8> {
    let prefix = bits.leading_ones() as u8;
    (mask(prefix) == bits).then_some(prefix)
}

/// Returns the prefix of an address's class, for servers that send no mask.
fn default_prefix(address: Ipv4Addr) -> u8 {
    match address.octets()[0] {
        0..128 => 8,
        128..192 => 16,
        192..=255 => 24,
    }
}

/// Returns a value as text, without the zero bytes at its end. None if it is empty or contains anything unprintable or a
/// quote.
fn text(value: &[u8]) -> Option<String> {
    let end = value.iter().rposition(|byte| *byte != 0)? + 1;
    let printable = value[..end].iter().all(|byte| (b' '..=b'~').contains(byte) && *byte != b'\'');
    printable.then(|| String::from_utf8_lossy(&value[..end]).into_owned())
}

/// Returns a value as the name of a host or domain. None if it is not one.
fn domain_name(value: &[u8]) -> Option<String> {
    let name = text(value)?;
    let name = name.trim_end_matches('.');
    let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let labels = name.split('.').all(|label| (1..=63).contains(&label.len()));
    (labels && name.len() <= 253 && name.bytes().all(is_valid)).then(|| name.to_owned())
}

/// Reads classless routes: each is a prefix length, the bytes of the network that the prefix covers, and a gateway.
fn routes(mut value: &[u8]) -> Option<Vec<Route>> {
    let mut routes = Vec::new();
    while let [prefix, rest @ ..] = value {
        if *prefix > 32 {
            return None;
        }
        let (significant, rest) = rest.split_at_checked(usize::from(prefix.div_ceil(8)))?;
        let (gateway, rest) = rest.split_first_chunk::<4>()?;
        let mut network = [0; 4];
        network[..significant.len()].copy_from_slice(significant);
        let network = Ipv4Addr::from(u32::from_be_bytes(network) & mask(*prefix));
        routes.push(Route { network, prefix: *prefix, gateway: Ipv4Addr::from(*gateway) });
        value = rest;
    }
    Some(routes)
}

#[cfg(test)]
mod tests;
