//! Root file systems that stay on a server: `NFSROOT` and `NBDROOT`.

use std::fmt;

use super::field::{self, is_server};

/// A directory of an NFS server: `server;path` or `server:path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NfsRoot {
    /// The name or address of the server.
    pub server: String,
    /// The absolute path of the directory.
    pub path: String,
}

impl NfsRoot {
    pub(super) fn parse(text: &str) -> Option<Self> {
        // An address of IPv6 has colons of its own.
        let (server, path) = text.split_once(';').or_else(|| {
            let at = text.find(":/")?;
            Some((&text[..at], &text[at + 1..]))
        })?;
        let (server, path) = (server.trim(), path.trim());
        let valid = is_server(server) && path.starts_with('/') && crate::plain_text::stays_below(path);
        valid.then(|| Self { server: server.to_owned(), path: path.to_owned() })
    }
}

impl fmt::Display for NfsRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.server, self.path)
    }
}

/// A network block device: `server;port[/export][;device[;swapport[/export];swapdevice]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NbdRoot {
    /// The name or address of the server.
    pub server: String,
    /// The TCP port.
    pub port: u16,
    /// The name of the export; empty: the default export of the server.
    pub export: String,
    /// The device of the client, without `/dev/`.
    pub device: Option<String>,
    /// A second device, for swap space.
    pub swap: Option<NbdSwap>,
}

/// Swap space on a network block device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NbdSwap {
    /// The TCP port.
    pub port: u16,
    /// The name of the export; empty: the default export of the server.
    pub export: String,
    /// The device of the client, without `/dev/`.
    pub device: Option<String>,
}

impl NbdRoot {
    /// The port of the protocol.
    pub const PORT: u16 = 10809;

    pub(super) fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split(';').map(str::trim).collect();
        let (server, port, rest) = match fields[..] {
            [server, port, ref rest @ ..] if rest.len() <= 3 => (server, port, rest),
            [server] => (server, "", &[][..]),
            _ => return None,
        };
        let (port, export) = exported(port, Self::PORT)?;
        let device = rest.first().map_or(Some(None), |device| device_of(device))?;
        let swap = match rest {
            [_, port, ..] if !port.is_empty() => {
                let (port, export) = exported(port, Self::PORT)?;
                let device = rest.get(2).map_or(Some(None), |device| device_of(device))?;
                Some(NbdSwap { port, export, device })
            }
            [_, _, device] if !device.is_empty() => return None,
            _ => None,
        };
        is_server(server).then(|| Self { server: server.to_owned(), port, export, device, swap })
    }
}

/// Splits `port/export`; a name alone is an export on the usual port.
fn exported(text: &str, usual: u16) -> Option<(u16, String)> {
    let (port, export) = match text.split_once('/') {
        Some((port, export)) => (port, export),
        None if text.is_empty() || text.bytes().all(|digit| digit.is_ascii_digit()) => (text, ""),
        None => ("", text),
    };
    let port = match port {
        "" => usual,
        port => port.parse().ok().filter(|port| *port != 0)?,
    };
    let valid = export.bytes().all(|c| c.is_ascii_graphic() && !b"'\"\\".contains(&c));
    valid.then(|| (port, export.to_owned()))
}

/// Returns the device without `/dev/`; an empty text is none.
fn device_of(text: &str) -> Option<Option<String>> {
    match text {
        "" => Some(None),
        device => field::device(device).map(Some),
    }
}

impl fmt::Display for NbdRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{};{}", self.server, port_and_export(self.port, &self.export))?;
        if self.device.is_none() && self.swap.is_none() {
            return Ok(());
        }
        write!(f, ";{}", path_of(self.device.as_deref()))?;
        match &self.swap {
            Some(swap) => {
                write!(f, ";{};{}", port_and_export(swap.port, &swap.export), path_of(swap.device.as_deref()))
            }
            None => Ok(()),
        }
    }
}

fn port_and_export(port: u16, export: &str) -> String {
    match export {
        "" => port.to_string(),
        export => format!("{port}/{export}"),
    }
}

fn path_of(device: Option<&str>) -> String {
    device.map_or(String::new(), |device| format!("/dev/{device}"))
}
