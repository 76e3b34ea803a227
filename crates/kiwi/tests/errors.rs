//! Bad input: each kind with its exact message. What needs neither packages nor root runs always; what needs a tree,
//! a repository or a mount of its own runs with the feature `image-tests`.
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::path::Path;
use std::process::Command;

mod machine;

use machine::kiwi;

/// A description in a directory of its own.
struct Case {
    directory: tempfile::TempDir,
}

const REPOSITORY: &str = r#"<repository><source path="debian://bookworm"/></repository>"#;

impl Case {
    fn new(repository: &str, package: &str) -> Self {
        let case = Self { directory: tempfile::tempdir().unwrap() };
        case.file(
            "config.xml",
            &format!(
                "<image schemaversion=\"8.5\" name=\"bad\">\n  <description type=\"system\"><author>A</author>\
                 <contact>a@example.org</contact><specification>S</specification></description>\n  <preferences>\
                 <version>1.0.0</version><packagemanager>apt</packagemanager><type image=\"ext4\"/></preferences>\n  \
                 {repository}\n  <packages type=\"image\"><package name=\"{package}\"/></packages>\n</image>\n"
            ),
        );
        case
    }

    fn good() -> Self {
        Self::new(REPOSITORY, "less")
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    fn file(&self, name: &str, text: &str) -> &Self {
        let path = self.directory.path().join("desc").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// What `kiwi WORDS` says when it fails, progress and log left out, with the directory's path as `[HERE]`.
    fn error(&self, keywords: &[&str]) -> String {
        self.error_of(Command::new(kiwi()).args(keywords))
    }

    fn error_of(&self, command: &mut Command) -> String {
        let output = command.current_dir(self.directory.path()).output().unwrap();
        assert!(!output.status.success(), "kiwi succeeded");
        let said = String::from_utf8_lossy(&output.stderr);
        let lines =
            said.lines().filter(|line| !line.contains(" ... ") && !line.starts_with("The log of this run"));
        let here = self.directory.path().canonicalize().unwrap();
        lines.collect::<Vec<_>>().join("\n").replace(here.to_str().unwrap(), "[HERE]")
    }

    /// Nothing that looks finished is there.
    fn assert_no_tree(&self) {
        assert!(!Path::new(&self.path("root")).exists(), "a failed build left a root tree");
    }
}

#[test]
fn broken_xml() {
    let case = Case::good();
    case.file("config.xml", "<image schemaversion=\"8.5\" name=\"bad\">\n  <preferences>\n</image>\n");
    let expected = "error: `</image>` does not close `<preferences>`
 --> desc/config.xml:3:1
  |
3 | </image>
  | ^^^^^^^^ expected `</preferences>`
  |
  = help: `<preferences>` is opened in line 2 and not closed before this location

error: 1 error in the description";
    assert_eq!(case.error(&["check", "desc"]), expected);
}

#[test]
fn unknown_element_and_wrong_value_are_told_together() {
    let case = Case::good();
    let text = std::fs::read_to_string(case.path("desc/config.xml")).unwrap();
    let text = text.replace("<version>", "<verzion>").replace("</version>", "</verzion>");
    case.file("config.xml", &text.replace("image=\"ext4\"", "image=\"ext44\""));
    let expected = "error: there is no element `<verzion>`
 --> desc/config.xml:3:17
  |
3 |   <preferences><verzion>1.0.0</verzion><packagemanager>apt</packagemanager><type image=\"ext44\"/></preferences>
  |                 ^^^^^^^ not an element of `<preferences>`
  |
  = help: did you mean `<version>`?

error: `ext44` is not a value of the attribute `image`
 --> desc/config.xml:3:89
  |
3 |   <preferences><verzion>1.0.0</verzion><packagemanager>apt</packagemanager><type image=\"ext44\"/></preferences>
  |                                                                                         ^^^^^ expected one of \
                    ext2, ext3, ext4, reiserfs, xfs, btrfs, squashfs, cpio, tbz, iso, split, usb, vmx, xen, pxe, oem, \
                    kis, erofs, docker, oci, appx, wsl, enclave
  |
  = help: did you mean `ext4`?

error: 2 errors in the description";
    assert_eq!(case.error(&["check", "desc"]), expected);
}

#[test]
fn missing_description() {
    let expected = "error: there is no description at nowhere: no such directory";
    assert_eq!(Case::good().error(&["prepare", "nowhere", "--root", "root"]), expected);
}

#[test]
fn missing_configuration_file() {
    let case = Case::good();
    std::fs::create_dir(case.path("empty")).unwrap();
    let expected = "error: there is no description at empty: it has neither config.xml (or .yaml, .toml, \
                    .json), image/config.xml nor a *.kiwi file";
    assert_eq!(case.error(&["check", "empty"]), expected);
}

#[test]
fn unknown_profile() {
    let expected = "error: there is no profile `toolz`
 --> desc/config.xml:1:2
  |
1 | <image schemaversion=\"8.5\" name=\"bad\">
  |  ^^^^^ no profiles here
  |
  = help: the description has no profiles

error: 1 error in the description";
    assert_eq!(Case::good().error(&["check", "desc", "--profile", "toolz"]), expected);
}

#[test]
fn unknown_type() {
    let said = Case::good().error(&["check", "desc", "--type", "isoo"]);
    let expected = "error: the description has no image type `isoo`
 --> desc/config.xml:3:4
  |
3 |   <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image=\"ext4\"/></preferences>
  |    ^^^^^^^^^^^ not among the types here
  |
  = help: there are `ext4`

error: 1 error in the description";
    assert_eq!(said, expected);
}

#[test]
fn destination_that_does_not_exist() {
    let expected = "error: the destination directory missing does not exist; create it first";
    assert_eq!(Case::good().error(&["build", "desc", "--destdir", "missing"]), expected);
}

#[test]
fn root_directory_that_is_not_empty() {
    let case = Case::good();
    std::fs::create_dir_all(case.path("root/etc")).unwrap();
    let expected =
        "error: the root directory [HERE]/root is not empty; remove it or name another one with --root";
    assert_eq!(case.error(&["prepare", "desc", "--root", "root"]), expected);
    assert!(Path::new(&case.path("root/etc")).is_dir(), "what was there must stay");
}

#[test]
fn create_of_something_that_is_no_tree() {
    let case = Case::good();
    std::fs::create_dir(case.path("root")).unwrap();
    let expected = "error: root is not a root tree made by kiwi: it has no image/config.xml; make one with 'kiwi prepare'";
    assert_eq!(case.error(&["create", "root", "--destdir", "."]), expected);
}

#[test]
fn overlay_link_that_climbs_out() {
    let case = Case::good();
    std::fs::create_dir_all(case.path("desc/root/etc")).unwrap();
    std::os::unix::fs::symlink("../../../../etc/passwd", case.path("desc/root/etc/evil")).unwrap();
    let expected = "error: the link [HERE]/desc/root/etc/evil leads out of the root tree: its target is \
                    ../../../../etc/passwd; make it absolute (it is then meant inside the image) or copy the file into \
                    the overlay";
    assert_eq!(case.error(&["prepare", "desc", "--root", "root"]), expected);
    case.assert_no_tree();
}

#[test]
fn repository_that_cannot_be_reached() {
    let repository = r#"<repository type="apt-deb" distribution="x"><source path="http://127.0.0.1:1/debian"/></repository>"#;
    let case = Case::new(repository, "less");
    let expected = "error: a repository cannot be reached: Could not connect to 127.0.0.1:1 (127.0.0.1). - connect (111: \
                    Connection refused)\ncheck its <source path>, the network and the proxy";
    assert_eq!(case.error(&["prepare", "desc", "--root", "root"]), expected);
    case.assert_no_tree();
}

#[test]
fn type_and_package_manager_that_are_not_built() {
    let case = Case::good();
    let text = std::fs::read_to_string(case.path("desc/config.xml")).unwrap();
    case.file("config.xml", &text.replace(">apt<", ">zypper<"));
    let expected = "error: packages are installed with zypper here, which this version of kiwi does not build with yet; \
                    <packagemanager>apt</packagemanager> it can";
    assert_eq!(case.error(&["prepare", "desc", "--root", "root"]), expected);
}

#[cfg(feature = "image-tests")]
mod with_packages {
    use super::*;

    /// Runs kiwi where `setup` was done in a mount namespace of its own.
    fn in_mounts(case: &Case, setup: &str, keywords: &str) -> String {
        let script = format!("{setup} && exec {} {keywords}", kiwi().display());
        case.error_of(Command::new("unshare").args(["--mount", "sh", "-c", &script]))
    }

    #[test]
    fn package_that_is_not_there() {
        let case = Case::new(REPOSITORY, "lesss");
        let expected = "error: a package is not in the repositories of the description: lesss\ncheck the spelling, the \
                        <packages> sections, and that the repository and component that holds it are named";
        assert_eq!(case.error(&["prepare", "desc", "--root", "root"]), expected);
        case.assert_no_tree();
    }

    #[test]
    fn what_a_container_takes_away_is_named() {
        let case = Case::new(REPOSITORY, "lesss");
        let program = kiwi();
        let said = |wrapper: &[&str]| {
            let keywords =
                [wrapper, &[program.to_str().unwrap(), "prepare", "desc", "--root", "root"]].concat();
            case.error_of(Command::new(keywords[0]).args(&keywords[1..]))
        };
        // Root as in a plain container: kiwi gets as far as the packages.
        let plain = said(&["setpriv", "--bounding-set", "-sys_admin,-mknod,-net_admin", "--no-new-privs"]);
        assert!(plain.starts_with("error: a package is not in the repositories"), "{plain}");
        let expected = "error: ids cannot be mapped into a user namespace here (Operation not permitted (os error 1)); \
                        root lacks capabilities here: start the container with --cap-add SETFCAP";
        assert_eq!(said(&["setpriv", "--bounding-set", "-setfcap"]), expected);
        let expected = "error: this system does not allow user namespaces (Operation not permitted (os error 1)); in a \
                        chroot the kernel gives none: start kiwi outside, or make it a container (podman run --rootfs \
                        DIRECTORY)";
        let script = "mount --rbind / /mnt && exec chroot /mnt \"$@\"";
        assert_eq!(said(&["unshare", "--mount", "sh", "-c", script, "sh"]), expected);
        let one = said(&["unshare", "--user", "--map-root-user"]);
        assert!(
            one.starts_with("error: only 1 user ids are mapped here, a root tree needs 65535; leave"),
            "{one}"
        );
        case.assert_no_tree();
    }

    #[test]
    fn missing_program_is_named_with_its_package() {
        let case = Case::good();
        let said = in_mounts(&case, "mount --bind /dev/null $(command -v mke2fs)", "build desc --destdir .");
        let expected = "error: the program 'mke2fs' is needed and not installed; install the package that brings it: \
                        e2fsprogs on Debian, e2fsprogs on SUSE, e2fsprogs on Fedora";
        assert_eq!(said, expected);
    }

    #[test]
    fn full_disk() {
        let case = Case::good();
        std::fs::create_dir(case.path("tiny")).unwrap();
        let setup = "mount -t tmpfs -o size=20m tiny tiny && trap 'ls -A tiny' EXIT";
        let script = format!("{setup}; {} prepare desc --root tiny/root", kiwi().display());
        let output = Command::new("unshare")
            .args(["--mount", "sh", "-c", &script])
            .env("KIWI_CACHE", case.path("cache"))
            .current_dir(case.directory.path())
            .output()
            .unwrap();
        assert!(!output.status.success(), "kiwi succeeded on a full disk");
        let said = String::from_utf8_lossy(&output.stderr);
        let expected = "error: no space is left for the indices of the repositories: No space left on device\nFree some \
                        space, or put root tree and images elsewhere (--root, --destdir, KIWI_SCRATCH=disk).\n";
        assert!(said.contains(expected), "{said}");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "root.log", "only the log may stay");
    }

    #[test]
    fn failing_script_shows_what_it_said() {
        let case = Case::good();
        case.file("config.sh", "#!/bin/sh\necho this goes wrong\nexit 7\n");
        let expected = "error: the script [HERE]/desc/config.sh of the description failed: /bin/sh /image/config.sh\n\
                        failed with exit code 7; the last it printed:\n  | this goes wrong";
        assert_eq!(case.error(&["prepare", "desc", "--root", "root"]), expected);
        case.assert_no_tree();
    }

    #[test]
    fn absolute_links_are_the_trees_never_the_hosts() {
        let case = Case::good();
        std::fs::create_dir_all(case.path("desc/root/srv")).unwrap();
        std::fs::create_dir(case.path("outside")).unwrap();
        std::os::unix::fs::symlink(case.path("outside"), case.path("desc/root/srv/out")).unwrap();
        let outside = case.path("outside");
        case.file(
            "config.sh",
            &format!(
                "#!/bin/sh\nmkdir -p {outside}\necho x > /srv/out/file\ncp {outside}/file /root/proof\n"
            ),
        );
        machine::run_kiwi(&["prepare", &case.path("desc"), "--root", &case.path("root")]);
        assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0, "a file was written outside the tree");
        let proof = case.path("root/root/proof");
        assert!(Path::new(&proof).is_file(), "the link must lead to the tree's own directory");
    }

