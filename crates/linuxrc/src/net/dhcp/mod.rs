//! The DHCP client: gets an address for a card, keeps it, gives it back.
//!
//! It uses an ordinary socket, bound to the card, and asks for broadcast replies, because the card has no address yet. It sends
//! no client identifier: a server then knows the machine by its hardware address and grants the address that the card's boot
//! ROM had.

pub mod message;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddrV4, UdpSocket};
use std::time::{Duration, Instant};

use crate::net::error::{NetError, NetErrorKind};
use crate::net::lease::{Lease, mac_text};
use crate::net::link::Link;
use crate::net::random::random;
use crate::sys;
use message::{Message, MessageKind, option};

const SERVER_PORT: u16 = 67;
const CLIENT_PORT: u16 = 68;
/// What is read of a message at most, and what servers are told.
const LARGEST: u16 = 1500;
/// The wait for the first answer; each following one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(16);
/// How long an offer without a next server waits for a better one.
const BETTER_OFFER: Duration = Duration::from_millis(1000);
/// How often an offered address is requested before the search begins again.
const REQUESTS: u32 = 4;
/// The pause after a server refused what it had offered.
const AFTER_REFUSAL: Duration = Duration::from_secs(1);
/// The pause after an address turned out to be in use (RFC 2131, 3.1).
const AFTER_CONFLICT: Duration = Duration::from_secs(10);
/// How long another machine with the address has to answer.
const CONFLICT: Duration = Duration::from_millis(300);

const WANTED: [u8; 9] = [
    option::SUBNET_MASK,
    option::CLASSLESS_ROUTES,
    option::ROUTERS,
    option::NAME_SERVERS,
    option::HOST_NAME,
    option::DOMAIN,
    option::LEASE_TIME,
    option::SERVER_NAME,
    option::BOOT_FILE,
];

/// What a search for an address may be told.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// How long it lasts at most.
    pub limit: Duration,
    /// The address that the machine had before.
    pub previous: Option<Ipv4Addr>,
}

impl Default for Options {
    fn default() -> Self {
        Self { limit: Duration::from_secs(60), previous: None }
    }
}

/// Gets an address for `link`, whose state must be up. Among several servers, the first that names a next server counts, or
/// the first if none does. An address that another machine has is declined.
pub fn acquire(link: &Link, options: &Options) -> Result<Lease, NetError> {
    let end = Instant::now() + options.limit;
    let mut client = Client::new(link)?;
    client.socket.set_broadcast(true).map_err(|error| client.system("setting SO_BROADCAST", &error))?;
    let mut conflict = None;
    let pause = |length: Duration| {
        std::thread::sleep(length.min(end.saturating_duration_since(Instant::now())));
    };
    loop {
        let offer = client.discover(options.previous, end).map_err(|error| match &conflict {
            None => error,
            Some(conflict) => NetError::new(error.kind, format!("{conflict}. {error}")),
        })?;
        match client.request(&offer, end)? {
            Answer::Granted(lease) => match link.owner_of(lease.address, CONFLICT) {
                None => return Ok(*lease),
                Some(owner) => {
                    conflict = Some(format!(
                        "The address {} of DHCP server {} is in use by {}",
                        lease.address,
                        lease.dhcp_server.unwrap_or(lease.server),
                        mac_text(owner)
                    ));
                    client.decline(&lease)?;
                    pause(AFTER_CONFLICT);
                }
            },
            Answer::Refused(_) => pause(AFTER_REFUSAL),
            Answer::None => {}
        }
    }
}

/// Asks the server for more time. An error of kind `AccessViolation`: the address must no longer be used.
pub fn renew(link: &Link, lease: &Lease, limit: Duration) -> Result<Lease, NetError> {
    let end = Instant::now() + limit;
    let mut client = Client::new(link)?;
    let server = lease.dhcp_server.unwrap_or(lease.server);
    let mut request = client.message(MessageKind::Request);
    request.client = lease.address;
    let accept = |message: &Message| grant(message, link);
    match client.exchange(request, server, end, u32::MAX, accept)? {
        Answer::Granted(lease) => Ok(*lease),
        Answer::Refused(reason) => Err(NetError::new(
            NetErrorKind::AccessViolation,
            format!("DHCP server {server} does not renew {} for {link}{reason}", lease.address),
        )),
        Answer::None => Err(client.silence("renewed the address")),
    }
}

