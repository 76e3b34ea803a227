//! The files that are generated from the tables: the reference of the handbook, and the schemas, which xmllint and
//! python3-jsonschema check.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use description::{Conversion, Description, Dialect, Format, SchemaVersion, SourceFile, vocabulary};
use kiwi_tests::program::{checkout, scratch};

/// Every accepted XML fixture with its schema.
fn accepted() -> Vec<(SchemaVersion, PathBuf)> {
    let mut found = Vec::new();
    for &schema in SchemaVersion::ALL {
        let directory = checkout().join(format!("fixtures/descriptions/{schema}/accepted"));
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "xml") {
                found.push((schema, path));
            }
        }
    }
    assert!(found.len() > 10, "few fixtures");
    found
}

/// A directory for the files of one test.
fn directory(test: &str) -> PathBuf {
    let directory = scratch(test);
    fs::create_dir_all(&directory).expect("a directory");
    directory
}

/// Returns whether the program succeeds, and its output.
fn run(program: &str, arguments: &[&Path]) -> (bool, String) {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program} is needed, see scripts/test: {error}"));
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn reference_page_is_current() {
    let path = checkout().join("docs/reference.md");
    let current = vocabulary::reference();
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        fs::write(&path, &current).expect("the page is written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == current,
        "docs/reference.md differs from the tables: UPDATE_FIXTURES=1 cargo test -p kiwi-tests --test quick descriptions::vocabulary"
    );
}

#[test]
fn xmllint_accepts_the_relax_ng_and_every_accepted_description() {
    let directory = directory("relax-ng");
    let wrong = [("<author>", "<autor>x</autor><author>"), ("<image ", "<image colour=\"blue\" ")];
    for (schema, path) in accepted() {
        let grammar = directory.join(format!("{schema}.rng"));
        fs::write(&grammar, vocabulary::relax_ng(schema)).expect("a grammar");
        let judge =
            |file: &Path| run("xmllint", &[Path::new("--noout"), Path::new("--relaxng"), &grammar, file]);
        let (good, says) = judge(&path);
        assert!(good, "{}: {says}", path.display());
        for (from, to) in wrong {
            let text = fs::read_to_string(&path).expect("a text").replacen(from, to, 1);
            let file = directory.join("wrong.xml");
            fs::write(&file, text).expect("a file");
            let (good, says) = judge(&file);
            assert!(!good && says.contains("fails to validate"), "{} with {to}: {says}", path.display());
        }
    }
}

/// Reads schemas, each with a description before it that fits and one that does not.
const JUDGE: &str = "
import json, sys, jsonschema
def read(name):
    return json.load(open(name))
validators = {}
for rules, good, bad in zip(*[iter(sys.argv[1:])] * 3):
    if rules not in validators:
        jsonschema.Draft202012Validator.check_schema(read(rules))
        validators[rules] = jsonschema.Draft202012Validator(read(rules))
    validator = validators[rules]
    for error in validator.iter_errors(read(good)):
        sys.exit(good + ': ' + error.message[:2000])
    if validator.is_valid(read(bad)):
        sys.exit(bad + ' is valid')
";

#[test]
fn jsonschema_accepts_the_json_schema_and_every_accepted_description() {
    let directory = directory("json-schema");
    let judge = directory.join("judge.py");
    fs::write(&judge, JUDGE).expect("a script");
    let mut included = |path: &str| {
        let base = checkout().join("fixtures/descriptions/8.5/accepted");
        let text = fs::read_to_string(base.join(path)).map_err(|error| error.to_string())?;
        Ok(SourceFile { name: path.to_owned(), text })
    };
    let mut arguments = vec![judge];
    for (position, (schema, path)) in accepted().into_iter().enumerate() {
        let rules = directory.join(format!("{schema}.schema.json"));
        fs::write(&rules, vocabulary::json_schema(schema)).expect("a schema");
        let file =
            SourceFile { name: "config.xml".to_owned(), text: fs::read_to_string(&path).expect("a text") };
        let conversion = Conversion { schema, dialect: Dialect::Kiwi, format: Format::Json, whole: false };
        let text = Description::convert(file, conversion, &mut included).expect("a conversion").text;
        let (good, bad) =
            (directory.join(format!("{position}.json")), directory.join(format!("{position}-wrong.json")));
        fs::write(&good, &text).expect("a file");
        let wrong = text.replacen("\"author\":", "\"autor\": \"x\", \"author\":", 1);
        assert_ne!(wrong, text);
        fs::write(&bad, wrong).expect("a file");
        arguments.extend([rules, good, bad]);
    }
    let arguments: Vec<&Path> = arguments.iter().map(PathBuf::as_path).collect();
    let (agrees, says) = run("python3", &arguments);
    assert!(agrees, "{says}");
}

#[test]
fn readme_lists_the_image_types_that_are_built() {
    let readme = fs::read_to_string(checkout().join("README.md")).expect("the README");
    let built: Vec<&str> = description::built_types().collect();
    let expected = format!("`{}`", built.join(" "));
    assert!(readme.contains(&expected), "README.md does not contain {expected}");
}
