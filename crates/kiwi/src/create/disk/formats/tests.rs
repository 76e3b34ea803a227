#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::fs;
use std::io::Read;
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

/// Returns what `qemu-img info` says about a file, as one JSON value.
fn info(path: &Path) -> Value {
    serde_json::from_str(&run("qemu-img", &["info", "--output=json", text(path)])).unwrap()
}

/// Returns the bytes at an offset of a file.
fn bytes<const N: usize>(path: &Path, offset: u64) -> [u8; N] {
    let mut bytes = [0; N];
    fs::File::open(path).unwrap().read_exact_at(&mut bytes, offset).unwrap();
    bytes
}

/// Returns the start of a VMDK, where its descriptor is.
fn descriptor(path: &Path) -> String {
    let mut bytes = Vec::new();
    fs::File::open(path).unwrap().take(2048).read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the file of an option has it.
type Judge = fn(&Path) -> bool;

/// Options of the formats that one file contains, and how they are seen in it.
const OPTIONS: &[(&str, &str, Judge)] = &[
    ("qcow2", "cluster_size=1M", |path| info(path)["cluster-size"] == 1 << 20),
    ("qcow2", "compression_type=zlib", |path| {
        info(path)["format-specific"]["data"]["compression-type"] == "zlib"
    }),
    ("qcow2", "compat=0.10", |path| info(path)["format-specific"]["data"]["compat"] == "0.10"),
    ("qcow2", "compat=v2 cluster_size=64k", |path| info(path)["format-specific"]["data"]["compat"] == "0.10"),
    ("qcow2", "refcount_bits=8,cluster_size=64k", |path| {
        let info = info(path);
        info["format-specific"]["data"]["refcount-bits"] == 8 && info["cluster-size"] == 64 << 10
    }),
    ("qcow2", "lazy_refcounts=on", |path| info(path)["format-specific"]["data"]["lazy-refcounts"] == true),
    ("qcow2", "extended_l2=on", |path| info(path)["format-specific"]["data"]["extended-l2"] == true),
    ("qcow2", "preallocation=metadata", |path| {
        let said = run("qemu-img", &["check", "--output=json", text(path)]);
        let check: Value = serde_json::from_str(&said).unwrap();
        check["allocated-clusters"] == check["total-clusters"] && check.get("compressed-clusters").is_none()
    }),
    ("qcow", "preallocation=off", |path| info(path)["format"] == "qcow"),
    ("vmdk", "subformat=monolithicFlat", |path| path.with_file_name("tiny.x86_64-1.0.0-flat.vmdk").exists()),
    ("vmdk", "subformat=twoGbMaxExtentSparse", |path| descriptor(path).contains("-s001.vmdk")),
    ("vmdk", "subformat=streamOptimized,adapter_type=lsilogic", |path| {
        let start = descriptor(path);
        start.contains("adapterType = \"lsilogic\"") && start.contains("streamOptimized")
    }),
    ("vmdk", "adapter_type=legacyESX", |path| descriptor(path).contains("adapterType = \"legacyESX\"")),
    ("vmdk", "hwversion=7", |path| descriptor(path).contains("virtualHWVersion = \"7\"")),
    ("vmdk", "compat6=on", |path| descriptor(path).contains("virtualHWVersion = \"6\"")),
    ("vmdk", "toolsversion=1234", |path| descriptor(path).contains("toolsVersion = \"1234\"")),
    ("vmdk", "zeroed_grain=on", |path| bytes::<1>(path, 8)[0] & 4 == 4),
    ("vdi", "static=on", |path| bytes::<1>(path, 0x4c) == [2]),
    ("vhd", "subformat=fixed", |path| bytes::<8>(path, 0) != *b"conectix"),
    ("vhd", "force_size=off", |path| bytes::<4>(path, 28) != *b"qem2"),
    ("vhd-fixed", "subformat=fixed", |path| bytes::<8>(path, 0) != *b"conectix"),
    // The flag of the file parameters that keeps blocks allocated.
    ("vhdx", "subformat=fixed", |path| bytes::<1>(path, (3 << 20) + (64 << 10) + 4) == [1]),
    ("vhdx", "block_size=32M", |path| info(path)["cluster-size"] == 32 << 20),
    ("vhdx", "log_size=2M", |path| bytes(path, (64 << 10) + 68) == (2_u32 << 20).to_le_bytes()),
    ("parallels", "cluster_size=2M", |path| bytes(path, 28) == (4096_u32).to_le_bytes()),
];

#[test]
fn every_option_of_a_format_is_in_its_file() {
    if !have(&WRITERS) {
        return;
    }
    let plain = tempfile::tempdir().unwrap();
    let raw = r#"<type image="oem" filesystem="ext2" firmware="bios"/>"#;
    let raw = published(plain.path(), raw).unwrap().0.remove(0).path;
    for (format, options, holds) in OPTIONS {
        let made = |options: &str| {
            let directory = tempfile::tempdir().unwrap();
            let kind = format!(
                r#"<type image="oem" filesystem="ext2" firmware="bios" format="{format}" {options}/>"#
            );
            let image =
                published(directory.path(), &kind).unwrap_or_else(|error| panic!("{kind}: {error:#}"));
            (directory, image.0.into_iter().find(|artifact| artifact.role == Role::Image).unwrap().path)
        };
        let (_directory, image) = made(&format!("formatoptions=\"{options}\""));
        assert!(holds(&image), "{format} {options}: {}", info(&image));
        let name = if format.starts_with("vhd") && *format != "vhdx" { "vpc" } else { *format };
        if *options != "force_size=off" {
            run("qemu-img", &["compare", "-f", "raw", "-F", name, text(&raw), text(&image)]);
        }
        // Most options are visible because the default is another one.
        let is_default = ["preallocation=off", "subformat=fixed"].contains(options)
            && *format != "vhd"
            && *format != "vhdx";
        assert_eq!(holds(&made("").1), is_default, "{format} without {options}");
    }
}

#[test]
fn options_of_archives_apply_to_the_disk_inside() {
    if !have(&WRITERS) || !have(&["tar", "gzip"]) {
        return;
    }
    let (directory, artifacts) = built("format=\"ova\" formatoptions=\"adapter_type=lsilogic\"", "");
    let vmdk = members(&artifacts[0].path).pop().unwrap();
    let start = descriptor(&directory.path().join("published").join(vmdk));
    assert!(start.contains("\"lsilogic\"") && start.contains("streamOptimized"), "{start}");
    let config = r#"<vagrantconfig provider="libvirt" virtualsize="1"/>"#;
    let (directory, artifacts) = built("format=\"vagrant\" formatoptions=\"compat=0.10\"", config);
    members(&artifacts[1].path);
    let image = directory.path().join("published/box.img");
    assert_eq!(info(&image)["format-specific"]["data"]["compat"], "0.10");
}
