//! Exact messages of errors that need a tree, a repository or a mount of their own.

use std::path::Path;
use std::process::Command;

use kiwi_tests::case::{Case, REPOSITORY};
use kiwi_tests::machine::{judge, run_kiwi};
use kiwi_tests::program::kiwi;
use kiwi_tests::run::json;

use crate::container::{build_contained, container_directory};

/// Runs kiwi where `setup` was done in a mount namespace of its own.
fn in_mounts(case: &Case, setup: &str, keywords: &str) -> String {
    let script = format!("{setup} && exec {} {keywords}", kiwi().display());
    case.error_of(Command::new("unshare").args(["--mount", "sh", "-c", &script]))
}

#[test]
fn package_that_is_not_there() {
    let case = Case::new(REPOSITORY, "lesss");
    let expected = "error: a package is not in the repositories of the description: lesss (desc/config.xml:5:41; did you \
                        mean less?)\ncheck the spelling, the <packages> sections, and that the repository and component that contains it are specified";
    assert_eq!(case.error(&["prepare", "desc", "--root", "root"]), expected);
    case.assert_no_tree();
}

#[test]
fn what_a_container_takes_away_is_named() {
    let case = Case::new(REPOSITORY, "lesss");
    let program = kiwi();
    let said = |wrapper: &[&str]| {
        let keywords = [wrapper, &[program.to_str().unwrap(), "prepare", "desc", "--root", "root"]].concat();
        case.error_of(Command::new(keywords[0]).args(&keywords[1..]))
    };
    // Root as in a plain container: kiwi gets as far as the packages.
    let plain = said(&["setpriv", "--bounding-set", "-sys_admin,-mknod,-net_admin", "--no-new-privs"]);
    assert!(plain.starts_with("error: a package is not in the repositories"), "{plain}");
    let expected = "error: ids cannot be mapped into a user namespace here (Operation not permitted (os error 1)); \
                        root lacks capabilities here: start the container with --cap-add SETFCAP";
    // Where kiwi cannot get other ids than root's, because a file system that it needs cannot be mapped.
    assert_eq!(said(&["env", "XDG_DATA_HOME=/proc", "setpriv", "--bounding-set", "-setfcap"]), expected);
    let expected = "error: this system does not allow user namespaces (Operation not permitted (os error 1)); the \
                        kernel allows none in a chroot: start kiwi outside, or make it a container (podman run --rootfs \
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
    let expected = "error: the program 'mke2fs' is required and not installed; install the package that provides it: \
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
                        space, or move root tree and images to another file system (--root, --destdir, KIWI_CACHE, TMPDIR, KIWI_SCRATCH=disk).\nFree: ";
    assert!(said.contains(expected), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "root.log", "only the log may stay");
}

#[test]
fn failing_script_shows_what_it_said() {
    let case = Case::good();
    case.file("config.sh", "#!/bin/sh\necho this goes wrong\nexit 7\n");
    let expected = "error: the script [HERE]/desc/config.sh of the description failed: /bin/sh /image/config.sh\n\
                        failed with exit code 7; its last output:\n  | this goes wrong";
    assert_eq!(case.error(&["prepare", "desc", "--root", "root"]), expected);
    case.assert_no_tree();
}

#[test]
fn output_of_a_script_cannot_control_the_terminal_and_is_whole_in_the_log() {
    let case = Case::good();
    let script = "#!/bin/sh\nprintf '\\033]0;title\\007 \\377 \\000\\n'\nhead -c 300000 /dev/zero | tr '\\0' x\necho\nexit 7\n";
    case.file("config.sh", script);
    let mut kiwi = Command::new(kiwi());
    let output = kiwi.args(["prepare", "desc", "--root", "root"]).current_dir(case.directory.path()).output();
    let said = String::from_utf8(output.unwrap().stderr).expect("text");
    assert!(said.contains("  | \\x1b]0;title\\x07 \\xff \\x00\n"), "{said}");
    assert!(said.contains(" more bytes)") && said.len() < 5_000, "{} bytes", said.len());
    assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");
    let log = std::fs::read(case.path("root.log")).unwrap();
    let raw = b"\x1b]0;title\x07 \xff \0\n";
    assert!(log.windows(raw.len()).any(|bytes| bytes == raw), "the log has other bytes");
    assert!(log.windows(300_000).any(|bytes| bytes.iter().all(|byte| *byte == b'x')), "the log is cut");
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
        &format!("#!/bin/sh\nmkdir -p {outside}\necho x > /srv/out/file\ncp {outside}/file /root/proof\n"),
    );
    run_kiwi(&["prepare", &case.path("desc"), "--root", &case.path("root")]);
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
    let expected = "error: the signature of the repository [HERE]/repository (desc/config.xml:4:62) cannot be verified: The following signatures couldn't be verified \
                        because the public key is not available: NO_PUBKEY [KEY]\nspecify its key with <signing \
                        key=\"file:PATH\"/> in <source> or, if necessary, disable the check with \
                        repository_gpgcheck=\"false\"";
    assert_eq!(said, expected);
    case.assert_no_tree();
}

