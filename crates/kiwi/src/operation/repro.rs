//! `kiwi repro`: builds a description twice, the second time under other circumstances, and says what differs.
//!
//! ```text
//! build into one/, without stages of the store
//! -> build into other/ with another clock, umask, time zone, language, host name, scratch space, number of processors,
//!    order of the description's files, and keep its stages in a store -> prepare again/ from those stages
//! -> compare the root trees, then the images
//! ```
//!
//! Another clock has kiwi itself, where libfaketime is installed, and another host name, where it is root; for what runs
//! inside of it the later moment is, and the name that it always has. A difference in the tree comes from a package, a script
//! or the overlay, one between trees made and taken from the store from kiwi, one in an image of equal trees from the writing
//! of that image.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::host::Host;

/// Everything that must not matter, as a shell says it: `$1` is the store of packages, the rest the command.
const ONE: &str = "umask 022; export TZ=UTC KIWI_CACHE=\"$1\"; shift; exec \"$@\"";
const OTHER: &str = "umask 077; export TZ=Pacific/Kiritimati LANG=tr_TR.UTF-8 LC_ALL=C KIWI_SCRATCH=disk KIWI_CACHE=\"$1\"; \
    shift; for clock in /usr/lib/*/faketime/libfaketime.so.1 /usr/lib64/faketime/libfaketime.so.1; do [ -f \"$clock\" ] && \
    export LD_PRELOAD=\"$clock\" FAKETIME=+400d FAKETIME_DONT_FAKE_MONOTONIC=1; done; \
    command -v taskset >/dev/null && set -- taskset -c 0 \"$@\"; \
    unshare --uts true 2>/dev/null && \
    set -- unshare --uts sh -c '{ echo other > /proc/sys/kernel/hostname; } 2>/dev/null; exec \"$@\"' sh \"$@\"; exec \"$@\"";

/// Copies the folder `$1` into the new folder `$2`, its files made in the order that `sort $3` gives.
const COPY: &str = "mkdir -p \"$2\" && cd \"$1\" && find . -print0 | LC_ALL=C sort -z $3 | \
    tar --create --null --no-recursion --files-from=- | tar --extract --preserve-permissions --directory \"$2\"";

/// What to build twice, and where.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory of the description.
    pub description: PathBuf,
    /// Where trees and images of both builds go; it must be new or empty.
    pub destdir: PathBuf,
    /// `--type`; none: the primary one.
    pub image_type: Option<String>,
    /// `--add-profile`
    pub profiles: Vec<String>,
}

/// Builds twice and compares.
pub fn run(request: &Request, host: &Host) -> Result<()> {
    let destdir = &request.destdir;
    let making = || format!("creating {}", destdir.display());
    host.create_folders(destdir).with_context(making)?;
    if destdir.read_dir().with_context(making)?.next().is_some() {
        bail!("{} is not empty; kiwi repro needs a folder of its own", destdir.display());
    }
    let destdir = destdir.canonicalize().with_context(making)?;
    // Packages are fetched once, finished stages never shared: they would be equal because they are the same.
    let packages = destdir.join("packages");
    host.create_folders(&packages).with_context(making)?;
    // Both times at the same place, which the tree remembers.
    let (source, target) = (folder_of(&request.description), destdir.join("description"));
    let file = request.description.strip_prefix(source).unwrap_or(Path::new(""));
    let copy = Request { description: target.join(file), ..request.clone() };
    copy_description(source, &target, "", host)?;
    let words = ["--no-cache".to_owned(), "--destdir".to_owned(), text(destdir.join("one/images"))];
    run_kiwi("build", &copy, "one", ONE, &words, &destdir, host)?;
    host.remove_tree(&target).context("removing the copy of the description")?;
    copy_description(source, &target, "--reverse", host)?;
    let words = ["--destdir".to_owned(), text(destdir.join("other/images"))];
    run_kiwi("build", &copy, "other", OTHER, &words, &destdir, host)?;
    run_kiwi("prepare", &copy, "again", OTHER, &[], &destdir, host)?;
    let pairs = [
        ("the root tree, which prepare made", ["one/tree", "other/tree"], None),
        ("the root tree that came from the store", ["other/tree", "again/tree"], None),
        ("the images, which create made", ["one/images", "other/images"], Some("--no-times".to_owned())),
    ];
    let mut different = Vec::new();
    for (what, folders, option) in pairs {
        host.print(&format!("Comparing {what}:"));
        let places = folders.map(|folder| text(destdir.join(folder)));
        let words = ["diff".to_owned()].into_iter().chain(places).chain(option);
        if !kiwi(&words.collect::<Vec<_>>(), host)? {
            different.push(what);
        }
    }
    match different.first() {
        None => {
            host.print("Both builds are the same, byte by byte");
            Ok(())
        }
        Some(first) => bail!("the builds differ, first in {first}; both are in {}", destdir.display()),
    }
}

fn text(path: PathBuf) -> String {
    path.display().to_string()
}

/// A description may be named by its file.
fn folder_of(description: &Path) -> &Path {
    match description.parent() {
        Some(folder) if description.is_file() => folder,
        _ => description,
    }
}

fn copy_description(from: &Path, to: &Path, order: &str, host: &Host) -> Result<()> {
    let words = ["-c", COPY, "copy"].map(str::to_owned).into_iter();
    let words: Vec<String> =
        words.chain([text(from.to_owned()), text(to.to_owned()), order.to_owned()]).collect();
    let status = host.attended(Path::new("/bin/sh"), &words).context("copying the description")?;
    if !status.success() || !to.is_dir() {
        bail!("the description {} could not be copied to {}", from.display(), to.display());
    }
    Ok(())
}

/// Runs `kiwi VERB` into the folder `name`, in the surroundings that `shell` makes.
fn run_kiwi(
    verb: &str,
    request: &Request,
    name: &str,
    shell: &str,
    own: &[String],
    destdir: &Path,
    host: &Host,
) -> Result<()> {
    let folder = destdir.join(name);
    let making = || format!("creating {}", folder.display());
    host.create_folders(&folder.join("images")).with_context(making)?;
    // What is prepared again takes the stages of the build before.
    let store = if name == "again" { destdir.join("other/store") } else { folder.join("store") };
    if name != "again" {
        host.create_folders(&store).with_context(making)?;
        host.link("../../packages", &store.join("packages")).with_context(making)?;
    }
    let mut words = ["-c", shell, "kiwi"].map(str::to_owned).to_vec();
    words.extend([text(store), text(program()?), verb.to_owned(), text(request.description.clone())]);
    words.extend(["--logfile".to_owned(), text(folder.join("build.log"))]);
    words.extend(["--root".to_owned(), text(folder.join("tree"))]);
    words.extend_from_slice(own);
    words.extend(request.image_type.iter().flat_map(|word| ["--type".to_owned(), word.clone()]));
    words.extend(request.profiles.iter().flat_map(|name| ["--add-profile".to_owned(), name.clone()]));
    host.print(&format!("Running 'kiwi {verb}' into {}:", folder.display()));
    let status = host.attended(Path::new("/bin/sh"), &words).context("starting kiwi")?;
    if !status.success() {
        bail!("'kiwi {verb}' into {} failed", folder.display());
    }
    Ok(())
}

/// Runs this program with other words; whether it found nothing to complain about.
fn kiwi(words: &[String], host: &Host) -> Result<bool> {
    Ok(host.attended(&program()?, words).context("starting kiwi")?.success())
}

fn program() -> Result<PathBuf> {
    std::env::current_exe().context("finding this program")
}
