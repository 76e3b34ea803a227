//! What the database of a Debian tree says about its packages besides their names.

use std::io::Read;

use anyhow::{Context, Result};

use crate::compression::Compression;
use crate::host::Host;
use crate::root_tree::RootTree;

/// The change logs of a package, the first that exists: that of the distribution, or of a program that it publishes itself.
const CHANGE_LOGS: [&str; 2] = ["changelog.Debian.gz", "changelog.gz"];
/// The most bytes of a change log.
const LARGEST_LOG: u64 = 64 << 20;

/// Returns a line for each file that differs from its package or is missing.
pub(in crate::package_manager) fn verified(tree: &RootTree, host: &Host) -> Result<String> {
    let command = host.command("dpkg").arg("--root").arg(tree.path()).arg("--verify");
    command.output().context("comparing the files of the tree with its packages")
}

/// Returns the change logs of these packages.
pub(in crate::package_manager) fn changes(packages: &[String], tree: &RootTree) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for name in packages {
        let mut paths = CHANGE_LOGS.iter().map(|log| format!("usr/share/doc/{name}/{log}"));
        let Some(path) = paths.find(|path| tree.exists(path)) else { continue };
        text.extend_from_slice(name.as_bytes());
        text.push(b'\n');
        let packed = tree.read(&path)?;
        Compression::Gzip
            .decoder(packed.as_slice())?
            .take(LARGEST_LOG)
            .read_to_end(&mut text)
            .with_context(|| format!("reading /{path} of the root tree"))?;
        text.push(b'\n');
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use test_programs::have;

    use super::*;
    use crate::host::Output;

    const STATUS: &str = "Package: one\nStatus: install ok installed\nVersion: 1\nArchitecture: all\nMaintainer: M\n\
        Conffiles:\n /etc/one 5d41402abc4b2a76b9719d911017c592\nDescription: one\n";

    fn tree(directory: &std::path::Path, host: &Host) -> RootTree {
        let tree = RootTree::create(host, directory).unwrap();
        tree.write("var/lib/dpkg/status", STATUS, 0o644).unwrap();
        tree.write("var/lib/dpkg/info/one.list", "/.\n/etc\n/etc/one\n/usr\n/usr/kept\n/usr/gone\n", 0o644)
            .unwrap();
        let sum = "5d41402abc4b2a76b9719d911017c592";
        tree.write("var/lib/dpkg/info/one.md5sums", format!("{sum}  usr/kept\n{sum}  usr/gone\n"), 0o644)
            .unwrap();
        tree.write("usr/kept", "hello", 0o644).unwrap();
        tree.write("etc/one", "hello", 0o644).unwrap();
        tree
    }

    #[test]
    fn changed_and_missing_files_are_listed() {
        if !have(&["dpkg"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let tree = tree(&directory.path().join("tree"), &host);
        assert_eq!(
            verified(&tree, &host).unwrap().split_whitespace().collect::<Vec<_>>(),
            ["missing", "/usr/gone"]
        );
        tree.write("etc/one", "other", 0o644).unwrap();
        let text = verified(&tree, &host).unwrap();
        assert!(text.contains("5") && text.contains(" c /etc/one") && !text.contains("/usr/kept"), "{text}");
    }

    #[test]
    fn change_logs_follow_the_names_of_their_packages() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(Output::Quiet);
        let tree = tree(&directory.path().join("tree"), &host);
        let packed = |text: &str| {
            let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            writer.write_all(text.as_bytes()).unwrap();
            writer.finish().unwrap()
        };
        for (path, text) in [
            ("one/changelog.Debian.gz", "one (1)\n"),
            ("one/changelog.gz", "of the program\n"),
            ("two/changelog.gz", "two (2)\n"),
            ("other/changelog.gz", "of no package\n"),
        ] {
            tree.write(format!("usr/share/doc/{path}"), packed(text), 0o644).unwrap();
        }
        let names = ["one", "three", "two"].map(str::to_owned);
        let text = changes(&names, &tree).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "one\none (1)\n\ntwo\ntwo (2)\n\n");
    }
}
