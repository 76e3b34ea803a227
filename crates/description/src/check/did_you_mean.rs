//! Suggestions for common names for keywords that are spelled differently, which no edit distance finds.

use crate::schema::{self, Value};

/// Names that are not image types, and the right spelling.
const IMAGE_TYPES: &[(&[&str], &str)] = &[
    (&["disk", "raw", "hdd", "vm"], "a disk is `image=\"oem\"`"),
    (&["live", "livecd", "cd", "dvd"], "a live system is `image=\"iso\"`"),
    (&["container", "podman"], "a container is `image=\"docker\"` or `image=\"oci\"`"),
    (&["tar", "tgz", "tar.xz", "rootfs"], "an archive of the tree is `image=\"tbz\"`"),
    (&["initrd", "initramfs"], "an initrd is `image=\"cpio\"`"),
];

/// Disk formats that are mistaken for image types.
const FORMATS: &[&str] =
    &["qcow2", "vmdk", "vdi", "vhd", "vhdx", "vhd-fixed", "ova", "gce", "vagrant", "qcow", "ovf"];

/// Returns what to write instead of a value that is not in `known`, if it is a usual name of something else.
pub(super) fn keyword<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let typed = typed.to_lowercase();
    // Only the list of image types contains this keyword.
    known.into_iter().find(|keyword| *keyword == "oem")?;
    if FORMATS.contains(&typed.as_str()) {
        return Some(format!("`{typed}` is the format of a disk: `image=\"oem\" format=\"{typed}\"`"));
    }
    let meant = IMAGE_TYPES.iter().find(|(keywords, _)| keywords.contains(&typed.as_str()));
    meant.map(|(_, help)| (*help).to_owned())
}

/// Returns what to write instead of a number followed by a unit.
pub(super) fn number(typed: &str, form: &Value) -> Option<String> {
    let (Value::Number(..) | Value::Count(_)) = form else { return None };
    let digits = typed.trim_end_matches(|letter: char| letter.is_ascii_alphabetic()).trim_end();
    let unit = &typed[digits.len()..].trim().to_uppercase();
    schema::number(digits)?;
    match unit.as_str() {
        "M" | "MB" | "MIB" => Some(format!("write the number alone, {digits}, and `unit=\"M\"` beside it")),
        "G" | "GB" | "GIB" => Some(format!("write the number alone, {digits}, and `unit=\"G\"` beside it")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_everyday_names_lead_to_image_types() {
        let types = ["oem", "iso"];
        assert_eq!(
            keyword("QCOW2", types).unwrap(),
            "`qcow2` is the format of a disk: `image=\"oem\" format=\"qcow2\"`"
        );
        assert_eq!(keyword("disk", types).unwrap(), "a disk is `image=\"oem\"`");
        assert_eq!(keyword("disk", ["grub2"]), None);
        assert_eq!(keyword("other", types), None);
    }

    #[test]
    fn units_are_taken_apart() {
        let form = Value::Number(1, 100);
        assert_eq!(number("4 GB", &form).unwrap(), "write the number alone, 4, and `unit=\"G\"` beside it");
        assert_eq!(number("G", &form), None);
        assert_eq!(number("4x", &form), None);
        assert_eq!(number("4G", &Value::Text), None);
    }
}
