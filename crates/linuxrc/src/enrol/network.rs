//! Card, address and server.

use std::fs;
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use bootconfig::{NetParameters, ServerType};

use crate::boot_failure::BootFailure;
use crate::console::Console;
use crate::machine::Machine;
use crate::modules::Modules;
use crate::net::dhcp::{self, Options};
use crate::net::link::{Link, loopback_up};
use crate::net::resolve::resolve;
use crate::net::tftp::BlockSize;
use crate::net::{Lease, NetError, NetErrorKind, Server, Transport};

/// How long a card and its carrier may take. Switches with a spanning tree take half a minute.
const CARD: Duration = Duration::from_secs(60);
/// How long new drivers may take before the cards are looked at again.
const DRIVERS: Duration = Duration::from_millis(500);
/// How long a DHCP server may take.
const ADDRESS: Duration = Duration::from_secs(60);
/// How long a renewal may take before the next attempt to get the configuration.
const RENEWAL: Duration = Duration::from_secs(5);

/// The network of this boot.
pub(crate) struct Network {
    link: Link,
    pub(crate) lease: Lease,
    /// Whether a DHCP server gave the address.
    is_leased: bool,
    pub(crate) server: Server,
}

fn failure(what: &str, error: &NetError) -> BootFailure {
    BootFailure::reboot(format!("{what}: {error}"))
}

impl Network {
    /// Brings the network up: drivers, card, VLAN, address, server.
    pub(crate) fn start(
        machine: &Machine,
        parameters: &NetParameters,
        modules: &mut Modules,
        console: &Console,
    ) -> Result<Self, BootFailure> {
        for name in parameters.modules.iter().map(String::as_str).chain(["af_packet"]) {
            modules.load(name, console);
        }
        if let Err(error) = loopback_up() {
            console.trace(&error.to_string());
        }
        let card = find_card(machine, parameters, modules, console)?;
        let link = match parameters.vlan {
            None => card,
            Some(number) => {
                modules.load("8021q", console);
                card.vlan(&machine.sys, number).map_err(|error| failure("No network", &error))?
            }
        };
        console.phase("link");
        let (lease, is_leased) = match static_lease(parameters, &link) {
            Some(lease) => (lease, false),
            None => {
                let options = Options { limit: ADDRESS, ..Options::default() };
                let lease = dhcp::acquire(&link, &options).map_err(|error| no_address(&error))?;
                (lease, true)
            }
        };
        let lease = with_name_servers(lease, parameters);
        link.configure(&lease).map_err(|error| failure("No network", &error))?;
        console.trace(&format!("{lease}"));
        save(machine, &lease, console);
        console.phase("address");
        let server = choose_server(parameters, &lease, link.mtu, console);
        console.trace(&format!("the server is {server}"));
        Ok(Self { link, lease, is_leased, server })
    }

    /// Returns the server that an entry of the configuration names; the one of the configuration itself if it names none.
    pub(crate) fn server(&self, name: Option<&str>, block_size: Option<u32>) -> Result<Server, BootFailure> {
        let mut server = self.server;
        if let Some(name) = name {
            let address = self.resolve(name)?;
            if address != server.address {
                server = Server { address, port: None, ..server };
            }
        }
        if let (Transport::Tftp { .. }, Some(bytes)) = (server.transport, block_size) {
            let block_size = BlockSize::Fixed(bytes.try_into().unwrap_or(u16::MAX));
            server.transport = Transport::Tftp { block_size };
        }
        Ok(server)
    }

    /// Returns the largest packet of the card, in bytes.
    pub(crate) fn mtu(&self) -> u16 {
        self.link.mtu
    }

    /// Returns the address of a server.
    pub(crate) fn resolve(&self, name: &str) -> Result<Ipv4Addr, BootFailure> {
        resolve(name, &self.lease).map_err(|error| {
            BootFailure::reboot(format!(
                "The server {name} is unknown: {error}\n\nCorrect the configuration of this client."
            ))
        })
    }

    /// Extends the lease while the machine waits.
    pub(crate) fn renew(&mut self, console: &Console) -> Result<(), BootFailure> {
        if !self.is_leased {
            return Ok(());
        }
        match dhcp::renew(&self.link, &self.lease, RENEWAL) {
            Ok(lease) if lease.address == self.lease.address => Ok(()),
            // Another machine may have the address now.
            Err(error) if error.kind == NetErrorKind::AccessViolation => Err(no_address(&error)),
            Ok(_) => Ok(()),
            Err(error) => {
                console.trace(&error.to_string());
                Ok(())
            }
        }
    }

