//! Trees of RPM packages that zypper selects and rpm installs: what packages declare, upgrades, deletions, lock files, and the same
//! bytes for root and for an ordinary user. The packages need no shell, so that each tree takes a second.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiwi_tests::machine::judge;
use kiwi_tests::program::kiwi;
use kiwi_tests::rpm;
use kiwi_tests::run::Run;
use kiwi_tests::user::{USER, copy_programs, make_user};

/// A description in a directory of its own, with a cache and a home directory.
pub(super) struct Case {
    directory: tempfile::TempDir,
}

impl Case {
    /// Writes a description with these preferences, repositories and sections of packages.
    pub(super) fn new(preferences: &str, repositories: &[PathBuf], packages: &str) -> Self {
        let case = Self { directory: tempfile::tempdir().unwrap() };
        for directory in ["description", "home"] {
            fs::create_dir(case.path(directory)).unwrap();
        }
        case.describe(preferences, repositories, packages);
        case
    }

    fn describe(&self, preferences: &str, repositories: &[PathBuf], packages: &str) {
        let key = rpm::small().key();
        let repository = |path: &PathBuf| {
            format!(
                "<repository type=\"rpm-md\"><source path=\"{}\"><signing key=\"file://{}\"/></source></repository>\n",
                path.display(),
                key.display()
            )
        };
        let repositories: String = repositories.iter().map(repository).collect();
        let text = format!(
            "<image schemaversion=\"8.5\" name=\"rpm\">\n<description type=\"system\"><author>A</author>\
             <contact>a@example.org</contact><specification>S</specification></description>\n<preferences>\
             <version>1.0.0</version><packagemanager>zypper</packagemanager>{preferences}<type image=\"squashfs\"/></preferences>\n\
             {repositories}{packages}\n</image>\n"
        );
        fs::write(self.path("description/config.xml"), text).unwrap();
    }

