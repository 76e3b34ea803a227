//! `kiwi pxe client`: writes, shows, checks and removes the configurations of machines, and lists the machines.

mod edit;
mod machine;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use bootconfig::{ClientConfig, ClientConfigError, ClientKey, LOOKUP_DIRECTORY, MacAddress};

use super::outcome::{Machines, Outcome};
use crate::checked;
use crate::context::Context;
use crate::failure::{Failure, Kind, fail};
use crate::host::Host;
use crate::pxe::{self, BootEntry, Settings, Tree};

/// The most bytes of a configuration.
const LARGEST: u64 = 1 << 16;

/// A machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// The machine with this network card.
    Mac(MacAddress),
    /// Every machine without a configuration of its own.
    Default,
}

impl Client {
    /// Parses a MAC address, or `default`.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text {
            "default" => Ok(Self::Default),
            text => MacAddress::parse(text).map(Self::Mac).map_err(|error| format!("{error}, or default")),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Mac(mac) => mac.to_string(),
            Self::Default => "default".to_owned(),
        }
    }

    fn path(self) -> String {
        format!("{LOOKUP_DIRECTORY}/config.{}", self.name())
    }
}

/// What a configuration starts from.
#[derive(Debug, Clone)]
pub enum Base {
    /// The machine's present configuration.
    Present,
    /// The prototype of a published image, `image/N.config`.
    Image(String),
    /// A file.
    File(PathBuf),
}

/// What to do.
#[derive(Debug, Clone)]
pub enum Action {
    /// List all machines.
    List,
    /// Show and check the configuration of one machine.
    Show(Client),
    /// Write it.
    Write {
        /// The machine.
        client: Client,
        /// What it starts from.
        base: Base,
        /// The disk of the machine.
        disk: Option<String>,
        /// Keys and their values; an empty value removes the key.
        set: Vec<(ClientKey, String)>,
    },
    /// Remove it.
    Remove(Client),
}

/// The directory and what to do.
#[derive(Debug, Clone)]
pub struct Request {
    /// The directory for network boot.
    pub tree: PathBuf,
    /// What to do.
    pub action: Action,
}

/// Returns the machines that the action concerns.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let tree = Tree::at(&request.tree);
    let settings = Settings::read(&tree)?;
    let machines = match &request.action {
        Action::List => machine::all(&tree, &settings)?,
        Action::Show(client) => vec![machine::shown(*client, &tree, &settings)?],
        Action::Write { client, base, disk, set } => {
            let text = edit::text(&tree, *client, base, disk.as_deref(), set)?;
            pxe::write(&tree, &client.path(), text.as_bytes(), host)?;
            write_menus(&tree, &settings, *client, host)?;
            vec![machine::shown(*client, &tree, &settings)?]
        }
        Action::Remove(client) => {
            let path = tree.file(&client.path());
            if !path.is_file() {
                fail!(File, "there is no {}", path.display());
            }
            host.remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
            write_menus(&tree, &settings, *client, host)?;
            Vec::new()
        }
    };
    let shown = !matches!(request.action, Action::List);
    Ok(Outcome::Machines(Machines { directory: tree.path().to_owned(), shown, machines }))
}

/// Reads the text of a machine's configuration; none if it has none.
fn read(tree: &Tree, path: &str) -> Result<Option<String>> {
    let path = tree.file(path);
    match checked::read(&path, LARGEST) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

/// Returns the failure for an invalid configuration in `file`.
fn invalid(file: &str, error: &ClientConfigError) -> anyhow::Error {
    Failure::new(Kind::Configuration, format!("{file}: {error}"))
        .remedy("docs/formats/client-configuration.md lists the keys and their values.")
        .into()
}

/// Returns the boot image of the system that a configuration names, if it was published with one.
fn entry_of(tree: &Tree, config: &ClientConfig) -> Result<Option<BootEntry>> {
    let Some(image) = config.images.first() else { return Ok(None) };
    boot_entry(tree, &format!("image/{}.boot", image.file_name()))
}

fn boot_entry(tree: &Tree, path: &str) -> Result<Option<BootEntry>> {
    read(tree, path)?.map(|text| BootEntry::parse(&text, path)).transpose()
}

/// The file with the boot image of all machines.
const DEFAULT_ENTRY: &str = "boot/default.boot";

/// Makes a boot image that of all machines without a menu of their own: in the menus, and as `boot/linux` and `boot/initrd`.
pub(super) fn set_default(tree: &Tree, settings: &Settings, entry: &BootEntry, host: &Host) -> Result<()> {
    for (link, path) in [("boot/linux", &entry.kernel), ("boot/initrd", &entry.initrd)] {
        let link = tree.file(link);
        let linking = || format!("creating the link {}", link.display());
        let unfinished = host.unfinished_file(&tree.file("boot")).with_context(linking)?;
        host.remove_file(&unfinished).with_context(linking)?;
        host.link(path.trim_start_matches("boot/"), &unfinished).with_context(linking)?;
        host.rename(&unfinished, &link).with_context(linking)?;
    }
    pxe::write(tree, DEFAULT_ENTRY, entry.to_string().as_bytes(), host)?;
    for (path, text) in Tree::menus(settings, Some(entry), None) {
        pxe::write(tree, &path, text.as_bytes(), host)?;
    }
    Ok(())
}

/// Writes the menus of all machines again.
pub(super) fn write_all_menus(tree: &Tree, settings: &Settings, host: &Host) -> Result<()> {
    let entry = boot_entry(tree, DEFAULT_ENTRY)?;
    for (path, text) in Tree::menus(settings, entry.as_ref(), None) {
        pxe::write(tree, &path, text.as_bytes(), host)?;
    }
    machine::configured(tree)?.into_iter().try_for_each(|client| write_menus(tree, settings, client, host))
}

/// Writes the menus of one machine, or removes them if it has no boot image of its own.
fn write_menus(tree: &Tree, settings: &Settings, client: Client, host: &Host) -> Result<()> {
    let Client::Mac(mac) = client else { return Ok(()) };
    let config = read(tree, &client.path())?.and_then(|text| ClientConfig::parse(&text).ok());
    let entry = config.map_or(Ok(None), |config| entry_of(tree, &config))?;
    for (path, text) in Tree::menus(settings, entry.as_ref(), Some(mac)) {
        let file = tree.file(&path);
        if entry.is_some() {
            pxe::write(tree, &path, text.as_bytes(), host)?;
        } else if file.exists() {
            host.remove_file(&file).with_context(|| format!("removing {}", file.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
