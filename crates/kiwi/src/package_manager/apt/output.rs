//! Parses the output of apt: package URIs, the order of an installation, dates.

use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

use crate::deb822::{self, Comments};
use crate::host::printable;
use crate::package_manager::Package;

/// apt's scheme of a file in a local repository.
const LOCAL_SCHEME: &str = "copy:";

/// Parses lines of `'URI' FILE SIZE HASH`. A package without a SHA-256 is an error, because neither a download nor a
/// file of the cache could be verified.
pub(super) fn packages(output: &str) -> Result<Vec<Package>> {
    let (mut packages, mut unverifiable) = (Vec::new(), Vec::new());
    for line in output.lines() {
        let Some((uri, rest)) = line.strip_prefix('\'').and_then(|line| line.split_once("' ")) else {
            continue;
        };
        let mut words = rest.split_whitespace();
        let Some(file) = words.next() else { continue };
        let size = words.next().and_then(|size| size.parse().ok());
        match words.next().and_then(|hash| hash.strip_prefix("SHA256:")) {
            Some(sha256) => packages.push(Package { size, ..package(uri, file, sha256)? }),
            None => unverifiable.push(uri),
        }
    }
    if let Some(first) = unverifiable.first() {
        bail!(
            "the index of a repository contains no SHA-256 of {}, the first of them {first}\ncreate \
             the index again with apt-ftparchive or dpkg-scanpackages, or use the directory of the packages as a repository \
             of type deb-dir",
            printable::count(unverifiable.len(), "package")
        );
    }
    Ok(packages)
}

/// Returns the package of a file that apt calls `NAME_VERSION_ARCHITECTURE.deb`.
fn package(uri: &str, file: &str, sha256: &str) -> Result<Package> {
    let parts: Vec<&str> = file.trim_end_matches(".deb").split('_').collect();
    let [name, version, architecture] = parts.as_slice() else {
        bail!(
            "apt reports a package file {file}, which does not have the form NAME_VERSION_ARCHITECTURE.deb"
        );
    };
    Ok(Package {
        name: (*name).to_owned(),
        version: version.replace("%3a", ":"),
        architecture: (*architecture).to_owned(),
        checksum: sha256.to_owned(),
        location: uri.strip_prefix(LOCAL_SCHEME).unwrap_or(uri).to_owned(),
        size: None,
    })
}

/// Returns the name under which apt stores the file of a package.
pub(super) fn file_name(name: &str, version: &str, architecture: &str) -> String {
    format!("{name}_{}_{architecture}.deb", version.replace(':', "%3a"))
}

/// The order in which apt unpacks and configures packages, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) unpack: Vec<String>,
    /// The packages that apt configures before the last package is unpacked; dpkg determines the order of the others.
    pub(super) configure_early: Vec<String>,
}

/// Parses the lines `Inst NAME (...)` and `Conf NAME (...)` of a simulated installation.
pub(super) fn order(output: &str) -> Order {
    let mut order = Order::default();
    let mut configured = Vec::new();
    for line in output.lines() {
        let mut words = line.split_whitespace();
        match (words.next(), words.next()) {
            (Some("Inst"), Some(name)) => {
                order.unpack.push(name.to_owned());
                order.configure_early.append(&mut configured);
            }
            (Some("Conf"), Some(name)) => configured.push(name.to_owned()),
            _ => {}
        }
    }
    order
}

/// Returns the seconds since 1970 of a `Date:` field such as `Sat, 05 Sep 2026 09:12:30 UTC`.
pub(in super::super) fn release_date(text: &str) -> Option<u64> {
    let paragraphs = deb822::paragraphs(text, Comments::Stray);
    let date = paragraphs.iter().find_map(|paragraph| paragraph.value("Date"))?;
    let words: Vec<&str> = date.split_whitespace().collect();
    let [_, day, month, year, time, ..] = words.as_slice() else { return None };
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = MONTHS.iter().position(|name| name == month)? as u64 + 1;
    let (day, year): (u64, u64) = (day.parse().ok()?, year.parse().ok()?);
    let mut clock = time.split(':').map(|part| part.parse::<u64>().ok());
    let (hours, minutes, seconds) = (clock.next()??, clock.next()??, clock.next()??);
    let possible = (1970..=9999).contains(&year)
        && (1..=31).contains(&day)
        && hours < 24
        && minutes < 60
        && seconds <= 60;
    if !possible {
        return None;
    }
    // Counts years that start in March, so that the leap day is the last.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400 + hours * 3_600 + minutes * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_packages_and_rejects_those_without_a_digest() {
        let good = "'http://m.example/less.deb' less_1%3a590-2_amd64.deb 12 SHA256:00ff\n\
                    'copy:/r/./b.deb' b_1_all.deb 7 SHA256:01ff\n";
        let read = packages(good).unwrap();
        let less = Package {
            name: "less".to_owned(),
            version: "1:590-2".to_owned(),
            architecture: "amd64".to_owned(),
            checksum: "00ff".to_owned(),
            location: "http://m.example/less.deb".to_owned(),
            size: Some(12),
        };
        assert_eq!(read[0], less);
        assert_eq!(file_name(&less.name, &less.version, &less.architecture), "less_1%3a590-2_amd64.deb");
        assert_eq!(read[1].location, "/r/./b.deb");
        for bad in
            ["'file:/r/b_1_all.deb' b_1_all.deb 7\n", "'file:/r/b_1_all.deb' b_1_all.deb 7 MD5Sum:00ff\n"]
        {
            let error = packages(&format!("{good}{bad}")).unwrap_err().to_string();
            assert!(
                error.contains("no SHA-256 of 1 package, the first of them file:/r/b_1_all.deb"),
                "{error}"
            );
        }
        assert!(packages("Reading package lists...\n").unwrap().is_empty());
        assert!(packages("'http://m.example/x' odd 7 SHA256:00ff\n").is_err());
    }

    #[test]
    fn reads_the_order_of_a_simulation() {
        let text = "Inst a (1 Debian:12/stable [amd64]) []\nConf a (1)\nInst b (2 Debian:12/stable [all])\nInst c (3)\n\
                    Conf c (3)\nConf b (2)\n";
        let read = order(text);
        assert_eq!(read.unpack, ["a", "b", "c"]);
        assert_eq!(read.configure_early, ["a"]);
    }

    #[test]
    fn release_dates_are_seconds() {
        assert_eq!(release_date("Origin: x\nDate: Thu, 01 Jan 1970 00:00:00 UTC\n"), Some(0));
        assert_eq!(release_date("Date: Sat, 29 Feb 2020 12:34:56 UTC\n"), Some(1_582_979_696));
        assert_eq!(release_date("Date: Mon, 01 Mar 2021 00:00:00 UTC\n"), Some(1_614_556_800));
        assert_eq!(release_date("Origin: x\n"), None);
    }
}
