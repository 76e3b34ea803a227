//! The size rule of KIWI 1.x: enlarge an image that is slightly too small, reject one that is far too small, never shrink.

use anyhow::Result;
use description::SizeRule;
use ondisk::{Bytes, Mebibytes};

use crate::failure::fail;

/// The size by which a tree may exceed `<size>`.
const TOLERANCE: Mebibytes = Mebibytes(100);
/// Least free space without a specified size.
const LEAST_SPARE: Mebibytes = Mebibytes(8);

/// Returns the size for a tree that needs `needed`.
pub(super) fn decide(needed: Bytes, rule: Option<SizeRule>) -> Result<Mebibytes> {
    let least = needed.to_mebibytes_up();
    let Some(rule) = rule else {
        let spare = Bytes(needed.0 / 10).max(LEAST_SPARE.into());
        return Ok(needed.saturating_add(spare).to_mebibytes_up());
    };
    if rule.additive {
        return Ok(Mebibytes(least.0.saturating_add(rule.size.0)));
    }
    let asked = Mebibytes(rule.size.0.saturating_sub(rule.unpartitioned.0));
    if least.0 > asked.0.saturating_add(TOLERANCE.0) {
        fail!(
            InvalidDescription,
            "the root tree needs {least} and <size> is {asked}, over {TOLERANCE} less; raise <size> to at least {}, remove \
             packages, or remove <size>",
            least.0
        );
    }
    Ok(asked.max(least))
}

/// Returns the size for a compressed file system, whose size is known when it is written: that of its content at most.
pub(super) fn before_compression(needed: Bytes, rule: Option<SizeRule>) -> Mebibytes {
    decide(needed, rule).unwrap_or_else(|_| needed.to_mebibytes_up())
}

/// Rejects a finished compressed file system that is far larger than `<size>`.
pub(super) fn refuse_larger(written: Bytes, rule: SizeRule) -> Result<()> {
    let asked = Mebibytes(rule.size.0.saturating_sub(rule.unpartitioned.0));
    let written = written.to_mebibytes_up();
    if !rule.additive && written.0 > asked.0.saturating_add(TOLERANCE.0) {
        fail!(
            InvalidDescription,
            "the compressed file system has {written} and <size> is {asked}, over {TOLERANCE} less; raise <size> to at least \
             {}, remove packages, or remove <size>",
            written.0
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::{Failure, Kind};

    fn rule(size: u64) -> Option<SizeRule> {
        Some(SizeRule { size: Mebibytes(size), additive: false, unpartitioned: Mebibytes(0) })
    }

    #[test]
    fn leaves_a_tenth_free_without_a_size() {
        assert_eq!(decide(Mebibytes(1000).into(), None).unwrap(), Mebibytes(1100));
        assert_eq!(decide(Mebibytes(10).into(), None).unwrap(), Mebibytes(18));
    }

    #[test]
    fn keeps_grows_or_rejects_a_size() {
        assert_eq!(decide(Mebibytes(300).into(), rule(500)).unwrap(), Mebibytes(500));
        assert_eq!(decide(Mebibytes(600).into(), rule(500)).unwrap(), Mebibytes(600));
        let error = decide(Mebibytes(601).into(), rule(500)).unwrap_err();
        let failure = error.downcast_ref::<Failure>().unwrap();
        assert_eq!(failure.kind, Kind::InvalidDescription);
        assert!(failure.message.contains("601") && failure.message.contains("500"), "{error}");
    }

    #[test]
    fn a_compressed_file_system_is_measured_when_it_is_written() {
        assert_eq!(before_compression(Mebibytes(900).into(), rule(500)), Mebibytes(900));
        assert_eq!(before_compression(Mebibytes(300).into(), rule(500)), Mebibytes(500));
        let of = |size| rule(size).unwrap();
        assert!(refuse_larger(Mebibytes(600).into(), of(500)).is_ok());
        assert!(refuse_larger(Mebibytes(601).into(), of(500)).is_err());
    }

    #[test]
    fn adds_an_additive_size() {
        let rule = SizeRule { size: Mebibytes(50), additive: true, unpartitioned: Mebibytes(0) };
        assert_eq!(decide(Mebibytes(300).into(), Some(rule)).unwrap(), Mebibytes(350));
    }
}
