//! A program of a sandbox that the user talks to. It never gets the user's terminal: a terminal of its own is between them, so
//! that nothing it does to that one has an effect outside.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::process::Stdio;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize};

use super::command::{Command, SpawnError};
use super::sandbox::attended::pseudo_terminal;
use super::{CommandError, terminal};

/// How often the size of the user's terminal is compared.
const RESIZE: Timespec = Timespec { tv_sec: 0, tv_nsec: 250_000_000 };

impl Command<'_> {
    /// Runs it for the user, whose standard input it reads, and returns its exit code. On a terminal it has a terminal of its
    /// own; otherwise its output is copied.
    pub fn interact(self) -> Result<u8, CommandError> {
        let is_terminal = io::IsTerminal::is_terminal(&io::stdin());
        self.host().log().line(&format!("$ {}  (interactive)", self.line()));
        if is_terminal { self.on_terminal() } else { self.on_pipes() }
    }

    fn on_terminal(self) -> Result<u8, CommandError> {
        let (host, line) = (self.host(), self.line());
        let failed = |error: io::Error| CommandError::Io { command: line.clone(), error, tail: Vec::new() };
        let (own, its) = pseudo_terminal().map_err(failed)?;
        resize(&own);
        let output = || its.try_clone().map(Stdio::from).map_err(failed);
        let (stdout, stderr) = (output()?, output()?);
        let term = host.variable("TERM").unwrap_or_else(|| "dumb".to_owned());
        let mut command = self.env("TERM", term).stdin(its);
        command.controls_terminal = true;
        let (mut child, devices) = command.start(stdout, stderr, &line)?;
        drop(command);
        let watched = host.interrupted_with(child.id());
        let relayed = host.without_progress(|| with_raw(|| relay(&own)));
        let _ = child.kill();
        let status = child.wait().map_err(failed)?;
        if let Some(devices) = devices {
            devices.stop();
        }
        drop(watched);
        host.check_interrupt()?;
        relayed.map_err(failed)?;
        Ok(exit_code(status))
    }

    fn on_pipes(self) -> Result<u8, CommandError> {
        let (host, line) = (self.host(), self.line());
        let failed = |error: io::Error| CommandError::Io { command: line.clone(), error, tail: Vec::new() };
        let input = io::stdin().as_fd().try_clone_to_owned().map_err(failed)?;
        let (mut out, out_writer) = io::pipe().map_err(failed)?;
        let (mut err, err_writer) = io::pipe().map_err(failed)?;
        let mut command = self.stdin(File::from(input));
        let (mut child, devices) = command.start(Stdio::from(out_writer), Stdio::from(err_writer), &line)?;
        drop(command);
        let watched = host.interrupted_with(child.id());
        let shows_on_stderr = host.owns_stdout();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let copied = match shows_on_stderr {
                    true => io::copy(&mut out, &mut io::stderr()),
                    false => io::copy(&mut out, &mut io::stdout()),
                };
                drop(copied);
                let _ = io::stdout().flush();
            });
            drop(io::copy(&mut err, &mut io::stderr()));
        });
        let status = child.wait().map_err(failed)?;
        if let Some(devices) = devices {
            devices.stop();
        }
        drop(watched);
        host.check_interrupt()?;
        Ok(exit_code(status))
    }

    /// Starts it; an error names the command.
    fn start(
        &mut self,
        stdout: Stdio,
        stderr: Stdio,
        line: &str,
    ) -> Result<(std::process::Child, Option<super::mknod_broker::BrokerThread>), CommandError> {
        self.spawn(stdout, stderr).map_err(|error| match error {
            SpawnError::Missing(error) => error,
            SpawnError::Io(error) => CommandError::Io { command: line.to_owned(), error, tail: Vec::new() },
        })
    }
}

/// Returns the exit code as a shell would; the sandbox already reports signals in that way.
fn exit_code(status: std::process::ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Gives a terminal the size of the user's.
fn resize(own: &File) {
    if let (Ok(size), Ok(now)) = (tcgetwinsize(io::stdin()), tcgetwinsize(own))
        && (size.ws_row, size.ws_col) != (now.ws_row, now.ws_col)
    {
        let _ = tcsetwinsize(own, size);
    }
}

/// Copies between the user's terminal and `own` until every program has closed the other end.
fn relay(own: &File) -> io::Result<()> {
    let (mut input, mut other) = (File::from(io::stdin().as_fd().try_clone_to_owned()?), own);
    let mut bytes = [0; 4096];
    let mut listens = true;
    loop {
        resize(own);
        let (readable, has_input) = {
            let mut sources = vec![PollFd::new(own, PollFlags::IN)];
            if listens {
                sources.push(PollFd::new(&input, PollFlags::IN));
            }
            match poll(&mut sources, Some(&RESIZE)) {
                Err(rustix::io::Errno::INTR) => continue,
                polled => polled?,
            };
            let has = |number: usize| sources.get(number).is_some_and(|source| !source.revents().is_empty());
            (has(0), has(1))
        };
        if readable {
            match other.read(&mut bytes) {
                // All programs that had the terminal have ended.
                Ok(0) => return Ok(()),
                Err(error) if error.raw_os_error() == Some(libc::EIO) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    let mut output = io::stdout();
                    output.write_all(&bytes[..count])?;
                    output.flush()?;
                }
            }
        }
        if has_input {
            match input.read(&mut bytes) {
                Ok(0) => listens = false,
                Ok(count) => other.write_all(&bytes[..count])?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => listens = false,
            }
        }
    }
}

/// Runs `work` while the user's terminal passes on every key; its settings return afterwards.
fn with_raw<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = tcgetattr(io::stdin())?;
    let mut raw = before.clone();
    raw.make_raw();
    terminal::remember(before);
    tcsetattr(io::stdin(), OptionalActions::Flush, &raw)?;
    let result = work();
    terminal::restore();
    result
}
