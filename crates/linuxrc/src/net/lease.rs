//! What a machine knows about its place in the network.

use std::fmt;
use std::net::Ipv4Addr;

/// A route that a DHCP server names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The network.
    pub network: Ipv4Addr,
    /// The length of its prefix; 0 is the default route.
    pub prefix: u8,
    /// The router; unspecified if the network is on the link itself.
    pub gateway: Ipv4Addr,
}

/// Address and surroundings of a network card, from a DHCP server or from parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// Name of the network card.
    pub interface: String,
    /// Its hardware address.
    pub mac: [u8; 6],
    /// The machine's address.
    pub address: Ipv4Addr,
    /// Length of the network's prefix.
    pub prefix: u8,
    /// Routers, the preferred one first.
    pub routers: Vec<Ipv4Addr>,
    /// Classless routes, which replace the routers if there are any.
    pub routes: Vec<Route>,
    /// Name servers.
    pub dns: Vec<Ipv4Addr>,
    /// The domain in which short names are searched.
    pub domain: Option<String>,
    /// The name of the machine.
    pub host_name: Option<String>,
    /// The server with the boot files: the next server, or the DHCP server itself.
    pub server: Ipv4Addr,
    /// The name of the boot server, if the DHCP server names it.
    pub server_name: Option<String>,
    /// The boot file.
    pub boot_file: Option<String>,
    /// The DHCP server; none: the address is a parameter.
    pub dhcp_server: Option<Ipv4Addr>,
    /// Seconds that the lease lasts; none: without end.
    pub seconds: Option<u32>,
}

impl Lease {
    /// Returns the routes of the machine: the classless ones, or one through the first router.
    pub fn all_routes(&self) -> Vec<Route> {
        if self.routes.is_empty() {
            let default =
                |gateway: &Ipv4Addr| Route { network: Ipv4Addr::UNSPECIFIED, prefix: 0, gateway: *gateway };
            self.routers.first().map(default).into_iter().collect()
        } else {
            self.routes.clone()
        }
    }

    /// Returns the text of `/etc/resolv.conf`.
    pub fn resolv_conf(&self) -> String {
        let search = self.domain.iter().map(|domain| format!("search {domain}\n"));
        search.chain(self.dns.iter().map(|server| format!("nameserver {server}\n"))).collect()
    }
}

/// Returns the bits of a network mask.
pub(super) fn mask(prefix: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(prefix.min(32))).unwrap_or(0)
}

/// Returns a hardware address in the form of `/sys/class/net`, in upper case.
pub(super) fn mac_text(mac: [u8; 6]) -> String {
    mac.map(|byte| format!("{byte:02X}")).join(":")
}

/// The lease information file, in the form of dhcpcd: one variable of a shell per line. Every value was checked when it was
/// read, so none of them contains a quote.
impl fmt::Display for Lease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mask = mask(self.prefix);
        let list =
            |addresses: &[Ipv4Addr]| addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        writeln!(formatter, "IPADDR='{}'", self.address)?;
        writeln!(formatter, "NETMASK='{}'", Ipv4Addr::from(mask))?;
        writeln!(formatter, "NETWORK='{}'", Ipv4Addr::from(u32::from(self.address) & mask))?;
        writeln!(formatter, "BROADCAST='{}'", Ipv4Addr::from(u32::from(self.address) | !mask))?;
        writeln!(formatter, "GATEWAY='{}'", list(&self.routers))?;
        if let Some(name) = &self.host_name {
            writeln!(formatter, "HOSTNAME='{name}'")?;
        }
        if let Some(domain) = &self.domain {
            writeln!(formatter, "DOMAIN='{domain}'")?;
        }
        writeln!(formatter, "DNS='{}'", list(&self.dns))?;
        if let Some(server) = self.dhcp_server {
            writeln!(formatter, "DHCPSID='{server}'")?;
        }
        writeln!(formatter, "DHCPSIADDR='{}'", self.server)?;
        writeln!(formatter, "DHCPCHADDR='{}'", mac_text(self.mac))?;
        if let Some(seconds) = self.seconds {
            writeln!(formatter, "LEASETIME='{seconds}'")?;
        }
        writeln!(formatter, "INTERFACE='{}'", self.interface)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease() -> Lease {
        Lease {
            interface: "eth0".to_owned(),
            mac: [0x52, 0x54, 0, 0x12, 0x34, 0xab],
            address: Ipv4Addr::new(192, 168, 7, 20),
            prefix: 24,
            routers: vec![Ipv4Addr::new(192, 168, 7, 1), Ipv4Addr::new(192, 168, 7, 2)],
            routes: vec![],
            dns: vec![Ipv4Addr::new(192, 168, 7, 3)],
            domain: Some("example.org".to_owned()),
            host_name: None,
            server: Ipv4Addr::new(192, 168, 7, 4),
            server_name: None,
            boot_file: Some("pxelinux.0".to_owned()),
            dhcp_server: Some(Ipv4Addr::new(192, 168, 7, 5)),
            seconds: Some(3600),
        }
    }

    #[test]
    fn is_written_for_shells_and_resolvers() {
        let text = lease().to_string();
        let expected = "IPADDR='192.168.7.20'\nNETMASK='255.255.255.0'\nNETWORK='192.168.7.0'\n\
            BROADCAST='192.168.7.255'\nGATEWAY='192.168.7.1,192.168.7.2'\nDOMAIN='example.org'\n\
            DNS='192.168.7.3'\nDHCPSID='192.168.7.5'\nDHCPSIADDR='192.168.7.4'\n\
            DHCPCHADDR='52:54:00:12:34:AB'\nLEASETIME='3600'\nINTERFACE='eth0'\n";
        assert_eq!(text, expected);
        assert_eq!(lease().resolv_conf(), "search example.org\nnameserver 192.168.7.3\n");
        assert_eq!([0, 1, 24, 32].map(mask), [0, 0x8000_0000, 0xffff_ff00, u32::MAX]);
    }

    #[test]
    fn classless_routes_replace_the_routers() {
        let mut lease = lease();
        let gateway = lease.routers[0];
        assert_eq!(lease.all_routes(), [Route { network: Ipv4Addr::UNSPECIFIED, prefix: 0, gateway }]);
        let route = Route { network: Ipv4Addr::new(10, 0, 0, 0), prefix: 8, gateway: lease.dns[0] };
        lease.routes = vec![route];
        assert_eq!(lease.all_routes(), [route]);
    }
}
