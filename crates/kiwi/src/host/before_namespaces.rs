//! The machine before the program enters its namespaces: devices and a named log are opened here, with the permissions of the
//! user who started it. They stay open inside.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// The effects that are possible there. No thread may start, because the namespaces come later.
#[derive(Debug, Default)]
pub struct BeforeNamespaces;

impl BeforeNamespaces {
    /// Prints a line on the terminal.
    pub fn show(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// Asks the user, with echo; returns an empty answer if there is no terminal.
    pub fn ask(&self, question: &str) -> io::Result<String> {
        io::stderr().write_all(question.as_bytes())?;
        let mut line = String::new();
        io::stdin().read_line(&mut line)?;
        Ok(line.trim_end_matches(['\n', '\r']).to_owned())
    }

    /// Opens the log that the user named, whatever it is.
    pub fn create_log(&self, path: &Path) -> io::Result<File> {
        File::create(path)
    }

    /// Opens a device for reading and writing. The kernel refuses this while any part of it is in use, and allows no mount
    /// until it is closed.
    pub fn open_device(&self, node: &Path) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).custom_flags(libc::O_EXCL).open(node)
    }
}
