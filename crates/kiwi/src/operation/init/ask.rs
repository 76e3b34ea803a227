//! The questions of `kiwi init`; an empty line selects the default in brackets.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::answers::{Answers, KEYTABLE, LOCALE, Start, TIMEZONE};
use super::{Distribution, MenuItem, Request, Template};
use crate::host::Host;
use crate::password;

/// Asks for everything that options did not specify.
pub(super) fn everything(request: &Request, host: &Host) -> Result<(Start, Answers, Option<PathBuf>)> {
    let template = template(host)?;
    let distribution = match request.distribution {
        Some(distribution) => distribution,
        None => distribution(template, host)?,
    };
    let start = Start { template, distribution };
    let mut answers = request.answers.clone();
    let name = answers.name(start);
    ask(&mut answers.name, "Name of the image", &name, host)?;
    if let Some(repository) = distribution.repository() {
        ask(&mut answers.repository, "Source of the packages", repository, host)?;
    } else {
        ask(&mut answers.repository, "URL of its packages", "", host)?;
    }
    ask(
        &mut answers.image_type,
        "Image type (oem is a disk, iso a live system)",
        template.parts().image_type,
        host,
    )?;
    ask(&mut answers.locale, "Locale", LOCALE, host)?;
    ask(&mut answers.keytable, "Keyboard layout", KEYTABLE, host)?;
    ask(&mut answers.timezone, "Time zone", TIMEZONE, host)?;
    ask(&mut answers.user, "A user who may become root (empty: none)", "", host)?;
    if answers.user.is_some() && answers.password_hash.is_none() && answers.ssh_key.is_none() {
        answers.password_hash = Some(password::hash(&secret(host)?)?);
    }
    let directory = match &request.directory {
        Some(directory) => Some(directory.clone()),
        None => {
            let mut said = None;
            ask(&mut said, "Directory of the description", &answers.name(start), host)?;
            said.map(PathBuf::from)
        }
    };
    Ok((start, answers, directory))
}

fn template(host: &Host) -> Result<Template> {
    choice("Start with", Template::ALL, Template::Server, host)
}

fn distribution(template: Template, host: &Host) -> Result<Distribution> {
    let all = Distribution::ALL.iter().copied();
    let offered: Vec<Distribution> = all.filter(|distribution| template.exists_for(*distribution)).collect();
    choice("Distribution", &offered, Distribution::Debian13, host)
}

/// Shows a menu and asks until the answer is one of the keywords; an empty line gives the default.
fn choice<T: MenuItem>(question: &str, menu: &[T], default: T, host: &Host) -> Result<T> {
    for item in menu {
        host.say(&format!("  {:20} {}", item.keyword(), item.title()));
    }
    let shown = default.keyword();
    loop {
        let keyword = host.ask(&format!("{question} [{shown}]: ")).context("asking")?;
        if keyword.is_empty() {
            return Ok(default);
        }
        match T::parse(&keyword) {
            Ok(parsed) => return Ok(parsed),
            Err(expected) => host.say(&expected),
        }
    }
}

/// Asks one question unless it is answered already; an empty line gives the default, or no answer if there is none.
fn ask(answer: &mut Option<String>, question: &str, default: &str, host: &Host) -> Result<()> {
    if answer.is_some() {
        return Ok(());
    }
    let shown = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    let line = host.ask(&format!("{question}{shown}: ")).context("asking")?;
    let said = if line.is_empty() { default.to_owned() } else { line };
    *answer = Some(said).filter(|said| !said.is_empty());
    Ok(())
}

fn secret(host: &Host) -> Result<String> {
    loop {
        let first = host.ask_secret("Password: ").context("reading the password")?;
        let same = first == host.ask_secret("The same again: ").context("reading the password")?;
        match (first.is_empty(), same) {
            (false, true) => return Ok(first),
            (true, _) => host.say("The password must not be empty; try again."),
            (false, false) => host.say("The passwords differ; try again."),
        }
    }
}
