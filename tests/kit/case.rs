//! A wrong description, and the error that kiwi reports.

use std::path::Path;
use std::process::Command;

use crate::program::kiwi;

/// A description in a directory of its own.
pub struct Case {
    /// Holds the description in `desc`; kiwi starts here.
    pub directory: tempfile::TempDir,
}

/// The repository of a good case.
pub const REPOSITORY: &str = r#"<repository><source path="debian://bookworm"/></repository>"#;

impl Case {
    /// Writes a description with these `<repository>` elements and one package.
    pub fn new(repository: &str, package: &str) -> Self {
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

    /// Writes a description without a mistake.
    pub fn good() -> Self {
        Self::new(REPOSITORY, "less")
    }

    /// Returns the path of `name` in the directory of the case.
    pub fn path(&self, name: &str) -> String {
        self.directory.path().join(name).to_str().unwrap().to_owned()
    }

    /// Writes `desc/NAME`.
    pub fn file(&self, name: &str, text: &str) -> &Self {
        let path = self.directory.path().join("desc").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    /// Returns the error of `kiwi KEYWORDS`, without progress and log, with the directory's path as `[HERE]`.
    pub fn error(&self, keywords: &[&str]) -> String {
        self.error_of(Command::new(kiwi()).args(keywords))
    }

    /// Returns what `command`, which must fail, prints, filtered as in [`Case::error`].
    pub fn error_of(&self, command: &mut Command) -> String {
        let output = command.current_dir(self.directory.path()).output().unwrap();
        assert!(!output.status.success(), "kiwi succeeded");
        let said = String::from_utf8_lossy(&output.stderr);
        let lines =
            said.lines().filter(|line| !line.contains(" ... ") && !line.starts_with("The log of this run"));
        let here = self.directory.path().canonicalize().unwrap();
        lines.collect::<Vec<_>>().join("\n").replace(here.to_str().unwrap(), "[HERE]")
    }

    /// Asserts that a failed build left no root tree.
    pub fn assert_no_tree(&self) {
        assert!(!Path::new(&self.path("root")).exists(), "a failed build left a root tree");
    }
}
