//! "Did you mean": the known keyword most similar to a mistyped one.

/// Returns the most similar of `keywords`, if it is similar enough.
pub fn nearest<'a>(typed: &str, keywords: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // 200 letters where ten are expected are not a typing error.
    if typed.chars().count() > 64 {
        return None;
    }
    let lower = typed.to_lowercase();
    keywords
        .into_iter()
        .map(|keyword| (distance(&lower, &keyword.to_lowercase()), keyword))
        // A prefix or an extension of a keyword is more similar than its letters suggest: `apt` for `apt-deb`.
        .map(|(distance, keyword)| (distance.min(most_by_beginning(&lower, keyword)), keyword))
        .filter(|(distance, keyword)| {
            *distance <= keyword.chars().count().max(2) / 3 + usize::from(keyword.len() > 2)
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, keyword)| keyword)
}

/// Returns an upper limit of the distance if one of two keywords, of at least three letters, is a prefix of the other.
fn most_by_beginning(typed: &str, keyword: &str) -> usize {
    match (typed.len().min(keyword.len()) > 2, keyword.starts_with(typed), typed.starts_with(keyword)) {
        (true, true, _) => 1,
        (true, false, true) => 2,
        _ => usize::MAX,
    }
}

/// Damerau-Levenshtein distance: letters that were omitted, added, changed or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let mut rows = vec![vec![0; right.len() + 1]; left.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=left.len() {
        for j in 1..=right.len() {
            let changed = usize::from(left[i - 1] != right[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(rows[i][j - 1] + 1).min(rows[i - 1][j - 1] + changed);
            if i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[left.len()][right.len()]
}

/// Returns `a`, `b` and `c`, for messages.
pub(crate) fn listed<'a>(keywords: impl IntoIterator<Item = &'a str>) -> String {
    let keywords: Vec<String> = keywords.into_iter().map(|keyword| format!("`{keyword}`")).collect();
    match keywords.split_last() {
        None => "nothing".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_keywords_are_suggested_and_far_ones_are_not() {
        let keywords = ["filesystem", "format", "flags", "boot"];
        assert_eq!(nearest("fielsystem", keywords), Some("filesystem"));
        assert_eq!(nearest("FileSystem", keywords), Some("filesystem"));
        assert_eq!(nearest("bot", keywords), Some("boot"));
        assert_eq!(nearest("kernel", keywords), None);
        assert_eq!(nearest("apt", ["yast2", "apt-deb", "apk"]), Some("apt-deb"));
        assert_eq!(nearest("bootpartitoin", ["boot", "bootpartition"]), Some("bootpartition"));
        assert_eq!(nearest(&"x".repeat(10_000), keywords), None);
    }

    #[test]
    fn a_swap_counts_as_one_slip() {
        assert_eq!(distance("pakcages", "packages"), 1);
        assert_eq!(distance("", "abc"), 3);
    }
}
