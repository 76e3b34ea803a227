//! The shared libraries that a program of the tree needs, found without running it.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result};
use goblin::elf::Elf;

use crate::root_tree::RootTree;

/// Library directories of the tree, in addition to those of the machine's own triplet.
const DIRECTORIES: [&str; 6] =
    ["lib64", "usr/lib64", "lib", "usr/lib", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu"];

/// Returns `program`, its interpreter and every library it needs, as paths in the tree. The program fixes the path of its
/// interpreter; libraries keep the directory they were found in.
pub(super) fn closure(tree: &RootTree, program: &str) -> Result<BTreeSet<String>> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![program.to_owned()];
    while let Some(path) = waiting.pop() {
        if !found.insert(path.clone()) {
            continue;
        }
        let bytes = tree.read(&path)?;
        let Ok(elf) = Elf::parse(&bytes) else { continue };
        if let Some(interpreter) = elf.interpreter {
            waiting.push(interpreter.trim_start_matches('/').to_owned());
        }
        for library in elf.libraries {
            let location = directories(tree)
                .map(|directory| format!("{directory}/{library}"))
                .find(|candidate| tree.exists(candidate))
                .with_context(|| format!("{path} in the root tree needs {library}, which is missing"))?;
            waiting.push(location);
        }
    }
    Ok(found)
}

/// Returns the library directories: the fixed ones, and those of `etc/ld.so.conf.d` on multi-arch systems.
fn directories(tree: &RootTree) -> impl Iterator<Item = String> {
    let extra = tree.list("lib").unwrap_or_default().into_iter().filter(|name| name.ends_with("-linux-gnu"));
    let extra: Vec<String> = extra.map(|name| Path::new("lib").join(name).display().to_string()).collect();
    extra.into_iter().chain(DIRECTORIES.iter().map(|directory| (*directory).to_owned()))
}
