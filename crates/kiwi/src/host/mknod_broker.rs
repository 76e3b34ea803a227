//! Answers system calls about device nodes in a sandbox: creates markers, and shows markers as nodes.
//!
//! ```text
//! child: mknod --> filter: ask --> thread of kiwi: takes the child's root, directory and umask --> creates a marker there
//! ```
//!
//! The thread enters the caller's view before it looks up the path: a path that the caller cannot reach or change cannot be
//! reached or changed by asking.

mod caller;

use std::io::{self, PipeReader, PipeWriter};
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{
    AtFlags, CWD, FileType, Gid, Mode, Stat, Uid, fchown, fstat, listxattr, llistxattr, statat,
};
use rustix::io::Errno;
use rustix::process::umask;

use self::caller::{Caller, Processes};
use super::device::{Device, is_marker, stands_for};
use super::sandbox;
use super::sandbox::notification::{Answer, Call, Listener};

/// The capability to create device nodes, a bit of `CapEff`.
const MAY_MAKE_NODES: u64 = 1 << 27;
/// Maximum size of a list of attribute names in bytes.
const NAMES: usize = 64 << 10;

/// The thread that answers while a child runs.
pub(super) struct BrokerThread {
    thread: JoinHandle<()>,
    stop: PipeWriter,
}

impl BrokerThread {
    pub(super) fn answer(listener: Listener) -> io::Result<Self> {
        let (stopped, stop) = io::pipe()?;
        let thread = std::thread::Builder::new().spawn(move || answer_all(&listener, &stopped))?;
        Ok(Self { thread, stop })
    }

    /// Stops it; call it after the child has ended.
    pub(super) fn stop(self) {
        drop(self.stop);
        let _ = self.thread.join();
    }
}

/// Answers until the other end of `stopped` is closed.
fn answer_all(listener: &Listener, stopped: &PipeReader) {
    // From here on root, directory and umask belong to this thread alone. Without that nobody answers, and the kernel fails
    // the calls.
    if sandbox::unshare(libc::CLONE_FS).is_err() {
        return;
    }
    let mut broker = None;
    loop {
        let mut events =
            [PollFd::new(listener, PollFlags::IN), PollFd::new(stopped, PollFlags::IN | PollFlags::HUP)];
        match poll(&mut events, None) {
            Err(Errno::INTR) => continue,
            Err(_) => return,
            Ok(_) => {}
        }
        if events[0].revents().contains(PollFlags::IN) {
            let Ok(call) = listener.receive() else { continue };
            let given = match &mut broker {
                Some(broker) => MknodBroker::answer(broker, &call),
                None => MknodBroker::new(listener).and_then(|new| broker.insert(new).answer(&call)),
            };
            listener.answer(&call, &given.unwrap_or_else(Answer::Failed));
        } else if !events[1].revents().is_empty() || !events[0].revents().is_empty() {
            return;
        }
    }
}

/// The state for answering.
struct MknodBroker<'l> {
    listener: &'l Listener,
    processes: Processes,
    /// The last caller that was shown something: its root is that of this thread.
    last: Option<Caller>,
}

impl<'l> MknodBroker<'l> {
    fn new(listener: &'l Listener) -> Result<Self, Errno> {
        Ok(Self { listener, processes: Processes::find()?, last: None })
    }

    fn answer(&mut self, call: &Call) -> Result<Answer, Errno> {
        let [first, second, third, fourth, ..] = call.arguments;
        // Arguments of 32 bits.
        let (base, flags) = (first as i32, AtFlags::from_bits_retain(fourth as u32));
        let none = libc::AT_FDCWD;
        match call.number {
            #[cfg(target_arch = "x86_64")]
            libc::SYS_mknod => self.make(call, none, first, [second, third]),
            libc::SYS_mknodat => self.make(call, base, second, [third, fourth]),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_stat => self.show(call, none, [first, second], AtFlags::empty()),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_lstat => self.show(call, none, [first, second], AtFlags::SYMLINK_NOFOLLOW),
            libc::SYS_newfstatat => self.show(call, base, [second, third], flags),
            libc::SYS_listxattr => self.hide(call, [first, second, third], true),
            libc::SYS_llistxattr => self.hide(call, [first, second, third], false),
            _ => Ok(Answer::Go),
        }
    }

    /// Opens the caller, and enters its root.
    fn open(&self, call: &Call) -> Result<Caller, Errno> {
        let caller = Caller::open(call.thread, &self.processes)?;
        // Only now it is certain that the process number was not reused.
        if !self.listener.is_waiting(call) {
            return Err(Errno::SRCH);
        }
        caller.enter_root()?;
        Ok(caller)
    }

    /// Creates a marker in the way the kernel creates a node.
    fn make(&mut self, call: &Call, base: i32, path: u64, [mode, number]: [u64; 2]) -> Result<Answer, Errno> {
        self.last = None;
        let caller = self.open(call)?;
        let facts = caller.facts()?;
        let path = caller.enter(base, caller.text(path)?)?;
        if facts.capabilities & MAY_MAKE_NODES == 0 || !self.processes.are_of_our_users(&caller)? {
            return Err(Errno::PERM);
        }
        // The kernel's number has 32 bits in the same layout as that of the C library.
        let number = number & 0xffff_ffff;
        let mode = mode as u32;
        let device = Device::new(FileType::from_raw_mode(mode), number).ok_or(Errno::INVAL)?;
        umask(Mode::from_raw_mode(facts.umask));
        let file = device.make(CWD, &path, mode & 0o7777)?;
        // It gets the owner of this thread, unless its directory assigns a group.
        let user = (facts.user != 0).then(|| Uid::from_raw(facts.user));
        let group = (facts.group != 0 && fstat(&file)?.st_gid == 0).then(|| Gid::from_raw(facts.group));
        fchown(&file, user, group)?;
        Ok(Answer::Value(0))
    }

