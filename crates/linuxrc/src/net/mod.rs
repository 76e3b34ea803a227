//! The network of a boot: cards, addresses, names, and files from servers. IPv4 only.
//!
//! | module | purpose |
//! |---|---|
//! | `link` | network cards: choice, VLAN, addresses and routes |
//! | `dhcp` `lease` | the DHCP client, and what it learns |
//! | `resolve` `dns` | addresses of names |
//! | `tftp` `http` | files from a server |
//! | `server` | a server of either protocol, as one type |
//!
//! What arrives from the network is read by functions that take bytes and return a value or refuse them (`dhcp::message`,
//! `dns`, `tftp::packet`, `tftp::receiver`, `http::response`). Every wait and every length has a limit; a limit that is
//! exceeded is a [`NetError`].

pub mod dhcp;
pub mod dns;
mod error;
pub mod http;
mod lease;
pub mod link;
mod random;
pub mod resolve;
mod server;
pub mod tftp;

pub use error::{NetError, NetErrorKind};
pub use lease::{Lease, Route};
pub use link::Link;
pub use server::{Parts, Report, Server, Source, Transport};
