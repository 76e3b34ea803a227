//! `kiwi sbom`: bills of materials of a tree, read by the libraries of CycloneDX and SPDX.

use std::path::Path;
use std::process::Command;

use kiwi_tests::program::{checkout, kiwi};
use serde_json::Value;
use test_programs::have_file;

const STATUS: &str = "Package: base-files\nStatus: install ok installed\nMaintainer: \"S. Vila\" <s@example.org>\n\
    Architecture: amd64\nVersion: 12.4+deb12u1\n\nPackage: libx\nSource: x (1:2~rc-1)\nStatus: install ok installed\n\
    Maintainer: Nobody\nHomepage: https://example.org/x\nArchitecture: amd64\nVersion: 1:2~rc-1+b1\n\nPackage: liby\n\
    Status: install ok installed\nMaintainer: Nobody\nHomepage: no address\nArchitecture: all\nVersion: 3\n";
const COPYRIGHT: &str = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\n\
    License: GPL-2+ or special\n\nFiles: debian/*\nLicense: Expat\n\nLicense: special\n Anything.\n";

/// The library refuses what is not in the schema of CycloneDX 1.6, and reads the bill.
const CYCLONEDX: &str = "import json, sys
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
text = open(sys.argv[1]).read()
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
if error: sys.exit(str(error))
bom = Bom.from_json(json.loads(text))
bom.validate()
print(len(bom.components))
";
/// The classes are generated from the model of SPDX 3.0.1 in SHACL, and refuse values of other types and missing ones.
const SPDX: &str = "import sys
from spdx_python_model.bindings import v3_0_1 as spdx
objects = spdx.SHACLObjectSet()
with open(sys.argv[1]) as file:
    spdx.JSONLDDeserializer().read(file, objects)
missing = objects.link() - {'https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense'}
if missing: sys.exit(f'missing: {missing}')
packages = [item for item in objects.foreach_type('software_Package')]
print(len(packages) - 1)
";
/// The JSON schema as it was published, of which this is the digest.
const SPDX_SCHEMA: &str = "import hashlib, importlib.util, json, os, sys
from jsonschema import Draft202012Validator
directory = os.path.dirname(importlib.util.find_spec('lib4sbom').origin)
schema = open(os.path.join(directory, 'schemas/spdx/3.0-schema.json'), 'rb').read()
digest = '582c64e809d5b3ef9bd0c4de13a32391b47b0284a3e8d199569fb96f649234b1'
if hashlib.sha256(schema).hexdigest() != digest: raise SystemExit('this is another schema')
bill = json.load(open(sys.argv[1]))
for error in Draft202012Validator(json.loads(schema)).iter_errors(bill): raise SystemExit(error.message[:2000])
print(len([item for item in bill['@graph'] if item['type'] == 'software_Package']) - 1)
";

fn tree(directory: &Path) {
    let file = |path: &str, text: &str| {
        let path = directory.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    file("var/lib/dpkg/status", STATUS);
    file("etc/os-release", "ID=debian\nVERSION_ID=\"12\"\nPRETTY_NAME=\"Debian GNU/Linux 12\"\n");
    file("usr/share/doc/libx/copyright", COPYRIGHT);
    file("usr/share/doc/base-files/copyright", "This is free.\n");
}

fn bill(tree: &Path, form: &str) -> String {
    let output = Command::new(kiwi()).arg("sbom").arg(tree).args(["--form", form]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a judge on a bill; returns what it prints, or what it complains about.
fn judge(script: &str, text: &str) -> Result<String, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let mut python = Command::new(checkout().join("target/sbom-judges/bin/python3"));
    let output = python.args(["-c", script]).arg(file.path()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).trim().to_owned();
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}

fn have_judges() -> bool {
    have_file(&checkout().join("target/sbom-judges/installed"), "judges of bills, installed by scripts/test")
}

#[test]
fn the_library_of_cyclonedx_reads_a_bill() {
    if !have_judges() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    tree(directory.path());
    let text = bill(directory.path(), "cyclonedx");
    assert_eq!(judge(CYCLONEDX, &text).unwrap(), "3");
    for (right, wrong) in
        [("\"CycloneDX\"", "\"Cyclone\""), ("\"library\"", "\"book\""), ("urn:uuid:", "uuid:")]
    {
        assert!(text.contains(right), "{right}");
        assert!(judge(CYCLONEDX, &text.replace(right, wrong)).is_err(), "{wrong} is accepted");
    }
}

#[test]
fn the_model_and_the_schema_of_spdx_accept_a_bill() {
    if !have_judges() {
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    tree(directory.path());
    let text = bill(directory.path(), "spdx");
    let wrong = [
        ("\"hasDeclaredLicense\"", "\"hasLicense\""),
        ("\"software_packageVersion\"", "\"packageVersion\""),
        ("\"email\"", "\"mail\""),
    ];
    // A schema does not follow references.
    let of_model = ("#agent-0\"", "#agent-7\"");
    for (script, wrong) in [(SPDX, &[&wrong[..], &[of_model]].concat()[..]), (SPDX_SCHEMA, &wrong)] {
        assert_eq!(judge(script, &text).unwrap(), "3");
        for (right, wrong) in wrong {
            assert!(text.contains(right), "{right}");
            assert!(judge(script, &text.replacen(right, wrong, 1)).is_err(), "{wrong} is accepted");
        }
    }
}

#[test]
fn a_licence_is_declared_or_has_its_file() {
    let directory = tempfile::tempdir().unwrap();
    tree(directory.path());
    let bill: Value = serde_json::from_str(&bill(directory.path(), "cyclonedx")).unwrap();
    let [base, library, other] = bill["components"].as_array().unwrap().as_slice() else { panic!("{bill}") };
    let expression = library["licenses"][0]["expression"].as_str().unwrap();
    assert!(expression.starts_with("(GPL-2.0-or-later OR LicenseRef-Debian-special-"), "{expression}");
    assert!(expression.ends_with(") AND MIT"), "{expression}");
    assert!(base["licenses"].is_null() && other["licenses"].is_null());
    let files = |component: &Value| component["properties"].to_string().contains("/copyright");
    assert!(files(base) && !files(other), "{base} {other}");
    assert_eq!(base["purl"], "pkg:deb/debian/base-files@12.4%2Bdeb12u1?arch=amd64&distro=debian-12");
}

#[test]
fn a_tree_without_packages_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let output = Command::new(kiwi()).arg("sbom").arg(directory.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("has no database of packages"));
}
