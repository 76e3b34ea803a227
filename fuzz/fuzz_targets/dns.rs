//! No bytes make reading a DNS answer panic or follow names for ever.
//!
//! The first byte of an input chooses whether the rest is a whole message or what follows the question.
#![no_main]

use libfuzzer_sys::fuzz_target;
use linuxrc::net::dns::{parse, query};

fuzz_target!(|input: &[u8]| {
    let [choice, rest @ ..] = input else { return };
    if choice & 1 == 0 {
        let _ = parse(rest, 9, "tftp.example");
        return;
    }
    let [count, records @ ..] = rest else { return };
    let mut message = query(9, "tftp.example");
    message[2] |= 0x80;
    message[7] = *count;
    message.extend_from_slice(records);
    let _ = parse(&message, 9, "tftp.example");
});
