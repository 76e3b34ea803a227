//! Requests to drivers of the kernel by generic netlink (Documentation/userspace-api/netlink of the kernel).

use std::io;

use rustix::fd::OwnedFd;
use rustix::net::netlink::{GENERIC, SocketAddrNetlink};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, recv, sendto, socket_with};

const REQUEST: u16 = 1;
const ACKNOWLEDGE: u16 = 4;
/// The type of an acknowledgement, or of an error.
const ERROR: u16 = 2;
const HEADER: usize = 16;
const GENERIC_HEADER: usize = 4;
/// The bit of an attribute that contains others.
pub(super) const NESTED: u16 = 0x8000;

/// The controller, which knows the numbers of all families.
const CONTROLLER: u16 = 16;
const GET_FAMILY: u8 = 3;
const FAMILY_ID: u16 = 1;
const FAMILY_NAME: u16 = 2;

/// A connection to the kernel.
pub(super) struct Netlink(OwnedFd);

impl Netlink {
    pub(super) fn open() -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        Ok(Self(socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(GENERIC))?))
    }

    /// Sends a command to a family and returns the attributes of its reply; none if it only acknowledges.
    pub(super) fn call(&self, family: u16, command: u8, attributes: &[u8]) -> io::Result<Vec<u8>> {
        let length = u32::try_from(HEADER + GENERIC_HEADER + attributes.len()).map_err(io::Error::other)?;
        let mut message = length.to_ne_bytes().to_vec();
        message.extend_from_slice(&family.to_ne_bytes());
        message.extend_from_slice(&(REQUEST | ACKNOWLEDGE).to_ne_bytes());
        message.extend_from_slice(&[0; 8]);
        message.extend_from_slice(&[command, 1, 0, 0]);
        message.extend_from_slice(attributes);
        sendto(&self.0, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
        let mut reply = Vec::new();
        loop {
            let mut buffer = vec![0; 16 << 10];
            let (length, _) = recv(&self.0, &mut buffer[..], RecvFlags::empty())?;
            buffer.truncate(length);
            let mut rest = &buffer[..];
            while let Some((kind, body, after)) = next_message(rest) {
                rest = after;
                if kind == ERROR {
                    let number =
                        body.get(..4).and_then(|bytes| bytes.try_into().ok()).map_or(-1, i32::from_ne_bytes);
                    return match number {
                        0 => Ok(reply),
                        number => Err(io::Error::from_raw_os_error(number.wrapping_neg())),
                    };
                }
                reply = body.get(GENERIC_HEADER..).unwrap_or_default().to_vec();
            }
        }
    }

    /// Returns the number of the family `name`; an error of kind `NotFound` if no driver has it.
    pub(super) fn family(&self, name: &str) -> io::Result<u16> {
        let mut attributes = Vec::new();
        add(&mut attributes, FAMILY_NAME, format!("{name}\0").as_bytes());
        let reply = self.call(CONTROLLER, GET_FAMILY, &attributes)?;
        let id = find(&reply, FAMILY_ID).and_then(|bytes| bytes.try_into().ok()).map(u16::from_ne_bytes);
        id.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

/// Splits type and body of the next message off.
fn next_message(bytes: &[u8]) -> Option<(u16, &[u8], &[u8])> {
    let length = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?) as usize;
    let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
    let body = bytes.get(HEADER..length)?;
    Some((kind, body, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

/// Appends an attribute.
pub(super) fn add(bytes: &mut Vec<u8>, code: u16, value: &[u8]) {
    let length = (value.len() + 4) as u16;
    bytes.extend_from_slice(&length.to_ne_bytes());
    bytes.extend_from_slice(&code.to_ne_bytes());
    bytes.extend_from_slice(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// Returns the value of the attribute `code`.
pub(super) fn find(mut bytes: &[u8], code: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?));
        let found = u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?) & !NESTED;
        let value = bytes.get(4..length)?;
        if found == code {
            return Some(value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_controller_and_no_unknown_family() {
        let netlink = Netlink::open().unwrap();
        assert_eq!(netlink.family("nlctrl").unwrap(), CONTROLLER);
        assert_eq!(netlink.family("kiwi").unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn attributes_are_padded_and_found() {
        let mut bytes = Vec::new();
        add(&mut bytes, 1, b"abc");
        add(&mut bytes, 2 | NESTED, &[9; 5]);
        assert_eq!(bytes.len(), 8 + 12);
        assert_eq!(
            (find(&bytes, 1), find(&bytes, 2), find(&bytes, 3)),
            (Some(&b"abc"[..]), Some(&[9; 5][..]), None)
        );
        assert_eq!(find(&[0, 0, 0, 0], 7), None, "a length of 0 does not loop");
        assert_eq!(find(&[255, 255, 1, 0], 1), None);
    }
}
