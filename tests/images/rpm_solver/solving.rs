//! What zypper and dnf select, and the errors when they cannot.

use kiwi_tests::rpm;

use super::case::{Case, MANAGERS, UNSIGNED, element, selected};

#[test]
fn recommended_packages_groups_and_ignored_names() {
    let repository = rpm::small();
    let both = element(&repository.path().display().to_string(), UNSIGNED, None)
        + &element(&repository.variant("features").display().to_string(), UNSIGNED, None);
    for manager in MANAGERS {
        let case = Case::new(manager);
        let names = |packages: &str| selected(&case.run(&both, packages, &[]).done());
        assert_eq!(names("<package name=\"features\"/>"), ["features"], "{manager}");
        let base = names("<namedCollection name=\"base\"/>");
        assert!(
            ["filesystem", "bash", "libc-bin"].iter().all(|name| base.contains(&(*name).to_owned())),
            "{manager}: {base:?}"
        );
        let run = case.run(&both, "<package name=\"tree\"/><ignore name=\"libc6\"/>", &[]);
        assert_eq!(run.error(), (1, "packages"), "{manager}: {}", run.last());
        assert!(run.names("libc6"), "{manager}: {}", run.last());
    }
}

#[test]
fn an_unknown_name_is_reported_with_its_position_and_a_suggestion() {
    let repository = rpm::small();
    let source = element(&repository.path().display().to_string(), UNSIGNED, None);
    for manager in MANAGERS {
        let case = Case::new(manager);
        let run = case.run(&source, "<package name=\"helo\"/><package name=\"tree\"/>", &[]);
        assert_eq!(run.error(), (1, "packages"), "{manager}: {}", run.last());
        assert!(
            run.names("helo (description/config.xml:6:39; did you mean hello?)"),
            "{manager}: {}",
            run.last()
        );
        let run = case.run(&source, "<namedCollection name=\"no-such-group\"/>", &[]);
        assert_eq!(run.error(), (1, "packages"), "{manager}: {}", run.last());
        assert!(run.names("no-such-group"), "{manager}: {}", run.last());
    }
}

#[test]
fn a_contradiction_is_shortened_to_its_cause() {
    let repository = rpm::small();
    let source = element(&repository.variant("broken").display().to_string(), UNSIGNED, None);
    for manager in MANAGERS {
        let run = Case::new(manager).run(&source, "<package name=\"needs-nothing-there\"/>", &[]);
        assert_eq!(run.error(), (1, "packages"), "{manager}: {}", run.last());
        let cause = "nothing provides no-such-capability >= 9 needed by needs-nothing-there-12-1.noarch";
        assert!(run.names(cause) && run.names("config.xml:"), "{manager}: {}", run.last());
    }
}

#[test]
fn patterns_products_and_names_are_for_an_architecture_and_have_versions() {
    let repository = rpm::small();
    let both = element(&repository.path().display().to_string(), UNSIGNED, None)
        + &element(&repository.variant("features").display().to_string(), UNSIGNED, None);
    for manager in MANAGERS {
        let case = Case::new(manager);
        let names = |packages: &str| selected(&case.run(&both, packages, &[]).done());
        // The package of the product provides it; a name of another architecture is not asked for.
        let product = names(
            "<product name=\"debrpm\"/><product name=\"none\" arch=\"aarch64\"/><package name=\"absent\" arch=\"aarch64\"/>\
             <namedCollection name=\"absent\" arch=\"aarch64\"/><package name=\"weak\" arch=\"x86_64\"/>",
        );
        for name in ["debrpm-release", "filesystem", "weak"] {
            assert!(product.contains(&name.to_owned()), "{manager}: {product:?}");
        }
        let run = case.run(&both, "<product name=\"no-such-product\"/>", &[]);
        assert_eq!(run.error(), (1, "packages"), "{manager}: {}", run.last());
        assert!(run.names("no-such-product"), "{manager}: {}", run.last());
        // An ignored name that only another architecture ignores.
        let ignored =
            "<package name=\"features\"/><package name=\"weak\"/><ignore name=\"weak\" arch=\"aarch64\"/>";
        assert_eq!(names(ignored), ["features", "weak"], "{manager}");
        let ignored = ignored.replace(" arch=\"aarch64\"", "");
        assert_eq!(names(&ignored), ["features"], "{manager}");
        // All packages of a pattern are listed with their versions, before anything is installed.
        let run = case.run(&both, "<namedCollection name=\"base\"/>", &[]).done();
        let listed = run.outcome()["info"]["resolved"].as_array().unwrap().clone();
        let version = |name: &str| {
            let found = listed.iter().find(|package| package["name"] == name).expect(name);
            found["version"].as_str().expect("a version").to_owned()
        };
        assert_eq!(version("filesystem"), "12-1", "{manager}");
        assert!(
            listed.iter().all(|package| package["version"].as_str().is_some_and(|text| text.contains('-')))
        );
    }
}

#[test]
fn recommended_packages_come_with_plus_recommended_for_patterns_and_packages() {
    let repository = rpm::small();
    let both = element(&repository.path().display().to_string(), UNSIGNED, None)
        + &element(&repository.variant("features").display().to_string(), UNSIGNED, None);
    for manager in MANAGERS {
        let case = Case::new(manager);
        let names = |attributes: &str, more: &str| {
            let packages = format!("<package name=\"features\"/>{more}");
            selected(&case.run_of(attributes, &both, &packages).done())
        };
        assert_eq!(names(" patternType=\"onlyRequired\"", ""), ["features"], "{manager}");
        assert_eq!(
            names(" patternType=\"plusRecommended\"", ""),
            ["features", "weak", "weak-reverse"],
            "{manager}"
        );
        let ignored = names(" patternType=\"plusRecommended\"", "<ignore name=\"weak\"/>");
        assert_eq!(ignored, ["features", "weak-reverse"], "{manager}");
    }
}
