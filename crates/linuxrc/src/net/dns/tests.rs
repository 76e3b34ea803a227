use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Returns an answer to `query` with these records, each with its name.
fn answer(query: &[u8], flags: u8, records: &[(&[u8], u16, &[u8])]) -> Vec<u8> {
    let mut bytes = query.to_vec();
    bytes[2] |= 0x80;
    bytes[3] = flags;
    bytes[7] = records.len() as u8;
    for (name, kind, value) in records {
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(
            &[kind.to_be_bytes(), [0, 1], [0, 0], [0, 60], (value.len() as u16).to_be_bytes()].concat(),
        );
        bytes.extend_from_slice(value);
    }
    bytes
}

/// Points to the question's name.
const ASKED: &[u8] = &[0xc0, 12];

#[test]
fn answers_are_understood() {
    let query = query(9, "TFTP.example");
    let parse = |bytes: &[u8]| parse(bytes, 9, "tftp.Example.");
    assert_eq!(
        parse(&answer(&query, 0, &[(ASKED, 1, &[10, 0, 0, 1])])),
        Some(Answer::Address(Ipv4Addr::new(10, 0, 0, 1)))
    );
    let alias: &[(&[u8], u16, &[u8])] =
        &[(ASKED, 5, &[1, b'A', 0]), (&[1, b'b', 0], 1, &[10, 0, 0, 2]), (&[1, b'a', 0], 1, &[10, 0, 0, 3])];
    assert_eq!(parse(&answer(&query, 0, alias)), Some(Answer::Address(Ipv4Addr::new(10, 0, 0, 3))));
    assert_eq!(parse(&answer(&query, 0, &alias[..2])), Some(Answer::Unknown), "of another name");
    assert_eq!(parse(&answer(&query, 0, &[(ASKED, 5, ASKED)])), Some(Answer::Unknown), "an alias of itself");
    assert_eq!(parse(&answer(&query, 3, &[])), Some(Answer::Unknown));
    assert_eq!(parse(&answer(&query, 2, &[])), Some(Answer::Failure));
}

#[test]
fn other_messages_are_no_answers() {
    let query = query(9, "tftp");
    let good = answer(&query, 0, &[(ASKED, 1, &[10, 0, 0, 1])]);
    assert!(parse(&good, 9, "tftp").is_some());
    assert_eq!(parse(&good, 8, "tftp"), None, "another identifier");
    assert_eq!(parse(&good, 9, "tftq"), None, "another question");
    assert_eq!(parse(&query, 9, "tftp"), None, "a question");
    for length in 0..good.len() {
        assert_eq!(parse(&good[..length], 9, "tftp"), None, "{length} bytes");
    }
    let circle = answer(&query, 0, &[(&[0xc0, 22], 1, &[10, 0, 0, 1])]);
    assert_eq!(parse(&circle, 9, "tftp"), None, "a name that contains itself");
    assert_eq!(parse(&answer(&query, 0, &[(ASKED, 1, &[10, 0, 0])]), 9, "tftp"), None, "a short address");
}

#[test]
fn names_have_limits() {
    let long = "a.".repeat(126) + "a";
    for (name, valid) in [
        ("a", true),
        ("a-b_c.d.", true),
        ("", false),
        (".", false),
        ("a..b", false),
        ("a b", false),
        (&long, true),
    ] {
        assert_eq!(is_name(name), valid, "{name}");
    }
    assert!(!is_name(&"a".repeat(64)) && !is_name(&(long + "b.c")));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes, 9, "tftp.example");
        let _ = parse(&answer(&query(9, "tftp.example"), 0, &[(&bytes, 1, &bytes)]), 9, "tftp.example");
    }

    #[test]
    fn names_read_back(labels in vec("[a-z0-9_-]{1,63}", 1..4)) {
        let name = labels.join(".");
        prop_assume!(is_name(&name));
        let bytes = answer(&query(3, &name), 0, &[(ASKED, 1, &[1, 2, 3, 4])]);
        prop_assert_eq!(parse(&bytes, 3, &name), Some(Answer::Address(Ipv4Addr::new(1, 2, 3, 4))));
    }
}
