//! The machine before the program enters its namespaces: devices are opened here, with the permissions of the person who
//! started it. What was opened stays open inside.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// What can be done out there. No thread is started: the namespaces come later.
#[derive(Debug, Default)]
pub struct BeforeNamespaces;

impl BeforeNamespaces {
    /// A line for the person at the terminal.
    pub fn show(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Asks the person, who sees what is typed; an empty answer when nobody is there.
    pub fn ask(&self, question: &str) -> io::Result<String> {
        io::stderr().write_all(question.as_bytes())?;
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// Opens a device for reading and writing. The kernel refuses it while anything of it is in use, and lets nobody
    /// mount it until it is closed.
    pub fn open_device(&self, node: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_EXCL).open(node)
    }
}
