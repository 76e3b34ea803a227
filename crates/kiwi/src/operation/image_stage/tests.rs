#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::collections::BTreeSet;
use std::io::Read;

use bootconfig::{BootConfig, Kind};
use description::{Choice, Description, ImageName, ImageType, ProfileName, SourceFile, Version};
use serde_json::Value;

use super::*;
use crate::host::{Host, Output};
use crate::identity::Identity;
use crate::root_tree::RootTree;
use crate::stage::{Key, assert_pinned};
use crate::workspace::{Scratch, Workspace};

/// Returns every selection of every accepted fixture; together they use every element and attribute.
fn selections() -> Vec<Selection> {
    let base = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/descriptions");
    let files = walkdir::WalkDir::new(base).sort_by_file_name().into_iter().map(|entry| entry.unwrap());
    let accepted = files.filter(|entry| entry.path().components().any(|part| part.as_os_str() == "accepted"));
    let mut selections = Vec::new();
    for entry in accepted.filter(|entry| entry.path().extension().is_some_and(|extension| extension == "xml"))
    {
        let file = SourceFile { name: "f".into(), text: std::fs::read_to_string(entry.path()).unwrap() };
        let Some(description) = Description::parse(file).description else { continue };
        let types = description.types_for(&Choice::default()).unwrap_or_default();
        selections.extend(types.into_iter().filter_map(|image_type| {
            description.select(&Choice { image_type: Some(image_type), ..Choice::default() }).ok()
        }));
    }
    selections
}

/// Returns the names of the fields in a `Debug` text: each field of each structure, every time it appears.
fn debug_fields(value: &impl std::fmt::Debug) -> Vec<String> {
    let text = format!("{value:#?}");
    let names = text.lines().filter_map(|line| line.trim_start().split_once(": "));
    let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let mut names: Vec<String> =
        names.map(|(name, _)| name.to_owned()).filter(|name| is_name(name)).collect();
    names.sort();
    names
}

