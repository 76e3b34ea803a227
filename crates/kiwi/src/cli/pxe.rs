//! Arguments of `kiwi pxe`.

use std::path::PathBuf;

use bootconfig::ClientKey;
use clap::{Args, Subcommand};

use super::Problem;
use crate::operation::pxe_client::{Action, Base, Client};
use crate::operation::pxe_init::{Loader, Network, Transport};
use crate::operation::{Operation, pxe_client, pxe_init, pxe_publish};

#[derive(Debug, Args)]
pub(super) struct Pxe {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Make a directory from which machines boot over the network: boot loaders, boot menus, and sample configurations of the
    /// DHCP, TFTP and HTTP servers for it. Run it again to change the settings.
    Init(Init),
    /// Put images into the directory: systems, with their checksums and boot images. Machines that are loading other images
    /// are not disturbed.
    Publish(Publish),
    /// Configure the machine with a MAC address, show and check its configuration, or list all machines and those that wait
    /// for a configuration.
    Client(ClientArguments),
}

#[derive(Debug, Args)]
struct Init {
    /// The directory, such as /srv/tftpboot.
    directory: PathBuf,
    /// The address of the server in the network of the machines, such as 192.168.100.2/24.
    #[arg(long, value_name = "ADDRESS[/BITS]", value_parser = network)]
    server: Network,
    /// Let machines load systems by HTTP, which is quicker; boot images come by TFTP in all cases.
    #[arg(long)]
    http: bool,
    /// Kernel parameters of all boots, such as "console=ttyS0 quiet".
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    parameters: Option<String>,
    /// Leave out pxelinux, for BIOS machines.
    #[arg(long)]
    no_bios: bool,
    /// Leave out GRUB, for UEFI machines.
    #[arg(long)]
    no_uefi: bool,
}

#[derive(Debug, Args)]
struct Publish {
    /// Images such as images/server.x86_64-1.0.0.gz, with their checksums in the same directory, or directories with the
    /// results of builds.
    #[arg(required = true)]
    images: Vec<PathBuf>,
    /// The directory that 'kiwi pxe init' made.
    #[arg(long, value_name = "DIR")]
    tree: PathBuf,
    /// The boot image of the images, with its kernel in the same directory (default: the one that was built with them).
    #[arg(long, value_name = "INITRD")]
    boot: Option<PathBuf>,
    /// Replace an image of the same name and version. A machine that is loading it starts again.
    #[arg(long)]
    replace: bool,
    /// Write the chunk index of each image, and sign it with this secret key of minisign. Boot images that were built with
    /// --verify-key load only such images.
    #[arg(long, value_name = "KEY")]
    sign: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct ClientArguments {
    /// The MAC address of the machine's network card, or "default" for machines without a configuration; without it all
    /// machines are listed.
    #[arg(value_parser = Client::parse)]
    mac: Option<Client>,
    /// The directory that 'kiwi pxe init' made.
    #[arg(long, value_name = "DIR")]
    tree: PathBuf,
    /// Write the configuration of this image, such as server.x86_64-1.0.0: that of its description's deploy section, else
    /// one that runs it in memory.
    #[arg(long, value_name = "NAME", conflicts_with = "from", requires = "mac")]
    image: Option<String>,
    /// Write the configuration in a file.
    #[arg(long, value_name = "FILE", requires = "mac")]
    from: Option<PathBuf>,
    /// The disk of the machine, such as /dev/nvme0n1, instead of the one in the configuration.
    #[arg(long, value_name = "DEVICE", requires = "mac")]
    disk: Option<String>,
    /// Set a key of the configuration, such as RELOAD_IMAGE=yes; an empty value removes it. May be given several times.
    #[arg(long, value_name = "KEY=VALUE", value_parser = setting, requires = "mac")]
    set: Vec<(ClientKey, String)>,
    /// Remove the configuration of the machine.
    #[arg(long, conflicts_with_all = ["image", "from", "disk", "set"], requires = "mac")]
    remove: bool,
}

fn network(text: &str) -> Result<Network, String> {
    Network::parse(text)
        .ok_or_else(|| "expected an IPv4 address and 8 to 29 bits, such as 192.168.100.2/24".to_owned())
}

fn setting(text: &str) -> Result<(ClientKey, String), String> {
    let (name, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    let names = || ClientKey::all().map(ClientKey::name).collect::<Vec<_>>().join(", ");
    let key = ClientKey::parse(name).ok_or_else(|| format!("expected one of the keys {}", names()))?;
    if value.contains(|c: char| c.is_control()) {
        return Err("the value contains a control character".to_owned());
    }
    Ok((key, value.to_owned()))
}

impl Pxe {
    pub(super) fn operation(self) -> Result<Operation, Problem> {
        Ok(match self.step {
            Step::Init(Init { directory, server, http, parameters, no_bios, no_uefi }) => {
                let is_wanted = |loader: &Loader| match loader {
                    Loader::Pxelinux => !no_bios,
                    Loader::Grub => !no_uefi,
                };
                Operation::PxeInit(pxe_init::Request {
                    directory,
                    network: server,
                    transport: if http { Transport::Http } else { Transport::Tftp },
                    parameters,
                    loaders: Loader::ALL.into_iter().filter(is_wanted).collect(),
                })
            }
            Step::Publish(Publish { images, tree, boot, replace, sign }) => {
                Operation::PxePublish(pxe_publish::Request { images, tree, boot, replace, sign })
            }
            Step::Client(arguments) => {
                let tree = arguments.tree.clone();
                Operation::PxeClient(pxe_client::Request { tree, action: arguments.action() })
            }
        })
    }
}

impl ClientArguments {
    fn action(self) -> Action {
        let Some(client) = self.mac else { return Action::List };
        if self.remove {
            return Action::Remove(client);
        }
        let base = match (self.image, self.from) {
            (Some(image), _) => Base::Image(image),
            (None, Some(file)) => Base::File(file),
            (None, None) if self.disk.is_none() && self.set.is_empty() => return Action::Show(client),
            (None, None) => Base::Present,
        };
        Action::Write { client, base, disk: self.disk, set: self.set }
    }
}
