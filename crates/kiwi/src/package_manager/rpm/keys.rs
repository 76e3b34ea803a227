//! Signatures: each repository has a database of its own with exactly its keys, against which its metadata and its packages are
//! checked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::fetch::Fetched;
use super::solver::{HOME, VIEW};
use super::{Rpm, database, sources};
use crate::context::Context;
use crate::failure::{Failure, Kind};
use crate::host::{Command, Host, Warning};
use crate::package_manager::{ManagerFiles, Package};
use crate::repository::{Resolved, SigningKey, public_key, read_key};
use crate::stage::{Digest, canonical};

/// Raise it when packages are checked in another way: earlier results are not used then.
const FORMAT: u32 = 2;

/// Returns the root directory in [`ManagerFiles`] whose database has the keys of a repository.
pub(super) fn root_of(index: usize) -> String {
    format!("roots/{index}")
}

/// Returns the directory in [`ManagerFiles`] of the database with the keys of a repository.
pub(super) fn database_of(index: usize) -> String {
    format!("{}/{}", root_of(index), database::DEFAULT)
}

/// Returns a command for a program of rpm that checks signatures with the keys of a repository.
fn rpmkeys<'h>(index: usize, files: &ManagerFiles, host: &'h Host) -> Command<'h> {
    host.command("rpmkeys")
        .writable(files.path())
        .bind(files.path(), VIEW, false)
        .env("HOME", format!("{VIEW}/{HOME}"))
        .env("TMPDIR", format!("{VIEW}/tmp"))
        .arg(format!("--dbpath={VIEW}/{}", database_of(index)))
        .without_sync()
}

