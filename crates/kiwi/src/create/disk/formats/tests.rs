#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::fs;
use std::os::unix::fs::FileExt;

use serde_json::{Value, json};
use test_programs::{have, run};

use super::super::tests::{published, published_as};
use super::*;

/// The programs of the host that write a disk with ext2.
const WRITERS: [&str; 6] = ["mke2fs", "mkfs.vfat", "mcopy", "mmd", "grub-mkimage", "qemu-img"];

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Builds the disk twice; returns the files of the second build, after it compared their bytes with those of the first.
fn built(attributes: &str, children: &str) -> (tempfile::TempDir, Vec<Artifact>) {
    let kind = format!(r#"<type image="oem" filesystem="ext2" {attributes}>{children}</type>"#);
    let [one, other] = [(), ()].map(|()| {
        let directory = tempfile::tempdir().unwrap();
        let (artifacts, _) = published(directory.path(), &kind).unwrap();
        (directory, artifacts)
    });
    for (first, second) in one.1.iter().zip(&other.1) {
        assert_eq!(first.name, second.name);
        assert!(fs::read(&first.path).unwrap() == fs::read(&second.path).unwrap(), "{} differs", first.name);
    }
    other
}

/// Compares a disk with the plain one of the same type.
fn assert_contains_the_disk(format: &str, path: &Path, attributes: &str, children: &str) {
    let directory = tempfile::tempdir().unwrap();
    let kind = format!(r#"<type image="oem" filesystem="ext2" {attributes}>{children}</type>"#);
    let (artifacts, _) = published(directory.path(), &kind).unwrap();
    run("qemu-img", &["compare", "-f", "raw", "-F", format, text(&artifacts[0].path), text(path)]);
}

fn names(artifacts: &[Artifact]) -> Vec<&str> {
    artifacts.iter().map(|artifact| artifact.name.as_str()).collect()
}

/// Returns the names of the members, and unpacks them beside the archive.
fn members(archive: &Path) -> Vec<String> {
    let listed = run("tar", &["--list", "--file", text(archive)]);
    run("tar", &["--extract", "--file", text(archive), "--directory", text(archive.parent().unwrap())]);
    listed.lines().map(str::to_owned).collect()
}

fn json_of(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_vmdk_has_the_mode_and_the_adapter_of_its_machine() {
    if !have(&WRITERS) {
        return;
    }
    for (mode, files) in [
        ("monolithicSparse", vec!["tiny.x86_64-1.0.0.vmx", "tiny.x86_64-1.0.0.vmdk"]),
        ("streamOptimized", vec!["tiny.x86_64-1.0.0.vmx", "tiny.x86_64-1.0.0.vmdk"]),
        (
            "monolithicFlat",
            vec!["tiny.x86_64-1.0.0-flat.vmdk", "tiny.x86_64-1.0.0.vmx", "tiny.x86_64-1.0.0.vmdk"],
        ),
        (
            "twoGbMaxExtentSparse",
            vec!["tiny.x86_64-1.0.0-s001.vmdk", "tiny.x86_64-1.0.0.vmx", "tiny.x86_64-1.0.0.vmdk"],
        ),
        (
            "twoGbMaxExtentFlat",
            vec!["tiny.x86_64-1.0.0-f001.vmdk", "tiny.x86_64-1.0.0.vmx", "tiny.x86_64-1.0.0.vmdk"],
        ),
    ] {
        let machine = format!(r#"<machine><vmdisk controller="pvscsi" diskmode="{mode}"/></machine>"#);
        let (directory, artifacts) = built("format=\"vmdk\"", &machine);
        assert_eq!(names(&artifacts), files, "{mode}");
        let settings = &artifacts.iter().find(|artifact| artifact.name.ends_with(".vmx")).unwrap().path;
        let settings = fs::read_to_string(settings).unwrap();
        assert_eq!(vmx::tests::violations(&settings, &directory.path().join("published")), [""; 0]);
        let vmdk = &artifacts.last().unwrap().path;
        let info: Value =
            serde_json::from_str(&run("qemu-img", &["info", "--output=json", text(vmdk)])).unwrap();
        assert_eq!(info["format-specific"]["data"]["create-type"], mode);
        let start: Vec<u8> = fs::read(vmdk).unwrap().into_iter().take(2048).collect();
        let start = String::from_utf8_lossy(&start);
        assert!(start.contains("ddb.adapterType = \"lsilogic\""), "{start}");
        if !mode.ends_with("Flat") {
            run("qemu-img", &["check", text(vmdk)]);
        }
        assert_contains_the_disk("vmdk", vmdk, "", "");
    }
}

#[test]
fn options_of_the_description_replace_those_of_the_machine() {
    if !have(&WRITERS) {
        return;
    }
    let machine = r#"<machine><vmdisk controller="lsilogic" diskmode="monolithicFlat"/></machine>"#;
    let options = "format=\"vmdk\" formatoptions=\"subformat=streamOptimized,adapter_type=buslogic\"";
    let (_directory, artifacts) = built(options, machine);
    assert_eq!(names(&artifacts), ["tiny.x86_64-1.0.0.vmx", "tiny.x86_64-1.0.0.vmdk"]);
    let start = String::from_utf8_lossy(&fs::read(&artifacts[1].path).unwrap()[..2048]).into_owned();
    assert!(start.contains("adapterType = \"buslogic\"") && start.contains("streamOptimized"), "{start}");
}

#[test]
fn the_tag_of_a_fixed_vhd_and_grub_have_separate_sectors() {
    if !have(&WRITERS) {
        return;
    }
    let tag = "vhdfixedtag=\"00112233-4455-6677-8899-aabbccddeeff\"";
    let (_directory, artifacts) = built(&format!("format=\"vhd-fixed\" firmware=\"bios\" {tag}"), "");
    assert_eq!(names(&artifacts), ["tiny.x86_64-1.0.0.vhdfixed"]);
    let file = fs::File::open(&artifacts[0].path).unwrap();
    let (mut boot, mut found, mut core) = ([0; 512], [0; 16], [0; 512]);
    file.read_exact_at(&mut boot, 0).unwrap();
    file.read_exact_at(&mut found, 65536).unwrap();
    assert_eq!(found[..6], [0x33, 0x22, 0x11, 0x00, 0x55, 0x44]);
    let sector = u64::from_le_bytes(boot[0x5c..0x64].try_into().unwrap());
    assert!(sector > 128, "GRUB's core is at sector {sector}");
    file.read_exact_at(&mut core, sector * 512).unwrap();
    let next = u64::from_le_bytes(core[0x1f4..0x1fc].try_into().unwrap());
    assert_eq!(next, sector + 1);
    // Other formats have no tag.
    let (_directory, artifacts) = built(&format!("firmware=\"bios\" {tag}"), "");
    let file = fs::File::open(&artifacts[0].path).unwrap();
    file.read_exact_at(&mut boot, 0).unwrap();
    assert_eq!(u64::from_le_bytes(boot[0x5c..0x64].try_into().unwrap()), 1);
}

#[test]
fn an_ova_consists_of_machine_digests_and_disk_in_this_order() {
    if !have(&WRITERS) || !have(&["tar", "sha256sum", "xmllint"]) {
        return;
    }
    let machine = r#"<machine memory="768" ncpus="2" guestOS="debian12-64" HWversion="13" max_memory="2048">
        <vmdisk controller="pvscsi"/><vmdvd controller="ide" id="1"/>
        <vmnic interface="0" driver="vmxnet3" mode="NAT &amp; more" mac="00:50:56:00:00:01"/>
        <vmconfig-entry>tools.syncTime = "true"</vmconfig-entry></machine>"#;
    let (directory, artifacts) = built("format=\"ova\"", machine);
    assert_eq!(names(&artifacts), ["tiny.x86_64-1.0.0.ova"]);
    let ova = &artifacts[0].path;
    assert_eq!(&fs::read(ova).unwrap()[257..265], b"ustar\x0000");
    let stem = "tiny.x86_64-1.0.0";
    assert_eq!(members(ova), [format!("{stem}.ovf"), format!("{stem}.mf"), format!("{stem}.vmdk")]);
    let beside = |ending: &str| directory.path().join("published").join(format!("{stem}.{ending}"));
    let digests = fs::read_to_string(beside("mf")).unwrap();
    for ending in ["ovf", "vmdk"] {
        let sum = run("sha256sum", &[text(&beside(ending))]);
        let line = format!("SHA256({stem}.{ending})= {}\n", sum.split_whitespace().next().unwrap());
        assert!(digests.contains(&line), "{digests}");
    }
    let vmdk = beside("vmdk");
    run("qemu-img", &["check", text(&vmdk)]);
    assert_contains_the_disk("vmdk", &vmdk, "", "");
    let machine = fs::read_to_string(beside("ovf")).unwrap();
    assert_eq!(ovf::tests::violations(&machine, directory.path()), "");
    let value = |path: &str| run("xmllint", &["--xpath", &format!("string({path})"), text(&beside("ovf"))]);
    let size = fs::metadata(&vmdk).unwrap().len();
    assert_eq!(value("//*[local-name()='File']/@*[local-name()='size']").trim(), size.to_string());
    assert_eq!(value("//*[local-name()='VirtualSystemType']").trim(), "vmx-13");
    assert_eq!(value("//*[local-name()='Network']/@*[local-name()='name']").trim(), "NAT & more");
}

#[test]
fn an_archive_for_google_contains_whole_gibibytes() {
    if !have(&WRITERS) || !have(&["tar", "gzip", "sfdisk"]) {
        return;
    }
    let (directory, artifacts) = built("format=\"gce\" gcelicense=\"https://example.org/licenses/a\"", "");
    assert_eq!(names(&artifacts), ["tiny.x86_64-1.0.0.tar.gz"]);
    assert_eq!(members(&artifacts[0].path), ["disk.raw", "manifest.json"]);
    let beside = |name: &str| directory.path().join("published").join(name);
    assert_eq!(fs::metadata(beside("disk.raw")).unwrap().len(), 1 << 30);
    assert_eq!(json_of(&beside("manifest.json")), json!({"licenses": ["https://example.org/licenses/a"]}));
    run("sfdisk", &["--verify", text(&beside("disk.raw"))]);
}

#[test]
fn vagrant_boxes_contain_disk_machine_and_settings() {
    if !have(&WRITERS) || !have(&["tar", "gzip", "sha256sum", "xmllint"]) {
        return;
    }
    let boxes = r#"<vagrantconfig provider="libvirt" virtualsize="2" boxname="me/tiny" embedded_vagrantfile="Vagrantfile"/>
        <vagrantconfig provider="virtualbox" virtualsize="1" virtualbox_guest_additions_present="true"/>"#;
    let (directory, artifacts) = built("format=\"vagrant\"", boxes);
    let stem = "tiny.x86_64-1.0.0";
    let files = [
        format!("{stem}.vagrant.json"),
        format!("{stem}.vagrant.libvirt.box"),
        format!("{stem}.vagrant.virtualbox.box"),
    ];
    assert_eq!(names(&artifacts), files);
    let catalogue = json_of(&artifacts[0].path);
    assert_eq!(catalogue["name"], "me/tiny");
    let providers = &catalogue["versions"][0]["providers"];
    for (index, provider) in ["libvirt", "virtualbox"].into_iter().enumerate() {
        let sum = run("sha256sum", &[text(&artifacts[index + 1].path)]);
        assert_eq!(providers[index]["name"], provider);
        assert_eq!(providers[index]["checksum"], sum.split_whitespace().next().unwrap());
    }
    let beside = |name: &str| directory.path().join("published").join(name);
    let found = members(&artifacts[1].path);
    assert_eq!(found, ["metadata.json", "Vagrantfile", "include/_Vagrantfile", "box.img"]);
    assert_eq!(
        json_of(&beside("metadata.json")),
        json!({"provider": "libvirt", "format": "qcow2", "virtual_size": 2})
    );
    let info: Value =
        serde_json::from_str(&run("qemu-img", &["info", "--output=json", text(&beside("box.img"))])).unwrap();
    assert_eq!((&info["format"], &info["virtual-size"]), (&json!("qcow2"), &json!(2_u64 << 30)));
    assert_eq!(fs::read_to_string(beside("include/_Vagrantfile")).unwrap(), "image/Vagrantfile");
    let found = members(&artifacts[2].path);
    assert_eq!(found, ["metadata.json", "Vagrantfile", "box.ovf", "box-disk1.vmdk"]);
    let script = fs::read_to_string(beside("Vagrantfile")).unwrap();
    assert!(script.contains("config.vm.base_mac") && !script.contains("rsync"), "{script}");
    let kind = run(
        "xmllint",
        &["--xpath", "string(//*[local-name()='VirtualSystemType'])", text(&beside("box.ovf"))],
    );
    assert_eq!(kind.trim(), "virtualbox-2.2");
    let machine = fs::read_to_string(beside("box.ovf")).unwrap();
    assert_eq!(ovf::tests::violations(&machine, directory.path()), "");
}

#[test]
fn a_disk_larger_than_its_vagrant_box_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let kind = r#"<type image="oem" filesystem="ext2" format="vagrant"><size unit="G">3</size>
        <vagrantconfig provider="libvirt" virtualsize="2"/></type>"#;
    let error = published(directory.path(), kind).unwrap_err();
    let failure = error.downcast_ref::<crate::failure::Failure>().expect("a failure of a known kind");
    assert_eq!(failure.kind, crate::failure::Kind::InvalidDescription);
}

#[test]
fn several_formats_contain_the_same_disk() {
    if !have(&WRITERS) {
        return;
    }
    let formats = [DiskFormat::Vhdx, DiskFormat::Vmdk, DiskFormat::Raw, DiskFormat::Ova];
    let machine = r#"<type image="oem" filesystem="ext2" format="qcow2" formatoptions="cluster_size=64k"><machine memory="512"/></type>"#;
    let directory = tempfile::tempdir().unwrap();
    let (artifacts, _) = published_as(directory.path(), machine, &formats).unwrap();
    let expected = ["raw", "ova", "vhdx", "vmx", "vmdk"].map(|ending| format!("tiny.x86_64-1.0.0.{ending}"));
    assert_eq!(names(&artifacts), expected);
    let raw = text(&artifacts[0].path);
    for (format, artifact) in [("vhdx", &artifacts[2]), ("vmdk", &artifacts[4])] {
        run("qemu-img", &["compare", "-f", "raw", "-F", format, raw, text(&artifact.path)]);
    }
    let vmdk = directory.path().join("published").join(&members(&artifacts[1].path)[2]);
    // The member has the name of the published VMDK, which it just replaced.
    run("qemu-img", &["compare", "-f", "raw", "-F", "vmdk", raw, text(&vmdk)]);
}
