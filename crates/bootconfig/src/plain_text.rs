//! What every text with settings must be before its values are read.

/// The most bytes of a text with settings.
pub(crate) const LARGEST: usize = 1 << 16;

/// Returns line and reason if the text is too large or has control characters, which no value can contain.
pub(crate) fn problem(text: &str) -> Option<(usize, String)> {
    if text.len() > LARGEST {
        return Some((0, format!("the text has {} bytes: at most {LARGEST} are expected", text.len())));
    }
    let is_wrong = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    let (line, wrong) =
        (1..).zip(text.split('\n')).find_map(|(line, text)| Some((line, text.find(is_wrong)?)))?;
    Some((line, format!("control character at byte {wrong} of the line: expected plain text")))
}

/// Returns whether a path has no part that leads upwards.
pub(crate) fn stays_below(path: &str) -> bool {
    !path.split('/').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_line_of_a_control_character() {
        assert_eq!(problem("kind=oem\r\n\tx\n"), None);
        assert_eq!(problem("kind=oem\ninit=/a\0b\n").map(|(line, _)| line), Some(2));
        assert_eq!(problem("\u{1b}[2J").map(|(line, _)| line), Some(1));
        assert_eq!(problem(&"x".repeat(LARGEST + 1)).map(|(line, _)| line), Some(0));
        assert!(stays_below("/srv/a..b") && !stays_below("/srv/../etc") && !stays_below(".."));
    }
}
