//! The boot menus: of pxelinux for BIOS machines, of GRUB for UEFI machines.

use bootconfig::MacAddress;

use super::{BootEntry, Settings};

/// Returns both menus: the path and the text of each.
pub(super) fn both(
    settings: &Settings,
    entry: Option<&BootEntry>,
    mac: Option<MacAddress>,
) -> [(String, String); 2] {
    let names = match mac {
        None => ["pxelinux.cfg/default".to_owned(), "grub/grub.cfg".to_owned()],
        Some(mac) => {
            let low = mac.to_string().to_lowercase();
            [format!("pxelinux.cfg/01-{}", low.replace(':', "-")), format!("grub/menu-{low}.cfg")]
        }
    };
    let [of_pxelinux, of_grub] = names;
    let console = settings.parameters.as_deref().and_then(serial);
    [
        (of_pxelinux, pxelinux(settings, entry, console)),
        (of_grub, grub(settings, entry, console, mac.is_none())),
    ]
}

/// Returns the number of the serial port in `console=ttyS0`.
fn serial(parameters: &str) -> Option<u8> {
    let port = parameters.split_whitespace().find_map(|parameter| parameter.strip_prefix("console=ttyS"))?;
    port.split(',').next()?.parse().ok()
}

/// `IPAPPEND 2` adds the address of the card that loaded the kernel.
fn pxelinux(settings: &Settings, entry: Option<&BootEntry>, console: Option<u8>) -> String {
    let serial = console.map_or_else(String::new, |port| format!("SERIAL {port} 115200\n"));
    let linux = entry.map_or_else(String::new, |BootEntry { kernel, initrd }| {
        format!(
            "\nLABEL kiwi\n  KERNEL /{kernel}\n  APPEND initrd=/{initrd} {}\n  IPAPPEND 2\n",
            settings.kernel_parameters()
        )
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
    text += "set timeout=3\nset default=0\n";
    if let Some(BootEntry { kernel, initrd }) = entry {
        text += &format!(
            "\nmenuentry 'Start from the network' {{\n  linux /{kernel} {} BOOTIF=01-$net_default_mac\n  initrd /{initrd}\n}}\n",
            settings.kernel_parameters()
        );
    }
    text + "\nmenuentry 'Start from the disk' {\n  exit 1\n}\n"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pxe::{Network, Transport};

    #[test]
    fn a_machine_has_menus_of_its_own() {
        let settings = Settings::new(
            Network::parse("10.0.0.1").unwrap(),
            Transport::Tftp,
            Some("console=ttyS0".to_owned()),
        );
        let entry = BootEntry { kernel: "boot/k".to_owned(), initrd: "boot/i".to_owned() };
        let mac = MacAddress::parse("52:54:00:12:34:AB").unwrap();
        let [pxelinux, grub] = both(&settings, Some(&entry), Some(mac));
        assert_eq!(
            (pxelinux.0.as_str(), grub.0.as_str()),
            ("pxelinux.cfg/01-52-54-00-12-34-ab", "grub/menu-52:54:00:12:34:ab.cfg")
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
        let [pxelinux, grub] = both(&settings, None, None);
        assert!(pxelinux.1.contains("DEFAULT local\n") && !pxelinux.1.contains("KERNEL"));
        assert!(grub.1.contains("configfile $prefix/menu-$net_default_mac.cfg"));
    }
}
