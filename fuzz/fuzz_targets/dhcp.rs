//! No bytes make reading a DHCP message panic, what is read is written so that it reads back, and no value of a lease can end
//! the quotes of the lease information file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linuxrc::net::dhcp::message::Message;

fuzz_target!(|input: &[u8]| {
    let Some(message) = Message::parse(input) else { return };
    assert_eq!(Message::parse(&message.encode()).as_ref(), Some(&message));
    let _ = (message.kind(), message.server_identifier(), message.names_next_server());
    let Some(lease) = message.lease("eth0") else { return };
    assert!(lease.prefix <= 32 && lease.all_routes().iter().all(|route| route.prefix <= 32));
    for line in lease.to_string().lines() {
        let value = line.split_once("='").and_then(|(_, value)| value.strip_suffix('\''));
        assert!(value.is_some_and(|value| !value.contains('\'')), "{line}");
    }
    for text in [lease.server_name, lease.boot_file, lease.domain, lease.host_name].into_iter().flatten() {
        assert!(!text.chars().any(char::is_control));
    }
});
