//! `kiwi repro`: builds a description twice in different environments and reports the differences.
//!
//! ```text
//! build into one/, without cached stages
//! -> build into other/ with a different clock, umask, time zone, language, host name, scratch space, number of
//!    processors and order of the description's files, and save its stages in a cache -> prepare again/ from them
//! -> compare the root trees, then the images
//! ```
//!
//! kiwi itself gets another clock if libfaketime is installed, and another host name if it runs as root; programs in the
//! tree see a later time, and their usual host name. A difference between the trees comes from a package, a script or the
//! overlay; one between the built tree and the tree from the cache comes from kiwi; one between images of identical trees
//! comes from the code that writes the image.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::outcome::{Comparison, Outcome, Part};
use crate::context::Context;
use crate::failure::fail;
use crate::host::Host;

/// Everything that must not matter, as shell text: `$1` is the cache of packages, the rest the command.
const ONE: &str = "umask 022; export TZ=UTC KIWI_CACHE=\"$1\"; shift; exec \"$@\"";
const OTHER: &str = "umask 077; export TZ=Pacific/Kiritimati LANG=tr_TR.UTF-8 LC_ALL=C KIWI_SCRATCH=disk KIWI_CACHE=\"$1\"; \
    shift; for clock in /usr/lib/*/faketime/libfaketime.so.1 /usr/lib64/faketime/libfaketime.so.1; do [ -f \"$clock\" ] && \
    export LD_PRELOAD=\"$clock\" FAKETIME=+400d FAKETIME_DONT_FAKE_MONOTONIC=1; done; \
    command -v taskset >/dev/null && set -- taskset -c 0 \"$@\"; \
    unshare --uts true 2>/dev/null && \
    set -- unshare --uts sh -c '{ echo other > /proc/sys/kernel/hostname; } 2>/dev/null; exec \"$@\"' sh \"$@\"; exec \"$@\"";

/// Copies the directory `$1` to the new directory `$2`, creating its files in the order of `sort $3`.
const COPY: &str = "mkdir -p \"$2\" && cd \"$1\" && find . -print0 | LC_ALL=C sort -z $3 | \
    tar --create --null --no-recursion --files-from=- | tar --extract --preserve-permissions --directory \"$2\"";

/// The description and the directory of both builds.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory of the description.
    pub description: PathBuf,
    /// Directory for trees and images of both builds; it must be new or empty.
    pub destdir: PathBuf,
    /// `--type`; `None`: the primary one.
    pub image_type: Option<String>,
    /// `--add-profile`
    pub profiles: Vec<String>,
}

/// Builds twice and compares. A signal removes everything that was written.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let destdir = &request.destdir;
    let making = || format!("creating {}", destdir.display());
    let created = first_missing(destdir);
    host.create_directories(destdir).with_context(making)?;
    if destdir.read_dir().with_context(making)?.next().is_some() {
        fail!(Exists, "{} is not empty; kiwi repro needs a new or empty directory", destdir.display());
    }
    let destdir = destdir.canonicalize().with_context(making)?;
    // After a signal the builds end by themselves, or are killed. The removal must not be cut in the middle.
    host.completely(|| {
        let outcome = build_and_compare(request, &destdir, context);
        if host.check_interrupt().is_err() {
            let written = ["description", "packages", "one", "other", "again"].map(|name| destdir.join(name));
            discard(&written, host)?;
            if let Some(created) = created {
                host.remove_tree(&created).with_context(|| format!("removing {}", created.display()))?;
            }
        }
        outcome
    })
}

/// Returns the highest directory that creating `path` creates.
fn first_missing(path: &Path) -> Option<PathBuf> {
    let ancestors = path.ancestors().filter(|path| !path.as_os_str().is_empty());
    ancestors.take_while(|path| path.symlink_metadata().is_err()).last().map(Path::to_owned)
}

/// Removes directories that may contain root trees. Files of a tree that an ordinary user built belong to subordinate ids,
/// which only a user namespace can remove.
fn discard(paths: &[PathBuf], host: &Host) -> Result<()> {
    if paths.iter().try_for_each(|path| host.remove_tree(path)).is_ok() {
        return Ok(());
    }
    let keywords = ["--map-root-user", "--map-auto", "rm", "--recursive", "--force", "--"].map(str::to_owned);
    let keywords: Vec<String> = keywords.into_iter().chain(paths.iter().cloned().map(text)).collect();
    let unshare = host.find_program("unshare")?;
    let removed = host.clean_up_with(&unshare, &keywords).context("removing the root trees")?;
    if !removed.success() {
        bail!(
            "the root trees of the interrupted builds cannot be removed: {} contains them",
            paths[0].display()
        );
    }
    Ok(())
}

