//! Programs that run beside the work: one that serves another program, and a machine whose console kiwi reads and types on.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::sandbox::attended::dies_with_parent;
use super::{Host, Interrupted};

/// The time between two looks.
const STEP: Duration = Duration::from_millis(50);
/// The longest console that is kept; the start of a longer one is dropped.
const LONGEST: usize = 4 << 20;

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
    program: Companion,
    keyboard: ChildStdin,
    console: Arc<Mutex<String>>,
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

    /// Starts a program to converse with; its output also goes to the log.
    pub fn converse(&self, program: &Path, arguments: &[String]) -> Result<Conversation<'_>> {
        let mut command = std::process::Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = dies_with_parent(&mut command).spawn()?;
        let keyboard = child.stdin.take().context("a pipe to the program")?;
        let mut output = child.stdout.take().context("a pipe from the program")?;
        let console = Arc::new(Mutex::new(String::new()));
        let written = Arc::clone(&console);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                let mut console = written.lock().unwrap_or_else(PoisonError::into_inner);
                if console.len() < LONGEST {
                    console.push_str(&String::from_utf8_lossy(&buffer[..count]));
                }
            }
        });
        Ok(Conversation { host: self, program: Companion { child }, keyboard, console, position: 0 })
    }
}

impl Conversation<'_> {
    /// Waits until one of `texts` appears after what was awaited before; returns the text before it and which one it is. `None`:
    /// the limit passed or the program ended.
    pub fn wait_for(
        &mut self,
        texts: &[&str],
        until: Instant,
    ) -> Result<Option<(String, usize)>, Interrupted> {
        loop {
            self.host.check_interrupt()?;
            let ended = !matches!(self.program.child.try_wait(), Ok(None));
            {
                let console = self.console.lock().unwrap_or_else(PoisonError::into_inner);
                let new = &console[self.position..];
                let found = texts.iter().enumerate().filter_map(|(number, text)| {
                    new.find(text).map(|start| (start, start + text.len(), number))
                });
                if let Some((start, end, number)) = found.min() {
                    let before = new[..start].to_owned();
                    self.position += end;
                    return Ok(Some((before, number)));
                }
            }
            if ended || Instant::now() >= until {
                return Ok(None);
            }
            std::thread::sleep(STEP);
        }
    }

    /// Types a line and Return.
    pub fn type_line(&mut self, line: &str) -> std::io::Result<()> {
        self.keyboard.write_all(format!("{line}\n").as_bytes())?;
        self.keyboard.flush()
    }

    /// Returns everything that the console has shown.
    pub fn console(&self) -> String {
        self.console.lock().unwrap_or_else(PoisonError::into_inner).clone()
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
}
