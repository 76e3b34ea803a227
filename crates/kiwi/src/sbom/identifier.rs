//! The SPDX identifier of a licence's short name in a copyright file (machine-readable debian/copyright 1.0, "License short
//! name").

use super::licence::is_expression;

/// Names of that specification that SPDX gives to other licences or to one form of several.
const AMBIGUOUS: [&str; 4] = ["mit", "artistic", "perl", "x11"];

/// Returns the identifier; `None` if SPDX has none for this name, or the name does not determine one.
pub(super) fn of(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    if AMBIGUOUS.contains(&lower.as_str()) {
        return None;
    }
    if lower == "expat" {
        return Some("MIT".to_owned());
    }
    let gnu = ["GPL", "LGPL", "AGPL", "GFDL-NIV", "GFDL"].iter().find_map(|family| {
        let version = lower.strip_prefix(&format!("{}-", family.to_ascii_lowercase()))?;
        let (version, form) = match version.strip_suffix('+') {
            Some(version) => (version, "or-later"),
            None => (version, "only"),
        };
        let is_version = version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        let version = if version.contains('.') { version.to_owned() } else { format!("{version}.0") };
        is_version.then(|| match family.strip_suffix("-NIV") {
            Some(family) => format!("{family}-{version}-no-invariants-{form}"),
            None => format!("{family}-{version}-{form}"),
        })
    });
    let own = || {
        let found = spdx::license_id(name).map(|id| id.name);
        let listed = || spdx::identifiers::LICENSES.iter().map(|license| license.name);
        found.or_else(|| listed().find(|id| id.eq_ignore_ascii_case(name))).map(str::to_owned)
    };
    // A name with a plus sign of another licence, such as Apache-2.0+, is an expression, too.
    gnu.or_else(own).filter(|id| is_expression(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_have_the_identifiers_of_spdx() {
        for (name, id) in [
            ("GPL-2", "GPL-2.0-only"),
            ("GPL-2+", "GPL-2.0-or-later"),
            ("gpl-3.0+", "GPL-3.0-or-later"),
            ("LGPL-2.1+", "LGPL-2.1-or-later"),
            ("AGPL-3", "AGPL-3.0-only"),
            ("GFDL-1.3+", "GFDL-1.3-or-later"),
            ("GFDL-NIV-1.3", "GFDL-1.3-no-invariants-only"),
            ("Expat", "MIT"),
            ("BSD-3-clause", "BSD-3-Clause"),
            ("Apache-2.0", "Apache-2.0"),
            ("zlib", "Zlib"),
            ("CC0-1.0", "CC0-1.0"),
            ("MPL-2.0", "MPL-2.0"),
        ] {
            assert_eq!(of(name).as_deref(), Some(id), "{name}");
        }
    }

    #[test]
    fn other_names_have_none() {
        for name in [
            "GPL",
            "GPL-9+",
            "LGPL-2.5",
            "MIT",
            "Artistic",
            "public-domain",
            "GPL-2.0",
            "BSD",
            "",
            "X11",
            "a b",
        ] {
            let found = of(name);
            assert!(found.is_none() || name == "GPL-2.0", "{name}: {found:?}");
        }
        assert_eq!(of("GPL-2.0").as_deref(), Some("GPL-2.0-only"), "the deprecated identifier is not used");
    }
}
