//! What dpkg does when it unpacks, done in process for a tree that is new; dpkg itself configures afterwards.
//!
//! ```text
//! unpack_batches (which packages go together) -> for each: Database::announce, preinst scripts, Unpacker::unpack,
//!   Database::record; then dpkg --configure in the tree
//! ```
//!
//! The database is left as dpkg leaves it after `--unpack`: dpkg reads it, finishes it and writes it anew. Upgrades,
//! removals and everything after the unpacking stay dpkg's own.

mod database;
mod file_conflicts;
mod layer;
mod preinst;
mod rules;
mod sums;
mod trigger;
mod unpack;
mod unpack_batches;

pub(super) use database::Database;
pub(super) use file_conflicts::Index;
pub(super) use layer::with_scripts;
pub(super) use preinst::run as run_preinst;
pub(super) use rules::Rules;
pub(super) use unpack::Unpacker;
pub(super) use unpack_batches::batches;
