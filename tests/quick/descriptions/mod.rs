//! Tests of the crate `description`, without the program.

mod convert;
mod fixtures;
mod hostile;
mod kiwi_ng;
mod select;
mod survive;
mod vocabulary;
