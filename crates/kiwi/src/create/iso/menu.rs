//! The boot menu of a live medium: the system, the system in failsafe mode, a check of the medium, the disk.

use description::Iso;
use ondisk::command_line::split;

use crate::bootloader::console;
use crate::bootloader::medium_menu::{Action, Entry, MediumMenu};
use crate::media::iso::LOADER;

/// Kernel parameters that switch off hardware support that often causes trouble.
const FAILSAFE: &str = "nomodeset edd=off noresume noswap";

/// Returns the menu of `live` with this title.
pub(super) fn of(live: &Iso, title: &str) -> MediumMenu {
    let line = command_line(live);
    let boot = |label: &str, title: String, parameters: &[&str]| {
        let parameters: Vec<&str> =
            std::iter::once(line.as_str()).chain(parameters.iter().copied()).collect();
        Entry {
            label: label.to_owned(),
            title,
            action: Action::Boot {
                kernel: format!("{LOADER}/linux"),
                initrd: format!("{LOADER}/initrd"),
                command_line: parameters.join(" "),
            },
        }
    };
    let persistent = live.persistent.map(|filesystem| {
        format!("rd.live.overlay.persistent rd.live.overlay.cowfs={}", filesystem.keyword())
    });
    let persistent = persistent.as_deref().map_or(Vec::new(), |parameters| vec![parameters]);
    let mut entries = vec![
        boot("Live-System", title.to_owned(), &persistent),
        boot("Failsafe", format!("{title} (failsafe)"), &[FAILSAFE]),
    ];
    if live.media_check {
        let parameters: Vec<&str> =
            std::iter::once("mediacheck=1").chain(persistent.iter().copied()).collect();
        entries.push(boot("Mediacheck", "Check the medium, then start it".to_owned(), &parameters));
    }
    entries.push(Entry {
        label: "Harddisk".to_owned(),
        title: "Boot from the disk".to_owned(),
        action: Action::NextDevice,
    });
    MediumMenu { title: title.to_owned(), settings: live.bootloader.clone(), entries }
}

/// Returns the consoles, then the parameters of the description. A console that they contain replaces the default one.
fn command_line(live: &Iso) -> String {
    let own = live.kernel_command_line.as_deref().unwrap_or_default();
    let mut parameters: Vec<String> = Vec::new();
    if !split(own).iter().any(|parameter| parameter.starts_with("console=")) {
        parameters.extend(console::parameters(&live.bootloader).iter().map(ToString::to_string));
    }
    parameters.extend(split(own).into_iter().map(str::to_owned));
    parameters.join(" ")
}

#[cfg(test)]
mod tests {
    use description::{Bootloader, Firmware, IsoLayout};
    use ondisk::Filesystem;

    use super::*;

    fn live(persistent: Option<Filesystem>, media_check: bool) -> Iso {
        Iso {
            boot: None,
            layout: IsoLayout::Overlay,
            filesystem: Filesystem::Squashfs,
            compression: None,
            firmware: Firmware::BiosAndUefi,
            secure_boot: false,
            bootloader: Bootloader::default(),
            kernel_command_line: Some("quiet console=ttyS1".to_owned()),
            media_check,
            persistent,
            volume_id: "CDROM".to_owned(),
            application_id: None,
            publisher: None,
            edit_boot_config: None,
        }
    }

    fn lines(menu: &MediumMenu) -> Vec<(&str, Option<&str>)> {
        let line = |entry: &'_ Entry| match &entry.action {
            Action::Boot { command_line, .. } => Some(command_line.clone().leak() as &str),
            Action::NextDevice => None,
        };
        menu.entries.iter().map(|entry| (entry.label.as_str(), line(entry))).collect()
    }

    #[test]
    fn a_plain_menu_has_four_lines() {
        assert_eq!(
            lines(&of(&live(None, true), "T")),
            [
                ("Live-System", Some("quiet console=ttyS1")),
                ("Failsafe", Some("quiet console=ttyS1 nomodeset edd=off noresume noswap")),
                ("Mediacheck", Some("quiet console=ttyS1 mediacheck=1")),
                ("Harddisk", None),
            ]
        );
    }

    #[test]
    fn both_default_entries_keep_persistent_data() {
        let menu = of(&live(Some(Filesystem::Xfs), false), "T");
        let kept = "quiet console=ttyS1 rd.live.overlay.persistent rd.live.overlay.cowfs=xfs";
        assert_eq!(lines(&menu)[0], ("Live-System", Some(kept)));
        assert_eq!(menu.entries.len(), 3);
    }
}
