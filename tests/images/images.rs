//! One tree, every type that is built from it, judged by foreign tools; and an upgrade of that tree.

use std::path::Path;
use std::process::Command;

use kiwi_tests::machine::run_kiwi;

const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="many">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager>
    <type image="oem" filesystem="xfs" format="vmdk" primary="true"/>
    <type image="ext2"/><type image="ext3"/><type image="ext4"/><type image="xfs"/><type image="btrfs"/>
    <type image="squashfs"/><type image="cpio"/><type image="tbz"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image">
    <package name="iputils-ping"/><package name="kmod"/><package name="linux-image-cloud-amd64"/><package name="udev"/>
  </packages>
  <packages type="delete"><package name="ncurses-base"/></packages>
</image>"#;

/// Runs a judge; what it printed.
fn judge(program: &str, keywords: &[&str]) -> String {
    let output =
        Command::new(program).args(keywords).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{program} {keywords:?}: {text}");
    text
}

/// The definition of `sha256-sparse` in docs/create.md.
const SPARSE: &str = "
import hashlib, sys
data, lines, at = open(sys.argv[1], 'rb').read(), '', 0
while at < len(data):
    end = at
    while any(data[end:end + 4096]):
        end += 4096
    if extent := data[at:end]:
        lines += f'{at} {len(extent)} {hashlib.sha256(extent).hexdigest()}\\n'
    at = end + 4096
print(hashlib.sha256(lines.encode()).hexdigest())
";

#[test]
fn every_type_satisfies_its_judge_and_upgrade_stores_no_repository() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::create_dir_all(path("desc")).unwrap();
    std::fs::create_dir_all(path("images")).unwrap();
    std::fs::write(path("desc/config.xml"), DESCRIPTION).unwrap();
    let (tree, images) = (path("tree"), path("images"));
    run_kiwi(&["prepare", &path("desc"), "--root", &tree]);
    let image = path("images/many.x86_64-1.0.0");
    let packages = std::fs::read_to_string(path("tree/image/packages")).unwrap();
    assert!(packages.contains("\nkmod|") && !packages.contains("\nncurses-base|"), "{packages}");
    let create = |image_type: &str| run_kiwi(&["create", &tree, "--destdir", &images, "--type", image_type]);
    for image_type in ["ext2", "ext3", "ext4"] {
        create(image_type);
        judge("e2fsck", &["-fn", &image]);
        // The capability of ping and the mode of /tmp came along.
        let stat = judge("debugfs", &["-R", "stat /tmp", &image]);
        assert!(stat.contains("Mode:  01777"), "{stat}");
        let attributes = judge("debugfs", &["-R", "ea_list /usr/bin/ping", &image]);
        assert!(attributes.contains("security.capability"), "{attributes}");
    }
    let sum = std::fs::read_to_string(format!("{image}.md5")).unwrap();
    let expected = judge("md5sum", &[&image]);
    let keywords: Vec<&str> = sum.split_whitespace().collect();
    assert_eq!(keywords[0], expected.split_whitespace().next().unwrap());
    let size = std::fs::metadata(&image).unwrap().len();
    assert_eq!(keywords[1].parse::<u64>().unwrap() * keywords[2].parse::<u64>().unwrap(), size);
    create("xfs");
    judge("xfs_repair", &["-n", "-f", &image]);
    assert!(judge("xfs_db", &["-r", "-c", "path /tmp", "-c", "print core.mode", &image]).contains("041777"));
    create("btrfs");
    judge("btrfs", &["check", &image]);
    create("squashfs");
    assert!(judge("unsquashfs", &["-lls", &image]).contains("squashfs-root/usr/bin/ping"));
    create("tbz");
    assert!(judge("tar", &["--list", "--file", &format!("{image}.tar.xz")]).contains("./usr/bin/ping\n"));
    create("cpio");
    assert!(
        judge("sh", &["-c", &format!("zcat {image}.gz | cpio --list --quiet")]).contains("usr/bin/ping\n")
    );
    let kernel = std::fs::read_link(format!("{image}.kernel")).unwrap();
    assert!(Path::new(&images).join(kernel).is_file());
    create("oem");
    judge("qemu-img", &["check", &format!("{image}.vmdk")]);
    let raw = path("images/raw");
    judge("qemu-img", &["convert", "-O", "raw", &format!("{image}.vmdk"), &raw]);
    judge("sfdisk", &["--verify", &raw]);

    // The record has the builds whose images are all there, with the sums that others compute.
    let record = std::fs::read_to_string(path("images/kiwi.result.json")).unwrap();
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    let built = record["images"].as_array().unwrap();
    let types: Vec<&str> = built.iter().map(|image| image["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["cpio", "oem", "squashfs", "tbz"], "each file system image overwrote the one before");
    for file in built.iter().flat_map(|image| image["files"].as_array().unwrap()) {
        let name = path(&format!("images/{}", file["file"].as_str().unwrap()));
        let (program, arguments, field) = match file.get("sha256") {
            Some(_) => ("sha256sum", vec![name.as_str()], "sha256"),
            None => ("python3", vec!["-c", SPARSE, name.as_str()], "sha256-sparse"),
        };
        let sum = judge(program, &arguments);
        assert_eq!(file[field].as_str(), sum.split_whitespace().next(), "{file}");
    }

    // Upgrade with one more package from one more repository, which is gone again afterwards.
    let lists = || std::fs::read_to_string(path("tree/etc/apt/sources.list.d/kiwi.sources")).ok();
    let before = (lists(), std::fs::read(path("tree/image/config.xml")).unwrap());
    std::fs::create_dir_all(path("extra/DEBIAN")).unwrap();
    std::fs::create_dir_all(path("repository")).unwrap();
    let control =
        "Package: extra\nVersion: 1\nArchitecture: all\nMaintainer: A <a@example.org>\nDescription: x\n";
    std::fs::write(path("extra/DEBIAN/control"), control).unwrap();
    judge("dpkg-deb", &["--build", &path("extra"), &path("repository/extra_1_all.deb")]);
    let repository = path("repository");
    let keywords =
        ["upgrade", &tree, "--add-repo", &repository, "--add-repotype", "deb-dir", "--add-package", "extra"];
    run_kiwi(&keywords);
    assert!(std::fs::read_to_string(path("tree/image/packages")).unwrap().contains("\nextra|1|all|"));
    assert_eq!((lists(), std::fs::read(path("tree/image/config.xml")).unwrap()), before);
    assert!(!Path::new(&path("tree/.kiwi")).exists(), "our directory is left in the tree");
}
