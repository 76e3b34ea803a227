//! Every word of a description that is built changes a plan: the tree's, the image's, or that of its boot image.
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::fs;
use std::path::Path;

use description::vocabulary::{Support, Word, words};
use description::{Choice, Description, ImageType, Password};

use super::{boot_image, boot_settings};
use crate::create::{self, BootImageFiles, TreeFacts};
use crate::host::{Host, Output};
use crate::identity::Identity;
use crate::prepare::{self, PrepareOptions};
use crate::root_tree::Measure;
use crate::source::{AllowedPaths, Source};

/// Words whose effect is not in a plan, with the reason.
const ELSEWHERE: &[(&str, &str)] = &[
    ("image/@inherit", "adds packages of another description: tests/quick/descriptions/select.rs"),
    ("preferences/type/@primary", "chooses among the types: tests/quick/descriptions/select.rs"),
    ("profiles/profile/@name", "chooses sections: tests/quick/descriptions/select.rs"),
    ("profiles/profile/@arch", "chooses sections: tests/quick/descriptions/select.rs"),
    ("profiles/profile/@description", "is printed"),
    ("description/author", "is printed, and is metadata of containers"),
    ("description/contact", "is printed"),
    ("description/specification", "is printed"),
    ("description/license", "says something about the description, not about the image"),
    ("preferences/packagemanager", "chooses the program: package_manager/manager.rs"),
    ("preferences/rpm-force", "for rpm alone: package_manager/rpm/transaction.rs"),
    (
        "packages/namedCollection/@name",
        "apt has no patterns: fails in `prepare::plan`; rpm: tests/images/rpm.rs",
    ),
    ("packages/product/@name", "apt has no products; rpm: tests/images/rpm_solver/solving.rs"),
    ("packages/product/@arch", "apt has no products; rpm: tests/images/rpm_solver/solving.rs"),
    (
        "preferences/release-version",
        "replaces a variable in the sources of RPM repositories: tests/images/rpm_solver/sources.rs",
    ),
    ("repository/@sourcetype", "apt reads no list of mirrors: tests/quick/accepted.rs"),
    ("repository/@customize", "kiwi customizes no repository of apt: tests/quick/accepted.rs"),
    ("deploy/union/@rw", "needs two images: create/client_settings/tests.rs"),
    ("deploy/union/@ro", "needs two images: create/client_settings/tests.rs"),
    ("deploy/union/@type", "needs two images: create/client_settings/tests.rs"),
    ("packages/namedCollection/@arch", "apt has no patterns: fails in `prepare::plan`"),
];

/// Fields of the plan of a tree that hold the whole description, or settings that it does not apply.
const NO_PLAN: [&str; 7] = [
    "profile_file: ",
    "description: ",
    "compressed: ",
    "check_signatures: ",
    "force: ",
    "filter_locales: ",
    "display_name: ",
];

