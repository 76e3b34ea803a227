//! The scripts of the descriptions that are supplied with kiwi. Most of them are links to one script; a copy of the sources without
//! links has files with the target's path in their place.

use std::fs;

use kiwi_tests::program::checkout;
use walkdir::WalkDir;

#[test]
fn every_script_of_a_supplied_description_names_its_interpreter() {
    let mut count = 0;
    for directory in ["share/kiwi/image", "tests/rpm/boot/kiwi/image", "examples"] {
        for entry in WalkDir::new(checkout().join(directory)) {
            let path = entry.unwrap().into_path();
            if path.extension().is_some_and(|ending| ending == "sh") {
                let text =
                    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                let start = text.lines().next().unwrap_or_default();
                assert!(start.starts_with("#!/"), "{} begins with {start:?}", path.display());
                count += 1;
            }
        }
    }
    assert!(count > 20, "only {count} scripts were found");
}
