//! Commands as values, run in a sandbox.

mod bind;
mod reading;
mod spawn;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use bind::{Bind, Created};
use reading::Reading;
use rustix::fs::{MemfdFlags, memfd_create};

use super::disk_full_watchdog::DiskFullWatchdog;
use super::{CommandError, Host, RunningStage, printable, sampled, sandbox};
pub(super) use spawn::SpawnError;

/// Maximum number of bytes that are read as one line of output.
const LINE: u64 = 1 << 16;

/// A command to run: by default with a read-only view of the host, without network, with empty standard input.
#[must_use]
pub struct Command<'h> {
    host: &'h Host,
    program: String,
    arguments: Vec<OsString>,
    /// Indices of hidden arguments.
    secrets: Vec<usize>,
    variables: Vec<(OsString, OsString)>,
    directory: Option<PathBuf>,
    root: Option<(PathBuf, bool)>,
    writable: Vec<PathBuf>,
    binds: Vec<Bind>,
    network: bool,
    without_sync: bool,
    devices: Vec<PathBuf>,
    stdin: Option<File>,
    stdout: Option<File>,
    needs_room: Option<PathBuf>,
    reading: Option<Reading<'h>>,
    /// Its standard input is a terminal of its own, which controls its session.
    pub(super) controls_terminal: bool,
}

impl<'h> Command<'h> {
    pub(super) fn new(host: &'h Host, program: &str) -> Self {
        Self {
            host,
            program: program.to_owned(),
            arguments: Vec::new(),
            secrets: Vec::new(),
            variables: Vec::new(),
            directory: None,
            root: None,
            writable: Vec::new(),
            binds: Vec::new(),
            network: false,
            without_sync: false,
            devices: Vec::new(),
            stdin: None,
            stdout: None,
            needs_room: None,
            reading: None,
            controls_terminal: false,
        }
    }

    pub(super) fn host(&self) -> &'h Host {
        self.host
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    /// Adds an argument that neither the log nor an error shows.
    pub fn secret(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.secrets.push(self.arguments.len());
        self.arg(argument)
    }

