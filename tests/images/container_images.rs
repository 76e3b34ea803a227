//! Container images of a small tree, before the programs that others use: skopeo, umoci, tar.
//!
//! Without a build from packages; runs as root, because `umoci unpack` makes device nodes.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use kiwi::host::device::Device;
use kiwi_tests::machine::{judge, run_kiwi};
use rustix::fs::{XattrFlags, setxattr};

const CONFIG: &str = r#"<containerconfig name="example.org/web" tag="1.0" additionalnames=":stable,other:2"
        maintainer="M &lt;m@example.org>" user="33:33" workingdir="/srv">
      <entrypoint execute="/usr/bin/web"><argument name="--port"/><argument name="80"/></entrypoint>
      <subcommand execute="serve"><argument name="all sites"/></subcommand>
      <expose><port number="80"/><port number="53/udp"/></expose>
      <volumes><volume name="/srv/data"/><volume name="/var/log"/></volumes>
      <stopsignal>SIGINT</stopsignal>
      <environment><env name="B" value="2"/><env name="A" value="one two"/></environment>
      <labels><label name="z" value="1"/><label name="a" value="2"/></labels>
      <history created_by="the builder" author="H">a comment</history>
    </containerconfig>"#;

/// A version 2 capability: `cap_net_raw`, permitted and effective.
const CAPABILITY: [u8; 20] = [1, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A prepared tree with one of everything that a layer holds.
struct Tree(tempfile::TempDir);

impl Tree {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let tree = Self(directory);
        let long = format!("tree/usr/share/{}/{}", "d".repeat(90), "e".repeat(90));
        for name in ["tree/image", "tree/usr/bin", "tree/dev", "tree/tmp", "tree/run/lock", &long] {
            fs::create_dir_all(tree.path(name)).unwrap();
        }
        fs::write(tree.path("tree/image/kiwi.json"), RECORD).unwrap();
        fs::write(tree.path("tree/tmp/left"), "over").unwrap();
        fs::set_permissions(tree.path("tree/tmp"), PermissionsExt::from_mode(0o1777)).unwrap();
        let web = tree.path("tree/usr/bin/web");
        fs::write(&web, "program ".repeat(100_000)).unwrap();
        chown(&web, Some(33), Some(7)).unwrap();
        fs::set_permissions(&web, PermissionsExt::from_mode(0o4755)).unwrap();
        fs::hard_link(&web, tree.path("tree/usr/bin/again")).unwrap();
        symlink("web", tree.path("tree/usr/bin/link")).unwrap();
        let ping = tree.path("tree/usr/bin/ping");
        fs::write(&ping, "ping").unwrap();
        setxattr(&ping, "security.capability", &CAPABILITY, XattrFlags::empty()).unwrap();
        fs::write(tree.path(&format!("{long}/file")), "far away").unwrap();
        let null = Device { is_block: false, major: 1, minor: 3 };
        null.make(rustix::fs::CWD, tree.path("tree/dev/null"), 0o666).unwrap();
        fs::set_permissions(tree.path("tree/dev/null"), PermissionsExt::from_mode(0o666)).unwrap();
        // As after prepare, which leaves nothing newer than the epoch, but for what images.sh makes.
        let root = tree.path("tree");
        judge(
            "find",
            &[text(&root), "-exec", "touch", "--no-dereference", "--date=@1600000000.5", "{}", "+"],
        );
        fs::write(tree.path("tree/usr/bin/new"), "").unwrap();
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Creates the image of this `<type>` in a directory of its own and returns its path.
    fn create(&self, directory: &str, image_type: &str, file: &str) -> PathBuf {
        let description = DESCRIPTION.replace("TYPE", image_type);
        fs::write(self.path("tree/image/config.xml"), description).unwrap();
        fs::create_dir_all(self.path(directory)).unwrap();
        run_kiwi(&["create", text(&self.path("tree")), "--destdir", text(&self.path(directory))]);
        self.path(directory).join(file)
    }
}

const RECORD: &str =
    r#"{"epoch":1700000000,"name":"web","version":"1.0.0","packages":"x","profiles":[],"description":null}"#;
const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="web">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager>TYPE</preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="bash"/></packages>
</image>"#;
const OCI: &str = "web.x86_64-1.0.0.oci.tar";
const DOCKER: &str = "web.x86_64-1.0.0.docker.tar";

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap()
}

/// Checks the root file system that a judge unpacked.
fn assert_holds_the_tree(root: &Path) {
    let entry = |name: &str| root.join(name).symlink_metadata().unwrap();
    let web = entry("usr/bin/web");
    assert_eq!((web.uid(), web.gid(), web.mode() & 0o7777, web.nlink()), (33, 7, 0o4755, 2));
    assert_eq!(web.ino(), entry("usr/bin/again").ino());
    assert_eq!((web.mtime(), web.mtime_nsec()), (1_600_000_000, 500_000_000));
    assert_eq!(entry("usr/bin/new").mtime(), 1_700_000_000);
    assert_eq!(fs::read_link(root.join("usr/bin/link")).unwrap(), Path::new("web"));
    let null = entry("dev/null");
    assert_eq!((null.mode(), null.rdev()), (0o020_666, rustix::fs::makedev(1, 3)));
    let capabilities = judge("getcap", &["-r", text(root)]);
    assert!(capabilities.contains("usr/bin/ping cap_net_raw=ep"), "{capabilities}");
    let long = root.join(format!("usr/share/{}/{}/file", "d".repeat(90), "e".repeat(90)));
    assert_eq!(fs::read(long).unwrap(), b"far away");
    assert_eq!(entry("tmp").mode() & 0o7777, 0o1777);
    for empty in ["tmp", "run"] {
        assert_eq!(fs::read_dir(root.join(empty)).unwrap().count(), 0, "/{empty} is not empty");
    }
    assert!(!root.join("image").exists(), "the description is in the image");
}

