//! `kiwi repro`, `diff`, `explain` and `build --explain` with systems of RPM packages.

use std::fs;

use kiwi_tests::machine::judge;
use kiwi_tests::program::kiwi;
use kiwi_tests::rpm;

use super::rpm::Case;

#[test]
fn systems_of_rpm_packages_are_built_twice_compared_and_explained() {
    let repository = rpm::small();
    let repositories = [repository.variant("features"), repository.variant("good")];
    let names = |more: &str| {
        format!(
            r#"<packages type="bootstrap"><package name="weak"/></packages>
            <packages type="image"><package name="watcher"/><package name="features"/>{more}</packages>"#
        )
    };
    for manager in ["zypper", "dnf4"] {
        let case = Case::new("", &repositories, &names("")).managed_by(manager);
        for directory in ["repro", "one", "two"] {
            fs::create_dir(case.path(directory)).unwrap();
        }
        let repro = case.run(&["repro", "description", "--destdir", "repro"]);
        assert_eq!((repro.code, &repro.outcome()["same"]), (0, &true.into()), "{manager}: {repro:?}");
        assert!(repro.outcome()["parts"].as_array().unwrap().len() > 1, "{manager}: {repro:?}");
        let _ = case.run(&["build", "description", "--destdir", "one"]).done();

        let more = Case::new("", &repositories, &names(r#"<package name="sigtest"/>"#)).managed_by(manager);
        fs::copy(more.path("description/config.xml"), case.path("description/config.xml")).unwrap();
        let plan = case.run(&["build", "description", "--destdir", "two", "--explain"]).done();
        let stages = plan.outcome()["stages"].as_array().unwrap();
        let because = |stage: &&serde_json::Value| {
            stage["fate"] == "runs" && stage["why"].as_str().is_some_and(|why| why.contains("sigtest"))
        };
        assert!(stages.iter().any(|stage| because(&stage)), "{manager}: {stages:?}");
        let bootstrap = stages.iter().find(|stage| stage["stage"] == "bootstrap").expect("a stage");
        assert_ne!(bootstrap["fate"], "runs", "{manager}: {stages:?}");
        let _ = case.run(&["build", "description", "--destdir", "two"]).done();

        let [one, two] = ["one", "two"].map(|directory| case.path(directory).join("rpm.x86_64-1.0.0"));
        let diff = case.run(&["diff", "--no-times", one.to_str().unwrap(), two.to_str().unwrap()]);
        assert_eq!(diff.code, 1, "{manager}: {diff:?}");
        let differences = diff.outcome()["differences"].to_string();
        assert!(differences.contains("/opt/sigtest"), "{manager}: {differences}");
        assert!(!differences.contains("/opt/watcher"), "{manager}: {differences}");
        let explain = |path: &str| judge(kiwi().to_str().unwrap(), &["explain", two.to_str().unwrap(), path]);
        for (path, package) in [
            ("/opt/sigtest", "package sigtest 12-1 noarch (stage packages)"),
            ("/opt/weak", "package weak 12-1 noarch (stage bootstrap)"),
            ("/opt/features/settings", "package features 12-1 noarch, configuration file (stage packages)"),
        ] {
            assert!(explain(path).contains(package), "{manager}: {}", explain(path));
        }
    }
}
