//! Questions to the user on all consoles: each shows the question, and the first line typed on any of them is the answer.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::console::Console;
use crate::modules::load_keyboards;

/// The source of answers.
pub(crate) trait Prompt {
    /// Returns the answer to a question without the line end; an error if nobody can be asked.
    fn ask(&mut self, question: &str) -> io::Result<String>;
}

/// The user at the consoles of the machine.
pub(crate) struct AtConsole<'a> {
    console: &'a Console,
    /// How long the user may take.
    limit: Option<Duration>,
}

impl<'a> AtConsole<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        Self::limited(console, None)
    }

    /// Returns a user who must answer within `limit`.
    pub(crate) fn limited(console: &'a Console, limit: Option<Duration>) -> Self {
        Self { console, limit }
    }
}

impl Prompt for AtConsole<'_> {
    fn ask(&mut self, question: &str) -> io::Result<String> {
        load_keyboards(self.console);
        self.console.say(question);
        let mut consoles: Vec<File> = self
            .console
            .devices()
            .into_iter()
            .filter_map(|device| {
                let flags = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
                OpenOptions::new().read(true).custom_flags(flags).open(device).ok()
            })
            .collect();
        if consoles.is_empty() {
            return Err(io::Error::other("this machine has no console to type on"));
        }
        first_line(&mut consoles, self.limit)
    }
}

/// Returns the first line that arrives. A terminal passes on whole lines.
fn first_line(consoles: &mut Vec<File>, limit: Option<Duration>) -> io::Result<String> {
    let mut line = Vec::new();
    let end = limit.map(|limit| Instant::now() + limit);
    loop {
        let mut waiting: Vec<PollFd<'_>> =
            consoles.iter().map(|console| PollFd::new(console, PollFlags::IN)).collect();
        let left = end.map(|end| end.saturating_duration_since(Instant::now()));
        let left =
            left.map(|left| Timespec { tv_sec: left.as_secs() as i64, tv_nsec: left.subsec_nanos().into() });
        if poll(&mut waiting, left.as_ref())? == 0 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "nobody answered"));
        }
        let ready: Vec<bool> = waiting.iter().map(|console| !console.revents().is_empty()).collect();
        for (index, _) in ready.iter().enumerate().filter(|(_, ready)| **ready).rev() {
            let mut bytes = [0; 256];
            match consoles[index].read(&mut bytes) {
                Ok(count @ 1..) => line.extend_from_slice(&bytes[..count]),
                // A serial line that does not exist.
                Ok(0) | Err(_) => drop(consoles.remove(index)),
            }
        }
        if let Some(end) = line.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            return Ok(String::from_utf8_lossy(&line[..end]).trim().to_owned());
        }
        if consoles.is_empty() {
            return Err(io::Error::other("nobody can type on the consoles of this machine"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_first_console_that_answers_counts() {
        let (silent, _keep) = io::pipe().unwrap();
        let (typed, mut hand) = io::pipe().unwrap();
        let (gone, _) = io::pipe().unwrap();
        hand.write_all(b"sda\r\n").unwrap();
        let file = |pipe: io::PipeReader| File::from(std::os::fd::OwnedFd::from(pipe));
        let mut consoles = vec![file(silent), file(gone), file(typed)];
        assert_eq!(first_line(&mut consoles, None).unwrap(), "sda");
        assert_eq!(consoles.len(), 2, "the one that is gone is not asked again");
        let silence = first_line(&mut consoles, Some(Duration::ZERO));
        assert_eq!(silence.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
