//! Programs that run beside the work: one that serves another program, and a machine whose console kiwi reads and types on.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::sandbox::attended::dies_with_parent;
use super::{Host, Interrupted};

/// The time between two looks.
const STEP: Duration = Duration::from_millis(50);
/// The longest console that is kept; the start of a longer one is dropped.
const LONGEST: usize = 4 << 20;
/// How many pieces of output may wait to be read; then the program waits.
const UNREAD: usize = 1 << 10;

/// A running program; it is killed when this is dropped.
#[derive(Debug)]
pub struct Companion {
    child: Child,
}

impl Companion {
    /// Waits until it has made this file; returns whether it did in time.
    pub fn makes(&self, path: &Path, limit: Duration) -> bool {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if path.symlink_metadata().is_ok() {
                return true;
            }
            std::thread::sleep(STEP);
        }
        false
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A program whose output is read and that is typed to, such as a machine with a serial console.
pub struct Conversation<'h> {
    host: &'h Host,
    _program: Companion,
    keyboard: ChildStdin,
    /// What the program writes, as it writes it; the sender is dropped at the end of its output.
    output: Receiver<Vec<u8>>,
    console: Vec<u8>,
    /// Everything before it was awaited.
    position: usize,
}

impl Host {
    /// Starts a program beside the work, without input and output.
    pub fn companion(&self, program: &Path, arguments: &[String]) -> std::io::Result<Companion> {
        let mut command = std::process::Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Companion { child: dies_with_parent(&mut command).spawn()? })
    }

    /// Starts a program to converse with.
    pub fn converse(&self, program: &Path, arguments: &[String]) -> Result<Conversation<'_>> {
        let mut command = std::process::Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = dies_with_parent(&mut command).spawn()?;
        let keyboard = child.stdin.take().context("a pipe to the program")?;
        let mut written = child.stdout.take().context("a pipe from the program")?;
        let (sender, output) = sync_channel(UNREAD);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = written.read(&mut buffer) {
                if sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        let _program = Companion { child };
        Ok(Conversation { host: self, _program, keyboard, output, console: Vec::new(), position: 0 })
    }
}

impl Conversation<'_> {
    /// Waits until one of `texts` appears after what was awaited before; returns the text before it and which one it is. `None`:
    /// the limit passed or the program's output ended.
    pub fn wait_for(
        &mut self,
        texts: &[&str],
        until: Instant,
    ) -> Result<Option<(String, usize)>, Interrupted> {
        loop {
            self.host.check_interrupt()?;
            // The end is known before the search, so that nothing written before it is missed.
            let ended = self.receive(STEP.min(until.saturating_duration_since(Instant::now())));
            let new = &self.console[self.position..];
            let found = texts.iter().enumerate().filter_map(|(number, text)| {
                let start = memchr::memmem::find(new, text.as_bytes())?;
                Some((start, start + text.len(), number))
            });
            if let Some((start, end, number)) = found.min() {
                let before = String::from_utf8_lossy(&new[..start]).into_owned();
                self.position += end;
                return Ok(Some((before, number)));
            }
            if ended || Instant::now() >= until {
                return Ok(None);
            }
        }
    }

    /// Takes what the program has written, after waiting for it if there is nothing yet; returns whether its output has ended.
    fn receive(&mut self, limit: Duration) -> bool {
        let mut next = match self.output.try_recv() {
            Err(TryRecvError::Empty) => self.output.recv_timeout(limit).map_err(|error| match error {
                RecvTimeoutError::Timeout => TryRecvError::Empty,
                RecvTimeoutError::Disconnected => TryRecvError::Disconnected,
            }),
            next => next,
        };
        while let Ok(written) = next {
            self.console.extend(written);
            next = self.output.try_recv();
        }
        let excess = self.console.len().saturating_sub(LONGEST);
        self.console.drain(..excess);
        self.position = self.position.saturating_sub(excess);
        next == Err(TryRecvError::Disconnected)
    }

    /// Types a line and Return. A program that has ended reads nothing; the next wait shows its end.
    pub fn type_line(&mut self, line: &str) -> std::io::Result<()> {
        match self.keyboard.write_all(format!("{line}\n").as_bytes()) {
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }

    /// Returns everything that the console has shown.
    pub fn console(&mut self) -> String {
        self.receive(Duration::ZERO);
        String::from_utf8_lossy(&self.console).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Output;

    #[test]
    fn converses_with_a_program() {
        let host = Host::new(Output::Quiet);
        let script = ["-c", "echo ready; read word; echo got:$word; sleep 100"].map(str::to_owned);
        let mut talk = host.converse(Path::new("/bin/sh"), &script).unwrap();
        let soon = || Instant::now() + Duration::from_secs(60);
        assert_eq!(talk.wait_for(&["never", "ready"], soon()).unwrap(), Some((String::new(), 1)));
        talk.type_line("hello").unwrap();
        assert_eq!(talk.wait_for(&["got:"], soon()).unwrap(), Some(("\n".to_owned(), 0)));
        assert_eq!(talk.wait_for(&["ready"], Instant::now()).unwrap(), None, "it was awaited before");
        assert_eq!(talk.console(), "ready\ngot:hello\n");
    }

    #[test]
    fn what_a_program_wrote_before_its_end_is_found() {
        let host = Host::new(Output::Quiet);
        let soon = Instant::now() + Duration::from_secs(60);
        for _ in 0..20 {
            // The program has ended before the child that holds its output writes.
            let script = ["-c", "(sleep 0.1; printf 'last w\\303\\266rd') &"].map(str::to_owned);
            let mut talk = host.converse(Path::new("/bin/sh"), &script).unwrap();
            assert_eq!(talk.wait_for(&["wörd"], soon).unwrap(), Some(("last ".to_owned(), 0)));
            assert_eq!(talk.wait_for(&["more"], soon).unwrap(), None);
        }
    }

    #[test]
    fn a_long_console_keeps_its_end() {
        let host = Host::new(Output::Quiet);
        let soon = Instant::now() + Duration::from_secs(60);
        let script = ["-c", "head -c 6000000 /dev/zero; echo login:; read word"].map(str::to_owned);
        let mut talk = host.converse(Path::new("/bin/sh"), &script).unwrap();
        assert_eq!(talk.wait_for(&["login:"], soon).unwrap().map(|(_, number)| number), Some(0));
        assert_eq!(talk.console().len(), LONGEST);
    }
}
