//! Root file systems that stay on a server.

mod generic_netlink;
pub mod nbd;
pub(crate) mod nfs;
