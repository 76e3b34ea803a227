//! The complete record of a build: every command line and all output of children.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// A log file; lines before `open` are kept and written then.
#[derive(Default)]
pub struct Log {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    file: Option<(PathBuf, File)>,
    early: Vec<u8>,
    terminal: bool,
}

impl Log {
    /// Writes the log to `path` from now on, starting with the earlier lines.
    pub fn open(&self, path: &Path) -> std::io::Result<()> {
        let mut file = File::create(path)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        file.write_all(&state.early)?;
        state.early = Vec::new();
        state.file = Some((path.to_owned(), file));
        Ok(())
    }

    /// Also shows everything on the terminal (`--logfile terminal`).
    pub fn show_on_terminal(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).terminal = true;
    }

    /// Whether the destination of the log was decided.
    pub fn is_placed(&self) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.terminal || state.file.is_some()
    }

    /// Returns the path of the log, after it was opened.
    pub fn path(&self) -> Option<PathBuf> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.file.as_ref().map(|(path, _)| path.clone())
    }

    /// Writes a line. Errors are ignored, because a log that cannot be written must not end a build.
    pub fn line(&self, text: &str) {
        self.bytes(format!("{text}\n").as_bytes());
    }

    /// Writes output of a child.
    pub fn bytes(&self, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.terminal {
            let _ = std::io::stderr().write_all(bytes);
        }
        match &mut state.file {
            Some((_, file)) => drop(file.write_all(bytes)),
            None => state.early.extend_from_slice(bytes),
        }
    }
}