    /// Changes the package manager of the description from zypper to this one.
    pub(super) fn managed_by(self, manager: &str) -> Self {
        let path = self.path("description/config.xml");
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace(">zypper<", &format!(">{manager}<"))).unwrap();
        self
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn run(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(kiwi());
        command.args(arguments).current_dir(self.directory.path()).env("KIWI_CACHE", self.path("cache"));
        command.env("HOME", self.path("home"));
        let proxies = ["http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];
        for name in ["XDG_CACHE_HOME", "XDG_CONFIG_HOME"].iter().chain(&proxies) {
            command.env_remove(name);
        }
        Run::of(&mut command)
    }

    /// Prepares the tree `tree`, which must not exist.
    pub(super) fn prepare(&self) -> PathBuf {
        let _ = self.run(&["prepare", "description", "--root", "tree"]).done();
        self.path("tree")
    }
}

/// Returns what rpm says about the packages of a tree.
fn query(tree: &Path, arguments: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let database = format!("--dbpath={}", tree.join("usr/lib/sysimage/rpm").display());
    let root = format!("--root={}", tree.display());
    let arguments = match arguments.contains(&"-V") {
        true => [&[root.as_str(), "--dbpath=/usr/lib/sysimage/rpm"], arguments].concat(),
        false => [&[database.as_str()], arguments].concat(),
    };
    let output = Command::new("rpm").env("HOME", home.path()).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Returns the lines of the list of packages in a tree: name and version.
pub(super) fn packages(tree: &Path) -> Vec<String> {
    let text = fs::read_to_string(tree.join("image/packages")).unwrap();
    text.lines().map(|line| line.split('|').take(2).collect::<Vec<_>>().join(" ")).collect()
}

#[test]
fn everything_that_packages_declare_is_in_the_tree() {
    let repository = rpm::small();
    let features = repository.variant("features");
    let names = r#"<packages type="image"><package name="watcher"/><package name="features"/></packages>"#;
    let case = Case::new("", std::slice::from_ref(&features), names);
    let tree = case.prepare();
    assert_eq!(packages(&tree), ["features 12-1", "watcher 12-1"], "no weak dependency");
    assert!(!tree.join("opt/features/state").exists(), "a %ghost is not installed");
    assert!(judge("getcap", &[tree.join("opt/features/ping").to_str().unwrap()]).contains("cap_net_raw=ep"));
    for path in ["opt/trigger", "opt/filetrigger", "usr/share/doc/features/README"] {
        assert!(tree.join(path).exists(), "{path}");
    }
    // The copy of the tree is verified: rpm opens the database for writing.
    assert_eq!(query(&tree, &["-V", "--nodeps", "features", "watcher"]), "");
    fs::remove_dir_all(&tree).unwrap();

    let preferences = "<locale>de_DE</locale><rpm-excludedocs>true</rpm-excludedocs>\
                       <rpm-locale-filtering>true</rpm-locale-filtering>";
    let names = r#"<packages type="image" patternType="plusRecommended"><package name="features"/>
                   <ignore name="weak-reverse"/></packages>"#;
    case.describe(preferences, &[features], names);
    let tree = case.prepare();
    assert_eq!(packages(&tree), ["features 12-1", "weak 12-1"], "weak-reverse is ignored");
    for (path, exists) in [("doc/features/README", false), ("locale/fr/LC_MESSAGES/features.mo", false)]
        .into_iter()
        .chain([("locale/de/LC_MESSAGES/features.mo", true)])
    {
        assert_eq!(tree.join("usr/share").join(path).exists(), exists, "{path}");
    }
}

#[test]
fn change_logs_and_changed_files_are_reported() {
    let repository = rpm::small();
    let names = r#"<packages type="image"><package name="watcher"/><package name="features"/></packages>"#;
    let case = Case::new("", &[repository.variant("features")], names);
    fs::create_dir_all(case.path("description/root/opt")).unwrap();
    fs::write(case.path("description/root/opt/watcher"), "of the overlay\n").unwrap();
    fs::create_dir(case.path("images")).unwrap();
    let _ = case.run(&["build", "description", "--destdir", "images", "--changes", "--verified"]).done();
    let read = |ending| fs::read_to_string(case.path(&format!("images/rpm.x86_64-1.0.0.{ending}"))).unwrap();
    assert_eq!(
        read("changes"),
        "features\n* Tue Jan 02 2024 A <a@example.org> - 12-1\n- Second change\n\n\
         * Mon Jan 01 2024 A <a@example.org> - 11-1\n- First change\n\n"
    );
    let verified = read("verified");
    assert_eq!(verified.lines().count(), 1, "{verified}");
    assert!(verified.starts_with("S.5") && verified.ends_with(" /opt/watcher\n"), "{verified}");

    // A setting is the option for every build.
    let changes = read("changes");
    let settings = case.path("home/.config/kiwi");
    fs::create_dir_all(&settings).unwrap();
    for (setting, written) in [("true", true), ("false", false)] {
        fs::remove_dir_all(case.path("images")).unwrap();
        fs::create_dir(case.path("images")).unwrap();
        fs::write(settings.join("config.yml"), format!("bundle:\n  has_package_changes: {setting}\n"))
            .unwrap();
        let _ = case.run(&["build", "description", "--destdir", "images"]).done();
        let file = case.path("images/rpm.x86_64-1.0.0.changes");
        assert_eq!(fs::read_to_string(file).ok(), written.then(|| changes.clone()), "{setting}");
        assert!(!case.path("images/rpm.x86_64-1.0.0.verified").exists());
    }
}

#[test]
fn an_upgrade_changes_exactly_the_packages_that_are_newer() {
    let repository = rpm::small();
    let (good, newer) = (repository.variant("good"), repository.variant("newer"));
    let names = r#"<packages type="image"><package name="sigtest"/><package name="weak"/><package name="weak-reverse"/></packages>
                   <packages type="delete"><package name="weak-reverse"/></packages>"#;
    let case = Case::new("", &[good, repository.variant("features")], names);
    let tree = case.prepare();
    let before = packages(&tree);
    let times = |name| query(&tree, &["-q", name, "--qf", "%{INSTALLTIME} %{SHA256HEADER}"]);
    let weak = times("weak");
    assert!(before.contains(&"sigtest 12-1".to_owned()), "{before:?}");
    let _ = case.run(&["upgrade", "tree", "--set-repo", newer.to_str().unwrap()]).done();
    let after = packages(&tree);
    assert_eq!(after.iter().filter(|line| !before.contains(line)).collect::<Vec<_>>(), ["sigtest 12.1-1"]);
    assert_eq!((after.len(), times("weak")), (before.len(), weak));
    assert!(fs::read_to_string(tree.join("opt/sigtest")).unwrap().starts_with("newer"));
    let left = judge("find", &[tree.to_str().unwrap(), "-name", "*zypp*", "-o", "-name", "*.rpm.lock"]);
    assert_eq!(left, "", "files of the package manager");
}

#[test]
fn deleted_packages_leave_and_a_script_that_refuses_is_an_error() {
    let repository = rpm::small();
    let names = |deleted: &str| {
        format!(
            r#"<packages type="image"><package name="conflict-a"/><package name="scriptfail-preun"/></packages>
            <packages type="delete"><package name="{deleted}"/></packages>"#
        )
    };
    let unchecked = "<rpm-check-signatures>false</rpm-check-signatures>";
    let case = Case::new(unchecked, &[repository.variant("broken")], &names("conflict-a"));
    let tree = case.prepare();
    assert_eq!(packages(&tree), ["scriptfail-preun 12-1"]);
    assert!(!tree.join("opt/same-file").exists());
    fs::remove_dir_all(&tree).unwrap();
    for (script, package, kept) in [
        ("%preun", "scriptfail-preun", "conflict-a"),
        ("%postun", "scriptfail-postun", "conflict-a"),
        ("%triggerun", "conflict-a", "scriptfail-triggerun"),
    ] {
        let names = format!(
            r#"<packages type="image"><package name="{package}"/><package name="{kept}"/></packages>
            <packages type="delete"><package name="{package}"/></packages>"#
        );
        case.describe(unchecked, &[repository.variant("broken")], &names);
        let run = case.run(&["prepare", "description", "--root", "tree"]);
        assert_eq!(run.error(), (1, "command-failed"), "{script}");
        let owner = if kept == "conflict-a" { package } else { kept };
        assert!(run.names(&format!("{script} of the package {owner}-12-1.noarch")), "{}", run.last());
    }
    let forced = format!("{unchecked}<rpm-force>true</rpm-force>");
    let names =
        r#"<packages type="image"><package name="conflict-a"/><package name="conflict-b"/></packages>"#;
    case.describe(&forced, &[repository.variant("broken")], names);
    assert_eq!(packages(&case.prepare()), ["conflict-a 12-1", "conflict-b 12-1"], "both have the same file");
}

#[test]
fn an_uninstalled_package_leaves_with_what_needs_it_and_what_only_it_needed() {
    let repository = rpm::small();
    let names = r#"<packages type="image"><package name="hello"/><package name="dash"/><package name="mawk"/></packages>
                   <packages type="uninstall"><package name="debianutils"/></packages>"#;
    for manager in ["zypper", "dnf4"] {
        let case = Case::new("", &[repository.path().to_owned()], names).managed_by(manager);
        let left = packages(&case.prepare());
        let has = |name: &str| left.iter().any(|line| line.split(' ').next() == Some(name));
        for name in ["hello", "mawk", "libc6"] {
            assert!(has(name), "{manager} removed {name}: {left:?}");
        }
        for (name, reason) in [
            ("debianutils", "it is uninstalled"),
            ("dash", "it needs debianutils"),
            ("dpkg", "only dash needs it"),
        ] {
            assert!(!has(name), "{manager} left {name}, but {reason}: {left:?}");
        }
    }
}

#[test]
fn stages_are_restored() {
    let repository = rpm::small();
    let names = |more: &str| {
        format!(
            r#"<packages type="bootstrap"><package name="weak"/></packages>
            <packages type="image"><package name="watcher"/>{more}</packages>"#
        )
    };
    let with = |variant: &str| [repository.variant("features"), repository.variant(variant)];
    let case = Case::new("", &with("good"), &names(r#"<package name="sigtest"/>"#));
    for directory in ["first", "second"] {
        fs::create_dir(case.path(directory)).unwrap();
    }
    let image = |directory: &str| fs::read(case.path(directory).join("rpm.x86_64-1.0.0")).unwrap();
    let _ = case.run(&["build", "description", "--destdir", "first"]).done();
    let again = case.run(&["build", "description", "--destdir", "second"]).done();
    assert!(again.restored().contains(&"image"), "{:?}", again.restored());
    assert!(image("first") == image("second"), "the images differ");

    // Another package leaves the layer of the bootstrap packages unchanged.
    case.describe("", &with("newer"), &names(r#"<package name="sigtest"/><package name="weak-reverse"/>"#));
    let added = case.run(&["prepare", "description", "--root", "tree"]).done();
    assert!(added.restored().contains(&"bootstrap"), "{:?}", added.restored());
}

/// Builds an image in a directory of its own.
fn build(case: &Case, directory: &str) -> Run {
    fs::create_dir(case.path(directory)).unwrap();
    case.run(&["build", "description", "--destdir", directory]).done()
}

/// Damages the end of a package in the cache, whose header stays readable; returns its file.
fn spoil_cached_package(case: &Case, name: &str) -> PathBuf {
    let directory = case.path("cache/packages/sha256");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let names = |file: &PathBuf| judge("rpm", &["-qp", "--qf", "%{NAME}\n", file.to_str().unwrap()]);
    let file = files
        .filter(|file| file.is_file())
        .find(|file| names(file).lines().any(|line| line == name))
        .unwrap();
    let mut bytes = fs::read(&file).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&file, bytes).unwrap();
    file
}

#[test]
fn a_package_without_scripts_is_added_to_the_cached_tree() {
    let repository = rpm::small();
    let repositories = [repository.variant("features"), repository.variant("good")];
    let names = |more: &str| {
        format!(
            r#"<packages type="bootstrap"><package name="weak"/></packages>
            <packages type="image"><package name="watcher"/><package name="sigtest"/>{more}</packages>"#
        )
    };
    let case = Case::new("", &repositories, &names(""));
    let image = |directory: &str| fs::read(case.path(directory).join("rpm.x86_64-1.0.0")).unwrap();
    let _ = build(&case, "first");
    let damaged = spoil_cached_package(&case, "weak");
    case.describe("", &repositories, &names(r#"<package name="weak-reverse"/>"#));
    let added = build(&case, "second");
    assert_eq!(added.restored(), ["bootstrap", "scripts"], "all but the late packages");
    assert!(added.warnings("cache").is_empty(), "a package of a restored layer was read: {added:?}");
    fs::remove_file(damaged).unwrap();
    fs::remove_dir_all(case.path("cache")).unwrap();
    let _ = build(&case, "third");
    assert!(image("second") == image("third"), "the cache changes the image");

    // A script belongs to the packages below.
    case.describe("", &repositories, &names(r#"<package name="features"/>"#));
    let scripted = build(&case, "fourth");
    assert_eq!(scripted.restored(), ["bootstrap"]);
}

#[test]
fn a_script_may_need_a_package_that_nothing_requires() {
    let repository = rpm::small();
    let repositories = [repository.variant("features"), repository.variant("good")];
    let names = r#"<packages type="bootstrap"><package name="weak"/></packages>
                   <packages type="image"><package name="secretive"/><package name="tool"/></packages>"#;
    let case = Case::new("", &repositories, names);
    let tree = case.prepare();
    assert_eq!(packages(&tree), ["secretive 12-1", "tool 12-1", "weak 12-1"]);
    fs::remove_dir_all(&tree).unwrap();
    // The next build knows it.
    let again = case.run(&["prepare", "description", "--root", "tree"]).done();
    assert!(again.restored().contains(&"packages"), "{:?}", again.restored());
    fs::remove_dir_all(&tree).unwrap();
    // Without the package, the script fails.
    case.describe("", &repositories, &names.replace(r#"<package name="tool"/>"#, ""));
    let failed = case.run(&["prepare", "description", "--root", "tree"]);
    assert_eq!(failed.error(), (1, "command-failed"));
    assert!(failed.names("%posttrans of the package secretive-12-1.noarch"), "{}", failed.last());
}

#[test]
fn an_ordinary_user_builds_the_same_tree_as_root() {
    make_user();
    let repository = rpm::small();
    let names = r#"<packages type="bootstrap"><package name="weak"/></packages>
                   <packages type="image"><package name="features"/><package name="watcher"/></packages>"#;
    let case = Case::new("", &[repository.variant("features")], names);
    fs::set_permissions(case.directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    // The user may not be able to enter the target directory.
    judge("cp", &["-r", repository.path().to_str().unwrap(), case.path("repository").to_str().unwrap()]);
    let text = fs::read_to_string(case.path("description/config.xml")).unwrap();
    let here = case.path("repository").display().to_string();
    let text = text.replace(&repository.path().display().to_string(), &here);
    fs::write(case.path("description/config.xml"), text).unwrap();
    let tree = case.prepare();
    let program = copy_programs(case.directory.path());
    let user = "umask 077; exec setpriv --reuid kiwi-test --regid kiwi-test --init-groups --reset-env env KIWI_CACHE=\"$1/user-cache\" \
                KIWI_SCRATCH=disk \"$2\" build \"$1/description\" --destdir \"$1/user\"";
    fs::create_dir(case.path("user")).unwrap();
    judge("chown", &[USER, case.path("user").to_str().unwrap()]);
    let here = case.directory.path().to_str().unwrap();
    judge("sh", &["-e", "-c", user, "sh", here, program.to_str().unwrap()]);
    fs::create_dir(case.path("root")).unwrap();
    let _ = case.run(&["create", tree.to_str().unwrap(), "--destdir", "root"]).done();
    let image = |directory: &str| fs::read(case.path(directory).join("rpm.x86_64-1.0.0")).unwrap();
    assert!(image("root") == image("user"), "root and an ordinary user give different bytes");
}
