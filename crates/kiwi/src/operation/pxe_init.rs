//! `kiwi pxe init`: makes a directory from which machines boot over the network.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use ondisk::command_line::CommandLine;

use super::outcome::{Outcome, PxeTree};
use super::pxe_client;
use crate::context::Context;
use crate::failure::fail;
use crate::pxe::{self, DIRECTORIES, Settings, Tree};
use crate::workspace::{Scratch, Workspace};

pub use crate::pxe::{Loader, Network, Transport};

/// The directory and its settings.
#[derive(Debug, Clone)]
pub struct Request {
    /// The directory.
    pub directory: PathBuf,
    /// The server and its network.
    pub network: Network,
    /// How machines load systems.
    pub transport: Transport,
    /// Kernel parameters of all boots.
    pub parameters: Option<String>,
    /// The kinds of machines.
    pub loaders: Vec<Loader>,
}

/// Makes the directory, or changes the settings of an existing one.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let directory = &request.directory;
    if request.loaders.contains(&Loader::Grub) {
        for program in pxe::programs() {
            host.find_program(program)?;
        }
    }
    if let Some(Err(error)) = request.parameters.as_deref().map(CommandLine::parse) {
        fail!(Usage, "--parameters is not a kernel command line: {error}");
    }
    let creating = || format!("creating {}", directory.display());
    for inside in DIRECTORIES {
        host.create_directories(&directory.join(inside)).with_context(creating)?;
    }
    // The paths in the samples are those of the servers.
    let tree = Tree::at(&directory.canonicalize().with_context(creating)?);
    let upload = tree.file(bootconfig::UPLOAD_DIRECTORY);
    open_to_all(&upload, host).with_context(|| format!("letting machines write to {}", upload.display()))?;
    let settings = Settings::new(request.network, request.transport, request.parameters.clone());
    let mut files: Vec<String> = Vec::new();
    let workspace = Workspace::open(tree.path(), Scratch::Disk, host)?;
    for loader in &request.loaders {
        files.extend(loader.install(&tree, &workspace, host)?);
    }
    workspace.close()?;
    files.extend(pxe::install_ipxe(&tree, host)?);
    for (name, text) in tree.samples(&settings) {
        let path = format!("server/{name}");
        pxe::write(&tree, &path, text.as_bytes(), host)?;
        files.push(path);
    }
    pxe::write(&tree, pxe::SETTINGS, settings.text()?.as_bytes(), host)?;
    pxe_client::write_all_menus(&tree, &settings, host)?;
    Ok(Outcome::PxeTree(PxeTree {
        directory: tree.path().to_owned(),
        server: settings.network.to_string(),
        transport: settings.transport.keyword(),
        files,
    }))
}

/// Lets every user create files in a directory, but remove only their own.
fn open_to_all(directory: &Path, host: &crate::host::Host) -> std::io::Result<()> {
    host.set_mode(directory, std::fs::Permissions::from_mode(0o1777))
}
