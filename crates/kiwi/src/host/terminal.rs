//! Questions to the user at the terminal, and programs whose output is only watched.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use rustix::process::Signal;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::interrupt::Interrupt;
use super::sandbox::attended::dies_with_parent;

/// The settings of the terminal before they were changed.
static SILENCED: Mutex<Option<Termios>> = Mutex::new(None);

/// Sets the settings again that the terminal had before they were changed.
pub(super) fn restore() {
    let before = SILENCED.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before
        && let Ok(terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty")
    {
        let _ = tcsetattr(&terminal, OptionalActions::Flush, &before);
    }
}

/// What may be written to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TerminalStyle {
    /// Lines can be replaced: it is a terminal and `TERM` is not `dumb`.
    pub is_live: bool,
    /// Text has colours: `NO_COLOR` is not set.
    pub is_colored: bool,
}

impl TerminalStyle {
    /// Returns the style for standard error of this process.
    pub fn of_stderr() -> Self {
        let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self::of(io::stderr().is_terminal(), set("TERM").as_deref(), set("NO_COLOR").as_deref())
    }

    /// Returns the width of the terminal; 80 if it is unknown.
    pub fn columns_of_stderr() -> usize {
        match tcgetwinsize(io::stderr()) {
            Ok(size) if size.ws_col > 0 => size.ws_col.into(),
            Ok(_) | Err(_) => 80,
        }
    }

    fn of(is_terminal: bool, term: Option<&str>, no_color: Option<&str>) -> Self {
        let is_live = is_terminal && term.is_some_and(|term| term != "dumb");
        Self { is_live, is_colored: is_live && no_color.is_none() }
    }
}

/// Notes settings of the terminal that [`restore`] sets again.
pub(super) fn remember(before: Termios) {
    *SILENCED.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
}

/// Reads a line without echo from the terminal, or a plain line of standard input without a terminal.
pub(super) fn ask_secret(question: &str) -> io::Result<String> {
    let Ok(terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty") else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line)?;
        return Ok(line.trim_end_matches(['\n', '\r']).to_owned());
    };
    (&terminal).write_all(question.as_bytes())?;
    let before = tcgetattr(&terminal)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    remember(before);
    tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
    let mut line = String::new();
    let read = BufReader::new(&terminal).read_line(&mut line);
    restore();
    (&terminal).write_all(b"\n")?;
    read?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Reads a line of the terminal; its end is an error, because more questions may follow.
pub(super) fn ask(question: &str) -> io::Result<String> {
    io::stderr().write_all(question.as_bytes())?;
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line)? {
        0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "no answer was given")),
        _ => Ok(line.trim().to_owned()),
    }
}

pub(super) fn says(
    program: &Path,
    arguments: &[&str],
    text: &'static str,
    limit: Duration,
    interrupt: &Interrupt,
) -> bool {
    let mut command = std::process::Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let Ok(mut child) = dies_with_parent(&mut command).spawn() else { return false };
    let watched = interrupt.watch(child.id(), Signal::KILL);
    let (sender, receiver) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).lines();
            sender.send(lines.any(|line| line.is_ok_and(|line| line.contains(text))))
        });
    }
    let said = receiver.recv_timeout(limit).unwrap_or(false);
    let _ = child.kill();
    let _ = child.wait();
    drop(watched);
    said
}

#[cfg(test)]
mod tests {
    use super::TerminalStyle;

    #[test]
    fn lines_are_replaced_and_coloured_only_where_that_works() {
        let style = |is_terminal, term, no_color| {
            let style = TerminalStyle::of(is_terminal, term, no_color);
            (style.is_live, style.is_colored)
        };
        assert_eq!(style(true, Some("xterm"), None), (true, true));
        assert_eq!(style(true, Some("xterm"), Some("1")), (true, false));
        assert_eq!(style(true, Some("dumb"), None), (false, false));
        assert_eq!(style(true, None, None), (false, false));
        assert_eq!(style(false, Some("xterm"), None), (false, false));
    }
}
