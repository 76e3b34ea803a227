//! Chunk indices of published files (`bootconfig::ChunkIndex`).

mod boundary;

use std::io::{self, Read};

use bootconfig::{Chunk, ChunkIndex, ChunkSizes};
use ondisk::digest::{Digest, Sha256};

use boundary::Boundaries;

/// Largest chunks that the buffer contains.
const BUFFERED: usize = 8;

/// Returns the index of everything that `file` contains. `progress` receives the number of bytes read so far and may stop
/// the work with an error.
pub fn index(
    mut file: impl Read,
    sizes: ChunkSizes,
    mut progress: impl FnMut(u64) -> io::Result<()>,
) -> io::Result<ChunkIndex> {
    let boundaries = Boundaries::new(sizes);
    let mut chunks = Vec::new();
    let mut end = 0;
    let mut buffer = vec![0; sizes.largest as usize * BUFFERED];
    let mut filled = 0;
    loop {
        let last = loop {
            match file.read(&mut buffer[filled..])? {
                0 => break filled < buffer.len(),
                read => filled += read,
            }
            if filled == buffer.len() {
                break false;
            }
        };
        let mut start = 0;
        while start < filled {
            let rest = &buffer[start..filled];
            let length = match boundaries.first(rest) {
                Some(length) => length,
                None if last => rest.len(),
                None => break,
            };
            start += length;
            end += length as u64;
            chunks.push(Chunk { end, sha256: Sha256::digest(&rest[..length]).into() });
        }
        progress(end)?;
        if last {
            return Ok(ChunkIndex { sizes, chunks });
        }
        buffer.copy_within(start..filled, 0);
        filled -= start;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// Returns bytes without repetitions, the same in every run.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 7u64;
        let bytes = std::iter::repeat_with(|| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as u8
        });
        bytes.take(length).collect()
    }

    fn index_of(data: &[u8]) -> ChunkIndex {
        index(data, ChunkSizes::DEFAULT, |_| Ok(())).unwrap()
    }

    #[test]
    fn chunks_cover_the_file_and_a_change_moves_only_boundaries_near_it() {
        let mut data = noise(9 << 20);
        let before = index_of(&data);
        assert_eq!(before.bytes(), data.len() as u64);
        for (number, chunk) in before.chunks.iter().enumerate() {
            let range = before.start(number) as usize..chunk.end as usize;
            assert_eq!(chunk.sha256, <[u8; 32]>::from(Sha256::digest(&data[range])));
        }
        data.insert(5 << 20, 1);
        let after = index_of(&data);
        let kept = before
            .chunks
            .iter()
            .filter(|chunk| after.chunks.iter().any(|other| other.sha256 == chunk.sha256));
        assert!(kept.count() >= before.chunks.len() - 4);
        assert_eq!(index_of(b"").chunks, []);
        assert_eq!(index_of(b"short").bytes(), 5);
    }

    #[test]
    fn casync_finds_every_chunk_in_the_file_and_a_changed_byte() {
        if !test_programs::have(&["casync"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        let mut data = noise(5 << 20);
        data.extend(vec![0; 3 << 20]);
        data.extend(noise(70_000));
        let encoded = index_of(&data).encode();
        fs::write(path("image.caibx"), &encoded).unwrap();
        fs::write(path("image"), &data).unwrap();
        let casync = |arguments: &[&str]| {
            test_programs::command("casync").args(arguments).current_dir(directory.path()).output().unwrap()
        };
        let made = casync(&["make", "--digest=sha256", "--store=made.castr", "made.caibx", "image"]);
        assert!(made.status.success(), "{made:?}");
        let theirs = ChunkIndex::parse(&fs::read(path("made.caibx")).unwrap()).unwrap();
        assert_eq!(theirs, index_of(&data));
        fs::create_dir(path("empty.castr")).unwrap();
        let extract = |seed: &Path| {
            let seed = format!("--seed={}", seed.display());
            casync(&["extract", "--digest=sha256", "--store=empty.castr", &seed, "image.caibx", "extracted"])
        };
        let extracted = extract(&path("image"));
        assert!(extracted.status.success(), "{extracted:?}");
        assert!(fs::read(path("extracted")).unwrap() == data);
        fs::remove_file(path("extracted")).unwrap();
        data[3 << 20] ^= 1;
        fs::write(path("changed"), &data).unwrap();
        assert!(!extract(&path("changed")).status.success());
    }
}
