//! Tests of the crate `description`, without the program.

mod convert;
mod fixtures;
mod hostile;
mod select;
mod survive;
mod vocabulary;
