//! `kiwi explain`: where a path of an image comes from: its package, and the steps of the build that wrote it.
//!
//! ```text
//! image -> its database of packages ----------------------+
//! kiwi.result.json beside it, or image/ of a root tree ---+-> package, then each step in its order
//! ```

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use super::look;
use super::outcome::{Entry, OriginAnswer, OriginStep, Outcome, Source};
use crate::context::Context;
use crate::failure::fail;
use crate::host::Host;
use crate::origins::{Origins, StepKind};
use crate::package_manager::{self, Owner};
use crate::result_record::ResultRecord;
use crate::root_tree::RootTree;
use crate::stage::Stage;

/// Where update-alternatives keeps its links.
const ALTERNATIVES: &str = "etc/alternatives/";

/// The image and a path in it.
#[derive(Debug, Clone)]
pub struct Request {
    /// An image, or a root tree.
    pub image: PathBuf,
    /// The path.
    pub path: String,
}

/// Returns where the path comes from.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let path = normal(&request.path);
    if path.is_empty() {
        fail!(
            Usage,
            "kiwi explain needs the path of a file or directory below /; 'kiwi ls IMAGE' lists them"
        );
    }
    let opened = look::open_system(&request.image, host)?;
    let tree = RootTree::merged(&look::within(opened.root(), &path))?;
    let answer = answer(request, path, &tree, opened.root(), host);
    drop(tree);
    opened.close()?;
    answer.map(Outcome::Origin)
}

/// Returns a path without `.`, `..`, leading and repeated slashes.
fn normal(path: &str) -> String {
    let mut parts: Vec<String> = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => parts.push(name.to_string_lossy().into_owned()),
            Component::ParentDir => drop(parts.pop()),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    parts.join("/")
}

fn answer(
    request: &Request,
    path: String,
    tree: &RootTree,
    root: &Path,
    host: &Host,
) -> Result<OriginAnswer> {
    if tree.root().resolve_nofollow(&path).is_err() {
        fail!(
            File,
            "{} has no /{path}; a script may have removed it after its package or overlay was installed",
            request.image.display()
        );
    }
    let Entry { kind, target, .. } = look::entry(path.clone(), tree, &path)?;
    let is_directory = kind == "directory";
    let other = match package_manager::has_database(tree) {
        true => None,
        false => other_database(root),
    };
    let database = other.as_ref().or(Some(tree).filter(|tree| package_manager::has_database(tree)));
    let mut names = names(tree, &path);
    if other.is_some() {
        // The partition may be mounted there.
        names.push(format!("boot/{path}"));
        names.push(format!("boot/efi/{path}"));
    }
    let origins = match Origins::read(tree)? {
        Some(origins) => Some(origins),
        None => recorded(&request.image)?,
    };
    let owners =
        database.map_or(Ok(Vec::new()), |database| package_manager::owners(database, &names, host))?;
    let mut steps: Vec<OriginStep> =
        owners.into_iter().map(|owner| of_package(owner, origins.as_ref())).collect();
    if let Some(name) = alternative(&path, target.as_deref()) {
        steps.push(OriginStep { stage: None, source: Source::Alternative { name } });
    }
    let mut notes = Vec::new();
    match &origins {
        Some(origins) => of_steps(origins, &names, is_directory, &mut steps, &mut notes),
        None => notes.push(format!(
            "no record of the build is beside {}: its archives, overlays and scripts are not known",
            request.image.display()
        )),
    }
    if database.is_none() {
        notes.push("the image has no database of packages that kiwi can read".to_owned());
    } else if steps.is_empty() {
        notes.push(
            "no package contains this path, and no recorded step wrote it: a script of a package or post_bootstrap.sh made \
             it, or kiwi itself (boot loader, boot image, /etc/fstab)"
                .to_owned(),
        );
    }
    Ok(OriginAnswer { path: format!("/{path}"), file_kind: kind, target, steps, notes })
}

/// Returns the partition of a disk that has a database of packages.
fn other_database(root: &Path) -> Option<RootTree> {
    package_manager::DATABASES.iter().find_map(|name| {
        let tree = RootTree::merged(&look::within(root, name)).ok()?;
        package_manager::has_database(&tree).then_some(tree)
    })
}

/// Returns every name of a path: as it is, with the links of its directories followed, and as before the directories of `/` were
/// merged into `/usr`.
fn names(tree: &RootTree, path: &str) -> Vec<String> {
    let mut names = BTreeSet::from([path.to_owned()]);
    let mut current = path.to_owned();
    for _ in 0..40 {
        let Some(followed) = follow_first(tree, &current) else { break };
        names.insert(followed.clone());
        current = followed;
    }
    for name in names.clone() {
        let Some(rest) = name.strip_prefix("usr/") else { continue };
        let top = rest.split('/').next().unwrap_or_default();
        let is_merged = |target: &Path| normal(&target.to_string_lossy()) == format!("usr/{top}");
        if rest.len() > top.len() && tree.root().readlink(top).is_ok_and(|target| is_merged(&target)) {
            names.insert(rest.to_owned());
        }
    }
    names.into_iter().collect()
}

