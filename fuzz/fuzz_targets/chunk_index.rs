//! No bytes make a chunk index whose chunks are not one after the other or larger than the index allows; what is read is
//! written so that it reads back. A reader of verified chunks passes no byte of a wrong one on.
#![no_main]

use std::io::{self, Read};

use bootconfig::{ChunkIndex, is_trusted_for};
use libfuzzer_sys::fuzz_target;
use linuxrc::verified::VerifiedReader;

fuzz_target!(|input: &[u8]| {
    if let Ok(text) = std::str::from_utf8(input)
        && is_trusted_for(text, "image/a-1")
    {
        assert!(text.contains("image/a-1"));
    }
    let Ok(index) = ChunkIndex::parse(input) else { return };
    let mut start = 0;
    for (number, chunk) in index.chunks.iter().enumerate() {
        assert_eq!(index.start(number), start);
        assert!(chunk.end > start && chunk.end - start <= index.sizes.largest);
        start = chunk.end;
    }
    assert_eq!(index.bytes(), start);
    assert_eq!(ChunkIndex::parse(&index.encode()).as_ref(), Ok(&index));
    // Zeros have none of the digests, unless the fuzzer finds SHA-256.
    let open = |_: u64, _: usize| Ok::<_, io::Error>(io::repeat(0));
    let mut reader = VerifiedReader::new(&index, open).take(1 << 20);
    let read = io::copy(&mut reader, &mut io::sink());
    assert!(index.chunks.is_empty() || read.is_err());
});
