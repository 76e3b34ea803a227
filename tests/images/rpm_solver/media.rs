//! Repositories in the format of SUSE media before 2010 (type `yast2`), which zypper reads.

use kiwi_tests::rpm;

use super::case::{Case, UNSIGNED, element, selected};

const MEDIA: &str = "<namedCollection name=\"media\"/>";

#[test]
fn packages_and_patterns_of_signed_media_are_selected() {
    let repository = rpm::small();
    let media = repository.variant("yast2").display().to_string();
    let server = kiwi_tests::web::Web::serve(&repository.variant("yast2"));
    for source in [media, server.url()] {
        let case = Case::new("zypper");
        let signed = element(&source, "type=\"yast2\"", Some(&repository.key()));
        let run = case.run(&signed, "<package name=\"sigtest\"/>", &[]).done();
        assert_eq!(selected(&run), ["sigtest"]);
        assert_eq!(run.outcome()["info"]["resolved"][0]["version"], "12-1");
        assert_eq!(selected(&case.run(&signed, MEDIA, &[]).done()), ["sigtest", "weak"]);
        let run = case.run(&signed, "<package name=\"sigtext\"/>", &[]);
        assert!(run.names("did you mean sigtest?"), "{}", run.last());
        let run = case.run(&element(&source, "type=\"yast2\"", Some(&repository.other_key())), MEDIA, &[]);
        assert_eq!(run.error(), (1, "signature"), "{}", run.last());
    }
}

#[test]
fn media_without_a_signature_and_changed_media_are_refused() {
    let repository = rpm::small();
    let case = Case::new("zypper");
    let source = |variant: &str| repository.variant(variant).display().to_string();
    let run =
        case.run(&element(&source("yast2-unsigned"), "type=\"yast2\"", Some(&repository.key())), MEDIA, &[]);
    assert_eq!(run.error(), (1, "signature"), "{}", run.last());
    let unchecked = element(&source("yast2-unsigned"), &format!("type=\"yast2\" {UNSIGNED}"), None);
    assert_eq!(selected(&case.run(&unchecked, MEDIA, &[]).done()), ["sigtest"]);
    let run =
        case.run(&element(&source("yast2-tampered"), "type=\"yast2\"", Some(&repository.key())), MEDIA, &[]);
    assert_ne!(run.code, 0);
    assert!(run.names("packages.gz") && run.names("config.xml:4:"), "{}", run.last());
}

#[test]
fn dnf_refuses_media_by_name() {
    let repository = rpm::small();
    let media = element(&repository.variant("yast2").display().to_string(), "type=\"yast2\"", None);
    let run = Case::new("dnf4").run(&media, MEDIA, &[]);
    assert_eq!(run.error(), (4, "not-built"), "{}", run.last());
    assert!(run.names("dnf does not read repositories of type yast2"), "{}", run.last());
}
