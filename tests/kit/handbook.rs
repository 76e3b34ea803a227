//! The code blocks of the handbook and of the README, run as a reader copies them.
//!
//! A block is fenced and has a language. Comments before it, which a reader of the page does not see, decide what the tests do:
//!
//! ```text
//! sh                       without a comment: its commands run in every test run, and need seconds
//!   <!-- run: all -->      they run with --all
//!   <!-- not run: WHY -->  they cannot run unattended
//!   <!-- synopsis -->      no commands, but their grammar: verbs and options must exist
//!   <!-- before: COMMAND -->  COMMAND runs first, where the page has no command that makes what the block needs
//! xml yaml toml json       a file or a part of one: must be well-formed
//! text lua                 anything else
//! ```
//!
//! The blocks of a page share a directory, which has the examples and the scripts of the checkout.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program::{checkout, kiwi};

/// What the tests do with a block.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// Run it in every test run.
    Run,
    /// Run it with `--all`.
    RunAll,
    /// Compare it with the help texts.
    Synopsis,
    /// Check the form of a file.
    File,
    /// Nothing, for this reason.
    NotRun(String),
    /// Nothing: it contains no commands.
    Text,
}

/// One code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The page, relative to the checkout.
    pub page: String,
    /// The line of its fence, from 1.
    pub line: usize,
    /// The language after the fence.
    pub language: String,
    /// Its lines.
    pub text: String,
    /// What is done with it.
    pub decision: Decision,
    /// Commands that run before it.
    pub before: Vec<String>,
}

/// Returns all blocks of the README and the handbook, in the order of pages and lines.
///
/// # Panics
///
/// If a block has no language, an unknown one, or a comment that does not fit.
#[must_use]
pub fn blocks() -> Vec<Block> {
    let mut pages = vec!["README.md".to_owned()];
    for directory in ["docs", "docs/formats"] {
        let names = std::fs::read_dir(checkout().join(directory)).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        pages.extend(names.filter(|name| name.ends_with(".md")).map(|name| format!("{directory}/{name}")));
    }
    pages.sort();
    let parse = |page: &String| parse(page, &std::fs::read_to_string(checkout().join(page)).unwrap());
    pages.iter().flat_map(parse).collect()
}

/// Returns the blocks of a page.
///
/// # Panics
///
/// If a block has no language, an unknown one, or a comment that does not fit.
#[must_use]
pub fn parse(page: &str, text: &str) -> Vec<Block> {
    let (mut blocks, mut comments) = (Vec::new(), Vec::new());
    let mut lines = text.lines().enumerate();
    let (mut is_after_empty_line, mut is_list) = (false, false);
    while let Some((index, line)) = lines.next() {
        let (plain, at) = (line.trim_start(), index + 1);
        if let Some(comment) = plain.strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")) {
            comments.push(comment.trim().to_owned());
        } else if let Some(language) = plain.strip_prefix("```") {
            let indent = line.len() - plain.len();
            let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| line.trim() != "```");
            let inside: Vec<&str> =
                inside.map(|line| line.get(indent..).unwrap_or_else(|| line.trim_start())).collect();
            blocks.push(block(page, at, language, inside.join("\n") + "\n", std::mem::take(&mut comments)));
        } else if !plain.is_empty() {
            let is_indented = line.starts_with("    ") && is_after_empty_line;
            assert!(
                !is_indented || is_list,
                "{page}:{at}: write a block of code with a fence and a language"
            );
            is_list = is_list && line.starts_with(' ')
                || plain.starts_with(|c: char| c.is_ascii_digit() || c == '-');
            comments.clear();
        }
        is_after_empty_line = plain.is_empty();
    }
    blocks
}

fn block(page: &str, line: usize, language: &str, text: String, comments: Vec<String>) -> Block {
    let mut before = Vec::new();
    let mut decision = match language {
        "sh" => Decision::Run,
        "xml" | "yaml" | "toml" | "json" => Decision::File,
        "text" | "lua" => Decision::Text,
        other => {
            panic!(
                "{page}:{line}: {other:?} is not a language of a block: sh, text, lua, xml, yaml, toml, json"
            )
        }
    };
    for comment in comments {
        match (decision.clone(), comment.split_once(": ").unwrap_or((&comment, ""))) {
            (Decision::Run, ("run", "all")) => decision = Decision::RunAll,
            (Decision::Run, ("not run", reason)) if !reason.is_empty() => {
                decision = Decision::NotRun(reason.to_owned());
            }
            (Decision::Run, ("synopsis", "")) => decision = Decision::Synopsis,
            (Decision::Run | Decision::RunAll, ("before", command)) => before.push(command.to_owned()),
            _ => panic!("{page}:{line}: the comment {comment:?} does not fit this block"),
        }
    }
    Block { page: page.to_owned(), line, language: language.to_owned(), text, decision, before }
}

/// Runs the blocks with this decision, those of a page in one directory; returns their number.
///
/// # Panics
///
/// If a block fails.
pub fn run(decision: &Decision, cache: Option<&Path>) -> usize {
    let mut pages: BTreeMap<String, Vec<Block>> = BTreeMap::new();
    for block in blocks().into_iter().filter(|block| block.decision == *decision) {
        pages.entry(block.page.clone()).or_default().push(block);
    }
    let mut count = 0;
    for blocks in pages.values() {
        let directory = tempfile::tempdir().unwrap();
        provide(directory.path());
        for block in blocks {
            run_block(block, directory.path(), cache);
            count += 1;
        }
    }
    count
}

/// Puts into a directory what a reader has in a checkout.
fn provide(directory: &Path) {
    let made = Command::new("cp").arg("-r").arg(checkout().join("examples")).arg(directory).status().unwrap();
    assert!(made.success());
    for name in ["scripts", "tests"] {
        std::os::unix::fs::symlink(checkout().join(name), directory.join(name)).unwrap();
    }
    for name in ["bin", "home", "target/release"] {
        std::fs::create_dir_all(directory.join(name)).unwrap();
    }
    // Pages name the program that was installed, or the one in the checkout.
    for name in ["bin/kiwi", "target/release/kiwi"] {
        std::os::unix::fs::symlink(kiwi(), directory.join(name)).unwrap();
    }
}

fn run_block(block: &Block, directory: &Path, cache: Option<&Path>) {
    let own = directory.join("cache");
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let paths =
        std::iter::once(directory.join("bin")).chain(std::env::split_paths(&paths).collect::<Vec<PathBuf>>());
    let script = format!("{}\n{}", block.before.join("\n"), block.text);
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &script])
        .current_dir(directory)
        .env("PATH", std::env::join_paths(paths).unwrap())
        .env("HOME", directory.join("home"))
        .env("KIWI_CACHE", cache.unwrap_or(&own))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}:{} does not work as printed:\n{script}\n{}{}",
        block.page,
        block.line,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}
