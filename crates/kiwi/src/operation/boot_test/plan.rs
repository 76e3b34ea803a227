//! `test.yaml`: what a booted system is tested for.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use description::{Diagnostic, Diagnostics, Key, Node, NodeKind, SourceFile, Span};

use super::super::machine::Firmware;
use crate::source::real;

/// The file beside the description.
pub(in crate::operation) const NAME: &str = "test.yaml";

/// The contents of the file.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::operation) struct Plan {
    pub(super) name: Option<String>,
    /// Seconds for the boot and all checks.
    pub(super) time_limit: u64,
    /// Megabytes.
    pub(super) memory: u32,
    pub(super) processors: u32,
    pub(super) firmware: Firmware,
    pub(super) login: Login,
    pub(super) checks: Vec<Check>,
}

/// The account with which the checks run.
#[derive(Debug, PartialEq, Eq, Default)]
pub(super) struct Login {
    pub(super) user: String,
    pub(super) password: String,
}

/// One expectation.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// A unit of systemd is active.
    Unit(String),
    /// A TCP port of the machine accepts connections.
    Port(u16),
    /// A command has this exit code, and its output contains a text.
    Command { command: String, exit_code: u8, output: Option<String> },
    /// A file exists and contains a text.
    File { path: String, content: Option<String> },
}

impl fmt::Display for Check {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(unit) => write!(to, "unit {unit}"),
            Self::Port(port) => write!(to, "port {port}"),
            Self::Command { command, .. } => write!(to, "command {command}"),
            Self::File { path, .. } => write!(to, "file {path}"),
        }
    }
}

const KEYS: [&str; 7] = ["name", "time_limit", "memory", "cpus", "firmware", "login", "checks"];
const LOGIN_KEYS: [&str; 2] = ["user", "password"];
const CHECK_KEYS: [&str; 7] = ["unit", "port", "command", "exit_code", "output", "file", "content"];

/// Reads and checks the file.
pub(in crate::operation) fn read(path: &Path) -> Result<Plan, Diagnostics> {
    let (text, problem) = match real::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => (text, None),
            Err(_) => (String::new(), Some("it is not UTF-8".to_owned())),
        },
        Err(error) => (String::new(), Some(format!("{error:#}"))),
    };
    let file = Arc::new(SourceFile { name: path.display().to_string(), text });
    match problem {
        Some(problem) => Err(Diagnostics(vec![Diagnostic::error(Span { file, range: 0..0 }, problem)])),
        None => parse(&file),
    }
}

fn parse(file: &Arc<SourceFile>) -> Result<Plan, Diagnostics> {
    let root = description::yaml_values(file).map_err(|error| Diagnostics(vec![*error]))?;
    let mut reader = Reader { file, problems: Vec::new() };
    let plan = reader.plan(root);
    match reader.problems.is_empty() {
        true => Ok(plan),
        false => Err(Diagnostics(reader.problems)),
    }
}

