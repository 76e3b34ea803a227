//! A medium that asks nothing and finds its own system on the disk already: it was left in its drive, and the machine
//! started from it again. Installing anew would destroy what the system has become since, so nothing is written.
//!
//! A CD is ejected and the machine started anew. A stick comes out by hand only; meanwhile a prompt may type `yes` to have
//! the system installed once more.

use std::time::Duration;

use bootconfig::InstallConfig;

use super::question::{AtConsole, Prompt};
use super::target::Target;
use crate::console::Console;
use crate::machine::Machine;
use crate::medium::Medium;
use crate::shutdown::restart;

/// Between two looks at the drive.
const POLL: Duration = Duration::from_millis(500);

/// Gets rid of the medium, or comes back with the consent to install again.
pub(crate) fn leave_or_consent(
    machine: &Machine,
    medium: &Medium,
    config: &InstallConfig,
    target: &Target,
    console: &Console,
) {
    let installed = format!("\n{} is installed on {} already.\n\n", config.image, target.name);
    if medium.eject(machine).is_ok() {
        console
            .screen(&format!("{installed}Nothing was written. The CD was ejected; the machine restarts.\n"));
        restart();
    }
    restart_when_gone(machine.clone(), medium.clone());
    let question = format!(
        "\x1b[2J\x1b[H{installed}Nothing was written. Take the stick out and the machine starts it.\n\
         Type yes to install it again; ALL THAT IS ON {} WILL BE LOST: ",
        target.name
    );
    ask(&question, &mut AtConsole::new(console));
}

/// Watches the drive. That goes on after a consent: without its medium no installation comes to an end.
fn restart_when_gone(machine: Machine, medium: Medium) {
    std::thread::spawn(move || {
        while medium.is_in(&machine) {
            std::thread::sleep(POLL);
        }
        restart()
    });
}

/// Comes back when `yes` is typed. Where nobody can type, only the medium's removal goes on.
fn ask(question: &str, prompt: &mut dyn Prompt) {
    loop {
        match prompt.ask(question) {
            Ok(answer) if answer == "yes" => return,
            Ok(_) => {}
            Err(_) => std::thread::sleep(POLL),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    struct Answers(Vec<io::Result<String>>);

    impl Prompt for Answers {
        fn ask(&mut self, _question: &str) -> io::Result<String> {
            self.0.remove(0)
        }
    }

    #[test]
    fn only_yes_is_consent() {
        let mut answers: Vec<io::Result<String>> =
            ["", "y", "YES"].map(|keyword| Ok(keyword.to_owned())).into();
        answers.push(Err(io::Error::other("nobody is there")));
        answers.push(Ok("yes".to_owned()));
        answers.push(Ok("not asked any more".to_owned()));
        let mut prompt = Answers(answers);
        ask("?", &mut prompt);
        assert_eq!(prompt.0.len(), 1);
    }
}
