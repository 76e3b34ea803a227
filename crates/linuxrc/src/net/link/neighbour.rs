//! Whether a machine of the network has an address already: ARP, by the kernel.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use super::netlink::Action;
use super::{INTERVAL, Link, parse_mac};
use crate::net::lease::Route;
use crate::sys;

/// The kernel's table of neighbours.
const TABLE: &str = "/proc/net/arp";
/// The flag of an entry whose machine has answered, `ATF_COM` of if_arp.h.
const COMPLETE: u32 = 2;
/// A port on which nobody needs to listen: the packet is for the question that the kernel asks before it.
const DISCARD: u16 = 9;

impl Link {
    /// Returns the hardware address of the machine that answers for `address` within `limit`; none if there is none, or if it
    /// cannot be found out.
    ///
    /// This card must not have an address: the kernel then asks without one, as RFC 5227 requires, so that no machine takes the
    /// question for a claim.
    pub fn owner_of(&self, address: Ipv4Addr, limit: Duration) -> Option<[u8; 6]> {
        let route = Route { network: address, prefix: 32, gateway: Ipv4Addr::UNSPECIFIED };
        self.route(route).ok()?;
        let owner = self.ask(address, limit);
        // The table keeps no entry of a card whose routes are removed longer than it is needed.
        let _ = self.route_with(Action::RemoveRoute, route);
        owner
    }

    fn ask(&self, address: Ipv4Addr, limit: Duration) -> Option<[u8; 6]> {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
        sys::bind_to_device(&socket, &self.name).ok()?;
        socket.send_to(&[], (address, DISCARD)).ok()?;
        let end = Instant::now() + limit;
        loop {
            let table = fs::read_to_string(TABLE).ok()?;
            match owner(&table, address, &self.name).filter(|mac| *mac != self.mac) {
                Some(mac) => return Some(mac),
                None if Instant::now() >= end => return None,
                None => std::thread::sleep(INTERVAL),
            }
        }
    }
}

/// Returns the hardware address of a machine that has answered.
fn owner(table: &str, address: Ipv4Addr, card: &str) -> Option<[u8; 6]> {
    table.lines().skip(1).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [of, _kind, flags, mac, _mask, device] = fields[..] else { return None };
        let flags = u32::from_str_radix(flags.strip_prefix("0x")?, 16).ok()?;
        let is_it = of.parse() == Ok(address) && device == card && flags & COMPLETE != 0;
        is_it.then(|| parse_mac(mac)).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_complete_entry_of_the_card_counts() {
        let table = "IP address       HW type     Flags       HW address            Mask     Device\n\
                     10.0.0.5         0x1         0x0         00:00:00:00:00:00     *        eth0\n\
                     10.0.0.6         0x1         0x2         52:54:00:00:00:06     *        eth1\n\
                     10.0.0.7         0x1         0x6         52:54:00:00:00:07     *        eth0\n";
        let of = |last| owner(table, Ipv4Addr::new(10, 0, 0, last), "eth0");
        assert_eq!((of(5), of(6), of(8)), (None, None, None));
        assert_eq!(of(7), Some([0x52, 0x54, 0, 0, 0, 7]));
        assert_eq!(owner("", Ipv4Addr::LOCALHOST, "eth0"), None);
    }
}