/// Returns everything that a build decides from the description: the plans of the tree, of the image and of its boot image.
fn plans(text: &str, word: &Word, image_type: &str, directory: &Path, host: &Host) -> Result<String, String> {
    fs::write(directory.join("config.xml"), text).expect("a file");
    let source = Source::open(directory, &AllowedPaths::default()).map_err(|error| format!("{error:#}"))?;
    let parsed = Description::parse(source.file());
    let description = parsed.description.ok_or_else(|| format!("{:?}", parsed.diagnostics))?;
    let choice = Choice { image_type: Some(image_type.to_owned()), ..Choice::default() };
    let mut selection = description.select(&choice).map_err(|errors| format!("{errors:?}"))?;
    selection.positions = Default::default();
    let identity = Identity::new(1_700_000_000, ["words"]);
    let boot = selection.image_type.boots().map(|_| BootImageFiles {
        initrd: directory.join("initrd"),
        kernel_version: "6.1".to_owned(),
        cdboot: Vec::new(),
    });
    let mount_points = create::mount_points(&selection).map_err(|error| format!("{error:#}"))?;
    let parts = mount_points.into_iter().map(|path| (path, Measure::default())).collect();
    let facts = TreeFacts { measure: Measure::default(), parts, boot };
    // The tree is the same for every image type.
    let tree = (!word.is_of_type())
        .then(|| prepare::plan(&selection, &source, PrepareOptions::default(), host))
        .transpose();
    let image = create::plan(&selection, &facts, &identity).map_err(|error| format!("{error:#}"))?;
    let config = boot_settings::of(&selection, Some(&identity)).map_err(|error| format!("{error:#}"))?;
    let boots = boot_image::wanted(&selection).map(|wanted| format!("{:?}", wanted.boot));
    let tree = tree.map_err(|error| format!("{error:#}"))?;
    let passwords: Vec<&String> = selection
        .users
        .iter()
        .filter_map(|user| match user.password.as_ref()? {
            Password::Hash(text) | Password::Plain(text) => Some(text),
        })
        .collect();
    // What is made besides the disk: `install_medium` and `install_archive` decide it.
    let media = if let ImageType::Disk(disk) = &selection.image_type {
        Some((disk.install_medium, disk.install_archive))
    } else {
        None
    };
    let other = (boots, media, passwords, &selection.bundle_format, &selection.drivers);
    let tree = format!("{tree:#?}");
    let decides = |line: &&str| !NO_PLAN.iter().any(|field| line.trim_start().starts_with(field));
    let tree: Vec<&str> = tree.lines().filter(decides).collect();
    Ok(format!("{}\n{image:#?}\n{config:#?}\n{other:#?}", tree.join("\n")))
}

/// Values that mean the same on purpose: the word, the values, the reason.
const SYNONYMS: &[(&str, &[&str], &str)] = &[
    ("preferences/@arch", &["nothing", "x86_64"], "other machines are not built for"),
    ("preferences/type/@format", &["vpc", "vhd"], "the name that QEMU has for it"),
    ("preferences/type/@format", &["raw", "qemu"], "the name of KIWI 1.x"),
    ("type/bootloader/@name", &["nothing", "grub2"], "the only one that is built"),
    ("partitions/partition/@partition_type", &["nothing", "t.linux"], "the only one that is built"),
    ("repository/@type", &["nothing", "apt-deb"], "what a suite implies"),
];

/// Returns a complaint about each value of a word that gives the plan of another one, or none at all.
fn silent_values(word: &Word, image_type: &str, directory: &Path, host: &Host) -> Vec<String> {
    let name = word.name();
    let mut seen: Vec<(String, Result<String, String>)> = Vec::new();
    let mut silent = Vec::new();
    for (value, text) in word.descriptions(image_type) {
        let made = plans(&text, word, image_type, directory, host);
        let meant = |other: &str| {
            SYNONYMS.iter().any(|(known, values, _)| {
                *known == name && values.contains(&other) && values.contains(&value.as_str())
            })
        };
        let same = seen.iter().find(|(other, known)| *known == made && !meant(other));
        if let (Ok(_), Some((other, _))) = (&made, same) {
            silent.push(format!("{name} of {image_type}: {other} and {value} are the same"));
        }
        seen.push((value, made));
    }
    // A single value may lack what others need.
    if !seen.is_empty() && seen.iter().all(|(_, made)| made.is_err()) {
        silent.push(format!("{name} of {image_type}: {seen:?}"));
    }
    silent
}

#[test]
fn values_of_every_built_word_give_different_plans() {
    let directory = tempfile::tempdir().expect("a directory");
    let host = Host::new(Output::Quiet);
    for file in ["a", "b", "initrd"] {
        fs::write(directory.path().join(file), "").expect("a file");
    }
    let mut silent = Vec::new();
    for word in words() {
        if ELSEWHERE.iter().any(|(name, _)| *name == word.name()) {
            continue;
        }
        let built = |image_type: &&str| word.support(image_type) == Support::Built;
        for image_type in word.image_types().into_iter().filter(built) {
            silent.extend(silent_values(&word, image_type, directory.path(), &host));
        }
    }
    assert!(silent.is_empty(), "{}", silent.join("\n"));
}
