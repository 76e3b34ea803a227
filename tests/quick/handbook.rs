//! The code blocks of the handbook: each is run, or marked with the reason why not.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use kiwi_tests::handbook::{Block, Decision, blocks, parse, run};
use kiwi_tests::program::kiwi;

#[test]
fn every_block_is_run_or_marked() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for block in &blocks() {
        let keyword = match &block.decision {
            Decision::Run => "run",
            Decision::RunAll => "run with --all",
            Decision::Synopsis => "compared with the help",
            Decision::File => "files",
            Decision::NotRun(reason) => {
                println!("{}:{}: not run: {reason}", block.page, block.line);
                "not run"
            }
            Decision::Text => "text",
        };
        *counts.entry(keyword).or_default() += 1;
    }
    println!("{counts:?}");
    // A block more that is not run is a decision: change the number here.
    assert_eq!(counts["not run"], 27, "{counts:?}");
}

#[test]
fn short_blocks_work_as_printed() {
    assert!(run(&Decision::Run, None) > 5);
}

#[test]
fn files_are_well_formed() {
    for block in blocks().iter().filter(|block| block.decision == Decision::File) {
        let Block { page, line, language, text, .. } = block;
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        let judge = |program: &str, arguments: &[&str], text: &str| {
            std::fs::write(&path, text).unwrap();
            let output = Command::new(program).args(arguments).arg(&path).output().unwrap();
            assert!(output.status.success(), "{page}:{line}: {}", String::from_utf8_lossy(&output.stderr));
        };
        match language.as_str() {
            // A block can contain several elements.
            "xml" => judge("xmllint", &["--noout"], &format!("<root>\n{text}</root>\n")),
            "yaml" => judge("python3", &["-c", "import sys, yaml; yaml.safe_load(open(sys.argv[1]))"], text),
            "toml" => drop(
                toml::from_str::<toml::Table>(text).unwrap_or_else(|error| panic!("{page}:{line}: {error}")),
            ),
            "json" => drop(
                serde_json::from_str::<serde_json::Value>(text)
                    .unwrap_or_else(|error| panic!("{page}:{line}: {error}")),
            ),
            other => panic!("{page}:{line}: no judge for {other}"),
        }
    }
}

#[test]
fn a_synopsis_has_verbs_and_options_that_exist() {
    let mut helps = BTreeMap::new();
    let mut checked = 0;
    for block in blocks().iter().filter(|block| block.decision == Decision::Synopsis) {
        for command in commands(&block.text) {
            for verb in verbs(&command) {
                let help = helps.entry(verb.clone()).or_insert_with(|| help(&verb));
                let help = help
                    .as_ref()
                    .unwrap_or_else(|| panic!("{}:{}: no verb {verb:?}", block.page, block.line));
                for option in options(&command) {
                    assert!(
                        help.contains(&option),
                        "{}:{}: {verb:?} has no option {option}",
                        block.page,
                        block.line
                    );
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 20, "{checked}");
}

/// The commands of a synopsis without explanations; a line that begins with a blank continues the one before.
fn commands(text: &str) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or(line);
        match commands.last_mut().filter(|_| line.starts_with(' ')) {
            Some(last) => last.push_str(line),
            None => commands.extend(line.split(", kiwi ").enumerate().map(|(number, part)| match number {
                0 => part.to_owned(),
                _ => format!("kiwi {part}"),
            })),
        }
    }
    commands
}

/// The verbs of a command: `pxe init|publish` has two.
fn verbs(command: &str) -> Vec<Vec<String>> {
    const GROUPS: [&str; 3] = ["pxe", "cache", "result"];
    let mut words = command.split_whitespace();
    assert_eq!(words.next(), Some("kiwi"), "{command}");
    let first = words.next().unwrap();
    if !GROUPS.contains(&first) {
        return first.split('|').map(|verb| vec![verb.to_owned()]).collect();
    }
    words.next().unwrap().split('|').map(|second| vec![first.to_owned(), second.to_owned()]).collect()
}

fn options(command: &str) -> BTreeSet<String> {
    let words = command.split(" -- ").next().unwrap_or_default().split([' ', '[', ']', '|', '=', '.', ',']);
    words.filter(|word| word.starts_with("--") && word.len() > 2).map(str::to_owned).collect()
}

fn help(verb: &[String]) -> Option<String> {
    let output = Command::new(kiwi()).args(verb).arg("--help").output().unwrap();
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

#[test]
fn comments_before_a_block_decide() {
    let page = "A\n\n```sh\na\n```\n<!-- run: all -->\n<!-- before: mkdir x -->\n```sh\nb\n```\n\n<!-- not run: it asks -->\n\n \
        ```sh\n   c\n   ```\n<!-- synopsis -->\nText.\n\n```sh\nd\n```\n";
    let blocks = parse("p.md", page);
    let decisions: Vec<&Decision> = blocks.iter().map(|block| &block.decision).collect();
    let asks = Decision::NotRun("it asks".to_owned());
    assert_eq!(decisions, [&Decision::Run, &Decision::RunAll, &asks, &Decision::Run]);
    assert_eq!((blocks[1].before.as_slice(), blocks[1].line), (["mkdir x".to_owned()].as_slice(), 8));
    for wrong in ["```\na\n```\n", "<!-- run: some -->\n```sh\na\n```\n", "<!-- not run -->\n```sh\na\n```\n"]
    {
        assert!(std::panic::catch_unwind(|| parse("p.md", wrong)).is_err(), "{wrong}");
    }
}
