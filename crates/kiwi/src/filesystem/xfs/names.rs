//! Names that a prototype of mkfs.xfs cannot say, and those that stand for them until the file system is written.
//!
//! In a prototype a blank ends a word, `:` begins a comment and `$` ends a folder. A stand-in has the length and the
//! hash of the name, so that the right bytes can take its place in the folder, where nothing else changes.
//! Hash: XFS Algorithms & Data Structures, "Leaf Directories"; it is linear: flipping two bits that meet in one bit of the
//! hash leaves it as it was.

use std::collections::HashSet;

/// Bits of a hash, and those it is turned by for each further byte.
const HASH_BITS: usize = 32;
const TURN: usize = 7;

/// Whether a prototype can say this word.
pub(super) fn is_plain(word: &[u8]) -> bool {
    word != b"$" && (0..word.len()).all(|place| is_plain_at(word, place))
}

fn is_plain_at(word: &[u8], place: usize) -> bool {
    let byte = word[place];
    !(matches!(byte, 0 | b'/' | b' ' | b'\t' | b'\n') || place == 0 && byte == b':')
}

/// A plain name of the same length and hash that is none of `taken`; none: there is no such name.
pub(super) fn stand_in(name: &[u8], taken: &HashSet<Vec<u8>>) -> Option<Vec<u8>> {
    let Some(place) = (0..name.len()).find(|&place| !is_plain_at(name, place)) else {
        return (name != b"$" && !taken.contains(name)).then(|| name.to_vec());
    };
    let in_hash = |place: usize, bit: usize| ((name.len() - 1 - place) * TURN + bit) % HASH_BITS;
    let bits = |place: usize| (0..8).map(move |bit| (place, bit));
    // Neighbours first.
    let mut others: Vec<_> = (0..name.len()).filter(|&other| other != place).collect();
    others.sort_by_key(|other| other.abs_diff(place));
    for (other, other_bit) in others.into_iter().flat_map(bits) {
        for (_, bit) in bits(place).filter(|&(_, bit)| in_hash(place, bit) == in_hash(other, other_bit)) {
            let mut changed = name.to_vec();
            changed[place] ^= 1 << bit;
            changed[other] ^= 1 << other_bit;
            // Every step leaves less to do: the search ends.
            let worse = is_plain_at(name, other) && !is_plain_at(&changed, other);
            if is_plain_at(&changed, place)
                && !worse
                && let Some(found) = stand_in(&changed, taken)
            {
                return Some(found);
            }
        }
    }
    None
}

/// A plain link target of the same length.
pub(super) fn stand_in_target(target: &[u8]) -> Vec<u8> {
    let plain = |(place, &byte)| if is_plain_at(target, place) || byte == b'/' { byte } else { b'_' };
    if target == b"$" { b"_".to_vec() } else { target.iter().enumerate().map(plain).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the folder has it.
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
                // This alphabet is unkind: most of it becomes a blank or a slash.
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
