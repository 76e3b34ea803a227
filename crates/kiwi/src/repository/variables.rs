//! The variables of yum and dnf in the locations of RPM repositories: `$releasever`, `$basearch` and `$arch`.

use anyhow::Result;
use description::{Origin, Selection};

use crate::failure::{Failure, Kind};

/// Replaces the variables in a location. The image's own configuration keeps them.
pub(super) fn replaced(location: String, selection: &Selection, origin: &Origin) -> Result<String> {
    let machine = selection.architecture.machine();
    let base = if machine == "i686" { "i386" } else { machine };
    let location = with(with(location, "basearch", base), "arch", machine);
    match &selection.settings.release_version {
        Some(release) => Ok(with(location, "releasever", release)),
        None if location.contains("$releasever") || location.contains("${releasever}") => {
            let message = format!(
                "the repository {location} contains $releasever, and the description no release: {origin}"
            );
            let remedy = "Write <release-version>..</release-version> in <preferences>.";
            Err(Failure::new(Kind::InvalidDescription, message).remedy(remedy).into())
        }
        None => Ok(location),
    }
}

fn with(location: String, name: &str, value: &str) -> String {
    location.replace(&format!("${{{name}}}"), value).replace(&format!("${name}"), value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_two_forms() {
        let location = with("https://h/${releasever}/$releasever/$arch".to_owned(), "releasever", "15.6");
        assert_eq!(with(location, "arch", "x86_64"), "https://h/15.6/15.6/x86_64");
    }
}
