//! NFS: the kernel mounts it without a program.
//!
//! Version 4 comes first, version 3 next: a server of one of them is enough. Locks of version 3 stay on the client, as in
//! KIWI 1.x, because they need programs of the system.

use std::ffi::CString;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4, TcpStream};
use std::path::Path;
use std::time::Duration;

use rustix::mount::{MountFlags, mount};

/// The port of version 4.
const PORT: u16 = 2049;
/// How long the server may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(20);
/// The options of each attempt, in their order.
const VERSIONS: [&str; 4] = ["vers=4.2", "vers=4.1", "vers=4.0", "vers=3,nolock"];

/// Mounts the directory `path` of the server at `location`.
pub(crate) fn mount_root(
    server: Ipv4Addr,
    path: &str,
    client: Ipv4Addr,
    location: &Path,
    report: impl Fn(&str),
) -> io::Result<()> {
    // The kernel would wait for a silent server for minutes, without a message.
    TcpStream::connect_timeout(&SocketAddrV4::new(server, PORT).into(), PATIENCE).map_err(|error| {
        io::Error::new(error.kind(), format!("the NFS server {server} does not accept connections: {error}"))
    })?;
    let source = format!("{server}:{path}");
    let mut failures = Vec::new();
    for version in VERSIONS {
        let callback =
            if version.starts_with("vers=4") { format!(",clientaddr={client}") } else { String::new() };
        let options = format!("{version},proto=tcp,hard,addr={server}{callback}");
        let options = CString::new(options).map_err(io::Error::other)?;
        match mount(&source, location, "nfs", MountFlags::empty(), options.as_c_str()) {
            Ok(()) => {
                report(&format!("{source} is mounted with {version}"));
                return Ok(());
            }
            Err(error) => failures.push(format!("{version}: {}", io::Error::from(error))),
        }
    }
    Err(io::Error::other(failures.join("; ")))
}
