//! The complete record of a build: every command line and all output of children.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use rustix::fs::{AtFlags, CWD, Mode, OFlags, openat, unlinkat};

use super::printable;

/// Ending of the log of a run that has made nothing yet.
const ASIDE: &str = "cached.log";
const REMEDY: &str = "remove it, or name another log with --logfile";

/// A log file; lines before it is opened are kept and written then. Lines of kiwi begin with the seconds since its start; output of
/// children is written as it is.
pub struct Log {
    state: Mutex<State>,
    started: Instant,
}

impl Default for Log {
    fn default() -> Self {
        Self { state: Mutex::default(), started: Instant::now() }
    }
}

#[derive(Default)]
struct State {
    file: Option<(PathBuf, File)>,
    early: Vec<u8>,
    terminal: bool,
    /// The name that the file gets when this run makes something.
    later: Option<PathBuf>,
}

impl Log {
    /// Writes the log to the regular file `path`, whose name comes from a description: a link of that name is not followed,
    /// nor one that replaces a directory of the path at this moment, and a file that has another name, too, is replaced, not
    /// overwritten.
    pub fn create(&self, path: &Path) -> io::Result<()> {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = openat(CWD, parent, flags, Mode::empty())?;
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        let mut file = open(&directory, name, OFlags::NONBLOCK).map_err(|error| match path.read_link() {
            Ok(target) => {
                let link = format!("it is a symbolic link to {}, which is not followed", target.display());
                io::Error::new(io::ErrorKind::InvalidInput, format!("{link}; {REMEDY}"))
            }
            Err(_) => error,
        })?;
        let facts = file.metadata()?;
        if !facts.is_file() {
            let why = format!("it is not a regular file; {REMEDY}");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        if facts.nlink() > 1 {
            unlinkat(&directory, name, AtFlags::empty())?;
            file = open(&directory, name, OFlags::EXCL)?;
        }
        file.set_len(0)?;
        self.start(path, file)
    }

    /// Writes the log to this file from now on, starting with the earlier lines.
    pub fn start(&self, path: &Path, mut file: File) -> io::Result<()> {
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

    /// Writes the log as [`Log::create`] does, to a file beside `path` that gets this name in [`Log::claim`]: a run that makes
    /// nothing leaves the log of an earlier run, if there is one, as it is.
    pub fn create_aside(&self, path: &Path) -> io::Result<()> {
        // A log that could not be replaced is an error before the work.
        if !exists_replaceable(path)? {
            return self.create(path);
        }
        self.create(&path.with_extension(ASIDE))?;
        self.state.lock().unwrap_or_else(PoisonError::into_inner).later = Some(path.to_owned());
        Ok(())
    }

    /// Gives the log its final name, in place of an earlier one. Errors are ignored: the log stays where it is.
    pub fn claim(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(later) = state.later.take()
            && let Some((path, _)) = &mut state.file
            && std::fs::rename(&*path, &later).is_ok()
        {
            *path = later;
        }
    }

    /// Writes a line of kiwi. Errors are ignored, because a log that cannot be written must not end a build.
    pub fn line(&self, text: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        self.bytes(format!("[{seconds:8.2}] {text}\n").as_bytes());
    }

    /// Writes output of a child.
    pub fn bytes(&self, bytes: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.terminal {
            let lines = bytes.split_inclusive(|byte| *byte == b'\n');
            let shown: String = lines.map(|line| printable::line(line) + "\n").collect();
            let _ = std::io::stderr().write_all(shown.as_bytes());
        }
        match &mut state.file {
            Some((_, file)) => drop(file.write_all(bytes)),
            None => state.early.extend_from_slice(bytes),
        }
    }
}

/// Returns whether `path` exists; an error if it is not a regular file.
fn exists_replaceable(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
        Ok(facts) if facts.is_file() => Ok(true),
        Ok(facts) => {
            let what = if facts.is_symlink() { "it is a symbolic link" } else { "it is not a regular file" };
            Err(io::Error::new(io::ErrorKind::InvalidInput, format!("{what}; {REMEDY}")))
        }
    }
}

/// Opens a file of a directory for writing; follows no link.
fn open(directory: &OwnedFd, name: &OsStr, more: OFlags) -> io::Result<File> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | more;
    Ok(openat(directory, name, flags, Mode::from_raw_mode(0o666))?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(path: &Path) -> io::Result<Log> {
        let log = Log::default();
        log.line("early");
        log.create(path)?;
        log.bytes(b"\x1b[31m\xff\0raw\n");
        Ok(log)
    }

    #[test]
    fn has_the_unmodified_bytes_and_replaces_an_earlier_log() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("x.log");
        std::fs::write(&path, "a much longer log of an earlier build").unwrap();
        started(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let (time, text) = bytes.split_at(b"[    0.00] ".len());
        assert!(time.starts_with(b"[  ") && time.ends_with(b"] "), "{}", time.escape_ascii());
        assert_eq!(text, b"early\n\x1b[31m\xff\0raw\n");
    }

    #[test]
    fn a_run_that_makes_nothing_leaves_an_earlier_log() {
        let directory = tempfile::tempdir().unwrap();
        let (path, aside) = (directory.path().join("x.log"), directory.path().join("x.cached.log"));
        std::fs::write(&path, "earlier").unwrap();
        let log = Log::default();
        log.create_aside(&path).unwrap();
        log.line("restored");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "earlier");
        assert_eq!(log.path().unwrap(), aside);
        log.claim();
        log.line("made");
        assert!(!aside.exists() && log.path().unwrap() == path);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("restored\n") && text.ends_with("made\n"), "{text}");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("elsewhere", &path).unwrap();
        assert!(Log::default().create_aside(&path).is_err(), "a link would be replaced");
    }

    #[test]
    fn writes_through_no_link() {
        let directory = tempfile::tempdir().unwrap();
        let (path, canary) = (directory.path().join("x.log"), directory.path().join("canary"));
        std::fs::write(&canary, "whole").unwrap();
        std::os::unix::fs::symlink(&canary, &path).unwrap();
        assert!(started(&path).is_err_and(|error| error.to_string().contains("symbolic link")));
        std::fs::remove_file(&path).unwrap();
        std::fs::hard_link(&canary, &path).unwrap();
        started(&path).unwrap();
        assert_eq!(std::fs::read_to_string(&canary).unwrap(), "whole");
        assert!(
            std::fs::read_to_string(&canary).is_ok_and(|text| text == "whole")
                && std::fs::read(&path).unwrap().windows(5).any(|bytes| bytes == b"early")
        );
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("nowhere", &path).unwrap();
        assert!(started(&path).is_err() && !directory.path().join("nowhere").exists());
        std::fs::remove_file(&path).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RWXU).unwrap();
        assert!(started(&path).is_err(), "a pipe was opened");
    }
}