#[test]
fn ids_that_a_user_of_a_container_cannot_map() {
    let directory = container_directory();
    let here = directory.path().to_str().unwrap();
    let user = "--reuid kiwi-test --regid kiwi-test --init-groups";
    let capable = format!("{here}/capable:");
    let cases = [
        ("set-uid programs", "", user.to_owned(), "", "file capabilities instead of the set-uid bit"),
        ("no new privileges", "", format!("{user} --no-new-privs"), &capable, "allowPrivilegeEscalation"),
        (
            "no name",
            "",
            "--reuid 54321 --regid 0 --clear-groups".to_owned(),
            &capable,
            "uid 54321 has no name here",
        ),
        (
            "no newuidmap",
            "mount --bind /dev/null /usr/bin/newuidmap",
            user.to_owned(),
            "",
            "install the package",
        ),
        (
            "one range",
            "head -n 1 \"$0/ids\" > \"$0/one\"; mount --bind \"$0/one\" /etc/subuid",
            user.to_owned(),
            &capable,
            "has 999 subordinate ids in /etc/subuid, a root tree needs 65534",
        ),
    ];
    for (name, setup, who, path, expected) in cases {
        let output = build_contained(directory.path(), setup, &who, path, &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(expected), "{name}: {said}");
    }
}

/// Runs kiwi with text on standard input; returns exit code, standard output and standard error.
fn with_input(case: &Case, keywords: &[&str], input: &str) -> (i32, String, String) {
    let mut shell = Command::new("bash");
    let script = "printf '%s\\n' \"$INPUT\" | \"$0\" \"$@\"";
    shell.args(["-c", script]).arg(kiwi()).args(keywords).env("INPUT", input);
    let output = shell.current_dir(case.directory.path()).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

/// Runs kiwi on a terminal of its own; returns what is shown there.
fn on_a_terminal(case: &Case, keywords: &[&str]) -> String {
    let line = [&[kiwi().to_str().unwrap()], keywords].concat().join(" ");
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--command", &line, "/dev/null"]).env("TERM", "xterm");
    let output = terminal.stdin(std::process::Stdio::null()).current_dir(case.directory.path()).output();
    String::from_utf8_lossy(&output.unwrap().stdout).into_owned()
}

#[test]
fn tree_of_a_failed_build_can_be_looked_at() {
    let case = Case::good();
    case.file("config.sh", "#!/bin/sh\ntouch /root/made\nexit 7\n");
    std::fs::create_dir(case.path("out")).unwrap();
    let build = ["build", "desc", "--destdir", "out"];
    let advice = "--on-failure shell";
    let shown = on_a_terminal(&case, &build);
    let place = |text: &str| shown.find(text).unwrap_or_else(|| panic!("no {text:?}: {shown}"));
    assert!(place("error: the script") < place(advice), "{shown}");
    let (code, _, said) = with_input(&case, &[&build[..], &["--on-failure", "keep"]].concat(), "");
    assert_eq!((code, said.contains(advice)), (1, false), "{said}");
    let kept = "out/bad.x86_64-1.0.0.failed";
    assert!(Path::new(&case.path(&format!("{kept}/root/root/made"))).is_file(), "{said}");
    let (code, shown, said) = with_input(&case, &["shell", kept], "ls /root; echo $kiwi_iname; exit 3");
    assert_eq!((code, shown.as_str()), (3, "made\nbad\n"), "{said}");
    // The last finished stage has all packages and nothing of the description.
    let last = ["shell", "desc", "--", "sh", "-c", "ls /root; test -x /usr/bin/less; echo $?"];
    let (code, shown, said) = with_input(&case, &last, "");
    assert_eq!((code, shown.as_str()), (0, "0\n"), "{said}");
    let (code, shown, said) =
        with_input(&case, &[&build[..], &["--on-failure", "shell"]].concat(), "ls /root");
    assert_eq!((code, shown.as_str()), (1, "made\n"), "{said}");
}

#[test]
fn changes_of_a_debug_shell_are_in_the_image_and_not_in_the_cache() {
    let case = Case::good();
    case.file("config.sh", "#!/bin/sh\ncat /etc/from-shell\n");
    std::fs::create_dir(case.path("out")).unwrap();
    let shell = ["--debug-shell", "before:config.sh"];
    let build = ["build", "desc", "--destdir", "out", "--root", "root"];
    let (code, _, said) = with_input(&case, &[&build[..], &shell].concat(), "echo x > /etc/from-shell");
    assert_eq!(code, 0, "{said}");
    assert!(Path::new(&case.path("root/etc/from-shell")).is_file());
    // Without the shell the script fails, so its stage was not saved. KIWI NG keeps the tree where it is made.
    let ng = ["system", "prepare", "--description", "desc", "--root", "ng"];
    let (code, _, said) = with_input(&case, &ng, "");
    assert_eq!(code, 1, "{said}");
    assert!(Path::new(&case.path("ng/usr/bin/less")).exists(), "{said}");
}

#[test]
fn build_from_the_cache_leaves_the_log_of_the_build_that_made_the_image() {
    let case = Case::good();
    std::fs::create_dir(case.path("out")).unwrap();
    let build = ["build", "desc", "--destdir", "out"];
    run_kiwi_in(&case, &build);
    let log = case.path("out/bad.x86_64-1.0.0.log");
    let first = std::fs::read(&log).unwrap();
    assert!(String::from_utf8_lossy(&first).contains("] <== "), "phases end in the log");
    let said = run_kiwi_in(&case, &build);
    assert!(said.contains(" ... reused ("), "a reused stage is named so: {said}");
    let last = said.lines().last().unwrap();
    assert!(last.starts_with("Done in ") && last.contains("out/bad.x86_64-1.0.0 ("), "{last}");
    let aside = std::fs::read_to_string(case.path("out/bad.x86_64-1.0.0.cached.log"));
    assert!(std::fs::read(&log).unwrap() == first, "the log changed");
    assert!(aside.unwrap().contains("from the cache"), "a log of the second run");
    look_into(&case, &case.path("out/bad.x86_64-1.0.0"));
}

/// A twin of the image with one more file differs in that alone: links have the times of the image, not of unpacking it.
fn look_into(case: &Case, image: &str) {
    let (twin, new) = (case.path("twin"), case.path("new"));
    std::fs::copy(image, &twin).unwrap();
    std::fs::write(&new, "content\n").unwrap();
    judge("debugfs", &["-w", "-R", &format!("write {new} /etc/added"), &twin]);
    let run = json(&["diff", image, &twin]);
    let differences = run.outcome()["differences"].as_array().unwrap();
    let inside: Vec<_> = differences.iter().filter_map(|one| one["inside"][0].as_str()).collect();
    assert_eq!((run.code, inside), (1, vec!["/etc/added"]), "{differences:?}");
    let listed = with_input(case, &["ls", &twin, "/etc"], "").1;
    assert!(
        listed.contains(" added\n") && listed.contains("os-release -> ../usr/lib/os-release"),
        "{listed}"
    );
    let (code, content, said) = with_input(case, &["cat", &twin, "/etc/added"], "");
    assert_eq!((code, content.as_str()), (0, "content\n"), "{said}");
}

fn run_kiwi_in(case: &Case, keywords: &[&str]) -> String {
    let (code, _, said) = with_input(case, keywords, "");
    assert_eq!(code, 0, "{said}");
    said
}
