//! `/.profile`, the description as shell variables, and `/.kconfig`, functions for its scripts
//! (docs/formats/scripts.md).

use std::collections::BTreeMap;

use anyhow::Result;
use description::{ImageType, Selection};

use crate::root_tree::RootTree;

/// The text of `/.kconfig`.
pub(super) const FUNCTIONS: &str = include_str!("kconfig.sh");

/// Returns the variables of `.profile`, with the names of KIWI 1.x and the current names.
pub fn variables(selection: &Selection) -> BTreeMap<&'static str, String> {
    let settings = &selection.settings;
    let mut variables = selection.variables.clone();
    let size =
        selection.image_type.size().map_or_else(|| "auto".to_owned(), |rule| format!("{}M", rule.size.0));
    let list = |names: Vec<String>| names.join(" ");
    variables.insert("name", selection.name.to_string());
    variables.insert("version", selection.version.to_string());
    variables.insert("type", selection.image_type.keyword().to_owned());
    variables.insert("size", size);
    variables.insert("kiwi_iname", selection.name.to_string());
    variables.insert("kiwi_iversion", selection.version.to_string());
    variables.insert("kiwi_type", selection.image_type.keyword().to_owned());
    let profiles: Vec<String> = selection.profiles.iter().map(ToString::to_string).collect();
    variables.insert("profiles", profiles.join(","));
    variables.insert("kiwi_profiles", profiles.join(","));
    let delete = list(selection.delete.iter().map(ToString::to_string).collect());
    variables.insert("kiwi_delete", delete.clone());
    variables.insert("delete", delete);
    if settings.compressed {
        variables.insert("compressed", "yes".to_owned());
        variables.insert("kiwi_compressed", "true".to_owned());
    }
    for (legacy, current, value) in [
        ("keytable", "kiwi_keytable", &settings.keytable),
        ("timezone", "kiwi_timezone", &settings.timezone),
        ("language", "kiwi_language", &settings.locale),
        // Scripts for KIWI 1.x read `locale`; KIWI 1.x itself wrote `kiwi_locale`.
        ("locale", "kiwi_locale", &settings.locale),
    ] {
        if let Some(value) = value {
            variables.insert(legacy, value.clone());
            variables.insert(current, value.clone());
        }
    }
    for drivers in &selection.drivers {
        variables.insert(drivers.kind.keyword(), drivers.files.join(","));
    }
    let drivers: Vec<&str> =
        selection.drivers.iter().flat_map(|drivers| &drivers.files).map(String::as_str).collect();
    if !drivers.is_empty() {
        variables.insert("kiwi_drivers", drivers.join(","));
    }
    let display = settings.display_name.clone().unwrap_or_else(|| selection.name.to_string());
    variables.insert("kiwi_displayname", display);
    if selection.image_type == ImageType::Cpio {
        variables.insert("kiwi_cpio_name", selection.name.to_string());
    }
    variables
}

/// Returns the text of `.profile`, sorted by name.
pub fn text(variables: &BTreeMap<&'static str, String>) -> String {
    variables.iter().map(|(name, value)| format!("{name}={}\n", quoted(value))).collect()
}

/// Returns the value in single quotes, safe for every shell.
fn quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "'\\''"))
}

/// Writes both files to the top directory of the tree, where scripts expect them.
pub(super) fn write(profile: &str, tree: &RootTree) -> Result<()> {
    tree.write(".profile", profile, 0o644)?;
    tree.write(".kconfig", FUNCTIONS, 0o644)
}

