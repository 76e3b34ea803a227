//! Packages into the store: each is fetched once, checked against the digest its repository names, and used in place.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::output::update_error;
use super::{Apt, WORK};
use crate::host::Host;
use crate::package_manager::Archive;
use crate::root_tree::RootTree;
use crate::store::Store;

impl Apt<'_> {
    /// Where each of the archives lies: in the store, or in our folder when its repository names no digest.
    pub(super) fn fetch(
        &self,
        archives: &[Archive],
        tree: &RootTree,
        store: &Store,
        host: &Host,
    ) -> Result<Vec<PathBuf>> {
        let own = tree.path().join(WORK).join("archives");
        let mut missing = Vec::new();
        for archive in archives {
            match &archive.sha256 {
                Some(digest) if store.packages().find_intact(digest, host)?.is_some() => {}
                _ => missing.push(archive),
            }
        }
        if !missing.is_empty() {
            let stage = host.stage(format!("Fetching {} packages", missing.len()));
            let arriving = store.packages().arriving(host)?;
            let place = |archive: &Archive| match archive.sha256 {
                Some(_) => arriving.path().join(&archive.file),
                None => own.join(&archive.file),
            };
            let mut command = host
                .command("/usr/lib/apt/apt-helper")
                .arg("download-file")
                .writable(tree.path())
                .writable(arriving.path())
                .needs_room(arriving.path())
                .env("APT_CONFIG", tree.path().join(WORK).join("apt.conf"))
                .network();
            for archive in &missing {
                let hash =
                    archive.sha256.as_ref().map_or_else(String::new, |digest| format!("SHA256:{digest}"));
                command = command.arg(&archive.uri).arg(place(archive)).arg(hash);
            }
            command.run().map_err(|error| update_error(error, "the packages"))?;
            for archive in &missing {
                if let Some(digest) = &archive.sha256
                    && !store.packages().adopt(digest, &place(archive), host)?
                {
                    bail!(
                        "the package {} does not have the digest its repository names; fetch again",
                        archive.uri
                    );
                }
            }
            arriving.close().context("removing the folder of arriving packages")?;
            stage.finish();
        }
        Ok(archives
            .iter()
            .map(|archive| {
                let stored = archive.sha256.as_deref().and_then(|digest| store.packages().find(digest));
                stored.unwrap_or_else(|| own.join(&archive.file))
            })
            .collect())
    }
}
