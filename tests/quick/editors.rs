//! `kiwi language-server` with a real editor, Neovim, and the settings that the handbook prints.

use std::path::Path;
use std::process::{Command, Stdio};

use kiwi_tests::handbook::blocks;
use kiwi_tests::program::kiwi;
use serde_json::Value;
use test_programs::have;

const TEXT: &str = "<image schemaversion=\"8.5\" name=\"a\">\n  <description type=\"system\"><author>A</author>\
    <contact>a@example.org</contact><specification>S</specification></description>\n  <preferences>\n    \
    <verzion>1.0.0</verzion>\n    <packagemanager>apt</packagemanager>\n    <type image=\"oem\" filesystem=\"ext4\"/>\n  \
    </preferences>\n  <repository><source path=\"debian://bookworm\"/></repository>\n  <packages type=\"image\">\
    <package name=\"linux-image-amd64\"/></packages>\n  <packages type=\"bootstrap\"><package name=\"apt\"/></packages>\n</image>\n";

/// What a user does: open the description, ask, apply the quick fix, save. Prints what the editor shows.
const SCRIPT: &str = "
local function ask(method, line, column)
  local document = vim.lsp.util.make_text_document_params()
  local parameters = {textDocument = document, position = {line = line, character = column}}
  parameters.range = {start = parameters.position, ['end'] = parameters.position}
  parameters.context = {diagnostics = {}}
  local answers = vim.lsp.buf_request_sync(0, method, parameters, 60000)
  for _, answer in pairs(answers or {}) do return answer.result end
end
local shown = {}
assert(vim.wait(120000, function() return #vim.diagnostic.get(0) > 0 end, 50), 'no diagnostics')
shown.before = vim.diagnostic.get(0)
for _, one in ipairs(shown.before) do
  one.code = one.code or ((one.user_data or {}).lsp or {}).code
  one.user_data = nil
end
shown.completion = ask('textDocument/completion', 5, 17)
shown.hover = ask('textDocument/hover', 5, 28)
local action = ask('textDocument/codeAction', 3, 6)[1]
vim.lsp.util.apply_workspace_edit(action.edit, 'utf-16')
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

fn write(directory: &Path, name: &str, text: &str) {
    let path = directory.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn neovim_shows_completes_explains_and_fixes() {
    if !have(&["nvim"]) {
        return;
    }
    let settings = blocks()
        .into_iter()
        .find(|block| block.page == "docs/editors.md" && block.language == "lua")
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path();
    write(here, "config/nvim/init.lua", &settings.text);
    write(here, "image/config.xml", TEXT);
    write(here, "script.lua", SCRIPT);
    std::fs::create_dir(here.join("bin")).unwrap();
    std::os::unix::fs::symlink(kiwi(), here.join("bin/kiwi")).unwrap();
    let path = format!("{}:{}", here.join("bin").display(), std::env::var("PATH").unwrap());
    let output = Command::new("nvim")
        .args(["--headless", "image/config.xml", "-c", "luafile script.lua", "-c", "cquit"])
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
    let shown: Value = serde_json::from_str(json).unwrap();
    let found = shown["before"].as_array().unwrap();
    let first =
        found.iter().find(|one| one["code"] == "unknown-element").unwrap_or_else(|| panic!("{found:?}"));
    assert_eq!(
        (&first["lnum"], &first["col"], &first["end_col"]),
        (&3.into(), &5.into(), &12.into()),
        "{first}"
    );
    assert_eq!(first["source"], "kiwi");
    let items = shown["completion"].as_array().unwrap();
    assert!(items.iter().any(|item| item["label"] == "iso"), "{items:?}");
    let explained = shown["hover"]["contents"]["value"].as_str().unwrap();
    assert!(explained.starts_with("`filesystem` of `<type>`"), "{explained}");
    assert_eq!(shown["fixed"], true);
    let saved = std::fs::read_to_string(here.join("image/config.xml")).unwrap();
    assert_eq!(saved, TEXT.replace("verzion", "version"));
    let checked = Command::new(kiwi()).arg("check").arg(here.join("image")).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
