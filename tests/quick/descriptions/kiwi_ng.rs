//! Conversions to schema 8.5 as KIWI NG defines it: each of kiwi's own keywords gets today's spelling, or stops the conversion.
//!
//! KIWI NG's own schema judges whole descriptions in the unit tests of `convert/ng`.

use description::{Choice, Conversion, Description, Dialect, Disk, ImageType, Severity, SourceFile};

fn file(text: &str) -> SourceFile {
    SourceFile { name: "config.xml".to_owned(), text: text.to_owned() }
}

/// Returns a description of schema 6.8, whose `<preferences>` and other sections have these parts.
fn of_6_8(preferences: &str, sections: &str) -> String {
    format!(
        "<image schemaversion=\"6.8\" name=\"x\">\n<description type=\"system\"><author>a</author><contact>c</contact>\
         <specification>s</specification></description>\n<preferences><version>1.0.0</version>\n{preferences}\n</preferences>\n\
         {sections}\n</image>"
    )
}

/// The new text and what it changes, or the positions of what cannot be expressed.
type Result = std::result::Result<(String, Vec<String>), Vec<(usize, usize)>>;

fn convert(text: &str, dialect: Dialect) -> Result {
    let conversion = Conversion { dialect, ..Conversion::default() };
    let mut included = |_: &str| Err("nothing is included".to_owned());
    match Description::convert(file(text), conversion, &mut included) {
        Ok(converted) => {
            let changes = converted.diagnostics.0.iter().filter(|one| one.rule == "not-convertible");
            Ok((converted.text, changes.map(|one| one.message.clone()).collect()))
        }
        Err(errors) => {
            let errors = errors.0.iter().filter(|one| one.severity == Severity::Error);
            let positions = errors.map(|error| {
                assert_eq!(error.rule, "not-convertible", "{error:?}");
                assert!(error.help.as_ref().is_some_and(|help| help.contains("--to kiwi")), "{error:?}");
                error.span.line_and_column()
            });
            Err(positions.collect())
        }
    }
}

