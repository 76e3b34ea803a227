//! Exactly the packages of a lock: fetched by their location, proved by their digest, put into a directory that is the one
//! repository of the build.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use description::RepositoryType;

use super::{Archive, PackagePlan, Resolution};
use crate::context::Context;
use crate::lock::LockedPackage;
use crate::repository::Resolved;

const APT_CONF: &str = "apt.conf";

impl PackagePlan {
    /// What a lock says of this plan's resolution.
    pub fn locked(&self, resolution: &Resolution, image: &str) -> Result<Vec<LockedPackage>> {
        let numbered = resolution.archives.iter().enumerate();
        numbered.map(|(order, archive)| self.locked_package(archive, order, image)).collect()
    }

    fn locked_package(&self, archive: &Archive, order: usize, image: &str) -> Result<LockedPackage> {
        let mut keywords = archive.file.trim_end_matches(".deb").rsplitn(3, '_');
        let (Some(architecture), Some(version), Some(name)) =
            (keywords.next(), keywords.next(), keywords.next())
        else {
            bail!("the package {} has no name, version and architecture", archive.file);
        };
        let uri = archive.uri.trim_start_matches("copy:").trim_start_matches("file:");
        let found = self.repositories.iter().find_map(|repository| {
            let file = uri.strip_prefix(repository.location.trim_end_matches('/'))?;
            Some((written(repository), file.trim_start_matches('/').to_owned()))
        });
        // A directory of packages is indexed at another location; there its files have no directories.
        let name_only = uri.rsplit('/').next().unwrap_or(uri).to_owned();
        let (repository, file) = found.unwrap_or(("local".to_owned(), name_only));
        Ok(LockedPackage {
            image: image.to_owned(),
            name: name.to_owned(),
            version: version.replace("%3a", ":"),
            architecture: architecture.to_owned(),
            order,
            sha256: archive.sha256.clone(),
            repository,
            file,
        })
    }

    /// Takes packages from nowhere but `directory`, which is filled with those of a lock. What the image itself is told of
    /// repositories stays.
    pub fn lock_to(&mut self, packages: &[LockedPackage], directory: &Path, context: &Context) -> Result<()> {
        let host = &context.host;
        host.create_directories(directory).with_context(|| format!("creating {}", directory.display()))?;
        // Nothing of the host's apt configuration is read.
        let settings = format!(
            "Dir::Etc \"{0}/\";\nAPT::Sandbox::User \"root\";\nAcquire::Retries \"2\";\n",
            directory.display()
        );
        host.write_file(&directory.join(APT_CONF), settings).context("writing the settings of apt")?;
        let stage = host.stage(format!("Collecting {} locked packages", packages.len()));
        let mut gone = Vec::new();
        for package in packages {
            host.check_interrupt()?;
            match self.collect(package, directory, context)? {
                true => {}
                false => gone.push(format!(
                    "{} {} {} ({} {})",
                    package.name, package.version, package.architecture, package.repository, package.file
                )),
            }
        }
        if !gone.is_empty() {
            bail!(
                "{} of kiwi.lock are gone from cache and repositories:\n  {}\nname a mirror that still has them \
                 (KIWI_DEBIAN_MIRROR may be a snapshot), or lock anew with --lock",
                if gone.len() == 1 { "a package".to_owned() } else { format!("{} packages", gone.len()) },
                gone.join("\n  ")
            );
        }
        stage.finish();
        for repository in &mut self.repositories {
            repository.for_build = false;
        }
        self.repositories.push(Resolved {
            kind: RepositoryType::DebDir,
            location: directory.display().to_string(),
            suites: vec!["./".to_owned()],
            components: Vec::new(),
            architectures: Vec::new(),
            keys: Vec::new(),
            checked: false,
            priority: None,
            for_build: true,
            in_image: None,
            credentials: None,
        });
        Ok(())
    }

    /// Puts one package into the directory; whether it was found.
    fn collect(&self, package: &LockedPackage, directory: &Path, context: &Context) -> Result<bool> {
        let cache = context.cache()?;
        let host = &context.host;
        let packages = cache.packages();
        let name =
            format!("{}_{}_{}.deb", package.name, package.version.replace(':', "%3a"), package.architecture);
        let target = directory.join(&name);
        if packages.find(&package.sha256).is_none() {
            let mut locations: Vec<&Resolved> =
                self.repositories.iter().filter(|repository| repository.for_build).collect();
            locations.sort_by_key(|repository| written(repository) != package.repository);
            for repository in locations {
                let location = format!("{}/{}", repository.location.trim_end_matches('/'), package.file);
                let file = match location.starts_with('/') {
                    true => Path::new(&location).to_owned(),
                    false => {
                        let fetched = host
                            .command("/usr/lib/apt/apt-helper")
                            .env("APT_CONFIG", directory.join(APT_CONF))
                            .args(["download-file", &location])
                            .arg(&target)
                            .arg(format!("SHA256:{}", package.sha256))
                            .writable(directory)
                            .network()
                            .run();
                        if fetched.is_err() {
                            host.check_interrupt()?;
                            continue;
                        }
                        target.clone()
                    }
                };
                if file.is_file() && packages.save(&package.sha256, &file, host)? {
                    break;
                }
            }
        }
        let Some(kept) = packages.find(&package.sha256) else { return Ok(false) };
        host.copy_file(&kept, &target).with_context(|| format!("writing {}", target.display()))?;
        Ok(true)
    }
}

/// The repository as a description may write it, never a mirror of the build host.
fn written(repository: &Resolved) -> String {
    let suite = repository.suites.first().map_or("", String::as_str);
    let public = repository.in_image.as_deref().is_some_and(|lists| lists.contains("URIs: @"));
    match (public, repository.location.starts_with('/')) {
        (true, _) => format!("debian://{suite}"),
        (false, true) => "local".to_owned(),
        (false, false) => repository.location.clone(),
    }
}
