//! One run of the program: the operation with its listener, its last event and its exit code.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use anyhow::Context as _;

use super::{Call, Display, TERMINAL, protocol, terminal, text};
use crate::context::Context;
use crate::error::Error;
use crate::failure::Kind;
use crate::host::{self, BeforeNamespaces, Host, Output, TerminalStyle, printable};
use crate::identity::rfc3339;
use crate::operation::Outcome;
use crate::source::AllowedPaths;
use crate::timings::{self, Run};

/// Runs the operation of the command line.
pub fn run(mut call: Call) -> ExitCode {
    let started = Instant::now();
    let entered = match enter(&mut call) {
        Ok(entered) => entered,
        Err(error) => return failed(&call, &error, None),
    };
    let host = Host::new(match call.display {
        Display::Human => Output::To(Box::new(terminal::Terminal::new())),
        Display::Json => Output::To(Box::new(protocol::Protocol)),
        Display::Quiet => Output::Quiet,
    });
    let host = host.with_variables(call.variables.clone());
    let allowed = match AllowedPaths::new(&call.allowed) {
        Ok(allowed) => allowed,
        Err(error) => return failed(&call, &error.into(), Some(&host)),
    };
    let (call, ending) = (Arc::new(call), Arc::new(Ending::default()));
    let context = Arc::new(Context::new(host, allowed, call.operation.debugging()));
    end_when_overdue(&call, &context, &ending);
    let result = operate(&call, entered, &context);
    if !ending.claim() {
        // The other thread ends the program.
        loop {
            std::thread::park();
        }
    }
    match result {
        Ok(outcome) => {
            match call.display {
                Display::Json => protocol::result(call.operation.verb(), &outcome, &context.host),
                Display::Human => {
                    text::show(&outcome, false);
                    text::close(&outcome, started.elapsed());
                }
                Display::Quiet => text::show(&outcome, true),
            }
            ExitCode::from(outcome.exit_code())
        }
        Err(error) => failed(&call, &error, Some(&context.host)),
    }
}

/// What was done before the program had a [`Host`].
struct Entered {
    /// The log that the user named.
    log: Option<(PathBuf, File)>,
    /// What uid 0 is outside of the private namespaces.
    identity: Option<String>,
}

/// Opens devices and the log, and enters the private namespaces if the operation needs that.
fn enter(call: &mut Call) -> Result<Entered, Error> {
    let outside = BeforeNamespaces;
    call.operation.reach(&outside)?;
    let named = call.logfile.clone().filter(|path| path != Path::new(TERMINAL));
    let open = |path: PathBuf| {
        let file = outside.create_log(&path);
        let file = file.with_context(|| format!("writing the log {}", path.display()))?;
        anyhow::Ok((path, file))
    };
    let log = named.map(open).transpose()?;
    let devices = call.operation.devices();
    let enter = || host::enter_namespaces(devices).map_err(anyhow::Error::from);
    let identity = call.operation.needs_namespaces().then(enter).transpose()?;
    Ok(Entered { log, identity })
}

/// The right to report how the run ends; one of two threads gets it.
#[derive(Default)]
struct Ending(AtomicBool);

impl Ending {
    fn claim(&self) -> bool {
        !self.0.swap(true, Ordering::SeqCst)
    }
}

/// Makes a signal also end work that does not look for one.
fn end_when_overdue(call: &Arc<Call>, context: &Arc<Context>, ending: &Arc<Ending>) {
    // The context is dropped at the end of the run, with what it holds.
    let (call, weak, ending) = (Arc::clone(call), Arc::downgrade(context), Arc::clone(ending));
    context.host.on_overdue(move |interrupted| {
        let Some(context) = weak.upgrade() else { return };
        context.host.abandon();
        if ending.claim() {
            let error = Error::from(anyhow::Error::from(interrupted));
            failed(&call, &error, Some(&context.host));
            std::process::exit(call.operation.exit_code(&error).into());
        }
    });
}

fn operate(call: &Call, entered: Entered, context: &Context) -> Result<Outcome, Error> {
    let host = &context.host;
    match (entered.log, &call.logfile) {
        (Some((path, file)), _) => {
            host.log().start(&path, file).with_context(|| format!("writing the log {}", path.display()))?;
        }
        (None, Some(_)) => host.log().show_on_terminal(),
        (None, None) => {}
    }
    let run = Run { verb: call.operation.verb(), began: rfc3339(host.now()) };
    host.log().line(&format!("kiwi {} {}, {}", env!("CARGO_PKG_VERSION"), run.verb, run.began));
    if let Some(identity) = &entered.identity {
        host.log().line(identity);
    }
    let outcome = call.operation.run(context).map_err(|error| with_advice(error, context));
    if let Some(location) = &call.timings {
        // The report is also written for a run that failed; the error of the run has priority over that of the report.
        let written = timings::write(location, run, host);
        return outcome.and_then(|outcome| written.map(|()| outcome).map_err(Error::from));
    }
    outcome
}

/// Adds what helps against the error and is known only here.
fn with_advice(mut error: Error, context: &Context) -> Error {
    match error.kind {
        Kind::NoSpace => {
            let advice = error.advice.take().unwrap_or_default();
            error.advice = Some(format!("{advice}\n{}", free_space(context)).trim_start().to_owned());
        }
        // A program cannot look at a tree.
        Kind::ScriptFailed if context.host.has_person() => {
            error.advice = context.debugging.advice().map(ToOwned::to_owned);
        }
        _ => {}
    }
    error
}

/// Returns the free space of the directories that a full build may have written to.
fn free_space(context: &Context) -> String {
    let host = &context.host;
    let log = host.log().path();
    let places = [
        (log.as_deref().and_then(Path::parent).map(Path::to_owned), "the directory of the result"),
        (context.cache().ok().map(|cache| cache.directory().to_owned()), "KIWI_CACHE"),
        (Some(std::env::temp_dir()), "TMPDIR"),
    ];
    let free: Vec<String> = places
        .into_iter()
        .filter_map(|(directory, what)| {
            let directory = directory?;
            let free = host.free_space(&directory)?;
            Some(format!("{} in {} ({what})", printable::size(free), directory.display()))
        })
        .collect();
    format!("Free: {}", free.join(", "))
}

fn failed(call: &Call, error: &Error, host: Option<&Host>) -> ExitCode {
    let code = call.operation.exit_code(error);
    if let Some(host) = host {
        host.log().line(&format!("error: {error}"));
        host.log().claim();
    }
    match call.display {
        Display::Json => protocol::error(error, code, host),
        Display::Human | Display::Quiet => show(error, host),
    }
    ExitCode::from(code)
}

fn show(error: &Error, host: Option<&Host>) {
    if let Some(document) = &error.document {
        text::print(document);
    }
    if let Some(diagnostics) = error.untold() {
        let shown = crate::diagnostic::render(diagnostics, TerminalStyle::of_stderr().is_colored);
        terminal::colored_line(&format!("{shown}\n"));
    }
    terminal::line(&format!("error: {error}"));
    if let Some(advice) = &error.advice {
        terminal::line(advice);
    }
    if let Some(path) = host.and_then(|host| host.log().path()) {
        terminal::line(&format!("The log of this run: {}", path.display()));
    }
}
