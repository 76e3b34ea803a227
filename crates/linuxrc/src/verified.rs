//! Downloads that are verified before anything of them is used: a signed chunk index, and then every chunk by its SHA-256.
//!
//! The signature is that of minisign, its trusted comment names the file (`bootconfig::trusted_comment`).

use std::fmt;
use std::io::{self, Read};

use bootconfig::{ChunkIndex, is_trusted_for};
use minisign_verify::{PublicKey, Signature};
use ondisk::digest::{Digest, Sha256};

/// How often a chunk is fetched before the download fails.
const ATTEMPTS: usize = 3;

/// Why an index is not trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexError {
    /// The text of the public key is not a key.
    Key,
    /// The signature has another form, or another key made it.
    Signature(String),
    /// The signature is for this file instead.
    OtherFile(String),
    /// The signed bytes are not an index.
    Index(String),
}

impl fmt::Display for IndexError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key => f.write_str("the key of the boot image is not a minisign public key"),
            Self::Signature(error) => {
                write!(f, "the signature does not match the key of the boot image: {error}")
            }
            Self::OtherFile(comment) => write!(f, "the signature is for another file: \"{comment}\""),
            Self::Index(error) => f.write_str(error),
        }
    }
}

impl std::error::Error for IndexError {}

/// Returns the index of the file `path` of the server, when `signature` (the text of a `.minisig` file) proves that the
/// owner of `key` (base64) signed these bytes for this file.
pub fn trusted_index(key: &str, path: &str, bytes: &[u8], signature: &str) -> Result<ChunkIndex, IndexError> {
    let key = PublicKey::from_base64(key.trim()).map_err(|_| IndexError::Key)?;
    let failed = |error: minisign_verify::Error| IndexError::Signature(error.to_string());
    let signature = Signature::decode(signature).map_err(failed)?;
    key.verify(bytes, &signature, false).map_err(failed)?;
    let comment = signature.trusted_comment();
    if !is_trusted_for(comment, path) {
        return Err(IndexError::OtherFile(comment.escape_debug().take(200).collect()));
    }
    ChunkIndex::parse(bytes).map_err(|error| IndexError::Index(error.to_string()))
}

/// A chunk that differs from the index in every attempt to fetch it. It is inside of an `io::Error`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongChunk {
    /// The number of the chunk, counted from 1.
    pub number: usize,
    /// The number of chunks of the file.
    pub of: usize,
    /// The offset of its first byte in the file.
    pub start: u64,
    /// The offset behind its last byte.
    pub end: u64,
}

impl fmt::Display for WrongChunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { number, of, start, end } = self;
        write!(f, "chunk {number} of {of} (bytes {start} to {end}) differs from the signed index")
    }
}

impl std::error::Error for WrongChunk {}

/// Reads a file of a server; only bytes of verified chunks leave it.
///
/// `open` starts a download at an offset. It also gets the number of attempts for the chunk that have failed, so that it
/// can choose another server.
pub struct VerifiedReader<'i, Open, Source> {
    index: &'i ChunkIndex,
    open: Open,
    source: Option<Source>,
    /// The number of the chunk that is fetched next, counted from 0.
    next: usize,
    chunk: Vec<u8>,
    /// Bytes of `chunk` that were passed on.
    passed: usize,
}

impl<Open, Source> fmt::Debug for VerifiedReader<'_, Open, Source> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedReader").field("next", &self.next).finish_non_exhaustive()
    }
}

impl<'i, Open: FnMut(u64, usize) -> io::Result<Source>, Source: Read> VerifiedReader<'i, Open, Source> {
    /// Starts nothing yet.
    pub fn new(index: &'i ChunkIndex, open: Open) -> Self {
        Self { index, open, source: None, next: 0, chunk: Vec::new(), passed: 0 }
    }

    /// Fetches the next chunk; a wrong one is fetched again, in a new download from its start.
    fn fetch(&mut self) -> io::Result<()> {
        let (start, wanted) = (self.index.start(self.next), self.index.chunks[self.next]);
        let mut attempt = 0;
        loop {
            let fetched = self.fetch_once(start, wanted.end, attempt);
            attempt += 1;
            let error = match fetched {
                Ok(()) if Sha256::digest(&self.chunk)[..] == wanted.sha256 => {
                    self.next += 1;
                    return Ok(());
                }
                Ok(()) => {
                    let (number, of) = (self.next + 1, self.index.chunks.len());
                    io::Error::other(WrongChunk { number, of, start, end: wanted.end })
                }
                Err(error) => error,
            };
            self.source = None;
            self.chunk.clear();
            if attempt == ATTEMPTS {
                return Err(error);
            }
        }
    }

    fn fetch_once(&mut self, start: u64, end: u64, attempt: usize) -> io::Result<()> {
        let source = match &mut self.source {
            Some(source) => source,
            none => none.insert((self.open)(start, attempt)?),
        };
        self.passed = 0;
        // The index limits the size of a chunk.
        self.chunk.resize((end - start) as usize, 0);
        source.read_exact(&mut self.chunk)
    }
}

