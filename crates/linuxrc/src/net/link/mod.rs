//! Network cards: which one boots, its address and its routes.

mod neighbour;
mod netlink;

use std::fmt;
use std::fs;
use std::io;
use std::net::Ipv4Addr;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::net::error::{NetError, NetErrorKind};
use crate::net::lease::{Lease, Route, mac_text, mask};
use netlink::{Action, Mode, Request, add_attribute};

/// An Ethernet card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its name, such as eth0.
    pub name: String,
    /// The kernel's number of it.
    pub index: u32,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// The largest packet, in bytes.
    pub mtu: u16,
}

/// `ARPHRD_ETHER` of if_arp.h.
const ETHERNET: &str = "1";
const IFF_UP: u32 = 1;
const AF_INET: u8 = 2;
/// How often a wait looks at the cards.
const INTERVAL: Duration = Duration::from_millis(50);

impl Link {
    /// Returns the Ethernet cards below `sys` in the order in which the kernel found them, without wireless ones.
    pub fn list(sys: &Path) -> Vec<Self> {
        let entries = fs::read_dir(sys.join("class/net")).into_iter().flatten().flatten();
        let mut links: Vec<Self> = entries.filter_map(|entry| Self::read(&entry.path())).collect();
        links.sort_by_key(|link| link.index);
        links
    }

    fn read(directory: &Path) -> Option<Self> {
        let value = |name: &str| Some(fs::read_to_string(directory.join(name)).ok()?.trim_end().to_owned());
        if value("type")? != ETHERNET || directory.join("wireless").exists() {
            return None;
        }
        Some(Self {
            name: directory.file_name()?.to_str()?.to_owned(),
            index: value("ifindex")?.parse().ok()?,
            mac: parse_mac(&value("address")?)?,
            mtu: value("mtu")?.parse::<u32>().ok()?.try_into().unwrap_or(u16::MAX),
        })
    }

    /// Chooses the card with the hardware address `wanted`, or else the first whose cable is plugged in, and brings it up.
    /// Waits up to `limit` for cards and their carriers.
    pub fn choose(sys: &Path, wanted: Option<[u8; 6]>, limit: Duration) -> Result<Self, NetError> {
        let end = Instant::now() + limit;
        let mut up: Vec<Self> = Vec::new();
        loop {
            let links = Self::list(sys);
            for link in links.iter().filter(|link| wanted.is_none_or(|mac| mac == link.mac)) {
                if !up.contains(link) {
                    match link.up() {
                        Ok(()) => up.push(link.clone()),
                        Err(error) if wanted.is_some() => return Err(error),
                        // Another card may serve.
                        Err(_) => continue,
                    }
                }
                if link.has_carrier(sys) {
                    return Ok(link.clone());
                }
            }
            if Instant::now() >= end {
                return Err(no_card(&links, wanted, limit));
            }
            std::thread::sleep(INTERVAL);
        }
    }

    /// Whether the card's cable is plugged in. Always false before the card is up.
    pub fn has_carrier(&self, sys: &Path) -> bool {
        let path = sys.join("class/net").join(&self.name).join("carrier");
        fs::read_to_string(path).is_ok_and(|text| text.trim_end() == "1")
    }

    /// Brings the card up.
    pub fn up(&self) -> Result<(), NetError> {
        up(self.index).map_err(|error| system(format!("bringing {self} up"), &error))
    }

    /// Creates a card for the VLAN `id` on this one, and brings it up. The kernel needs its module 8021q.
    pub fn vlan(&self, sys: &Path, id: u16) -> Result<Self, NetError> {
        const IFLA_IFNAME: u16 = 3;
        const IFLA_LINK: u16 = 5;
        const IFLA_LINKINFO: u16 = 18;
        const IFLA_INFO_KIND: u16 = 1;
        const IFLA_INFO_DATA: u16 = 2;
        const IFLA_VLAN_ID: u16 = 1;
        let name = format!("vlan{id}");
        let failed = |error: &io::Error| system(format!("creating VLAN {id} on {self}"), error);
        let (mut data, mut info) = (Vec::new(), Vec::new());
        add_attribute(&mut data, IFLA_VLAN_ID, &id.to_ne_bytes());
        add_attribute(&mut info, IFLA_INFO_KIND, b"vlan\0");
        add_attribute(&mut info, IFLA_INFO_DATA, &data);
        Request::new(Action::NewLink, Mode::Create, &link_message(0, 0))
            .attribute(IFLA_IFNAME, format!("{name}\0").as_bytes())
            .attribute(IFLA_LINK, &self.index.to_ne_bytes())
            .attribute(IFLA_LINKINFO, &info)
            .send()
            .map_err(|error| failed(&error))?;
        let link = Self::read(&sys.join("class/net").join(&name))
            .ok_or_else(|| failed(&io::ErrorKind::NotFound.into()))?;
        link.up()?;
        Ok(link)
    }

    /// Sets the address and the routes of `lease`.
    pub fn configure(&self, lease: &Lease) -> Result<(), NetError> {
        let what = || format!("setting the address {}/{} on {self}", lease.address, lease.prefix);
        self.address(Action::NewAddress, Mode::Replace, lease).map_err(|error| system(what(), &error))?;
        for route in lease.all_routes() {
            self.route(route).map_err(|error| {
                let Route { network, prefix, gateway } = route;
                system(format!("setting the route to {network}/{prefix} through {gateway} on {self}"), &error)
            })?;
        }
        Ok(())
    }

