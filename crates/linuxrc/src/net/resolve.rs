//! The address of a name, from the name servers of a lease.

use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use crate::net::dns::{self, Answer};
use crate::net::error::{NetError, NetErrorKind};
use crate::net::lease::Lease;
use crate::net::random::random;

/// The port of name servers.
const PORT: u16 = 53;
/// How often each server is asked, and how long an answer may take.
const ROUNDS: u32 = 3;
const WAIT: Duration = Duration::from_secs(2);
/// The longest answer without extensions.
const LONGEST_ANSWER: usize = 512;

/// Returns the address of `name`, which may be an address itself. A name without a dot is searched in the lease's domain first,
/// one with a dot there last, and one that ends with a dot not at all.
pub fn resolve(name: &str, lease: &Lease) -> Result<Ipv4Addr, NetError> {
    let servers: Vec<SocketAddrV4> =
        lease.dns.iter().map(|address| SocketAddrV4::new(*address, PORT)).collect();
    resolve_with(name, lease.domain.as_deref(), &servers)
}

/// Does the same with these name servers.
pub fn resolve_with(
    name: &str,
    domain: Option<&str>,
    servers: &[SocketAddrV4],
) -> Result<Ipv4Addr, NetError> {
    if let Ok(address) = name.parse() {
        return Ok(address);
    }
    if !dns::is_name(name) {
        return Err(NetError::new(
            NetErrorKind::InvalidName,
            format!("\"{name}\" is not the name of a host"),
        ));
    }
    if servers.is_empty() {
        let text = format!("The name {name} cannot be resolved: the DHCP server names no name server");
        return Err(NetError::new(NetErrorKind::NotFound, text));
    }
    for candidate in candidates(name, domain) {
        if let Some(address) = ask(&candidate, servers)? {
            return Ok(address);
        }
    }
    Err(NetError::new(NetErrorKind::NotFound, format!("No name server knows {name}")))
}

fn candidates(name: &str, domain: Option<&str>) -> Vec<String> {
    let searched = domain.filter(|_| !name.ends_with('.')).map(|domain| format!("{name}.{domain}"));
    let mut all: Vec<String> = searched.into_iter().filter(|name| dns::is_name(name)).collect();
    all.insert(if name.contains('.') { 0 } else { all.len() }, name.to_owned());
    all
}

/// Returns the address of exactly this name; none: it has none.
fn ask(name: &str, servers: &[SocketAddrV4]) -> Result<Option<Ipv4Addr>, NetError> {
    let what = format!("Resolving {name}");
    let mut failed = None;
    for _ in 0..ROUNDS {
        for server in servers {
            match ask_once(name, *server) {
                Ok(Answer::Address(address)) => return Ok(Some(address)),
                Ok(Answer::Unknown) => return Ok(None),
                Ok(Answer::Failure) => {
                    let text = format!("{what}: the name server {} reports a failure", server.ip());
                    failed = Some(NetError::new(NetErrorKind::ServerFailure, text));
                }
                Err(error) => {
                    failed = Some(NetError::of_call(
                        &format!("{what} with the name server {}", server.ip()),
                        &error,
                    ));
                }
            }
        }
    }
    Err(failed.unwrap_or_else(|| NetError::new(NetErrorKind::NotFound, what)))
}

fn ask_once(name: &str, server: SocketAddrV4) -> std::io::Result<Answer> {
    // The kernel chooses the port, which is as hard to guess as the identifier.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect(server)?;
    let identifier = random()? as u16;
    socket.send(&dns::query(identifier, name))?;
    let end = Instant::now() + WAIT;
    let mut buffer = [0; LONGEST_ANSWER];
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(std::io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let length = socket.recv(&mut buffer)?;
        if let Some(answer) = dns::parse(&buffer[..length], identifier, name) {
            return Ok(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_searched_in_the_domain_first() {
        let all = |name, domain| candidates(name, domain).join(" ");
        assert_eq!(all("tftp", Some("a.b")), "tftp.a.b tftp");
        assert_eq!(all("tftp.x", Some("a.b")), "tftp.x tftp.x.a.b");
        assert_eq!(all("tftp.x.", Some("a.b")), "tftp.x.");
        assert_eq!(all("tftp", None), "tftp");
    }

    #[test]
    fn addresses_need_no_server() {
        assert_eq!(resolve_with("10.0.0.7", None, &[]), Ok(Ipv4Addr::new(10, 0, 0, 7)));
        let kind = |name| resolve_with(name, None, &[]).unwrap_err().kind;
        assert_eq!((kind("a..b"), kind("tftp")), (NetErrorKind::InvalidName, NetErrorKind::NotFound));
    }
}
