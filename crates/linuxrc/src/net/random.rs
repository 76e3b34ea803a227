//! Random numbers, for what an attacker must not guess.

use rustix::rand::{GetRandomFlags, getrandom};

use crate::net::error::{NetError, NetErrorKind};

/// Returns a number that others cannot guess, as soon as the kernel has one.
pub(super) fn random() -> Result<u32, NetError> {
    let mut bytes = [0; 4];
    getrandom(&mut bytes, GetRandomFlags::INSECURE).map_err(|error| {
        NetError::new(NetErrorKind::System, format!("random numbers of the kernel: {error}"))
    })?;
    Ok(u32::from_ne_bytes(bytes))
}
