//! Scripts of the description that edit the file of the package manager for a repository (`customize=`).
//!
//! ```text
//! customize/N.repo   the file that the script edits
//! customize/N.urls   the URLs of the repository, if the script changed them: kiwi downloads packages from there, too
//! ```

use std::path::Path;

use anyhow::{Context as _, Result};
use description::SourceType;

use super::solver::VIEW;
use crate::failure::{Failure, Kind};
use crate::host::{Host, Warning};
use crate::package_manager::ManagerFiles;
use crate::repository::Resolved;

/// The directory of the file that a script edits, in [`ManagerFiles`].
const DIRECTORY: &str = "customize";

/// Returns the text of a repository's file after its script: the script gets the path of the file, and can write nothing else.
pub(super) fn customized(
    text: String,
    index: usize,
    repository: &Resolved,
    files: &ManagerFiles,
    host: &Host,
) -> Result<String> {
    let Some(script) = &repository.customize else { return Ok(text) };
    let directory = files.create_directory(DIRECTORY, host)?;
    let name = format!("{index}.repo");
    let path = format!("{DIRECTORY}/{name}");
    files.write(&path, &text, host)?;
    // The script may be hidden below another mount of its sandbox.
    let copy = format!("{DIRECTORY}/script");
    let bytes = std::fs::read(script).with_context(|| format!("reading {}", script.display()))?;
    files.write(&copy, bytes, host)?;
    let run = host
        .command("bash")
        .writable(&directory)
        .bind(&directory, VIEW, false)
        .arg(format!("{VIEW}/script"))
        .arg(format!("{VIEW}/{name}"))
        .run();
    run.with_context(|| {
        format!("the script {} that customizes the repository {}", script.display(), repository.described)
    })?;
    let changed = files.read_text(&path)?;
    let section = format!("[{index}]");
    if !changed.lines().any(|line| line.trim() == section) {
        let message = format!(
            "the script {} changed the name of the repository in its file; kiwi uses the name {section}: {}",
            script.display(),
            repository.described
        );
        host.warn(Warning::Repository, &message);
        return Ok(text);
    }
    let (before, after) = (locations(&text), locations(&changed));
    if before != after {
        let is_server = |location: &String| {
            ["http://", "https://", "ftp://"].iter().any(|start| location.starts_with(start))
        };
        if after.is_empty() || !before.iter().chain(&after).all(is_server) {
            return Err(moved(script, repository, &after).into());
        }
        files.write(&urls_file(index), after.join("\n"), host)?;
    }
    Ok(changed)
}

/// Returns the URLs of a repository that a script has changed.
pub(super) fn changed_urls(index: usize, files: &ManagerFiles) -> Option<Vec<String>> {
    let text = files.read_text(&urls_file(index)).ok()?;
    Some(text.lines().map(str::to_owned).collect())
}

fn urls_file(index: usize) -> String {
    format!("{DIRECTORY}/{index}.urls")
}

/// Returns the locations in a `.repo` file, without what zypper adds to them. A list of mirrors is one that is no URL: kiwi reads
/// lists itself, and writes none.
fn locations(text: &str) -> Vec<String> {
    let mut locations = Vec::new();
    let mut is_location = false;
    for line in text.lines() {
        let is_continued = line.starts_with([' ', '\t']);
        let value = if is_continued { line } else { line.split_once('=').map_or("", |(_, value)| value) };
        if !is_continued {
            let option = line.split('=').next().unwrap_or_default().trim();
            is_location = option == SourceType::BaseUrl.keyword();
            if [SourceType::Metalink, SourceType::MirrorList].iter().any(|list| list.keyword() == option) {
                locations.push(line.to_owned());
            }
        }
        if is_location {
            let separate = |c: char| c.is_whitespace() || c == ',';
            let found = value.split(separate).filter(|location| !location.is_empty());
            locations.extend(found.map(|location| {
                let of_zypper = ["?credentials=", "&credentials="];
                let end = of_zypper.iter().find_map(|start| location.find(start));
                location[..end.unwrap_or(location.len())].trim_end_matches('/').to_owned()
            }));
        }
    }
    locations
}

fn moved(script: &Path, repository: &Resolved, after: &[String]) -> Failure {
    let message = format!(
        "the script {} moves the repository {} to {}; kiwi follows only from one server to another",
        script.display(),
        repository.described,
        if after.is_empty() { "no location".to_owned() } else { after.join(" ") }
    );
    Failure::new(Kind::NotBuilt, message).remedy("Write the location into the <source> of the description.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locations_are_read_in_every_form() {
        let text = "[0]\nname=0\nbaseurl = http://a.example/r/?credentials=0\n   http://b.example/r, http://c.example\n\
                    enabled=1\n#baseurl=http://d.example\n";
        assert_eq!(locations(text), ["http://a.example/r", "http://b.example/r", "http://c.example"]);
        assert_eq!(locations("[0]\nmetalink=http://a.example\n"), ["metalink=http://a.example"]);
        assert_eq!(locations("[0]\nname=0\n"), [""; 0]);
    }
}
