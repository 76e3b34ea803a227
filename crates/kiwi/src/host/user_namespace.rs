//! Creates user namespaces.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use super::ids::Mapping;
use super::namespace_error::{NamespaceError, refused};
use super::sandbox;
use super::userns_diagnosis::Step;

/// Creates a user namespace with this mapping; runs `inside` there. A process that lives only meanwhile creates it. Must be called
/// while the process numbers of `/proc` are those of the caller.
pub(super) fn create(mapping: &Mapping, inside: impl FnOnce()) -> Result<OwnedFd, NamespaceError> {
    let (mut ready, mut ready_sender) = io::pipe()?;
    let (mut go, mut go_sender) = io::pipe()?;
    let Some(child) = sandbox::fork()? else {
        drop((ready, go_sender));
        let made = sandbox::unshare(libc::CLONE_NEWUSER);
        let code = made.err().map_or(0, |error| error.raw_os_error().unwrap_or(libc::EIO));
        let _ = ready_sender.write_all(&code.to_ne_bytes());
        if go.read_exact(&mut [0]).is_ok() {
            inside();
        }
        drop(ready_sender);
        std::process::exit(0);
    };
    drop((ready_sender, go));
    let mut answer = [0; 4];
    ready.read_exact(&mut answer)?;
    if answer != [0; 4] {
        let error = io::Error::from_raw_os_error(i32::from_ne_bytes(answer));
        return Err(refused(Step::Make)(error));
    }
    mapping.write(child)?;
    let users = File::open(format!("/proc/{child}/ns/user"))?;
    go_sender.write_all(&[1])?;
    // The child has ended when the other end is closed.
    ready.read_to_end(&mut Vec::new())?;
    Ok(users.into())
}
