//! The client's end of one transfer: a socket, the server's address, and the packet that is repeated.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::time::Duration;

use crate::net::error::{NetError, NetErrorKind};
use crate::net::tftp::packet::{Packet, code};
use crate::net::tftp::timer::Timer;

/// Bytes of packets that the kernel keeps while the client is busy.
const KERNEL_BUFFER: usize = 1 << 20;

pub(super) struct Socket {
    socket: UdpSocket,
    server: SocketAddrV4,
    /// The server has answered from its port for this transfer.
    connected: bool,
    pub(super) timer: Timer,
    last: Vec<u8>,
    wait: Duration,
    /// What the transfer is, for messages.
    what: String,
}

impl Socket {
    /// Sends the first packet of a transfer.
    pub(super) fn start(
        server: SocketAddrV4,
        request: Vec<u8>,
        what: String,
        patience: Duration,
    ) -> Result<Self, NetError> {
        let failed = |error: &io::Error| NetError::of_call(&what, error);
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).map_err(|error| failed(&error))?;
        // Without the privilege the kernel's own limit remains.
        let _ = rustix::net::sockopt::set_socket_recv_buffer_size_force(&socket, KERNEL_BUFFER);
        let mut own = Self {
            socket,
            server,
            connected: false,
            timer: Timer::new(patience),
            last: vec![],
            wait: Duration::ZERO,
            what,
        };
        own.send(request)?;
        Ok(own)
    }

    /// Sends a packet, which is repeated until something else is sent.
    pub(super) fn send(&mut self, packet: Vec<u8>) -> Result<(), NetError> {
        self.last = packet;
        self.timer.sent();
        self.transmit()
    }

    /// Sends the last packet again.
    pub(super) fn repeat(&mut self) -> Result<(), NetError> {
        self.timer.sent_again();
        self.transmit()
    }

    fn transmit(&self) -> Result<(), NetError> {
        let sent = if self.connected {
            self.socket.send(&self.last)
        } else {
            self.socket.send_to(&self.last, self.server)
        };
        match sent {
            Ok(_) => Ok(()),
            // Packets may be lost; this one was.
            Err(error) if matches!(error.kind(), ErrorKind::NetworkDown | ErrorKind::Interrupted) => Ok(()),
            Err(error) => Err(self.error(&error)),
        }
    }

    /// Ends the transfer; whether the server learns of it does not matter.
    pub(super) fn abort(&self, text: &str) {
        if self.connected {
            let _ =
                self.socket.send(&Packet::Error { code: code::UNDEFINED, text: text.to_owned() }.encode());
        }
    }

    /// Waits for the next packet of the server and returns its length. Sends the last packet again if none comes.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, NetError> {
        loop {
            if self.timer.is_over() {
                return Err(NetError::new(
                    NetErrorKind::Timeout,
                    format!("{}: the server does not answer", self.what),
                ));
            }
            if self.wait != self.timer.wait() {
                self.wait = self.timer.wait();
                self.socket.set_read_timeout(Some(self.wait)).map_err(|error| self.error(&error))?;
            }
            let arrived = if self.connected {
                self.socket.recv(buffer)
            } else {
                self.socket.recv_from(buffer).and_then(|(length, from)| self.connect(from).map(|()| length))
            };
            match arrived {
                // From another machine.
                Ok(_) if !self.connected => {}
                Ok(length) => return Ok(length),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
                    self.repeat()?;
                }
                Err(error) => return Err(self.error(&error)),
            }
        }
    }

    /// Keeps to the port from which the server answers first. What comes from elsewhere later, the kernel rejects.
    fn connect(&mut self, from: SocketAddr) -> io::Result<()> {
        if from.ip() == IpAddr::V4(*self.server.ip()) {
            self.socket.connect(from)?;
            self.connected = true;
        }
        Ok(())
    }

    fn error(&self, error: &io::Error) -> NetError {
        NetError::of_call(&self.what, error)
    }

    /// Returns the error for an answer that breaks the protocol, and ends the transfer.
    pub(super) fn protocol(&self, problem: &str) -> NetError {
        self.abort(problem);
        NetError::new(NetErrorKind::Protocol, format!("{}: {problem}", self.what))
    }

    /// Returns the error that a server's error packet reports.
    pub(super) fn reported(&self, code: u16, text: &str) -> NetError {
        let kind = match code {
            code::NOT_FOUND => NetErrorKind::NotFound,
            code::ACCESS_VIOLATION | code::EXISTS => NetErrorKind::AccessViolation,
            _ => NetErrorKind::ServerFailure,
        };
        NetError::new(kind, format!("{}: the server reports error {code} ({text})", self.what))
    }
}
