//! Installs the disk image that a server offers, as an installation medium installs the one on it.
//!
//! ```text
//! network -> N.config, N.md5, N.sha256 -> choose the disk -> consent, or already installed -> load and write
//!   -> read back -> restart
//! ```
//!
//! The image is read once. Until its sums are right, the first block of the disk is zero: a machine cannot start from a part of
//! an image.

use std::convert::Infallible;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use bootconfig::{
    Blocks, Checksum, InstallChoice, InstallConfig, InstallSource, NetParameters, Parameters, ServerType,
};
use ondisk::Bytes;

use crate::boot_failure::BootFailure;
use crate::boot_plan::BootPlan;
use crate::console::Console;
use crate::deploy::image::{self, Destination, Served, Servers};
use crate::download::Unpacked;
use crate::enrol::Network;
use crate::install::progress::reading_back;
use crate::install::question::{AtConsole, Prompt};
use crate::install::target::{self, needed};
use crate::install::{ending, image as disk_image};
use crate::machine::Machine;
use crate::modules::Modules;
use crate::net::tftp::BlockSize;
use crate::net::{NetErrorKind, Server, Transport};
use crate::shutdown::restart;
use crate::sys;

/// The largest configuration.
const LARGEST: usize = 256 << 10;
/// How long a user has to install a system that is on the disk again.
const CONSENT: Duration = Duration::from_secs(60);

/// Installs the image of a server.
pub(crate) fn boot(
    machine: &Machine,
    plan: &BootPlan,
    keywords: &Parameters,
    source: &InstallSource,
    console: &Console,
) -> Result<Infallible, BootFailure> {
    let parameters = NetParameters::of(keywords).map_err(|error| BootFailure::reboot(error.to_string()))?;
    let mut modules = Modules::open(machine, &plan.modules, console);
    let network = Network::start(machine, &parameters, &mut modules, console)?;
    let server = server(source, &network)?;
    let config = fetch_config(source, &server)?;
    let served = Served::fetch(
        &server,
        &source.name(),
        source.path.clone(),
        &source.beside(".md5"),
        source.compression(),
        plan.verify_key.as_deref(),
    )?;
    console.phase("configuration");
    target::wait_until_settled(machine, &mut modules, console);
    let targets = target::offered(&config, target::list(machine, ""))?;
    let bytes = Bytes(served.sums.bytes);
    let target = target::choose(&config, &targets, needed(&config, bytes)?, console)?;
    let path = machine.dev.join(&target.name);
    if config.is(InstallChoice::Unattended) && is_on(&served, &server, &path) {
        leave_or_consent(&config, &target.name, console);
    }
    console.phase("consent");
    image::load(
        Servers { first: server, second: None },
        &served,
        &Destination::Device(path.clone()),
        console,
    )?;
    console.phase("written");
    if !config.is(InstallChoice::SkipVerify) {
        let checksum = Checksum { digest: served.sums.md5, blocks: Blocks::of(served.sums.bytes) };
        disk_image::read_back(&path, &checksum, reading_back(&config, &path, bytes, console))?;
        console.phase("verified");
    }
    // The new system's kernel reads the table itself; this only helps the current session.
    let _ = File::open(&path).and_then(|disk| sys::reread_partition_table(&disk));
    network.release(console);
    let advice = "Let the machine start from its disk now.";
    ending::end(&config, &target.name, advice, console)
}

/// Returns the server of the image.
fn server(source: &InstallSource, network: &Network) -> Result<Server, BootFailure> {
    let Some(named) = &source.server else { return Ok(network.server) };
    let transport = match named.server_type {
        ServerType::Tftp => Transport::Tftp { block_size: BlockSize::Mtu(network.mtu()) },
        ServerType::Http => Transport::Http,
    };
    Ok(Server { port: named.port, ..Server::new(network.resolve(&named.name)?, transport) })
}

/// Fetches `N.config`. Without one every question is asked.
fn fetch_config(source: &InstallSource, server: &Server) -> Result<InstallConfig, BootFailure> {
    let path = source.beside(".config");
    let failed = |error: String| {
        BootFailure::reboot(format!(
            "The settings of the installation, {path} on {server}, cannot be used: {error}\n\n\
             Nothing was written to a disk. Check the server, and rd.kiwi.install.image on the kernel command line."
        ))
    };
    let config = match server.fetch(&path, LARGEST) {
        Ok(bytes) => InstallConfig::parse(&String::from_utf8_lossy(&bytes))
            .map_err(|error| failed(error.to_string()))?,
        Err(error) if error.kind == NetErrorKind::NotFound => InstallConfig::new(&source.name()),
        Err(error) => return Err(failed(error.to_string())),
    };
    Ok(InstallConfig { image: source.name(), ..config })
}

/// Whether the disk at `path` was installed from this image.
fn is_on(served: &Served, server: &Server, path: &Path) -> bool {
    let source = server.open(&served.path, 0).map_err(std::io::Error::from);
    disk_image::is_on(source.map(|source| Unpacked::new(source, served.compression)), path)
}

/// A machine that starts from the network first would install its system at every start, and lose its data.
fn leave_or_consent(config: &InstallConfig, disk: &str, console: &Console) {
    let question = format!(
        "\n{} is installed on {disk} already.\n\nNothing was written. The machine restarts in {} seconds; let it start from \
         its disk.\nType yes to install it again; ALL THAT IS ON {disk} WILL BE LOST: ",
        config.image,
        CONSENT.as_secs()
    );
    match AtConsole::limited(console, Some(CONSENT)).ask(&question) {
        Ok(answer) if answer == "yes" => {}
        Ok(_) | Err(_) => restart(),
    }
}
