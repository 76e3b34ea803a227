//! What is in the cache is used again, noticed when it changed or was damaged, and shared: over real builds of a tiny
//! system, each beside a judge that knows nothing of the cache.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kiwi_tests::program::kiwi;

/// No kernel and hardly a package: an overlay and a script are what counts.
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

    /// What kiwi says on both streams.
    fn build(&self, more: &[&str]) -> String {
        said(self.build_command(more).output().unwrap())
    }

    fn cache(&self, keywords: &[&str]) -> String {
        said(self.command(&[&["cache"], keywords].concat()).output().unwrap())
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

fn said(output: Output) -> String {
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{text}");
    text
}

/// What debugfs reads from the finished file system: it asks neither kiwi nor the cache.
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

const FROM_STORE: [&str; 3] = [
    "Restoring the packages from the cache",
    "Restoring the customised tree from the cache",
    "Restoring the image from the cache",
];

const BOOTSTRAP: &str = "Restoring the bootstrap packages from the cache";
const SCRIPTS: &str = "Restoring the packages with scripts from the cache";
const STAGES: [&str; 5] = ["bootstrap", "scripts", "packages", "tree", "image"];

/// Which of the three stages were taken.
fn taken(said: &str) -> [bool; 3] {
    FROM_STORE.map(|text| said.contains(text))
}

#[test]
fn what_is_unchanged_is_used_again_and_gives_the_same_bytes() {
    let case = Case::new();
    assert_eq!(taken(&case.build(&[])), [false; 3]);
    let first = case.image();
    assert_eq!(taken(&case.build(&[])), [false, false, true]);
    assert!(case.image() == first, "the image from the cache is another one");
    let explained = case.build(&["--explain"]);
    assert!(
        explained.contains("Bootstrap: not needed\nPackages: not needed\nCustomised tree: not needed\nImage ext4: from the cache"),
        "{explained}"
    );
    // Another package: what was there before it is taken, all but itself when it only brings files.
    for (name, script) in [("ed", true), ("tree", false)] {
        let text = std::fs::read_to_string(case.path("description/config.xml")).unwrap();
        let text = text.replace("</packages>", &format!("<package name=\"{name}\"/></packages>"));
        case.write("description/config.xml", &text);
        let explained = case.build(&["--explain"]);
        assert!(explained.contains("Bootstrap: from the cache"), "{explained}");
        assert!(explained.contains(&format!("the package {name}_")), "{explained}");
        let said = case.build(&[]);
        assert!(said.contains(BOOTSTRAP) && taken(&said) == [false; 3], "{said}");
        assert!(said.contains(SCRIPTS) != script, "{name}: {said}");
        assert!(case.image() != first, "the package is not in the image");
    }
    // What stands between: known once all packages were read.
    let text = std::fs::read_to_string(case.path("description/config.xml")).unwrap();
    case.write("description/config.xml", &text.replace("<package name=\"ed\"/>", ""));
    let explained = case.build(&["--explain"]);
    assert!(explained.contains("Packages with scripts: from the cache"), "{explained}");
    case.write("description/config.xml", &text.replace("<package name=\"ed\"/>", "<package name=\"bc\"/>"));
    let explained = case.build(&["--explain"]);
    assert!(explained.contains("Packages with scripts: unknown until"), "{explained}");
    case.write("description/config.xml", &text);
    // Another script: packages are taken, the rest is made.
    case.write("description/config.sh", "echo two > /etc/written\n");
    let explained = case.build(&["--explain"]);
    assert!(explained.contains("config.sh changed"), "{explained}");
    assert_eq!(taken(&case.build(&[])), [true, false, false]);
    assert_eq!(content(&case.path("images").join(IMAGE), "/etc/written"), "two\n");
    // Another file of the overlay.
    case.write("description/root/etc/motd", "two\n");
    let explained = case.build(&["--explain"]);
    assert!(explained.contains("root/etc/motd changed"), "{explained}");
    assert_eq!(taken(&case.build(&[])), [true, false, false]);
    assert_eq!(content(&case.path("images").join(IMAGE), "/etc/motd"), "two\n");
    let rebuilt = case.image();
    // Nothing of the cache: the same bytes, and nothing new in it.
    let count = || STAGES.map(|keyword| case.stages(keyword).len());
    assert_eq!(count(), [1, 2, 3, 5, 5]);
    assert_eq!(taken(&case.build(&["--no-cache"])), [false; 3]);
    assert!(case.image() == rebuilt, "a build without the cache gives another image");
    assert_eq!(count(), [1, 2, 3, 5, 5]);
    // Beside it another type of the same tree, which is taken whole.
    assert_eq!(taken(&case.build(&["--type", "ext4,squashfs"])), [true, true, true]);
    assert_eq!(count(), [1, 2, 3, 5, 6]);

    damaged_stages_are_made_again(&case, &rebuilt);
    damaged_packages_are_fetched_again(&case, &rebuilt);
    builds_share_an_empty_cache_and_one_is_killed(&case, &rebuilt);
    the_cache_is_kept_small(&case);
}

fn damaged_stages_are_made_again(case: &Case, image: &[u8]) {
    let spoil_stages = |keyword: &str, file: &str| {
        let files = case.stages(keyword).into_iter().map(|entry| entry.join(file));
        files.filter(|file| file.is_file()).for_each(|file| spoil(&file));
    };
    let made_again = || {
        spoil_stages("image", IMAGE);
        let text = case.build(&[]);
        assert_eq!(text.matches("is damaged; rebuilding this stage").count(), 2, "{text}");
        assert!(case.image() == image, "what was made again is another image");
        text
    };
    spoil_stages("packages", "tree.tar.zst");
    let said = made_again();
    assert!(said.contains(BOOTSTRAP) && said.contains(SCRIPTS), "{said}");
    // Those below it, when none of those upon them is there.
    for keyword in ["scripts", "bootstrap"] {
        case.stages("packages").iter().for_each(|entry| std::fs::remove_dir_all(entry).unwrap());
        spoil_stages(keyword, "tree.tar.zst");
        assert!(made_again().contains(BOOTSTRAP));
    }
    assert_eq!(taken(&case.build(&[])), [false, false, true]);
    // The other images are still spoiled: found, said, and gone.
    let output = case.command(&["cache", "verify"]).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(!output.status.success() && text.contains("stages were damaged and removed"), "{text}");
    assert!(case.cache(&["verify"]).contains("stages are whole"));
}

/// What cannot be made of what is in the cache: packages, and what was decided from the indices.
fn damaged_packages_are_fetched_again(case: &Case, image: &[u8]) {
    let first = |directory: &str| {
        let mut files: Vec<PathBuf> =
            case.path(directory).read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.swap_remove(0)
    };
    let spoilt = ["cache/packages/sha256", "cache/packages/zstd", "cache/resolutions"].map(first);
    for path in &spoilt {
        spoil(path);
    }
    let output = case.command(&["cache", "verify"]).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let counted = "1 packages, 1 recompressed packages, 1 resolutions were damaged and removed";
    assert!(!output.status.success() && text.contains(counted), "{text}");
    for path in &spoilt {
        assert!(text.contains(&format!("{} was damaged", path.display())) && !path.exists(), "{text}");
    }
    for entry in STAGES.iter().flat_map(|keyword| case.stages(keyword)) {
        std::fs::remove_dir_all(entry).unwrap();
    }
    assert!(case.build(&[]).contains("Fetching 1 packages"), "only what was damaged is fetched");
    assert!(case.image() == image, "packages that were fetched again give another image");
}

/// Three make the same stages from nothing, one of them does not live to see the end; what is in the cache afterwards
/// is whole, and nothing of the dead one is left.
fn builds_share_an_empty_cache_and_one_is_killed(case: &Case, image: &[u8]) {
    case.cache(&["prune", "--size", "0"]);
    assert!(case.cache(&["list"]).contains("together 0.0 MB"));
    let beside = |name: &str| {
        let directory = case.path(name);
        std::fs::create_dir(&directory).unwrap();
        let (description, directory) = (case.path("description"), directory.display().to_string());
        case.command(&["build", description.to_str().unwrap(), "--destdir", &directory])
            .stdout(std::process::Stdio::piped())
            .stderr(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let (other, mut killed) = (beside("other"), beside("killed"));
    // While packages arrive nobody has any of them.
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
    said(other.wait_with_output().unwrap());
    assert!(case.image() == image, "a build beside others gives another image");
    assert!(
        std::fs::read(case.path("other").join(IMAGE)).unwrap() == image,
        "the other build gives another image"
    );
    assert!(!case.path("killed").join(IMAGE).exists(), "it was killed too late");
    assert_eq!(STAGES.map(|keyword| case.stages(keyword).len()), [1; 5]);
    let verified = case.cache(&["verify"]);
    for kind in ["5 stages are whole", "packages are whole", "1 indices of repositories are whole"] {
        assert!(verified.contains(kind), "{verified}");
    }
    case.cache(&["prune"]);
    assert!(!case.cache(&["list"]).contains("unfinished"), "the killed build left something");
    // Whose stages they are: each belongs to the one below it.
    assert_eq!(taken(&case.build(&["--type", "ext4,squashfs"])), [true; 3]);
}

fn the_cache_is_kept_small(case: &Case) {
    let listed = case.cache(&["list"]);
    assert!(listed.contains("6 stages, ") && listed.matches(" tiny").count() == 6, "{listed}");
    let listed: serde_json::Value = serde_json::from_str(&case.cache(&["list", "--json"])).unwrap();
    let listed = &listed["outcome"];
    let packages = case.path("cache/packages/sha256").read_dir().unwrap().count();
    let counted = |kind: &str| {
        let kinds = listed["kinds"].as_array().unwrap();
        kinds.iter().find(|sum| sum["kind"] == kind).and_then(|sum| sum["count"].as_u64())
    };
    assert_eq!([counted("stage"), counted("package")], [Some(6), Some(packages as u64)], "{listed}");
    // The limit of a configuration file holds for builds, too; the variable goes before it.
    case.write("kiwi.yml", "cache:\n  max_size: 0\n");
    let configured = |more: Option<&str>| {
        let mut command = case.build_command(&[]);
        command.env("KIWI_CONFIG", case.path("kiwi.yml"));
        command.envs(more.map(|size| ("KIWI_CACHE_SIZE", size)));
        said(command.output().unwrap())
    };
    configured(Some("1G"));
    assert_eq!(case.stages("image").len(), 2);
    configured(None);
    assert_eq!(STAGES.map(|keyword| case.stages(keyword).len()), [0; 5]);
    let listed = case.cache(&["list"]);
    assert!(
        listed.contains("0 stages, ") && listed.contains("together 0.0 MB of at most 20480.0 MB"),
        "{listed}"
    );
}
