//! Looks for formats of one package manager in sources above the trait: they belong below `package_manager/` and `distribution/`.
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

use std::path::Path;

/// Files that may know the formats, relative to the sources.
const BELOW: [&str; 5] = [
    "package_manager/apt/",
    "package_manager/dpkg/",
    "package_manager/deb/",
    "distribution/debian",
    // The packages that provide the programs of the build host.
    "host/program_lookup.rs",
];

/// What names a format, a database, a program or a file of one package manager.
const FORMATS: [&str; 12] = [
    ".deb",
    "dpkg",
    "Types: deb",
    "sources.list",
    "etc/apt",
    "lib/apt",
    "\"apt-get\"",
    "apt-helper",
    "policy-rc.d",
    "update-initramfs",
    "DEBIAN_FRONTEND",
    "debconf",
];

/// Returns the formats that a line names; `.deb` counts only at the end of a word.
fn named(line: &str) -> impl Iterator<Item = &'static str> {
    FORMATS.into_iter().filter(move |format| {
        let mut after =
            line.match_indices(format).map(|(start, _)| line[start + format.len()..].chars().next());
        after.any(|next| *format != ".deb" || !next.is_some_and(|next| next.is_alphanumeric() || next == '_'))
    })
}

#[test]
fn formats_of_a_package_manager_are_known_below_its_trait_only() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/kiwi/src");
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in super::source::rust_files(&root) {
        let inside = path.strip_prefix(&root).unwrap().display().to_string();
        let declares = inside == "package_manager/mod.rs";
        let below = BELOW.iter().any(|start| inside.starts_with(start));
        for (number, line) in std::fs::read_to_string(&path).unwrap().lines().enumerate() {
            for format in named(line).filter(|_| !(declares && line.starts_with("mod "))) {
                match below {
                    true => seen += 1,
                    false => wrong.push(format!("{inside}:{}: {format}: {}", number + 1, line.trim())),
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} places below the trait were seen: the reader is broken");
    assert!(wrong.is_empty(), "formats of one package manager above the trait:\n{}", wrong.join("\n"));
}

#[test]
fn formats_are_found_in_a_line() {
    assert_eq!(named("let name = format!(\"{name}.deb\");").collect::<Vec<_>>(), [".deb"]);
    assert_eq!(named("if configuration.debian.main == x.deb_dir {").count(), 0);
    assert_eq!(named("host.command(\"dpkg-deb\")").collect::<Vec<_>>(), ["dpkg"]);
    assert_eq!(named("\"Types: deb\\n\"").collect::<Vec<_>>(), ["Types: deb"]);
}
