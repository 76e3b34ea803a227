//! No files of depmod make finding modules panic or load one twice.
//!
//! An input is the text of modules.dep, modules.softdep, modules.alias and modules.builtin and the wanted names, with a zero
//! byte between them.
#![no_main]

use std::collections::HashSet;

use libfuzzer_sys::fuzz_target;
use ondisk::modules::{Lookup, ModuleFiles, ModuleIndex, module_name, uncompressed};

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut parts = text.splitn(5, '\0');
    let mut next = || parts.next().unwrap_or_default();
    let files =
        ModuleFiles { dependencies: next(), soft_dependencies: next(), aliases: next(), builtin: next() };
    let names: Vec<&str> = next().split_whitespace().collect();
    let index = ModuleIndex::parse(files, |path| !path.contains('?'));
    for lookup in [Lookup::Names, Lookup::NamesAndAliases] {
        let order = index.closure(names.iter().copied(), lookup);
        let mut seen = HashSet::new();
        for name in &order {
            let module = index.module(name).expect("a module of the index");
            assert_eq!(module_name(&module.path), *name);
            assert!(seen.insert(*name) && uncompressed(&module.path).len() <= module.path.len());
        }
        for name in &names {
            let _ = index.provides(name, lookup);
        }
    }
});
