//! `kiwi create-password`: hashes a password for a description's `password` attribute.

use anyhow::{Context as _, Result};

use super::outcome::Outcome;
use crate::context::Context;
use crate::failure::fail;

/// Has no options.
#[derive(Debug, Clone)]
pub struct Request;

/// Asks twice without echo until both inputs agree, then returns a SHA-512 crypt hash with a random salt.
pub fn run(_request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let password = loop {
        let first = host.ask_secret("Enter the password: ").context("reading the password")?;
        if first.is_empty() {
            fail!(Usage, "the password is empty; no hash was made");
        }
        if first == host.ask_secret("Enter it again: ").context("reading the password")? {
            break first;
        }
        host.say("The passwords differ; try again.");
    };
    Ok(Outcome::PasswordHash { hash: crate::password::hash(&password)? })
}
