//! ISOLINUX: the boot loader of CDs for BIOS, and through the hybrid MBR also of sticks.
//!
//! ```text
//! /boot/isolinux/   isolinux.bin, the modules it needs, an isolinux.cfg that loads
//! /boot/ARCH/loader isolinux.cfg, kernel and initrd: the directory of KIWI 1.x, in which names are relative
//! ```
//!
//! Its programs are those of the host; none of them runs here.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::menu_colors;
use description::Console;

use super::console::consoles;
use super::medium_menu::{Action, MediumMenu};
use crate::failure::fail;

/// The directory that ISOLINUX itself searches.
pub const DIRECTORY: &str = "/boot/isolinux";
/// The program on the medium.
pub const PROGRAM: &str = "boot/isolinux/isolinux.bin";
/// The program that starts the machine's disk, made by GRUB.
pub const DISK_STARTER: &str = "/boot/isolinux/disk";
/// The modules the menu needs.
const MODULES: [&str; 4] = ["ldlinux.c32", "menu.c32", "libutil.c32", "libcom32.c32"];

/// The size of the menu, which is that of GRUB on a screen of 80 columns and 25 lines, and its texts. `#` is the number of seconds.
const LOOK: &str = "menu width 80\nmenu margin 1\nmenu rows 12\nmenu tabmsgrow 19\nmenu timeoutrow 21\n\
    menu tabmsg Arrow keys: select an entry   Enter: start it   Tab: change its parameters\n\
    menu autoboot The selected entry starts in # second{,s}.\n";

/// Where distributions install ISOLINUX and its modules.
const PROGRAM_DIRECTORIES: [&str; 3] = ["/usr/lib/ISOLINUX", "/usr/share/syslinux", "/usr/lib/syslinux/bios"];
const MODULE_DIRECTORIES: [&str; 3] =
    ["/usr/lib/syslinux/modules/bios", "/usr/share/syslinux", "/usr/lib/syslinux/bios"];

/// The host's ISOLINUX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installed {
    /// The boot sector that starts a medium from a stick.
    pub hybrid_mbr: PathBuf,
    /// The program and its modules: name on the medium and path on the host.
    pub files: Vec<(String, PathBuf)>,
}

impl Installed {
    /// Finds it; an error names the package that provides a missing file.
    pub fn find() -> Result<Self> {
        let program = find(&PROGRAM_DIRECTORIES, "isolinux.bin", "isolinux")?;
        let hybrid_mbr = find(&PROGRAM_DIRECTORIES, "isohdpfx.bin", "isolinux")?;
        let mut files = vec![("isolinux.bin".to_owned(), program)];
        for module in MODULES {
            files.push((module.to_owned(), find(&MODULE_DIRECTORIES, module, "syslinux-common")?));
        }
        Ok(Self { hybrid_mbr, files })
    }
}

fn find(directories: &[&str], name: &str, package: &str) -> Result<PathBuf> {
    let candidates = directories.iter().map(|directory| Path::new(directory).join(name));
    match candidates.into_iter().find(|path| path.is_file()) {
        Some(path) => Ok(path),
        None => fail!(
            MissingProgram,
            "{name} of ISOLINUX is required and not installed; install the package that provides it: {package} on Debian, \
             syslinux on SUSE and Fedora"
        ),
    }
}

/// Returns the configuration in ISOLINUX's own directory, which loads that of the medium and changes the directory.
pub fn first_configuration(loader: &str) -> String {
    format!("default loader\nprompt 0\nlabel loader\n  config {loader}/isolinux.cfg {loader}/\n")
}

