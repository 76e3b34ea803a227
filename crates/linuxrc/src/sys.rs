//! The system calls that Rust cannot check. All of linuxrc's unsafe code is here.
#![allow(unsafe_code, reason = "the one file of linuxrc that may; each block says why it holds")]

use std::ffi::{CString, c_int, c_void};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use ondisk::Bytes;
use rustix::ioctl::{IntegerSetter, NoArg, Setter, ioctl, opcode};

/// Loads the module in the file `path`. A module that is already loaded is fine.
pub(crate) fn insert_module(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    match rustix::system::finit_module(&file, c"", 0) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Makes the kernel read the partition table of `disk` again. Fails while one of its partitions is in use.
pub(crate) fn reread_partition_table(disk: &File) -> io::Result<()> {
    const BLKRRPART: u32 = opcode::none(0x12, 95);
    // SAFETY: BLKRRPART takes no argument.
    unsafe { ioctl(disk, NoArg::<BLKRRPART>::new()) }.map_err(io::Error::from)
}

/// Opens the tray of a CD drive. Fails if there is no tray, and while the medium is mounted.
pub(crate) fn eject(drive: &File) -> io::Result<()> {
    const CDROMEJECT: u32 = 0x5309;
    // SAFETY: CDROMEJECT takes no argument.
    unsafe { ioctl(drive, NoArg::<CDROMEJECT>::new()) }.map_err(io::Error::from)
}

/// `struct blkpg_partition` of linux/blkpg.h.
#[repr(C)]
struct BlkpgPartition {
    start: i64,
    length: i64,
    number: c_int,
    device_name: [u8; 64],
    volume_name: [u8; 64],
}

/// `struct blkpg_ioctl_arg` of linux/blkpg.h.
#[repr(C)]
struct BlkpgArgument {
    operation: c_int,
    flags: c_int,
    length: c_int,
    partition: *mut c_void,
}

/// A change of the kernel's view of a disk's partitions; the table on the disk is not changed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PartitionChange {
    /// It is new.
    Add,
    /// It no longer exists.
    Remove,
    /// It has a new length.
    Resize,
}

/// Tells the kernel about partition `number` of `disk`, in bytes. Resizing works while it is mounted.
pub(crate) fn change_partition(
    disk: &File,
    change: PartitionChange,
    number: u32,
    Bytes(start): Bytes,
    Bytes(length): Bytes,
) -> io::Result<()> {
    const BLKPG: u32 = opcode::none(0x12, 105);
    let operation = match change {
        PartitionChange::Add => 1,
        PartitionChange::Remove => 2,
        PartitionChange::Resize => 3,
    };
    let too_large = |_| io::Error::from(io::ErrorKind::InvalidInput);
    let mut partition = BlkpgPartition {
        start: start.try_into().map_err(too_large)?,
        length: length.try_into().map_err(too_large)?,
        number: number.try_into().map_err(too_large)?,
        device_name: [0; 64],
        volume_name: [0; 64],
    };
    let argument = BlkpgArgument {
        operation,
        flags: 0,
        length: size_of::<BlkpgPartition>() as c_int,
        partition: (&raw mut partition).cast(),
    };
    // SAFETY: BLKPG reads one blkpg_ioctl_arg, whose pointer is to `partition`, alive until after the call.
    unsafe { ioctl(disk, Setter::<BLKPG, _>::new(argument)) }.map_err(io::Error::from)
}

/// Grows the mounted ext2, ext3 or ext4 at `mount_point` to `blocks` of its own blocks.
pub(crate) fn grow_ext(mount_point: &File, blocks: u64) -> io::Result<()> {
    rustix::fs::ext4_ioc_resize_fs(mount_point, blocks).map_err(io::Error::from)
}

/// `struct xfs_growfs_data` of xfs_fs.h.
#[repr(C)]
struct XfsGrowData {
    new_blocks: u64,
    inode_percentage: u32,
}