/// Replaces the first directory of a path that is a link by its target.
fn follow_first(tree: &RootTree, path: &str) -> Option<String> {
    let parts: Vec<&str> = path.split('/').collect();
    (1..parts.len()).find_map(|count| {
        let directory = parts[..count].join("/");
        let target = tree.root().readlink(&directory).ok()?;
        let parent = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
        let rest = parts[count..].join("/");
        Some(normal(&Path::new("/").join(parent).join(target).join(rest).to_string_lossy()))
    })
}

/// Returns what the record beside an image has about the steps of its build.
fn recorded(image: &Path) -> Result<Option<Origins>> {
    let directory = image.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = image.file_name().filter(|_| image.is_file()) else { return Ok(None) };
    let Some(record) = ResultRecord::read(directory)? else { return Ok(None) };
    let mut images = record.images.into_iter().filter(|built| built.directory.is_none());
    let built = images.find(|built| built.files.iter().any(|file| name == file.file.as_str()));
    Ok(built.map(|built| built.origins).filter(|origins| !origins.is_empty()))
}

fn of_package(owner: Owner, origins: Option<&Origins>) -> OriginStep {
    let Owner { package, is_configuration, is_changed, is_dependency } = owner;
    let stage = origins.map(|origins| match origins.bootstrap.contains(&package.name) {
        true => Stage::Bootstrap.keyword(),
        false => Stage::Packages.keyword(),
    });
    let source = Source::Package {
        name: package.name,
        version: package.version,
        architecture: package.architecture,
        configuration: is_configuration,
        changed: is_changed,
        dependency: is_dependency,
    };
    OriginStep { stage, source }
}

/// Returns the group of alternatives that made a link.
fn alternative(path: &str, target: Option<&str>) -> Option<String> {
    let name = path.strip_prefix(ALTERNATIVES);
    let name = name.or_else(|| target?.trim_start_matches('/').strip_prefix(ALTERNATIVES));
    name.filter(|name| !name.contains('/')).map(str::to_owned)
}

fn of_steps(
    origins: &Origins,
    names: &[String],
    is_directory: bool,
    found: &mut Vec<OriginStep>,
    notes: &mut Vec<String>,
) {
    for step in &origins.steps {
        let below = |path: &&String| {
            names
                .iter()
                .any(|name| path.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/')))
        };
        let count = match is_directory {
            true => step.paths.iter().filter(below).count(),
            false => usize::from(step.paths.iter().any(|path| names.contains(path))),
        };
        let files_below = is_directory.then_some(count);
        let name = step.name.clone();
        let source = match step.kind {
            StepKind::Archive => Source::Archive { name, files_below },
            StepKind::Overlay => {
                let file = names.iter().find(|name| step.paths.contains(name)).cloned();
                let name = file.map_or_else(|| name.clone(), |file| format!("{name}/{file}"));
                Source::Overlay { name, files_below }
            }
            StepKind::Users => Source::Users { files_below },
            StepKind::Files => Source::File { files_below },
            StepKind::Settings => Source::Settings { files_below },
            StepKind::Script => Source::Script { name, files_below },
            StepKind::Removal => Source::Removal { files_below },
        };
        if count > 0 {
            found.push(OriginStep { stage: Some(step.stage.keyword()), source });
        } else if step.omitted > 0 {
            let what = source.title();
            notes.push(format!("{what} changed more files than the record lists ({} more)", step.omitted));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_every_name_that_links_of_directories_give_it() {
        let directory = tempfile::tempdir().unwrap();
        let tree = RootTree::merged(directory.path()).unwrap();
        tree.write("usr/bin/ls", "x", 0o755).unwrap();
        tree.write("run/lock/x", "x", 0o644).unwrap();
        tree.symlink("bin", "usr/bin").unwrap();
        tree.symlink("var/run", "/run").unwrap();
        tree.symlink("loop", "/loop").unwrap();
        assert_eq!(names(&tree, "bin/ls"), ["bin/ls", "usr/bin/ls"]);
        assert_eq!(names(&tree, "usr/bin/ls"), ["bin/ls", "usr/bin/ls"]);
        assert_eq!(names(&tree, "var/run/lock/x"), ["run/lock/x", "var/run/lock/x"]);
        assert_eq!(names(&tree, "loop/x"), ["loop/x"]);
        assert_eq!(normal("//etc/./x/../motd/"), "etc/motd");
    }

    #[test]
    fn links_of_alternatives_are_recognised() {
        let name = |path, target| alternative(path, target);
        assert_eq!(name("etc/alternatives/pager", None).as_deref(), Some("pager"));
        assert_eq!(name("usr/bin/pager", Some("/etc/alternatives/pager")).as_deref(), Some("pager"));
        assert_eq!(name("usr/bin/less", Some("more")), None);
    }
}
