//! `kiwi create-password`: the hash a description's `password` attribute takes.

use anyhow::{Context as _, Result, bail};

use super::outcome::Outcome;
use crate::context::Context;

/// Nothing can be asked.
#[derive(Debug, Clone)]
pub struct Request;

/// Asks twice without echo until both agree, then returns a SHA-512 crypt hash with a fresh random salt.
pub fn run(_request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let password = loop {
        let first = host.ask_secret("Enter the password: ").context("reading the password")?;
        if first.is_empty() {
            bail!("an empty password was given; nothing was made");
        }
        if first == host.ask_secret("Enter it again: ").context("reading the password")? {
            break first;
        }
        host.say("The two differ, try again.");
    };
    Ok(Outcome::PasswordHash { hash: crate::password::hash(&password)? })
}