/// Returns the text of isolinux.cfg in the loader's directory. ISOLINUX reads at most 2047 bytes of a line.
pub fn configuration(menu: &MediumMenu, loader: &str) -> Result<String> {
    let mut text = String::new();
    if consoles(&menu.settings).contains(&Console::Serial) {
        text += "serial 0 115200\n";
    }
    // Tenths of a second; 0 would wait forever.
    let timeout = (menu.settings.timeout * 10).max(1);
    text +=
        &format!("path {DIRECTORY}\nui menu.c32\nmenu title {}\nprompt 0\ntimeout {timeout}\n", menu.title);
    text += LOOK;
    text += &menu_colors::of_isolinux();
    if let Some(first) = menu.entries.first() {
        text += &format!("default {}\n", first.label);
    }
    for entry in &menu.entries {
        text += &format!("\nlabel {}\n  menu label {}\n", entry.label, entry.title);
        text += &match &entry.action {
            Action::Boot { kernel, initrd, command_line } => {
                let append = format!("  append initrd={} {command_line}\n", inside(initrd, loader));
                if append.len() > 2047 {
                    return Err(anyhow::anyhow!("the kernel command line is too long for ISOLINUX"))
                        .with_context(|| format!("writing the entry {}", entry.label));
                }
                format!("  kernel {}\n{append}", inside(kernel, loader))
            }
            // A BIOS does not tell which disk is not the medium; GRUB finds out.
            Action::NextDevice => format!("  linux {DISK_STARTER}\n"),
        };
    }
    Ok(text)
}

/// Returns a path relative to the loader's directory.
fn inside<'a>(path: &'a str, loader: &str) -> &'a str {
    path.strip_prefix(loader).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use description::Bootloader;

    use super::super::grub2;
    use super::*;
    use crate::bootloader::medium_menu::Entry;

    fn menu(command_line: &str) -> MediumMenu {
        let boot = Action::Boot {
            kernel: "/boot/x86_64/loader/linux".into(),
            initrd: "/boot/x86_64/loader/initrd".into(),
            command_line: command_line.into(),
        };
        MediumMenu {
            title: "A system".into(),
            settings: Bootloader { timeout: 3, output: vec![Console::Serial], ..Bootloader::default() },
            entries: vec![
                Entry { label: "Live-System".into(), title: "It's live".into(), action: boot },
                Entry {
                    label: "Disk".into(),
                    title: "Boot from the disk".into(),
                    action: Action::NextDevice,
                },
            ],
        }
    }

    #[test]
    fn both_loaders_offer_the_same_entries() {
        let text = configuration(&menu("quiet"), "/boot/x86_64/loader").unwrap();
        assert!(text.starts_with("serial 0 115200\npath /boot/isolinux\nui menu.c32\n"), "{text}");
        assert!(text.contains("timeout 30\n") && text.contains("\ndefault Live-System\n"), "{text}");
        assert!(
            text.contains("  menu label It's live\n  kernel linux\n  append initrd=initrd quiet\n"),
            "{text}"
        );
        assert!(
            text.ends_with("label Disk\n  menu label Boot from the disk\n  linux /boot/isolinux/disk\n"),
            "{text}"
        );
        let grub = grub2::medium_configuration(&menu("quiet"));
        let linux = "\tlinux /boot/x86_64/loader/linux quiet\n\tinitrd /boot/x86_64/loader/initrd\n";
        assert!(grub.contains(&format!("\nmenuentry 'Its live' {{\n{linux}}}\n")), "{grub}");
        let (head, disk) =
            grub.split_once("menuentry 'Boot from the disk' {\n\tregexp --set=1:medium").unwrap();
        for (text, selected) in
            [(&text, "\nmenu color sel 1;37;44\n"), (&grub, "\nset menu_color_highlight=white/blue\n")]
        {
            assert!(text.contains(selected), "the entry that starts is white on blue: {text}");
        }
        assert!(!head.contains("chainloader") && disk.ends_with("\tdone\n\texit\n}\n"), "{grub}");
    }

    #[test]
    fn a_command_line_isolinux_would_cut_is_refused() {
        let error = configuration(&menu(&"x".repeat(2048)), "/boot/x86_64/loader").unwrap_err();
        assert_eq!(
            format!("{error:#}"),
            "writing the entry Live-System: the kernel command line is too long for ISOLINUX"
        );
    }
}
