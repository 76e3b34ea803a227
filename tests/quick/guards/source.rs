//! Reads the modules of a crate from its sources: what each defines, imports and names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::Item;
use syn::spanned::Spanned;

use super::names::{Names, attributes, is_test};

/// The path of a module inside its crate; empty for the crate's root. The root of a binary beside a library is `main`.
pub(super) type ModulePath = Vec<String>;

/// What the sources of one module contain, without what only tests compile.
#[derive(Debug, Default)]
pub(super) struct Module {
    /// The names of the items it defines, submodules included.
    pub(super) items: BTreeSet<String>,
    /// Imported name -> the path it is imported from.
    pub(super) imports: BTreeMap<String, Vec<String>>,
    /// The modules it imports everything from.
    pub(super) globs: Vec<Vec<String>>,
    /// Every path it names, imports included.
    pub(super) paths: BTreeSet<Vec<String>>,
}

/// One crate of the workspace.
#[derive(Debug, Default)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) modules: BTreeMap<ModulePath, Module>,
    /// Files with more lines outside tests than allowed, without a reason in their heads.
    pub(super) long_files: Vec<String>,
    /// Files below `src/` that no `mod` item names.
    pub(super) unused_files: Vec<String>,
}

/// Reads every crate below a directory.
pub(super) fn crates(directory: &Path, max_lines: usize) -> Vec<Crate> {
    directories(directory).iter().map(|crate_dir| read(crate_dir, max_lines)).collect()
}

fn directories(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().path()).filter(|path| path.join("src").is_dir()).collect()
}

fn read(crate_dir: &Path, max_lines: usize) -> Crate {
    let source_dir = crate_dir.join("src");
    let name = crate_dir.file_name().unwrap().to_string_lossy().into_owned();
    let read = Crate { name, ..Crate::default() };
    let mut reader = Reader { source_dir: &source_dir, max_lines, read, seen: BTreeSet::new() };
    let has_library = source_dir.join("lib.rs").exists();
    if has_library {
        reader.file(&source_dir.join("lib.rs"), &[], &[], true);
    }
    if source_dir.join("main.rs").exists() {
        let root: &[String] = if has_library { &["main".to_owned()] } else { &[] };
        reader.file(&source_dir.join("main.rs"), root, &[], true);
    }
    let files = rust_files(&source_dir);
    let unused = files.iter().filter(|file| !reader.seen.contains(*file));
    reader.read.unused_files = unused.map(|file| reader.relative(file)).collect();
    reader.read
}

pub(super) fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

struct Reader<'a> {
    source_dir: &'a Path,
    max_lines: usize,
    read: Crate,
    seen: BTreeSet<PathBuf>,
}

impl Reader<'_> {
    /// Reads a file; `location` is where the files of its submodules lie below `src/`. A file of tests is only marked as seen.
    fn file(&mut self, file: &Path, module: &[String], location: &[String], counts: bool) {
        let text =
            std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        self.seen.insert(file.to_owned());
        let counts = counts && !parsed.attrs.iter().any(is_test);
        if counts {
            self.check_length(file, &text, &parsed.items);
        }
        self.items(&parsed.items, module, location, counts);
    }

    fn items(&mut self, items: &[Item], module: &[String], location: &[String], counts: bool) {
        if counts {
            let names = Names::of(items);
            let read =
                Module { items: names.items, imports: names.imports, globs: names.globs, paths: names.paths };
            assert!(self.read.modules.insert(module.to_vec(), read).is_none(), "two modules {module:?}");
        }
        for item in items {
            let Item::Mod(item) = item else { continue };
            let counts = counts && !item.attrs.iter().any(is_test);
            let name = item.ident.to_string();
            let (module, location) = (child(module, &name), child(location, &name));
            match &item.content {
                Some((_, items)) => self.items(items, &module, &location, counts),
                None => self.file(&self.submodule_file(&location), &module, &location, counts),
            }
        }
    }

    fn submodule_file(&self, location: &[String]) -> PathBuf {
        let path = self.source_dir.join(location.join("/"));
        let beside = path.with_extension("rs");
        if beside.exists() { beside } else { path.join("mod.rs") }
    }

    fn relative(&self, file: &Path) -> String {
        let crate_dir = self.source_dir.parent().unwrap();
        format!("{}/{}", self.read.name, file.strip_prefix(crate_dir).unwrap().display())
    }

    fn check_length(&mut self, file: &Path, text: &str, items: &[Item]) {
        let lines = text.lines().count() - test_lines(items);
        let reason = format!("{} lines", self.max_lines);
        let mut head = text.lines().take_while(|line| line.starts_with("//!"));
        if lines > self.max_lines && !head.any(|line| line.contains(&reason)) {
            self.read.long_files.push(format!("{} has {lines} lines", self.relative(file)));
        }
    }
}

fn child(parent: &[String], name: &str) -> Vec<String> {
    let mut path = parent.to_vec();
    path.push(name.to_owned());
    path
}

/// The number of lines that items for tests take in a file.
fn test_lines(items: &[Item]) -> usize {
    let tests = items.iter().filter(|item| attributes(item).iter().any(is_test));
    tests.map(|item| item.span().end().line - item.span().start().line + 1).sum()
}
