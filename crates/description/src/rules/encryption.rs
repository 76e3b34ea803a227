//! Rules of `<type>` about encryption, verity and integrity.

use super::{Found, Rule, switched_on, types};
use crate::document::Element;
use crate::suggest::nearest;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "format-of-encryption", check: luks },
    Rule { name: "options-of-encryption", check: options },
    Rule { name: "metadata-of-verity", check: verity },
    Rule { name: "metadata-of-integrity", check: integrity },
];

/// Options of `cryptsetup luksFormat` (its manual page, version 2.8).
const OPTIONS: [&str; 49] = [
    "--align-payload",
    "--batch-mode",
    "--cipher",
    "--debug",
    "--debug-json",
    "--disable-keyring",
    "--disable-locks",
    "--force-password",
    "--hash",
    "--header",
    "--hw-opal",
    "--hw-opal-only",
    "--integrity",
    "--integrity-inline",
    "--integrity-key-size",
    "--integrity-legacy-padding",
    "--integrity-no-journal",
    "--integrity-no-wipe",
    "--iter-time",
    "--key-file",
    "--key-size",
    "--key-slot",
    "--keyfile-offset",
    "--keyfile-size",
    "--keyslot-cipher",
    "--keyslot-key-size",
    "--label",
    "--luks2-keyslots-size",
    "--luks2-metadata-size",
    "--master-key-file",
    "--offset",
    "--pbkdf",
    "--pbkdf-force-iterations",
    "--pbkdf-memory",
    "--pbkdf-parallel",
    "--progress-frequency",
    "--progress-json",
    "--sector-size",
    "--subsystem",
    "--timeout",
    "--tries",
    "--type",
    "--use-random",
    "--use-urandom",
    "--uuid",
    "--verbose",
    "--verify-passphrase",
    "--volume-key-file",
    "--volume-key-keyring",
];

/// Options for which cryptsetup also has a letter.
const LETTERS: [&str; 11] = ["-M", "-c", "-d", "-h", "-i", "-l", "-o", "-q", "-s", "-S", "-v"];

fn luks(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| image_type.attribute("luks").is_none()) {
        if let Some(format) = image_type.child("luksformat") {
            found.element(
                format,
                "needs `luks`",
                "nothing is encrypted here",
                "add `luks=\"...\"` to the type",
            );
        }
    }
}

fn options(root: &Element, found: &mut Found) {
    let formats = types(root).filter_map(|image_type| image_type.child("luksformat"));
    for option in formats.flat_map(|format| format.children("option")) {
        let Some(name) = option.attribute("name") else { continue };
        let text = name.value.text.as_str();
        if OPTIONS.contains(&text) || LETTERS.contains(&text) {
            continue;
        }
        let near = nearest(text, OPTIONS.iter().copied());
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the options are described in the manual page of `cryptsetup luksFormat`".to_owned(),
        };
        found.value(name, "is not an option of `cryptsetup luksFormat`", "unknown to it", &help);
    }
}

fn verity(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| image_type.attribute("verity_blocks").is_none()) {
        if let Some(metadata) = switched_on(image_type, "embed_verity_metadata") {
            found.attribute(
                metadata,
                "needs `verity_blocks`",
                "nothing is protected here",
                "add `verity_blocks=\"all\"`",
            );
        }
    }
}

fn integrity(root: &Element, found: &mut Found) {
    for image_type in types(root) {
        if switched_on(image_type, "standalone_integrity").is_some() {
            continue;
        }
        const ADD: &str = "add `standalone_integrity=\"true\"`";
        if let Some(setting) = switched_on(image_type, "embed_integrity_metadata") {
            found.attribute(setting, "needs `standalone_integrity`", "nothing is protected here", ADD);
        }
        if let Some(setting) = switched_on(image_type, "integrity_legacy_hmac") {
            let message = "has no effect without `standalone_integrity`";
            found.warn_attribute(setting, message, "nothing is protected here", ADD);
        }
    }
}
