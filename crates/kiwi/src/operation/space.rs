//! Whether a root tree fits where it is made, before the work.

use std::path::Path;

use anyhow::Result;

use crate::failure::{Failure, Kind};
use crate::host::{Host, printable};

/// Returns an error if the file system of `directory` has less than half of the space of a tree of `size` bytes; a file system that
/// compresses may hold the rest.
pub(super) fn check(size: u64, directory: &Path, host: &Host) -> Result<()> {
    let Some(free) = host.free_space(directory) else { return Ok(()) };
    if free >= size / 2 {
        return Ok(());
    }
    let message = format!(
        "the root tree needs about {}, but {} are free in {}",
        printable::size(size),
        printable::size(free),
        directory.display()
    );
    let remedy = "Free some space, or use another file system (--root, --destdir).";
    Err(Failure::new(Kind::NoSpace, message).remedy(remedy).into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;
    use crate::host::Output;

    #[test]
    fn a_tree_that_cannot_fit_is_an_error_with_both_sizes() {
        let (directory, host) = (tempfile::tempdir().unwrap(), Host::new(Output::Quiet));
        check(1, directory.path(), &host).unwrap();
        let error = Error::from(check(u64::MAX, directory.path(), &host).unwrap_err());
        assert_eq!(error.kind, Kind::NoSpace);
        assert!(error.to_string().contains(directory.path().to_str().unwrap()), "{error}");
    }
}