/// Runs the builds and the comparisons below `destdir`.
fn build_and_compare(request: &Request, destdir: &Path, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let making = || format!("creating {}", destdir.display());
    // Packages are fetched once; finished stages are never shared, because they would be trivially equal.
    let packages = destdir.join("packages");
    host.create_directories(&packages).with_context(making)?;
    // Both builds use the same path, which the tree records.
    let (source, target) = (directory_of(&request.description), destdir.join("description"));
    let file = request.description.strip_prefix(source).unwrap_or(Path::new(""));
    let copy = Request { description: target.join(file), ..request.clone() };
    copy_description(source, &target, "", host)?;
    let allowed = context.allowed.directories().iter().cloned();
    let allowed: Vec<String> =
        allowed.flat_map(|directory| ["--allow-path".to_owned(), text(directory)]).collect();
    let own = ["--no-cache".to_owned(), "--destdir".to_owned(), text(destdir.join("one/images"))];
    let keywords = [&own[..], &allowed].concat();
    run_kiwi("build", &copy, "one", ONE, &keywords, destdir, host)?;
    host.remove_tree(&target).context("removing the copy of the description")?;
    copy_description(source, &target, "--reverse", host)?;
    let own = ["--destdir".to_owned(), text(destdir.join("other/images"))];
    let keywords = [&own[..], &allowed].concat();
    run_kiwi("build", &copy, "other", OTHER, &keywords, destdir, host)?;
    run_kiwi("prepare", &copy, "again", OTHER, &allowed, destdir, host)?;
    let pairs = [
        ("the root trees of both builds", ["one/tree", "other/tree"], None),
        ("the root tree and the one from the cache", ["other/tree", "again/tree"], None),
        ("the images of both builds", ["one/images", "other/images"], Some("--no-times".to_owned())),
    ];
    let mut parts = Vec::new();
    for (what, directories, option) in pairs {
        let locations = directories.map(|directory| text(destdir.join(directory)));
        let keywords = ["diff".to_owned(), "--json".to_owned()].into_iter().chain(locations).chain(option);
        parts.push(Part { what, comparison: compared(&keywords.collect::<Vec<_>>(), host)? });
    }
    let same = parts.iter().all(|part| part.comparison.same);
    Ok(Outcome::Reproduction { same, directory: destdir.to_owned(), parts })
}

fn text(path: PathBuf) -> String {
    path.display().to_string()
}

/// Returns the directory of a description that may be given as a file.
fn directory_of(description: &Path) -> &Path {
    match description.parent() {
        Some(directory) if description.is_file() => directory,
        _ => description,
    }
}

fn copy_description(from: &Path, to: &Path, order: &str, host: &Host) -> Result<()> {
    let keywords = ["-c", COPY, "copy"].map(str::to_owned).into_iter();
    let keywords: Vec<String> =
        keywords.chain([text(from.to_owned()), text(to.to_owned()), order.to_owned()]).collect();
    let status = host.attended(Path::new("/bin/sh"), &keywords).context("copying the description")?;
    if !status.success() || !to.is_dir() {
        fail!(File, "cannot copy the description {} to {}", from.display(), to.display());
    }
    Ok(())
}

/// Runs `kiwi VERB` into the directory `name`, in the environment that `shell` sets up.
fn run_kiwi(
    verb: &str,
    request: &Request,
    name: &str,
    shell: &str,
    own: &[String],
    destdir: &Path,
    host: &Host,
) -> Result<()> {
    let directory = destdir.join(name);
    let making = || format!("creating {}", directory.display());
    host.create_directories(&directory.join("images")).with_context(making)?;
    // The second prepare uses the stages of the build before.
    let cache = if name == "again" { destdir.join("other/cache") } else { directory.join("cache") };
    if name != "again" {
        host.create_directories(&cache).with_context(making)?;
        host.link("../../packages", &cache.join("packages")).with_context(making)?;
    }
    let mut keywords = ["-c", shell, "kiwi"].map(str::to_owned).to_vec();
    keywords.extend([text(cache), text(program()?), verb.to_owned(), text(request.description.clone())]);
    keywords.extend(["--logfile".to_owned(), text(directory.join("build.log"))]);
    keywords.extend(["--root".to_owned(), text(directory.join("tree"))]);
    keywords.extend_from_slice(own);
    keywords.extend(request.image_type.iter().flat_map(|keyword| ["--type".to_owned(), keyword.clone()]));
    keywords.extend(request.profiles.iter().flat_map(|name| ["--add-profile".to_owned(), name.clone()]));
    host.say(&format!("Running 'kiwi {verb}' into {}:", directory.display()));
    let status = host.attended(Path::new("/bin/sh"), &keywords).context("starting kiwi")?;
    if !status.success() {
        bail!("'kiwi {verb}' into {} failed", directory.display());
    }
    Ok(())
}

/// Runs `kiwi diff --json` and returns the outcome of its last event.
fn compared(keywords: &[String], host: &Host) -> Result<Comparison> {
    let output = host.captured(&program()?, keywords).context("starting kiwi")?;
    let text = String::from_utf8(output.stdout).context("reading the output of kiwi diff")?;
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap_or_default())
        .context("reading the output of kiwi diff")?;
    match last["event"].as_str() {
        Some("result") => {
            serde_json::from_value(last["outcome"].clone()).context("reading the output of kiwi diff")
        }
        _ => bail!("'kiwi diff' failed: {}", last["message"].as_str().unwrap_or("it reported no reason")),
    }
}

fn program() -> Result<PathBuf> {
    std::env::current_exe().context("finding this program")
}
