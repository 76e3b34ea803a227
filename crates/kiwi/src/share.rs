//! What comes with kiwi: boot image descriptions and the boot program, found beside the program itself.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::host::Host;

/// The folder of what comes with kiwi.
#[derive(Debug, Clone)]
pub struct Share {
    folder: PathBuf,
    program: PathBuf,
}

impl Share {
    /// `KIWI_SHARE`, else `../share/kiwi` of the program, else `share/kiwi` of the checkout it was built in, else
    /// `/usr/share/kiwi`.
    pub fn find(host: &Host) -> Self {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/usr/bin/kiwi"));
        if let Some(folder) = host.variable("KIWI_SHARE") {
            return Self { folder: folder.into(), program };
        }
        let mut candidates: Vec<PathBuf> =
            program.ancestors().skip(1).map(|folder| folder.join("share/kiwi")).collect();
        candidates.push("/usr/share/kiwi".into());
        let folder = candidates.into_iter().find(|folder| folder.join("image").is_dir());
        Self { folder: folder.unwrap_or_else(|| "/usr/share/kiwi".into()), program }
    }

    /// The folder of the boot image descriptions.
    pub fn images(&self) -> PathBuf {
        self.folder.join("image")
    }

    /// A description by the path a `boot=` or `inherit=` names: absolute, or relative to the boot image descriptions.
    pub fn description(&self, path: &str) -> Result<PathBuf> {
        let folder = self.images().join(path);
        if folder.is_dir() {
            return Ok(folder);
        }
        bail!(
            "there is no boot image description '{path}' below {}; 'kiwi list' shows those there are",
            self.images().display()
        )
    }

    /// The static boot program. One that cargo built for its tests is no use in an initrd, which has no libraries.
    pub fn linuxrc(&self) -> Result<PathBuf> {
        let beside = self.program.parent().unwrap_or(Path::new("/"));
        let built = "x86_64-unknown-linux-gnu/linuxrc/linuxrc";
        let candidates = [
            self.folder.join("linuxrc"),
            // In a checkout the static one goes before what cargo's tests leave beside the program.
            beside.join("..").join(built),
            beside.join("../..").join(built),
            beside.join("linuxrc"),
        ];
        match candidates.iter().find(|path| is_static(path)) {
            Some(path) => Ok(path.clone()),
            None => bail!(
                "the boot program linuxrc is not at {}; build it with 'cargo linuxrc'",
                candidates[0].display()
            ),
        }
    }

    /// Every description below the boot images, by its path relative to them.
    pub fn list(&self) -> Vec<String> {
        let entries = walkdir::WalkDir::new(self.images()).min_depth(1).max_depth(3).sort_by_file_name();
        entries
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_name() == "config.xml")
            .filter_map(|entry| entry.path().parent()?.strip_prefix(self.images()).ok().map(Path::to_owned))
            .map(|path| path.display().to_string())
            .collect()
    }
}

/// Whether a program runs without a dynamic loader.
fn is_static(path: &Path) -> bool {
    let Ok(bytes) = std::fs::read(path) else { return false };
    goblin::elf::Elf::parse(&bytes).is_ok_and(|program| program.interpreter.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_a_loader_is_not_static() {
        assert!(!is_static(&std::env::current_exe().unwrap()));
        assert!(!is_static(Path::new("/nowhere")));
    }
}
