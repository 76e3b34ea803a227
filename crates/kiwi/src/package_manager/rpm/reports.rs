//! What rpm's database of a tree contains about its packages besides their names: their change logs, and the files that differ
//! from what the packages contain.

use anyhow::{Context as _, Result};

use super::runtime::Runtime;
use super::{database, installed};
use crate::distribution::Distribution;
use crate::failure::fail;
use crate::host::{CommandError, Host};
use crate::package_manager::ManagerFiles;
use crate::root_tree::RootTree;

/// Starts the record of a package in the output of rpm; texts do not contain it.
const RECORD: char = '\u{1e}';
/// Name and change log of a package as `rpm -q --changelog` prints it.
const CHANGES: &str = "\u{1e}%{NAME}\\n[* %{CHANGELOGTIME:day} %{CHANGELOGNAME}\\n%{CHANGELOGTEXT}\\n\\n]";
/// The directory of the copy of the database below `/run` of the sandbox.
const SHOWN: &str = "kiwi/database";
/// Directories of the running system, which the sandbox mounts.
const MOUNTED: [&str; 4] = ["/dev", "/proc", "/run", "/sys"];

/// Returns the change logs of the packages that have one, sorted by name: name, text, and an empty line.
pub(in crate::package_manager) fn changes(tree: &RootTree, host: &Host) -> Result<Vec<u8>> {
    let output = installed::query(tree, database::DEFAULT, CHANGES, host)?;
    let mut logs: Vec<(&str, &str)> =
        output.split(RECORD).filter_map(|record| record.split_once('\n')).collect();
    logs.retain(|(_, log)| !log.is_empty());
    logs.sort_unstable();
    Ok(logs.into_iter().flat_map(|(name, log)| [name, "\n", log]).collect::<String>().into_bytes())
}

/// Returns a line for each file that differs from its package or is missing, as `rpm -Va` prints it.
pub(in crate::package_manager) fn verified(tree: &RootTree, host: &Host) -> Result<String> {
    let path = database::path(tree).unwrap_or_else(|| database::DEFAULT.to_owned());
    if !tree.exists(format!("{path}/{}", database::SQLITE)) {
        fail!(
            NotBuilt,
            "the database of rpm in /{path} of the root tree is not of the form that rpm of this host reads (SQLite), \
             so its files cannot be verified; leave out --verified"
        );
    }
    let files = ManagerFiles::beside(tree, host)?;
    // No script runs, so the family of the packages does not matter.
    let runtime = Runtime::provide(&Distribution::Suse.facts().package_scripts, &files, host)?;
    // rpm opens the database for writing.
    let copy = files.create_directory("database", host)?;
    installed::copy_database(tree, &path, &copy, host)?;
    let command = runtime
        .rpm(tree, host)
        .in_read_only_root(tree.path())
        .bind_directory_in_run(&copy, SHOWN, false)
        .without_sync()
        .args(["--verify", "--all", "--nodeps", "--noscripts", "--nosignature", "--nodigest"])
        .arg(format!("--dbpath=/run/{SHOWN}"));
    let mut lines = Vec::new();
    let result = command.run_watched(|line| lines.push(line.to_owned()));
    let errors = lines.iter().any(|line| line.starts_with("error: "));
    match result {
        // The exit code also reports files that differ.
        Err(CommandError::Failed { .. }) if !errors && lines.iter().any(|line| reported(line).is_some()) => {}
        result => result.context("comparing the files of the tree with its packages")?,
    }
    let differing = lines.iter().filter(|line| reported(line).is_some_and(|path| !is_mounted(path)));
    Ok(differing.flat_map(|line| [line.as_str(), "\n"]).collect())
}

/// Returns the path in a line of `rpm --verify`: nine characters of results or `missing`, a letter for the kind of the file, path.
fn reported(line: &str) -> Option<&str> {
    let (results, rest) = line.split_at_checked(9)?;
    let is_result = |c: char| ".?SM5DLUGTP".contains(c);
    let begins = results.chars().all(is_result) || line.starts_with("missing  ");
    let path = rest.get(rest.find('/')?..)?;
    let kind = rest[..rest.len() - path.len()].trim();
    (begins && kind.len() <= 1).then_some(path)
}

fn is_mounted(path: &str) -> bool {
    MOUNTED.iter().any(|directory| {
        path.strip_prefix(directory).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', ' ']))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_about_files_are_recognized() {
        for (line, path) in [
            ("S.5....T.  c /etc/a file", Some("/etc/a file")),
            (".M.......    /usr/bin/x", Some("/usr/bin/x")),
            ("missing     /opt/gone", Some("/opt/gone")),
            ("missing   c /etc/gone", Some("/etc/gone")),
            ("error: cannot open Packages", None),
            ("........x    /usr/bin/x", None),
            ("short", None),
            ("a script prints /this", None),
        ] {
            assert_eq!(reported(line), path, "{line}");
        }
        assert!(is_mounted("/run/lock") && is_mounted("/dev") && !is_mounted("/runtime"));
    }
}
