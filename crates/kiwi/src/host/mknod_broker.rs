//! Answers what programs in a sandbox ask about device nodes: makes stand-ins, and shows those as the nodes.
//!
//! ```text
//! child: mknod --> filter: ask --> thread of kiwi: takes the child's root, directory and umask --> a stand-in, there
//! ```
//!
//! The thread enters the view of who asks before it looks up the path: what that one cannot reach, or may only read,
//! cannot be reached or changed by asking.

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

/// The capability to make device nodes, a bit of `CapEff`.
const MAY_MAKE_NODES: u64 = 1 << 27;
/// The most bytes that names of attributes take.
const NAMES: usize = 64 << 10;

/// The thread that answers, as long as a child runs.
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

    /// Ends it; to be called when the child has ended.
    pub(super) fn stop(self) {
        drop(self.stop);
        let _ = self.thread.join();
    }
}

/// Until the other end of `stopped` is closed.
fn answer_all(listener: &Listener, stopped: &PipeReader) {
    // Root, directory and umask are those of this thread alone from here on. Without that nobody answers, which the kernel
    // tells who asks.
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

/// Who answers.
struct MknodBroker<'l> {
    listener: &'l Listener,
    processes: Processes,
    /// Who was shown something last: its root is that of this thread.
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

    /// Opens who asks, and takes its root.
    fn open(&self, call: &Call) -> Result<Caller, Errno> {
        let caller = Caller::open(call.thread, &self.processes)?;
        // Only now it is sure that this is not another one with the number of one that has ended.
        if !self.listener.is_waiting(call) {
            return Err(Errno::SRCH);
        }
        caller.enter_root()?;
        Ok(caller)
    }

    /// Makes a stand-in as the kernel would make the node.
    fn make(&mut self, call: &Call, base: i32, path: u64, [mode, number]: [u64; 2]) -> Result<Answer, Errno> {
        self.last = None;
        let caller = self.open(call)?;
        let facts = caller.facts()?;
        let path = caller.enter(base, caller.text(path)?)?;
        if facts.capabilities & MAY_MAKE_NODES == 0 || !self.processes.are_of_our_users(&caller)? {
            return Err(Errno::PERM);
        }
        // The kernel's number has 32 bits, which lie as those of the C library's.
        let number = number & 0xffff_ffff;
        let mode = mode as u32;
        let device = Device::new(FileType::from_raw_mode(mode), number).ok_or(Errno::INVAL)?;
        umask(Mode::from_raw_mode(facts.umask));
        let file = device.make(CWD, &path, mode & 0o7777)?;
        // It belongs to this thread's root, but for a group that its directory gave it.
        let user = (facts.user != 0).then(|| Uid::from_raw(facts.user));
        let group = (facts.group != 0 && fstat(&file)?.st_gid == 0).then(|| Gid::from_raw(facts.group));
        fchown(&file, user, group)?;
        Ok(Answer::Value(0))
    }

    /// Who asks and the path at this location of its memory. A tool that writes images asks about every file, and is ours to
    /// trust: it is not looked at anew each time.
    fn shown(&mut self, call: &Call, base: i32, path: u64) -> Result<(&Caller, PathBuf), Errno> {
        // Memory that was given up, by a program that runs another one, cannot be read.
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

    /// Tells of a stand-in what `stat` tells of the node; the kernel tells of everything else.
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

    /// Names the attributes of a stand-in without the one that makes it one.
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

/// The device that a path stands for; where nothing is found the kernel has the keywords for that.
fn known(path: &Path, follow: bool) -> Result<Option<Device>, Errno> {
    match stands_for(path, follow) {
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG | Errno::ACCESS) => Ok(None),
        found => found,
    }
}

/// What the kernel writes for `stat`, the kind and number being those of a node.
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
