//! Whether KVM executes machines here.
//!
//! On some hosts `/dev/kvm` can be opened, and machines fail, hang, or get no further than their firmware: inside of a virtual machine,
//! KVM may interpret every instruction of 64-bit code, a thousand times slower than QEMU's emulation. So a short program must
//! first come to its end in a machine.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::fs::{Access, access};

use crate::host::Host;

/// Time limit for the firmware and the program; on a processor they need a fraction of a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the program writes to QEMU's port for messages of firmware, 0x402.
const MESSAGE: &str = "64-bit code runs";

/// Bytes of a boot sector, without the mark at its end.
const LENGTH: usize = 510;

/// The program: a boot sector that the firmware loads to 0x7c00. It enters the 64-bit mode with one page of 2 MiB, counts from a
/// hundred million to zero and writes the message that follows it.
#[rustfmt::skip]
const PROGRAM: [u8; 136] = [
    0xfa,                                     // cli
    0xfc,                                     // cld
    0x31, 0xc0,                               // xor %ax, %ax
    0x8e, 0xd8,                               // mov %ax, %ds
    0x8e, 0xc0,                               // mov %ax, %es
    // Three page tables below each other.
    0xbf, 0x00, 0x10,                         // mov $0x1000, %di
    0xb9, 0x00, 0x18,                         // mov $0x1800, %cx
    0xf3, 0xab,                               // rep stosw
    0xc7, 0x06, 0x00, 0x10, 0x03, 0x20,       // movw $0x2003, 0x1000
    0xc7, 0x06, 0x00, 0x20, 0x03, 0x30,       // movw $0x3003, 0x2000
    0xc7, 0x06, 0x00, 0x30, 0x83, 0x00,       // movw $0x0083, 0x3000
    0x66, 0xb8, 0x00, 0x10, 0x00, 0x00,       // mov $0x1000, %eax
    0x0f, 0x22, 0xd8,                         // mov %eax, %cr3
    // PAE in CR4, LME in EFER, PG and PE in CR0.
    0x0f, 0x20, 0xe0,                         // mov %cr4, %eax
    0x0c, 0x20,                               // or $0x20, %al
    0x0f, 0x22, 0xe0,                         // mov %eax, %cr4
    0x66, 0xb9, 0x80, 0x00, 0x00, 0xc0,       // mov $0xc0000080, %ecx
    0x0f, 0x32,                               // rdmsr
    0x80, 0xcc, 0x01,                         // or $0x01, %ah
    0x0f, 0x30,                               // wrmsr
    0x0f, 0x20, 0xc0,                         // mov %cr0, %eax
    0x66, 0x0d, 0x01, 0x00, 0x00, 0x80,       // or $0x80000001, %eax
    0x0f, 0x22, 0xc0,                         // mov %eax, %cr0
    0x0f, 0x01, 0x16, 0x72, 0x7c,             // lgdt 0x7c72
    0xea, 0x56, 0x7c, 0x08, 0x00,             // ljmp $0x08, $0x7c56
    // 0x7c56, 64-bit code
    0xb9, 0x00, 0xe1, 0xf5, 0x05,             // mov $100000000, %ecx
    0xff, 0xc9,                               // 1: dec %ecx
    0x75, 0xfc,                               // jnz 1b
    0x66, 0xba, 0x02, 0x04,                   // mov $0x402, %dx
    0xbe, 0x88, 0x7c, 0x00, 0x00,             // mov $0x7c88, %esi
    0xb9, 0x11, 0x00, 0x00, 0x00,             // mov $17, %ecx
    0xf3, 0x6e,                               // rep outsb
    0xf4,                                     // 2: hlt
    0xeb, 0xfd,                               // jmp 2b
    // 0x7c72, the location of the descriptor table
    0x0f, 0x00, 0x78, 0x7c, 0x00, 0x00,
    // 0x7c78, the table: nothing, and a segment of 64-bit code
    0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00, 0x9a, 0x20, 0x00,
    // 0x7c88, the message
];

/// Returns why machines cannot use KVM with this host's processor; `None` if they can.
pub(super) fn obstacle(program: &Path, scratch: &Path, host: &Host) -> Result<Option<&'static str>> {
    let device = Path::new("/dev/kvm");
    let obstacle = if !device.exists() {
        Some("/dev/kvm does not exist")
    } else if access(device, Access::READ_OK | Access::WRITE_OK).is_err() {
        Some("you may not open /dev/kvm")
    } else if !executes(program, ["kvm", "host"], PATIENCE, scratch, host)? {
        Some("KVM does not execute 64-bit code here")
    } else {
        None
    };
    Ok(obstacle)
}

/// Returns whether a machine with this accelerator and processor executes the program within this time.
fn executes(
    program: &Path,
    [accelerator, processor]: [&str; 2],
    limit: Duration,
    scratch: &Path,
    host: &Host,
) -> Result<bool> {
    let sector = scratch.join("probe");
    host.write_file(&sector, boot_sector()).context("writing the trial of KVM")?;
    let arguments = [
        "-accel",
        accelerator,
        "-cpu",
        processor,
        "-m",
        "32",
        "-nodefaults",
        "-display",
        "none",
        "-chardev",
        "stdio,id=messages",
        "-device",
        "isa-debugcon,iobase=0x402,chardev=messages",
        "-drive",
        &format!("{},if=ide,snapshot=on", super::file(&sector, "raw")),
    ];
    Ok(host.says(program, &arguments, MESSAGE, limit))
}

fn boot_sector() -> Vec<u8> {
    let mut sector = [&PROGRAM[..], MESSAGE.as_bytes(), b"\n"].concat();
    sector.resize(LENGTH, 0);
    sector.extend([0x55, 0xaa]);
    sector
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Output;

    #[test]
    fn the_program_runs_in_an_emulated_machine() {
        if !test_programs::have(&["qemu-system-x86_64"]) {
            return;
        }
        let (scratch, host) = (tempfile::tempdir().unwrap(), Host::new(Output::Quiet));
        let program = host.find_program("qemu-system-x86_64").unwrap();
        let executes = |processor: &str, seconds: u64| {
            let limit = Duration::from_secs(seconds);
            super::executes(&program, ["tcg", processor], limit, scratch.path(), &host).unwrap()
        };
        assert!(executes("max", 60));
        // A processor without the 64-bit mode does not come to the message.
        assert!(!executes("qemu32", 3));
    }
}
