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
mod tests {
    use super::*;

    #[test]
    fn values_cannot_break_out_of_their_quotes() {
        assert_eq!(quoted("it's $(x) `y`"), "'it'\\''s $(x) `y`'");
    }
}
