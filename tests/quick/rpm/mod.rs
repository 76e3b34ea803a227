//! RPM repositories: their metadata, and what kiwi does with them without building an image. The repositories are real ones
//! (`kit/rpm.rs`).

mod case;
mod changes;
mod media;
mod metadata;
mod solving;
mod sources;
