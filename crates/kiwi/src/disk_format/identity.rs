//! Identifiers and times that qemu-img makes up for each file, replaced by those of the build.
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

/// Makes the file, freshly converted, say that it is `id` and nothing of when and where it was made.
pub(super) fn finish(format: DiskFormat, file: &File, id: [u8; 16]) -> Result<()> {
    match format {
        DiskFormat::Raw | DiskFormat::Qcow2 | DiskFormat::Qcow | DiskFormat::Parallels => Ok(()),
        DiskFormat::Vdi => vdi(file, id),
        DiskFormat::Vmdk => vmdk(file, id),
        DiskFormat::Vpc => {
            vhd_footer(file, 0, id)?;
            vhd_footer(file, file.metadata()?.len() - 512, id)
        }
        DiskFormat::VhdFixed => vhd_footer(file, file.metadata()?.len() - 512, id),
        DiskFormat::Vhdx => vhdx(file, id),
    }
}

/// The same identifier for another purpose.
fn other(id: [u8; 16], number: u8) -> [u8; 16] {
    let mut other = id;
    other[15] ^= number;
    other
}

/// UUIDs of the image and of its last change.
fn vdi(file: &File, id: [u8; 16]) -> Result<()> {
    file.write_all_at(&id, 0x188)?;
    file.write_all_at(&other(id, 1), 0x198).context("writing the UUIDs of a VDI")
}

/// The content id, eight hexadecimal digits in the descriptor's text.
fn vmdk(file: &File, id: [u8; 16]) -> Result<()> {
    let mut start = vec![0; 64 << 10];
    let count = file.read_at(&mut start, 0)?;
    let mark = b"\nCID=";
    let location = start[..count].windows(mark.len()).position(|bytes| bytes == mark);
    let location = location.context("the descriptor of a VMDK has no content id")? + mark.len();
    // qemu-img writes it without leading zeros: what follows moves by up to seven bytes.
    let rest = &start[location..count];
    let line =
        rest.iter().position(|byte| *byte == b'\n').context("the content id of a VMDK does not end")?;
    let end = rest.iter().position(|byte| *byte == 0).unwrap_or(rest.len());
    // All ones stand for no parent.
    let digits = format!("{:08x}", u32::from_be_bytes([id[0], id[1], id[2], id[3]]) & 0x7fff_ffff);
    let text = [digits.as_bytes(), &rest[line..end]].concat();
    file.write_all_at(&text, location as u64).context("writing the content id of a VMDK")
}

/// Time (since 2000: none), UUID and the sum over the footer.
fn vhd_footer(file: &File, location: u64, id: [u8; 16]) -> Result<()> {
    let mut footer = [0; 512];
    file.read_exact_at(&mut footer, location)?;
    ensure!(footer.starts_with(b"conectix"), "there is no VHD footer at byte {location}");
    footer[24..28].fill(0);
    footer[68..84].copy_from_slice(&id);
    footer[64..68].fill(0);
    let sum = !footer.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    footer[64..68].copy_from_slice(&sum.to_be_bytes());
    file.write_all_at(&footer, location).context("writing the footer of a VHD")
}

const VHDX_HEADERS: [u64; 2] = [64 << 10, 128 << 10];
const VHDX_REGIONS: u64 = 192 << 10;
/// GUIDs as they stand in the file.
const METADATA_REGION: [u8; 16] =
    [0x06, 0xa2, 0x7c, 0x8b, 0x90, 0x47, 0x9a, 0x4b, 0xb8, 0xfe, 0x57, 0x5f, 0x05, 0x0f, 0x88, 0x6e];
const DISK_ID_ITEM: [u8; 16] =
    [0xab, 0x12, 0xca, 0xbe, 0xe6, 0xb2, 0x23, 0x45, 0x93, 0xef, 0xc3, 0x09, 0xe0, 0x00, 0xc7, 0x46];

/// The GUIDs of both headers and of the disk, and the headers' numbers, which start anywhere; the log, which is empty, is
/// emptied of what was in it.
fn vhdx(file: &File, id: [u8; 16]) -> Result<()> {
    let mut numbers = [0; 2];
    for (number, location) in numbers.iter_mut().zip(VHDX_HEADERS) {
        let mut bytes = [0; 8];
        file.read_exact_at(&mut bytes, location + 8)?;
        *number = u64::from_le_bytes(bytes);
    }
    // The newer of both is the one that counts.
    let numbers: [u64; 2] = if numbers[0] < numbers[1] { [1, 2] } else { [2, 1] };
    for (location, number) in VHDX_HEADERS.into_iter().zip(numbers) {
        let mut header = [0; 4096];
        file.read_exact_at(&mut header, location)?;
        ensure!(header.starts_with(b"head"), "there is no VHDX header at byte {location}");
        header[8..16].copy_from_slice(&number.to_le_bytes());
        header[16..32].copy_from_slice(&other(id, 1));
        header[32..48].copy_from_slice(&other(id, 2));
        if header[48..64] == [0; 16] {
            let (length, log) = (LE::read_u32(&header[68..]), LE::read_u64(&header[72..]));
            file.write_all_at(&vec![0; length as usize], log).context("emptying the log of a VHDX")?;
        }
        header[4..8].fill(0);
        let sum = CRC32C.checksum(&header);
        header[4..8].copy_from_slice(&sum.to_le_bytes());
        file.write_all_at(&header, location).context("writing a header of a VHDX")?;
    }
    let region = entry_of(file, VHDX_REGIONS, METADATA_REGION, 16)?;
    let metadata = LE::read_u64(&region[16..]);
    let item = entry_of(file, metadata, DISK_ID_ITEM, 32)?;
    let location = metadata + u64::from(LE::read_u32(&item[16..]));
    file.write_all_at(&id, location).context("writing the disk id of a VHDX")
}

/// The entry of 32 bytes that starts with `guid`, in a table whose entries start `head` bytes into it.
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
    use std::process::Command;

    use super::*;

    fn qemu_img(keywords: &[&str], files: [&Path; 2]) {
        let output = Command::new("qemu-img").args(keywords).args(files).output();
        let output = output.expect("package qemu-utils is needed");
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "qemu-img {keywords:?}: {text}");
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
    fn finished_files_are_the_same_and_still_hold_the_disk() {
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
            // A VMDK holds its own name.
            let files = ["one", "other"].map(|part| directory.path().join(part).join(format!("disk.{name}")));
            for file in &files {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                let mut keywords = vec!["convert", "-f", "raw", "-O", name];
                keywords.extend(if options.is_empty() { vec![] } else { vec!["-o", options] });
                qemu_img(&keywords, [&raw, file]);
                let opened = File::options().read(true).write(true).open(file).unwrap();
                finish(format, &opened, [0x42; 16]).unwrap();
                qemu_img(&["compare", "-f", "raw", "-F", name], [&raw, file]);
            }
            let [one, other] = files.map(|file| std::fs::read(file).unwrap());
            assert!(one == other, "two files of format {name} {options} differ");
        }
    }
}