/// The part before, all parts after, and the number of warnings.
type Spelling = (&'static str, &'static [&'static str], usize);

#[test]
fn own_keywords_of_types_are_spelt_as_today() {
    const TYPES: &[Spelling] = &[
        (
            "<type image=\"vmx\" filesystem=\"ext4\"/>",
            &["<type image=\"oem\" filesystem=\"ext4\">", "<oem-resize>false</oem-resize>"],
            1,
        ),
        (
            "<type image=\"vmx\" filesystem=\"ext4\"><oemconfig><oem-resize>yes</oem-resize></oemconfig></type>",
            &["<type image=\"oem\" filesystem=\"ext4\">", "<oem-resize>true</oem-resize>"],
            1,
        ),
        (
            "<type image=\"oem\" filesystem=\"ext4\" format=\"raw\"/>",
            &["<type image=\"oem\" filesystem=\"ext4\"/>"],
            0,
        ),
        ("<type image=\"oem\" filesystem=\"ext4\" format=\"vpc\"/>", &["format=\"vhd\""], 0),
        ("<type image=\"iso\" flags=\"compressed\"/>", &["<type image=\"iso\" flags=\"overlay\"/>"], 1),
        (
            "<type image=\"iso\" flags=\"unified\" boot=\"isoboot/suse-13.1\"/>",
            &["<type image=\"iso\" flags=\"overlay\"/>"],
            2,
        ),
        ("<type image=\"ext4\" compressed=\"yes\"/>", &["<type image=\"ext4\"/>"], 1),
        (
            "<type image=\"pxe\" filesystem=\"ext4\" boot=\"netboot/x\" compressed=\"Yes\"/>",
            &["compressed=\"true\""],
            0,
        ),
        (
            "<type image=\"pxe\" filesystem=\"ext4\" boot=\"netboot/x\"/>\n<compressed>yes</compressed>",
            &["compressed=\"true\"/>"],
            0,
        ),
    ];
    for (before, after, warnings) in TYPES {
        let (text, changes) = convert(&of_6_8(before, ""), Dialect::KiwiNg).expect(before);
        for part in *after {
            assert!(text.contains(part), "{before} lacks {part}:\n{text}");
        }
        assert_eq!(changes.len(), *warnings, "{before}: {changes:?}");
        assert_eq!(convert(&text, Dialect::KiwiNg).expect("today's").0, text, "{before} once more");
    }
}

#[test]
fn own_keywords_of_sections_are_spelt_as_today() {
    const SECTIONS: &[Spelling] = &[
        (
            "<repository type=\"deb\"><source path=\"http://e.org/r\"/></repository>",
            &["<repository type=\"apt-deb\">"],
            0,
        ),
        ("<repository type=\"yast2\"><source path=\"http://e.org/r\"/></repository>", &["<repository>"], 0),
        (
            "<repository type=\"rpm-md\" status=\"replaceable\"><source path=\"http://e.org/r\"/></repository>",
            &["<repository type=\"rpm-md\">"],
            1,
        ),
        (
            "<users><user name=\"root\" password=\"x\" groups=\"root, video\"/></users>",
            &["<user name=\"root\" password=\"x\" groups=\"root,video\"/>"],
            0,
        ),
        (
            "<drivers type=\"netdrivers\"><file name=\"e1000/*\"/></drivers>",
            &["<drivers>", "<file name=\"drivers/net/e1000/*\"/>"],
            0,
        ),
        (
            "<packages type=\"vmx\"><package name=\"a\" arch=\"i386, x86_64\"/></packages>",
            &["<packages type=\"oem\">", "arch=\"ix86,x86_64\""],
            0,
        ),
        ("<packages type=\"split\"><package name=\"a\"/></packages>", &["<preferences>"], 1),
        ("<instsource><x/></instsource>", &["<preferences>"], 1),
    ];
    for (before, after, warnings) in SECTIONS {
        let text = of_6_8("<type image=\"oem\" filesystem=\"ext4\"/>", before);
        let (text, changes) =
            convert(&text, Dialect::KiwiNg).unwrap_or_else(|errors| panic!("{before}: {errors:?}"));
        for part in *after {
            assert!(text.contains(part), "{before} lacks {part}:\n{text}");
        }
        assert_eq!(changes.len(), *warnings, "{before}: {changes:?}");
    }
}

#[test]
fn users_of_groups_get_a_login_group_and_a_password() {
    let text = "<image schemeversion=\"1.4\" name=\"x\"><description type=\"system\"><author>a</author><contact>c</contact>\
                <specification>s</specification></description><preferences><version>1.0.0</version><type>tbz</type>\
                <locale>de_DE.UTF-8</locale><packagemanager>smart</packagemanager><rpm-force>true</rpm-force>\
                <defaultroot>/tmp/x</defaultroot></preferences>\
                <users group=\"root\"><user name=\"root\" pwd=\"p\"/></users><users group=\"video\"><user name=\"tux\"/></users>\
                <repository type=\"rpm-dir\"><source path=\"/srv/r\"/></repository>\
                <packages type=\"image\"><package name=\"a\"/></packages></image>";
    let (converted, changes) = convert(text, Dialect::KiwiNg).expect("a conversion");
    for part in [
        "<user name=\"root\" password=\"p\" groups=\"root\"/>",
        "<user name=\"tux\" groups=\"users,video\" password=\"*\"/>",
        "<locale>de_DE</locale>",
        "<packagemanager>zypper</packagemanager>",
        "<repository>",
    ] {
        assert!(converted.contains(part), "{part}:\n{converted}");
    }
    for gone in ["rpm-force", "defaultroot", "supplementary-groups"] {
        assert!(!converted.contains(gone), "{gone}:\n{converted}");
    }
    assert_eq!(changes.len(), 4, "{changes:?}");
    let kept = convert(text, Dialect::Kiwi).expect("a conversion").0;
    for part in ["rpm-force", "defaultroot", "supplementary-groups", "smart", "rpm-dir", "de_DE.UTF-8"] {
        assert!(kept.contains(part), "{part}:\n{kept}");
    }
}

/// What KIWI NG cannot express, with its position in the user's text.
#[test]
fn what_kiwi_ng_cannot_express_stops_the_conversion() {
    const TYPE: &str = "<type image=\"oem\" filesystem=\"ext4\"/>";
    const REFUSED: &[(&str, &str, (usize, usize))] = &[
        ("<type image=\"usb\" filesystem=\"ext4\"/>", "", (4, 14)),
        ("<type image=\"xen\" filesystem=\"ext4\" boot=\"xenboot/x\"/>", "", (4, 14)),
        ("<type image=\"split\" fsreadwrite=\"ext4\" fsreadonly=\"squashfs\"/>", "", (4, 14)),
        ("<type image=\"oem\" filesystem=\"reiserfs\"/>", "", (4, 31)),
        ("<type image=\"oem\" filesystem=\"ext4\" format=\"parallels\"/>", "", (4, 45)),
        ("<type image=\"vmx\" filesystem=\"ext4\" boot=\"oemboot/x\"/>", "", (4, 43)),
        (
            "<type image=\"pxe\" filesystem=\"ext4\" boot=\"n/x\"><pxedeploy server=\"s\"/></type>",
            "",
            (4, 49),
        ),
        ("<type image=\"tbz\"/><locale>de_DE.ISO-8859-1</locale>", "", (4, 28)),
        (
            TYPE,
            "<packages type=\"image\" patternType=\"plusSuggested\"><package name=\"a\"/></packages>",
            (6, 37),
        ),
        (TYPE, "<repository type=\"urpmi\"><source path=\"/srv/r\"/></repository>", (6, 19)),
        (TYPE, "<packages type=\"image\"><package name=\"a\" arch=\"ia64\"/></packages>", (6, 48)),
    ];
    for (preferences, sections, position) in REFUSED {
        let text = of_6_8(preferences, sections);
        let errors = convert(&text, Dialect::KiwiNg).expect_err(&text);
        assert_eq!(errors, [*position], "{preferences} {sections}");
        assert!(convert(&text, Dialect::Kiwi).is_ok(), "{text}");
    }
}

#[test]
fn a_disk_differs_only_in_what_its_new_name_changes() {
    let text = of_6_8(
        "<type image=\"vmx\" filesystem=\"ext4\" kernelcmdline=\"quiet\" format=\"vmdk\"><size unit=\"G\">2</size></type>",
        "<packages type=\"vmx\"><package name=\"a\"/></packages><packages type=\"image\"><package name=\"b\"/></packages>",
    );
    let selection = |text: &str| {
        let description = Description::parse(file(text)).description.expect("a description");
        let mut selection = description.select(&Choice::default()).expect("a selection");
        if let ImageType::Disk(disk) = &mut selection.image_type {
            **disk = Disk { keyword: description::DiskKeyword::Oem, resize: false, ..(**disk).clone() };
        }
        format!("{selection:?}")
    };
    let (converted, _) = convert(&text, Dialect::KiwiNg).expect("a conversion");
    assert_eq!(selection(&converted), selection(&text));
}
