//! System calls of a child that another process answers instead of the kernel (`SECCOMP_RET_USER_NOTIF`).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::UnixStream;

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

use super::check;

/// `SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP` of the kernel's `seccomp.h`.
const TAKE_TURNS: libc::c_ulong = 1;

/// A call that waits for its answer.
pub(in super::super) struct Call {
    /// Its identifier.
    pub(in super::super) id: u64,
    /// The calling thread, as numbered in the pid namespace of the listener.
    pub(in super::super) thread: u32,
    pub(in super::super) number: libc::c_long,
    pub(in super::super) arguments: [u64; 6],
}

/// The answer to a call.
pub(in super::super) enum Answer {
    /// Return this value.
    Value(i64),
    Failed(Errno),
    /// Let the kernel execute it.
    Go,
}

/// Receives the calls of a child.
pub(in super::super) struct Listener(OwnedFd);

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl Listener {
    /// Receives what a child sent by `send_listener`; none if it sent nothing and no longer can.
    pub(in super::super) fn take(socket: &UnixStream) -> Option<Self> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut byte = [0];
        recvmsg(socket, &mut [IoSliceMut::new(&mut byte)], &mut control, RecvFlags::CMSG_CLOEXEC).ok()?;
        let listener = control.drain().find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut files) => files.next(),
            _ => None,
        })?;
        // Both sides take turns on one processor, which is several times faster (since Linux 6.6).
        // SAFETY: a system call without pointers.
        unsafe {
            libc::ioctl(listener.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SET_FLAGS, TAKE_TURNS);
        }
        Some(Self(listener))
    }

    /// Receives the next call; an error if there is none.
    pub(in super::super) fn receive(&self) -> io::Result<Call> {
        // SAFETY: the kernel wants the structure zeroed and fills it; all its bytes are numbers.
        let call = unsafe {
            let mut call: libc::seccomp_notif = std::mem::zeroed();
            check(libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut call))?;
            call
        };
        Ok(Call { id: call.id, thread: call.pid, number: call.data.nr.into(), arguments: call.data.args })
    }

    /// Whether the call still waits: until then its thread is the one that made it.
    pub(in super::super) fn is_waiting(&self, call: &Call) -> bool {
        // SAFETY: a system call with a valid pointer.
        let waiting = unsafe {
            libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_ID_VALID, &raw const call.id)
        };
        waiting == 0
    }

    /// Answers a call; a call that no longer waits is ignored.
    pub(in super::super) fn answer(&self, call: &Call, answer: &Answer) {
        let (val, error, flags) = match answer {
            Answer::Value(value) => (*value, 0, 0),
            Answer::Failed(error) => (0, -error.raw_os_error(), 0),
            Answer::Go => (0, 0, libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32),
        };
        let response = libc::seccomp_notif_resp { id: call.id, val, error, flags };
        // SAFETY: a system call with a valid pointer.
        unsafe { libc::ioctl(self.0.as_raw_fd(), libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const response) };
    }
}

/// Installs a filter for this process and its children; with the flag for it, returns the listener.
pub(super) fn set_filter(filter: &[libc::sock_filter], flags: libc::c_ulong) -> io::Result<libc::c_int> {
    let program =
        libc::sock_fprog { len: filter.len() as libc::c_ushort, filter: filter.as_ptr().cast_mut() };
    // Without it older kernels enable slow mitigations for processes that use filters.
    let flags = flags | libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // SAFETY: a system call with a valid pointer.
    let set =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) }
            as libc::c_int;
    check(set).map(|()| set)
}

/// Installs a filter and sends its listener.
pub(super) fn send_listener(filter: &[libc::sock_filter], socket: &UnixStream) -> io::Result<()> {
    if filter.is_empty() {
        return Err(Errno::NOSYS.into());
    }
    let new = libc::SECCOMP_FILTER_FLAG_NEW_LISTENER;
    // Otherwise a signal would restart a call that was half answered; kernels before 5.19 do not have the flag.
    let listener = match set_filter(filter, new | libc::SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) {
        Err(error) if error.raw_os_error() == Some(libc::EINVAL) => set_filter(filter, new),
        set => set,
    }?;
    // SAFETY: the kernel has just opened it for us.
    let listener = unsafe { OwnedFd::from_raw_fd(listener) };
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let files = [listener.as_fd()];
    control.push(SendAncillaryMessage::ScmRights(&files));
    sendmsg(socket, &[IoSlice::new(&[0])], &mut control, SendFlags::NOSIGNAL)?;
    Ok(())
}
