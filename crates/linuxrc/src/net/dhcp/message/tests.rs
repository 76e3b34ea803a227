use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn address() -> impl Strategy<Value = Ipv4Addr> {
    any::<u32>().prop_map(Ipv4Addr::from)
}

fn field(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    vec(1..=255_u8, 0..=longest)
}

prop_compose! {
    fn message()(
        is_reply in any::<bool>(), transaction in any::<u32>(), seconds in any::<u16>(), broadcast in any::<bool>(),
        addresses in [address(), address(), address()], mac in any::<[u8; 6]>(), name in field(64), file in field(128),
        options in proptest::collection::btree_map(1..=254_u8, vec(any::<u8>(), 0..600), 0..12),
    ) -> Message {
        let [client, offered, next_server] = addresses;
        let options = options.into_iter().filter(|(code, _)| *code != option::OVERLOAD).collect();
        Message {
            is_reply, transaction, seconds, broadcast, client, offered, next_server, mac, fields: [name, file], options,
        }
    }
}

proptest! {
    #[test]
    fn messages_read_back(message in message()) {
        prop_assert_eq!(Message::parse(&message.encode()), Some(message));
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..700), valid_start in any::<bool>()) {
        let start = if valid_start { offer(&[]) } else { vec![] };
        let _ = Message::parse(&[start, bytes].concat()).map(|message| (message.kind(), message.lease("eth0")));
    }
}

/// Returns an offer with these options, without their end.
fn offer(options: &[u8]) -> Vec<u8> {
    let mut message = Message::request(7, [2, 0, 0, 0, 0, 1], MessageKind::Offer);
    message.is_reply = true;
    message.offered = Ipv4Addr::new(172, 16, 0, 9);
    let mut bytes = message.encode();
    let end = bytes.iter().rposition(|byte| *byte == option::END).unwrap();
    bytes.truncate(end);
    bytes.extend_from_slice(options);
    bytes
}

fn lease(options: &[u8]) -> Option<Lease> {
    Message::parse(&offer(options))?.lease("eth0")
}

const SERVER: [u8; 6] = [54, 4, 172, 16, 0, 1];

#[test]
fn an_offer_is_understood() {
    let options = [
        &SERVER[..],
        &[0, 1, 4, 255, 255, 252, 0, 3, 8, 172, 16, 0, 1, 172, 16, 0, 2, 6, 4, 172, 16, 0, 3],
        &[51, 4, 0, 0, 14, 16, 15, 12],
        b"example.org\0",
        &[66, 10],
        b"172.16.0.5",
        &[67, 10],
        b"pxelinux.0",
        &[12, 2],
        b"pc",
        &[121, 5, 0, 172, 16, 0, 1, 255],
    ]
    .concat();
    let message = Message::parse(&offer(&options)).unwrap();
    assert!(message.names_next_server() && message.kind() == Some(MessageKind::Offer));
    let lease = message.lease("eth0").unwrap();
    assert_eq!((lease.address.to_string().as_str(), lease.prefix), ("172.16.0.9", 22));
    assert_eq!((lease.routers.len(), lease.dns.len(), lease.seconds), (2, 1, Some(3600)));
    assert_eq!((lease.domain.as_deref(), lease.host_name.as_deref()), (Some("example.org"), Some("pc")));
    assert_eq!(
        (lease.server, lease.boot_file.as_deref()),
        (Ipv4Addr::new(172, 16, 0, 5), Some("pxelinux.0"))
    );
    assert_eq!(lease.dhcp_server, Some(Ipv4Addr::new(172, 16, 0, 1)));
    let gateway = Ipv4Addr::new(172, 16, 0, 1);
    assert_eq!(lease.routes, [Route { network: Ipv4Addr::UNSPECIFIED, prefix: 0, gateway }]);
}

#[test]
fn the_next_server_is_the_field_then_the_option_then_the_dhcp_server() {
    let named = [&SERVER[..], &[66, 4], b"boot"].concat();
    let lease = lease(&named).unwrap();
    assert_eq!((lease.server, lease.server_name.as_deref()), (Ipv4Addr::new(172, 16, 0, 1), Some("boot")));
    let mut bytes = offer(&named);
    bytes[20..24].copy_from_slice(&[172, 16, 0, 4]);
    assert_eq!(Message::parse(&bytes).unwrap().lease("eth0").unwrap().server, Ipv4Addr::new(172, 16, 0, 4));
}

#[test]
fn lengths_that_leave_the_message_are_refused() {
    for options in [&[1_u8, 4, 255, 255][..], &[3, 255, 1], &[6]] {
        assert_eq!(Message::parse(&offer(options)), None, "{options:?}");
    }
    for length in 0..240 {
        assert_eq!(Message::parse(&offer(&SERVER)[..length]), None, "{length}");
    }
}

#[test]
fn values_that_no_machine_can_use_are_refused() {
    assert!(lease(&SERVER).is_some());
    for bad in [&[1_u8, 4, 255, 0, 255, 0][..], &[1, 3, 255, 255, 255], &[51, 2, 1, 1]] {
        assert_eq!(lease(&[&SERVER, bad].concat()), None, "{bad:?}");
    }
    for bad in [&[15_u8, 4, b'a', b'\'', b';', b'x'][..], &[15, 3, b'a', b'.', 0x1b], &[15, 2, b'.', b'a']] {
        assert_eq!(lease(&[&SERVER, bad].concat()).unwrap().domain, None, "{bad:?}");
    }
    let no_routes = [&SERVER[..], &[121, 5, 33, 10, 0, 0, 1]].concat();
    assert_eq!(lease(&no_routes).unwrap().routes, []);
}

#[test]
fn options_continue_in_the_fields() {
    let mut bytes = offer(&[&SERVER[..], &[52, 1, 3]].concat());
    bytes[108..115].copy_from_slice(&[15, 2, b'a', b'.', 67, 1, b'f']);
    bytes[44..50].copy_from_slice(&[15, 1, b'b', 255, 9, 9]);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.fields, [vec![], vec![]]);
    let lease = message.lease("eth0").unwrap();
    assert_eq!((lease.domain.as_deref(), lease.boot_file.as_deref()), (Some("a.b"), Some("f")));
    bytes[108..111].copy_from_slice(&[52, 1, 1]);
    assert_eq!(Message::parse(&bytes), None, "a field says again where options continue");
    bytes[108] = 255;
    bytes[44..47].copy_from_slice(&[15, 200, 1]);
    assert_eq!(Message::parse(&bytes), None, "an option leaves its field");
}
