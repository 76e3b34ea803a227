//! The day of the last change of each password, which useradd and similar programs take from the clock.

use std::os::unix::fs::MetadataExt;

use anyhow::{Context, Result};

use crate::root_tree::RootTree;

const SHADOW: &str = "etc/shadow";
const SECONDS_OF_A_DAY: u64 = 86_400;

/// Sets days after `epoch` (seconds since 1970) to the day of `epoch`, like the times of files. Day 0, which asks for a
/// new password at the next login, is kept.
pub(super) fn clamp(epoch: u64, tree: &RootTree) -> Result<()> {
    if !tree.exists(SHADOW) {
        return Ok(());
    }
    let text = tree.read_text(SHADOW)?;
    let clamped = clamped(&text, (epoch / SECONDS_OF_A_DAY).max(1));
    if clamped != text {
        let mode = tree.metadata(SHADOW)?.mode() & 0o7777;
        tree.write(SHADOW, clamped, mode).context("setting the days of password changes")?;
    }
    Ok(())
}

/// Limits the third field of each line (shadow(5)), in days since 1970.
fn clamped(text: &str, latest: u64) -> String {
    let line = |line: &str| {
        let mut fields: Vec<&str> = line.split(':').collect();
        let day = latest.to_string();
        if fields.get(2).and_then(|field| field.trim().parse::<u64>().ok()).is_some_and(|day| day > latest) {
            fields[2] = &day;
        }
        fields.join(":")
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_only_later_days() {
        let text =
            "root:*:20783:0:99999:7:::\nold:!:15000:0:99999:7:::\nnow:x:0:0:::::\nnever:!::::::::\nshort\n";
        let expected = text.replace("20783", "20781");
        assert_eq!(clamped(text, 20_781), expected);
        assert_eq!(clamped(&expected, 20_781), expected);
        assert_eq!(clamped("", 1), "");
    }
}