struct Reader<'a> {
    file: &'a Arc<SourceFile>,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn wrong(&mut self, range: std::ops::Range<usize>, message: String, help: Option<String>) {
        let span = Span { file: Arc::clone(self.file), range };
        let diagnostic = Diagnostic::error(span, message).rule("boot-test");
        self.problems.push(match help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }

    /// Returns the entries of a mapping; reports other values and unknown keys.
    fn entries(&mut self, node: Node, what: &str, known: &[&str]) -> Vec<(Key, Node)> {
        let NodeKind::Mapping(entries) = node.kind else {
            let help = format!("write entries such as `{}: ...`", known[0]);
            self.wrong(node.range, format!("expected a mapping for {what}"), Some(help));
            return Vec::new();
        };
        for (key, _) in &entries {
            if !known.contains(&key.text.as_str()) {
                let help = match description::nearest(&key.text, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("expected one of {}", known.join(", ")),
                };
                self.wrong(key.range.clone(), format!("{what} has no key `{}`", key.text), Some(help));
            }
        }
        entries
    }

    fn text(&mut self, key: &Key, node: &Node) -> String {
        if let NodeKind::Scalar(text) = &node.kind {
            return text.clone();
        }
        self.wrong(node.range.clone(), format!("expected a text for `{}`", key.text), None);
        String::new()
    }

    fn number<N: std::str::FromStr + Default>(&mut self, key: &Key, node: &Node) -> N {
        let text = self.text(key, node);
        text.parse().unwrap_or_else(|_| {
            self.wrong(
                node.range.clone(),
                format!("`{text}` is not a number that `{}` can have", key.text),
                None,
            );
            N::default()
        })
    }

    fn plan(&mut self, root: Node) -> Plan {
        let range = root.range.clone();
        let mut plan = Plan {
            name: None,
            time_limit: 600,
            memory: 1024,
            processors: 1,
            firmware: Firmware::Bios,
            login: Login::default(),
            checks: Vec::new(),
        };
        for (key, node) in self.entries(root, "a boot test", &KEYS) {
            match key.text.as_str() {
                "name" => plan.name = Some(self.text(&key, &node)),
                "time_limit" => plan.time_limit = self.number(&key, &node),
                "memory" => plan.memory = self.number(&key, &node),
                "cpus" => plan.processors = self.number(&key, &node),
                "firmware" => plan.firmware = self.firmware(&key, &node),
                "login" => plan.login = self.login(node),
                "checks" => plan.checks = self.checks(node),
                // It was reported.
                _ => {}
            }
        }
        if plan.login.user.is_empty() && self.problems.is_empty() {
            let help = "write `login: {user: NAME, password: PASSWORD}`".to_owned();
            self.wrong(range, "a boot test needs the account of a user".to_owned(), Some(help));
        }
        plan
    }

    fn firmware(&mut self, key: &Key, node: &Node) -> Firmware {
        let text = self.text(key, node);
        match text.as_str() {
            "bios" => Firmware::Bios,
            "uefi" => Firmware::Uefi,
            "secure-boot" => Firmware::SecureBoot,
            _ => {
                let help = Some("expected one of bios, uefi, secure-boot".to_owned());
                self.wrong(node.range.clone(), format!("`{text}` is not a firmware"), help);
                Firmware::Bios
            }
        }
    }

    fn login(&mut self, node: Node) -> Login {
        let mut login = Login::default();
        for (key, node) in self.entries(node, "`login`", &LOGIN_KEYS) {
            match key.text.as_str() {
                "user" => login.user = self.text(&key, &node),
                "password" => login.password = self.text(&key, &node),
                _ => {}
            }
        }
        login
    }

    fn checks(&mut self, node: Node) -> Vec<Check> {
        let NodeKind::List(items) = node.kind else {
            self.wrong(
                node.range,
                "expected a list for `checks`".to_owned(),
                Some("write `- unit: NAME`".to_owned()),
            );
            return Vec::new();
        };
        items.into_iter().filter_map(|item| self.check(item)).collect()
    }

    fn check(&mut self, node: Node) -> Option<Check> {
        let range = node.range.clone();
        let (mut exit_code, mut output, mut content, mut found) = (0, None, None, Vec::new());
        for (key, node) in self.entries(node, "a check", &CHECK_KEYS) {
            match key.text.as_str() {
                "unit" => found.push(Check::Unit(self.text(&key, &node))),
                "port" => found.push(Check::Port(self.number(&key, &node))),
                "command" => {
                    let command = self.text(&key, &node);
                    found.push(Check::Command { command, exit_code: 0, output: None });
                }
                "file" => found.push(Check::File { path: self.text(&key, &node), content: None }),
                "exit_code" => exit_code = self.number(&key, &node),
                "output" => output = Some(self.text(&key, &node)),
                "content" => content = Some(self.text(&key, &node)),
                _ => {}
            }
        }
        if found.len() != 1 {
            let help = Some("write one of unit, port, command, file in each item".to_owned());
            self.wrong(range, format!("a check has {} expectations", found.len()), help);
            return None;
        }
        let check = match found.remove(0) {
            Check::Command { command, .. } => Check::Command { command, exit_code, output: output.take() },
            Check::File { path, .. } => Check::File { path, content: content.take() },
            other => other,
        };
        if output.is_some() || content.is_some() {
            let help = Some("`output` belongs to `command`, `content` to `file`".to_owned());
            self.wrong(range, format!("an entry does not fit the check `{check}`"), help);
        }
        Some(check)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Plan, Vec<String>> {
        let file = Arc::new(SourceFile { name: NAME.to_owned(), text: text.to_owned() });
        let shown = |one: &Diagnostic| {
            let (line, column) = one.span.line_and_column();
            format!("{line}:{column} {} ({})", one.message, one.help.as_deref().unwrap_or(""))
        };
        parse(&file).map_err(|diagnostics| diagnostics.0.iter().map(shown).collect())
    }

    #[test]
    fn reads_every_kind_of_check() {
        let plan = parsed(
            "time_limit: 90\nfirmware: uefi\nlogin: {user: tux, password: kiwi}\nchecks:\n- unit: ssh.service\n- port: 22\n\
             - command: id -un\n  output: tux\n- command: 'false'\n  exit_code: 1\n- file: /etc/hostname\n  content: web\n",
        )
        .unwrap();
        assert_eq!((plan.time_limit, plan.firmware, plan.login.user.as_str()), (90, Firmware::Uefi, "tux"));
        let shown: Vec<String> = plan.checks.iter().map(Check::to_string).collect();
        assert_eq!(
            shown,
            ["unit ssh.service", "port 22", "command id -un", "command false", "file /etc/hostname"]
        );
    }

    #[test]
    fn reports_mistakes_with_their_positions() {
        for (text, expected) in [
            ("- x\n", "1:1 expected a mapping"),
            (
                "login: {user: a}\ntimelimit: 3\n",
                "2:1 a boot test has no key `timelimit` (did you mean `time_limit`?)",
            ),
            ("login: {user: a}\nmemory: much\n", "2:9 `much` is not a number"),
            (
                "login: {user: a}\nfirmware: efi\n",
                "2:11 `efi` is not a firmware (expected one of bios, uefi, secure-boot)",
            ),
            ("checks: []\n", "1:1 a boot test needs the account of a user"),
            ("login: {user: a}\nchecks: [{unit: a, port: 1}]\n", "2:10 a check has 2 expectations"),
            (
                "login: {user: a}\nchecks: [{unit: a, output: b}]\n",
                "2:10 an entry does not fit the check `unit a`",
            ),
            (
                "login: {user: a}\nchecks: [{prt: 1}]\n",
                "2:11 a check has no key `prt` (did you mean `port`?)",
            ),
        ] {
            let problems = parsed(text).unwrap_err();
            assert!(problems[0].starts_with(expected), "{problems:?} for {text}");
        }
    }
}
