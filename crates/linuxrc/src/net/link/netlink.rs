//! Requests to the kernel about cards, addresses and routes: rtnetlink(7).

use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

/// What a request does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Action {
    /// Creates or changes a card.
    NewLink = 16,
    /// Adds an address.
    NewAddress = 20,
    /// Removes an address.
    RemoveAddress = 21,
    /// Adds a route.
    NewRoute = 24,
    /// Removes a route.
    RemoveRoute = 25,
}

/// Whether something is created by a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Mode {
    /// It changes or removes what exists.
    Change = 0,
    /// It creates something new.
    Create = 0x600,
    /// It creates something, or replaces it.
    Replace = 0x500,
}

const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
/// The type of the kernel's answer.
const ERROR: u16 = 2;
const HEADER: usize = 16;

/// A request in the making.
pub(super) struct Request(Vec<u8>);

impl Request {
    /// Begins a request with the structure that belongs to the action.
    pub(super) fn new(action: Action, mode: Mode, structure: &[u8]) -> Self {
        let mut bytes = vec![0; HEADER];
        bytes[4..6].copy_from_slice(&(action as u16).to_ne_bytes());
        bytes[6..8].copy_from_slice(&(REQUEST | ACKNOWLEDGE | mode as u16).to_ne_bytes());
        bytes.extend_from_slice(structure);
        Self(bytes)
    }

    /// Adds an attribute.
    pub(super) fn attribute(mut self, code: u16, value: &[u8]) -> Self {
        add_attribute(&mut self.0, code, value);
        self
    }

    /// Sends the request and returns the kernel's verdict.
    pub(super) fn send(mut self) -> io::Result<()> {
        let length = u32::try_from(self.0.len()).map_err(io::Error::other)?;
        self.0[..4].copy_from_slice(&length.to_ne_bytes());
        let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
        sendto(&socket, &self.0, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        let mut answer = [0; 4096];
        let (length, _) = recv(&socket, &mut answer, RecvFlags::empty())?;
        verdict(&answer[..length.min(answer.len())])
    }
}

/// Appends an attribute, or one within another: length, code, value, and zeros up to a multiple of four.
pub(super) fn add_attribute(bytes: &mut Vec<u8>, code: u16, value: &[u8]) {
    let length = (value.len() + 4) as u16;
    bytes.extend_from_slice(&length.to_ne_bytes());
    bytes.extend_from_slice(&code.to_ne_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// Reads the kernel's answer: a header and a negative error number, or 0.
fn verdict(answer: &[u8]) -> io::Result<()> {
    let strange = || io::Error::new(io::ErrorKind::InvalidData, "unexpected answer of rtnetlink");
    let kind = answer.get(4..6).ok_or_else(strange)?;
    let number = answer.get(HEADER..HEADER + 4).ok_or_else(strange)?;
    if kind != ERROR.to_ne_bytes() {
        return Err(strange());
    }
    match i32::from_ne_bytes([number[0], number[1], number[2], number[3]]) {
        0 => Ok(()),
        number => Err(io::Error::from_raw_os_error(number.wrapping_neg())),
    }
}
