//! Packages whose checksum in the metadata is not a SHA-256, by which kiwi knows packages: each is fetched once, checked, and its
//! SHA-256 is remembered.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, Result};
use ondisk::digest::{Digest as _, Sha224, Sha256, Sha384, Sha512, hex};

use super::catalogue::Found;
use super::metadata::{Algorithm, Checksum};
use super::{Rpm, name_of};
use crate::context::Context;
use crate::host::{Host, StageTask, printable};
use crate::package_manager::ManagerFiles;
use crate::package_manager::fetch::transfer;
use crate::stage::{Digest, canonical};

impl Rpm<'_> {
    /// Adds the SHA-256 of each package for which the metadata has another checksum.
    pub(super) fn identify(
        &self,
        found: &mut [Found],
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<()> {
        let (cache, host) = (context.cache()?, &context.host);
        for package in found.iter_mut().filter(|found| found.package.checksum.is_empty()) {
            if let Some(known) = cache.indices().resolution(&question(&package.listed)?, host) {
                package.package.checksum = known;
            }
        }
        let mut unknown: Vec<&mut Found> =
            found.iter_mut().filter(|found| found.package.checksum.is_empty()).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let stage = host.stage(
            StageTask::FetchPackages,
            format!("Fetching {}", printable::count(unknown.len(), "package")),
        );
        let arriving = cache.packages().arriving(host)?;
        let packages: Vec<_> = unknown.iter().map(|found| &found.package).collect();
        self.bring(&packages, arriving.path(), &transfer(&stage, &packages), files, host)?;
        for found in &mut unknown {
            let file = arriving.path().join(name_of(&found.package));
            let (listed, sha256) = digests(&file, found.listed.algorithm, host)?;
            if listed != found.listed.hex || !cache.packages().adopt(&sha256, &file, host)? {
                return Err(self.damaged(&found.package).into());
            }
            cache.indices().save_resolution(&question(&found.listed)?, &sha256, host)?;
            found.package.checksum = sha256;
        }
        arriving.close().context("removing the directory of downloaded packages")?;
        stage.finish();
        Ok(())
    }
}

/// Returns the digest under which the cache has the SHA-256 of a package.
fn question(listed: &Checksum) -> Result<Digest> {
    Ok(Digest::of(canonical(&("SHA-256 of a package", listed))?))
}

/// Returns two digests of a file: that of an algorithm, and the SHA-256.
fn digests(path: &Path, algorithm: Algorithm, host: &Host) -> Result<(String, String)> {
    match algorithm {
        Algorithm::Sha224 => both::<Sha224>(path, host),
        Algorithm::Sha384 => both::<Sha384>(path, host),
        Algorithm::Sha512 => both::<Sha512>(path, host),
        Algorithm::Md5 | Algorithm::Sha1 | Algorithm::Sha256 => both::<Sha256>(path, host),
    }
}

fn both<D: ondisk::digest::Digest>(path: &Path, host: &Host) -> Result<(String, String)> {
    let reading = || format!("reading {}", path.display());
    let mut file = File::open(path).with_context(reading)?;
    let (mut listed, mut sha256) = (D::new(), Sha256::new());
    let mut buffer = vec![0; 1 << 16];
    loop {
        host.check_interrupt()?;
        match file.read(&mut buffer).with_context(reading)? {
            0 => return Ok((hex(listed.finalize()), hex(sha256.finalize()))),
            count => {
                listed.update(&buffer[..count]);
                sha256.update(&buffer[..count]);
            }
        }
    }
}
