//! apt as the source of packages, which are read in the cache.
//!
//! A package that is used again is recompressed at the same time, and read in that form from then on.

use std::collections::HashMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use anyhow::{Context as _, Result, bail};

use super::configuration::{ARRIVING, REPOSITORIES, VIEW};
use super::{Apt, apt_program};
use crate::cache::Packages;
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::host::Host;
use crate::host::file::WorkDirectory;
use crate::package_form::{decoded, is_architecture, is_file, is_name, is_sha256, is_version};
use crate::package_manager::deb::{Deb, Finished};
use crate::package_manager::fetch::{self, Arrived, Fetched, Source, at_once, copy_local};
use crate::package_manager::{ManagerFiles, Package, PackageManager};

/// apt as the source of packages.
struct AptSource<'s> {
    apt: &'s Apt<'s>,
    files: &'s ManagerFiles,
    host: &'s Host,
}

impl Source for AptSource<'_> {
    fn name(&self, package: &Package) -> String {
        self.apt.file_name(package)
    }

    fn bring(&self, packages: &[&Package], directory: &Path, fetched: &Arrived<'_>) -> Result<()> {
        let remote = copy_local(packages, directory, |package| self.name(package), self.host)?;
        if remote.is_empty() {
            return Ok(());
        }
        self.apt.download(&remote, directory, fetched, self.files, self.host)
    }

    fn damaged(&self, package: &Package) -> anyhow::Error {
        let message = format!(
            "the package {} does not have the digest in its repository; build again",
            package.location
        );
        Failure::new(Kind::Damaged, message).into()
    }
}

impl Apt<'_> {
    /// Replaces the locations of packages as apt sees them by those of the host.
    ///
    /// # Errors
    ///
    /// A value has not the form that it must have in a path: an index of a repository is not trusted.
    pub(super) fn located(&self, packages: Vec<Package>) -> Result<Vec<Package>> {
        packages.into_iter().map(|package| self.locate(package)).collect()
    }

    fn locate(&self, package: Package) -> Result<Package> {
        let Package { name, version, architecture, checksum, location, size: _ } = &package;
        let has_form = is_name(name) && is_version(version) && is_architecture(architecture);
        if !(has_form && is_sha256(checksum)) {
            bail!(
                "the index of a repository has a package with a wrong name, version, architecture or SHA-256: {:?} \
                 at {location:?}, {checksum:?}",
                package.to_string()
            );
        }
        let view = format!("{VIEW}/{REPOSITORIES}/");
        let Some((index, file)) = location.strip_prefix(&view).and_then(|path| path.split_once('/')) else {
            return Ok(package);
        };
        let repository = index.parse().ok().and_then(|index: usize| self.build_repositories().nth(index));
        let (_, repository) =
            repository.with_context(|| format!("apt names an unknown file {location:?}"))?;
        let file = decoded(file.trim_start_matches("./"));
        if !is_file(&file) {
            bail!(
                "the index of the repository {:?} has a file outside it: {file:?} of the package {package}",
                repository.location
            );
        }
        let location = format!("{}/{file}", repository.location.trim_end_matches('/'));
        Ok(Package { location, ..package })
    }

    /// Downloads the packages that are missing in the cache; returns the path of each package.
    pub(super) fn fetch(
        &self,
        packages: &[Package],
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<Vec<Fetched>> {
        fetch::fetch(packages, &AptSource { apt: self, files, host: &context.host }, context)
    }

    /// Downloads packages into a directory; `fetched` gets the number of finished ones and their bytes.
    fn download(
        &self,
        packages: &[&Package],
        directory: &Path,
        fetched: &Arrived<'_>,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<()> {
        let mut command = apt_program("/usr/lib/apt/apt-helper", files, host)
            .arg("download-file")
            .writable(directory)
            .bind(directory, format!("{VIEW}/{ARRIVING}"), false)
            .needs_room(directory)
            .network();
        for package in packages {
            let target = format!("{VIEW}/{ARRIVING}/{}", self.file_name(package));
            command = command.arg(&package.location).arg(target).arg(format!("SHA256:{}", package.checksum));
        }
        let (mut begun, mut bytes) = (0, 0);
        let watch = |line: &str| {
            if let Some(size) = announced(line) {
                fetched(begun, bytes);
                begun += 1;
                bytes += size;
            }
        };
        command.run_watched(watch).map_err(|error| self.fetch_error(error, "the packages", host))
    }

    /// Like `fetch`, for packages that kiwi reads itself: returns recompressed packages if the cache has them.
    pub(super) fn fetch_to_read<'s>(
        &self,
        packages: &[Package],
        files: &ManagerFiles,
        context: &'s Context,
    ) -> Result<(Vec<PathBuf>, Repacker<'s>)> {
        let (cache, host) = (context.cache()?, &context.host);
        let repacked =
            at_once(packages, host, |package| cache.packages().find_repacked(&package.checksum, host))?;
        let others: Vec<Package> = packages
            .iter()
            .zip(&repacked)
            .filter(|(_, found)| found.is_none())
            .map(|(package, _)| package.clone())
            .collect();
        let fetched = self.fetch(&others, files, context)?;
        let again = others.iter().zip(&fetched).filter(|(_, fetched)| !fetched.new);
        let used_again: HashMap<PathBuf, String> =
            again.map(|(package, fetched)| (fetched.path.clone(), package.checksum.clone())).collect();
        let mut fetched = fetched.into_iter().map(|fetched| fetched.path);
        let paths = repacked.into_iter().filter_map(|found| found.or_else(|| fetched.next())).collect();
        let directory = match used_again.is_empty() {
            true => None,
            false => Some(cache.packages().arriving(host)?),
        };
        Ok((
            paths,
            Repacker {
                directory,
                used_again,
                finished: Finished::default(),
                packages: cache.packages(),
                host,
            },
        ))
    }
}

