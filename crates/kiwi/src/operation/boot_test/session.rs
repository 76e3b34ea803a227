//! The conversation with a booted system on its serial console.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::plan::{Check, Login};
use crate::host::Conversation;
use crate::operation::outcome::CheckResult;

/// How long a login takes after its prompt.
const LOGIN: Duration = Duration::from_secs(120);
/// How long a unit or port may take after the login, and the time between two looks.
const STARTING: Duration = Duration::from_secs(90);
const STEP: Duration = Duration::from_secs(2);

/// What the console shows when the boot has failed.
const FAILURES: [&str; 4] = ["*** kiwi:", "Kernel panic", "Entering emergency mode", "No bootable device"];

/// Marks around the output of a command. In the echo of a typed command they are interrupted by quotes.
const BEGIN: (&str, &str) = ("kiwi-test-''begin", "kiwi-test-begin");
const END: (&str, &str) = ("kiwi-test-''end", "kiwi-test-end");

pub(super) struct Session<'h> {
    talk: Conversation<'h>,
    /// The end of the time limit of the whole test.
    until: Instant,
}

/// The end of a command: its exit code and output; `None`: it did not end in time.
type Answer = Option<(u8, String)>;

impl<'h> Session<'h> {
    pub(super) fn new(talk: Conversation<'h>, until: Instant) -> Self {
        Self { talk, until }
    }

    /// Waits for the prompt of the login and logs in.
    pub(super) fn log_in(&mut self, login: &Login) -> Result<CheckResult> {
        let began = Instant::now();
        let failure = self.try_log_in(login)?;
        Ok(CheckResult { name: "reaches login".to_owned(), seconds: began.elapsed().as_secs_f64(), failure })
    }

    fn try_log_in(&mut self, login: &Login) -> Result<Option<String>> {
        let signs: Vec<&str> = std::iter::once("login: ").chain(FAILURES).collect();
        match self.talk.wait_for(&signs, self.until)? {
            Some((_, 0)) => {}
            Some((_, number)) => return Ok(Some(format!("the console shows \"{}\"", signs[number]))),
            None => return Ok(Some("the machine showed no login in time, or ended".to_owned())),
        }
        let soon = self.until.min(Instant::now() + LOGIN);
        self.talk.type_line(&login.user)?;
        if self.talk.wait_for(&["assword: "], soon)?.is_none() {
            return Ok(Some("it did not ask for a password".to_owned()));
        }
        self.talk.type_line(&login.password)?;
        match self.talk.wait_for(&["$ ", "# ", "incorrect"], soon)? {
            Some((_, 0 | 1)) => Ok(None),
            Some(_) => Ok(Some(format!("the login of {} was refused", login.user))),
            None => Ok(Some("no prompt of a shell appeared after the login".to_owned())),
        }
    }

    /// Runs one check.
    pub(super) fn check(&mut self, check: &Check) -> Result<CheckResult> {
        let began = Instant::now();
        let failure = match check {
            Check::Unit(unit) => self.repeated(&format!("systemctl is-active {}", quoted(unit)))?,
            Check::Port(port) => {
                let failure = self.repeated(&format!("timeout 5 bash -c '</dev/tcp/127.0.0.1/{port}'"))?;
                failure.map(|_| format!("nothing accepts connections at port {port}"))
            }
            Check::Command { command, exit_code, output } => {
                let answer = self.answer(command)?;
                compared(answer, *exit_code, output.as_deref())
            }
            Check::File { path, content } => {
                let answer = self.answer(&format!("cat {}", quoted(path)))?;
                compared(answer, 0, content.as_deref())
            }
        };
        Ok(CheckResult { name: check.to_string(), seconds: began.elapsed().as_secs_f64(), failure })
    }

    /// Runs a command until it succeeds, because the system may still be starting.
    fn repeated(&mut self, command: &str) -> Result<Option<String>> {
        let until = self.until.min(Instant::now() + STARTING);
        loop {
            let failure = compared(self.answer(command)?, 0, None);
            if failure.is_none() || Instant::now() + STEP >= until {
                return Ok(failure);
            }
            std::thread::sleep(STEP);
        }
    }

    fn answer(&mut self, command: &str) -> Result<Answer> {
        self.talk.type_line(&format!("echo {}; {command}; echo {} $?", BEGIN.0, END.0))?;
        if self.talk.wait_for(&[BEGIN.1], self.until)?.is_none() {
            return Ok(None);
        }
        let Some((output, _)) = self.talk.wait_for(&[END.1], self.until)? else { return Ok(None) };
        let Some((code, _)) = self.talk.wait_for(&["\n"], self.until)? else { return Ok(None) };
        Ok(code.trim().parse().ok().map(|code| (code, output.replace('\r', "").trim().to_owned())))
    }

    /// Ends the machine and returns everything that its console has shown.
    pub(super) fn end(mut self) -> String {
        self.talk.console()
    }
}

/// Returns how an answer differs from what is expected.
fn compared(answer: Answer, exit_code: u8, text: Option<&str>) -> Option<String> {
    let Some((code, output)) = answer else { return Some("it did not end in time".to_owned()) };
    if code != exit_code {
        return Some(format!("exit code {code} instead of {exit_code}; output: {output}"));
    }
    let text = text.filter(|text| !output.contains(text))?;
    Some(format!("the output does not contain \"{text}\": {output}"))
}

/// Returns a word of a shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::host::{Host, Output};

    /// A console that asks for a login, then is a shell that echoes what is typed, as a terminal does.
    const CONSOLE: &str = "printf 'booting\\nweb login: '; read user; printf 'Password: '; read password; \
        [ $password = kiwi ] || { echo Login incorrect; exit; }; printf '$ '; \
        while read -r line; do echo \"$line\"; eval \"$line\"; printf '$ '; done";

    fn session(host: &Host) -> Session<'_> {
        let keywords = ["-c".to_owned(), CONSOLE.to_owned()];
        let talk = host.converse(Path::new("/bin/sh"), &keywords).unwrap();
        Session::new(talk, Instant::now() + Duration::from_secs(60))
    }

    fn login(password: &str) -> Login {
        Login { user: "tux".to_owned(), password: password.to_owned() }
    }

    #[test]
    fn checks_answer_from_the_console() {
        let host = Host::new(Output::Quiet);
        let mut session = session(&host);
        assert_eq!(session.log_in(&login("kiwi")).unwrap().failure, None);
        let command = |command: &str, exit_code, output: Option<&str>| Check::Command {
            command: command.to_owned(),
            exit_code,
            output: output.map(str::to_owned),
        };
        let mut failure = |check: Check| session.check(&check).unwrap().failure;
        assert_eq!(failure(command("echo a b", 0, Some("a b"))), None);
        assert_eq!(failure(command("false", 1, None)), None);
        assert!(failure(command("echo c", 0, Some("a b"))).unwrap().ends_with(": c"));
        assert!(failure(command("false", 0, None)).unwrap().contains("exit code 1"));
        let file = Check::File { path: "/etc/no'where".to_owned(), content: None };
        assert!(failure(file).unwrap().contains("exit code 1"));
    }

    #[test]
    fn a_refused_login_is_a_failure() {
        let host = Host::new(Output::Quiet);
        let failure = session(&host).log_in(&login("wrong")).unwrap().failure;
        assert!(failure.unwrap().contains("refused"));
    }
}
