//! Keyboard, time zone and language of the description, in the files of Debian and SUSE.

use anyhow::{Context, Result};
use description::Settings;

use super::keyboard;
use crate::distribution::Distribution;
use crate::failure::fail;
use crate::host::{Host, Warning};
use crate::root_tree::RootTree;

/// Writes the settings; missing data is an error or a warning that names the package to add.
pub(super) fn apply(settings: &Settings, tree: &RootTree, host: &Host) -> Result<()> {
    if let Some(zone) = &settings.timezone {
        timezone(zone, tree)?;
    }
    if let Some(list) = &settings.locale {
        locales(&list.split(',').map(|language| full_name(language.trim())).collect::<Vec<_>>(), tree, host)?;
    }
    if let Some(keymap) = &settings.keytable {
        keyboard(keymap, tree)?;
    }
    if let Some(id) = &settings.image_id {
        tree.write("etc/ImageID", format!("{id}\n"), 0o644)?;
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

/// Sets the first locale and generates the data of all of them.
fn locales(names: &[String], tree: &RootTree, host: &Host) -> Result<()> {
    let Some(name) = names.first() else { return Ok(()) };
    tree.write("etc/default/locale", format!("LANG={name}\n"), 0o644)?;
    tree.write("etc/locale.conf", format!("LANG={name}\n"), 0o644)?;
    if tree.exists("etc/sysconfig/language") {
        replace_setting(tree, "etc/sysconfig/language", "RC_LANG", name)?;
    }
    let is_missing = |name: &&String| {
        !matches!(name.as_str(), "C" | "POSIX" | "C.UTF-8") && !tree.exists(data_directory(name))
    };
    let missing: Vec<&str> = names.iter().filter(is_missing).map(String::as_str).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !tree.exists("usr/sbin/locale-gen") {
        let package = Distribution::package_hint(tree, |facts| facts.locale_package.to_owned());
        let name = missing.join(", ");
        host.warn(Warning::Description, &format!(
            "the locale {name} is set, but its data is missing in the image; add the package that provides it ({package})"
        ));
        return Ok(());
    }
    let lines = missing.iter().map(|name| {
        let charset = name.split('.').nth(1).unwrap_or("UTF-8").split('@').next().unwrap_or("UTF-8");
        format!("{name} {charset}\n")
    });
    tree.write("etc/locale.gen", lines.collect::<String>(), 0o644)?;
    let generating = || format!("generating the locale {}", missing.join(", "));
    tree.command(host, "/usr/sbin/locale-gen").run().with_context(generating)
}

/// Returns the directory with the data of a locale, where a package provides them finished.
fn data_directory(name: &str) -> String {
    let (language, rest) = name.split_once('.').unwrap_or((name, ""));
    let (charset, modifier) = rest
        .split_once('@')
        .map_or((rest, String::new()), |(charset, modifier)| (charset, format!("@{modifier}")));
    let charset: String =
        charset.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase();
    format!("usr/lib/locale/{language}.{charset}{modifier}")
}

fn keyboard(keymap: &str, tree: &RootTree) -> Result<()> {
    let (layout, variant) = keyboard::layout(keymap);
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
