//! Exact messages of errors that need neither packages nor root. Other tests assert kinds, codes and fields.

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
    let expected = "error: the repository http://127.0.0.1:1/debian (desc/config.xml:4:61) cannot be reached: \
                    http://127.0.0.1:1/debian/dists/x/InRelease: Could not connect to 127.0.0.1:1 (127.0.0.1). - connect (111: \
                    Connection refused)\ncheck its <source path>, the network and the proxy";
    assert_eq!(case.error(&["prepare", "desc", "--root", "root"]), expected);
    case.assert_no_tree();
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
    // Away from the target directory, where linuxrc may have been built, and from what is beside the directory of the test.
    let program = case.path("programs/of/kiwi");
    std::fs::create_dir_all(case.path("programs/of")).unwrap();
    std::fs::copy(kiwi(), &program).unwrap();
    let mut command = Command::new(program);
    command.args(["build", "desc", "--destdir", "images"]).env("KIWI_SHARE", case.path("share"));
    std::fs::create_dir(case.path("images")).unwrap();
    let expected = "error: cannot make a boot image: the static program linuxrc is missing; it is searched at [HERE]/share/linuxrc, beside \
                    [HERE]/programs/of/kiwi and in ../lib/kiwi; build it with 'cargo linuxrc' in a checkout of kiwi (docs/install.md)";
    assert_eq!(case.error_of(&mut command), expected);
    assert_eq!(std::fs::read_dir(case.path("images")).unwrap().count(), 0, "work was done");
}

/// Asserts the message of each command line.
#[track_caller]
fn assert_messages(case: &Case, expected: &[(&str, &str)]) {
    for (keywords, message) in expected {
        let keywords: Vec<&str> = keywords.split(' ').collect();
        assert_eq!(case.error(&keywords), *message, "{keywords:?}");
    }
}

#[test]
fn files_that_exist_or_are_missing() {
    let case = Case::good();
    std::fs::create_dir(case.path("made")).unwrap();
    std::fs::write(case.path("made/file"), "").unwrap();
    assert_messages(
        &case,
        &[
            (
                "init server --directory made",
                "error: made is not empty; name another directory with --directory",
            ),
            (
                "init",
                "error: kiwi init needs a template when it cannot ask: server, appliance, cloud, live-desktop, rescue, \
                 kiosk, pxe-client",
            ),
            (
                "convert desc --output desc/config.xml",
                "error: desc/config.xml exists and is not overwritten; name another file, or use --in-place",
            ),
            (
                "convert desc --to yaml --in-place",
                "error: desc/config.xml is xml and --in-place does not change the format; name the new yaml file with \
                 --output",
            ),
            ("result list --target-dir .", "error: . has no kiwi.result.json: this kiwi built nothing there"),
            ("run missing.raw", "error: the image missing.raw does not exist"),
            (
                "build desc --locked --destdir .",
                "error: [HERE]/desc/kiwi.lock does not exist; 'kiwi build --lock' writes it",
            ),
        ],
    );
}

#[test]
fn a_file_that_was_changed_after_the_build() {
    let case = Case::good();
    let record = r#"{"version":1,"images":[{"name":"n","version":"1.0.0","architecture":"x86_64","type":"oem","profiles":[],
        "files":[{"role":"image","file":"n.raw","size":1,"sha256":"SUM","compress":false}]}]}"#;
    std::fs::write(case.path("kiwi.result.json"), record.replace("SUM", &"0".repeat(64))).unwrap();
    std::fs::write(case.path("n.raw"), "x").unwrap();
    let expected =
        "error: ./n.raw was changed after the build: its digest differs from the record; build it again";
    assert_eq!(
        case.error(&["result", "bundle", "--target-dir", ".", "--bundle-dir", "b", "--id", "1"]),
        expected
    );
}

#[test]
fn unreadable_text() {
    let case = Case::good();
    std::fs::write(case.path("desc/config.xml"), b"<image name=\"\xff\"/>").unwrap();
    let expected = "error: reading the description desc/config.xml: line 1 is not UTF-8 text; save it as UTF-8, \
                    or declare its encoding in the first line: <?xml version=\"1.0\" encoding=\"iso-8859-1\"?>";
    assert_eq!(case.error(&["check", "desc"]), expected);
}

