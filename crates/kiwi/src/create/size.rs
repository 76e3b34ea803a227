//! The size rule of KIWI 1.x: enlarge an image that is slightly too small, reject one that is far too small, never shrink.

use anyhow::Result;
use description::SizeRule;

use crate::failure::fail;

const MEBIBYTE: u64 = 1 << 20;
/// Mebibytes by which a tree may exceed `<size>`.
const TOLERANCE: u64 = 100;
/// Least free space without a specified size, in bytes.
const LEAST_SPARE: u64 = 8 * MEBIBYTE;

/// Returns the size in mebibytes for a tree that needs `needed` bytes.
pub(super) fn decide(needed: u64, rule: Option<SizeRule>) -> Result<u64> {
    let least = needed.div_ceil(MEBIBYTE);
    let Some(rule) = rule else {
        return Ok((needed + (needed / 10).max(LEAST_SPARE)).div_ceil(MEBIBYTE));
    };
    if rule.additive {
        return Ok(least + rule.size.0);
    }
    let asked = rule.size.0.saturating_sub(rule.unpartitioned.0);
    if least > asked + TOLERANCE {
        fail!(
            InvalidDescription,
            "the root tree needs {least} MB and <size> is {asked} MB, over {TOLERANCE} MB less; raise <size> to at least \
             {least}, remove packages, or remove <size>"
        );
    }
    Ok(asked.max(least))
}

#[cfg(test)]
mod tests {
    use ondisk::Mebibytes;

    use super::*;

    fn rule(size: u64) -> Option<SizeRule> {
        Some(SizeRule { size: Mebibytes(size), additive: false, unpartitioned: Mebibytes(0) })
    }

    #[test]
    fn leaves_a_tenth_free_without_a_size() {
        assert_eq!(decide(1000 * MEBIBYTE, None).unwrap(), 1100);
        assert_eq!(decide(10 * MEBIBYTE, None).unwrap(), 18);
    }

    #[test]
    fn keeps_grows_or_rejects_a_size() {
        assert_eq!(decide(300 * MEBIBYTE, rule(500)).unwrap(), 500);
        assert_eq!(decide(600 * MEBIBYTE, rule(500)).unwrap(), 600);
        let error = decide(601 * MEBIBYTE, rule(500)).unwrap_err().to_string();
        assert!(error.starts_with("the root tree needs 601 MB and <size> is 500 MB"), "{error}");
    }

    #[test]
    fn adds_an_additive_size() {
        let rule = SizeRule { size: Mebibytes(50), additive: true, unpartitioned: Mebibytes(0) };
        assert_eq!(decide(300 * MEBIBYTE, Some(rule)).unwrap(), 350);
    }
}
