//! Files that anybody may have written (descriptions, results) do not choose files of the build host: links that lead out of a
//! description, links in place of results, names with control characters. Canaries are the judges.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{CWD, FlockOperation, RenameFlags, flock, inotify, renameat_with};
use serde_json::{Value, json};

use kiwi_tests::program::kiwi;

/// Its repository is an empty directory, so that a build reads every file of the description and then fails.
const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="j">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <profiles><profile name="gui" description="with a screen"/></profiles>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="ext4" primary="true"/><type image="cpio"/></preferences>
  <repository type="apt-deb" KEY><source path="this://repository"/></repository>
  <packages type="image"><package name="less"/>ARCHIVE</packages>
</image>"#;

/// The canary: a file of the host that neither descriptions nor results may reach.
const CANARY: &str = "canary of the host";

struct Case {
    directory: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        let case = Self { directory: tempfile::tempdir().unwrap() };
        fs::create_dir_all(case.path("host")).unwrap();
        fs::write(case.path("host/canary"), CANARY).unwrap();
        case.describe("", "");
        case
    }

    fn describe(&self, key: &str, archive: &str) {
        let _ = fs::remove_dir_all(self.path("d"));
        fs::create_dir_all(self.path("d/repository")).unwrap();
        let text = DESCRIPTION.replace("KEY", key).replace("ARCHIVE", archive);
        fs::write(self.path("d/config.xml"), text).unwrap();
        let _ = fs::remove_dir_all(self.path("images"));
        fs::create_dir(self.path("images")).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().canonicalize().unwrap().join(name)
    }

    fn run<S: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = S>) -> Output {
        Command::new(kiwi())
            .args(words)
            .current_dir(self.directory.path())
            .env("KIWI_CACHE", self.path("cache"))
            .env("TERM", "dumb")
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Builds and returns exit code and last event.
    fn build(&self, more: &[&str]) -> (i32, Value) {
        let words = ["--json", "build", "d", "--destdir", "images", "--add-profile", "gui"];
        let output = self.run(words.iter().chain(more));
        let text = String::from_utf8(output.stdout).unwrap();
        let last = serde_json::from_str(text.lines().last().expect("an event")).unwrap();
        (output.status.code().expect("an exit code"), last)
    }

    fn canary_is_whole(&self) {
        assert_eq!(fs::read_to_string(self.path("host/canary")).unwrap(), CANARY);
    }
}

#[test]
fn links_out_of_a_description_are_errors_that_name_link_target_and_option() {
    let case = Case::new();
    let host = case.path("host");
    let file = host.join("canary");
    for (link, target) in [
        ("root", &host),
        ("gui", &host),
        ("config", &host),
        ("cdboot", &host),
        ("repository", &host),
        ("repository/less.deb", &file),
        ("config.sh", &file),
        ("images.sh", &file),
        ("config-yast.xml", &file),
        ("config-cdroot.tgz", &file),
        ("config/less", &file),
        ("cdboot/isolinux.cfg", &file),
        ("key.gpg", &file),
        ("a.tar", &file),
        ("config.xml", &file),
    ] {
        let key = if link == "key.gpg" { "repository_gpgcheck=\"true\"" } else { "" };
        let archive = if link == "a.tar" { "<archive name=\"a.tar\"/>" } else { "" };
        case.describe(key, archive);
        let at = case.path("d").join(link);
        if link == "key.gpg" {
            let text = fs::read_to_string(case.path("d/config.xml")).unwrap();
            let with_key = "<source path=\"this://repository\"><signing key=\"this://key.gpg\"/></source>";
            let text = text.replace("<source path=\"this://repository\"/>", with_key);
            fs::write(case.path("d/config.xml"), text).unwrap();
        }
        if at.is_dir() {
            fs::remove_dir(&at).unwrap();
        }
        let _ = fs::remove_file(&at);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        symlink(target, &at).unwrap();
        // `check` reports the same.
        let checked = case.run(["check", "d", "--add-profile", "gui"]);
        assert_eq!(checked.status.code(), Some(3), "{link}");
        let (code, last) = case.build(&[]);
        assert_eq!((code, &last["kind"]), (3, &json!("invalid-description")), "{link}: {last}");
        let message = last["message"].as_str().unwrap();
        assert!(
            message.contains(&format!("d/{link} ")) && message.contains(target.to_str().unwrap()),
            "{message}"
        );
        assert!(last["remedy"].as_str().unwrap().contains("--allow-path "), "{last}");
        // The user may allow it; then the build fails at the next thing, the empty repository or what the file contains.
        let (_, allowed) = case.build(&["--allow-path", "host"]);
        assert!(
            !allowed["message"].as_str().unwrap().contains("leads out of the description"),
            "{link}: {allowed}"
        );
        case.canary_is_whole();
    }
}