    /// Removes the address of `lease`, and with it the routes.
    pub fn remove(&self, lease: &Lease) -> Result<(), NetError> {
        self.address(Action::RemoveAddress, Mode::Change, lease)
            .map_err(|error| system(format!("removing the address {} from {self}", lease.address), &error))
    }

    fn address(&self, action: Action, mode: Mode, lease: &Lease) -> io::Result<()> {
        const IFA_ADDRESS: u16 = 1;
        const IFA_LOCAL: u16 = 2;
        const IFA_BROADCAST: u16 = 4;
        let [a, b, c, d] = self.index.to_ne_bytes();
        let message = [AF_INET, lease.prefix, 0, 0, a, b, c, d];
        let broadcast = Ipv4Addr::from(u32::from(lease.address) | !mask(lease.prefix));
        Request::new(action, mode, &message)
            .attribute(IFA_LOCAL, &lease.address.octets())
            .attribute(IFA_ADDRESS, &lease.address.octets())
            .attribute(IFA_BROADCAST, &broadcast.octets())
            .send()
    }

    fn route(&self, route: Route) -> io::Result<()> {
        self.route_with(Action::NewRoute, route)
    }

    fn route_with(&self, action: Action, route: Route) -> io::Result<()> {
        const RTA_DST: u16 = 1;
        const RTA_OIF: u16 = 4;
        const RTA_GATEWAY: u16 = 5;
        const MAIN_TABLE: u8 = 254;
        const FROM_DHCP: u8 = 16;
        const EVERYWHERE: u8 = 0;
        const ON_LINK: u8 = 253;
        const UNICAST: u8 = 1;
        /// The gateway is on the link, whatever the address's prefix covers.
        const RTNH_F_ONLINK: u32 = 4;
        let direct = route.gateway.is_unspecified();
        let (scope, flags) = if direct { (ON_LINK, 0) } else { (EVERYWHERE, RTNH_F_ONLINK) };
        let mut message = vec![AF_INET, route.prefix, 0, 0, MAIN_TABLE, FROM_DHCP, scope, UNICAST];
        message.extend_from_slice(&flags.to_ne_bytes());
        let mode = match action {
            Action::RemoveRoute | Action::RemoveAddress => Mode::Change,
            Action::NewLink | Action::NewAddress | Action::NewRoute => Mode::Replace,
        };
        let mut request = Request::new(action, mode, &message);
        if route.prefix > 0 {
            request = request.attribute(RTA_DST, &route.network.octets());
        }
        if !direct {
            request = request.attribute(RTA_GATEWAY, &route.gateway.octets());
        }
        request.attribute(RTA_OIF, &self.index.to_ne_bytes()).send()
    }
}

impl fmt::Display for Link {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.name, mac_text(self.mac))
    }
}

/// Brings the loopback card up, which gives it its address.
pub fn loopback_up() -> Result<(), NetError> {
    const LOOPBACK: u32 = 1;
    up(LOOPBACK).map_err(|error| system("bringing the loopback card up".to_owned(), &error))
}

fn up(index: u32) -> io::Result<()> {
    let mut message = link_message(index, IFF_UP);
    message[12..].copy_from_slice(&IFF_UP.to_ne_bytes());
    Request::new(Action::NewLink, Mode::Change, &message).send()
}

/// Returns a `struct ifinfomsg` without a change of flags.
fn link_message(index: u32, flags: u32) -> [u8; 16] {
    let mut message = [0; 16];
    message[4..8].copy_from_slice(&index.to_ne_bytes());
    message[8..12].copy_from_slice(&flags.to_ne_bytes());
    message
}

/// Reads a hardware address of six bytes; a hyphen or colon is between them.
pub fn parse_mac(text: &str) -> Option<[u8; 6]> {
    let mut parts = text.split([':', '-']);
    let mut mac = [0; 6];
    for byte in &mut mac {
        let part = parts.next().filter(|part| part.len() == 2)?;
        *byte = u8::from_str_radix(part, 16).ok()?;
    }
    parts.next().is_none().then_some(mac)
}

fn system(what: String, error: &io::Error) -> NetError {
    NetError::new(NetErrorKind::System, format!("{what}: {error}"))
}

fn no_card(links: &[Link], wanted: Option<[u8; 6]>, limit: Duration) -> NetError {
    let seen = if links.is_empty() {
        "The kernel found none; its driver may be missing in the boot image.".to_owned()
    } else {
        let names: Vec<String> = links.iter().map(ToString::to_string).collect();
        format!("The kernel found {}.", names.join(", "))
    };
    let text = match wanted {
        Some(mac) => {
            let present = links.iter().any(|link| link.mac == mac);
            let problem = if present { "has no carrier" } else { "is missing" };
            format!(
                "The network card {} that PXE used {problem} after {} s. {seen}",
                mac_text(mac),
                limit.as_secs()
            )
        }
        None => format!("No network card has a carrier after {} s. {seen}", limit.as_secs()),
    };
    NetError::new(NetErrorKind::NoCard, text)
}
