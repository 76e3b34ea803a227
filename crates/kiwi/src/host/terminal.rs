//! Questions to the user at the terminal, and programs whose output is only watched.

use std::fs::OpenOptions;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;
use std::sync::mpsc;
use std::time::Duration;

use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

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
    tcsetattr(&terminal, OptionalActions::Flush, &silent)?;
    let mut line = String::new();
    let read = BufReader::new(&terminal).read_line(&mut line);
    tcsetattr(&terminal, OptionalActions::Flush, &before)?;
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

pub(super) fn says(program: &Path, arguments: &[&str], text: &'static str, limit: Duration) -> bool {
    let spawned = std::process::Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = spawned else { return false };
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
    said
}
