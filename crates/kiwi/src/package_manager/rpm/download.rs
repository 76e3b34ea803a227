//! Downloads packages with curl, from the first mirror that has them: the solvers download only what they install, with everything
//! that this needs, and each in its own way.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::solver::{Session, VIEW};
use super::sources::{self, escaped};
use super::{failed, mirrors, name_of};
use crate::host::{CommandError, Host, sampled};
use crate::package_manager::fetch::Arrived;
use crate::package_manager::{ManagerFiles, Package};
use crate::repository::Resolved;

/// The directory of downloaded packages in [`ManagerFiles`].
const DIRECTORY: &str = "pkg";

/// Downloads the packages into `directory`. A file that a server does not have is missing afterwards.
pub(super) fn packages(
    packages: &[&Package],
    directory: &Path,
    fetched: &Arrived<'_>,
    session: Session<'_>,
) -> Result<()> {
    let Session { plan, files, host } = session;
    let all = packages;
    let mut by_repository: BTreeMap<usize, Vec<&Package>> = BTreeMap::new();
    for package in packages {
        let (index, _) = sources::of_location(plan, &package.location)
            .with_context(|| format!("no repository contains {}", package.location))?;
        by_repository.entry(index).or_default().push(package);
    }
    files.create_directory(DIRECTORY, host)?;
    for (index, packages) in by_repository {
        let repository = &plan.repositories[index];
        let mut missing = packages;
        for mirror in mirrors::urls(index, repository, files)? {
            let text = configuration(&mirror, repository, &missing);
            let report = || report(all, [directory, &files.path().join(DIRECTORY)], fetched);
            sampled(report, || from_mirror(&text, files, host))?;
            let arrived = |package: &Package| files.path().join(DIRECTORY).join(name_of(package));
            for package in missing.extract_if(.., |package| arrived(package).is_file()) {
                let (from, to) = (arrived(package), directory.join(name_of(package)));
                host.copy_file(&from, &to).with_context(|| format!("writing {}", to.display()))?;
                host.remove_file(&from).with_context(|| format!("removing {}", from.display()))?;
            }
            if missing.is_empty() {
                break;
            }
        }
    }
    Ok(())
}

/// Reports the packages in these directories.
fn report(packages: &[&Package], directories: [&Path; 2], fetched: &Arrived<'_>) {
    let (mut count, mut bytes) = (0, 0);
    for package in packages {
        let found = directories.iter().find_map(|directory| directory.join(name_of(package)).metadata().ok());
        let Some(length) = found.map(|file| file.len()) else { continue };
        // One that is still arriving is smaller.
        count += usize::from(package.size.is_none_or(|size| length >= size));
        bytes += length;
    }
    fetched(count, bytes);
}

fn from_mirror(configuration: &str, files: &ManagerFiles, host: &Host) -> Result<()> {
    files.write("tmp/curl", configuration, host)?;
    let command = host
        .command("curl")
        .writable(files.path())
        .bind(files.path(), VIEW, false)
        .args(["--disable", "--silent", "--show-error"])
        .args(["--config", &format!("{VIEW}/tmp/curl")])
        .network();
    match failed::with_proxies(command, host)?.run() {
        // What is missing is reported with the name of its package.
        Ok(()) | Err(CommandError::Failed { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Returns the configuration of curl, which no other process can read as it could read a command line.
fn configuration(mirror: &str, repository: &Resolved, packages: &[&Package]) -> String {
    let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
    let mut text = "fail\nlocation\nretry = 2\nparallel\nparallel-max = 8\nremove-on-error\n".to_owned();
    if let Some((user, password)) = &repository.credentials {
        text += &format!("user = {}\n", quoted(&format!("{user}:{password}")));
    }
    for package in packages {
        let start = repository.location.trim_end_matches('/');
        let path = package.location.strip_prefix(start).unwrap_or(&package.location);
        let output = format!("{VIEW}/{DIRECTORY}/{}", name_of(package));
        text += &format!(
            "url = {}\noutput = {}\n",
            quoted(&format!("{mirror}{}", escaped(path))),
            quoted(&output)
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "a test is its own host")]
    fn packages_have_arrived_when_their_files_are_complete() {
        let [arriving, finished] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        let package = |name: &str, size: u64| Package {
            name: name.to_owned(),
            version: "1-1".to_owned(),
            architecture: "noarch".to_owned(),
            checksum: String::new(),
            location: format!("https://h.example/{name}-1-1.noarch.rpm"),
            size: Some(size),
        };
        let packages = [package("a", 4), package("b", 4), package("c", 4)];
        std::fs::write(finished.path().join(name_of(&packages[0])), "1234").unwrap();
        std::fs::write(arriving.path().join(name_of(&packages[1])), "12").unwrap();
        let reported = Mutex::new((0, 0));
        let fetched = |count, bytes| *reported.lock().unwrap() = (count, bytes);
        let all: Vec<&Package> = packages.iter().collect();
        report(&all, [finished.path(), arriving.path()], &fetched);
        assert_eq!(reported.into_inner().unwrap(), (1, 6));
    }

    #[test]
    fn urls_are_escaped_and_the_password_is_quoted() {
        let mut repository = Resolved::of_packages("https://h.example/r/".to_owned());
        repository.credentials = Some(("u".to_owned(), "a\"b".to_owned()));
        let package = Package {
            name: "libstdc++".to_owned(),
            version: "1:2^3-4".to_owned(),
            architecture: "x86_64".to_owned(),
            checksum: String::new(),
            location: "https://h.example/r/x86_64/libstdc++-2^3-4.x86_64.rpm".to_owned(),
            size: None,
        };
        let text = configuration("https://h.example/r", &repository, &[&package]);
        assert!(text.contains("user = \"u:a\\\"b\"\n"), "{text}");
        assert!(
            text.contains("url = \"https://h.example/r/x86_64/libstdc++-2%5e3-4.x86_64.rpm\"\n"),
            "{text}"
        );
    }
}
