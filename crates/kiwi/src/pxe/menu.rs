//! The boot menus: of pxelinux for BIOS machines, of GRUB for UEFI machines, and of iPXE for machines that have it.

use bootconfig::{MacAddress, menu_colors};
use ondisk::command_line::{for_grub, split};

use super::{BootEntry, Settings, Transport};

/// Returns the menus: the path and the text of each.
pub(super) fn all(
    settings: &Settings,
    entry: Option<&BootEntry>,
    mac: Option<MacAddress>,
) -> [(String, String); 3] {
    let names = match mac {
        None => ["pxelinux.cfg/default", "grub/grub.cfg", super::IPXE_SCRIPT].map(str::to_owned),
        Some(mac) => {
            let low = mac.to_string().to_lowercase();
            let hyphens = low.replace(':', "-");
            [
                format!("pxelinux.cfg/01-{hyphens}"),
                format!("grub/menu-{low}.cfg"),
                format!("ipxe/menu-{hyphens}.ipxe"),
            ]
        }
    };
    let [of_pxelinux, of_grub, of_ipxe] = names;
    let console = settings.parameters.as_deref().and_then(serial);
    [
        (of_pxelinux, pxelinux(settings, entry, console)),
        (of_grub, grub(settings, entry, console, mac.is_none())),
        (of_ipxe, ipxe(settings, entry, mac.is_none())),
    ]
}

/// Returns the number of the serial port in `console=ttyS0`.
fn serial(parameters: &str) -> Option<u8> {
    let port = split(parameters).into_iter().find_map(|parameter| parameter.strip_prefix("console=ttyS"))?;
    port.split(',').next()?.parse().ok()
}

/// Returns the parameters of a hypervisor: its console is the serial port of the kernel, if it has one.
fn of_hypervisor(console: Option<u8>) -> String {
    match console {
        Some(port) => format!("com{0}=115200,8n1 console=com{0},vga", u16::from(port) + 1),
        None => "console=vga".to_owned(),
    }
}

/// Returns the parameters of a kernel that a hypervisor starts, which has the serial port: the kernel's console is in it.
fn of_its_kernel(settings: &Settings) -> String {
    let parameters = settings.kernel_parameters();
    let of = |parameter: &str| match parameter.starts_with("console=ttyS") {
        true => "console=hvc0".to_owned(),
        false => parameter.to_owned(),
    };
    split(&parameters).into_iter().map(of).collect::<Vec<_>>().join(" ")
}

/// `IPAPPEND 2` adds the address of the card that loaded the kernel.
fn pxelinux(settings: &Settings, entry: Option<&BootEntry>, console: Option<u8>) -> String {
    let serial = console.map_or_else(String::new, |port| format!("SERIAL {port} 115200\n"));
    let linux = entry.map_or_else(String::new, |BootEntry { kernel, initrd, hypervisor }| match hypervisor {
        None => format!(
            "\nLABEL kiwi\n  KERNEL /{kernel}\n  APPEND initrd=/{initrd} {}\n  IPAPPEND 2\n",
            settings.kernel_parameters()
        ),
        // IPAPPEND would add to the parameters of the boot image instead of the kernel's.
        Some(hypervisor) => format!(
            "\nLABEL kiwi\n  KERNEL mboot.c32\n  APPEND /{hypervisor} {} --- /{kernel} {} --- /{initrd}\n",
            of_hypervisor(console),
            of_its_kernel(settings)
        ),
    });
    let default = if entry.is_some() { "kiwi" } else { "local" };
    format!(
        "{serial}DEFAULT {default}\nPROMPT 1\nTIMEOUT 30\nSAY Type local and Enter within 3 seconds to start from the disk.\n\
         {linux}\nLABEL local\n  LOCALBOOT 0\n"
    )
}

fn grub(settings: &Settings, entry: Option<&BootEntry>, console: Option<u8>, for_all: bool) -> String {
    let serial = console.map_or_else(String::new, |port| {
        format!(
            "if serial --unit={port} --speed=115200; then\n  terminal_input console serial\n  terminal_output console serial\nfi\n"
        )
    });
    let mut text = String::new();
    if for_all {
        text += "if [ -f $prefix/menu-$net_default_mac.cfg ]; then\n  configfile $prefix/menu-$net_default_mac.cfg\nfi\n";
    }
    text += &serial;
    text += &menu_colors::of_grub();
    text += "set timeout=3\nset default=0\n";
    if let Some(BootEntry { kernel, initrd, hypervisor: Some(hypervisor) }) = entry {
        text += &format!(
            "\nmenuentry 'Start from the network' {{\n  multiboot2 /{hypervisor} {}\n  module2 /{kernel} {} BOOTIF=01-$net_default_mac\n  module2 /{initrd}\n}}\n",
            of_hypervisor(console),
            for_grub(&of_its_kernel(settings))
        );
    }
    if let Some(BootEntry { kernel, initrd, hypervisor: None }) = entry {
        text += &format!(
            "\nmenuentry 'Start from the network' {{\n  linux /{kernel} {} BOOTIF=01-$net_default_mac\n  initrd /{initrd}\n}}\n",
            for_grub(&settings.kernel_parameters())
        );
    }
    text + "\nmenuentry 'Boot from the disk' {\n  exit 1\n}\n"
}

