//! The long blocks of the handbook, which build images.

use kiwi_tests::handbook::{Decision, run};

#[test]
#[ignore = "builds seven images: scripts/test --all"]
fn long_blocks_work_as_printed() {
    let cache = std::env::var_os("KIWI_CACHE").map(std::path::PathBuf::from).unwrap_or_else(|| {
        let home = std::env::var_os("HOME").expect("HOME is set");
        std::path::Path::new(&home).join(".cache/kiwi")
    });
    assert!(run(&Decision::RunAll, Some(&cache)) > 5);
}