/// Gives the address back. Nobody answers.
pub fn release(link: &Link, lease: &Lease) -> Result<(), NetError> {
    let mut client = Client::new(link)?;
    let server = lease.dhcp_server.unwrap_or(lease.server);
    let mut message = client.message(MessageKind::Release);
    message.client = lease.address;
    message.options.push((option::SERVER_IDENTIFIER, server.octets().to_vec()));
    client.send(&message, server)
}

/// The end of an exchange.
enum Answer {
    Granted(Box<Lease>),
    /// With the server's reason, for a message.
    Refused(String),
    None,
}

/// Returns what an answer to a request means; none if it is not an answer to one.
fn grant(message: &Message, link: &Link) -> Option<Answer> {
    match message.kind()? {
        MessageKind::Acknowledge => message.lease(&link.name).map(|lease| Answer::Granted(Box::new(lease))),
        MessageKind::Refuse => {
            Some(Answer::Refused(message.reason().map(|reason| format!(": {reason}")).unwrap_or_default()))
        }
        MessageKind::Discover
        | MessageKind::Offer
        | MessageKind::Request
        | MessageKind::Decline
        | MessageKind::Release => None,
    }
}

/// The best of the offers in the order of their arrival.
fn best(offers: &[Message]) -> Option<&Message> {
    offers.iter().find(|offer| offer.names_next_server()).or(offers.first())
}

struct Client<'a> {
    link: &'a Link,
    socket: UdpSocket,
    transaction: u32,
    started: Instant,
}

