//! The scripts of a description that `prepare` runs: `config.sh`, then those in `config/`.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::Result;
use description::Selection;

use super::step_recorder::StepRecorder;
use crate::failure::{Failure, Kind, fail};
use crate::host::{Host, StageTask, Warning};
use crate::origins::StepKind;
use crate::package_manager::Installed;
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::script::{Script, ScriptFailed, check_line_ends};
use crate::source::{Source, real};
use crate::stage::{Digest, Inputs};

/// A script as it was when the build was planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Planned {
    /// `config.sh` or `config/NAME`.
    pub(super) name: String,
    path: PathBuf,
    text: Vec<u8>,
    mode: u32,
}

/// Reads the scripts, in the order in which they run.
pub(super) fn plan(source: &Source) -> Result<Vec<Planned>> {
    let mut names = vec!["config.sh".to_owned()];
    if let Some(directory) = source.find("config")?
        && directory.is_dir()
    {
        let below = real::names(&directory)?.into_iter().map(|name| name.to_string_lossy().into_owned());
        names.extend(below.filter(|name| !name.starts_with('.')).map(|name| format!("config/{name}")));
    }
    let mut scripts = Vec::new();
    for name in names {
        scripts.extend(planned(source, &name)?);
    }
    Ok(scripts)
}

/// Reads one script, if it exists.
pub(super) fn planned(source: &Source, name: &str) -> Result<Option<Planned>> {
    let Some(path) = source.find(name)? else { return Ok(None) };
    let metadata = real::metadata(&path)?;
    if !metadata.is_file() {
        fail!(
            InvalidDescription,
            "{} is not a file, but kiwi runs {name} as a script; rename it",
            path.display()
        );
    }
    let mode = metadata.permissions().mode() & 0o777;
    let text = real::read(&path)?;
    check_line_ends(&path.display().to_string(), &text)?;
    Ok(Some(Planned { name: name.to_owned(), path, text, mode }))
}

/// Returns why a build would refuse scripts that are beside the description; what cannot be read is left to the build.
pub fn mistakes(selection: &Selection, source: &Source) -> Vec<Failure> {
    let errors = [
        plan(source).err(),
        planned(source, "post_bootstrap.sh").err(),
        super::finish::plan(selection, source).err(),
    ];
    let failures = errors.into_iter().flatten().filter_map(|error| error.downcast::<Failure>().ok());
    failures.filter(|failure| failure.kind == Kind::InvalidDescription).collect()
}

/// Returns whether a script uses the image type or its size, which `.profile` contains: a tree is then for one type
/// only.
pub fn ask_for_type(source: &Source) -> Result<bool> {
    let first = planned(source, "post_bootstrap.sh")?;
    Ok(plan(source)?.iter().chain(&first).any(|script| names_type(&String::from_utf8_lossy(&script.text))))
}

fn names_type(text: &str) -> bool {
    // The last ones list all variables.
    let others = ["$type", "${type", "$size", "${size", "printenv", "env |", "export -p", "declare -x"];
    description::type_variables().chain(others).any(|name| text.contains(name))
}

/// Adds the scripts as inputs.
pub(super) fn inputs(scripts: &[Planned], inputs: &mut Inputs) -> Result<()> {
    for Planned { name, path: _, text, mode } in scripts {
        inputs.value(name, &(Digest::of(text), mode))?;
    }
    Ok(())
}

/// The directory of the scripts that run for packages.
const OF_PACKAGES: &str = "config/";

/// Returns whether the list of installed packages decides which of these scripts run.
pub(super) fn ask_for_packages(scripts: &[Planned]) -> bool {
    scripts.iter().any(|script| script.name.starts_with(OF_PACKAGES))
}

/// Runs the scripts. One in `config/` runs only if the package of the same name is installed, and its failure is a
/// warning.
pub(super) fn run(
    scripts: &[Planned],
    network: bool,
    recorder: &mut StepRecorder<'_>,
    tree: &RootTree,
    installed: &[Installed],
    host: &Host,
) -> Result<()> {
    for script in scripts {
        let package = script.name.strip_prefix(OF_PACKAGES);
        if let Some(package) = package
            && !installed.iter().any(|other| other.name == package)
        {
            host.warn(
                Warning::Script,
                &format!("{} is not run: no package {package} is installed", script.name),
            );
            continue;
        }
        let stage = host.stage(StageTask::RunScript, format!("Running {}", script.name));
        recorder.begin(StepKind::Script, &script.name)?;
        match run_one(script, network, tree, host) {
            Err(error) if package.is_some() && error.is::<ScriptFailed>() => {
                host.warn(Warning::Script, &format!("{error:#}"));
            }
            other => other?,
        }
        stage.finish();
    }
    Ok(())
}

/// Copies a script of the description into the tree, runs it and removes it.
pub(super) fn run_one(script: &Planned, network: bool, tree: &RootTree, host: &Host) -> Result<()> {
    let location = format!("{DESCRIPTION}/{}", script.name);
    tree.write(&location, &script.text, script.mode)?;
    let result = Script::at(&location, &script.path.display().to_string()).run(tree, network, host);
    tree.remove(&location)?;
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_scripts_that_use_the_type() {
        assert!(names_type("if [ \"$kiwi_type\" = iso ]; then :; fi"));
        assert!(names_type("case ${type:-} in"));
        assert!(!names_type("mount -t tmpfs none /mnt # the type of a file system"));
    }
}