impl Rpm<'_> {
    /// Writes the keys of each repository to files.
    pub(super) fn read_keys(&self, files: &ManagerFiles, host: &Host) -> Result<()> {
        for (index, repository) in sources::used(self.plan) {
            let checks_metadata = sources::checks_metadata(repository, self.plan);
            let checks_packages = sources::checks_packages(repository, self.plan);
            if !checks_metadata && !checks_packages {
                continue;
            }
            if repository.keys.is_empty() {
                return Err(without_key(repository).into());
            }
            for (number, key) in repository.keys.iter().enumerate() {
                let (bytes, name) = self.key(key, &format!("{index}-{number}"), files, host)?;
                let key = public_key(&bytes, &name)?;
                let path = format!("keys/{index}-{number}.{}", key.extension);
                files.write(&path, armoured(&key.bytes, key.extension), host)?;
            }
        }
        Ok(())
    }

    /// Imports the keys of each repository into its own database, unless that was done before with the same files.
    pub(super) fn import_keys(&self, files: &ManagerFiles, host: &Host) -> Result<()> {
        for (index, repository) in sources::used(self.plan) {
            let database = database_of(index);
            if files.path().join(&database).exists() {
                continue;
            }
            files.create_directory(&database, host)?;
            for name in key_files(index, repository, files)? {
                let imported =
                    rpmkeys(index, files, host).arg("--import").arg(format!("{VIEW}/keys/{name}")).run();
                imported.map_err(|error| match error {
                    crate::host::CommandError::Failed { .. } => {
                        let message = format!(
                            "rpm does not accept the signing key {} of the repository {}",
                            described(&name, repository),
                            repository.described
                        );
                        anyhow::Error::from(error).context(Failure::new(Kind::Signature, message))
                    }
                    other => other.into(),
                })?;
            }
        }
        Ok(())
    }

    fn key(
        &self,
        key: &SigningKey,
        name: &str,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<(Vec<u8>, String)> {
        match key {
            SigningKey::File(path) => Ok((read_key(path)?, path.display().to_string())),
            SigningKey::Url(url) => {
                if !url.starts_with("https://") {
                    let text = format!(
                        "the signing key {url} cannot be trusted without an authenticated connection; use https, or a file"
                    );
                    host.warn(Warning::Repository, &text);
                }
                let fetched = format!("tmp/{name}.key");
                super::transfer::download(url, &fetched, None, files, host)
                    .with_context(|| format!("fetching the signing key {url}"))?;
                Ok((files.read(&fetched)?, url.clone()))
            }
        }
    }

    /// Checks the signature of each package with exactly the keys of its repository, unless the description says otherwise.
    pub(super) fn check_signatures(
        &self,
        packages: &[Package],
        fetched: &Fetched,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<()> {
        let mut by_repository: BTreeMap<usize, Vec<&Package>> = BTreeMap::new();
        for package in packages {
            let (index, repository) = sources::of_location(self.plan, &package.location)
                .with_context(|| format!("no repository contains the package {}", package.location))?;
            if sources::checks_packages(repository, self.plan) {
                by_repository.entry(index).or_default().push(package);
            }
        }
        for (index, packages) in by_repository {
            let repository = &self.plan.repositories[index];
            let keys = self.key_digests(index, repository, files)?;
            let question = Digest::of(canonical(&("rpm signatures", FORMAT, keys))?);
            let indices = context.cache()?.indices();
            let known = indices.resolution::<BTreeSet<String>>(&question, &context.host);
            let mut known = known.unwrap_or_default();
            let unknown: Vec<&Package> =
                packages.into_iter().filter(|package| !known.contains(&package.checksum)).collect();
            if unknown.is_empty() {
                continue;
            }
            self.check_with(index, &unknown, fetched, files, &context.host)?;
            known.extend(unknown.iter().map(|package| package.checksum.clone()));
            if let Err(error) = indices.save_resolution(&question, &known, &context.host) {
                let text = format!("the next build must check the signatures of packages again: {error:#}");
                context.host.warn(Warning::Cache, &text);
            }
        }
        Ok(())
    }

    /// Returns the digests of the keys of a repository, after [`Self::read_keys`].
    pub(super) fn key_digests(
        &self,
        index: usize,
        repository: &Resolved,
        files: &ManagerFiles,
    ) -> Result<Vec<Digest>> {
        let names = key_files(index, repository, files)?;
        names.iter().map(|name| Ok(Digest::of(files.read(&format!("keys/{name}"))?))).collect()
    }

    fn check_with(
        &self,
        index: usize,
        packages: &[&Package],
        fetched: &Fetched,
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<()> {
        self.import_keys(files, host)?;
        let paths: Vec<PathBuf> = packages.iter().map(|package| fetched.path(package)).collect();
        let mut lines = Vec::new();
        // Its exit code says nothing about a package without a signature.
        let run = rpmkeys(index, files, host)
            .arg("--checksig")
            .args(&paths)
            .run_watched(|line| lines.push(line.to_owned()));
        for (package, path) in packages.iter().zip(&paths) {
            let verdict = verdict(&lines, &path.display().to_string());
            if verdict == Verdict::Signed {
                continue;
            }
            let repository = &self.plan.repositories[index];
            return Err(refused(package, verdict, repository).into());
        }
        Ok(run?)
    }
}

/// Returns the names of the files of a repository's keys, in the order of the description.
fn key_files(index: usize, repository: &Resolved, files: &ManagerFiles) -> Result<Vec<String>> {
    let names = files.list("keys")?;
    let own = (0..repository.keys.len()).flat_map(|number| {
        let start = format!("{index}-{number}.");
        names.iter().filter(move |name| name.starts_with(&start))
    });
    Ok(own.cloned().collect())
}

/// Returns the path or URL of the key in a file of [`key_files`].
fn described(name: &str, repository: &Resolved) -> String {
    let number = name.split(['-', '.']).nth(1).and_then(|number| number.parse::<usize>().ok());
    match number.and_then(|number| repository.keys.get(number)) {
        Some(SigningKey::File(path)) => path.display().to_string(),
        Some(SigningKey::Url(url)) => url.clone(),
        None => name.to_owned(),
    }
}

/// What rpm says about the signature of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It has a valid signature by one of the keys.
    Signed,
    /// It has none.
    Unsigned,
    /// The signature is of another key, or wrong.
    Wrong,
}

/// Reads the line of `rpmkeys --checksig` about a file: `PATH: digests signatures OK`, `PATH: digests OK` without a signature,
/// `PATH: digests SIGNATURES NOT OK`.
fn verdict(lines: &[String], path: &str) -> Verdict {
    let facts = lines.iter().find_map(|line| line.strip_prefix(path)?.strip_prefix(": "));
    match facts {
        Some(facts) if facts.ends_with("NOT OK") => Verdict::Wrong,
        Some(facts) if facts.ends_with("OK") && facts.contains("signatures") => Verdict::Signed,
        Some(facts) if facts.ends_with("OK") => Verdict::Unsigned,
        _ => Verdict::Wrong,
    }
}

fn refused(package: &Package, verdict: Verdict, repository: &Resolved) -> Failure {
    let described = &repository.described;
    let (reason, remedy) = match verdict {
        Verdict::Signed | Verdict::Wrong => (
            "is signed with none of the keys of the repository, or its signature is wrong",
            "Add the key that signs its packages as another <signing key=\"..\"/> of the repository.",
        ),
        Verdict::Unsigned => (
            "has no signature",
            "Write package_gpgcheck=\"false\" if the repository signs its metadata only.",
        ),
    };
    let message = format!("the package {package} of the repository {described} {reason}");
    Failure::new(Kind::Signature, message).remedy(remedy)
}

fn without_key(repository: &Resolved) -> Failure {
    let message = format!("the repository {} has no signing key to check it with", repository.described);
    Failure::new(Kind::Signature, message).remedy(
        "Add <signing key=\"..\"/> with its public key to its <source>, or use --signing-key; without signatures, write \
         repository_gpgcheck=\"false\" and package_gpgcheck=\"false\".",
    )
}

/// Returns a key in the only form that rpm imports.
pub(super) fn armoured(bytes: &[u8], extension: &str) -> Vec<u8> {
    if extension == "asc" {
        return bytes.to_vec();
    }
    let mut text = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n".to_owned();
    let encoded = base64(bytes);
    for line in encoded.as_bytes().chunks(64) {
        text += std::str::from_utf8(line).unwrap_or_default();
        text.push('\n');
    }
    text += &format!("={}\n-----END PGP PUBLIC KEY BLOCK-----\n", base64(&checksum(bytes)));
    text.into_bytes()
}

/// Returns the CRC-24 of OpenPGP.
fn checksum(bytes: &[u8]) -> [u8; 3] {
    let mut crc: u32 = 0x00b7_04ce;
    for byte in bytes {
        crc ^= u32::from(*byte) << 16;
        for _ in 0..8 {
            crc <<= 1;
            if crc & 0x0100_0000 != 0 {
                crc ^= 0x0186_4cfb;
            }
        }
    }
    let [_, high, middle, low] = crc.to_be_bytes();
    [high, middle, low]
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let word =
            chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            let index = (word >> (18 - 6 * digit)) & 63;
            text.push(if digit > chunk.len() { '=' } else { char::from(DIGITS[index as usize]) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_without_signature_is_not_signed() {
        let lines = [
            "/p/a.rpm: digests signatures OK",
            "/p/b.rpm: digests OK",
            "/p/c.rpm: digests SIGNATURES NOT OK",
        ];
        let lines = lines.map(str::to_owned);
        let verdicts = ["/p/a.rpm", "/p/b.rpm", "/p/c.rpm", "/p/d.rpm"].map(|path| verdict(&lines, path));
        assert_eq!(verdicts, [Verdict::Signed, Verdict::Unsigned, Verdict::Wrong, Verdict::Wrong]);
    }

    #[test]
    fn a_binary_key_is_armoured() {
        let text = String::from_utf8(armoured(b"\x99\x01\x02\x03", "gpg")).unwrap();
        assert_eq!(text.lines().nth(2), Some("mQECAw=="));
        assert_eq!(base64(&checksum(b"")), "twTO", "the CRC of nothing is its start value");
        assert_eq!(base64(b"ab"), "YWI=");
    }
}
