//! Cards, addresses, routes and names.

use std::net::Ipv4Addr;
use std::process::Command;
use std::time::Duration;

use linuxrc::net::dhcp::{release, renew};
use linuxrc::net::resolve::resolve;

use super::*;

fn ip(line: &str) -> String {
    let output = Command::new("ip").args(line.split(' ')).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn choose(wanted: Option<[u8; 6]>) -> Link {
    Link::choose(Path::new(SYS), wanted, SECONDS_10).unwrap()
}

#[test]
fn a_card_gets_address_routes_and_names() {
    let Some(scene) = Scene::new(&["dnsmasq"]) else { return };
    let dhcp = scene.network.dhcp(&[
        "--dhcp-boot=pxelinux.0",
        // Options of PXE, and one that is not divided as they are.
        "--dhcp-option-force=43,06:01:08:09:ff",
        "--dhcp-option=121,0.0.0.0/0,10.77.0.1,10.78.0.0/16,10.77.0.9",
        "--cname=alias.test.example,tftp.test.example",
        "--dhcp-host=52:54:00:77:00:01,10.77.0.123,client",
    ]);
    let link = choose(Some(MAC_BYTES));
    let lease = acquire(&link, &Options::default()).unwrap();
    assert_eq!((lease.address, lease.prefix, lease.mac), (Ipv4Addr::new(10, 77, 0, 123), 24, MAC_BYTES));
    assert_eq!(
        (lease.server, lease.dhcp_server),
        (Ipv4Addr::new(10, 77, 0, 1), Some(Ipv4Addr::new(10, 77, 0, 1)))
    );
    assert_eq!((lease.boot_file.as_deref(), lease.seconds), (Some("pxelinux.0"), Some(3600)));
    assert_eq!((lease.domain.as_deref(), lease.host_name.as_deref()), (Some("test.example"), Some("client")));
    link.configure(&lease).unwrap();
    link.configure(&lease).unwrap();
    let addresses = ip("-o -4 address show dev eth0");
    assert!(addresses.contains("inet 10.77.0.123/24 brd 10.77.0.255 scope global"), "{addresses}");
    let routes = ip("route");
    for route in
        ["default via 10.77.0.1 dev eth0 proto dhcp", "10.78.0.0/16 via 10.77.0.9 dev eth0 proto dhcp"]
    {
        assert!(routes.contains(route), "{routes}");
    }
    for name in ["tftp", "tftp.test.example", "alias", "alias.test.example."] {
        assert_eq!(resolve(name, &lease), Ok(Ipv4Addr::new(10, 77, 0, 1)), "{name}");
    }
    assert_eq!(resolve("absent.test.example", &lease).unwrap_err().kind, NetErrorKind::NotFound);
    let renewed = renew(&link, &lease, SECONDS_10).unwrap();
    assert_eq!((renewed.address, renewed.server), (lease.address, lease.server));
    release(&link, &lease).unwrap();
    link.remove(&lease).unwrap();
    assert_eq!((ip("-o -4 address show dev eth0"), ip("route")), (String::new(), String::new()));
    wait_for(|| dhcp.log().contains("DHCPRELEASE(lan) 10.77.0.123"), "a release");
}

#[test]
fn the_server_with_a_next_server_counts() {
    let Some(scene) = Scene::new(&["dnsmasq"]) else { return };
    // A second server in a network of its own, whose bridge is part of the first one's.
    let other = Network::new(&scene.directory.path().join("other"));
    let line = format!("ip link add to-other type veth peer name uplink netns {}", other.process());
    scene.network.run(&line);
    scene.network.run("ip link set to-other master lan up");
    other.run("ip link set uplink master lan up");
    other.run("ip address change 10.77.0.2/24 dev lan");
    other.run("ip address delete 10.77.0.1/24 dev lan");
    let _without = other.dhcp(&[]);
    let _with = scene.network.dhcp(&["--dhcp-boot=boot/file,,10.77.0.7", "--dhcp-reply-delay=1"]);
    let lease = acquire(&choose(None), &Options::default()).unwrap();
    assert_eq!(
        (lease.server, lease.dhcp_server),
        (Ipv4Addr::new(10, 77, 0, 7), Some(Ipv4Addr::new(10, 77, 0, 1)))
    );
}

#[test]
fn an_address_that_the_server_refuses_is_not_renewed() {
    let Some(scene) = Scene::new(&["dnsmasq"]) else { return };
    let dhcp = scene.network.dhcp(&[]);
    let link = choose(None);
    let lease = acquire(&link, &Options::default()).unwrap();
    link.configure(&lease).unwrap();
    dhcp.stop();
    let taken = format!("--dhcp-host=52:54:00:77:00:99,{}", lease.address);
    let _dhcp = scene.network.dhcp(&[&taken]);
    assert_eq!(renew(&link, &lease, SECONDS_10).unwrap_err().kind, NetErrorKind::AccessViolation);
    link.remove(&lease).unwrap();
    let other = acquire(&link, &Options { previous: Some(lease.address), ..Options::default() }).unwrap();
    assert_ne!(other.address, lease.address);
}

#[test]
fn an_address_that_another_machine_has_is_declined() {
    let Some(scene) = Scene::new(&["dnsmasq"]) else { return };
    // The network has the address by itself: dnsmasq does not look for it (`--no-ping`).
    scene.network.run("ip address add 10.77.0.100/32 dev lan");
    let dhcp = scene.network.dhcp(&["--dhcp-host=52:54:00:77:00:01,10.77.0.100"]);
    let link = choose(None);
    let lease = acquire(&link, &Options::default()).unwrap();
    assert_ne!(lease.address, Ipv4Addr::new(10, 77, 0, 100));
    wait_for(|| dhcp.log().contains("DHCPDECLINE(lan) 10.77.0.100"), "a refusal by the client");
    assert_eq!(ip("route"), "", "the question leaves no route");
    let taken = acquire(&link, &Options { limit: Duration::ZERO, previous: None }).unwrap_err();
    assert_eq!(taken.kind, NetErrorKind::Timeout);
}

#[test]
fn silence_ends_in_a_typed_error() {
    let Some(scene) = Scene::new(&["dnsmasq"]) else { return };
    let link = choose(None);
    let options = Options { limit: Duration::from_secs(2), previous: None };
    let silence = acquire(&link, &options).unwrap_err();
    assert_eq!(silence.kind, NetErrorKind::Timeout);
    assert!(silence.text.contains("eth0 (52:54:00:77:00:01)"), "{silence}");
    scene.network.run("ip link set to-eth0 down");
    let dark = Link::choose(Path::new(SYS), Some(MAC_BYTES), Duration::from_millis(100)).unwrap_err();
    assert_eq!(dark.kind, NetErrorKind::NoCard);
    assert!(dark.text.contains("has no carrier"), "{dark}");
    let absent = Link::choose(Path::new(SYS), Some([2; 6]), Duration::from_millis(100)).unwrap_err();
    assert!(absent.text.contains("02:02:02:02:02:02 that PXE used is missing"), "{absent}");
}

#[test]
fn the_card_with_a_carrier_is_chosen() {
    let Some(scene) = Scene::new(&[]) else { return };
    scene.network.connect("eth1", "52:54:00:77:00:02");
    scene.network.run("ip link set to-eth0 down");
    assert_eq!(choose(None).name, "eth1");
    scene.network.run("ip link set to-eth0 up");
    assert_eq!(choose(Some(MAC_BYTES)).name, "eth0");
}
