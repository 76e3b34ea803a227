//! A run of kiwi with `--json`, and the facts in its events. Tests of behaviour assert these, not the wording of messages.

use std::process::Command;

use serde_json::Value;

use crate::program::kiwi;

/// A finished run of kiwi.
#[derive(Debug)]
pub struct Run {
    /// The exit code.
    pub code: i32,
    /// All events in their order; the last one is the `result` or `error`.
    pub events: Vec<Value>,
    /// Text on standard error.
    pub stderr: String,
}

/// Runs kiwi with these arguments and `--json`.
pub fn json(arguments: &[&str]) -> Run {
    Run::of(Command::new(kiwi()).args(arguments))
}

impl Run {
    /// Runs `command`, which starts kiwi, with `--json` as its last argument.
    ///
    /// # Panics
    ///
    /// If kiwi was killed or wrote something other than events to standard output.
    pub fn of(command: &mut Command) -> Self {
        Self::from_output(
            &command.arg("--json").output().unwrap_or_else(|error| panic!("{command:?}: {error}")),
        )
    }

    /// Reads the output of a run with `--json`.
    ///
    /// # Panics
    ///
    /// If kiwi was killed or wrote something other than events to standard output.
    pub fn from_output(output: &std::process::Output) -> Self {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        let text = String::from_utf8_lossy(&output.stdout);
        let event =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("no event: {line}\n{stderr}"));
        let events = text.lines().map(event).collect();
        Self {
            code: output.status.code().unwrap_or_else(|| panic!("{}: {stderr}", output.status)),
            events,
            stderr,
        }
    }

    /// Asserts that the run succeeded.
    ///
    /// # Panics
    ///
    /// If it failed.
    #[must_use]
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, 0, "kiwi failed: {} {}", self.last(), self.stderr);
        self
    }

    /// Returns the final `result` or `error`.
    ///
    /// # Panics
    ///
    /// If there is no event.
    #[track_caller]
    pub fn last(&self) -> &Value {
        self.events.last().unwrap_or_else(|| panic!("no event: {}", self.stderr))
    }

    /// Returns the outcome of a successful run, or of a comparison that found differences.
    #[track_caller]
    pub fn outcome(&self) -> &Value {
        let outcome = &self.last()["outcome"];
        assert!(outcome.is_object(), "no outcome: {}", self.last());
        outcome
    }

    /// Returns exit code and kind of the error of a failed run.
    #[track_caller]
    pub fn error(&self) -> (i32, &str) {
        (self.code, self.last()["kind"].as_str().unwrap_or_else(|| panic!("no error: {}", self.last())))
    }

    /// Returns message and remedy of the final error. Assert only names of files, packages and the like in it.
    #[track_caller]
    pub fn names(&self, name: &str) -> bool {
        let field = |field: &str| self.last()[field].as_str().is_some_and(|text| text.contains(name));
        field("message") || field("remedy")
    }

    /// Returns all events of this keyword.
    pub fn all(&self, event: &str) -> impl Iterator<Item = &Value> {
        self.events.iter().filter(move |one| one["event"] == event)
    }

    /// Returns the messages of the warnings with this code.
    pub fn warnings(&self, code: &str) -> Vec<&str> {
        self.all("warning")
            .filter(|one| one["code"] == code)
            .filter_map(|one| one["message"].as_str())
            .collect()
    }

    /// Returns the keywords of the stages that were restored from the cache.
    pub fn restored(&self) -> Vec<&str> {
        let reused = self.all("stage").filter(|one| one["task"] == "restore" && one["state"] == "reused");
        reused.filter_map(|one| one["cached"].as_str()).collect()
    }
}
