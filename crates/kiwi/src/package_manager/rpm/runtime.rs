//! rpm of the host for use inside a tree: the program, its libraries and its configuration, in one directory that the sandbox of
//! the tree shows. An empty tree needs nothing else, and the version of rpm does not depend on the tree.
//!
//! ```text
//! ld.so, lib/   the loader and the libraries of rpm
//! rpm           the program
//! config/       macros and rpmrc of rpm (`RPM_CONFIGDIR`)
//! bin/          replacements of programs, first in the search path of package scripts
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::distribution::PackageScripts;
use crate::failure::fail;
use crate::host::{Command, Host};
use crate::package_manager::ManagerFiles;
use crate::root_tree::RootTree;

/// Its path in [`ManagerFiles`].
const DIRECTORY: &str = "rpm";
/// Its path below `/run` of the sandbox.
const SHOWN: &str = "kiwi/rpm";
/// Its path in the sandbox.
const INSIDE: &str = "/run/kiwi/rpm";
/// The configuration of rpm on the host.
const CONFIGURATION: &str = "/usr/lib/rpm";
/// Search path of package scripts, after the replacements.
const SCRIPT_PATH: &str = "/sbin:/bin:/usr/sbin:/usr/bin";

/// rpm with everything that it needs.
pub(super) struct Runtime {
    directory: PathBuf,
}

impl Runtime {
    /// Copies rpm of the host.
    pub(super) fn provide(scripts: &PackageScripts, files: &ManagerFiles, host: &Host) -> Result<Self> {
        let directory = files.create_directory(DIRECTORY, host)?;
        for part in ["lib", "config/macros.d", "config/platform", "config/lua", "bin"] {
            files.create_directory(&format!("{DIRECTORY}/{part}"), host)?;
        }
        let program = host.find_program("rpm")?;
        let copy = |from: &Path, to: &str| {
            let to = directory.join(to);
            host.copy_file(from, &to)
                .with_context(|| format!("copying {} to {}", from.display(), to.display()))
        };
        copy(&program, "rpm")?;
        let loader = loader(&program)?;
        copy(&loader, "ld.so")?;
        host.make_executable(&directory.join("ld.so")).context("making the loader of rpm executable")?;
        let listed = host.command(&loader.display().to_string()).arg("--list").arg(&program).output()?;
        for library in libraries(&listed) {
            let name = library.file_name().unwrap_or_default().to_string_lossy().into_owned();
            copy(library, &format!("lib/{name}"))?;
        }
        copy_configuration(Path::new(CONFIGURATION), &directory.join("config"), 0, host)
            .with_context(|| format!("copying {CONFIGURATION}"))?;
        for (path, text) in scripts.held_back {
            let path = format!("{DIRECTORY}/bin/{}", path.rsplit('/').next().unwrap_or(path));
            files.write(&path, text, host)?;
            host.make_executable(&files.path().join(&path)).with_context(|| format!("writing {path}"))?;
        }
        Ok(Self { directory })
    }

    /// Returns a command that runs rpm in the sandbox of a tree.
    pub(super) fn rpm<'h>(&self, tree: &RootTree, host: &'h Host) -> Command<'h> {
        tree.command(host, &format!("{INSIDE}/ld.so"))
            .bind_directory_in_run(&self.directory, SHOWN, true)
            .args(["--library-path", &format!("{INSIDE}/lib"), &format!("{INSIDE}/rpm")])
            .env("RPM_CONFIGDIR", format!("{INSIDE}/config"))
            .arg(format!("--define=_install_script_path {INSIDE}/bin:{SCRIPT_PATH}"))
            // The sandbox mounts them; the tree has these directories already.
            .arg("--define=_netsharedpath /proc:/dev")
            // Plugins of the tree's rpm belong to another version of rpm.
            .args(["--noplugins", "--define=__transaction_dbus_announce %{nil}"])
    }
}

/// Returns the path of the loader that a program names.
fn loader(program: &Path) -> Result<PathBuf> {
    let bytes = std::fs::read(program).with_context(|| format!("reading {}", program.display()))?;
    let elf = goblin::elf::Elf::parse(&bytes).with_context(|| format!("reading {}", program.display()))?;
    let Some(loader) = elf.interpreter else {
        fail!(MissingProgram, "{} is not a dynamic program, as rpm of a distribution is", program.display());
    };
    Ok(PathBuf::from(loader))
}

/// Reads the output of `ld.so --list`: `NAME => PATH (ADDRESS)`.
fn libraries(listed: &str) -> impl Iterator<Item = &Path> {
    listed.lines().filter_map(|line| {
        let path = line.split_once(" => ")?.1.split(" (").next()?;
        path.starts_with('/').then(|| Path::new(path))
    })
}

/// Copies the parts of rpm's configuration that an installation reads.
fn copy_configuration(from: &Path, to: &Path, depth: usize, host: &Host) -> Result<()> {
    const PARTS: [&str; 6] = ["macros", "rpmrc", "macros.d", "lua", "platform", "vendor"];
    for entry in from.read_dir()? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let wanted = depth > 0 || PARTS.contains(&name.as_str()) || name.starts_with("rpmpopt");
        // Names of other machines are only used to build packages for them.
        let foreign = from.ends_with("platform") && !name.starts_with(std::env::consts::ARCH);
        if !wanted || foreign || depth > 3 {
            continue;
        }
        let (from, to) = (entry.path(), to.join(&name));
        if from.is_dir() {
            host.create_directories(&to)?;
            copy_configuration(&from, &to, depth + 1, host)?;
        } else if from.is_file() {
            host.copy_file(&from, &to)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_libraries_of_a_program() {
        let text = "\tlinux-vdso.so.1 (0x00007f)\n\tlibrpm.so.9 => /lib/x/librpm.so.9 (0x00007f)\n\
                    \t/lib64/ld-linux-x86-64.so.2 (0x00007f)\n\tlibgone.so => not found\n";
        assert_eq!(libraries(text).collect::<Vec<_>>(), [Path::new("/lib/x/librpm.so.9")]);
    }
}