#[test]
fn a_type_that_is_not_built() {
    let case = Case::good();
    let text = std::fs::read_to_string(case.path("desc/config.xml")).unwrap();
    case.file("config.xml", &text.replace("image=\"ext4\"", "image=\"enclave\""));
    let expected = "error: `image=\"enclave\"` is not built by this version of kiwi yet
 --> desc/config.xml:3:89
  |
3 |   <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image=\"enclave\"/></preferences>
  |                                                                                         ^^^^^^^ not built yet; in the schemas since 4.1
  |
  = help: the description is right; remove this part to build the rest of it now

error: the description is right, but needs what this version of kiwi does not build";
    assert_eq!(case.error(&["build", "desc", "--destdir", "."]), expected);
}

#[test]
fn a_helper_kernel_that_is_none() {
    let case = Case::good();
    let build = ["build", "desc", "--destdir", ".", "--helper-kernel"];
    let expected =
        "error: cannot read the kernel missing of --helper-kernel: No such file or directory (os error 2)";
    assert_eq!(case.error(&[&build[..], &["missing"]].concat()), expected);
    let lists = case.path("lib/modules/6");
    std::fs::create_dir_all(&lists).unwrap();
    std::fs::write(format!("{lists}/modules.dep"), "").unwrap();
    std::fs::create_dir(case.path("boot")).unwrap();
    std::fs::write(case.path("boot/vmlinuz-6"), "").unwrap();
    let expected = "error: --helper-kernel is for file systems that only a kernel fills, such as reiserfs, and type ext4 has none; \
                    leave the option out";
    assert_eq!(case.error(&[&build[..], &["boot/vmlinuz-6"]].concat()), expected);
}

/// Returns the first line of the error about this text.
fn first_line(text: &str) -> String {
    let case = Case::good();
    case.file("config.xml", text);
    case.file("a.xml", "<image><include from=\"config.xml\"/></image>");
    std::os::unix::fs::symlink("/etc/passwd", case.path("desc/link.xml")).unwrap();
    case.error(&["check", "desc"]).lines().next().unwrap().to_owned()
}

#[test]
fn texts_beyond_a_limit() {
    let include =
        |path: &str| format!("<image schemaversion=\"8.5\" name=\"x\"><include from=\"{path}\"/></image>");
    for (text, expected) in [
        ("<!DOCTYPE image><image/>".to_owned(), "error: a document type is not accepted"),
        (
            format!("<image>{}{}</image>", "<a>".repeat(100), "</a>".repeat(100)),
            "error: elements are nested more than 32 deep",
        ),
        (format!("<image {}/>", "a=\"\" ".repeat(60_000)), "error: an element has more than 300 attributes"),
        (include("../secret"), "error: `../secret` cannot be included"),
        (
            include("link.xml"),
            "error: including `link.xml`: the link [HERE]/desc/link.xml leads out of the description: its target is /etc/passwd",
        ),
        (include("a.xml"), "error: `config.xml` includes itself"),
    ] {
        assert_eq!(first_line(&text), expected);
    }
}

#[test]
fn all_types_name_the_profiles_that_have_some() {
    let case = Case::good();
    let text = std::fs::read_to_string(case.path("desc/config.xml")).unwrap();
    let of_profile = "<type image=\"ext4\"/></preferences>";
    let text = text.replace(of_profile, &format!("</preferences><preferences profiles=\"big\">{of_profile}"));
    let profile = |name: &str| format!("<profile name=\"{name}\" description=\"B\"/>");
    let profiles = format!("<profiles>{}{}</profiles>\n  <preferences>", profile("big"), profile("small"));
    case.file("config.xml", &text.replacen("<preferences>", &profiles, 1));
    std::fs::create_dir(case.path("images")).unwrap();
    let error = case.error(&["build", "desc", "--destdir", "images", "--all-types", "--profile", "small"]);
    assert_eq!(error, "error: no image type applies to these profiles; profiles with types are: big");
}
