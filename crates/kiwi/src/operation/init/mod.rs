//! `kiwi init`: creates a working description to start with.
//!
//! ```text
//! options -> missing answers are asked at the terminal -> files, checked -> a new directory, which gets its name last
//! ```

mod answers;
mod ask;
mod distribution;
mod elements;
mod menu;
mod template;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::outcome::Outcome;
use crate::context::Context;
use crate::failure::fail;
pub use answers::Answers;
use answers::Start;
pub use distribution::Distribution;
pub use menu::MenuItem;
pub use template::Template;

/// The template, the directory and the answers.
#[derive(Debug, Clone)]
pub struct Request {
    /// `None`: kiwi asks.
    pub template: Option<Template>,
    /// `None`: kiwi asks, or takes the newest Debian.
    pub distribution: Option<Distribution>,
    /// The new directory; `None`: the name of the image.
    pub directory: Option<PathBuf>,
    /// The answers that options gave.
    pub answers: Answers,
}

/// Writes the description and returns the next steps.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let (start, answers, directory) = match request.template {
        Some(template) => {
            let distribution = request.distribution.unwrap_or(Distribution::Debian13);
            (Start { template, distribution }, request.answers.clone(), request.directory.clone())
        }
        None if host.has_person() => ask::everything(request, host)?,
        None => fail!(Usage, "kiwi init needs a template when it cannot ask: {}", Template::keywords()),
    };
    let files = answers.files(start)?;
    let directory = directory.unwrap_or_else(|| PathBuf::from(answers.name(start)));
    refuse_filled(&directory)?;
    let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let writing = || format!("writing the description {}", directory.display());
    host.create_directories(parent).with_context(writing)?;
    let work = host.work_directory(parent).with_context(writing)?;
    let unfinished = work.path().join("description");
    for file in files {
        let path = unfinished.join(file.path);
        host.create_directories(path.parent().unwrap_or(&unfinished)).with_context(writing)?;
        host.write_file(&path, file.text).with_context(writing)?;
        if file.executable {
            host.make_executable(&path).with_context(writing)?;
        }
    }
    host.rename_directory(&unfinished, &directory).with_context(writing)?;
    work.close().context("removing the work directory")?;
    Ok(Outcome::Initialized {
        directory,
        template: start.template.keyword().to_owned(),
        distribution: start.distribution.keyword().to_owned(),
        title: start.title(),
        login: answers.login(start.template),
    })
}

/// Returns an error if the directory contains files, which are never overwritten.
fn refuse_filled(directory: &Path) -> Result<()> {
    match directory.read_dir() {
        Ok(mut entries) => match entries.next() {
            Some(_) => {
                fail!(Exists, "{} is not empty; name another directory with --directory", directory.display())
            }
            None => Ok(()),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("looking at {}", directory.display())),
    }
}
