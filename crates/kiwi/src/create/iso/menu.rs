//! The boot menu of a live medium: the system, the system with nothing fancy, a look at the medium, the disk.

use description::Iso;

use crate::bootloader::grub2;
use crate::bootloader::medium_menu::{Action, Entry, MediumMenu};
use crate::media::iso::LOADER;

/// Keywords that keep troublesome hardware support out.
const FAILSAFE: &str = "nomodeset edd=off noresume noswap";

/// The menu of `live`, under `title`.
pub(super) fn of(live: &Iso, title: &str) -> MediumMenu {
    let line = command_line(live);
    let boot = |label: &str, title: String, keywords: &[&str]| {
        let keywords: Vec<&str> = std::iter::once(line.as_str()).chain(keywords.iter().copied()).collect();
        Entry {
            label: label.to_owned(),
            title,
            action: Action::Boot {
                kernel: format!("{LOADER}/linux"),
                initrd: format!("{LOADER}/initrd"),
                command_line: keywords.join(" "),
            },
        }
    };
    let persistent = live.persistent.map(|filesystem| {
        format!("rd.live.overlay.persistent rd.live.overlay.cowfs={}", filesystem.keyword())
    });
    let persistent = persistent.as_deref().map_or(Vec::new(), |keywords| vec![keywords]);
    let mut entries = vec![
        boot("Live-System", title.to_owned(), &persistent),
        boot("Failsafe", format!("{title} (failsafe)"), &[FAILSAFE]),
    ];
    if live.media_check {
        let keywords: Vec<&str> = std::iter::once("mediacheck=1").chain(persistent.iter().copied()).collect();
        entries.push(boot("Mediacheck", "Check the medium, then start it".to_owned(), &keywords));
    }
    entries.push(Entry {
        label: "Harddisk".to_owned(),
        title: "Boot from the disk".to_owned(),
        action: Action::NextDevice,
    });
    MediumMenu { title: title.to_owned(), settings: live.bootloader.clone(), entries }
}

/// The consoles, then what the description says; a console it names takes the location of ours.
fn command_line(live: &Iso) -> String {
    let own = live.kernel_command_line.as_deref().unwrap_or_default();
    let mut keywords: Vec<String> = Vec::new();
    if !own.split_whitespace().any(|keyword| keyword.starts_with("console=")) {
        keywords.extend(grub2::console_keywords(&live.bootloader).iter().map(ToString::to_string));
    }
    keywords.extend(own.split_whitespace().map(str::to_owned));
    keywords.join(" ")
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
            bootloader: Bootloader::default(),
            kernel_command_line: Some("quiet console=ttyS1".to_owned()),
            media_check,
            persistent,
            volume_id: "CDROM".to_owned(),
            application_id: None,
            publisher: None,
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
    fn what_is_kept_is_kept_by_both_usual_lines() {
        let menu = of(&live(Some(Filesystem::Xfs), false), "T");
        let kept = "quiet console=ttyS1 rd.live.overlay.persistent rd.live.overlay.cowfs=xfs";
        assert_eq!(lines(&menu)[0], ("Live-System", Some(kept)));
        assert_eq!(menu.entries.len(), 3);
    }
}