    fn run(directory: &Path, script: &str) {
        let output = Command::new("bash").args(["-e", "-c", script]).current_dir(directory).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }

    #[test]
    fn signature_of_another_key() {
        let case = Case::good();
        let here = case.directory.path().canonicalize().unwrap();
        run(
            &here,
            "export GNUPGHOME=$PWD/keys; mkdir -m 700 keys; mkdir -p repository tiny/DEBIAN
             printf 'Package: tiny\\nVersion: 1\\nArchitecture: all\\nMaintainer: A <a@example.org>\\nDescription: x\\n' \
                > tiny/DEBIAN/control
             dpkg-deb --build tiny repository/tiny_1_all.deb
             cd repository; apt-ftparchive packages . > Packages; apt-ftparchive release . > Release
             for key in right wrong; do
                gpg -q --batch --pinentry-mode loopback --passphrase '' --quick-generate-key $key rsa2048 sign never
                gpg -q --export $key > ../$key.gpg
             done
             gpg -q --batch --local-user wrong --clearsign --output InRelease Release; gpgconf --kill all",
        );
        let repository = format!(
            "<repository type=\"apt-deb\" distribution=\"./\"><source path=\"{0}/repository\">\
             <signing key=\"file:{0}/right.gpg\"/></source></repository>",
            here.display()
        );
        let text = std::fs::read_to_string(case.path("desc/config.xml")).unwrap();
        case.file("config.xml", &text.replace(REPOSITORY, &repository));
        let said = case.error(&["prepare", "desc", "--root", "root"]);
        // The number of the key that signed is another one each time.
        let (before, rest) = said.split_once("NO_PUBKEY ").unwrap_or_else(|| panic!("{said}"));
        let said = format!(
            "{before}NO_PUBKEY [KEY]{}",
            rest.trim_start_matches(|letter: char| letter.is_ascii_hexdigit())
        );
        let expected = "error: the signature of a repository is not good: The following signatures couldn't be verified \
                        because the public key is not available: NO_PUBKEY [KEY]\nname its key with <signing \
                        key=\"file:PATH\"/> in <source>, or, if you must, trust it unchecked with \
                        repository_gpgcheck=\"false\"";
        assert_eq!(said, expected);
        case.assert_no_tree();
    }
}
