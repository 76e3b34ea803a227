//! Where a client looks for its configuration.

use std::net::Ipv4Addr;

use super::mac_address::MacAddress;

/// The directory of the configurations on the server.
pub const LOOKUP_DIRECTORY: &str = "KIWI";

/// The directory on the server to which clients write.
pub const UPLOAD_DIRECTORY: &str = "upload";

/// Returns the paths on the server at which a client looks for its configuration, in this order: by its MAC address, by
/// its IPv4 address in hexadecimal digits, of which each next name has one less, and the default.
pub fn config_names(mac: MacAddress, address: Ipv4Addr) -> impl Iterator<Item = String> {
    let digits = format!("{:08X}", u32::from(address));
    let by_address = (1..=digits.len()).rev().map(move |count| digits[..count].to_owned());
    std::iter::once(mac.to_string())
        .chain(by_address)
        .chain(std::iter::once("default".to_owned()))
        .map(|name| format!("{LOOKUP_DIRECTORY}/config.{name}"))
}
