//! Unpacks packages into a new tree in process, as dpkg does; dpkg itself configures them afterwards.
//!
//! ```text
//! unpack_batches (packages that are unpacked together) -> for each: Database::announce, preinst scripts,
//!   Unpacker::unpack, Database::record; then dpkg --configure in the tree
//! ```
//!
//! The database has the state after `dpkg --unpack`: dpkg reads it, completes it and writes it again. dpkg itself does
//! upgrades, removals and everything after unpacking.

mod database;
mod file_conflicts;
mod layer;
mod preinst;
mod reserved;
mod rules;
mod sums;
mod trigger;
mod unpack;
mod unpack_batches;

pub(super) use database::Database;
pub(super) use file_conflicts::Index;
pub(super) use layer::with_scripts;
pub(super) use preinst::run as run_preinst;
pub(super) use reserved::{MOUNT_POINT, check_entries};
pub(super) use rules::Rules;
pub(super) use unpack::Unpacker;
pub(super) use unpack_batches::batches;