#[test]
fn oci_images_satisfy_skopeo_and_umoci_with_both_compressions() {
    let tree = Tree::new();
    let zstd = tree.create("zstd", &format!("<type image=\"oci\">{CONFIG}</type>"), OCI);
    let again = tree.create("again", &format!("<type image=\"oci\">{CONFIG}</type>"), OCI);
    assert!(fs::read(&zstd).unwrap() == fs::read(again).unwrap(), "two builds differ");
    let gzip = format!("<type image=\"oci\" layer_compression=\"gzip\">{CONFIG}</type>");
    let gzip = tree.create("gzip", &gzip, OCI);

    let from = |archive: &Path, tag: &str| format!("oci-archive:{}:{tag}", text(archive));
    for (archive, media_type) in [(&zstd, "+zstd"), (&gzip, "+gzip")] {
        let manifest = json(&judge("skopeo", &["inspect", "--raw", &from(archive, "1.0")]));
        assert!(manifest["layers"][0]["mediaType"].as_str().unwrap().ends_with(media_type), "{manifest}");
    }
    let image = json(&judge("skopeo", &["inspect", "--config", &from(&zstd, "stable")]));
    let expected = serde_json::json!({
        "User": "33:33", "WorkingDir": "/srv", "StopSignal": "SIGINT",
        "Entrypoint": ["/usr/bin/web", "--port", "80"], "Cmd": ["serve", "all sites"],
        "ExposedPorts": { "80/tcp": {}, "53/udp": {} }, "Volumes": { "/srv/data": {}, "/var/log": {} },
        "Env": ["B=2", "A=one two"], "Labels": { "a": "2", "z": "1" },
    });
    assert_eq!(image["config"], expected);
    assert_eq!(image["author"], "M <m@example.org>");
    assert_eq!((&image["architecture"], &image["os"]), (&json("\"amd64\""), &json("\"linux\"")));
    assert_eq!(image["created"], "2023-11-14T22:13:20Z");
    let history = &image["history"][0];
    assert_eq!(
        (&history["created_by"], &history["author"], &history["comment"]),
        (&json("\"the builder\""), &json("\"H\""), &json("\"a comment\""))
    );

    fs::create_dir(tree.path("layout")).unwrap();
    judge("tar", &["--extract", "--file", text(&gzip), "--directory", text(&tree.path("layout"))]);
    let layout = format!("{}:1.0", text(&tree.path("layout")));
    judge("umoci", &["unpack", "--image", &layout, text(&tree.path("bundle"))]);
    assert_holds_the_tree(&tree.path("bundle/rootfs"));
    // umoci of Debian 13 does not know zstd.
    let converted = format!("{}:1.0", text(&tree.path("converted")));
    let to = format!("oci:{converted}");
    judge("skopeo", &["copy", "--quiet", "--dest-compress-format", "gzip", &from(&zstd, "1.0"), &to]);
    judge("umoci", &["unpack", "--image", &converted, text(&tree.path("from-zstd"))]);
    assert_holds_the_tree(&tree.path("from-zstd/rootfs"));
}

#[test]
fn docker_images_satisfy_skopeo_with_defaults_and_with_names() {
    let tree = Tree::new();
    let plain = tree.create("plain", "<type image=\"docker\"/>", DOCKER);
    let from = |archive: &Path, name: &str| format!("docker-archive:{}:{name}", text(archive));
    let image = json(&judge("skopeo", &["inspect", "--config", &from(&plain, "kiwi-container:latest")]));
    assert_eq!(image["config"], serde_json::json!({ "Cmd": ["/bin/bash"] }));

    let named = tree.create("named", &format!("<type image=\"docker\">{CONFIG}</type>"), DOCKER);
    for name in ["example.org/web:1.0", "example.org/web:stable", "other:2"] {
        let image = json(&judge("skopeo", &["inspect", "--config", &from(&named, name)]));
        assert_eq!(image["config"]["StopSignal"], "SIGINT", "{name}");
    }
    let to = format!("oci:{}:1.0", text(&tree.path("converted")));
    judge("skopeo", &["copy", "--quiet", &from(&named, "other:2"), &to]);
    let converted = format!("{}:1.0", text(&tree.path("converted")));
    judge("umoci", &["unpack", "--image", &converted, text(&tree.path("bundle"))]);
    assert_holds_the_tree(&tree.path("bundle/rootfs"));
}

#[test]
fn a_name_that_would_remove_a_file_is_refused() {
    let tree = Tree::new();
    fs::write(tree.path("tree/usr/.wh.bin"), "").unwrap();
    let description = DESCRIPTION.replace("TYPE", "<type image=\"oci\"/>");
    fs::write(tree.path("tree/image/config.xml"), description).unwrap();
    fs::create_dir(tree.path("out")).unwrap();
    let output = std::process::Command::new(kiwi_tests::program::kiwi())
        .args(["create", text(&tree.path("tree")), "--destdir", text(&tree.path("out"))])
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains("/usr/.wh.bin"), "{error}");
    assert!(!tree.path("out").join(OCI).exists(), "a half-made image was published");
}
