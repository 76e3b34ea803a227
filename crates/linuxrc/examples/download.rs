//! Downloads a file with linuxrc's clients and prints how many seconds that took: for `benches/network`.
//!
//! ```text
//! download ADDRESS PATH http | mtu | BLOCK-SIZE
//! ```

use std::io::Read;
use std::time::Instant;

use linuxrc::net::tftp::BlockSize;
use linuxrc::net::{Server, Transport};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, path, how] = arguments.as_slice() else {
        eprintln!("usage: download ADDRESS PATH http | mtu | BLOCK-SIZE");
        std::process::exit(2);
    };
    let transport = match how.as_str() {
        "http" => Transport::Http,
        "mtu" => Transport::Tftp { block_size: BlockSize::Mtu(1500) },
        size => Transport::Tftp { block_size: BlockSize::Fixed(size.parse().expect("a block size")) },
    };
    let server = Server::new(address.parse().expect("an IPv4 address"), transport);
    let start = Instant::now();
    let mut source = server.open(path, 0).unwrap_or_else(|error| panic!("{error}"));
    let (mut buffer, mut total) = (vec![0; 1 << 20], 0);
    loop {
        match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => total += count,
            Err(error) => panic!("{error}"),
        }
    }
    println!("{} {total}", start.elapsed().as_secs_f64());
}