#[test]
fn a_link_that_replaces_a_file_during_a_build_is_not_followed() {
    let case = Case::new();
    let canary = case.path("host/canary");
    // The name in a description, what it is, and the part of its path that a link replaces meanwhile.
    for (name, is_directory) in [
        ("config.xml", false),
        ("config.sh", false),
        ("config/less", false),
        ("images.sh", false),
        ("config-yast.xml", false),
        ("a.tar", false),
        ("root/etc/canary", false),
        ("root/etc", true),
        ("root", true),
        ("../images/j.x86_64-1.0.0.log", false),
    ] {
        case.describe("", "<archive name=\"a.tar\"/>");
        for name in ["config.sh", "config/less", "images.sh", "config-yast.xml", "a.tar", "root/etc/canary"] {
            let path = case.path("d").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "own").unwrap();
        }
        // Each has a link of its own: in the end it may be where the file or directory was.
        let (path, link) = (case.path("d").join(name), case.path(&name.replace('/', "-")));
        symlink(if is_directory { case.path("host") } else { canary.clone() }, &link).unwrap();
        if !path.exists() {
            fs::write(&path, "").unwrap();
        }
        let opened = Opened::watch(&canary);
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let _ = renameat_with(CWD, &path, CWD, &link, RenameFlags::EXCHANGE);
                }
            });
            for _ in 0..6 {
                // A repository of another kind ends the build when it has read the description, and before it starts apt.
                case.build(&["--set-repo", "/", "--set-repotype", "rpm-md"]);
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert!(!opened.happened(), "the canary was opened in place of {name}");
        case.canary_is_whole();
    }
}

/// Reports whether anybody opens a file.
struct Opened(OwnedFd);

impl Opened {
    fn watch(path: &Path) -> Self {
        let watch = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
        inotify::add_watch(&watch, path, inotify::WatchFlags::OPEN).unwrap();
        Self(watch)
    }

    fn happened(&self) -> bool {
        rustix::io::read(&self.0, &mut [0; 4096]).is_ok()
    }
}

#[test]
fn links_in_the_overlay_are_not_followed_out_of_the_description() {
    let case = Case::new();
    fs::create_dir_all(case.path("d/root/etc")).unwrap();
    symlink("../../../host/canary", case.path("d/root/etc/climbing")).unwrap();
    let (code, last) = case.build(&[]);
    assert_eq!(code, 3, "{last}");
    assert!(last["message"].as_str().unwrap().contains("etc/climbing"), "{last}");
}

#[test]
fn no_link_in_the_destination_is_written_through() {
    let case = Case::new();
    let log = case.path("images/j.x86_64-1.0.0.log");
    for link in ["images/j.x86_64-1.0.0.log", "images/.kiwi.j.x86_64-1.0.0.lock"] {
        symlink(case.path("host/canary"), case.path(link)).unwrap();
        let (code, last) = case.build(&[]);
        assert_eq!(code, 1, "{last}");
        assert!(last["message"].as_str().unwrap().contains(link.split('/').nth(1).unwrap()), "{last}");
        case.canary_is_whole();
        fs::remove_file(case.path(link)).unwrap();
    }
    // A link to somewhere else in place of the directory of a type.
    symlink(case.path("host"), case.path("images/ext4")).unwrap();
    let (code, last) = case.build(&["--type", "ext4,cpio"]);
    assert_eq!(code, 1, "{last}");
    assert!(last["message"].as_str().unwrap().contains("images/ext4"), "{last}");
    assert_eq!(fs::read_dir(case.path("host")).unwrap().count(), 1);
    // What the user names is opened as named.
    symlink(case.path("host/log"), case.path("own.log")).unwrap();
    for named in ["own.log", "/dev/null"] {
        case.build(&["--logfile", named]);
    }
    assert!(fs::metadata(case.path("host/log")).unwrap().len() > 0);
    assert!(!log.exists() || fs::symlink_metadata(&log).unwrap().is_file());
}

#[test]
fn the_second_build_into_one_destination_fails_at_once() {
    let case = Case::new();
    let path = case.path("images/.kiwi.j.x86_64-1.0.0.lock");
    fs::write(&path, "4711\n").unwrap();
    let lock = fs::File::open(&path).unwrap();
    flock(&lock, FlockOperation::LockExclusive).unwrap();
    let (code, last) = case.build(&[]);
    assert_eq!(code, 1, "{last}");
    assert!(last["message"].as_str().unwrap().contains("process 4711"), "{last}");
    assert!(!case.path("images/j.x86_64-1.0.0.log").exists(), "it wrote to the log of the other build");
    drop(lock);
    let (_, last) = case.build(&[]);
    assert!(!last["message"].as_str().unwrap().contains("another kiwi"), "{last}");
    assert!(!path.exists(), "the lock file remains");
}

#[test]
fn names_with_control_characters_do_not_reach_the_terminal() {
    let case = Case::new();
    let name = OsStr::from_bytes(b"\x1b]0;title\x07\xff\x00d".split(|byte| *byte == 0).next().unwrap());
    for words in [[OsStr::new("check"), name], [OsStr::new("list-profiles"), name]] {
        let output = case.run(words);
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8(output.stderr).expect("text");
        assert!(
            !text.contains(|c: char| c.is_control() && c != '\n') && text.contains("\\x1b]0;title\\x07"),
            "{text:?}"
        );
        let output = case.run([OsStr::new("--json")].into_iter().chain(words));
        let text = String::from_utf8(output.stdout).expect("text");
        let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        assert_eq!(last["event"], "error");
    }
    let path = Path::new(name);
    let output = case.run([
        OsStr::new("--json"),
        "init".as_ref(),
        "--directory".as_ref(),
        path.as_ref(),
        "server".as_ref(),
    ]);
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(serde_json::from_str::<Value>(text.lines().last().expect("an event")).is_ok(), "{text}");
}

#[test]
fn the_cache_is_closed_to_others() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let case = Case::new();
    fs::create_dir(case.path("cache")).unwrap();
    fs::set_permissions(case.path("cache"), fs::Permissions::from_mode(0o777)).unwrap();
    assert!(case.run(["cache", "list"]).status.success());
    assert_eq!(fs::metadata(case.path("cache")).unwrap().mode() & 0o777, 0o700);
}
