//! The command line program: parse, dispatch, print the error, exit code.

use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use kiwi::cli::{self, Call};
use kiwi::context::Context;
use kiwi::error::Error;
use kiwi::host::{self, BeforeNamespaces, Host};

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
            ExitCode::from(error.exit_code())
        }
    }
}

fn run(call: &Call, context: &Context) -> Result<(), Error> {
    let host = &context.host;
    match call.logfile.as_deref() {
        Some(path) if path == Path::new("terminal") => host.log().show_on_terminal(),
        Some(path) => host.log().open(path).with_context(|| format!("writing the log {}", path.display()))?,
        None => {}
    }
    let result = call.operation.run(context);
    match &call.timings {
        // A run that failed is what its report is about, too.
        Some(location) => result.and(kiwi::timings::write(location, host).map_err(Error::from)),
        None => result,
    }
}

fn show(error: &Error, host: &Host) {
    if let Some(diagnostics) = error.untold() {
        eprintln!("{}\n", kiwi::diagnostic::render(diagnostics, std::io::stderr().is_terminal()));
    }
    eprintln!("error: {error}");
    if let Some(advice) = &error.advice {
        eprintln!("{advice}");
    }
    host.log().line(&format!("error: {error}"));
    if let Some(path) = host.log().path() {
        eprintln!("The log of this run: {}", path.display());
    }
}
