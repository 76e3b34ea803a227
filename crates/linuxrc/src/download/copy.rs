//! The one pass over an image.

use std::io::{self, Read};

use super::sums::{Sums, WrongSum};
use super::target::Target;
use crate::console::Progress;
use crate::stream::fill;

/// Bytes processed at a time.
const BLOCK: usize = 1 << 20;

/// Why an image is not on its target.
#[derive(Debug)]
pub(crate) enum CopyError {
    /// The stream failed: the server, or data that is not validly compressed.
    Source(io::Error),
    /// The device or the memory failed.
    Target(io::Error),
    /// It ends after this many bytes.
    Truncated(u64),
    /// It has more bytes than `N.md5` specifies.
    TooLong,
    /// A sum differs.
    Sum(WrongSum),
}

/// Copies `source` to the target and completes it if the sums are right.
pub(crate) fn copy(
    source: &mut impl Read,
    expected: &Sums,
    mut target: Target<'_>,
    progress: Progress<'_>,
) -> Result<(), CopyError> {
    let (mut meter, mut done) = (expected.meter(), 0);
    let mut block = vec![0; BLOCK];
    while done < expected.bytes {
        let wanted = usize::try_from(expected.bytes - done).map_or(BLOCK, |left| left.min(BLOCK));
        let count = fill(source, &mut block[..wanted]).map_err(CopyError::Source)?;
        meter.update(&block[..count]);
        target.write(&block[..count]).map_err(CopyError::Target)?;
        done += count as u64;
        progress.advance(done);
        if count < wanted {
            return Err(CopyError::Truncated(done));
        }
    }
    if fill(source, &mut block[..1]).map_err(CopyError::Source)? > 0 {
        return Err(CopyError::TooLong);
    }
    meter.compare(expected).map_err(CopyError::Sum)?;
    target.complete().map_err(CopyError::Target)?;
    progress.finish();
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use bootconfig::Digester;
    use ondisk::digest::{Digest, Sha256};

    use super::*;

    fn sums(data: &[u8]) -> Sums {
        let mut digester = Digester::default();
        digester.update(data);
        Sums::new(&digester.finish(), Some(Sha256::digest(data).into())).unwrap()
    }

    /// Copies `data` over a device of old contents; returns the outcome and the device afterwards.
    fn copied(data: &[u8], expected: &Sums) -> (Result<(), CopyError>, Vec<u8>) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("device");
        fs::write(&path, vec![0xee; 3 << 20]).unwrap();
        let device = File::options().read(true).write(true).open(&path).unwrap();
        let target = Target::device(&device).unwrap();
        let outcome = copy(&mut &data[..], expected, target, Progress::silent());
        (outcome, fs::read(path).unwrap())
    }

    #[test]
    fn only_an_image_with_the_right_sums_and_size_gets_its_first_block() {
        let data: Vec<u8> = (0..(2 << 20) + 4321_u32).map(|number| (number % 251) as u8 | 1).collect();
        let expected = sums(&data);
        let (outcome, device) = copied(&data, &expected);
        outcome.unwrap();
        assert!(device.starts_with(&data));
        assert!(device[data.len()..].iter().all(|byte| *byte == 0xee), "nothing behind the image is written");

        let unusable = |device: &[u8]| device[..BLOCK].iter().all(|byte| *byte == 0);
        let (outcome, device) = copied(&data[..data.len() - 1], &expected);
        assert!(matches!(outcome, Err(CopyError::Truncated(length)) if length == data.len() as u64 - 1));
        assert!(unusable(&device));
        let (outcome, device) = copied(&[&data[..], b"x"].concat(), &expected);
        assert!(matches!(outcome, Err(CopyError::TooLong)));
        assert!(unusable(&device));
        let mut wrong = data.clone();
        wrong[1 << 20] ^= 1;
        let (outcome, device) = copied(&wrong, &expected);
        assert!(matches!(outcome, Err(CopyError::Sum(WrongSum::Md5))));
        assert!(unusable(&device));
        let other = Sums { sha256: Some([0; 32]), ..expected };
        assert!(matches!(copied(&data, &other).0, Err(CopyError::Sum(WrongSum::Sha256))));
        let md5_only = Sums { sha256: None, ..expected };
        assert!(copied(&data, &md5_only).0.is_ok());
    }
}