/// Removes both files.
pub(super) fn remove(tree: &RootTree) -> Result<()> {
    tree.remove(".profile")?;
    tree.remove(".kconfig")
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use description::{Choice, Description, SourceFile};
    use test_programs::{have, run};

    use super::*;

    #[test]
    fn values_cannot_break_out_of_their_quotes() {
        assert_eq!(quoted("it's $(x) `y`"), "'it'\\''s $(x) `y`'");
    }

    /// Modules of a kernel; the first one needs the last one.
    const MODULES: [&str; 9] = [
        "drivers/net/ethernet/e1000.ko.xz",
        "drivers/net/phy/one.ko",
        "drivers/net/phy/deep/two.ko",
        "drivers/usb/storage/uas.ko",
        "drivers/usb/storage/usb-storage.ko",
        "drivers/scsi/hpsa.ko.zst",
        "drivers/virtio/virtio.ko",
        "fs/ext4/ext4.ko",
        "lib/needed.ko.gz",
    ];

    /// Returns the modules that `suseStripKernel` keeps for these sections of `<drivers>`, without directory.
    fn kept(sections: &str) -> Vec<String> {
        let text = format!(
            r#"<image schemeversion="1.4" name="n"><description type="system"><author>A</author><contact>C</contact>
            <specification>S</specification></description><preferences><type>ext3</type><version>1.0.0</version>
            <packagemanager>apt</packagemanager></preferences>{sections}
            <repository type="apt-deb"><source path="http://example.org"/></repository>
            <packages type="image"><package name="p"/></packages></image>"#
        );
        let parsed = Description::parse(SourceFile { name: "f".into(), text });
        let description = parsed.description.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
        let selection = description.select(&Choice::default()).unwrap();
        let directory = tempfile::tempdir().unwrap();
        let modules = directory.path().join("6.1");
        for path in MODULES {
            let path = modules.join("kernel").join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let needs = |path: &str| if path == MODULES[0] { " kernel/lib/needed.ko.gz" } else { "" };
        let list: String = MODULES.iter().map(|path| format!("kernel/{path}:{}\n", needs(path))).collect();
        std::fs::write(modules.join("modules.dep"), list).unwrap();
        // The functions work on the directory of this test, and do not run depmod.
        let functions = FUNCTIONS.replace("/lib/modules", directory.path().to_str().unwrap());
        let profile = super::text(&variables(&selection));
        let script =
            format!("set -e\n{functions}\n{profile}\n_kiwi_has() {{ false; }}\ncd /\nsuseStripKernel\n");
        run("sh", &["-c", &script]);
        let found = run("find", &[modules.to_str().unwrap(), "-name", "*.ko*", "-printf", "%f\n"]);
        let mut names: Vec<String> = found.lines().map(str::to_owned).collect();
        names.sort();
        names
    }

    #[test]
    fn each_section_of_drivers_keeps_its_modules_and_what_they_need() {
        if !have(&["sh", "find", "awk", "comm"]) {
            return;
        }
        for (section, file, expected) in [
            ("netdrivers", "ethernet/e1000.ko", &["e1000.ko.xz", "needed.ko.gz"][..]),
            ("netdrivers", "phy/*", &["one.ko", "two.ko"]),
            ("netdrivers", "storage/uas.ko", &[]),
            ("usbdrivers", "storage/uas.ko", &["uas.ko"]),
            // The boot images of 1.x name these modules relative to the directory of all drivers.
            ("usbdrivers", "usb/storage/uas.ko", &["uas.ko"]),
            ("scsidrivers", "hpsa.ko", &["hpsa.ko.zst"]),
            ("scsidrivers", "virtio/virtio.ko", &["virtio.ko"]),
            ("drivers", "hpsa.ko", &[]),
            // The name of a module, as boot images made from the system accept it.
            ("drivers", "hpsa", &["hpsa.ko.zst"]),
            ("netdrivers", "e1000", &["e1000.ko.xz", "needed.ko.gz"]),
            ("netdrivers", "e1", &[]),
            ("drivers", "usb_storage", &["usb-storage.ko"]),
            ("drivers", "usb-storage", &["usb-storage.ko"]),
            ("drivers", "drivers/scsi/hpsa.ko", &["hpsa.ko.zst"]),
            ("drivers", "fs/ext4/*", &["ext4.ko"]),
        ] {
            let text = format!(r#"<drivers type="{section}"><file name="{file}"/></drivers>"#);
            assert_eq!(kept(&text), expected, "{section} {file}");
        }
        let all = r#"<drivers type="drivers"><file name="fs/ext4/ext4.ko"/></drivers>
            <drivers type="netdrivers"><file name="phy/one.ko"/><file name="absent.ko"/></drivers>
            <drivers type="usbdrivers"><file name="storage/*"/></drivers>
            <drivers type="scsidrivers"><file name="hpsa.ko"/></drivers>"#;
        assert_eq!(kept(all), ["ext4.ko", "hpsa.ko.zst", "one.ko", "uas.ko", "usb-storage.ko"]);
        assert!(kept("").is_empty());
    }
}
