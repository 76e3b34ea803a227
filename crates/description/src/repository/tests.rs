use super::*;

fn parse(text: &str) -> Option<SourcePath> {
    SourcePath::parse(text, &Architecture::new("i686"))
}

#[test]
fn every_scheme_has_its_variant() {
    use SourcePath::{Debian, DebianSnapshot, Local, Obs, OpenSuse, Placeholder, This, Url};
    let cases = [
        ("/image/CDs/full-%arch", Local("/image/CDs/full-i386".into())),
        ("dir:///srv/repo", Local("/srv/repo".into())),
        ("dir:/srv/repo", Local("/srv/repo".into())),
        ("file:///srv/repo", Local("/srv/repo".into())),
        ("this://repo/%arch", This("repo/i386".into())),
        ("http://example.org/debian", Url("http://example.org/debian".into())),
        ("https://example.org/%arch", Url("https://example.org/i386".into())),
        ("ftp://example.org/x", Url("ftp://example.org/x".into())),
        ("opensuse://openSUSE:10.2", OpenSuse("openSUSE:10.2".into())),
        ("obs://Virtualization:Appliances/Leap/", Obs("Virtualization:Appliances/Leap".into())),
        ("debian://bookworm", Debian("bookworm".into())),
        (
            "debian://bookworm@20260101T000000Z",
            DebianSnapshot { suite: "bookworm".into(), time: "20260101T000000Z".into() },
        ),
        ("obsrepositories:/", Placeholder("obsrepositories:/".into())),
        ("obsrepositories:/more", Placeholder("obsrepositories:/more".into())),
        ("obs://inherited_from_system", Placeholder("obs://inherited_from_system".into())),
        ("iso:///srv/dvd.iso", Placeholder("iso:///srv/dvd.iso".into())),
        ("https://{SERVER}/%arch", Placeholder("https://{SERVER}/i386".into())),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text), Some(expected), "{text}");
    }
}

#[test]
fn a_message_gets_no_password() {
    let shown = |text| parse(text).map(|source| source.without_login());
    assert_eq!(shown("https://u:p@h.example:1/a@b").as_deref(), Some("https://h.example:1/a@b"));
    assert_eq!(shown("debian://bookworm").as_deref(), Some("debian://bookworm"));
}

#[test]
fn invalid_source_paths_are_refused() {
    for text in [
        "",
        "repo",
        "debian:bookworm",
        "debian://",
        "debian://../x",
        "debian://a/b",
        "debian://a@b",
        "debian://a@20261301T000000Z",
        "debian://a@20260101T000000",
        "debian://@20260101T000000Z",
        "http://",
        "http:///x",
        "http://a b",
        "obs://project",
        "nfs://host/share",
        "dir:relative",
        "this://",
        "/a\0b",
    ] {
        assert_eq!(parse(text), None, "{text}");
    }
}
