//! RPM repositories: their metadata, and what zypper and dnf select from them without installing anything. The repositories are real
//! ones (`kit/rpm.rs`).

mod case;
mod changes;
mod media;
mod metadata;
mod solving;
mod sources;
