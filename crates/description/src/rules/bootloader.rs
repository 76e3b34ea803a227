//! Rules of `<bootloader>`: the settings of each loader.

use super::{Found, Rule, is, takes, types};
use crate::SchemaVersion;
use crate::document::Element;
use crate::image_type::{Feature, listed_types};
use crate::suggest::listed;

pub(super) static RULES: &[Rule] = &[
    Rule { name: "bootloader-of-a-type", check: bootloader },
    Rule { name: "attributes-of-a-bootloader", check: bootloader_attributes },
    Rule { name: "environment-of-a-bootloader", check: bootloader_environment },
    Rule { name: "secure-execution-of-a-bootloader", check: secure_execution },
    Rule { name: "no-input-is-the-only-one", check: input_console },
];

/// Today's loaders; the settings of older ones are unknown.
const TODAY: &[&str] = &["grub2", "grub2_s390x_emu", "systemd_boot", "zipl", "custom"];
const GRUB: &[&str] = &["grub2", "grub2_s390x_emu"];

fn bootloader(root: &Element, found: &mut Found) {
    for image_type in types(root).filter(|image_type| !takes(image_type, Feature::Bootloader)) {
        if let Some(loader) = image_type.child("bootloader") {
            found.element(
                loader,
                "does not fit this image type",
                "nothing boots by itself here",
                &format!("it fits {}", listed_types(Feature::Bootloader, SchemaVersion::NEWEST)),
            );
        }
    }
}

fn bootloader_attributes(root: &Element, found: &mut Found) {
    const LOADERS: &[(&str, &[&str])] = &[
        ("bls", &["grub2"]),
        ("grub_template", GRUB),
        ("input_console", GRUB),
        ("output_console", GRUB),
        ("serial_line", GRUB),
        ("targettype", &["zipl", "grub2_s390x_emu"]),
        ("timeout", &["grub2", "grub2_s390x_emu", "systemd_boot", "zipl"]),
        ("timeout_style", GRUB),
        ("video_mode", GRUB),
    ];
    let loaders = types(root).filter_map(|image_type| image_type.child("bootloader"));
    for loader in loaders.filter(|loader| is(loader, "name", TODAY)) {
        for (name, fits) in LOADERS {
            if let Some(attribute) = loader.attribute(name)
                && !is(loader, "name", fits)
            {
                let help = format!("it fits {}", listed(fits.iter().copied()));
                found.attribute(attribute, "does not fit this boot loader", "has no meaning here", &help);
            }
        }
    }
}

fn bootloader_environment(root: &Element, found: &mut Found) {
    for loader in types(root).filter_map(|image_type| image_type.child("bootloader")) {
        let environment =
            loader.child("bootloadersettings").and_then(|settings| settings.child("environment"));
        if let Some(environment) = environment
            && !is(loader, "name", GRUB)
        {
            found.element(
                environment,
                "does not fit this boot loader",
                "it has no environment",
                "it fits grub2 and grub2_s390x_emu",
            );
        }
    }
}

fn secure_execution(root: &Element, found: &mut Found) {
    let loaders = types(root).filter_map(|image_type| image_type.child("bootloader"));
    for loader in loaders.filter(|loader| !is(loader, "name", &["zipl", "grub2_s390x_emu"])) {
        for settings in loader.children("securelinux") {
            found.element(
                settings,
                "does not fit this boot loader",
                "only IBM Z executes securely in this way",
                "it fits zipl and grub2_s390x_emu",
            );
        }
    }
}

fn input_console(root: &Element, found: &mut Found) {
    for loader in types(root).filter_map(|image_type| image_type.child("bootloader")) {
        let Some(console) = loader.attribute("input_console") else { continue };
        let keywords = console.value.keywords();
        if keywords.len() > 1 && keywords.iter().any(|keyword| keyword.text == "none") {
            found.value(
                console,
                "contains `none` and another value",
                "`none` cannot be combined with other values",
                "remove `none`, or the others",
            );
        }
    }
}
