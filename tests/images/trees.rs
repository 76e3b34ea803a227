//! How the files of a description get into a root tree: overlay, archives, users, links at places that kiwi writes.
//!
//! All descriptions here have the same packages, so that the cache installs them once.

use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use kiwi_tests::machine::judge;
use kiwi_tests::program::kiwi;
use kiwi_tests::run::{Run, json};

/// A description in a directory of its own, and its tree.
struct Case {
    directory: tempfile::TempDir,
}

impl Case {
    /// Writes a description with these users and elements of the image's packages.
    fn new(users: &str, elements: &str) -> Self {
        let case = Self { directory: tempfile::tempdir().unwrap() };
        let text = format!(
            r#"<image schemaversion="8.5" name="trees">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="tbz"/></preferences>
  {users}
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="passwd"/>{elements}</packages>
  <packages type="bootstrap"><package name="base-files"/></packages>
</image>"#
        );
        case.file("config.xml", &text);
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes `desc/NAME`; scripts can be executed.
    fn file(&self, name: &str, text: &str) -> &Self {
        let path = self.path("desc").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        let mode = if text.starts_with("#!") { 0o755 } else { 0o644 };
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        self
    }

    fn prepare(&self, options: &[&str]) -> Run {
        let (desc, tree) = (self.path("desc"), self.path("tree"));
        let mut arguments = vec!["prepare", desc.to_str().unwrap(), "--root", tree.to_str().unwrap()];
        arguments.extend(options);
        json(&arguments)
    }

    fn tree(&self, name: &str) -> PathBuf {
        self.path("tree").join(name)
    }

    /// Returns owner, group and mode of a path in the tree.
    fn facts(&self, name: &str) -> (u32, u32, u32) {
        let metadata = self.tree(name).symlink_metadata().unwrap_or_else(|error| panic!("{name}: {error}"));
        (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
    }
}

/// Runs a shell script in a directory.
fn shell(directory: &Path, script: &str) {
    judge("sh", &["-e", "-c", &format!("cd '{}'; ACL={ACL}; {script}", directory.display())]);
}

/// An access control list: user::rwx, user:33:r-x, group::rwx, mask::rwx, other::r-x.
const ACL: &str =
    "0x0200000001000700ffffffff020005002100000004000700ffffffff10000700ffffffff20000500ffffffff";

const USERS: &str = r#"<users>
    <user name="tux" password="*" home="/home/tux" shell="/bin/bash"/>
    <user name="operator" password="*" home="/srv/operator" shell="/bin/bash"/>
    <user name="www-data" password="*"/>
    <user name="guest" password="*" home="srv/guest" groups="100,audio"/>
  </users>"#;

#[test]
fn overlays_archives_and_homes_keep_what_belongs_to_them() {
    let case = Case::new(
        USERS,
        "<archive name=\"my files.tar.xz\"/><archive name=\"b.tar.bz2\"/><archive name=\"z.tar.zst\" target_dir=\"/srv/unpacked\"/><file name=\"one.conf\" target=\"/etc/one/two.conf\" owner=\"tux:operator\" permissions=\"u=rw,g=r,o=\"/>",
    );
    case.file("root/home/tux/.ssh/authorized_keys", "ssh-ed25519 AAAA tux\n")
        .file("root/home/tux/tool", "#!/bin/sh\n")
        .file("root/etc/skel/.kiwi", "of every user\n")
        .file("root/srv/shared/file", "x")
        .file("one.conf", "one\n")
        .file("config.sh", "#!/bin/bash\n(exec 3<>/dev/tcp/127.0.0.1/1) 2> /lo || true\nls -l /etc/resolv.conf > /seen || true\n");
    symlink("../run/systemd/resolve/stub-resolv.conf", case.path("desc/root/etc/resolv.conf")).unwrap();
    shell(
        &case.path("desc"),
        "chmod 700 root/home/tux/.ssh; chmod 600 root/home/tux/.ssh/authorized_keys
         chmod 4755 root/home/tux/tool; chmod 2775 root/srv/shared; mkdir -m 1777 root/srv/drop
         ln root/srv/shared/file root/srv/again; truncate -s 30M root/srv/sparse
         setfattr -n user.colour -v blue root/srv/shared/file; setfattr -n system.posix_acl_access -v $ACL root/srv/shared
         mkdir -p new/opt/app; echo packed > new/opt/app/xz; setcap cap_net_raw+ep new/opt/app/xz
         tar --xattrs --xattrs-include='*' --owner=33 --group=33 --numeric-owner -cJf 'my files.tar.xz' -C new .
         mv new/opt/app/xz new/opt/app/bz2; tar -cjf b.tar.bz2 -C new .
         mv new/opt/app/bz2 new/opt/app/zst; tar --zstd -cf z.tar.zst -C new .; rm -r new",
    );
    let run = case.prepare(&["--network", "--cache-network"]).done();
    assert_eq!(run.warnings("attributes"), Vec::<&str>::new());
    // The second time all of it comes out of the cache.
    let tree = case.path("tree");
    for round in ["made", "restored"] {
        if round == "restored" {
            std::fs::rename(&tree, case.path("made")).unwrap();
            std::fs::remove_dir_all(case.path("made")).unwrap();
            let run = case.prepare(&["--network", "--cache-network"]).done();
            assert!(run.restored().contains(&"tree"), "{:?}", run.restored());
        }
        let (user, group, _) = case.facts("home/tux");
        assert!(user >= 1000, "{round}");
        for (name, mode) in [
            ("home/tux/.ssh", 0o700),
            ("home/tux/.ssh/authorized_keys", 0o600),
            ("home/tux/.bashrc", 0o644),
            ("home/tux/.kiwi", 0o644),
            ("home/tux/tool", 0o4755),
        ] {
            assert_eq!(case.facts(name), (user, group, mode), "{round}: {name}");
        }
        let passwd = std::fs::read_to_string(case.tree("etc/passwd")).unwrap();
        assert!(
            passwd
                .lines()
                .any(|line| line.starts_with("operator:x:") && line.contains(":37::/srv/operator:")),
            "{passwd}"
        );
        assert!(
            passwd.lines().any(|line| line.starts_with("guest:x:") && line.contains(":100::/srv/guest:")),
            "{passwd}"
        );
        let groups = std::fs::read_to_string(case.tree("etc/group")).unwrap();
        assert!(groups.lines().any(|line| line == "audio:x:29:guest"), "{groups}");
        assert_eq!(case.facts("etc/one/two.conf"), (user, 37, 0o640), "{round}");
        assert_eq!(case.facts("srv/shared"), (0, 0, 0o2775), "{round}");
        assert_eq!(case.facts("srv/drop"), (0, 0, 0o1777), "{round}");
        assert_eq!(case.facts("opt/app/xz"), (33, 33, 0o644), "{round}");
        assert!(
            case.tree("opt/app/bz2").exists() && case.tree("srv/unpacked/opt/app/zst").exists(),
            "{round}"
        );
        let file = case.tree("srv/shared/file").metadata().unwrap();
        assert_eq!((file.nlink(), file.ino()), (2, case.tree("srv/again").metadata().unwrap().ino()));
        let sparse = case.tree("srv/sparse").metadata().unwrap();
        assert_eq!((sparse.len(), sparse.blocks()), (30 << 20, 0), "{round}");
        assert!(judge("getcap", &[case.tree("opt/app/xz").to_str().unwrap()]).contains("cap_net_raw=ep"));
        let shared = case.tree("srv/shared");
        let list =
            ["--absolute-names", "-e", "hex", "-n", "system.posix_acl_access", shared.to_str().unwrap()];
        assert!(judge("getfattr", &list).contains(ACL));
        assert!(judge("getfattr", &["-d", case.tree("srv/again").to_str().unwrap()]).contains("blue"));
        let link = std::fs::read_link(case.tree("etc/resolv.conf")).unwrap();
        assert_eq!(link, Path::new("../run/systemd/resolve/stub-resolv.conf"), "{round}");
        let refused = std::fs::read_to_string(case.tree("lo")).unwrap();
        assert!(refused.contains("Connection refused"), "the loopback interface is down: {refused}");
    }
}

#[test]
fn a_group_that_is_a_number_must_exist() {
    let case = Case::new("<users><user name=\"guest\" password=\"*\" groups=\"4242\"/></users>", "");
    assert_eq!(case.prepare(&[]).error(), (3, "invalid-description"));
}

#[test]
fn a_file_of_the_overlay_never_replaces_a_directory_of_packages() {
    let case = Case::new("", "");
    case.file("root/usr/share/doc", "f");
    assert_eq!(case.prepare(&[]).error(), (3, "invalid-description"));
    assert!(!case.path("tree").exists(), "a failed build left a root tree");
}

#[test]
fn scripts_run_at_their_times_and_see_the_variables() {
    let case = Case::new("", "<package name=\"less\"/>");
    let record = "env | grep ^kiwi_ | sort > /$NAME.env; command -v less > /$NAME.packages || true";
    for name in ["post_bootstrap.sh", "config.sh", "images.sh"] {
        let arrived = "test -f /.profile && test -f /.kconfig && grep -q kiwi_iname /.profile";
        case.file(
            name,
            &format!(
                "#!/bin/sh\nset -eu\nNAME={name}\n{arrived}\n: $kiwi_iname $kiwi_startsector\n{record}\n"
            ),
        );
    }
    case.file("exclude_files.yaml", "exclude:\n  - usr/share/doc/*\n  - srv/left?\n")
        .file("disk.sh", "#!/bin/sh\nexit 1\n")
        .file("config-host-overlay.sh", "#!/bin/sh\nexit 1\n")
        .file("new/srv/left1", "x")
        .file("new/srv/kept", "x")
        .file("new/etc/fstab.append", "# appended\n");
    shell(&case.path("desc"), "tar -czf root.tar.gz -C new .; rm -r new");
    let run = case.prepare(&[]).done();
    let warnings = run.warnings("script").join("\n");
    for name in ["disk.sh", "config-host-overlay.sh"] {
        assert!(warnings.contains(name), "{name} is ignored without a word: {warnings}");
    }
    let read = |name: &str| {
        std::fs::read_to_string(case.tree(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    };
    let variables = read("config.sh.env");
    for line in [
        "kiwi_iname=trees",
        "kiwi_iversion=1.0.0",
        "kiwi_type=tbz",
        "kiwi_bootloader=grub2",
        "kiwi_align=1048576",
    ] {
        assert!(variables.lines().any(|known| known == line), "{line}: {variables}");
    }
    assert_eq!(read("post_bootstrap.sh.env"), variables);
    assert!(read("post_bootstrap.sh.packages").is_empty());
    assert!(read("config.sh.packages").contains("/less"));
    assert!(case.tree("srv/left1").exists() && !case.tree("image/post_bootstrap.sh").exists());

    // Both package paths, and the cache, give the same tree.
    let digest = |tree: &str| {
        let path = case.path(tree);
        judge(
            "sh",
            &[
                "-c",
                &format!(
                    "cd '{}'; rm -f image/kiwi.json; find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum",
                    path.display()
                ),
            ],
        )
    };
    std::fs::rename(case.path("tree"), case.path("first")).unwrap();
    let run = case.prepare(&[]).done();
    assert!(run.restored().contains(&"packages") && run.restored().contains(&"tree"), "{:?}", run.restored());
    assert_eq!(digest("first"), digest("tree"));
    std::fs::rename(case.path("tree"), case.path("second")).unwrap();
    // Another script is another stage, below which the bootstrap packages stay.
    case.file("post_bootstrap.sh", "#!/bin/sh\necho other > /other\n");
    let _ = case.prepare(&[]).done();
    assert_eq!(read("other"), "other\n");
    assert!(!case.tree("post_bootstrap.sh.env").exists());

    let explain = |image: &str, path: &str| judge(kiwi().to_str().unwrap(), &["explain", image, path]);
    let second = case.path("second").to_str().unwrap().to_owned();
    for (path, source) in [
        ("/config.sh.env", "  script config.sh (stage tree)\n"),
        ("/srv/kept", "  archive root.tar.gz (stage tree)\n"),
        ("/usr/bin/less", "  package less "),
        ("/bin/sh", "  package dash "),
    ] {
        let text = explain(&second, path);
        assert!(text.contains(source), "{text}");
    }
    let images = case.path("images");
    std::fs::create_dir(&images).unwrap();
    let (tree, images) = (case.path("tree"), images.to_str().unwrap().to_owned());
    let _ = json(&["create", tree.to_str().unwrap(), "--destdir", &images]).done();
    let list = judge("sh", &["-c", &format!("tar -tJf '{images}'/*.tar.xz")]);
    assert!(
        list.contains("./images.sh.env") && list.contains("./srv/kept") && list.contains("./usr/share/doc/")
    );
    let image = judge("sh", &["-c", &format!("ls '{images}'/*.tar.xz")]);
    let text = explain(image.trim(), "/images.sh.env");
    assert!(text.contains("  script images.sh (stage image)\n"), "{text}");
    assert!(
        !list.contains("srv/left1") && !list.contains("usr/share/doc/base-files"),
        "excluded files are in the image"
    );
}
