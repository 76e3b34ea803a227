//! `kiwi repro`: builds a description twice, the second time under other circumstances, and says what differs.
//!
//! ```text
//! build into one/ -> build into other/ with another umask, time zone, language, scratch space, number of processors
//!   and store -> compare the root trees, then the images
//! ```
//!
//! The clock is another one by itself, as the builds follow each other. A difference in the tree comes from a package,
//! a script or the overlay; one in an image of equal trees comes from the writing of that image.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::host::Host;

/// Everything that must not matter, as a shell says it: `$1` is the store of packages, the rest the command.
const ONE: &str = "umask 022; export TZ=UTC KIWI_CACHE=\"$1\"; shift; exec \"$@\"";
const OTHER: &str = "umask 077; export TZ=Pacific/Kiritimati LANG=tr_TR.UTF-8 LC_ALL=C KIWI_SCRATCH=disk KIWI_CACHE=\"$1\"; \
    shift; command -v taskset >/dev/null && exec taskset -c 0 \"$@\"; exec \"$@\"";

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
    for (name, shell) in [("one", ONE), ("other", OTHER)] {
        build(request, name, shell, &destdir, host)?;
    }
    let pairs = [
        ("the root tree, which prepare made", "tree", None),
        ("the images, which create made", "images", Some("--no-times".to_owned())),
    ];
    let mut different = Vec::new();
    for (what, folder, option) in pairs {
        host.print(&format!("Comparing {what}:"));
        let places = ["one", "other"].map(|name| destdir.join(name).join(folder).display().to_string());
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

fn build(request: &Request, name: &str, shell: &str, destdir: &Path, host: &Host) -> Result<()> {
    let folder = destdir.join(name);
    let making = || format!("creating {}", folder.display());
    host.create_folders(&folder.join("images")).with_context(making)?;
    host.create_folders(&folder.join("store")).with_context(making)?;
    host.link("../../packages", &folder.join("store/packages")).with_context(making)?;
    let text = |path: PathBuf| path.display().to_string();
    let log = text(folder.join("build.log"));
    let mut words = ["-c", shell, "kiwi"].map(str::to_owned).to_vec();
    words.push(text(folder.join("store")));
    words.push(text(program()?));
    words.extend([
        "build".to_owned(),
        "--no-cache".to_owned(),
        text(request.description.clone()),
        "--logfile".to_owned(),
        log,
    ]);
    words.extend(["--root".to_owned(), text(folder.join("tree"))]);
    words.extend(["--destdir".to_owned(), text(folder.join("images"))]);
    words.extend(request.image_type.iter().flat_map(|word| ["--type".to_owned(), word.clone()]));
    words.extend(request.profiles.iter().flat_map(|name| ["--add-profile".to_owned(), name.clone()]));
    host.print(&format!("Building into {}:", folder.display()));
    let status = host.attended(Path::new("/bin/sh"), &words).context("starting the build")?;
    if !status.success() {
        bail!("the build into {} failed", folder.display());
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
