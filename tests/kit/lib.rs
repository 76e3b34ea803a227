//! The kit of the integration tests: the program under test, virtual machines, networks, small systems, and programs that check results.
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

pub mod case;
pub mod handbook;
pub mod machine;
pub mod network;
pub mod program;
pub mod readback;
pub mod rpm;
pub mod run;
pub mod small;
pub mod user;
pub mod vlan;
pub mod web;
