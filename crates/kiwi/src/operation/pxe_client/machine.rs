//! The machines of a tree: those with a configuration, and those that wait for one.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use bootconfig::{ClientConfig, Compression, LOOKUP_DIRECTORY, MacAddress, Registration, UPLOAD_DIRECTORY};

use super::super::outcome::{Machine, MachineState};
use super::{Client, read};
use crate::failure::fail;
use crate::pxe::{Settings, Tree};

/// Returns all machines: those that wait first.
pub(super) fn all(tree: &Tree, settings: &Settings) -> Result<Vec<Machine>> {
    let configured = configured(tree)?;
    let mut machines = Vec::new();
    for mac in macs(tree, UPLOAD_DIRECTORY, "hwtype.")? {
        if !configured.contains(&Client::Mac(mac)) {
            machines.push(waiting(tree, mac)?);
        }
    }
    for client in configured {
        machines.push(Machine { config: None, ..shown(client, tree, settings)? });
    }
    Ok(machines)
}

/// Returns the machines that have a configuration.
pub(super) fn configured(tree: &Tree) -> Result<Vec<Client>> {
    let macs = macs(tree, LOOKUP_DIRECTORY, "config.")?;
    let default = Some(Client::Default).filter(|client| tree.file(&client.path()).is_file());
    Ok(macs.into_iter().map(Client::Mac).chain(default).collect())
}

/// Returns the addresses in the names of files. Other names are ignored: everybody can write to the upload directory.
fn macs(tree: &Tree, directory: &str, prefix: &str) -> Result<BTreeSet<MacAddress>> {
    let directory = tree.file(directory);
    let reading = || format!("reading {}", directory.display());
    let mut macs = BTreeSet::new();
    for entry in directory.read_dir().with_context(reading)? {
        let name = entry.with_context(reading)?.file_name();
        let mac = name.to_str().and_then(|name| name.strip_prefix(prefix)).map(MacAddress::parse);
        if let Some(Ok(mac)) = mac {
            macs.insert(mac);
        }
    }
    Ok(macs)
}

fn waiting(tree: &Tree, mac: MacAddress) -> Result<Machine> {
    let mut machine = Machine::new(mac.to_string(), MachineState::Waiting);
    register(&mut machine, tree, mac)?;
    Ok(machine)
}

/// Adds what a machine said when it registered.
fn register(machine: &mut Machine, tree: &Tree, mac: MacAddress) -> Result<()> {
    let path = Registration::path(mac);
    match read(tree, &path)?.map(|text| Registration::parse(&text)) {
        None => {}
        Some(Ok(Registration { alias, architecture, address, model })) => {
            machine.alias = Some(alias).filter(|alias| alias != Registration::UNDEFINED);
            machine.architecture = Some(architecture);
            machine.address = address.map(|address| address.to_string());
            machine.model = model;
        }
        Some(Err(error)) => machine.problems.push(format!("{path}: {error}")),
    }
    Ok(())
}

/// Returns a machine with its configuration and the problems of it.
pub(super) fn shown(client: Client, tree: &Tree, settings: &Settings) -> Result<Machine> {
    let path = client.path();
    let Some(text) = read(tree, &path)? else {
        fail!(
            File,
            "{} has no {path}: 'kiwi pxe client {} --tree {} --image NAME' writes it",
            tree.path().display(),
            client.name(),
            tree.path().display()
        );
    };
    let mut machine = Machine::new(client.name(), MachineState::Configured);
    if let Client::Mac(mac) = client {
        register(&mut machine, tree, mac)?;
    }
    match ClientConfig::parse_client(&text) {
        Ok(config) => {
            machine.images = config.images.iter().map(bootconfig::ImageEntry::file_name).collect();
            machine.problems.extend(missing(&config, tree, settings));
        }
        Err(error) => machine.problems.push(format!("{path}: {error}")),
    }
    machine.config = Some(text);
    Ok(machine)
}

/// Returns what a configuration names and the tree does not have.
fn missing(config: &ClientConfig, tree: &Tree, settings: &Settings) -> Vec<String> {
    let own = settings.network.server.to_string();
    let is_here = |server: &Option<String>| server.as_ref().is_none_or(|server| *server == own);
    let has = |path: &str| tree.file(path.trim_start_matches('/')).is_file();
    let mut problems = Vec::new();
    for image in config.images.iter().filter(|image| is_here(&image.server)) {
        let name = image.file_name();
        if !has(&image.image_path()) {
            let forms = std::iter::once(None).chain(Compression::ALL.map(Some));
            let other = forms
                .filter(|form| *form != image.compressed)
                .find(|form| has(&format!("image/{name}{}", form.map_or("", Compression::suffix))));
            problems.push(match other {
                Some(Some(form)) => {
                    format!("IMAGE: {name} is published with \"{}\" as its compression", form.keyword())
                }
                Some(None) => format!("IMAGE: {name} is published without compression"),
                None => format!("IMAGE: {} is not published", image.image_path()),
            });
        }
        if !has(&image.checksum_path()) {
            problems.push(format!("IMAGE: {} is missing", image.checksum_path()));
        }
    }
    let files = config.files.iter().filter(|file| is_here(&file.server)).map(|file| ("CONF", &file.source));
    let initrd = config.initrd.iter().map(|path| ("KIWI_INITRD", path));
    let kernel = config.kernel.iter().map(|path| ("KIWI_KERNEL", path));
    let absent = files.chain(initrd).chain(kernel).filter(|(_, path)| !has(path));
    problems.extend(absent.map(|(key, path)| format!("{key}: {path} is not in {}", tree.path().display())));
    problems
}
