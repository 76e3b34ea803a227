//! The cache over real builds of a tiny system: stages are restored, changed inputs and damaged entries are noticed, builds
//! share it. Each result is compared with one that was made without the cache.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use kiwi_tests::program::kiwi;
use kiwi_tests::run::Run;

/// A system with one package, without a kernel: the overlay and the script matter.
const DESCRIPTION: &str = r#"<image schemaversion="8.5" name="tiny">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager><type image="ext4" primary="true"/><type image="squashfs"/></preferences>
  <repository><source path="debian://bookworm"/></repository>
  <packages type="image"><package name="less"/></packages>
</image>"#;

const IMAGE: &str = "tiny.x86_64-1.0.0";

/// A description, a cache of its own and a directory for images.
struct Case {
    directory: tempfile::TempDir,
}

impl Case {
    fn new() -> Self {
        let case = Self { directory: tempfile::tempdir().unwrap() };
        case.write("description/config.xml", DESCRIPTION);
        case.write("description/root/etc/motd", "one\n");
        case.write("description/config.sh", "echo one > /etc/written\n");
        std::fs::create_dir(case.path("images")).unwrap();
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn command(&self, keywords: &[&str]) -> Command {
        let mut command = Command::new(kiwi());
        command.env("KIWI_CACHE", self.path("cache")).args(keywords);
        command
    }

    fn keywords(&self) -> [String; 4] {
        let path = |name: &str| self.path(name).display().to_string();
        ["build".to_owned(), path("description"), "--destdir".to_owned(), path("images")]
    }

    fn build_command(&self, more: &[&str]) -> Command {
        let keywords = self.keywords();
        let keywords: Vec<&str> = keywords.iter().map(String::as_str).chain(more.iter().copied()).collect();
        self.command(&keywords)
    }

    /// Builds the description.
    fn build(&self, more: &[&str]) -> Run {
        Run::of(&mut self.build_command(more)).done()
    }

    /// Returns the stages of `--explain`: its keyword and what happens to it.
    fn explain(&self) -> Vec<serde_json::Value> {
        self.build(&["--explain"]).outcome()["stages"].as_array().unwrap().clone()
    }

    /// Runs a command of the cache.
    fn cache(&self, keywords: &[&str]) -> Run {
        Run::of(&mut self.command(&[&["cache"], keywords].concat()))
    }

    /// Returns the outcome of `kiwi cache list`.
    fn listed(&self) -> serde_json::Value {
        self.cache(&["list"]).done().outcome().clone()
    }

    /// Directories of finished stages of this kind.
    fn stages(&self, keyword: &str) -> Vec<PathBuf> {
        let Ok(entries) = self.path("cache/stages").join(keyword).read_dir() else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn image(&self) -> Vec<u8> {
        std::fs::read(self.path("images").join(IMAGE)).unwrap()
    }
}

/// Returns the number of cache entries of `kind` in a list of an outcome.
fn count(sums: &serde_json::Value, kind: &str) -> Option<u64> {
    sums.as_array().unwrap().iter().find(|sum| sum["kind"] == kind)?["count"].as_u64()
}

/// Returns the inode of each file in a directory: a file that was written again has another one.
fn inodes(directory: &Path) -> BTreeMap<PathBuf, u64> {
    use std::os::unix::fs::MetadataExt;
    let entries = directory.read_dir().unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| (entry.path(), entry.metadata().unwrap().ino())).collect()
}

/// Returns one stage of an explanation.
fn stage<'a>(stages: &'a [serde_json::Value], keyword: &str) -> &'a serde_json::Value {
    stages.iter().find(|one| one["stage"] == keyword).unwrap_or_else(|| panic!("no {keyword}: {stages:?}"))
}

/// Asserts what happens to a stage.
#[track_caller]
fn assert_fate(stages: &[serde_json::Value], keyword: &str, fate: &str) {
    assert_eq!(stage(stages, keyword)["fate"], fate, "{keyword}: {stages:?}");
}

/// Asserts that a stage runs because `name` is different.
#[track_caller]
fn assert_runs_because_of(stages: &[serde_json::Value], name: &str) {
    let why = |one: &serde_json::Value| one["why"].as_str().is_some_and(|why| why.contains(name));
    assert!(stages.iter().any(|one| one["fate"] == "runs" && why(one)), "{name}: {stages:?}");
}

/// Reads a file of the finished file system with debugfs.
fn content(image: &Path, file: &str) -> String {
    let output = Command::new("debugfs").args(["-R", &format!("cat {file}")]).arg(image).output();
    String::from_utf8_lossy(&output.expect("package e2fsprogs is needed").stdout).into_owned()
}

/// Changes a byte in the middle of a file; twice is another change.
fn spoil(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] = bytes[middle].wrapping_add(1);
    std::fs::write(path, bytes).unwrap();
}

const STAGES: [&str; 5] = ["bootstrap", "scripts", "packages", "tree", "image"];

/// Returns which of the stages `packages`, `tree` and `image` were restored.
fn taken(run: &Run) -> [bool; 3] {
    ["packages", "tree", "image"].map(|keyword| run.restored().contains(&keyword))
}

