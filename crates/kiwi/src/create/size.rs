//! The chapter's size rule: grow what is too small, refuse what is far too small, never shrink.

use anyhow::{Result, bail};
use description::SizeRule;

const MEBIBYTE: u64 = 1 << 20;
/// Mebibytes by which a tree may exceed `<size>`.
const TOLERANCE: u64 = 100;
/// Least room left free when no size is said, in bytes.
const LEAST_SPARE: u64 = 8 * MEBIBYTE;

/// Mebibytes for a tree that needs `needed` bytes.
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
        bail!(
            "the root tree needs {least} MB and <size> says {asked} MB, over {TOLERANCE} MB less; raise <size> to at least \
             {least}, take packages out, or leave <size> away"
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
    fn without_a_size_a_tenth_is_left_free() {
        assert_eq!(decide(1000 * MEBIBYTE, None).unwrap(), 1100);
        assert_eq!(decide(10 * MEBIBYTE, None).unwrap(), 18);
    }

    #[test]
    fn a_size_is_kept_grown_or_refused() {
        assert_eq!(decide(300 * MEBIBYTE, rule(500)).unwrap(), 500);
        assert_eq!(decide(600 * MEBIBYTE, rule(500)).unwrap(), 600);
        let error = decide(601 * MEBIBYTE, rule(500)).unwrap_err().to_string();
        assert!(error.starts_with("the root tree needs 601 MB and <size> says 500 MB"), "{error}");
    }

    #[test]
    fn an_additive_size_comes_on_top() {
        let rule = SizeRule { size: Mebibytes(50), additive: true, unpartitioned: Mebibytes(0) };
        assert_eq!(decide(300 * MEBIBYTE, Some(rule)).unwrap(), 350);
    }
}
