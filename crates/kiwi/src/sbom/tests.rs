//! Bills of small trees.

use std::path::Path;

use serde_json::Value;

use super::*;
use crate::host::Output;
use crate::package_manager::DATABASES;

const STATUS: &str = "Package: base-files\nStatus: install ok installed\nMaintainer: Santiago Vila <s@example.org>\n\
    Architecture: amd64\nVersion: 12.4+deb12u1\n\nPackage: gone\nStatus: deinstall ok config-files\nArchitecture: all\n\
    Version: 1\n\nPackage: libx\nSource: x (1:2~rc-1)\nStatus: install ok installed\nMaintainer: Nobody\n\
    Homepage: https://example.org/x\nArchitecture: amd64\nVersion: 1:2~rc-1+b1\n";
const COPYRIGHT: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\n\
    License: GPL-2+ or special\n\nLicense: special\n Anything.\n";

fn tree(directory: &Path) -> RootTree {
    let tree = RootTree::create(&host(), &directory.join("tree")).unwrap();
    let database = Path::new(DATABASES[0]);
    for path in [
        database.parent().unwrap().to_str().unwrap(),
        "etc",
        "usr/share/doc/libx",
        "usr/share/doc/base-files",
    ] {
        tree.create_dir(path, 0o755).unwrap();
    }
    tree.write(database, STATUS, 0o644).unwrap();
    tree.write("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian\"\n", 0o644).unwrap();
    tree.write("usr/share/doc/libx/copyright", COPYRIGHT, 0o644).unwrap();
    tree.write("usr/share/doc/base-files/copyright", "This is free.\n", 0o644).unwrap();
    tree
}

fn host() -> Host {
    Host::new(Output::Quiet)
}

fn bill(tree: &RootTree) -> Bill {
    let package = LockedPackage {
        image: "system".to_owned(),
        name: "libx".to_owned(),
        version: "1:2~rc-1+b1".to_owned(),
        architecture: "amd64".to_owned(),
        order: 0,
        sha256: "0f".repeat(32),
        repository: "debian://bookworm".to_owned(),
        file: "pool/main/x/libx_2~rc-1+b1_amd64.package".to_owned(),
    };
    let subject = Subject {
        name: "n".to_owned(),
        version: "1.0.0".to_owned(),
        architecture: "x86_64".to_owned(),
        epoch: 1_700_000_000,
    };
    Bill::read(subject, tree, None, &[package], &host()).unwrap()
}

#[test]
fn a_package_has_its_origin_and_licence() {
    let directory = tempfile::tempdir().unwrap();
    let bill = bill(&tree(directory.path()));
    let urls: Vec<&str> = bill.components.iter().map(|component| component.url.as_str()).collect();
    assert_eq!(
        urls,
        [
            "pkg:deb/debian/base-files@12.4%2Bdeb12u1?arch=amd64&distro=debian-12",
            "pkg:deb/debian/libx@1:2~rc-1%2Bb1?arch=amd64&distro=debian-12&upstream=x%401:2~rc-1"
        ]
    );
    let [base, library] = bill.components.as_slice() else { panic!("{bill:?}") };
    let digest = "1e5a0fa3ee9cf4ad86cc12e2dc4aa3d2c1bb4a8e8a5d14d3e4a3e1d4c4a6d8c5";
    let Licence::Unknown { file: Some((path, found)), tag: None } = &base.licence else { panic!("{base:?}") };
    assert_eq!((path.as_str(), found.len()), ("/usr/share/doc/base-files/copyright", digest.len()));
    let Licence::Declared { expression, texts } = &library.licence else { panic!("{library:?}") };
    assert_eq!(*expression, format!("GPL-2.0-or-later OR {}", texts[0].id));
    assert!(base.origin.is_none());
    assert_eq!(
        library.origin.as_ref().unwrap().uri().unwrap(),
        "debian://bookworm/pool/main/x/libx_2~rc-1+b1_amd64.package"
    );
}

#[test]
fn the_bytes_depend_on_the_contents_only() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for form in [Form::Spdx, Form::CycloneDx] {
        let text = bill(&tree(one.path())).text(form);
        std::fs::remove_dir_all(one.path().join("tree")).unwrap();
        let same = bill(&tree(other.path())).text(form).unwrap();
        std::fs::remove_dir_all(other.path().join("tree")).unwrap();
        assert_eq!(text.unwrap(), same);
        assert!(same.contains("2023-11-14T22:13:20Z"), "{same}");
        let mut changed = bill(&tree(other.path()));
        std::fs::remove_dir_all(other.path().join("tree")).unwrap();
        changed.components.pop();
        let serial = |text: &str| text.lines().find(|line| line.contains("urn:uuid")).map(str::to_owned);
        assert_ne!(serial(&same), serial(&changed.text(form).unwrap()), "another bill, another identifier");
    }
}

#[test]
fn spdx_elements_refer_to_each_other() {
    let directory = tempfile::tempdir().unwrap();
    let document: Value =
        serde_json::from_str(&bill(&tree(directory.path())).text(Form::Spdx).unwrap()).unwrap();
    let graph = document["@graph"].as_array().unwrap();
    let ids: Vec<&str> = graph.iter().filter_map(|element| element["spdxId"].as_str()).collect();
    let mut unique = ids.clone();
    unique.sort_unstable();
    unique.dedup();
    assert_eq!(unique.len(), ids.len(), "each identifier once");
    let relationships = graph.iter().filter(|element| element["type"] == "Relationship");
    let ends = relationships.flat_map(|relationship| {
        let to = relationship["to"].as_array().unwrap().clone();
        to.into_iter().chain([relationship["from"].clone()])
    });
    for end in ends {
        let end = end.as_str().unwrap();
        assert!(ids.contains(&end) || end == "expandedlicensing_NoAssertionLicense", "{end}");
    }
}
