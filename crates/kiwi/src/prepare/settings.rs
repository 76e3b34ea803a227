//! Keyboard, time zone and language of the description, in the files of Debian and SUSE.

use anyhow::{Context, Result};
use description::Settings;

use crate::distribution::Distribution;
use crate::failure::fail;
use crate::host::{Host, Warning};
use crate::root_tree::RootTree;

/// Writes the settings; missing data is an error or a warning that names the package to add.
pub(super) fn apply(settings: &Settings, tree: &RootTree, host: &Host) -> Result<()> {
    if let Some(zone) = &settings.timezone {
        timezone(zone, tree)?;
    }
    if let Some(language) = settings.locale.as_deref().and_then(|list| list.split(',').next()) {
        locale(language.trim(), tree, host)?;
    }
    if let Some(keymap) = &settings.keytable {
        keyboard(keymap, tree)?;
    }
    Ok(())
}

fn timezone(zone: &str, tree: &RootTree) -> Result<()> {
    let file = format!("usr/share/zoneinfo/{zone}");
    if !tree.exists(&file) {
        fail!(
            Packages,
            "the time zone {zone} is missing in the image (no /{file}); check its name, or add the package tzdata"
        );
    }
    tree.symlink("etc/localtime", format!("/{file}"))?;
    tree.write("etc/timezone", format!("{zone}\n"), 0o644)
}

/// Returns the full name of a locale: `de_DE` means `de_DE.UTF-8`.
fn full_name(language: &str) -> String {
    match language {
        "C" | "POSIX" => language.to_owned(),
        _ if language.contains('.') => language.to_owned(),
        _ => format!("{language}.UTF-8"),
    }
}

fn locale(language: &str, tree: &RootTree, host: &Host) -> Result<()> {
    let name = full_name(language);
    tree.write("etc/default/locale", format!("LANG={name}\n"), 0o644)?;
    tree.write("etc/locale.conf", format!("LANG={name}\n"), 0o644)?;
    if tree.exists("etc/sysconfig/language") {
        replace_setting(tree, "etc/sysconfig/language", "RC_LANG", &name)?;
    }
    if matches!(name.as_str(), "C" | "POSIX" | "C.UTF-8") {
        return Ok(());
    }
    if !tree.exists("usr/sbin/locale-gen") {
        host.warn(Warning::Description, &format!(
            "the locale {name} is set, but its data is missing in the image; add the package that provides it ({})",
            Distribution::package_hint(tree, |facts| facts.locale_package.to_owned())
        ));
        return Ok(());
    }
    let charset = name.split('.').nth(1).unwrap_or("UTF-8").split('@').next().unwrap_or("UTF-8").to_owned();
    tree.write("etc/locale.gen", format!("{name} {charset}\n"), 0o644)?;
    tree.command(host, "/usr/sbin/locale-gen").run().with_context(|| format!("generating the locale {name}"))
}

fn keyboard(keymap: &str, tree: &RootTree) -> Result<()> {
    // A console keymap such as `de-latin1-nodeadkeys` begins with the layout of console-setup and X.
    let (layout, variant) = match keymap.split_once('-') {
        Some((layout, rest)) if rest.contains("nodeadkeys") => (layout, "nodeadkeys"),
        Some((layout, _)) => (layout, ""),
        None => (keymap, ""),
    };
    tree.write("etc/vconsole.conf", format!("KEYMAP={keymap}\n"), 0o644)?;
    if tree.exists("etc/default") {
        let text = format!(
            "XKBMODEL=\"pc105\"\nXKBLAYOUT=\"{layout}\"\nXKBVARIANT=\"{variant}\"\nXKBOPTIONS=\"\"\nBACKSPACE=\"guess\"\n"
        );
        tree.write("etc/default/keyboard", text, 0o644)?;
    }
    if tree.exists("etc/sysconfig/keyboard") {
        replace_setting(tree, "etc/sysconfig/keyboard", "KEYTABLE", &format!("{keymap}.map.gz"))?;
    }
    Ok(())
}

/// Sets `KEY="value"` in a sysconfig file; replaces an existing line.
fn replace_setting(tree: &RootTree, file: &str, key: &str, value: &str) -> Result<()> {
    let text = tree.read_text(file)?;
    let prefix = format!("{key}=");
    let kept = text.lines().filter(|line| !line.starts_with(&prefix)).flat_map(|line| [line, "\n"]);
    let text = kept.collect::<String>() + &format!("{key}=\"{value}\"\n");
    tree.write(file, text, 0o644)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_without_charset_is_utf_8() {
        assert_eq!(full_name("de_DE"), "de_DE.UTF-8");
        assert_eq!(full_name("de_DE.ISO-8859-1"), "de_DE.ISO-8859-1");
        assert_eq!(full_name("POSIX"), "POSIX");
    }
}
