//! gzip on all processors: one member, cut into blocks that are compressed in parallel.
//!
//! Every block but the last ends with a sync flush, so that the concatenated blocks are one deflate stream
//! (RFC 1951, 3.2.4; the method of pigz). The kernel reads only one member of a compressed initrd, so blocks cannot be
//! members. The result depends only on the bytes, never on the number of processors.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::OnceLock;
use std::thread::JoinHandle;

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

/// Size of a block in bytes: large enough that the cost of restarting the compression is negligible.
const BLOCK: usize = 1 << 20;
/// Header: magic, deflate, no flags, no time, no extra flags, unknown system (RFC 1952, 2.3).
const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// A writer that compresses to `W`; `finish` ends the stream.
pub struct GzipWriter<W: Write> {
    output: W,
    threads: usize,
    block: Vec<u8>,
    running: VecDeque<JoinHandle<io::Result<Vec<u8>>>>,
    sum: Crc,
}

impl<W: Write> GzipWriter<W> {
    /// Returns a writer that uses up to `threads` threads.
    pub fn new(mut output: W, threads: usize) -> io::Result<Self> {
        output.write_all(&HEAD)?;
        let block = Vec::with_capacity(BLOCK);
        Ok(Self { output, threads: threads.max(1), block, running: VecDeque::new(), sum: Crc::new() })
    }

    /// Compresses the remaining bytes and ends the stream.
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

    /// Passes the block to a thread; if all are busy, writes the result of the oldest one first.
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
        let bytes = oldest.join().map_err(|_| io::Error::other("a compression thread panicked"))??;
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

    /// Does nothing: blocks are cut only by size, so that the result does not depend on flushes.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compresses a block; a block of zeros, which are frequent in the free space of a disk, is compressed only once.
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
    fn any_number_of_threads_gives_the_same_single_member() {
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
