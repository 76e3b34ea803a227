//! Kernel modules: the files that depmod writes, and which modules a name needs.
//!
//! Below `lib/modules/<release>`, `modules.dep` lists every module with its dependencies, `modules.softdep` what is
//! loaded before or after it where it exists, `modules.alias` the names and device patterns that mean a module, and
//! `modules.builtin` what the kernel contains itself. In names of modules `-` and `_` are the same character.

mod alias;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use alias::{matches, underscored};

/// The text of the files that depmod writes; a missing file is empty.
#[derive(Debug, Clone, Copy, Default)]
pub struct ModuleFiles<'a> {
    /// `modules.dep`
    pub dependencies: &'a str,
    /// `modules.softdep`
    pub soft_dependencies: &'a str,
    /// `modules.alias`
    pub aliases: &'a str,
    /// `modules.builtin`
    pub builtin: &'a str,
}

/// One line of `modules.dep`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Module {
    /// Path below `lib/modules/<release>`, as written: with the suffix of its compression.
    pub path: String,
    /// Paths of the modules it depends on, as written.
    pub depends: Vec<String>,
}

/// The lines of one module in `modules.softdep`: names of modules, or aliases.
#[derive(Debug, Default)]
struct SoftDependencies {
    before: Vec<String>,
    after: Vec<String>,
}

/// What a name may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookup {
    /// A module. The builder uses this to choose the modules of a boot image: with aliases, `crc32c` would mean every
    /// module that computes it, and boot images would grow.
    Names,
    /// A module, or else every module with a matching alias. The boot program loads what its boot image has.
    NamesAndAliases,
}

/// The modules of one kernel.
#[derive(Debug, Default)]
pub struct ModuleIndex {
    modules: BTreeMap<String, Module>,
    builtin: BTreeSet<String>,
    /// Patterns by their bus, the part before the first colon: most devices are compared with few of them.
    aliases: HashMap<String, Vec<(String, String)>>,
    soft: HashMap<String, SoftDependencies>,
}

/// Returns a module's path without the suffix of its compression.
pub fn uncompressed(path: &str) -> &str {
    [".xz", ".zst", ".gz"].iter().find_map(|suffix| path.strip_suffix(suffix)).unwrap_or(path)
}

/// Returns the name of the module in a file as the kernel writes it: `crc32c_generic` for `lib/crc32c-generic.ko.xz`.
pub fn module_name(path: &str) -> String {
    let path = uncompressed(path);
    let file = path.rsplit('/').next().unwrap_or(path);
    file.strip_suffix(".ko").unwrap_or(file).replace('-', "_")
}

fn bus(alias: &str) -> &str {
    alias.split(':').next().unwrap_or(alias)
}

impl ModuleIndex {
    /// Returns the modules of `files` whose path without compression suffix is `present`: a boot image may have depmod's
    /// files and few of the modules. Lines that cannot be read are skipped. Of two modules with one name the one whose
    /// path sorts last counts.
    pub fn parse(files: ModuleFiles<'_>, present: impl Fn(&str) -> bool) -> Self {
        let mut index = Self::default();
        for line in files.dependencies.lines() {
            let Some((path, depends)) = line.split_once(':') else { continue };
            let name = module_name(path);
            if !present(uncompressed(path))
                || index.modules.get(&name).is_some_and(|known| *known.path > *path)
            {
                continue;
            }
            let depends = depends.split_whitespace().map(str::to_owned).collect();
            index.modules.insert(name, Module { path: path.to_owned(), depends });
        }
        index.builtin = files.builtin.lines().map(module_name).collect();
        files.aliases.lines().for_each(|line| index.add_alias(line));
        files.soft_dependencies.lines().for_each(|line| index.add_soft_dependencies(line));
        index
    }

    /// Adds `alias PATTERN MODULE`, unless the module is missing.
    fn add_alias(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let (Some("alias"), Some(pattern), Some(module)) = (words.next(), words.next(), words.next()) else {
            return;
        };
        let (pattern, module) = (underscored(pattern), module_name(module));
        if self.modules.contains_key(&module) {
            self.aliases.entry(bus(&pattern).to_owned()).or_default().push((pattern, module));
        }
    }

