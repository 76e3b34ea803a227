//! Files that come with kiwi: boot image descriptions and the boot program, found relative to the program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::failure::fail;
use crate::host::Host;

/// The directory of the files that come with kiwi.
#[derive(Debug, Clone)]
pub struct Share {
    directory: PathBuf,
    /// Boot image descriptions of the user, which take precedence over kiwi's of the same name.
    own: Option<PathBuf>,
    program: PathBuf,
}

impl Share {
    /// Returns `KIWI_SHARE`, or `../share/kiwi` relative to the program, or `share/kiwi` of the checkout in which it
    /// was built, or `/usr/share/kiwi`. Without `KIWI_SHARE`, descriptions in the user's data directory are found, too.
    pub fn find(host: &Host) -> Self {
        let program = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("/usr/bin/kiwi"));
        if let Some(directory) = host.variable("KIWI_SHARE") {
            return Self { directory: directory.into(), own: None, program };
        }
        let mut candidates: Vec<PathBuf> =
            program.ancestors().skip(1).map(|directory| directory.join("share/kiwi")).collect();
        candidates.push("/usr/share/kiwi".into());
        let directory = candidates.into_iter().find(|directory| directory.join("image").is_dir());
        let data = host.variable("XDG_DATA_HOME").map(PathBuf::from).or_else(|| {
            host.variable("HOME")
                .filter(|home| !home.is_empty())
                .map(|home| Path::new(&home).join(".local/share"))
        });
        Self {
            directory: directory.unwrap_or_else(|| "/usr/share/kiwi".into()),
            own: data.map(|data| data.join("kiwi/image")),
            program,
        }
    }

    /// Returns the directory of the boot image descriptions that come with kiwi.
    fn images(&self) -> PathBuf {
        self.directory.join("image")
    }

    /// Returns the directories of boot image descriptions.
    pub fn image_directories(&self) -> Vec<PathBuf> {
        self.own.iter().cloned().chain([self.images()]).collect()
    }

    /// Returns the path of a description, which need not exist: absolute, the user's, or kiwi's.
    pub fn image(&self, path: impl AsRef<Path>) -> PathBuf {
        let own = self.own.as_ref().map(|own| own.join(&path)).filter(|own| own.is_dir());
        own.unwrap_or_else(|| self.images().join(path))
    }

    /// Returns the description that `boot=` or `inherit=` names: absolute, or relative to the boot image descriptions.
    pub fn description(&self, path: &str) -> Result<PathBuf> {
        let directory = self.image(path);
        if directory.is_dir() {
            return Ok(directory);
        }
        fail!(
            File,
            "the boot image description '{path}' does not exist below {}; 'kiwi list' shows the available ones",
            self.images().display()
        )
    }

    /// Returns the static boot program. One that cargo built for its tests needs libraries, which an initrd does not
    /// have.
    pub fn linuxrc(&self) -> Result<PathBuf> {
        let beside = self.program.parent().unwrap_or(Path::new("/"));
        let built = "x86_64-unknown-linux-gnu/linuxrc/linuxrc";
        let candidates = [
            // KIWI_SHARE, or a package that has everything in one directory.
            self.directory.join("linuxrc"),
            // In a checkout, the static program is preferred to the one that cargo's tests build in the directory of
            // kiwi.
            beside.join("..").join(built),
            beside.join("../..").join(built),
            beside.join("linuxrc"),
            beside.join("../lib/kiwi/linuxrc"),
            PathBuf::from("/usr/lib/kiwi/linuxrc"),
        ];
        match candidates.iter().find(|path| is_static(path)) {
            Some(path) => Ok(path.clone()),
            None => fail!(
                MissingProgram,
                "cannot make a boot image: the static program linuxrc is missing; it is searched at {}, beside {} and in \
                 ../lib/kiwi; build it with 'cargo linuxrc' in a checkout of kiwi (docs/install.md)",
                candidates[0].display(),
                self.program.display()
            ),
        }
    }

    /// Fails if there are no descriptions: with a mistyped `KIWI_SHARE`, kiwi would seem to have no boot images.
    pub fn require_images(&self) -> Result<()> {
        let images = self.images();
        if !images.is_dir() {
            fail!(
                File,
                "there are no boot image descriptions at {}; set KIWI_SHARE to the directory share/kiwi of a kiwi, or unset \
                 it to use the one that came with this program",
                images.display()
            );
        }
        Ok(())
    }

    /// Returns the path of every boot image description, relative to their directory.
    pub fn list(&self) -> Vec<String> {
        let paths: BTreeSet<PathBuf> = self
            .image_directories()
            .into_iter()
            .flat_map(|directory| descriptions_below(&directory))
            .collect();
        paths.into_iter().map(|path| path.display().to_string()).collect()
    }
}

/// Returns the directories that contain a description, relative to `directory`.
fn descriptions_below(directory: &Path) -> Vec<PathBuf> {
    let entries = walkdir::WalkDir::new(directory).min_depth(1).max_depth(3);
    entries
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name() == "config.xml")
        .filter_map(|entry| entry.path().parent()?.strip_prefix(directory).ok().map(Path::to_owned))
        .collect()
}

/// Returns whether a program runs without a dynamic loader.
fn is_static(path: &Path) -> bool {
    let Ok(bytes) = std::fs::read(path) else { return false };
    goblin::elf::Elf::parse(&bytes).is_ok_and(|program| program.interpreter.is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_description_takes_precedence() {
        let directory = tempfile::tempdir().unwrap();
        let (ours, own) = (directory.path().join("ours"), directory.path().join("own"));
        for path in [
            ours.join("image/isoboot/debian-12"),
            ours.join("image/usbboot/debian-12"),
            own.join("isoboot/debian-12"),
            own.join("isoboot/mine"),
        ] {
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("config.xml"), "").unwrap();
        }
        let share =
            Share { directory: ours.clone(), own: Some(own.clone()), program: "/usr/bin/kiwi".into() };
        assert_eq!(share.list(), ["isoboot/debian-12", "isoboot/mine", "usbboot/debian-12"]);
        assert_eq!(share.description("isoboot/debian-12").unwrap(), own.join("isoboot/debian-12"));
        assert_eq!(share.description("usbboot/debian-12").unwrap(), ours.join("image/usbboot/debian-12"));
        assert!(share.description("usbboot/mine").is_err());
        share.require_images().unwrap();
        let wrong =
            Share { directory: directory.path().join("nowhere"), own: None, program: "/usr/bin/kiwi".into() };
        let error = wrong.require_images().unwrap_err().to_string();
        assert!(
            error.contains("nowhere/image; set KIWI_SHARE to the directory share/kiwi of a kiwi"),
            "{error}"
        );
    }

    #[test]
    fn a_program_with_a_loader_is_not_static() {
        assert!(!is_static(&std::env::current_exe().unwrap()));
        assert!(!is_static(Path::new("/nowhere")));
    }
}
