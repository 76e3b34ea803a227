//! gzip on all processors: one member, cut into blocks that are packed side by side.
//!
//! Every block but the last ends with a sync flush, so that the packed blocks in a row are one stream of deflate
//! (RFC 1951, 3.2.4; the method of pigz). A kernel that unpacks its initrd takes one member only, so blocks are not
//! members of their own. The result depends on the bytes alone, never on the number of processors.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::thread::JoinHandle;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Bytes of a block: large enough that starting anew costs nothing that counts.
const BLOCK: usize = 1 << 20;
/// Magic, deflate, no flags, no time, no extra flags, system unknown (RFC 1952, 2.3).
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// Writes what it is given, packed, to `W`; `finish` ends the stream.
pub struct GzipWriter<W: Write> {
    output: W,
    threads: usize,
    block: Vec<u8>,
    running: VecDeque<JoinHandle<io::Result<Vec<u8>>>>,
    sum: Crc,
}

impl<W: Write> GzipWriter<W> {
    /// A stream that is packed by up to `threads` threads.
    pub fn new(mut output: W, threads: usize) -> io::Result<Self> {
        output.write_all(&HEAD)?;
        let block = Vec::with_capacity(BLOCK);
        Ok(Self { output, threads: threads.max(1), block, running: VecDeque::new(), sum: Crc::new() })
    }

    /// Packs what is left and ends the stream.
    pub fn finish(mut self) -> io::Result<W> {
        self.start(FlushCompress::Finish)?;
        while !self.running.is_empty() {
            self.collect()?;
        }
        self.output.write_all(&self.sum.sum().to_le_bytes())?;
        self.output.write_all(&self.sum.amount().to_le_bytes())?;
        self.output.flush()?;
        Ok(self.output)
    }

    /// Gives the block to a thread, after taking over what the oldest one packed when all are busy.
    fn start(&mut self, flush: FlushCompress) -> io::Result<()> {
        while self.running.len() >= self.threads {
            self.collect()?;
        }
        self.sum.update(&self.block);
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        self.running.push_back(std::thread::spawn(move || packed(&block, flush)));
        Ok(())
    }

    fn collect(&mut self) -> io::Result<()> {
        let Some(oldest) = self.running.pop_front() else { return Ok(()) };
        let bytes =
            oldest.join().map_err(|_| io::Error::other("a thread that packs a block ended early"))??;
        self.output.write_all(&bytes)
    }
}

impl<W: Write> Write for GzipWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..count]);
        if self.block.len() == BLOCK {
            self.start(FlushCompress::Sync)?;
        }
        Ok(count)
    }

    /// Blocks are cut by size only: flushing would make the result depend on when it happens.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A block packed; those of zeros, of which the free space of a disk has many, are packed once.
fn packed(block: &[u8], flush: FlushCompress) -> io::Result<Vec<u8>> {
    static ZEROS: OnceLock<Vec<u8>> = OnceLock::new();
    let is_empty =
        block.len() == BLOCK && flush == FlushCompress::Sync && block.iter().all(|byte| *byte == 0);
    if let Some(zeros) = ZEROS.get().filter(|_| is_empty) {
        return Ok(zeros.clone());
    }
    let output = deflated(block, flush)?;
    Ok(if is_empty { ZEROS.get_or_init(|| output).clone() } else { output })
}

fn deflated(block: &[u8], flush: FlushCompress) -> io::Result<Vec<u8>> {
    let mut packer = Compress::new(Compression::new(6), false);
    let mut output = Vec::with_capacity(block.len() / 2 + 1024);
    loop {
        let done = usize::try_from(packer.total_in()).map_err(io::Error::other)?;
        let status = packer.compress_vec(&block[done..], &mut output, flush)?;
        let all = packer.total_in() == block.len() as u64;
        match (flush, status) {
            (FlushCompress::Finish, Status::StreamEnd) => return Ok(output),
            // With room to spare the flush is complete.
            (FlushCompress::Sync, _) if all && output.len() < output.capacity() => return Ok(output),
            _ => output.reserve(64 << 10),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn pack(bytes: &[u8], threads: usize) -> Vec<u8> {
        let mut writer = GzipWriter::new(Vec::new(), threads).unwrap();
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    #[test]
    fn any_number_of_threads_gives_one_member_that_unpacks() {
        let mut state = 1_u32;
        // Half noise, half text: blocks that shrink and blocks that grow.
        let noise = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state.to_be_bytes()[0]
        });
        let mut bytes: Vec<u8> = noise.take(BLOCK * 3 / 2).collect();
        bytes.extend("all work and no play ".bytes().cycle().take(BLOCK * 3 / 2));
        bytes.resize(BLOCK * 5 + 9, 0);
        for length in [0, 1, BLOCK, BLOCK + 1, bytes.len()] {
            let one = pack(&bytes[..length], 1);
            assert_eq!(one, pack(&bytes[..length], 5));
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(one.as_slice()).read_to_end(&mut plain).unwrap();
            assert!(plain == bytes[..length], "{length} bytes came back changed");
        }
    }
}
