//! `kiwi language-server` with a real editor, Neovim, and the settings that the handbook prints.

use std::path::Path;
use std::process::{Command, Stdio};

use kiwi_tests::handbook::blocks;
use kiwi_tests::program::{checkout, kiwi};
use serde_json::{Value, json};
use test_programs::have;

/// What a user does: opens the description, completes, asks, applies the quick fix, saves. Prints what the editor shows.
///
/// Positions in `asked.json` are lines and bytes, as the editor counts them: it translates them for the server and back.
const SCRIPT: &str = "
local function read(path) return vim.json.decode(table.concat(vim.fn.readfile(path))) end
local asked, shown = read('asked.json'), {}
local function ask(method, position)
  vim.api.nvim_win_set_cursor(0, position)
  local parameters = vim.lsp.util.make_range_params(0, 'utf-16')
  parameters.position = parameters.range.start
  parameters.context = {diagnostics = {}}
  local answers = vim.lsp.buf_request_sync(0, method, parameters, 60000)
  for _, answer in pairs(answers or {}) do return answer.result end
end
assert(vim.wait(120000, function() return #vim.diagnostic.get(0) > 0 end, 50), 'no diagnostics')
shown.before = vim.diagnostic.get(0)
for _, one in ipairs(shown.before) do
  one.code = one.code or ((one.user_data or {}).lsp or {}).code
  one.user_data = nil
end
shown.hover = ask('textDocument/hover', asked.hover)
local action = ask('textDocument/codeAction', asked.mistake)[1]
vim.lsp.util.apply_workspace_edit(action.edit, 'utf-16')
shown.completion = ask('textDocument/completion', asked.completion)
for _, item in ipairs(shown.completion) do
  if item.label == asked.label then vim.lsp.util.apply_text_edits({item.textEdit}, 0, 'utf-16') end
end
local function is_gone()
  for _, one in ipairs(vim.diagnostic.get(0)) do
    if one.severity == vim.diagnostic.severity.ERROR then return false end
  end
  return true
end
shown.fixed = vim.wait(60000, is_gone, 50)
vim.cmd('write')
io.stdout:write(vim.json.encode(shown))
vim.cmd('qall!')
";

/// The line of the example's `<description>` in each format, with letters of one, two and four bytes before all keywords.
const XML: &str = "  <!-- Größe 🦀 --><description type=\"system\"><author>Jürgen 🦀</author><contact>j@example.org</contact>\
    <specification>S</specification></description>\n";
const YAML: &str = "  description: {author: \"Jürgen 🦀\", contact: j@example.org, specification: S, \"@type\": \"system\"}\n";
const TOML: &str = "description = {author = \"Jürgen 🦀\", contact = \"j@example.org\", specification = \"S\", \"@type\" = \"system\"}\n";

#[test]
fn neovim_shows_completes_explains_and_fixes_xml() {
    let example = std::fs::read_to_string(checkout().join("examples/debian-12-server/config.xml")).unwrap();
    let (head, rest) = example.split_once("  <description ").unwrap();
    let (_, tail) = rest.split_once("</description>\n").unwrap();
    edits("config.xml", &format!("{head}{XML}{tail}"));
}

#[test]
fn neovim_shows_completes_explains_and_fixes_yaml() {
    let example = converted("yaml");
    let (head, rest) = example.split_once("  description:\n").unwrap();
    let rest = rest.lines().skip_while(|line| line.starts_with("    ")).map(|line| format!("{line}\n"));
    edits("config.yaml", &format!("{head}{YAML}{}", rest.collect::<String>()));
}

#[test]
fn neovim_shows_completes_explains_and_fixes_toml() {
    let example = converted("toml");
    let (head, rest) = example.split_once("\n[image.description]\n").unwrap();
    let (_, tail) = rest.split_once("\n[").unwrap();
    edits("config.toml", &format!("{head}{TOML}\n[{tail}"));
}

/// Returns an example in another format.
fn converted(format: &str) -> String {
    let example = checkout().join("examples/debian-12-server");
    let output = Command::new(kiwi()).arg("convert").arg(example).args(["--to", format]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Opens a description with an unknown name and the start of a value, and lets the editor make `right` of it.
fn edits(name: &str, right: &str) {
    if !have(&["nvim"]) {
        return;
    }
    let settings = blocks()
        .into_iter()
        .find(|block| block.page == "docs/editors.md" && block.language == "lua")
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    let location = here.join("image");
    copy_of_the_example(&location);
    let wrong = right.replacen("system\"", "sys\"", 1).replace("contact", "contakt");
    let position = |word: &str| {
        let at = wrong.find(word).unwrap_or_else(|| panic!("{word} is not in {wrong}"));
        let line = wrong[..at].matches('\n').count();
        (line, at - wrong[..at].rfind('\n').map_or(0, |end| end + 1))
    };
    // Neovim counts lines from 1 for the cursor.
    let cursor = |(line, byte): (usize, usize), more: usize| json!([line + 1, byte + more]);
    let asked = json!({
        "completion": cursor(position("sys\""), 3),
        "label": "system",
        "hover": cursor(position("specification"), 2),
        "mistake": cursor(position("contakt"), 1),
    });
    std::fs::write(location.join(name), &wrong).unwrap();
    for (name, text) in [
        ("config/nvim/init.lua", settings.text.as_str()),
        ("script.lua", SCRIPT),
        ("asked.json", &asked.to_string()),
    ] {
        let path = here.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let shown = neovim(&format!("image/{name}"), here);
    let found = shown["before"].as_array().unwrap();
    let (line, byte) = position("contakt");
    let is_it = |one: &&Value| one["lnum"] == line && one["col"] == byte;
    let mistake = found.iter().find(is_it).unwrap_or_else(|| panic!("not at {line}:{byte}: {found:#?}"));
    assert_eq!(mistake["code"], "unknown-element", "{mistake}");
    assert_eq!(mistake["end_col"], byte + "contakt".len(), "{mistake}");
    assert_eq!(mistake["source"], "kiwi");
    let explained = shown["hover"]["contents"]["value"].as_str().unwrap_or_else(|| panic!("{shown}"));
    assert!(explained.starts_with("`<specification>`"), "{explained}");
    assert_eq!(shown["fixed"], true, "{shown:#}");
    assert_eq!(std::fs::read_to_string(location.join(name)).unwrap(), right);
    let checked = Command::new(kiwi()).arg("check").arg(location).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

/// Copies the files beside the example's `config.xml`.
fn copy_of_the_example(location: &Path) {
    let example = checkout().join("examples/debian-12-server");
    let copied = Command::new("cp").arg("-r").arg(example).arg(location).status().unwrap();
    assert!(copied.success());
    std::fs::remove_file(location.join("config.xml")).unwrap();
}

/// Runs the script in Neovim; returns what it prints.
fn neovim(document: &str, here: &Path) -> Value {
    std::fs::create_dir(here.join("bin")).unwrap();
    std::os::unix::fs::symlink(kiwi(), here.join("bin/kiwi")).unwrap();
    let path = format!("{}:{}", here.join("bin").display(), std::env::var("PATH").unwrap());
    let output = Command::new("nvim")
        .args(["--headless", document, "-c", "luafile script.lua", "-c", "cquit"])
        .current_dir(here)
        .env("PATH", path)
        .env("HOME", here)
        .env("XDG_CONFIG_HOME", here.join("config"))
        .env("XDG_DATA_HOME", here.join("data"))
        .env("XDG_STATE_HOME", here.join("state"))
        .env("XDG_CACHE_HOME", here.join("cache"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}{error}");
    let json = &text[text.find('{').unwrap_or_else(|| panic!("{text}{error}"))..];
    serde_json::from_str(json).unwrap()
}
