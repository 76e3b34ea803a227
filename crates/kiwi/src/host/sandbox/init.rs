//! The program of pid 1 of a sandbox: it waits for the processes of its namespace and ends with the status of the first one.
//!
//! It is a program of its own, so that pid 1 contains nothing of kiwi: no environment, memory, name or open file. Its few
//! instructions are part of kiwi; they are copied into a file in memory that nobody can change, not even by `/proc/1/exe`.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use rustix::io::Errno;

/// Where the program is in memory when it runs.
const ADDRESS: u64 = 0x40_0000;
/// Sizes of the two headers of an ELF file with one segment.
const HEADER: u16 = 64;
const SEGMENT: u16 = 56;

// A loop around wait4(-1, status, 0, 0) until that returns 2, the number of pid 1's first child, or fails other than by EINTR.
// The exit code is that of the child, 128 plus its signal, or 127.
#[cfg(target_arch = "x86_64")]
std::arch::global_asm!(
    ".pushsection .rodata.kiwi_init, \"a\", @progbits",
    ".hidden kiwi_init",
    ".globl kiwi_init",
    "kiwi_init:",
    "sub rsp, 16",
    "2:",
    "mov eax, 61",
    "mov rdi, -1",
    "mov rsi, rsp",
    "xor edx, edx",
    "xor r10d, r10d",
    "syscall",
    "cmp eax, 2",
    "je 3f",
    "test eax, eax",
    "jns 2b",
    "cmp eax, -4",
    "je 2b",
    "mov edi, 127",
    "jmp 5f",
    "3:",
    "mov edi, [rsp]",
    "test edi, 0x7f",
    "jz 4f",
    "and edi, 0x7f",
    "add edi, 128",
    "jmp 5f",
    "4:",
    "shr edi, 8",
    "and edi, 0xff",
    "5:",
    "mov eax, 231",
    "syscall",
    ".hidden kiwi_init_end",
    ".globl kiwi_init_end",
    "kiwi_init_end:",
    ".popsection",
);

#[cfg(target_arch = "aarch64")]
std::arch::global_asm!(
    ".pushsection .rodata.kiwi_init, \"a\", @progbits",
    ".balign 4",
    ".hidden kiwi_init",
    ".globl kiwi_init",
    "kiwi_init:",
    "sub sp, sp, #16",
    "2:",
    "mov x8, #260",
    "mov x0, #-1",
    "mov x1, sp",
    "mov x2, #0",
    "mov x3, #0",
    "svc #0",
    "cmp w0, #2",
    "b.eq 3f",
    "tbz w0, #31, 2b",
    "cmn w0, #4",
    "b.eq 2b",
    "mov w0, #127",
    "b 5f",
    "3:",
    "ldr w1, [sp]",
    "ands w0, w1, #0x7f",
    "b.eq 4f",
    "add w0, w0, #128",
    "b 5f",
    "4:",
    "ubfx w0, w1, #8, #8",
    "5:",
    "mov x8, #94",
    "svc #0",
    ".hidden kiwi_init_end",
    ".globl kiwi_init_end",
    "kiwi_init_end:",
    ".popsection",
);

/// Returns the instructions, and the number of the machine in an ELF header.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn instructions() -> Option<(&'static [u8], u16)> {
    unsafe extern "C" {
        static kiwi_init: u8;
        static kiwi_init_end: u8;
    }
    // SAFETY: both symbols are in one section of constants, in this order.
    let code = unsafe {
        let (start, end) = (&raw const kiwi_init, &raw const kiwi_init_end);
        std::slice::from_raw_parts(start, end.offset_from_unsigned(start))
    };
    Some((code, if cfg!(target_arch = "x86_64") { 62 } else { 183 }))
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
fn instructions() -> Option<(&'static [u8], u16)> {
    None
}

/// Returns the program as an ELF file of one segment.
fn program() -> Option<Vec<u8>> {
    let (code, machine) = instructions()?;
    let size = u64::from(HEADER + SEGMENT) + code.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |file: &mut Vec<u8>, number: u16| file.extend(number.to_le_bytes());
    let word = |file: &mut Vec<u8>, number: u32| file.extend(number.to_le_bytes());
    let long = |file: &mut Vec<u8>, number: u64| file.extend(number.to_le_bytes());
    // An executable file of this machine, version 1; entry, segments, no sections, no flags.
    half(&mut file, 2);
    half(&mut file, machine);
    word(&mut file, 1);
    long(&mut file, ADDRESS + u64::from(HEADER + SEGMENT));
    long(&mut file, HEADER.into());
    long(&mut file, 0);
    word(&mut file, 0);
    [HEADER, SEGMENT, 1, 0, 0, 0].into_iter().for_each(|number| half(&mut file, number));
    // The whole file is loaded, readable and executable.
    word(&mut file, 1);
    word(&mut file, 5);
    [0, ADDRESS, ADDRESS, size, size, 4096].into_iter().for_each(|number| long(&mut file, number));
    file.extend(code);
    Some(file)
}

/// Returns a file in memory with the program; none on a machine that it is not written for.
pub(in super::super) fn create() -> io::Result<Option<OwnedFd>> {
    let Some(program) = program() else { return Ok(None) };
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    // Kernels before 6.3 do not know that a file in memory can be marked as executable.
    let memory = match memfd_create("init", flags | MemfdFlags::EXEC) {
        Err(Errno::INVAL) => memfd_create("init", flags),
        created => created,
    }?;
    let mut file = File::from(memory);
    file.write_all(&program)?;
    fcntl_add_seals(&file, SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
    Ok(Some(file.into()))
}

/// Replaces the calling process by the program; returns if the kernel or a container forbids programs in memory.
pub(super) fn execute(program: BorrowedFd<'_>) {
    let arguments = [c"init".as_ptr(), std::ptr::null()];
    let environment: [*const libc::c_char; 1] = [std::ptr::null()];
    let here: &CStr = c"";
    // SAFETY: a system call with valid pointers to lists that end with a null pointer.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            program.as_raw_fd(),
            here.as_ptr(),
            arguments.as_ptr(),
            environment.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
}
