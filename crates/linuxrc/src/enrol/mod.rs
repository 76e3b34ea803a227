//! Brings a client of the network up to the point at which it knows what to boot: a card and an address, a server, and the
//! configuration that the server has for this machine, for which it registers and waits if there is none.

mod configuration;
mod hardware;
mod network;

pub(crate) use configuration::obtain;
pub(crate) use network::Network;
