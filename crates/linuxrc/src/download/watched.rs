//! A stream that remembers its errors.

use std::io::{self, Read};

/// Passes a stream on, and remembers whether it failed: behind a decompressor, the error of a server looks like damaged data.
pub(crate) struct Watched<R> {
    stream: R,
    failure: Option<String>,
}

impl<R: Read> Watched<R> {
    pub(crate) fn new(stream: R) -> Self {
        Self { stream, failure: None }
    }

    /// Returns the text of the error with which the stream ended.
    pub(crate) fn failure(self) -> Option<String> {
        self.failure
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer);
        if let Err(error) = &read
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.failure = Some(error.to_string());
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use bootconfig::Compression;

    use super::*;
    use crate::download::Unpacked;

    struct Gone;

    impl Read for Gone {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::new(io::ErrorKind::TimedOut, "no answer"))
        }
    }

    #[test]
    fn the_failure_of_a_server_is_seen_behind_every_decompressor() {
        for compression in [None].into_iter().chain(Compression::ALL.map(Some)) {
            let mut stream = Watched::new(Gone);
            assert!(Unpacked::new(&mut stream, compression).read(&mut [0; 9]).is_err());
            assert_eq!(stream.failure().as_deref(), Some("no answer"), "{compression:?}");
        }
        let mut damaged = Watched::new(&b"not compressed at all"[..]);
        assert!(Unpacked::new(&mut damaged, Some(Compression::Gzip)).read(&mut [0; 9]).is_err());
        assert_eq!(damaged.failure(), None);
    }
}