    /// Adds several arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    /// Sets an environment variable; the environment is otherwise neutral (`LC_ALL=C.UTF-8`, a standard `PATH`).
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Sets the working directory, as seen from inside its view.
    pub fn current_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.directory = Some(directory.into());
        self
    }

    /// Makes the tree at `path` its `/`; it sees nothing of the host.
    pub fn in_root(mut self, path: impl Into<PathBuf>) -> Self {
        self.root = Some((path.into(), false));
        self
    }

    /// Like `in_root`, with a read-only tree.
    pub fn in_read_only_root(mut self, path: impl Into<PathBuf>) -> Self {
        self.root = Some((path.into(), true));
        self
    }

    /// Makes a directory of the host writable (only without `in_root`).
    pub fn writable(mut self, directory: impl Into<PathBuf>) -> Self {
        self.writable.push(directory.into());
        self
    }

    /// Binds a file or directory of the host to `target` (an existing absolute path inside its view).
    pub fn bind(mut self, source: impl Into<PathBuf>, target: impl Into<PathBuf>, read_only: bool) -> Self {
        let (source, target) = (source.into(), target.into());
        self.binds.push(Bind { source, target, read_only, created: Created::Nothing });
        self
    }

    /// Shows a file of the host, read-only, at `target`, a path below its `/run`, which is empty (only with `in_root`).
    pub fn bind_in_run(mut self, source: impl Into<PathBuf>, target: impl AsRef<Path>) -> Self {
        let (source, target) = (source.into(), Path::new("/run").join(target));
        self.binds.push(Bind { source, target, read_only: true, created: Created::File });
        self
    }

    /// Like `bind_in_run`, for a directory, which may be writable.
    pub fn bind_directory_in_run(mut self, source: &Path, target: &str, read_only: bool) -> Self {
        let (source, target) = (source.to_owned(), Path::new("/run").join(target));
        self.binds.push(Bind { source, target, read_only, created: Created::Directory });
        self
    }

    /// Allows network access.
    pub fn network(mut self) -> Self {
        self.network = true;
        self
    }

    /// Its output need not be flushed to the disk before the build is done.
    pub fn without_sync(mut self) -> Self {
        self.without_sync = true;
        self
    }

    /// It reads a tree in which these marker files represent device nodes (see `device`), and sees the nodes, at a cost for
    /// every path lookup; it does not run if that is impossible. No effect without marker files.
    pub fn shows_devices(mut self, devices: Vec<PathBuf>) -> Self {
        self.devices = devices;
        self
    }

    /// It writes to the file system of `directory`, and is killed if it hangs because that is full.
    pub fn needs_room(mut self, directory: impl Into<PathBuf>) -> Self {
        self.needs_room = Some(directory.into());
        self
    }

    /// Reports to `stage` how much of `total` bytes `program` has read, which is this one or one that it starts.
    pub fn reports_reading(mut self, program: &'static str, total: u64, stage: &'h RunningStage<'h>) -> Self {
        self.reading = Some(Reading { program, total, stage });
        self
    }

    /// Reads standard input from a file.
    pub fn stdin(mut self, file: File) -> Self {
        self.stdin = Some(file);
        self
    }

    /// Reads standard input from a text in memory, for example a password.
    pub fn stdin_text(self, text: &str) -> io::Result<Self> {
        let mut file = File::from(memfd_create("input", MemfdFlags::CLOEXEC)?);
        file.write_all(text.as_bytes())?;
        file.rewind()?;
        Ok(self.stdin(file))
    }

    /// Writes standard output to a file instead of the log.
    pub fn stdout(mut self, file: File) -> Self {
        self.stdout = Some(file);
        self
    }

    /// Runs it; its output goes to the log.
    pub fn run(self) -> Result<(), CommandError> {
        self.run_watched(|_| ())
    }

    /// Runs it and passes every line of output to `watch`, in addition to the log.
    pub fn run_watched(self, watch: impl FnMut(&str)) -> Result<(), CommandError> {
        self.attend(watch, None)
    }

    /// Runs it and passes its standard output to `read` while it runs; standard error goes to the log. If `read` returns
    /// before the end, the program finds its output closed, and its exit status is ignored.
    pub fn run_read<T: Send>(
        mut self,
        read: impl FnOnce(&mut dyn io::Read) -> io::Result<T> + Send,
    ) -> Result<T, CommandError> {
        let line = self.line();
        let failed = |error| CommandError::Io { command: line.clone(), error, tail: Vec::new() };
        let (mut reader, writer) = io::pipe().map_err(failed)?;
        self.stdout = Some(File::from(OwnedFd::from(writer)));
        let mut found = None;
        let take = || {
            found = Some(read(&mut reader));
            drop(reader);
        };
        let host = self.host;
        let ended = self.attend(|_| (), Some(Box::new(take)));
        host.check_interrupt()?;
        match (found, ended) {
            (Some(Ok(found)), Ok(())) => Ok(found),
            (Some(Ok(found)), Err(_)) => {
                host.log.line("It was stopped on purpose: nothing more of its output was needed.");
                Ok(found)
            }
            // A program that ends its output too early reports the reason itself.
            (Some(Err(error)), Err(ended)) if error.kind() == io::ErrorKind::UnexpectedEof => Err(ended),
            (Some(Err(error)), _) => Err(failed(error)),
            (None, Err(ended)) => Err(ended),
            (None, Ok(())) => Err(failed(io::ErrorKind::UnexpectedEof.into())),
        }
    }

    /// Runs it and passes every line that does not go to a file to `watch`; `beside` runs in a thread at the same time.
    fn attend(
        mut self,
        mut watch: impl FnMut(&str),
        beside: Option<Box<dyn FnOnce() + Send + '_>>,
    ) -> Result<(), CommandError> {
        let line = self.line();
        self.host.log.line(&format!("$ {line}"));
        let failed = |error: io::Error| CommandError::Io { command: line.clone(), error, tail: Vec::new() };
        let (reader, writer) = io::pipe().map_err(failed)?;
        let stdout = match self.stdout.take() {
            Some(file) => Stdio::from(file),
            None => Stdio::from(writer.try_clone().map_err(failed)?),
        };
        let mut tail = printable::Tail::default();
        let spawned = self.spawn(stdout, Stdio::from(writer));
        let watcher = |host: &Host| {
            let mut lines = BufReader::new(reader);
            let mut bytes = Vec::new();
            let mut next = |bytes: &mut Vec<u8>| lines.by_ref().take(LINE).read_until(b'\n', bytes);
            while next(&mut bytes).is_ok_and(|count| count > 0) {
                host.log.bytes(&bytes);
                watch(String::from_utf8_lossy(&bytes).trim_end());
                tail.add(&bytes);
                bytes.clear();
            }
        };
        match spawned {
            Ok((mut child, devices)) => {
                let watched = self.host.interrupt.watch(child.id(), rustix::process::Signal::KILL);
                let guard =
                    self.needs_room.take().map(|directory| DiskFullWatchdog::start(directory, child.id()));
                std::thread::scope(|scope| {
                    if let Some(beside) = beside {
                        scope.spawn(beside);
                    }
                    match &self.reading {
                        Some(reading) => sampled(|| reading.report(child.id()), || watcher(self.host)),
                        None => watcher(self.host),
                    }
                });
                let stalled = guard.is_some_and(DiskFullWatchdog::stop);
                let status = child.wait().map_err(failed)?;
                if let Some(devices) = devices {
                    devices.stop();
                }
                drop(watched);
                self.host.check_interrupt()?;
                if stalled {
                    let error = io::Error::from(rustix::io::Errno::NOSPC);
                    return Err(CommandError::Io { command: line, error, tail: tail.into_lines() });
                }
                if status.success() {
                    return Ok(());
                }
                let status = match status.code() {
                    Some(code) if code > 128 => format!("signal {}", code - 128),
                    Some(code) => format!("exit code {code}"),
                    None => status.to_string(),
                };
                Err(CommandError::Failed { command: line, status, tail: tail.into_lines() })
            }
            Err(SpawnError::Missing(error)) => Err(error),
            Err(SpawnError::Io(error))
                if error.raw_os_error() == Some(sandbox::CANNOT_ASK) && !self.devices.is_empty() =>
            {
                Err(CommandError::Devices { command: line, devices: self.devices })
            }
            Err(SpawnError::Io(error)) => {
                watcher(self.host);
                Err(CommandError::Io { command: line, error, tail: tail.into_lines() })
            }
        }
    }

    /// Runs it and returns its standard output; standard error goes to the log.
    pub fn output(mut self) -> Result<String, CommandError> {
        let line = self.line();
        let failed = |error: io::Error| CommandError::Io { command: line.clone(), error, tail: Vec::new() };
        // In memory, because /tmp may be read-only, for example in a container.
        let memory = memfd_create("output", MemfdFlags::CLOEXEC).map_err(|errno| failed(errno.into()))?;
        let mut file = File::from(memory);
        self.stdout = Some(file.try_clone().map_err(failed)?);
        self.run()?;
        let mut text = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut text)).map_err(failed)?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Returns the command line in shell syntax.
    pub(super) fn line(&self) -> String {
        let mut keywords = vec![self.program.clone()];
        keywords.extend(self.arguments.iter().enumerate().map(|(location, argument)| {
            if self.secrets.contains(&location) {
                return "[hidden]".to_owned();
            }
            let text = argument.to_string_lossy();
            let plain = !text.is_empty()
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./=:,+%@^~".contains(c));
            if plain { text.into_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
        }));
        keywords.join(" ")
    }
}
