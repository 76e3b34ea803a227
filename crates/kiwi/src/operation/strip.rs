//! `--strip`: removes the symbols of the programs and libraries of an image, as `--strip` of KIWI 1.x.

use std::fs::File;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result};
use byteorder::{ByteOrder, LE};

use crate::host::{Host, StageTask};
use crate::root_tree::RootTree;

/// The program of binutils.
pub(super) const PROGRAM: &str = "strip";
/// Permissions that a program or library has at least.
const MODE: u32 = 0o755;
/// Files of one call.
const BATCH: usize = 200;

/// Strips every program and library of the layer that still has symbols; the root tree is not modified.
pub(super) fn run(layered: &RootTree, host: &Host) -> Result<()> {
    let stage = host.stage(StageTask::RunScript, "Removing symbols");
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(layered.path()).sort_by_file_name() {
        let entry = entry?;
        let is_program = entry.file_type().is_file() && entry.metadata()?.permissions().mode() & MODE == MODE;
        let reading = || format!("cannot read {}", entry.path().display());
        if is_program && has_symbols(entry.path()).with_context(reading)? {
            found.push(entry.into_path());
        }
    }
    for batch in found.chunks(BATCH) {
        host.check_interrupt()?;
        host.command(PROGRAM)
            .arg("--preserve-dates")
            .args(batch)
            .writable(layered.path())
            .run()
            .context("cannot remove the symbols of the programs")?;
    }
    stage.finish();
    Ok(())
}

/// Returns whether a file is a program or library in the format ELF (System V ABI, "Object Files") with a table of symbols.
fn has_symbols(path: &Path) -> Result<bool> {
    const PROGRAM_OR_LIBRARY: [u16; 2] = [2, 3];
    const SYMBOLS: u32 = 2;
    let file = File::open(path)?;
    let mut head = [0; 64];
    if file.read_at(&mut head, 0)? < head.len() || !head.starts_with(b"\x7fELF") || head[5] != 1 {
        return Ok(false);
    }
    let wide = head[4] == 2;
    let (table, size, count) = match wide {
        true => (LE::read_u64(&head[0x28..]), LE::read_u16(&head[0x3a..]), LE::read_u16(&head[0x3c..])),
        false => {
            (LE::read_u32(&head[0x20..]).into(), LE::read_u16(&head[0x2e..]), LE::read_u16(&head[0x30..]))
        }
    };
    if !PROGRAM_OR_LIBRARY.contains(&LE::read_u16(&head[0x10..])) {
        return Ok(false);
    }
    for section in 0..u64::from(count) {
        let mut kind = [0; 4];
        let offset = table.saturating_add(section * u64::from(size)).saturating_add(4);
        if file.read_at(&mut kind, offset)? == kind.len() && LE::read_u32(&kind) == SYMBOLS {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use std::fs;

    use test_programs::{have, run as run_program};

    use super::*;
    use crate::host::Output;

    #[test]
    fn programs_lose_their_symbols_and_nothing_else_changes() {
        if !have(&["strip", "readelf"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("root");
        fs::create_dir_all(root.join("usr/bin")).unwrap();
        // This program has symbols.
        let [program, private, text] =
            ["program", "private", "text"].map(|name| root.join("usr/bin").join(name));
        for (path, mode) in [(&program, 0o755), (&private, 0o700)] {
            fs::copy(std::env::current_exe().unwrap(), path).unwrap();
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::write(&text, "\x7fELF, or not").unwrap();
        fs::set_permissions(&text, fs::Permissions::from_mode(0o755)).unwrap();
        let time = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        let before = time(&program);
        assert!(has_symbols(&program).unwrap());
        run(&RootTree::merged(&root).unwrap(), &Host::new(Output::Quiet)).unwrap();
        let sections =
            |path: &Path| run_program("readelf", &["--wide", "--section-headers", path.to_str().unwrap()]);
        assert!(!sections(&program).contains(" .symtab ") && !has_symbols(&program).unwrap());
        assert!(sections(&private).contains(" .symtab "), "a file that others cannot run was changed");
        assert_eq!(
            (time(&program), fs::metadata(&program).unwrap().permissions().mode() & 0o777),
            (before, 0o755)
        );
        assert_eq!(fs::read(&text).unwrap(), b"\x7fELF, or not");
    }
}
