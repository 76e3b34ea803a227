//! No bytes of an HTTP server make reading its answer panic or give more than they are.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use linuxrc::net::http::response::Response;

fuzz_target!(|input: &[u8]| {
    let Ok(mut response) = Response::read(input) else { return };
    assert!((200..600).contains(&response.head.status));
    if let Some((first, Some(size))) = response.head.range {
        assert!(first <= size);
    }
    let (mut body, mut total) = ([0; 700], 0);
    while let Ok(count @ 1..) = response.read(&mut body) {
        total += count;
    }
    assert!(total <= input.len());
    let _ = response.into_connection();
});
