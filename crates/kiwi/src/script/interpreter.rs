//! The first line of a script: whether its interpreter can run in the tree.

use anyhow::Result;

use crate::failure::fail;
use crate::root_tree::RootTree;

/// Where `env` looks for a program.
const SEARCH_PATH: [&str; 6] = ["usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"];

/// Returns the interpreter and its arguments; none without a first line that names one.
pub(super) fn named(text: &str) -> Vec<&str> {
    let first = text.lines().next().unwrap_or_default();
    first.strip_prefix("#!").unwrap_or_default().split_whitespace().collect()
}

/// Fails if the first line ends as lines of Windows do: the kernel would look for an interpreter of another name.
pub fn check_line_ends(name: &str, text: &[u8]) -> Result<()> {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if first.starts_with(b"#!") && first.ends_with(b"\r") {
        fail!(
            InvalidDescription,
            "the lines of the script {name} end with a carriage return, as on Windows, which becomes part of the name of \
             its interpreter; convert it, for example with: sed -i 's/\\r$//' {name}"
        );
    }
    Ok(())
}

/// Fails if the tree lacks the interpreter of a script that is executed.
pub(super) fn check(name: &str, text: &str, tree: &RootTree) -> Result<()> {
    let words = named(text);
    let Some(interpreter) = words.first() else { return Ok(()) };
    let missing = if !tree.exists(interpreter) {
        Some(*interpreter)
    } else if interpreter.ends_with("/env") {
        let program = words[1..].iter().find(|word| !word.starts_with('-') && !word.contains('='));
        let is_there = |program: &str| {
            program.contains('/')
                || SEARCH_PATH.iter().any(|directory| tree.exists(format!("{directory}/{program}")))
        };
        program.copied().filter(|program| !is_there(program))
    } else {
        None
    };
    if let Some(missing) = missing {
        fail!(
            ScriptFailed,
            "the script {name} of the description needs the interpreter {missing}, which the image does not contain; add \
             its package to the description"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Failure, Kind};
    use crate::host::{Host, Output};

    #[test]
    fn interpreters_must_be_in_the_tree() {
        let directory = tempfile::tempdir().unwrap();
        let tree = RootTree::create(&Host::new(Output::Quiet), &directory.path().join("tree")).unwrap();
        for path in ["usr/bin/env", "usr/bin/bash", "usr/bin/python3"] {
            tree.write(path, "x", 0o755).unwrap();
        }
        tree.symlink("bin", "usr/bin").unwrap();
        let kind = |text: &str| {
            let error = check("config.sh", text, &tree).err()?;
            Some(error.downcast_ref::<Failure>().unwrap().kind)
        };
        for good in [
            "#!/bin/bash -eu\n",
            "#! /usr/bin/env python3\n",
            "#!/usr/bin/env -S A=b bash -e\n",
            "true\n",
            "#!\n",
            "",
        ] {
            assert_eq!(kind(good), None, "{good}");
        }
        for wrong in ["#!/usr/bin/perl\n", "#!/usr/bin/env perl\n", "#!/bin/zsh"] {
            assert_eq!(kind(wrong), Some(Kind::ScriptFailed), "{wrong}");
        }
        assert!(check_line_ends("a", b"#!/bin/sh\r\ntrue\r\n").is_err());
        assert!(check_line_ends("a", b"#!/bin/sh\ntrue\r\n").is_ok() && check_line_ends("a", b"").is_ok());
    }
}