/// Returns the size of a file whose download a line of apt announces: `Get:7 URL [1491 kB]`.
fn announced(line: &str) -> Option<u64> {
    let (_, size) = line.strip_prefix("Get:")?.strip_suffix(']')?.rsplit_once('[')?;
    let (number, unit) = size.split_once(' ')?;
    let factor = match unit {
        "B" => 1.0,
        "kB" => 1e3,
        "MB" => 1e6,
        "GB" => 1e9,
        _ => return None,
    };
    Some((number.parse::<f64>().ok()? * factor) as u64)
}

/// Recompresses packages that are read for the second time.
pub(super) struct Repacker<'s> {
    directory: Option<WorkDirectory>,
    /// Digests by paths.
    used_again: HashMap<PathBuf, String>,
    finished: Finished,
    packages: &'s Packages,
    host: &'s Host,
}

impl Repacker<'_> {
    /// Returns the data archive of a package.
    pub(super) fn open(&self, package: &Deb) -> Result<Box<dyn Read>> {
        let wanted = self.used_again.get(package.path()).zip(self.directory.as_ref());
        let Some((digest, directory)) = wanted.filter(|_| package.is_slow()) else {
            return Ok(Box::new(package.data()?));
        };
        let path = directory.path().join(digest);
        if path.exists() {
            // The package is read once more, for a file that another package contains, too.
            return Ok(Box::new(package.data()?));
        }
        let file = self.host.create_file(&path).with_context(|| format!("writing {}", path.display()))?;
        Ok(Box::new(package.repacking(file, &path, self.finished.clone())?))
    }

    /// Saves the recompressed packages.
    pub(super) fn save(self) -> Result<()> {
        let finished = std::mem::take(&mut *self.finished.lock().unwrap_or_else(PoisonError::into_inner));
        at_once(&finished, self.host, |path| match path.file_name().and_then(|name| name.to_str()) {
            Some(digest) => self.packages.adopt_repacked(digest, path, self.host),
            None => Ok(()),
        })?;
        self.directory
            .map_or(Ok(()), |directory| directory.close().context("removing the directory of packages"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::package_manager::{Manager, PackagePath, PackagePlan};
    use crate::repository::Resolved;
    use description::PackageSet;

    fn plan() -> PackagePlan {
        let repository = Resolved::of_packages("/srv/re po/".to_owned());
        let set = PackageSet::default();
        PackagePlan {
            manager: Manager::Apt,
            distribution: Distribution::Debian,
            path: PackagePath::Native,
            architecture: "amd64".to_owned(),
            repositories: vec![repository],
            bootstrap: set.clone(),
            image: set,
            uninstall: Vec::new(),
            delete: Vec::new(),
            positions: description::Positions::default(),
            rpm: None,
        }
    }

    fn located(change: impl FnOnce(&mut Package)) -> Option<String> {
        let mut package = Package {
            name: "extra++".to_owned(),
            version: "1:2-3".to_owned(),
            architecture: "all".to_owned(),
            checksum: "0f".repeat(32),
            location: "/sys/repositories/0/./x%20y/extra%2b%2b.deb".to_owned(),
            size: None,
        };
        change(&mut package);
        let plan = plan();
        Apt::new(&plan).located(vec![package]).ok().map(|mut packages| packages.remove(0).location)
    }

    #[test]
    fn reads_the_size_of_a_download() {
        assert_eq!(announced("Get:7 http://m.example/x.deb [1491 kB]"), Some(1_491_000));
        assert_eq!(announced("Get:8 http://m.example/y.deb [37.6 kB]"), Some(37_600));
        assert_eq!(announced("Get:9 http://m.example/z.deb [712 B]"), Some(712));
        assert_eq!(announced("Fetched 9421 kB in 2s (4290 kB/s)"), None);
        assert_eq!(announced("Get:9 http://m.example/z.deb"), None);
    }

    #[test]
    fn an_index_names_only_files_of_its_repository() {
        assert_eq!(located(|_| ()).as_deref(), Some("/srv/re po/x y/extra++.deb"));
        let url = "http://example.org/pool/extra%2b%2b.deb";
        assert_eq!(located(|package| package.location = url.to_owned()).as_deref(), Some(url));
        for file in ["../../../etc/shadow", "%2e%2e/x", "a/../../x", "/etc/shadow", "x%0ay"] {
            let location = format!("/sys/repositories/0/{file}");
            assert_eq!(located(|package| package.location = location), None, "{file}");
        }
        assert_eq!(located(|package| package.location = "/sys/repositories/1/x".to_owned()), None);
        assert_eq!(located(|package| package.name = "../../extra".to_owned()), None);
        assert_eq!(located(|package| package.version = "1/2".to_owned()), None);
        assert_eq!(located(|package| package.architecture = "../all".to_owned()), None);
        assert_eq!(located(|package| package.checksum = "../../../../etc/shadow".to_owned()), None);
    }
}
