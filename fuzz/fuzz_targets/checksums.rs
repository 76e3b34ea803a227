//! Corrects checksums, which random changes never would.

/// Bytes of a header.
const BLOCK: usize = 512;
/// Where the magic of a header is, and its checksum.
const MAGIC: usize = 257;
const SUM: std::ops::Range<usize> = 148..156;

/// Writes the checksum into everything that looks like a header of a tar archive.
pub fn correct(bytes: &mut [u8]) {
    let mut start = 0;
    while let Some(header) = bytes.get_mut(start..start + BLOCK) {
        if &header[MAGIC..MAGIC + 5] != b"ustar" {
            // Inside a package, archives start at any even offset.
            start += 2;
            continue;
        }
        header[SUM].fill(b' ');
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[SUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        start += BLOCK;
    }
}