/// A script of iPXE. Files come by HTTP if the server has it; `exit` continues with the next device of the firmware.
fn ipxe(settings: &Settings, entry: Option<&BootEntry>, for_all: bool) -> String {
    let mut text = "#!ipxe\n".to_owned();
    if for_all {
        text += "chain --autofree menu-${netX/mac:hexhyp}.ipxe ||\n";
    }
    let Some(BootEntry { kernel, initrd, hypervisor }) = entry else {
        return text + "echo Starting from the disk\nexit\n";
    };
    let base = match settings.transport {
        Transport::Http => format!("http://{}", settings.network.server),
        Transport::Tftp => format!("tftp://{}", settings.network.server),
    };
    let name = initrd.rsplit('/').next().unwrap_or(initrd);
    if let Some(hypervisor) = hypervisor {
        let console = settings.parameters.as_deref().and_then(serial);
        return text
            + &format!(
                "prompt --key l --timeout 3000 Press l within 3 seconds to start from the disk. && exit ||\n\
                 kernel {base}/{hypervisor} {}\nmodule {base}/{kernel} {} BOOTIF=01-${{netX/mac:hexhyp}}\n\
                 module {base}/{initrd}\nboot\n",
                of_hypervisor(console),
                of_its_kernel(settings)
            );
    }
    text + &format!(
        "prompt --key l --timeout 3000 Press l within 3 seconds to start from the disk. && exit ||\n\
         kernel {base}/{kernel} initrd={name} {} BOOTIF=01-${{netX/mac:hexhyp}}\n\
         initrd --name {name} {base}/{initrd}\nboot\n",
        settings.kernel_parameters()
    )
}

/// Returns the entries with which a machine installs the image `name`: of pxelinux and of GRUB.
pub fn install_entries(name: &str, entry: &BootEntry, parameters: &str) -> [String; 2] {
    let BootEntry { kernel, initrd, hypervisor: _ } = entry;
    [
        format!(
            "LABEL install\n  MENU LABEL Install {name}\n  KERNEL /{kernel}\n  APPEND initrd=/{initrd} {parameters}\n  IPAPPEND 2\n"
        ),
        format!(
            "menuentry 'Install {name}' {{\n  linux /{kernel} {parameters} BOOTIF=01-$net_default_mac\n  initrd /{initrd}\n}}\n"
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pxe::Network;

    #[test]
    fn a_machine_has_menus_of_its_own() {
        let settings = Settings::new(
            Network::parse("10.0.0.1").unwrap(),
            Transport::Tftp,
            Some("console=ttyS0".to_owned()),
        );
        let entry = BootEntry::of_linux("boot/k".to_owned(), "boot/i".to_owned());
        let mac = MacAddress::parse("52:54:00:12:34:AB").unwrap();
        let [pxelinux, grub, ipxe] = all(&settings, Some(&entry), Some(mac));
        assert_eq!(
            [&pxelinux.0, &grub.0, &ipxe.0],
            [
                "pxelinux.cfg/01-52-54-00-12-34-ab",
                "grub/menu-52:54:00:12:34:ab.cfg",
                "ipxe/menu-52-54-00-12-34-ab.ipxe"
            ]
        );
        assert!(pxelinux.1.starts_with("SERIAL 0 115200\nDEFAULT kiwi\n"), "{}", pxelinux.1);
        assert!(pxelinux.1.contains(
            "\n  KERNEL /boot/k\n  APPEND initrd=/boot/i kiwitftp=10.0.0.1 console=ttyS0\n  IPAPPEND 2\n"
        ));
        assert!(
            grub.1.contains("\n  linux /boot/k kiwitftp=10.0.0.1 console=ttyS0 BOOTIF=01-$net_default_mac\n"),
            "{}",
            grub.1
        );
        assert!(!grub.1.contains("configfile"), "the menu of a machine would include itself");
        assert!(
            ipxe.1.contains(
                "\nkernel tftp://10.0.0.1/boot/k initrd=i kiwitftp=10.0.0.1 console=ttyS0 BOOTIF=01-${netX/mac:hexhyp}\n"
            ),
            "{}",
            ipxe.1
        );
        let [pxelinux, grub, ipxe] = all(&settings, None, None);
        assert!(ipxe.1.contains("chain --autofree menu-") && ipxe.1.ends_with("exit\n"));
        assert!(pxelinux.1.contains("DEFAULT local\n") && !pxelinux.1.contains("KERNEL"));
        assert!(grub.1.contains("configfile $prefix/menu-$net_default_mac.cfg"));
    }

    #[test]
    fn a_hypervisor_is_loaded_with_kernel_and_boot_image_as_its_modules() {
        let network = Network::parse("10.0.0.1").unwrap();
        let settings = Settings::new(network, Transport::Tftp, Some("console=ttyS1,115200 quiet".to_owned()));
        let hypervisor = Some("boot/x".to_owned());
        let entry = BootEntry { hypervisor, ..BootEntry::of_linux("boot/k".to_owned(), "boot/i".to_owned()) };
        let [pxelinux, grub, ipxe] = all(&settings, Some(&entry), None);
        // The hypervisor has the serial port, and the kernel its console.
        let (xen, linux) = ("com2=115200,8n1 console=com2,vga", "kiwitftp=10.0.0.1 console=hvc0 quiet");
        let line = format!("\n  KERNEL mboot.c32\n  APPEND /boot/x {xen} --- /boot/k {linux} --- /boot/i\n");
        assert!(pxelinux.1.contains(&line) && !pxelinux.1.contains("IPAPPEND"), "{}", pxelinux.1);
        let line = format!(
            "\n  multiboot2 /boot/x {xen}\n  module2 /boot/k {linux} BOOTIF=01-$net_default_mac\n  module2 /boot/i\n"
        );
        assert!(grub.1.contains(&line), "{}", grub.1);
        let base = "tftp://10.0.0.1/boot";
        let line = format!(
            "\nkernel {base}/x {xen}\nmodule {base}/k {linux} BOOTIF=01-${{netX/mac:hexhyp}}\nmodule {base}/i\nboot\n"
        );
        assert!(ipxe.1.contains(&line), "{}", ipxe.1);
    }
}