impl<'a> Client<'a> {
    fn new(link: &'a Link) -> Result<Self, NetError> {
        let system = |call: &str, error: &std::io::Error| {
            NetError::new(NetErrorKind::System, format!("DHCP on {link}: {call}: {error}"))
        };
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, CLIENT_PORT))
            .map_err(|error| system(&format!("binding UDP port {CLIENT_PORT}"), &error))?;
        sys::bind_to_device(&socket, &link.name).map_err(|error| system("binding to the card", &error))?;
        Ok(Self { link, socket, transaction: random()?, started: Instant::now() })
    }

    fn system(&self, call: &str, error: &std::io::Error) -> NetError {
        NetError::new(NetErrorKind::System, format!("DHCP on {}: {call}: {error}", self.link))
    }

    fn silence(&self, what: &str) -> NetError {
        let seconds = self.started.elapsed().as_secs();
        NetError::new(
            NetErrorKind::Timeout,
            format!(
                "No DHCP server {what} on {} within {seconds} s. Check the cable, the switch port and the DHCP server.",
                self.link
            ),
        )
    }

    fn message(&mut self, kind: MessageKind) -> Message {
        let mut message = Message::request(self.transaction, self.link.mac, kind);
        message.options.push((option::LARGEST_MESSAGE, LARGEST.to_be_bytes().to_vec()));
        message.options.push((option::VENDOR_CLASS, b"kiwi".to_vec()));
        message.options.push((option::WANTED, WANTED.to_vec()));
        message
    }

    fn send(&mut self, message: &Message, server: Ipv4Addr) -> Result<(), NetError> {
        let mut message = message.clone();
        message.seconds = self.started.elapsed().as_secs().try_into().unwrap_or(u16::MAX);
        match self.socket.send_to(&message.encode(), SocketAddrV4::new(server, SERVER_PORT)) {
            Ok(_) => Ok(()),
            // A card whose carrier went away; it may come back.
            Err(error) if matches!(error.kind(), ErrorKind::NetworkDown | ErrorKind::NetworkUnreachable) => {
                Ok(())
            }
            Err(error) => Err(self.system("sending", &error)),
        }
    }

    /// Returns the next reply to this transaction before `end`.
    fn receive(&self, end: Instant) -> Result<Option<Message>, NetError> {
        let mut buffer = [0; LARGEST as usize];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            let limit = Some(left.max(Duration::from_millis(1)));
            self.socket
                .set_read_timeout(limit)
                .map_err(|error| self.system("setting SO_RCVTIMEO", &error))?;
            match self.socket.recv_from(&mut buffer) {
                Ok((length, _)) => {
                    let message = Message::parse(&buffer[..length]);
                    let answers = |message: &Message| {
                        message.is_reply
                            && message.transaction == self.transaction
                            && message.mac == self.link.mac
                    };
                    if let Some(message) = message.filter(answers) {
                        return Ok(Some(message));
                    }
                }
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut => return Ok(None),
                    ErrorKind::Interrupted | ErrorKind::ConnectionRefused | ErrorKind::NetworkDown => {
                        std::thread::sleep(Duration::from_millis(10));
                    }
                    _ => return Err(self.system("receiving", &error)),
                },
            }
        }
    }

    /// Sends `message` until `accept` returns something, with growing waits, at most `times`.
    fn exchange(
        &mut self,
        message: Message,
        server: Ipv4Addr,
        end: Instant,
        times: u32,
        accept: impl Fn(&Message) -> Option<Answer>,
    ) -> Result<Answer, NetError> {
        let mut wait = FIRST_WAIT;
        for _ in 0..times {
            self.send(&message, server)?;
            let next = (Instant::now() + jittered(wait)?).min(end);
            while let Some(reply) = self.receive(next)? {
                if let Some(answer) = accept(&reply) {
                    return Ok(answer);
                }
            }
            if Instant::now() >= end {
                break;
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        Ok(Answer::None)
    }

    /// Looks for a server and returns its offer.
    fn discover(&mut self, previous: Option<Ipv4Addr>, end: Instant) -> Result<Message, NetError> {
        self.transaction = random()?;
        let mut message = self.message(MessageKind::Discover);
        message.broadcast = true;
        if let Some(address) = previous {
            message.options.push((option::REQUESTED_ADDRESS, address.octets().to_vec()));
        }
        let is_offer = |reply: &Message| {
            reply.kind() == Some(MessageKind::Offer)
                && reply.server_identifier().is_some()
                && reply.lease(&self.link.name).is_some()
        };
        let (mut offers, mut wait) = (Vec::new(), FIRST_WAIT);
        while Instant::now() < end {
            self.send(&message, Ipv4Addr::BROADCAST)?;
            let mut until = (Instant::now() + jittered(wait)?).min(end);
            while let Some(reply) = self.receive(until)? {
                if is_offer(&reply) {
                    if offers.is_empty() {
                        until = (Instant::now() + BETTER_OFFER).min(end);
                    }
                    offers.push(reply);
                    if best(&offers).is_some_and(Message::names_next_server) {
                        break;
                    }
                }
            }
            if let Some(offer) = best(&offers) {
                return Ok(offer.clone());
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        Err(self.silence("offered an address"))
    }

    /// Tells the server that another machine has the address. Nobody answers.
    fn decline(&mut self, lease: &Lease) -> Result<(), NetError> {
        let server = lease.dhcp_server.unwrap_or(lease.server);
        let mut message = self.message(MessageKind::Decline);
        message.options.push((option::REQUESTED_ADDRESS, lease.address.octets().to_vec()));
        message.options.push((option::SERVER_IDENTIFIER, server.octets().to_vec()));
        self.send(&message, Ipv4Addr::BROADCAST)
    }

    fn request(&mut self, offer: &Message, end: Instant) -> Result<Answer, NetError> {
        let server = offer.server_identifier();
        let mut message = self.message(MessageKind::Request);
        message.broadcast = true;
        message.options.push((option::REQUESTED_ADDRESS, offer.offered.octets().to_vec()));
        if let Some(server) = server {
            message.options.push((option::SERVER_IDENTIFIER, server.octets().to_vec()));
        }
        let link = self.link;
        let accept = |reply: &Message| {
            (reply.server_identifier().is_none() || reply.server_identifier() == server)
                .then(|| grant(reply, link))
                .flatten()
        };
        self.exchange(message, Ipv4Addr::BROADCAST, end, REQUESTS, accept)
    }
}

/// Returns a wait that differs by up to a quarter, so that machines switched on together do not stay in step.
fn jittered(wait: Duration) -> Result<Duration, NetError> {
    Ok(wait.mul_f32(0.75 + (random()? % 512) as f32 / 1024.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_offer_with_a_next_server_is_the_best() {
        let offer = |address: u8, next: u8| {
            let mut message = Message::request(1, [2; 6], MessageKind::Offer);
            message.offered = Ipv4Addr::new(10, 0, 0, address);
            message.next_server = Ipv4Addr::from([0, 0, 0, next]);
            message
        };
        let chosen = |offers: &[Message]| best(offers).map(|offer| offer.offered.octets()[3]);
        assert_eq!(chosen(&[]), None);
        assert_eq!(chosen(&[offer(1, 0), offer(2, 0)]), Some(1));
        assert_eq!(chosen(&[offer(1, 0), offer(2, 9), offer(3, 8)]), Some(2));
    }
}
