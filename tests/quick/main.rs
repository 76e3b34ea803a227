//! Tests that build no image and need no root: the formats of descriptions, and kiwi's commands as a user calls them.
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

mod accepted;
mod check;
mod describe;
mod descriptions;
mod diff;
mod documenting;
mod editors;
mod errors;
mod explain;
mod guards;
mod handbook;
mod hostile;
mod init;
mod inputs;
mod json;
mod kiwi_2007;
mod lock;
mod mistakes;
mod network;
mod placeholders;
mod pxe;
mod repositories;
mod results;
mod sbom;
mod signals;
