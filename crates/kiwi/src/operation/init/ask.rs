//! The questions of `kiwi init`; an empty line selects the default in brackets.

use std::path::PathBuf;

use anyhow::{Context, Result};

use super::answers::{Answers, IMAGE_TYPE, KEYTABLE, LOCALE, TIMEZONE};
use super::{Request, Template};
use crate::host::Host;
use crate::password;

/// Asks for everything that options did not specify.
pub(super) fn everything(request: &Request, host: &Host) -> Result<(Template, Answers, Option<PathBuf>)> {
    let template = template(host)?;
    let mut answers = request.answers.clone();
    let name = answers.name(template);
    ask(&mut answers.name, "Name of the image", &name, host)?;
    if let Some(repository) = template.repository() {
        ask(&mut answers.repository, "Source of the packages", repository, host)?;
    } else {
        ask(&mut answers.repository, "URL of its packages", "", host)?;
    }
    ask(&mut answers.image_type, "Image type (oem is a disk; ext4, squashfs, tbz ...)", IMAGE_TYPE, host)?;
    ask(&mut answers.locale, "Locale", LOCALE, host)?;
    ask(&mut answers.keytable, "Keyboard layout", KEYTABLE, host)?;
    ask(&mut answers.timezone, "Time zone", TIMEZONE, host)?;
    ask(&mut answers.user, "A user who may become root (empty: none)", "", host)?;
    if answers.user.is_some() && answers.password_hash.is_none() {
        answers.password_hash = Some(password::hash(&secret(host)?)?);
    }
    let directory = match &request.directory {
        Some(directory) => Some(directory.clone()),
        None => {
            let mut said = None;
            ask(&mut said, "Directory of the description", &answers.name(template), host)?;
            said.map(PathBuf::from)
        }
    };
    Ok((template, answers, directory))
}

fn template(host: &Host) -> Result<Template> {
    for template in Template::ALL {
        host.say(&format!("  {:20} {}", template.keyword(), template.title()));
    }
    loop {
        let keyword =
            host.ask(&format!("Start with [{}]: ", Template::Debian13.keyword())).context("asking")?;
        match keyword.as_str() {
            "" => return Ok(Template::Debian13),
            keyword => match Template::parse(keyword) {
                Ok(template) => return Ok(template),
                Err(expected) => host.say(&expected),
            },
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