/// Grows the mounted XFS at `mount_point` to `blocks`, keeping its share of `inode_percentage` for inodes.
pub(crate) fn grow_xfs(mount_point: &File, blocks: u64, inode_percentage: u8) -> io::Result<()> {
    const FSGROWFSDATA: u32 = opcode::write::<XfsGrowData>(b'X', 110);
    let argument = XfsGrowData { new_blocks: blocks, inode_percentage: inode_percentage.into() };
    // SAFETY: FSGROWFSDATA reads one xfs_growfs_data.
    unsafe { ioctl(mount_point, Setter::<FSGROWFSDATA, _>::new(argument)) }.map_err(io::Error::from)
}

/// `struct btrfs_ioctl_vol_args` of linux/btrfs.h.
#[repr(C)]
struct BtrfsVolumeArguments {
    fd: i64,
    name: [u8; 4088],
}

/// Grows device `id` of the mounted Btrfs at `mount_point` to the size of the device.
pub(crate) fn grow_btrfs(mount_point: &File, id: u64) -> io::Result<()> {
    const RESIZE: u32 = opcode::write::<BtrfsVolumeArguments>(0x94, 3);
    let mut argument = BtrfsVolumeArguments { fd: 0, name: [0; 4088] };
    let request = format!("{id}:max");
    argument.name[..request.len()].copy_from_slice(request.as_bytes());
    // SAFETY: RESIZE reads one btrfs_ioctl_vol_args; its name ends with a NUL, because it is shorter than its field.
    unsafe { ioctl(mount_point, Setter::<RESIZE, _>::new(argument)) }.map_err(io::Error::from)
}

/// Creates the loop device `number`, through /dev/loop-control. An existing one is fine.
pub(crate) fn add_loop_device(control: &File, number: usize) -> io::Result<()> {
    const LOOP_CTL_ADD: u32 = 0x4c80;
    // SAFETY: LOOP_CTL_ADD takes a number.
    match unsafe { ioctl(control, IntegerSetter::<LOOP_CTL_ADD>::new_usize(number)) } {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Attaches `file` to the loop device, writable if the file was opened so. The kernel keeps the file open.
pub(crate) fn attach_loop_device(device: &File, file: &File) -> io::Result<()> {
    const LOOP_SET_FD: u32 = 0x4c00;
    let descriptor = usize::try_from(file.as_raw_fd()).map_err(io::Error::other)?;
    // SAFETY: LOOP_SET_FD takes the number of an open descriptor, and `file` is open until after the call.
    unsafe { ioctl(device, IntegerSetter::<LOOP_SET_FD>::new_usize(descriptor)) }.map_err(io::Error::from)
}

/// Lets `socket` use the network card `name` only. An unprivileged process may do so once per socket.
pub(crate) fn bind_to_device(socket: impl AsFd, name: &str) -> io::Result<()> {
    let length = libc::socklen_t::try_from(name.len()).map_err(io::Error::other)?;
    // SAFETY: SO_BINDTODEVICE reads `length` bytes of the name, which is alive until after the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_BINDTODEVICE,
            name.as_ptr().cast(),
            length,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Lets the kernel use the swap space on `device`.
pub(crate) fn swap_on(device: &Path) -> io::Result<()> {
    let path = CString::new(device.as_os_str().as_bytes()).map_err(io::Error::other)?;
    // SAFETY: swapon(2) reads the path, which ends with a zero byte and is alive until after the call.
    let result = unsafe { libc::swapon(path.as_ptr(), 0) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Lets a program start with the directory `root` as its `/`.
pub(crate) fn enter_root(command: &mut Command, root: &Path) {
    let root = root.to_owned();
    // SAFETY: between fork and exec only the system calls chroot and chdir are made, on a path that was allocated before.
    unsafe {
        command.pre_exec(move || {
            rustix::process::chroot(&root)?;
            Ok(rustix::process::chdir("/")?)
        })
    };
}
