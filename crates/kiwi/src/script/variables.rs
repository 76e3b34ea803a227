//! The variables of `/.profile` that every script has in its environment, as with KIWI NG.

/// Prefix of their names; the names of KIWI 1.x, such as `type`, are too common for an environment.
const PREFIX: &str = "kiwi_";

/// Returns names and values in the text of `/.profile`: assignments whose values are in single quotes. Lines that a script
/// added in another form are ignored: only a shell can read them.
pub(super) fn exported(profile: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = profile;
    while let Some((name, after)) = rest.split_once("='") {
        // What precedes the name on the line, or in lines before, is something else.
        let name = name.rsplit('\n').next().unwrap_or(name);
        let Some((value, after)) = quoted(after) else { break };
        if name.starts_with(PREFIX) && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_alphanumeric()) {
            found.push((name.to_owned(), value));
        }
        rest = after;
    }
    found
}

/// Splits a text after the end of a quoted value; a quote in the value is written `'\''`.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('\'')?;
        value += part;
        match after.strip_prefix("\\''") {
            Some(more) => {
                value.push('\'');
                rest = more;
            }
            None => return Some((value, after)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_assignments_of_the_profile() {
        let text =
            "kiwi_a='one'\nname='x'\nkiwi_b='it'\\''s $(x)\nkiwi_c='\nexport kiwi_d=\"no\"\nkiwi_e=''\n";
        let found = exported(text);
        let found: Vec<_> = found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, [("kiwi_a", "one"), ("kiwi_b", "it's $(x)\nkiwi_c="), ("kiwi_e", "")]);
        assert!(exported("kiwi_a='unfinished").is_empty());
    }
}