#[test]
fn unchanged_stages_are_restored_and_give_the_same_bytes() {
    let case = Case::new();
    assert_eq!(taken(&case.build(&[])), [false; 3]);
    let first = case.image();
    assert_eq!(taken(&case.build(&[])), [false, false, true]);
    assert!(case.image() == first, "the image from the cache is another one");
    let explained = case.explain();
    for keyword in ["bootstrap", "packages", "tree"] {
        assert_fate(&explained, keyword, "spared");
    }
    assert_fate(&explained, "image", "reused");
    // One more package: the layers below it are restored; the layer of scripts too if the package has no scripts.
    for (name, script) in [("ed", true), ("tree", false)] {
        let text = std::fs::read_to_string(case.path("description/config.xml")).unwrap();
        let text = text.replace("</packages>", &format!("<package name=\"{name}\"/></packages>"));
        case.write("description/config.xml", &text);
        let explained = case.explain();
        assert_fate(&explained, "bootstrap", "reused");
        assert_runs_because_of(&explained, &format!("{name}_"));
        let run = case.build(&[]);
        assert!(run.restored().contains(&"bootstrap") && taken(&run) == [false; 3], "{run:?}");
        assert!(run.restored().contains(&"scripts") != script, "{name}: {run:?}");
        assert!(case.image() != first, "the package is not in the image");
    }
    // Whether the layer of scripts can be restored is known when all packages were read.
    let text = std::fs::read_to_string(case.path("description/config.xml")).unwrap();
    case.write("description/config.xml", &text.replace("<package name=\"ed\"/>", ""));
    assert_fate(&case.explain(), "scripts", "reused");
    case.write("description/config.xml", &text.replace("<package name=\"ed\"/>", "<package name=\"bc\"/>"));
    assert_fate(&case.explain(), "scripts", "unread");
    case.write("description/config.xml", &text);
    // Another script: only the packages are restored.
    case.write("description/config.sh", "echo two > /etc/written\n");
    assert_runs_because_of(&case.explain(), "config.sh");
    assert_eq!(taken(&case.build(&[])), [true, false, false]);
    assert_eq!(content(&case.path("images").join(IMAGE), "/etc/written"), "two\n");
    // Another file of the overlay.
    case.write("description/root/etc/motd", "two\n");
    assert_runs_because_of(&case.explain(), "root/etc/motd");
    assert_eq!(taken(&case.build(&[])), [true, false, false]);
    assert_eq!(content(&case.path("images").join(IMAGE), "/etc/motd"), "two\n");
    let rebuilt = case.image();
    // Without the cache: the same bytes, and no new entries.
    let entries = || STAGES.map(|keyword| case.stages(keyword).len());
    assert_eq!(entries(), [1, 2, 3, 5, 5]);
    assert_eq!(taken(&case.build(&["--no-cache"])), [false; 3]);
    assert!(case.image() == rebuilt, "a build without the cache gives another image");
    assert_eq!(entries(), [1, 2, 3, 5, 5]);
    // A second type of the same tree, which is restored whole.
    assert_eq!(taken(&case.build(&["--type", "ext4,squashfs"])), [true, true, true]);
    assert_eq!(entries(), [1, 2, 3, 5, 6]);

    damaged_stages_are_made_again(&case, &rebuilt);
    damaged_packages_are_fetched_again(&case, &rebuilt);
    builds_share_an_empty_cache_and_one_is_killed(&case, &rebuilt);
    the_cache_is_limited_in_size(&case);
}

fn damaged_stages_are_made_again(case: &Case, image: &[u8]) {
    let spoil_stages = |keyword: &str, file: &str| {
        let files = case.stages(keyword).into_iter().map(|entry| entry.join(file));
        files.filter(|file| file.is_file()).for_each(|file| spoil(&file));
    };
    let made_again = || {
        spoil_stages("image", IMAGE);
        let run = case.build(&[]);
        assert_eq!(run.warnings("cache").len(), 2, "{run:?}");
        assert!(case.image() == image, "the rebuilt image is another one");
        run
    };
    spoil_stages("packages", "tree.tar.zst");
    let run = made_again();
    assert!(["bootstrap", "scripts"].iter().all(|keyword| run.restored().contains(keyword)), "{run:?}");
    // The layers below, when no entry is based on them.
    for keyword in ["scripts", "bootstrap"] {
        case.stages("packages").iter().for_each(|entry| std::fs::remove_dir_all(entry).unwrap());
        spoil_stages(keyword, "tree.tar.zst");
        assert_eq!(made_again().restored().contains(&"bootstrap"), keyword == "scripts", "{keyword}");
    }
    assert_eq!(taken(&case.build(&[])), [false, false, true]);
    // The other images are still damaged: they are found, reported and removed.
    let run = case.cache(&["verify"]);
    assert_eq!(run.error(), (1, "damaged"), "{run:?}");
    assert!(run.warnings("cache").iter().all(|message| message.contains("/cache/stages/")), "{run:?}");
    assert!(count(&case.cache(&["verify"]).done().outcome()["whole"], "stage").is_some());
}

