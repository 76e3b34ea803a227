//! Questions to the user at the terminal, and programs whose output is only watched.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Duration;

use rustix::process::Signal;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::interrupt::Interrupt;
use super::sandbox::attended::dies_with_parent;

/// The settings of the terminal before its echo was switched off.
static SILENCED: Mutex<Option<Termios>> = Mutex::new(None);

/// Switches the echo of the terminal on again if it was switched off.
pub(super) fn restore() {
    let before = SILENCED.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before
        && let Ok(terminal) = OpenOptions::new().read(true).write(true).open("/dev/tty")
    {
        let _ = tcsetattr(&terminal, OptionalActions::Flush, &before);
    }
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
    *SILENCED.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
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
