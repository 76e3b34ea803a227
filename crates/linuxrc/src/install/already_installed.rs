//! An unattended medium that finds its own system on the disk: it was left in its drive, and the machine started from it
//! again. Installing again would destroy the data of the system, so nothing is written.
//!
//! A CD is ejected and the machine restarted. A stick must be removed by hand; meanwhile a person may type `yes` to install
//! again.

use std::time::Duration;

use bootconfig::InstallConfig;

use super::question::{AtConsole, Prompt};
use super::target::Target;
use crate::console::Console;
use crate::machine::Machine;
use crate::medium::Medium;
use crate::shutdown::restart;

/// Interval between checks of the drive.
const POLL: Duration = Duration::from_millis(500);

/// Waits for the removal of the medium; returns if the user consents to installing again.
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

/// Watches the drive, also after a consent: an installation cannot finish without its medium.
fn restart_when_gone(machine: Machine, medium: Medium) {
    std::thread::spawn(move || {
        while medium.is_in(&machine) {
            std::thread::sleep(POLL);
        }
        restart()
    });
}

/// Returns when `yes` is typed. If nobody can type, only the removal of the medium ends it.
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
