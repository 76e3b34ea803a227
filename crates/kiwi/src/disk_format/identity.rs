//! Replaces the identifiers and times that qemu-img generates for each file by those of the build.
//!
//! Formats: VDI header (VirtualBox, VDICore.h), VHD footer (Virtual Hard Disk Image Format Specification 1.0, "Hard Disk
//! Footer Format"), VHDX headers and regions ([MS-VHDX] 2.2 and 2.6), VMDK descriptor (Virtual Disk Format 5.0).

use std::fs::File;
use std::os::unix::fs::FileExt;

use anyhow::{Context, Result, ensure};
use byteorder::{ByteOrder, LE};
use crc::{CRC_32_ISCSI, Crc};
use description::DiskFormat;

const CRC32C: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Sets the identifiers of a newly converted file to `id` and removes times and host names.
pub(super) fn finish(format: DiskFormat, file: &File, id: [u8; 16]) -> Result<()> {
    match format {
        DiskFormat::Raw
        | DiskFormat::Qcow2
        | DiskFormat::Qcow
        | DiskFormat::Parallels
        | DiskFormat::Gce
        | DiskFormat::Vagrant => Ok(()),
        DiskFormat::Vdi => vdi(file, id),
        DiskFormat::Vmdk | DiskFormat::Ova => vmdk(file, id),
        DiskFormat::Vpc | DiskFormat::VhdFixed => {
            let mut start = [0; 8];
            file.read_exact_at(&mut start, 0)?;
            // One with a fixed size has no copy of its footer at the start.
            if start == *b"conectix" {
                vhd_footer(file, 0, id)?;
            }
            vhd_footer(file, file.metadata()?.len() - 512, id)
        }
        DiskFormat::Vhdx => vhdx(file, id),
    }
}

/// Derives an identifier for another purpose.
fn other(id: [u8; 16], number: u8) -> [u8; 16] {
    let mut other = id;
    other[15] ^= number;
    other
}

/// Sets the UUIDs of a VDI image and of its last change.
fn vdi(file: &File, id: [u8; 16]) -> Result<()> {
    file.write_all_at(&id, 0x188)?;
    file.write_all_at(&other(id, 1), 0x198).context("writing the UUIDs of a VDI")
}

/// Sets the content id of a VMDK, eight hexadecimal digits in the text of its descriptor.
fn vmdk(file: &File, id: [u8; 16]) -> Result<()> {
    let mut start = vec![0; 64 << 10];
    let count = file.read_at(&mut start, 0)?;
    let mark = b"\nCID=";
    let offset = start[..count].windows(mark.len()).position(|bytes| bytes == mark);
    let offset = offset.context("the descriptor of a VMDK has no content id")? + mark.len();
    // qemu-img writes it without leading zeros, so that the following bytes move by up to seven.
    let rest = &start[offset..count];
    let line = rest.iter().position(|byte| *byte == b'\n').context("the content id of a VMDK has no end")?;
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    // All ones mean that there is no parent.
    let digits = format!("{:08x}", u32::from_be_bytes([id[0], id[1], id[2], id[3]]) & 0x7fff_ffff);
    let text = [digits.as_bytes(), &rest[line..end]].concat();
    file.write_all_at(&text, offset as u64).context("cannot write the content id of a VMDK")
}

/// Sets time (seconds since 2000: 0), UUID and checksum of the footer of a VHD.
fn vhd_footer(file: &File, offset: u64, id: [u8; 16]) -> Result<()> {
    let mut footer = [0; 512];
    file.read_exact_at(&mut footer, offset)?;
    ensure!(footer.starts_with(b"conectix"), "the VHD has no footer at byte {offset}");
    footer[24..28].fill(0);
    footer[68..84].copy_from_slice(&id);
    footer[64..68].fill(0);
    let sum = !footer.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    footer[64..68].copy_from_slice(&sum.to_be_bytes());
    file.write_all_at(&footer, offset).context("cannot write the footer of a VHD")
}

const VHDX_HEADERS: [u64; 2] = [64 << 10, 128 << 10];
const VHDX_REGIONS: u64 = 192 << 10;
/// Returns a GUID as a VHDX stores it.
const METADATA_REGION: [u8; 16] =
    [0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e];
const DISK_ID_ITEM: [u8; 16] =
    [0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45, 0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46];