    /// Gives the address back, for a system on a disk, which gets its own.
    pub(crate) fn release(self, console: &Console) {
        if self.is_leased {
            let released =
                dhcp::release(&self.link, &self.lease).and_then(|()| self.link.remove(&self.lease));
            if let Err(error) = released {
                console.trace(&error.to_string());
            }
        }
    }
}

fn find_card(
    machine: &Machine,
    parameters: &NetParameters,
    modules: &mut Modules,
    console: &Console,
) -> Result<Link, BootFailure> {
    let begin = Instant::now();
    loop {
        while modules.serve_devices(machine, console) {}
        let named = parameters.card.as_ref().map(|name| {
            Link::list(&machine.sys).into_iter().find(|link| link.name == *name).map(|link| link.mac)
        });
        let wanted = match named {
            // A card whose driver is not loaded yet.
            Some(None) => Some([0; 6]),
            Some(found) => found,
            None => parameters.boot_card.map(|mac| mac.0),
        };
        match Link::choose(&machine.sys, wanted, DRIVERS) {
            Ok(link) => return Ok(link),
            Err(error) if begin.elapsed() > CARD => {
                let card = parameters.card.as_ref().map(|name| format!("The command line names {name}. "));
                return Err(BootFailure::reboot(format!(
                    "No network card can be used. {}{error}\n\nCheck the cable and the switch.\n{}",
                    card.unwrap_or_default(),
                    modules.report()
                )));
            }
            Err(_) => {}
        }
    }
}

fn no_address(error: &NetError) -> BootFailure {
    BootFailure::reboot(format!(
        "This machine has no address: {error}\n\n\
         Check that a DHCP server answers in this network, or give the address on the kernel command line:\n\
         ip=<client>:<server>:<gateway>:<netmask>::<card>:none"
    ))
}

fn static_lease(parameters: &NetParameters, link: &Link) -> Option<Lease> {
    let address = parameters.address.as_ref()?;
    Some(Lease {
        interface: link.name.clone(),
        mac: link.mac,
        address: address.address,
        prefix: address.prefix,
        routers: address.gateway.into_iter().collect(),
        routes: Vec::new(),
        dns: Vec::new(),
        domain: None,
        host_name: address.host_name.clone(),
        server: address.server.or(address.gateway).unwrap_or(Ipv4Addr::UNSPECIFIED),
        server_name: None,
        boot_file: None,
        dhcp_server: None,
        seconds: None,
    })
}

fn with_name_servers(lease: Lease, parameters: &NetParameters) -> Lease {
    let dns = parameters.name_servers.iter().copied().chain(lease.dns.iter().copied()).collect();
    Lease { dns, ..lease }
}

/// Writes the lease information and resolv.conf below /run/kiwi, where the system finds them.
fn save(machine: &Machine, lease: &Lease, console: &Console) {
    let directory = machine.root.join("run/kiwi");
    let written = fs::create_dir_all(&directory)
        .and_then(|()| {
            fs::write(directory.join(format!("dhcpcd-{}.info", lease.interface)), lease.to_string())
        })
        .and_then(|()| fs::write(directory.join("resolv.conf"), lease.resolv_conf()));
    if let Err(error) = written {
        console.trace(&format!("writing {}: {error}", directory.display()));
    }
}

/// Returns the server with the configuration: that of the command line, the host `tftp` of the domain, or the server that DHCP
/// names.
fn choose_server(parameters: &NetParameters, lease: &Lease, mtu: u16, console: &Console) -> Server {
    let transport = match parameters.server_type {
        Some(ServerType::Http) => Transport::Http,
        Some(ServerType::Tftp) | None => Transport::Tftp { block_size: BlockSize::Mtu(mtu) },
    };
    let address = match &parameters.server {
        Some(name) => resolve(name, lease).map_err(|error| {
            console.warn(&format!("{error}; the server of the DHCP answer is used: {}", lease.server));
        }),
        None => match &lease.domain {
            Some(domain) => {
                resolve(&format!("tftp.{domain}."), lease).map_err(|error| console.trace(&error.to_string()))
            }
            None => Err(()),
        },
    };
    Server { port: parameters.port, ..Server::new(address.unwrap_or(lease.server), transport) }
}
