//! The menu of the disk's boot loader: `/boot/grub/grub.cfg` of an installed system.

use bootconfig::{ClientConfig, menu_colors};
use ondisk::command_line::grub_word;

/// Seconds that the menu is shown by default, as in KIWI 1.x.
const TIMEOUT: u32 = 10;

/// An entry of the menu. Paths are those of the file system with the menu.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) title: String,
    pub(crate) kernel: String,
    pub(crate) initrd: Option<String>,
    pub(crate) parameters: Vec<String>,
}

/// Returns the text of the menu. `uuid` is that of its file system.
pub(crate) fn text(entries: &[Entry], timeout: Option<u32>, uuid: Option<&str>) -> String {
    let mut text = format!(
        "# Written by kiwi's boot image when it installed the system.\n\
         set default=0\nset timeout={}\n{}\
         if serial --unit=0 --speed=115200; then\n  terminal_input console serial\n  terminal_output console serial\nfi\n",
        timeout.unwrap_or(TIMEOUT),
        menu_colors::of_grub()
    );
    if let Some(uuid) = uuid {
        text += &format!("search --no-floppy --fs-uuid --set=root {}\n", quoted(uuid));
    }
    for Entry { title, kernel, initrd, parameters } in entries {
        let parameters: String =
            parameters.iter().map(|parameter| format!(" {}", grub_word(&on_one_line(parameter)))).collect();
        text += &format!("menuentry {} {{\n  linux {}{parameters}\n", quoted(title), quoted(kernel));
        if let Some(initrd) = initrd {
            text += &format!("  initrd {}\n", quoted(initrd));
        }
        text += "}\n";
    }
    text
}

/// Returns a text in quotes of GRUB's script language.
fn quoted(text: &str) -> String {
    format!("'{}'", on_one_line(text).replace('\'', "'\\''"))
}

fn on_one_line(text: &str) -> String {
    text.replace('\n', " ")
}

/// Returns the parameters that let the boot image find the system on the disk: they are what it reads as `LOCAL_BOOT`.
pub(crate) fn local_boot_parameters(config: &ClientConfig) -> Vec<String> {
    let images: Vec<String> = config.images.iter().map(ToString::to_string).collect();
    let mut parameters = vec![format!("IMAGE={}", images.join(","))];
    if config.combined_image {
        parameters.push("COMBINED_IMAGE=yes".to_owned());
    }
    if let Some(union) = &config.union {
        parameters.push(format!("UNIONFS_CONFIG={union}"));
    }
    parameters
}

/// Returns the kernels in /boot, the newest first, each with its initrd.
pub(crate) fn kernels(names: &[String]) -> Vec<(String, Option<String>)> {
    let mut found: Vec<(&str, &str)> = names
        .iter()
        .filter_map(|name| {
            let prefixes = ["vmlinuz-", "vmlinux-", "linux-", "Image-", "bzImage-"];
            let version = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix))?;
            Some((name.as_str(), version))
        })
        .collect();
    found.sort_by_key(|(_, version)| std::cmp::Reverse(version_key(version)));
    let initrd = |version: &str| {
        let candidates = [
            format!("initrd.img-{version}"),
            format!("initrd-{version}"),
            format!("initramfs-{version}.img"),
            format!("initrd-{version}.img"),
        ];
        candidates.into_iter().find(|candidate| names.contains(candidate))
    };
    let mut kernels: Vec<_> =
        found.into_iter().map(|(name, version)| (name.to_owned(), initrd(version))).collect();
    // A system with one kernel may not put the version into its name.
    if kernels.is_empty() && names.iter().any(|name| name == "vmlinuz") {
        let initrd =
            ["initrd.img", "initrd"].into_iter().find(|initrd| names.iter().any(|name| name == initrd));
        kernels.push(("vmlinuz".to_owned(), initrd.map(str::to_owned)));
    }
    kernels
}

/// Returns what versions are sorted by: numbers by value, other characters as they are.
fn version_key(version: &str) -> Vec<(u64, String)> {
    let mut key = Vec::new();
    let mut rest = version;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, behind) = rest.split_at(digits);
        let text = behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len());
        key.push((number.parse().unwrap_or(0), behind[..text].to_owned()));
        rest = &behind[text..];
    }
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_kernel_is_first_and_has_its_initrd() {
        let names = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let debian = names(&[
            "config-6.1.0-9-amd64",
            "initrd.img-6.1.0-10-amd64",
            "vmlinuz-6.1.0-10-amd64",
            "vmlinuz-6.1.0-9-amd64",
        ]);
        assert_eq!(
            kernels(&debian),
            [
                ("vmlinuz-6.1.0-10-amd64".to_owned(), Some("initrd.img-6.1.0-10-amd64".to_owned())),
                ("vmlinuz-6.1.0-9-amd64".to_owned(), None)
            ]
        );
        assert_eq!(
            kernels(&names(&["vmlinuz", "initrd"])),
            [("vmlinuz".to_owned(), Some("initrd".to_owned()))]
        );
        assert_eq!(kernels(&names(&["grub"])), []);
    }

    #[test]
    fn the_menu_quotes_what_the_configuration_says() {
        let entry = Entry {
            title: "it's $HOME".to_owned(),
            kernel: "/boot/vmlinuz".to_owned(),
            initrd: Some("/boot/initrd".to_owned()),
            parameters: ["IMAGE=/dev/sda2;a;1", "quiet", "note=\"a b\""].map(str::to_owned).to_vec(),
        };
        let text = text(&[entry], Some(3), Some("1-2"));
        assert!(text.contains("set timeout=3\n"), "{text}");
        assert!(text.contains("search --no-floppy --fs-uuid --set=root '1-2'\n"));
        assert!(text.contains(
            "menuentry 'it'\\''s $HOME' {\n  linux '/boot/vmlinuz' 'IMAGE=/dev/sda2;a;1' quiet 'note=a b'\n"
        ));
        assert!(text.contains("  initrd '/boot/initrd'\n"));
    }

    #[test]
    fn grub_accepts_the_menu() {
        if !test_programs::have(&["grub-script-check"]) {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("grub.cfg");
        let entry = Entry {
            title: "a'b{};\n".to_owned(),
            kernel: "/k".to_owned(),
            initrd: None,
            parameters: Vec::new(),
        };
        std::fs::write(&path, text(&[entry], None, None)).unwrap();
        assert!(std::process::Command::new("grub-script-check").arg(&path).status().unwrap().success());
    }

    #[test]
    fn a_local_boot_is_told_its_images() {
        let text = "IMAGE=/dev/sda2;a.x86_64;1.0.0;10.0.0.1;4096,/dev/sda3;b.x86_64;1\nCOMBINED_IMAGE=yes\n";
        let config = ClientConfig::parse(text).unwrap();
        assert_eq!(
            local_boot_parameters(&config),
            ["IMAGE=/dev/sda2;a.x86_64;1.0.0;10.0.0.1;4096,/dev/sda3;b.x86_64;1", "COMBINED_IMAGE=yes"]
        );
    }
}
