//! Tests that build no image and need no root: the formats of descriptions, and kiwi's commands as a user calls them.
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

mod check;
mod describe;
mod descriptions;
mod documenting;
mod errors;
mod guards;
mod hostile;
mod init;
mod inputs;
mod json;
mod lock;
mod mistakes;
mod network;
mod pxe;
mod results;
mod signals;
