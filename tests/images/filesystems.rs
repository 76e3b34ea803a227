//! A file system that only a kernel can fill.

use kiwi_tests::machine::judge;
use kiwi_tests::small::{SYSTEM, create, text, tree};

#[test]
fn a_reiserfs_is_filled_by_the_kernel_of_the_tree() {
    let directory = tempfile::tempdir().unwrap();
    create(r#"<type image="reiserfs"/>"#, directory.path());
    let said = judge("reiserfsck", &["--check", "--yes", text(&directory.path().join(SYSTEM))]);
    assert!(said.contains("No corruptions found"), "{said}");
    let count = |what: &str| {
        let line = said.lines().find(|line| line.trim_start().starts_with(what));
        let line = line.unwrap_or_else(|| panic!("{what}: {said}"));
        line.split_whitespace().last().unwrap().parse::<usize>().unwrap()
    };
    // The image does not contain the description in /image and the files made for its scripts.
    let found = |what: &str| -> usize {
        let script =
            format!("cd '{}' && find . -path ./image -prune -o {what} -print | wc -l", tree().display());
        judge("sh", &["-c", &script]).trim().parse().unwrap()
    };
    // The kernel creates .reiserfs_priv for extended attributes.
    assert_eq!(count("Directories"), found("-type d") + 1, "{said}");
    assert_eq!(count("Other files"), found("! -type d ! -path ./.profile ! -path ./.kconfig"), "{said}");
}
