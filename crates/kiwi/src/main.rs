//! The command line program: parse, dispatch, print the error, exit code.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use kiwi::cli::{self, Call};
use kiwi::context::Context;
use kiwi::host::{self, BeforeNamespaces, Host};
use kiwi::operation::Invalid;

/// The exit code for a description that is wrong; 1 is any other failure, 2 a mistake on the command line.
const INVALID_DESCRIPTION: u8 = 3;

fn main() -> ExitCode {
    let mut call = cli::parse();
    if let Err(error) = call.operation.reach(&BeforeNamespaces) {
        eprintln!("error: {error:#}");
        return ExitCode::FAILURE;
    }
    if call.operation.needs_namespaces()
        && let Err(error) = host::enter_namespaces()
    {
        eprintln!("error: {error}");
        return ExitCode::FAILURE;
    }
    let context = Context::new(Host::new(call.output).with_variables(call.variables.clone()));
    match run(&call, &context) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            show(&error, &context.host);
            match error.is::<Invalid>() {
                true => ExitCode::from(INVALID_DESCRIPTION),
                false => ExitCode::FAILURE,
            }
        }
    }
}

fn run(call: &Call, context: &Context) -> Result<()> {
    let host = &context.host;
    match call.logfile.as_deref() {
        Some(path) if path == Path::new("terminal") => host.log().show_on_terminal(),
        Some(path) => host.log().open(path).with_context(|| format!("writing the log {}", path.display()))?,
        None => {}
    }
    let result = call.operation.run(context);
    match &call.timings {
        // A run that failed is what its report is about, too.
        Some(location) => result.and(kiwi::timings::write(location, host)),
        None => result,
    }
}

fn show(error: &anyhow::Error, host: &Host) {
    if let Some(invalid) = error.downcast_ref::<Invalid>().filter(|invalid| !invalid.told) {
        eprintln!("{}\n", kiwi::diagnostic::render(&invalid.diagnostics, std::io::stderr().is_terminal()));
    }
    eprintln!("error: {error:#}");
    if format!("{error:#}").contains("No space left on device") {
        eprintln!(
            "Free some space, or put root tree and images elsewhere (--root, --destdir, KIWI_SCRATCH=disk)."
        );
    }
    host.log().line(&format!("error: {error:#}"));
    if let Some(path) = host.log().path() {
        eprintln!("The log of this run: {}", path.display());
    }
}
