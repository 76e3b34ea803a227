//! What a boot image takes from its system: repositories, and how the packages in them are selected and checked.

use std::path::Path;

use description::{PackageManager, Repository, Selection, SourcePath};

/// Replaces the replaceable repositories of a boot image by those of the system, whose description is in `directory`. Settings
/// of these repositories that the boot image does not have are those of the system.
pub(super) fn inherit(boot: &mut Selection, system: &Selection, directory: &Path) {
    if !boot.repositories.iter().any(Repository::is_replaceable) {
        return;
    }
    let kept = boot.repositories.iter().filter(|repository| !repository.is_replaceable()).cloned();
    let taken = system.repositories.iter().filter(|repository| !repository.image_only);
    boot.repositories = kept.chain(taken.map(|repository| elsewhere(repository, directory))).collect();
    // `smart` names no program of today.
    if boot.package_manager == PackageManager::Smart {
        boot.package_manager = system.package_manager;
    }
    let (own, settings) = (&mut boot.settings, &system.settings);
    own.check_signatures = own.check_signatures.or(settings.check_signatures);
    own.release_version = own.release_version.take().or_else(|| settings.release_version.clone());
}

/// Returns a repository for another description: paths relative to its own become absolute.
fn elsewhere(repository: &Repository, directory: &Path) -> Repository {
    let absolute = |path: &str| directory.join(path).display().to_string();
    let source = match &repository.source {
        SourcePath::This(path) => SourcePath::Local(absolute(path)),
        other => other.clone(),
    };
    let key = |key: &String| match key.strip_prefix("this:") {
        Some(path) => format!("file://{}", absolute(path.trim_start_matches('/'))),
        None => key.clone(),
    };
    Repository {
        source,
        signing_keys: repository.signing_keys.iter().map(key).collect(),
        customize: repository.customize.as_deref().map(absolute),
        in_image: false,
        ..repository.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(preferences: &str, repositories: &str) -> Selection {
        let text = format!(
            "<image schemaversion=\"8.5\" name=\"x\"><description type=\"system\"><author>A</author><contact>C</contact>\
             <specification>S</specification></description><preferences><version>1.0.0</version>{preferences}\
             <type image=\"ext4\"/></preferences>{repositories}<packages type=\"image\"><package name=\"a\"/></packages></image>"
        );
        let file = description::SourceFile { name: "config.xml".to_owned(), text };
        let parsed = description::Description::parse(file);
        let description = parsed.description.expect("a description");
        description.select(&description::Choice::default()).expect("a selection")
    }

    const SYSTEM: &str = "<packagemanager>dnf4</packagemanager><rpm-check-signatures>false</rpm-check-signatures>\
                          <release-version>12</release-version>";
    const REPOSITORY: &str = r#"<repository type="rpm-md" customize="fix.sh"><source path="this://packages">
        <signing key="this://a.asc"/><signing key="file:///b.asc"/></source></repository>
        <repository type="rpm-md" imageonly="true"><source path="http://example.org/"/></repository>"#;

    #[test]
    fn repositories_and_their_settings_are_those_of_the_system() {
        let system = selection(SYSTEM, REPOSITORY);
        let own = r#"<repository type="rpm-md"><source path="obsrepositories:/"/></repository>"#;
        let mut boot = selection("<packagemanager>zypper</packagemanager>", own);
        inherit(&mut boot, &system, Path::new("/system"));
        let [repository] = boot.repositories.as_slice() else { panic!("{:?}", boot.repositories) };
        assert_eq!(repository.source, SourcePath::Local("/system/packages".to_owned()));
        assert_eq!(repository.signing_keys, ["file:///system/a.asc", "file:///b.asc"]);
        assert_eq!(repository.customize.as_deref(), Some("/system/fix.sh"));
        assert_eq!(boot.package_manager, PackageManager::Zypper);
        assert_eq!(boot.settings.check_signatures, Some(false));
        assert_eq!(boot.settings.release_version.as_deref(), Some("12"));
    }

    #[test]
    fn a_boot_image_that_names_no_program_uses_that_of_the_system() {
        let system = selection(SYSTEM, REPOSITORY);
        let own = r#"<repository type="rpm-md"><source path="obsrepositories:/"/></repository>"#;
        let mut boot = selection("<packagemanager>zypper</packagemanager>", own);
        boot.package_manager = PackageManager::Smart;
        inherit(&mut boot, &system, Path::new("/system"));
        assert_eq!(boot.package_manager, PackageManager::Dnf);
    }

    #[test]
    fn a_boot_image_with_repositories_of_its_own_inherits_nothing() {
        let system = selection(SYSTEM, REPOSITORY);
        let own = r#"<repository type="rpm-md"><source path="http://example.org/own"/></repository>"#;
        let mut boot = selection("<packagemanager>zypper</packagemanager>", own);
        inherit(&mut boot, &system, Path::new("/system"));
        assert_eq!(boot.repositories[0].source, SourcePath::Url("http://example.org/own".to_owned()));
        assert_eq!((boot.repositories.len(), boot.settings.check_signatures), (1, None));
    }
}
