//! Names that a prototype of mkfs.xfs cannot contain, and substitutes for them until the file system is written.
//!
//! In a prototype a blank ends a word, `:` starts a comment and `$` ends a directory. A substitute has the length and the
//! hash of the name, so that the right bytes can replace it in the directory, where nothing else changes.
//! Hash: XFS Algorithms & Data Structures, "Leaf Directories"; it is linear: flipping two bits that map to the same bit of
//! the hash does not change it.

use std::collections::HashSet;

/// Bits of a hash, and the rotation for each further byte.
const HASH_BITS: usize = 32;
const TURN: usize = 7;

/// Returns whether a prototype can contain this word.
pub(super) fn is_plain(name: &[u8]) -> bool {
    name != b"$" && (0..name.len()).all(|position| is_plain_at(name, position))
}

fn is_plain_at(name: &[u8], position: usize) -> bool {
    let byte = name[position];
    !(matches!(byte, 0 | b'/' | b' ' | b'\t' | b'\n') || position == 0 && byte == b':')
}

/// Returns a plain name of the same length and hash that is not in `taken`, if there is one.
pub(super) fn stand_in(name: &[u8], taken: &HashSet<Vec<u8>>) -> Option<Vec<u8>> {
    let Some(position) = (0..name.len()).find(|&position| !is_plain_at(name, position)) else {
        return (name != b"$" && !taken.contains(name)).then(|| name.to_vec());
    };
    let in_hash = |position: usize, bit: usize| ((name.len() - 1 - position) * TURN + bit) % HASH_BITS;
    let bits = |position: usize| (0..8).map(move |bit| (position, bit));
    // Neighbours first.
    let mut others: Vec<_> = (0..name.len()).filter(|&other| other != position).collect();
    others.sort_by_key(|other| other.abs_diff(position));
    for (other, other_bit) in others.into_iter().flat_map(bits) {
        for (_, bit) in bits(position).filter(|&(_, bit)| in_hash(position, bit) == in_hash(other, other_bit))
        {
            let mut changed = name.to_vec();
            changed[position] ^= 1 << bit;
            changed[other] ^= 1 << other_bit;
            // The search ends: every step reduces the number of remaining bits.
            let worse = is_plain_at(name, other) && !is_plain_at(&changed, other);
            if is_plain_at(&changed, position)
                && !worse
                && let Some(found) = stand_in(&changed, taken)
            {
                return Some(found);
            }
        }
    }
    None
}

/// Returns a plain link target of the same length.
pub(super) fn stand_in_target(target: &[u8]) -> Vec<u8> {
    let plain = |(position, &byte)| if is_plain_at(target, position) || byte == b'/' { byte } else { b'_' };
    if target == b"$" { b"_".to_vec() } else { target.iter().enumerate().map(plain).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the hash as the directory stores it.
    fn hash(name: &[u8]) -> u32 {
        name.iter().fold(0_u32, |hash, &byte| hash.rotate_left(7) ^ u32::from(byte))
    }

    #[test]
    fn stand_ins_are_plain_names_of_the_same_length_and_hash() {
        let alphabet = b": $a\n\t.!\x80\xa0\xaf\x89/0";
        let mut state = 1_u64;
        let mut draw = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        let mut refused = 0;
        for _ in 0..20_000 {
            let length = 1 + draw(24);
            let mut name: Vec<u8> = (0..length).map(|_| alphabet[draw(alphabet.len())]).collect();
            name.iter_mut().filter(|byte| **byte == b'/').for_each(|byte| *byte = b'x');
            let Some(found) = stand_in(&name, &HashSet::new()) else {
                refused += 1;
                // A difficult alphabet: most of it becomes a blank or a slash.
                assert!(length < 12, "{name:?}");
                continue;
            };
            assert!(is_plain(&found), "{name:?} {found:?}");
            assert_eq!((found.len(), hash(&found)), (length, hash(&name)), "{name:?} {found:?}");
            assert_eq!(found == name, is_plain(&name));
            let other = stand_in(&name, &HashSet::from([found.clone()]));
            assert_ne!(other, Some(found));
        }
        assert!(refused > 0);
        for name in [":", "$", " "] {
            assert_eq!(stand_in(name.as_bytes(), &HashSet::new()), None);
        }
    }

    #[test]
    fn targets_keep_their_length() {
        for (target, expected) in [(": a", "__a"), ("/a b", "/a_b"), ("$", "_"), ("a:$", "a:$")] {
            assert_eq!(stand_in_target(target.as_bytes()), expected.as_bytes());
        }
    }
}
