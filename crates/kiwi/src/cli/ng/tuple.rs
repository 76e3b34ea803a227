//! The repository of one argument: `source,type,alias,priority,imageinclude,package_gpgcheck,{key;key},components,
//! distribution,repo_gpgcheck,sourcetype` (docs/formats/command-lines.md).

use description::SourceType;

use crate::operation::RepositoryOptions;

/// Reads the fields that are present; an empty one has no effect.
pub(super) fn parse(option: &'static str, text: &str) -> Result<RepositoryOptions, String> {
    let mut fields = fields(text).into_iter();
    let mut next = || fields.next().filter(|field| !field.is_empty());
    let keywords = RepositoryOptions {
        option,
        source: next().unwrap_or_default(),
        kind: next(),
        alias: next(),
        priority: next().map(|field| number(option, &field)).transpose()?,
        in_image: next().map(|field| boolean(option, "imageinclude", &field)).transpose()?.unwrap_or(false),
        check_packages: next().map(|field| boolean(option, "package_gpgcheck", &field)).transpose()?,
        signing_keys: next().map(|field| keys(&field)).unwrap_or_default(),
        components: next()
            .map(|field| field.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default(),
        distribution: next(),
        check_repository: next().map(|field| boolean(option, "repo_gpgcheck", &field)).transpose()?,
        credentials: None,
        source_type: next().map(|field| source_type(option, &field)).transpose()?.unwrap_or_default(),
    };
    match next() {
        Some(more) => Err(format!("{option}: '{more}' is more than the eleven fields of a repository")),
        None => Ok(keywords),
    }
}

/// `USER:PASSWORD`
pub(super) fn credentials(option: &str, text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((user, password)) => Ok((user.to_owned(), password.to_owned())),
        None => Err(format!("{option}: expected USER:PASSWORD")),
    }
}

/// Splits at commas outside braces.
fn fields(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut depth = 0_usize;
    for character in text.chars() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        match (character, depth) {
            (',', 0) => fields.push(String::new()),
            _ => {
                if let Some(last) = fields.last_mut() {
                    last.push(character);
                }
            }
        }
    }
    fields.iter().map(|field| field.trim().to_owned()).collect()
}

fn keys(field: &str) -> Vec<String> {
    let inside = field.trim_start_matches('{').trim_end_matches('}');
    inside.split(';').map(str::trim).filter(|key| !key.is_empty()).map(str::to_owned).collect()
}

fn source_type(option: &str, field: &str) -> Result<SourceType, String> {
    SourceType::parse(field).ok_or_else(|| {
        let known = SourceType::WORDS.map(|(keyword, _)| keyword);
        format!("{option}: the sourcetype must be {}, not {field}", known.join(" or "))
    })
}

fn number(option: &str, field: &str) -> Result<i64, String> {
    field.parse().map_err(|_| format!("{option}: the priority {field} is not a whole number"))
}

fn boolean(option: &str, name: &str, field: &str) -> Result<bool, String> {
    match field.to_lowercase().as_str() {
        "true" | "1" | "yes" => Ok(true),
        "false" | "0" | "no" => Ok(false),
        _ => Err(format!("{option}: {name} must be true or false, not {field}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_all_eleven_fields() {
        let text = "http://example.org/debian,apt-deb,own,5,true,false,{file:/a.gpg;file:/b.gpg},main contrib,trixie,true,baseurl";
        let keywords = parse("--add-repo", text).unwrap();
        let expected = RepositoryOptions {
            option: "--add-repo",
            source: "http://example.org/debian".to_owned(),
            kind: Some("apt-deb".to_owned()),
            alias: Some("own".to_owned()),
            priority: Some(5),
            in_image: true,
            check_packages: Some(false),
            check_repository: Some(true),
            signing_keys: vec!["file:/a.gpg".to_owned(), "file:/b.gpg".to_owned()],
            components: vec!["main".to_owned(), "contrib".to_owned()],
            distribution: Some("trixie".to_owned()),
            credentials: None,
            source_type: SourceType::BaseUrl,
        };
        assert_eq!(keywords, expected);
    }

    #[test]
    fn accepts_missing_fields_and_rejects_wrong_ones_by_name() {
        let keywords = parse("--set-repo", "https://m.example/list,,,,,,,,,,metalink").unwrap();
        assert_eq!(keywords.source_type, SourceType::Metalink);
        let keywords = parse("--set-repo", "debian://bookworm,,,7").unwrap();
        assert_eq!((keywords.kind, keywords.priority, keywords.components), (None, Some(7), Vec::new()));
        for (text, field, value) in [
            ("a,b,c,soon", "priority", "soon"),
            ("a,b,c,1,maybe", "imageinclude", "maybe"),
            ("a,b,c,1,,,,,,,torrent", "sourcetype", "torrent"),
            ("a,,,,,,,,,,,more", "eleven", "more"),
        ] {
            let said = parse("--set-repo", text).unwrap_err();
            assert!(["--set-repo", field, value].iter().all(|named| said.contains(named)), "{said}");
        }
    }
}
