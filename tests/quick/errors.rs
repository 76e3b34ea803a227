//! Bad input that needs neither packages nor root: each kind with its exact message.

use std::path::Path;
use std::process::Command;

use kiwi_tests::case::Case;
use kiwi_tests::program::{checkout, kiwi};

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
  = help: `<preferences>` is opened in line 2 and not closed before this position

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
                    ext2, ext3, ext4, reiserfs, xfs, btrfs, squashfs, erofs, cpio, tbz, vmx, oem, usb, iso, oci, docker, \
                    split, xen, pxe, kis, appx, wsl, enclave
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
  |  ^^^^^ not defined
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
        "error: the root directory [HERE]/root is not empty; remove it or specify another one with --root";
    assert_eq!(case.error(&["prepare", "desc", "--root", "root"]), expected);
    assert!(Path::new(&case.path("root/etc")).is_dir(), "what was there must stay");
}

#[test]
fn create_of_something_that_is_no_tree() {
    let case = Case::good();
    std::fs::create_dir(case.path("root")).unwrap();
    let expected = "error: root is not a root tree made by kiwi: it has no image/config.xml; create one with 'kiwi prepare'";
    assert_eq!(case.error(&["create", "root", "--destdir", "."]), expected);
}

#[test]
fn overlay_link_that_climbs_out() {
    let case = Case::good();
    std::fs::create_dir_all(case.path("desc/root/etc")).unwrap();
    std::os::unix::fs::symlink("../../../../etc/passwd", case.path("desc/root/etc/evil")).unwrap();
    let expected = "error: the link [HERE]/desc/root/etc/evil leads out of the root tree: its target is \
                    ../../../../etc/passwd; make it absolute (it then refers to a path in the image) or copy \
                    the file into the overlay";
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
    let expected = "error: the description uses the package manager zypper, which this version of kiwi does not support yet; \
                    use <packagemanager>apt</packagemanager>";
    assert_eq!(case.error(&["prepare", "desc", "--root", "root"]), expected);
}

#[test]
fn a_missing_boot_program_is_named_before_any_work() {
    let case = Case::good();
    let text = std::fs::read_to_string(case.path("desc/config.xml")).unwrap();
    let disk = "image=\"oem\" filesystem=\"ext4\"";
    case.file("config.xml", &text.replace("image=\"ext4\"", disk));
    let share = checkout().join("share/kiwi/image");
    std::fs::create_dir_all(case.path("share")).unwrap();
    std::os::unix::fs::symlink(share, case.path("share/image")).unwrap();
    // Away from the target directory, where linuxrc may have been built.
    std::fs::copy(kiwi(), case.path("kiwi")).unwrap();
    let mut command = Command::new(case.path("kiwi"));
    command.args(["build", "desc", "--destdir", "images"]).env("KIWI_SHARE", case.path("share"));
    std::fs::create_dir(case.path("images")).unwrap();
    let expected = "error: cannot make a boot image: there is no static program linuxrc at [HERE]/share/linuxrc; build it \
                    with 'cargo linuxrc'";
    assert_eq!(case.error_of(&mut command), expected);
    assert_eq!(std::fs::read_dir(case.path("images")).unwrap().count(), 0, "work was done");
}