/// Packages and resolutions, which cannot be made from other entries of the cache.
fn damaged_packages_are_fetched_again(case: &Case, image: &[u8]) {
    let first = |directory: &str| inodes(&case.path(directory)).into_keys().next().unwrap();
    let spoilt = ["cache/packages/sha256", "cache/packages/zstd", "cache/resolutions"].map(first);
    for path in &spoilt {
        spoil(path);
    }
    let run = case.cache(&["verify"]);
    assert_eq!(run.error(), (1, "damaged"), "{run:?}");
    assert_eq!(run.warnings("cache").len(), spoilt.len(), "{run:?}");
    for path in &spoilt {
        let named = run.warnings("cache").iter().any(|message| message.contains(path.to_str().unwrap()));
        assert!(named && !path.exists(), "{} {run:?}", path.display());
    }
    for entry in STAGES.iter().flat_map(|keyword| case.stages(keyword)) {
        std::fs::remove_dir_all(entry).unwrap();
    }
    let before = inodes(&case.path("cache/packages/sha256"));
    case.build(&[]);
    let mut after = inodes(&case.path("cache/packages/sha256"));
    assert!(after.remove(&spoilt[0]).is_some(), "the damaged package was not fetched");
    assert!(after == before, "a package that was not damaged was fetched");
    assert!(case.image() == image, "packages that were fetched again give another image");
}

/// Three builds make the same stages from nothing and one of them is killed; afterwards all entries are whole and nothing of
/// the killed build remains.
fn builds_share_an_empty_cache_and_one_is_killed(case: &Case, image: &[u8]) {
    let _ = case.cache(&["prune", "--size", "0"]).done();
    assert_eq!(case.listed()["bytes"], 0);
    let beside = |name: &str| {
        let directory = case.path(name);
        std::fs::create_dir(&directory).unwrap();
        let (description, directory) = (case.path("description"), directory.display().to_string());
        case.command(&["build", description.to_str().unwrap(), "--destdir", &directory, "--json"])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let (other, mut killed) = (beside("other"), beside("killed"));
    // A package that is being fetched has no final name.
    let arriving = || {
        let mut entries = case.path("cache/packages").read_dir().ok().into_iter().flatten().flatten();
        entries.any(|entry| entry.file_name().to_string_lossy().starts_with(".kiwi."))
    };
    while !arriving() {
        assert!(killed.try_wait().unwrap().is_none(), "the build ended without a package");
        std::thread::yield_now();
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    case.build(&[]);
    let _ = Run::from_output(&other.wait_with_output().unwrap()).done();
    assert!(case.image() == image, "a build beside others gives another image");
    assert!(
        std::fs::read(case.path("other").join(IMAGE)).unwrap() == image,
        "the other build gives another image"
    );
    assert!(!case.path("killed").join(IMAGE).exists(), "it was killed too late");
    assert_eq!(STAGES.map(|keyword| case.stages(keyword).len()), [1; 5]);
    let verified = case.cache(&["verify"]).done();
    let whole = |kind: &str| count(&verified.outcome()["whole"], kind);
    assert_eq!([whole("stage"), whole("indices")], [Some(5), Some(1)], "{verified:?}");
    assert!(whole("package").is_some(), "{verified:?}");
    let _ = case.cache(&["prune"]).done();
    assert_eq!(count(&case.listed()["kinds"], "unfinished"), None, "files of the killed build remain");
    // Each stage is based on the one below it.
    assert_eq!(taken(&case.build(&["--type", "ext4,squashfs"])), [true; 3]);
}

fn the_cache_is_limited_in_size(case: &Case) {
    let listed = case.listed();
    let images = listed["stages"].as_array().unwrap().iter().map(|stage| stage["image"].as_str());
    assert_eq!(images.collect::<Vec<_>>(), [Some("tiny"); 6], "{listed}");
    let packages = case.path("cache/packages/sha256").read_dir().unwrap().count();
    let counted = ["stage", "package"].map(|kind| count(&listed["kinds"], kind));
    assert_eq!(counted, [Some(6), Some(packages as u64)], "{listed}");
    // The limit of a configuration file holds for builds, too; the variable has priority over it.
    case.write("kiwi.yml", "cache:\n  max_size: 0\n");
    let configured = |more: Option<&str>| {
        let mut command = case.build_command(&[]);
        command.env("KIWI_CONFIG", case.path("kiwi.yml"));
        command.envs(more.map(|size| ("KIWI_CACHE_SIZE", size)));
        let _ = Run::of(&mut command).done();
    };
    configured(Some("1G"));
    assert_eq!(case.stages("image").len(), 2);
    configured(None);
    assert_eq!(STAGES.map(|keyword| case.stages(keyword).len()), [0; 5]);
    let listed = case.listed();
    assert_eq!(listed["stages"], serde_json::json!([]));
    assert_eq!((&listed["bytes"], &listed["limit"]), (&0.into(), &(20_u64 << 30).into()), "{listed}");
}
