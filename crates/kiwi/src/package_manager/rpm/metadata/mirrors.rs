//! Lists of the mirrors of a repository: plain ones, and those in Metalink's format.

use anyhow::Result;

use super::xml::{Element, each_child};

/// Returns the URLs of the mirrors in a plain list, one in each line.
pub fn mirror_list(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| is_url(line));
    lines.map(|line| line.trim_end_matches('/').to_owned()).collect()
}

/// Returns the URLs of the mirrors in a list in Metalink's format, the preferred ones first.
pub fn metalink(text: &[u8]) -> Result<Vec<String>> {
    let mut found: Vec<(u64, String)> = Vec::new();
    each_child(text, "metalink", &["verification"], |files| {
        let files = files.children("file").filter(|file| file.attribute("name") == Some("repomd.xml"));
        for url in files.flat_map(|file| file.children("resources")).flat_map(|list| list.children("url")) {
            found.extend(mirror(url));
        }
        Ok(())
    })?;
    found.sort_by_key(|(preference, _)| std::cmp::Reverse(*preference));
    Ok(found.into_iter().map(|(_, url)| url).collect())
}

/// Returns the preference of a mirror and its URL.
fn mirror(url: &Element) -> Option<(u64, String)> {
    let start = url.text().strip_suffix("/repodata/repomd.xml").filter(|start| is_url(start))?;
    let preference = url.attribute("preference").and_then(|text| text.parse().ok()).unwrap_or(0);
    Some((preference, start.to_owned()))
}

fn is_url(text: &str) -> bool {
    ["http://", "https://", "ftp://"].iter().any(|scheme| text.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_list_has_comments() {
        let text = "# repo = x\n\nhttps://a.example/x/\n  http://b.example/y\nrsync://c.example/z\n";
        assert_eq!(mirror_list(text), ["https://a.example/x", "http://b.example/y"]);
    }

    #[test]
    fn the_preferred_mirror_is_the_first() {
        let text = r#"<metalink version="3.0" xmlns="http://www.metalinker.org/"><files><file name="repomd.xml"><resources>
            <url protocol="http" type="http" preference="90">http://b.example/y/repodata/repomd.xml</url>
            <url protocol="rsync" type="rsync" preference="99">rsync://c.example/z/repodata/repomd.xml</url>
            <url protocol="https" type="https" preference="100">https://a.example/x/repodata/repomd.xml</url>
            </resources></file><file name="other"/></files></metalink>"#;
        assert_eq!(metalink(text.as_bytes()).unwrap(), ["https://a.example/x", "http://b.example/y"]);
    }
}
