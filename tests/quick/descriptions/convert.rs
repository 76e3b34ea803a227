//! A description in other keywords means the same, keeps its comments, and is not changed by converting it again.

use std::fs;
use std::path::PathBuf;

use description::{Choice, Conversion, Description, Dialect, Format, SchemaVersion, Severity, SourceFile};
use kiwi_tests::program::checkout;

/// Returns every accepted fixture with its schema.
fn fixtures() -> Vec<(SchemaVersion, PathBuf)> {
    let base = checkout().join("fixtures/descriptions");
    let mut found = Vec::new();
    for &schema in SchemaVersion::ALL {
        let Ok(entries) = fs::read_dir(base.join(schema.number()).join("accepted")) else { continue };
        for entry in entries {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "xml") {
                found.push((schema, path));
            }
        }
    }
    assert!(found.len() > 10, "few fixtures");
    found
}

/// Returns the file that a fixture includes.
fn included(path: &str) -> Result<SourceFile, String> {
    let base = checkout().join("fixtures/descriptions/8.5/accepted");
    let text = fs::read_to_string(base.join(path)).map_err(|error| error.to_string())?;
    Ok(SourceFile { name: path.to_owned(), text })
}

fn file(text: &str) -> SourceFile {
    SourceFile { name: "config.xml".to_owned(), text: text.to_owned() }
}

/// Returns everything that a build reads from the description.
fn meaning(text: &str) -> Vec<String> {
    meaning_of("config.xml", text)
}

fn meaning_of(name: &str, text: &str) -> Vec<String> {
    let file = SourceFile { name: name.to_owned(), text: text.to_owned() };
    let parsed = Description::load(file, &mut included);
    let description = parsed.description.unwrap_or_else(|| panic!("{:#?}\n{text}", parsed.diagnostics));
    let mut meaning = vec![
        format!("{:?}", description.profiles),
        format!("{:?}", description.split),
        format!("{:?}", description.inherit.as_ref().map(|inherit| &inherit.path)),
    ];
    let profiles = description.profiles.iter().map(|profile| vec![profile.name.to_string()]);
    for profiles in std::iter::once(Vec::new()).chain(profiles) {
        for entry in description.types() {
            let choice = Choice {
                image_type: Some(entry.keyword.clone()),
                profiles: profiles.clone(),
                ..Choice::default()
            };
            meaning.push(match description.select(&choice) {
                Ok(selection) => format!("{selection:?}"),
                Err(errors) => format!("{} errors", errors.0.len()),
            });
        }
    }
    meaning
}

fn convert(text: &str, schema: SchemaVersion) -> String {
    converted("config.xml", text, Conversion { schema, dialect: Dialect::Kiwi, ..Conversion::default() })
}

fn converted(name: &str, text: &str, conversion: Conversion) -> String {
    let file = SourceFile { name: name.to_owned(), text: text.to_owned() };
    match Description::convert(file, conversion, &mut included) {
        Ok(converted) => converted.text,
        Err(errors) => panic!("to {conversion:?}: {errors:#?}\n{text}"),
    }
}

#[test]
fn converted_descriptions_mean_the_same() {
    for (from, path) in fixtures() {
        let text = fs::read_to_string(&path).expect("a text");
        let original = meaning(&text);
        let newest = last_schema(&text);
        for &to in SchemaVersion::ALL.iter().filter(|to| **to >= from) {
            if to > newest {
                refused(&text, to);
                continue;
            }
            let converted = convert(&text, to);
            assert!(converted.contains(&format!("{}=\"{to}\"", to.attribute())), "{to}\n{converted}");
            assert_eq!(
                meaning(&converted),
                original,
                "{} in the keywords of {to}:\n{converted}",
                path.display()
            );
            assert_eq!(convert(&converted, to), converted, "{}: {to} again", path.display());
            let last = convert(&text, newest);
            assert_eq!(convert(&converted, newest), last, "{}: through {to}", path.display());
        }
    }
}

/// Returns the last schema that has keywords for everything in a fixture.
fn last_schema(text: &str) -> SchemaVersion {
    const ENDED: [(&str, SchemaVersion); 9] = [
        ("format=\"cloop\"", SchemaVersion::V1_4),
        (">clicfs<", SchemaVersion::V6_9),
        ("image=\"clicfs\"", SchemaVersion::V6_9),
        ("image=\"lxc\"", SchemaVersion::V6_9),
        ("image=\"product\"", SchemaVersion::V6_9),
        ("ovftype=\"xen\"", SchemaVersion::V6_9),
        ("format=\"ovf\"", SchemaVersion::V6_9),
        ("format=\"ec2\"", SchemaVersion::V6_9),
        ("flags=\"clic\"", SchemaVersion::V7_2),
    ];
    let lasts = ENDED.iter().filter(|(keywords, _)| text.contains(keywords)).map(|(_, last)| *last);
    lasts.min().unwrap_or(SchemaVersion::NEWEST)
}

/// Asserts that a description with a keyword that `schema` does not have is rejected, not shortened.
fn refused(text: &str, schema: SchemaVersion) {
    let errors = Description::convert(
        file(text),
        Conversion { schema, dialect: Dialect::Kiwi, ..Conversion::default() },
        &mut included,
    )
    .expect_err("a refusal");
    let mut errors = errors.0.iter().filter(|one| one.severity == Severity::Error).peekable();
    assert!(errors.peek().is_some());
    assert!(errors.all(|error| error.rule == "not-convertible"), "{text}");
}

