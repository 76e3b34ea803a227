//! The second stage: what the description says of the system, on top of its packages.
//!
//! ```text
//! overlay -> archives -> users -> config-yast.xml -> settings -> .profile, .kconfig -> scripts -> deletions
//! ```

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use description::{Password, Selection, Settings, User};

use super::{overlay, profile_file, scripts, settings, users};
use crate::host::Host;
use crate::package_manager::PackageManager;
use crate::root_tree::RootTree;
use crate::source::Source;
use crate::stage::{Digest, Inputs, Stage};

/// Everything this stage does, decided and read.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    name: String,
    version: String,
    /// `root/`, then one directory per active profile.
    overlays: Vec<overlay::Plan>,
    archives: Vec<(PathBuf, Digest)>,
    users: Vec<User>,
    settings: Settings,
    profile_file: String,
    /// `config-yast.xml`
    autoyast: Option<Vec<u8>>,
    scripts: Vec<scripts::Planned>,
    delete: Vec<description::PackageName>,
    /// Whether scripts may use the network.
    network: bool,
}

pub(super) fn plan(selection: &Selection, source: &Source, network: bool) -> Result<Plan> {
    let mut overlays = Vec::new();
    let profiles = selection.profiles.iter().map(description::ProfileName::as_str);
    for name in std::iter::once("root").chain(profiles) {
        if let Some(directory) = source.find(name) {
            overlays.push(overlay::plan(&directory, source.directory())?);
        }
    }
    let mut archives = Vec::new();
    for name in selection.bootstrap.archives.iter().chain(&selection.image.archives) {
        match source.find(name) {
            Some(path) => {
                let digest = overlay::digest(&path)?;
                archives.push((path, digest));
            }
            None => {
                bail!(
                    "the archive {name} is not in the description directory {}",
                    source.directory().display()
                )
            }
        }
    }
    let autoyast = source.directory().join("config-yast.xml");
    let autoyast = match autoyast.is_file() {
        true => Some(std::fs::read(&autoyast).with_context(|| format!("reading {}", autoyast.display()))?),
        false => None,
    };
    Ok(Plan {
        name: selection.name.to_string(),
        version: selection.version.to_string(),
        overlays,
        archives,
        users: selection.users.clone(),
        settings: selection.settings.clone(),
        profile_file: profile_file::text(&profile_file::variables(selection)),
        autoyast,
        scripts: scripts::plan(source)?,
        delete: selection.delete.clone(),
        network,
    })
}

impl Plan {
    /// Whether the network had a part in the result.
    pub(super) fn uses_network(&self) -> bool {
        self.network && !self.scripts.is_empty()
    }

    /// Whether a directory of the description provides this file.
    pub(super) fn provides(&self, path: &str) -> bool {
        self.overlays.iter().any(|overlay| overlay.provides(path))
    }

    /// What goes into this stage. No time after `epoch` counts: it will be that of the epoch.
    pub(super) fn inputs(&self, packages: &Inputs, epoch: u64) -> Inputs {
        let mut inputs = Inputs::new(Stage::Tree);
        inputs.after(packages);
        for overlay in &self.overlays {
            overlay.inputs(epoch, &mut inputs);
        }
        for (path, digest) in &self.archives {
            inputs.digest(format!("the archive {}", path.display()), digest.clone());
        }
        // What `Debug` shows of a user has no password in it.
        let passwords: Vec<Option<&str>> = self
            .users
            .iter()
            .map(|user| {
                user.password.as_ref().map(|password| match password {
                    Password::Hash(text) | Password::Plain(text) => text.as_str(),
                })
            })
            .collect();
        inputs.value("the users", &(&self.users, passwords, &self.name));
        inputs.value("config-yast.xml", &self.autoyast);
        inputs.value("the settings", &(&self.settings, &self.profile_file));
        inputs.value("name and version", &(&self.name, &self.version));
        scripts::inputs(&self.scripts, &mut inputs);
        inputs.value("packages to delete", &self.delete);
        if self.uses_network() {
            inputs.value("the network", &true);
        }
        inputs
    }
}

/// Carries it out.
pub(super) fn create(plan: &Plan, manager: &dyn PackageManager, tree: &RootTree, host: &Host) -> Result<()> {
    let stage = host.stage("Configuring the tree");
    for overlay in &plan.overlays {
        overlay::copy(overlay, tree, host)?;
    }
    for (archive, digest) in &plan.archives {
        overlay::unpack(archive, digest, tree, host)
            .with_context(|| format!("unpacking {}", archive.display()))?;
    }
    users::create(&plan.users, &plan.name, tree, host)?;
    autoyast(plan, tree)?;
    settings::apply(&plan.settings, tree, host)?;
    profile_file::write(&plan.profile_file, tree)?;
    tree.write("etc/ImageVersion", format!("{}-{}", plan.name, plan.version), 0o644)?;
    stage.finish();
    scripts::run(&plan.scripts, plan.network, tree, &manager.installed(tree, host)?, host)?;
    manager.delete(tree, host)
}

/// `config-yast.xml` makes YaST configure the system at its first boot (spec 3.4, step 9).
fn autoyast(plan: &Plan, tree: &RootTree) -> Result<()> {
    let Some(text) = &plan.autoyast else { return Ok(()) };
    tree.write("var/lib/autoinstall/autoconf/autoconf.xml", text, 0o644)?;
    let line = "AutoYaST: http://192.168.100.99/part2.xml\n";
    match tree.exists("etc/install.inf") {
        true => tree.append("etc/install.inf", line)?,
        false => tree.write("etc/install.inf", line, 0o644)?,
    }
    tree.write("var/lib/YaST2/runme_at_boot", "", 0o644)
}
