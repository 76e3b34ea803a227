//! The boot menu of media: the boot image, the boot image with debug output and a shell, and the disk of the machine.

use description::Bootloader;

use crate::bootloader::console;
use crate::bootloader::medium_menu::{Action, Entry, MediumMenu};

/// Time limit of the menu in seconds.
const TIMEOUT: u32 = 3;

/// What the menu starts, and its paths on the medium.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start<'a> {
    /// Title of the menu and name of its first entry.
    pub(super) title: &'a str,
    /// Path of the kernel.
    pub(super) kernel: &'a str,
    /// Path of the boot image.
    pub(super) initrd: &'a str,
    /// Kernel parameters in addition to the consoles.
    pub(super) parameters: &'a str,
}

/// The menu.
pub(super) fn menu(start: Start<'_>) -> MediumMenu {
    let settings = Bootloader { timeout: TIMEOUT, ..Bootloader::default() };
    let consoles = console::parameters(&settings).join(" ");
    let command_line = format!("{} {consoles}", start.parameters).trim_start().to_owned();
    let entry = |label: &str, title: String, more: &str| Entry {
        label: label.to_owned(),
        title,
        action: Action::Boot {
            kernel: start.kernel.to_owned(),
            initrd: start.initrd.to_owned(),
            command_line: format!("{command_line}{more}"),
        },
    };
    let entries = vec![
        entry("KIWI", start.title.to_owned(), ""),
        entry("Debug", format!("{} (debug)", start.title), " DEBUG=1"),
        Entry {
            label: "Disk".to_owned(),
            title: "Boot from the disk".to_owned(),
            action: Action::NextDevice,
        },
    ];
    MediumMenu { title: start.title.to_owned(), settings, entries }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_starts_and_the_second_one_shows_how() {
        let start =
            Start { title: "KIWI CD boot", kernel: "/linux", initrd: "/initrd", parameters: "root=x" };
        let menu = menu(start);
        let lines: Vec<&str> = menu
            .entries
            .iter()
            .map(|entry| match &entry.action {
                Action::Boot { command_line, .. } => command_line.as_str(),
                Action::NextDevice => "-",
            })
            .collect();
        assert_eq!(
            lines,
            [
                "root=x console=tty0 console=ttyS0,115200",
                "root=x console=tty0 console=ttyS0,115200 DEBUG=1",
                "-"
            ]
        );
    }
}