    /// Adds `softdep MODULE pre: NAME.. post: NAME..`.
    fn add_soft_dependencies(&mut self, line: &str) {
        let mut words = line.split_whitespace();
        let (Some("softdep"), Some(module)) = (words.next(), words.next()) else { return };
        let soft = self.soft.entry(module_name(module)).or_default();
        let mut after = false;
        for word in words {
            match word {
                "pre:" => after = false,
                "post:" => after = true,
                name if after => soft.after.push(name.to_owned()),
                name => soft.before.push(name.to_owned()),
            }
        }
    }

    /// Returns the name and the path of every module.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &str)> {
        self.modules.iter().map(|(name, module)| (name.as_str(), module.path.as_str()))
    }

    /// Returns whether there is no module at all.
    pub fn is_empty(&self) -> bool {
        self.modules.is_empty()
    }

    /// Returns whether the kernel's list of what it contains itself is empty, as it is if the file is missing.
    pub fn has_no_builtin_list(&self) -> bool {
        self.builtin.is_empty()
    }

    /// Returns the module of this name.
    pub fn module(&self, name: &str) -> Option<&Module> {
        self.modules.get(&underscored(name))
    }

    /// Returns whether the kernel contains this code itself, or has a module for it.
    pub fn provides(&self, name: &str, lookup: Lookup) -> bool {
        self.builtin.contains(&underscored(name)) || !self.resolve(name, lookup).is_empty()
    }

    /// Returns the names of the modules that `name` means.
    pub fn resolve(&self, name: &str, lookup: Lookup) -> Vec<&str> {
        let name = underscored(name);
        if let Some((module, _)) = self.modules.get_key_value(&name) {
            return vec![module];
        }
        match lookup {
            Lookup::Names => Vec::new(),
            Lookup::NamesAndAliases => self
                .aliases
                .get(bus(&name))
                .into_iter()
                .flatten()
                .filter(|(pattern, _)| matches(pattern, &name))
                .map(|(_, module)| module.as_str())
                .collect(),
        }
    }

    /// Returns the names of the modules that `names` need, each once, in the order in which they are loaded: `pre` soft
    /// dependencies, dependencies, the module, `post` soft dependencies. What is missing is left out; a circle ends.
    pub fn closure<'n>(&self, names: impl IntoIterator<Item = &'n str>, lookup: Lookup) -> Vec<&str> {
        /// What is left to do, the next step last: a list instead of recursion, so that no file exhausts the stack.
        enum Step<'a> {
            Visit(&'a str),
            Load(&'a str),
        }
        let mut order = Vec::new();
        let mut visited = HashSet::new();
        let mut steps: Vec<Step> = Vec::new();
        for name in names {
            steps.extend(self.resolve(name, lookup).into_iter().rev().map(Step::Visit));
            while let Some(step) = steps.pop() {
                let name = match step {
                    Step::Load(name) => {
                        order.push(name);
                        continue;
                    }
                    Step::Visit(name) => name,
                };
                let Some(module) = self.modules.get(name).filter(|_| visited.insert(name)) else { continue };
                let (before, after) = match self.soft.get(name) {
                    Some(soft) => (soft.before.as_slice(), soft.after.as_slice()),
                    None => (&[][..], &[][..]),
                };
                let wishes = |names: &'_ [String]| -> Vec<Step<'_>> {
                    let wished = names.iter().flat_map(|name| self.resolve(name, lookup));
                    wished.map(Step::Visit).collect()
                };
                let depends = module.depends.iter().filter_map(|path| {
                    self.modules.get_key_value(&module_name(path)).map(|(name, _)| Step::Visit(name))
                });
                steps.extend(wishes(after).into_iter().rev());
                steps.push(Step::Load(name));
                steps.extend(depends.rev());
                steps.extend(wishes(before).into_iter().rev());
            }
        }
        order
    }
}