/// Sets the GUIDs of both headers and of the disk, and the sequence numbers of the headers, which start at any value, and
/// clears the unused log.
fn vhdx(file: &File, id: [u8; 16]) -> Result<()> {
    let mut numbers = [0; 2];
    for (number, offset) in numbers.iter_mut().zip(VHDX_HEADERS) {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, offset + 8)?;
        *number = u64::from_le_bytes(bytes);
    }
    // The header with the higher number is valid.
    let numbers: [u64; 2] = if numbers[0] < numbers[1] { [1, 2] } else { [2, 1] };
    for (offset, number) in VHDX_HEADERS.into_iter().zip(numbers) {
        let mut header = [0; 4096];
        file.read_exact_at(&mut header, offset)?;
        ensure!(header.starts_with(b"head"), "the VHDX has no header at byte {offset}");
        header[8..16].copy_from_slice(&number.to_le_bytes());
        header[16..32].copy_from_slice(&other(id, 1));
        header[32..48].copy_from_slice(&other(id, 2));
        if header[48..64] == [0; 16] {
            let (length, log) = (LE::read_u32(&header[68..]), LE::read_u64(&header[72..]));
            file.write_all_at(&vec![0; length as usize], log).context("cannot clear the log of a VHDX")?;
        }
        header[4..8].fill(0);
        let sum = CRC32C.checksum(&header);
        header[4..8].copy_from_slice(&sum.to_le_bytes());
        file.write_all_at(&header, offset).context("cannot write a header of a VHDX")?;
    }
    let region = entry_of(file, VHDX_REGIONS, METADATA_REGION, 16)?;
    let metadata = LE::read_u64(&region[16..]);
    let item = entry_of(file, metadata, DISK_ID_ITEM, 32)?;
    let offset = metadata + u64::from(LE::read_u32(&item[16..]));
    file.write_all_at(&id, offset).context("cannot write the disk id of a VHDX")
}

/// Returns the entry of 32 bytes that starts with `guid`, in a table whose entries start at byte `head`.
fn entry_of(file: &File, table: u64, guid: [u8; 16], head: u64) -> Result<[u8; 32]> {
    for number in 0..1024 {
        let mut entry = [0; 32];
        file.read_exact_at(&mut entry, table + head + number * 32)?;
        if entry.starts_with(&guid) {
            return Ok(entry);
        }
    }
    anyhow::bail!("the table at byte {table} of a VHDX lacks an entry")
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test asks the foreign tool")]
mod tests {
    use std::path::Path;

    use test_programs::{command, have};

    use super::*;

    fn qemu_img(arguments: &[&str], files: [&Path; 2]) {
        let output = command("qemu-img").args(arguments).args(files).output().unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "qemu-img {arguments:?}: {text}");
    }

    #[test]
    fn content_ids_of_any_length_give_the_same_descriptor() {
        let directory = tempfile::tempdir().unwrap();
        let finished = ["CID=1a2b3c4d", "CID=7f"].map(|written| {
            let path = directory.path().join("descriptor");
            let text = format!("# Disk DescriptorFile\n{written}\nparentCID=ffffffff\n");
            std::fs::write(&path, &[text.as_bytes(), &[0; 64]].concat()[..100]).unwrap();
            vmdk(&File::options().read(true).write(true).open(&path).unwrap(), [0x42; 16]).unwrap();
            String::from_utf8(std::fs::read(path).unwrap()).unwrap()
        });
        assert!(finished[0].contains("\nCID=42424242\nparentCID=ffffffff\n\0"), "{}", finished[0]);
        assert_eq!(finished[0], finished[1]);
    }

    #[test]
    fn gives_equal_files_that_still_contain_the_disk() {
        if !have(&["qemu-img"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let raw = directory.path().join("raw");
        std::fs::write(&raw, [vec![7; 1 << 20], vec![0; 3 << 20], vec![9; 1 << 20]].concat()).unwrap();
        for (format, name, options) in [
            (DiskFormat::Vdi, "vdi", ""),
            (DiskFormat::Vmdk, "vmdk", ""),
            (DiskFormat::Vpc, "vpc", "force_size=on"),
            (DiskFormat::VhdFixed, "vpc", "subformat=fixed,force_size=on"),
            (DiskFormat::Vhdx, "vhdx", ""),
        ] {
            // A VMDK contains its own file name.
            let files = ["one", "other"].map(|part| directory.path().join(part).join(format!("disk.{name}")));
            for file in &files {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                let mut arguments = vec!["convert", "-f", "raw", "-O", name];
                arguments.extend(if options.is_empty() { vec![] } else { vec!["-o", options] });
                qemu_img(&arguments, [&raw, file]);
                let opened = File::options().read(true).write(true).open(file).unwrap();
                finish(format, &opened, [0x42; 16]).unwrap();
                qemu_img(&["compare", "-f", "raw", "-F", name], [&raw, file]);
            }
            let [one, other] = files.map(|file| std::fs::read(file).unwrap());
            assert!(one == other, "two files of format {name} {options} differ");
        }
    }
}