#[test]
fn keeps_comments_and_foreign_keywords() {
    let text = r#"<?xml version="1.0"?>
<!-- first -->
<image name="x" schemaversion="7.1" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
  xsi:noNamespaceSchemaLocation="kiwi.rng">

  <!-- who -->
  <description type="system"><author><!-- why --> A &amp; B </author><contact>c</contact><specification>s</specification>
  <!-- last of the description -->
  </description>
  <preferences><version>1.0.0</version>
    <!-- the disk
         in two lines -->
    <type image="vmx" filesystem="ext4" kernelcmdline="a=&quot;b&quot; c&lt;d" bootloader="grub2" boottimeout="3"/>
  </preferences>
  <extension><my:thing xmlns:my="http://example.org/my"  a='b'><my:b/></my:thing></extension>
</image>
<!-- end -->
"#;
    let expected = r#"<?xml version="1.0" encoding="utf-8"?>
<!-- first -->
<image name="x" schemaversion="8.5" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
       xsi:noNamespaceSchemaLocation="kiwi.rng">

  <!-- who -->
  <description type="system">
    <!-- why -->
    <author>A &amp; B</author>
    <contact>c</contact>
    <specification>s</specification>
    <!-- last of the description -->
  </description>
  <preferences>
    <version>1.0.0</version>
    <!-- the disk
         in two lines -->
    <type image="vmx" filesystem="ext4" kernelcmdline="a=&quot;b&quot; c&lt;d">
      <bootloader name="grub2" timeout="3"/>
    </type>
  </preferences>
  <extension><my:thing xmlns:my="http://example.org/my"  a='b'><my:b/></my:thing></extension>
</image>
<!-- end -->
"#;
    assert_eq!(convert(text, SchemaVersion::NEWEST), expected);
}

/// Converts every accepted fixture to every format, and from each format to each.
#[test]
fn formats_mean_the_same() {
    for (_, path) in fixtures() {
        let text = fs::read_to_string(&path).expect("a text");
        let schema = last_schema(&text);
        let original = meaning(&text);
        for &format in Format::ALL {
            let written = converted(
                "config.xml",
                &text,
                Conversion { schema, dialect: Dialect::Kiwi, format, whole: false },
            );
            let name = format!("config.{format}");
            assert_eq!(meaning_of(&name, &written), original, "{} as {format}:\n{written}", path.display());
            for &other in Format::ALL {
                let again = converted(
                    &name,
                    &written,
                    Conversion { schema, dialect: Dialect::Kiwi, format: other, whole: false },
                );
                if other == format {
                    assert_eq!(again, written, "{} as {format} again", path.display());
                }
                assert_eq!(meaning_of(&format!("config.{other}"), &again), original, "{again}");
            }
        }
    }
}

#[test]
fn rejects_older_schemas_at_the_version() {
    let text = "<image schemaversion=\"8.5\" name=\"x\"><description type=\"system\"><author>a</author>\
                <contact>c</contact><specification>s</specification></description><preferences>\
                <version>1.0.0</version><type image=\"tbz\"/></preferences></image>";
    let errors = Description::convert(
        file(text),
        Conversion { schema: SchemaVersion::V7_1, ..Conversion::default() },
        &mut included,
    )
    .unwrap_err();
    assert_eq!(errors.0[0].span.line_and_column(), (1, 23));
    assert_eq!(errors.0[0].rule, "not-convertible");
}

#[test]
fn keeps_or_replaces_includes() {
    let main = |schema: &str| {
        format!(
            "<image schemaversion=\"{schema}\" name=\"x\">\n  <!-- more -->\n  <include from=\"included/more.xml\"/>\n  \
             <description type=\"system\"><author>a</author><contact>c</contact><specification>s</specification>\
             </description><preferences><version>1.0.0</version><packagemanager>apt</packagemanager>\
             <type image=\"tbz\"/></preferences></image>"
        )
    };
    let text = main("8.3");
    let original = meaning(&text);
    for whole in [false, true] {
        for &format in Format::ALL {
            let conversion =
                Conversion { format, whole, schema: SchemaVersion::V8_3, ..Conversion::default() };
            let written = converted("config.xml", &text, conversion);
            assert_eq!(written.contains("included/more.xml"), !whole, "{written}");
            assert_eq!(meaning_of(&format!("config.{format}"), &written), original, "{written}");
        }
    }
    let whole = Conversion { whole: true, ..Conversion::default() };
    let written = converted("config.xml", &text, whole);
    assert!(written.contains("  <!-- more -->\n  <packages type=\"image\">"), "{written}");
    assert!(written.contains("<package name=\"included\"/>"), "{written}");
    // An included file without a version has the schema of the including file, which changes.
    let kept = converted("config.xml", &text, Conversion::default());
    assert_eq!(meaning(&kept), original, "{kept}");
    let text = text.replace("more.xml", "packages.toml");
    let errors = Description::convert(file(&text), Conversion::default(), &mut included).unwrap_err();
    assert_eq!(errors.0.len(), 1);
    assert_eq!(errors.0[0].span.file.name, "included/packages.toml");
    assert_eq!(errors.0[0].help.as_deref(), Some("add `schemaversion` 8.3 to its `image` first"));
}
