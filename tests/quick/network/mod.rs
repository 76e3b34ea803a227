//! The clients of linuxrc against real servers, in network namespaces: dnsmasq, tftpd-hpa, atftpd, nginx. No network of the
//! host is used or changed.

mod addresses;
mod faults;
mod files;
mod hostile;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use kiwi_tests::network::{Network, alone};
use linuxrc::net::dhcp::{Options, acquire};
use linuxrc::net::tftp::BlockSize;
use linuxrc::net::{Lease, Link, NetErrorKind, Server, Source, Transport};
use test_programs::have;

const SYS: &str = "/sys";
const MAC: &str = "52:54:00:77:00:01";
const MAC_BYTES: [u8; 6] = [0x52, 0x54, 0, 0x77, 0, 1];

/// A network that this test is alone in, with a directory for files; none: the test is skipped or ran elsewhere.
struct Scene {
    network: Network,
    directory: tempfile::TempDir,
}

impl Scene {
    /// `programs` are those that the test needs besides the usual ones.
    fn new(programs: &[&str]) -> Option<Self> {
        let all = [&["unshare", "setpriv", "nsenter", "ip", "mount"], programs].concat();
        if !have(&all) || !alone() {
            return None;
        }
        let directory = tempfile::tempdir().unwrap();
        let network = Network::new(&directory.path().join("servers"));
        network.connect("eth0", MAC);
        std::fs::create_dir_all(directory.path().join("tree/upload")).unwrap();
        Some(Self { network, directory })
    }

    fn tree(&self) -> PathBuf {
        self.directory.path().join("tree")
    }

    /// Brings the card up with an address, without a DHCP server.
    fn with_address(self) -> Self {
        let link = Link::choose(Path::new(SYS), None, SECONDS_10).unwrap();
        link.configure(&lease(&link)).unwrap();
        self
    }
}

const SECONDS_10: Duration = Duration::from_secs(10);

fn lease(link: &Link) -> Lease {
    let server = kiwi_tests::network::SERVER.parse().unwrap();
    Lease {
        interface: link.name.clone(),
        mac: link.mac,
        address: "10.77.0.50".parse().unwrap(),
        prefix: 24,
        routers: vec![],
        routes: vec![],
        dns: vec![server],
        domain: None,
        host_name: None,
        server,
        server_name: None,
        boot_file: None,
        dhcp_server: None,
        seconds: None,
    }
}

fn tftp(block_size: BlockSize) -> Server {
    Server::new(kiwi_tests::network::SERVER.parse().unwrap(), Transport::Tftp { block_size })
}

fn http() -> Server {
    Server::new(kiwi_tests::network::SERVER.parse().unwrap(), Transport::Http)
}

/// Reads the rest of a file.
fn rest(mut source: Source) -> Vec<u8> {
    let mut bytes = Vec::new();
    source.read_to_end(&mut bytes).unwrap();
    bytes
}

fn wait_for(condition: impl Fn() -> bool, what: &str) {
    for _ in 0..600 {
        if condition() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{what} did not come");
}