impl<Open: FnMut(u64, usize) -> io::Result<Source>, Source: Read> Read for VerifiedReader<'_, Open, Source> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.passed == self.chunk.len() {
            if self.next == self.index.chunks.len() {
                return Ok(0);
            }
            self.fetch()?;
        }
        let rest = &self.chunk[self.passed..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.passed += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use bootconfig::{Chunk, ChunkSizes};
    use ondisk::digest::from_hex;

    use super::*;

    /// A key without a password, and the signature of the index of nothing for `image/a-1`, both made with minisign.
    const KEY: &str = "RWQFt/X5hw6Z0RQqTabdzx2mmB+cHccJb3pkP8Lw20INCHzp1AoxXBk3";
    const SIGNATURE: &str = "untrusted comment: signature from minisign secret key\n\
RUQFt/X5hw6Z0dycE8zl8ivuFawYMOrG5Ecs7bXb97dZPOYGSx7drYF6M7F53D58Ls5BqsqFQPW9LlyIicg410IZHg73I/5yBQw=\n\
trusted comment: kiwi file image/a-1\n\
jglyqotyNpMSNO0Y9VzIcimI+adPfl1Qh5HAYvM418DYxgpZM2LqLv92ltHppI5AOmK9m78vxgw9LuOZaz64DQ==";

    fn empty() -> Vec<u8> {
        ChunkIndex { sizes: ChunkSizes::DEFAULT, chunks: Vec::new() }.encode()
    }

    #[test]
    fn only_the_signed_index_of_this_file_is_trusted() {
        assert_eq!(trusted_index(KEY, "image/a-1", &empty(), SIGNATURE).map(|index| index.bytes()), Ok(0));
        let error = |key: &str, path: &str, bytes: &[u8], signature: &str| {
            trusted_index(key, path, bytes, signature).unwrap_err()
        };
        assert_eq!(error("RWQ", "image/a-1", &empty(), SIGNATURE), IndexError::Key);
        assert_eq!(
            error(KEY, "image/a-2", &empty(), SIGNATURE),
            IndexError::OtherFile("kiwi file image/a-1".to_owned())
        );
        let mut changed = empty();
        changed[24] ^= 1;
        assert!(matches!(error(KEY, "image/a-1", &changed, SIGNATURE), IndexError::Signature(_)));
        let other_comment = SIGNATURE.replace("image/a-1", "image/a-2");
        assert!(matches!(error(KEY, "image/a-2", &empty(), &other_comment), IndexError::Signature(_)));
        assert!(matches!(error(KEY, "image/a-1", &empty(), "unsigned"), IndexError::Signature(_)));
    }

    fn index_of(chunks: &[&[u8]]) -> ChunkIndex {
        let mut end = 0;
        let chunks = chunks.iter().map(|bytes| {
            end += bytes.len() as u64;
            Chunk { end, sha256: Sha256::digest(bytes).into() }
        });
        ChunkIndex { sizes: ChunkSizes::DEFAULT, chunks: chunks.collect() }
    }

    #[test]
    fn a_wrong_chunk_is_fetched_again_and_never_passed_on() {
        let index = index_of(&[b"abc", b"de", b"fghi"]);
        let answers = |good_from: usize| {
            move |offset: u64, attempt: usize| {
                let file: &[u8] = if attempt >= good_from { b"abcdefghi" } else { b"abcdXfghi" };
                Ok(&file[offset as usize..])
            }
        };
        let mut text = String::new();
        VerifiedReader::new(&index, answers(2)).read_to_string(&mut text).unwrap();
        assert_eq!(text, "abcdefghi");
        text.clear();
        let error = VerifiedReader::new(&index, answers(3)).read_to_string(&mut text).unwrap_err();
        let wrong = error.get_ref().and_then(|error| error.downcast_ref::<WrongChunk>());
        assert_eq!(wrong, Some(&WrongChunk { number: 2, of: 3, start: 3, end: 5 }));
        assert!("abc".starts_with(&text));
    }

    #[test]
    fn a_download_that_breaks_is_continued_at_the_chunk() {
        let index = index_of(&[b"abc", b"de", b"fghi"]);
        let mut offsets = Vec::new();
        let open = |offset: u64, _| {
            offsets.push(offset);
            let end = if offsets.len() == 1 { 6 } else { 9 };
            Ok(&b"abcdefghi"[offset as usize..end])
        };
        let mut text = String::new();
        VerifiedReader::new(&index, open).read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), offsets), ("abcdefghi", vec![0, 5]));
    }

    #[test]
    fn digests_are_those_of_the_format() {
        let sum =
            from_hex::<32>(b"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad").unwrap();
        assert_eq!(index_of(&[b"abc"]).chunks[0].sha256, sum);
    }
}
