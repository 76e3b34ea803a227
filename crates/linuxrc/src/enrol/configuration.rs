//! The configuration of this client: found on the server, or awaited after the registration.

use std::time::Duration;

use bootconfig::{
    AliasPrompt, ClientConfig, ClientKey, MacAddress, NetParameters, Registration, config_names,
};

use super::hardware;
use super::network::Network;
use crate::boot_failure::BootFailure;
use crate::console::Console;
use crate::install::question::{AtConsole, Prompt};
use crate::machine::Machine;
use crate::net::{NetError, NetErrorKind, Server};

/// The largest configuration.
const LARGEST: usize = 256 << 10;
/// Seconds between two attempts, as in KIWI 1.x.
const PAUSE: u64 = 60;
/// How often a server that does not answer is asked.
const ATTEMPTS: u32 = 5;
/// The pause between these attempts.
const BETWEEN: Duration = Duration::from_secs(5);

/// A configuration as the server has it.
struct Found {
    path: String,
    text: String,
}

/// Returns the configuration of this client. A machine without one registers, and waits until somebody writes it.
pub(crate) fn obtain(
    machine: &Machine,
    parameters: &NetParameters,
    network: &mut Network,
    console: &Console,
) -> Result<ClientConfig, BootFailure> {
    let mac = MacAddress(network.lease.mac);
    let mut is_registered = false;
    loop {
        if let Some(Found { path, text }) = patiently(network, mac, console)? {
            console.trace(&format!("the configuration is {path}"));
            let config = ClientConfig::parse_client(&text).map_err(|error| {
                BootFailure::reboot(format!(
                    "The configuration {path} on {} is not valid:\n{path}: {error}\n\n\
                     Nothing was written to a disk. Correct the file; `kiwi pxe client` checks it.",
                    network.server
                ))
            })?;
            for key in without_effect(&config) {
                console.announce(&format!("{path}: {key} has no effect; KIWI 1.x ignores it, too"));
            }
            return Ok(config);
        }
        if !is_registered {
            console.screen(&format!(
                "\nThis machine has no configuration yet.\n\nServer:   {}\nFile:     KIWI/config.{mac}\nAddress:  {}\n",
                network.server, network.lease.address
            ));
            register(machine, parameters, network, mac, console);
            is_registered = true;
        }
        for seconds in (1..=PAUSE).rev() {
            console.say(&format!("\rWaiting for KIWI/config.{mac}: next attempt in {seconds:>2} s "));
            std::thread::sleep(Duration::from_secs(1));
        }
        console.say("\n");
        network.renew(console)?;
    }
}

/// Returns the keys of a configuration that are accepted and not used.
fn without_effect(config: &ClientConfig) -> impl Iterator<Item = &'static str> {
    let keys = [(ClientKey::Sync, config.sync.is_some()), (ClientKey::Journal, config.journal.is_some())];
    keys.into_iter().filter(|(_, is_set)| *is_set).map(|(key, _)| key.name())
}

/// Looks for the configuration; a server that does not answer is asked a few times.
fn patiently(network: &Network, mac: MacAddress, console: &Console) -> Result<Option<Found>, BootFailure> {
    let server = &network.server;
    let mut attempt = 1;
    loop {
        match find(server, mac, network.lease.address) {
            Ok(found) => return Ok(found),
            Err(error) if error.may_pass() && attempt < ATTEMPTS => {
                console.announce(&format!("{error}; trying again"));
                attempt += 1;
                std::thread::sleep(BETWEEN);
            }
            Err(error) => return Err(refused(server, &error)),
        }
    }
}

fn refused(server: &Server, error: &NetError) -> BootFailure {
    let remedy = match error.kind {
        NetErrorKind::AccessViolation => {
            "The server does not let this machine read the file. Check the permissions of the directory KIWI and of the files in it."
        }
        _ => {
            "Check that the server runs and serves the directory KIWI. kiwiserver=<address> on the kernel command line names \
             another server, kiwiservertype=http another protocol."
        }
    };
    BootFailure::reboot(format!("The configuration cannot be loaded from {server}: {error}\n\n{remedy}"))
}

/// Returns the first configuration that the server has for this client. An empty file is none.
fn find(server: &Server, mac: MacAddress, address: std::net::Ipv4Addr) -> Result<Option<Found>, NetError> {
    for path in config_names(mac, address) {
        match server.fetch(&path, LARGEST) {
            Ok(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => {}
            Ok(bytes) => return Ok(Some(Found { path, text: String::from_utf8_lossy(&bytes).into_owned() })),
            Err(error) if error.kind == NetErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Sends the control file and the description of the hardware to the server. Without them the machine waits as well.
fn register(
    machine: &Machine,
    parameters: &NetParameters,
    network: &Network,
    mac: MacAddress,
    console: &Console,
) {
    let system = rustix::system::uname();
    let mut registration = Registration::new(&system.machine().to_string_lossy());
    registration.address = Some(network.lease.address);
    registration.model = hardware::model(machine);
    if let Some(alias) = alias(parameters.alias_prompt, console) {
        registration.alias = alias;
    }
    let files = [
        (Registration::path(mac), registration.to_string()),
        (Registration::hardware_path(mac), hardware::report(machine)),
    ];
    for (path, text) in files {
        match network.server.upload(&path, text.as_bytes()) {
            Ok(()) => console.say(&format!("It registered as {path}.\n")),
            Err(error) => console.say(&format!("It could not register as {path}: {error}\n")),
        }
    }
}

/// Asks for a name of the machine, if the command line requests it.
fn alias(prompt: AliasPrompt, console: &Console) -> Option<String> {
    let limit = match prompt {
        AliasPrompt::Never => return None,
        AliasPrompt::Seconds(seconds) => Some(Duration::from_secs(seconds.into())),
        AliasPrompt::Forever => None,
    };
    let answer = AtConsole::limited(console, limit).ask(" Name of this machine: ");
    answer.ok().filter(|alias| !alias.is_empty())
}
