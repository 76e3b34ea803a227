//! Files that are mounted like devices.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::machine::Machine;
use crate::sys;

/// Maximum number of loop devices.
const TRIED: usize = 16;

/// Attaches the file `path` to a loop device; returns its path.
pub(crate) fn attach(machine: &Machine, path: &Path, writable: bool) -> io::Result<PathBuf> {
    let file = OpenOptions::new().read(true).write(writable).open(path)?;
    let control = File::open(machine.dev.join("loop-control"))?;
    for number in 0..TRIED {
        sys::add_loop_device(&control, number)?;
        let path = machine.dev.join(format!("loop{number}"));
        let device = OpenOptions::new().read(true).write(writable).open(&path)?;
        match sys::attach_loop_device(&device, &file) {
            Ok(()) => return Ok(path),
            Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {}
            Err(error) => return Err(error),
        }
    }
    Err(Errno::BUSY.into())
}