    /// Returns the caller and the path at this address of its memory. A tool that writes images asks about every file and is
    /// trusted: it is not inspected again each time.
    fn shown(&mut self, call: &Call, base: i32, path: u64) -> Result<(&Caller, PathBuf), Errno> {
        // Memory of a program that starts another one cannot be read.
        let same = self.last.take_if(|last| last.thread == call.thread);
        let read = same.and_then(|last| last.text(path).ok().map(|text| (last, text)));
        let (caller, text) = match read {
            Some(read) => read,
            None => {
                let caller = self.open(call)?;
                let text = caller.text(path)?;
                (caller, text)
            }
        };
        let caller = self.last.insert(caller);
        let path = caller.enter(base, text)?;
        Ok((caller, path))
    }

    /// Answers `stat` of a marker with the node; the kernel answers everything else.
    fn show(
        &mut self,
        call: &Call,
        base: i32,
        [path, location]: [u64; 2],
        flags: AtFlags,
    ) -> Result<Answer, Errno> {
        let (caller, path) = self.shown(call, base, path)?;
        let Some(device) = known(&path, !flags.contains(AtFlags::SYMLINK_NOFOLLOW))? else {
            return Ok(Answer::Go);
        };
        let stat = statat(CWD, &path, flags)?;
        caller.write(location, &as_node(&stat, device))?;
        Ok(Answer::Value(0))
    }

    /// Lists the attributes of a marker without the one that makes it a marker.
    fn hide(&mut self, call: &Call, [path, location, room]: [u64; 3], follow: bool) -> Result<Answer, Errno> {
        let (caller, path) = self.shown(call, libc::AT_FDCWD, path)?;
        if known(&path, follow)?.is_none() {
            return Ok(Answer::Go);
        }
        let mut names = vec![0; NAMES];
        let count = if follow { listxattr(&path, &mut names) } else { llistxattr(&path, &mut names) }?;
        let shown: Vec<u8> = names[..count]
            .split_inclusive(|byte| *byte == 0)
            .filter(|name| !is_marker(&name[..name.len() - 1]))
            .flatten()
            .copied()
            .collect();
        if room != 0 {
            if shown.len() as u64 > room {
                return Err(Errno::RANGE);
            }
            caller.write(location, &shown)?;
        }
        Ok(Answer::Value(shown.len() as i64))
    }
}

/// Returns the device that a path refers to; for a missing path the kernel has the right error.
fn known(path: &Path, follow: bool) -> Result<Option<Device>, Errno> {
    match stands_for(path, follow) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG | Errno::ACCESS) => Ok(None),
        found => found,
    }
}

/// Returns what the kernel writes for `stat`, with the type and number of a node.
fn as_node(stat: &Stat, device: Device) -> Vec<u8> {
    let mut bytes = vec![0; size_of::<libc::stat>()];
    let mode = device.mode(stat.st_mode);
    let number = device.number();
    macro_rules! put {
        ($($field:ident: $kind:ty = $value:expr),* $(,)?) => {$(
            let location = offset_of!(libc::stat, $field);
            let value = ($value as $kind).to_ne_bytes();
            bytes[location..location + value.len()].copy_from_slice(&value);
        )*};
    }
    put! {
        st_dev: libc::dev_t = stat.st_dev,
        st_ino: libc::ino_t = stat.st_ino,
        st_nlink: libc::nlink_t = stat.st_nlink,
        st_mode: libc::mode_t = mode,
        st_uid: libc::uid_t = stat.st_uid,
        st_gid: libc::gid_t = stat.st_gid,
        st_rdev: libc::dev_t = number,
        st_blksize: libc::blksize_t = stat.st_blksize,
        st_atime: libc::time_t = stat.st_atime,
        st_atime_nsec: libc::c_long = stat.st_atime_nsec,
        st_mtime: libc::time_t = stat.st_mtime,
        st_mtime_nsec: libc::c_long = stat.st_mtime_nsec,
        st_ctime: libc::time_t = stat.st_ctime,
        st_ctime_nsec: libc::c_long = stat.st_ctime_nsec,
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_node_is_a_node_with_all_else_of_the_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let stat = rustix::fs::lstat(file.path()).unwrap();
        let bytes = as_node(&stat, Device { is_block: true, major: 8, minor: 17 });
        let number = |location: usize, length: usize| {
            bytes[location..location + length]
                .iter()
                .rev()
                .fold(0_u64, |number, byte| number << 8 | u64::from(*byte))
        };
        assert_eq!(number(offset_of!(libc::stat, st_mode), 4), 0o060_600);
        assert_eq!(number(offset_of!(libc::stat, st_rdev), 8), 0x811);
        assert_eq!(number(offset_of!(libc::stat, st_ino), 8), stat.st_ino);
        assert_eq!(number(offset_of!(libc::stat, st_mtime_nsec), 8), stat.st_mtime_nsec);
        assert_eq!(number(offset_of!(libc::stat, st_size), 8), 0);
    }
}