/// Returns the names of the members of all objects, without those of variants (`Disk`).
fn serialised_fields(value: &Value) -> Vec<String> {
    let mut names = match value {
        Value::Object(members) => members.values().flat_map(serialised_fields).collect(),
        Value::Array(items) => items.iter().flat_map(serialised_fields).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    if let Value::Object(members) = value {
        names.extend(members.keys().filter(|name| name.starts_with(|c: char| c.is_lowercase())).cloned());
    }
    names.sort();
    names
}

/// A field that is missing in the serialised form (`serde(skip)`, a hand-written `Serialize`) would not be in the key.
#[test]
fn every_field_of_the_model_is_serialised() {
    let (mut keywords, mut seen) = (BTreeSet::new(), BTreeSet::new());
    for selection in selections() {
        let keyed = (&selection.image_type, &selection.settings, &selection.drivers, &selection.deploy);
        let shown = debug_fields(&keyed);
        assert_eq!(serialised_fields(&serde_json::to_value(keyed).unwrap()), shown);
        keywords.insert(selection.image_type.keyword());
        seen.extend(shown);
    }
    for keyword in ["ext4", "cpio", "tbz", "vmx", "oem", "iso", "usb", "xen", "pxe", "split"] {
        assert!(keywords.contains(keyword), "no fixture selects {keyword}");
    }
    for field in ["timezone", "files", "mountpoint", "esp_size", "unattended", "media_check", "additive"] {
        assert!(seen.contains(field), "no fixture has {field}");
    }
}

fn key(selection: &Selection) -> Key {
    let mut inputs = Inputs::new(Stage::Image);
    of_selection(selection, &mut inputs).unwrap();
    inputs.key()
}

#[test]
fn every_field_of_the_selection_changes_the_key() {
    let disk = selections().into_iter().find(|selection| matches!(selection.image_type, ImageType::Disk(_)));
    let selection = Selection { deploy: None, ..disk.unwrap() };
    let changes: [fn(&mut Selection); 13] = [
        |selection| selection.strip = true,
        |selection| selection.bills.spdx = true,
        |selection| selection.helper_kernel = Some("/proc/version".into()),
        |selection| selection.name = ImageName::parse("another").unwrap(),
        |selection| selection.name_part = Some("p".to_owned()),
        |selection| selection.version = Version::parse("99").unwrap(),
        |selection| selection.kind = description::DescriptionKind::Boot,
        |selection| selection.architecture = description::Architecture::new("aarch64"),
        |selection| selection.bundle_format = Some("%N-%A-%v".to_owned()),
        |selection| selection.image_type = ImageType::Tbz,
        |selection| selection.settings.compressed = !selection.settings.compressed,
        |selection| {
            let kind = description::DriverKind::Net;
            selection.drivers.push(description::Drivers { kind, files: vec!["x.ko".to_owned()] });
        },
        |selection| {
            let with_deploy = selections().into_iter().find_map(|selection| selection.deploy);
            selection.deploy = with_deploy;
        },
    ];
    let mut keys = vec![key(&selection)];
    for change in changes {
        let mut changed = selection.clone();
        change(&mut changed);
        keys.push(key(&changed));
    }
    keys.sort();
    keys.dedup();
    assert_eq!(
        keys.len(),
        changes.len() + 1,
        "a change does not change the key, or collides with another one"
    );
    let mut same = selection.clone();
    same.author.push('x');
    same.contact.push('x');
    same.specification.push('x');
    same.profiles.push(ProfileName::parse("p").unwrap());
    assert_eq!(key(&selection), key(&same), "these are not in any image, or are covered by other inputs");
}

/// Returns the archive that the type `cpio` makes of a tiny tree, without owners, which depend on the user of the test.
fn packed(tree: &RootTree, directory: &Path, host: &Host) -> Vec<u8> {
    let text = r#"<image schemaversion="8.5" name="tiny"><description type="system"><author>A</author>
      <contact>C</contact><specification>S</specification></description><preferences><version>1.0.0</version>
      <packagemanager>apt</packagemanager><type image="cpio"/></preferences>
      <repository><source path="debian://bookworm"/></repository>
      <packages type="image"><package name="p"/></packages></image>"#;
    let file = SourceFile { name: "f".into(), text: text.to_owned() };
    let selection = Description::parse(file).description.unwrap().select(&Choice::default()).unwrap();
    std::fs::create_dir(directory).unwrap();
    let workspace = Workspace::open(directory, Scratch::Disk, host).unwrap();
    let identity = Identity::new(1_000_000, ["tiny"]);
    let facts = crate::create::TreeFacts::of(tree, None, &[]).unwrap();
    let plan = crate::create::plan(&selection, &facts, &identity).unwrap();
    let artifacts = crate::create::create(&plan, &selection, tree, &workspace, host).unwrap();
    let initrd = std::fs::File::open(crate::create::initrd_of(&artifacts).unwrap()).unwrap();
    let mut archive = Vec::new();
    flate2::read::MultiGzDecoder::new(initrd).read_to_end(&mut archive).unwrap();
    workspace.close().unwrap();
    const MAGIC: &[u8] = b"070701";
    let headers: Vec<usize> = (0..archive.len()).filter(|at| archive[*at..].starts_with(MAGIC)).collect();
    for at in headers {
        // Inode and mode have eight digits each, followed by owner and group.
        archive[at + MAGIC.len() + 16..][..16].fill(b'0');
    }
    archive
}

#[test]
fn results_match_the_format_numbers_of_their_stages() {
    let directory = tempfile::tempdir().unwrap();
    let host = Host::new(Output::Quiet);
    let tree = RootTree::create(&host, &directory.path().join("tree")).unwrap();
    tree.set_mode(".", 0o755).unwrap();
    tree.write("etc/motd", "hello\n", 0o640).unwrap();
    tree.symlink("etc/issue", "motd").unwrap();
    let pinned = "208effbc8c552211db1929448ab9da648f6132a285847de49ccb4e512eef47c7";
    assert_pinned(Stage::Image, (10, pinned), packed(&tree, &directory.path().join("image"), &host));
    let linuxrc = directory.path().join("linuxrc");
    std::fs::write(&linuxrc, "program").unwrap();
    crate::initrd::furnish(&tree, &BootConfig::new(Kind::Vmx), &linuxrc).unwrap();
    let pinned = "aece845028201809519004016b238a9807012b6bb129d2e70b119f844507ed28";
    assert_pinned(Stage::BootImage, (2, pinned), packed(&tree, &directory.path().join("boot"), &host));
}
