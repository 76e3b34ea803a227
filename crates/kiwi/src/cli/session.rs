//! One run of the program: the operation with its listener, its last event and its exit code.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;

use super::{Call, Display, protocol, terminal, text};
use crate::context::Context;
use crate::error::Error;
use crate::host::{self, BeforeNamespaces, Host, Output};
use crate::operation::Outcome;

/// Runs the operation of the command line.
pub fn run(mut call: Call) -> ExitCode {
    if let Err(error) = enter(&mut call) {
        return failed(&call, &error, None);
    }
    let host = Host::new(match call.display {
        Display::Human => Output::To(Box::new(terminal::Terminal::new())),
        Display::Json => Output::To(Box::new(protocol::Protocol)),
        Display::Quiet => Output::Quiet,
    });
    let context = Context::new(host.with_variables(call.variables.clone()));
    match operate(&call, &context) {
        Ok(outcome) => {
            match call.display {
                Display::Json => protocol::result(call.operation.verb(), &outcome, &context.host),
                Display::Human => text::show(&outcome, false),
                Display::Quiet => text::show(&outcome, true),
            }
            ExitCode::from(outcome.exit_code())
        }
        Err(error) => failed(&call, &error, Some(&context.host)),
    }
}

/// Opens devices and enters the private namespaces if the operation needs that.
fn enter(call: &mut Call) -> Result<(), Error> {
    call.operation.reach(&BeforeNamespaces)?;
    if call.operation.needs_namespaces() {
        host::enter_namespaces().map_err(anyhow::Error::from)?;
    }
    Ok(())
}

fn operate(call: &Call, context: &Context) -> Result<Outcome, Error> {
    let host = &context.host;
    match call.logfile.as_deref() {
        Some(path) if path == Path::new("terminal") => host.log().show_on_terminal(),
        Some(path) => host.log().open(path).with_context(|| format!("writing the log {}", path.display()))?,
        None => {}
    }
    let outcome = call.operation.run(context);
    if let Some(location) = &call.timings {
        // The report is also written for a run that failed; the error of the run has priority over that of the report.
        let written = crate::timings::write(location, host);
        return outcome.and_then(|outcome| written.map(|()| outcome).map_err(Error::from));
    }
    outcome
}

fn failed(call: &Call, error: &Error, host: Option<&Host>) -> ExitCode {
    let code = call.operation.exit_code(error);
    if let Some(host) = host {
        host.log().line(&format!("error: {error}"));
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
        let shown = crate::diagnostic::render(diagnostics, std::io::stderr().is_terminal());
        terminal::line(&format!("{shown}\n"));
    }
    terminal::line(&format!("error: {error}"));
    if let Some(advice) = &error.advice {
        terminal::line(advice);
    }
    if let Some(path) = host.and_then(|host| host.log().path()) {
        terminal::line(&format!("The log of this run: {}", path.display()));
    }
}
