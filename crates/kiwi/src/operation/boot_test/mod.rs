//! `kiwi test`: boots the image of a description in QEMU and checks what `test.yaml` beside the description expects.
//!
//! ```text
//! test.yaml -> plan -> (build) -> machine with a serial console -> log in -> each check -> report, JUnit
//! ```

mod junit;
pub(super) mod plan;
mod session;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::machine::{self, Accelerator, Options};
use super::outcome::{BootTest, CheckResult, Outcome};
use super::{build, load};
use crate::context::Context;
use crate::failure::{Invalid, fail};
use crate::host::StageTask;
use plan::Plan;

/// The description and the image.
#[derive(Debug, Clone)]
pub struct Request {
    /// The description, and how it is built if there is no image yet.
    pub build: build::Request,
    /// A finished image of it.
    pub image: Option<PathBuf>,
    /// Where a report for build servers is written.
    pub junit: Option<PathBuf>,
    /// How the machine's instructions are executed.
    pub accelerator: Accelerator,
}

/// Boots the image and runs the checks.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let source = load::open(&request.build.description, context)?;
    let Some(path) = source.find_file(plan::NAME)? else {
        fail!(
            File,
            "{} has no {}, which specifies what the booted system is tested for",
            source.directory().display(),
            plan::NAME
        );
    };
    let plan = plan::read(&path).map_err(Invalid::new)?;
    let image = match &request.image {
        Some(image) => image.clone(),
        None => built(&request.build, context)?,
    };
    let options = Options {
        firmware: plan.firmware,
        memory: plan.memory,
        processors: plan.processors,
        accelerator: request.accelerator,
        ..Options::default()
    };
    let machine = machine::prepare(&image, &options, host)?;
    let began = Instant::now();
    let talk = host.converse(&machine.program, &machine.arguments).context("starting QEMU")?;
    let until = began + Duration::from_secs(plan.time_limit);
    let mut session = session::Session::new(talk, until);
    let stage = host.stage(StageTask::BootTest, "Booting the image");
    let mut checks = vec![session.log_in(&plan.login)?];
    if checks[0].has_passed() {
        stage.finish();
    }
    for check in &plan.checks {
        let stage = host.stage(StageTask::BootTest, format!("Checking {check}"));
        let result = match checks[0].failure {
            None => session.check(check)?,
            Some(_) => CheckResult::skipped(check.to_string()),
        };
        if result.failure.is_none() {
            stage.finish();
        }
        checks.push(result);
    }
    let console = session.end();
    let test = BootTest { image, passed: checks.iter().all(CheckResult::has_passed), checks };
    host.log().bytes(console.as_bytes());
    if let Some(path) = &request.junit {
        let name = plan_name(&plan, &test);
        let text = junit::report(&name, &test, began.elapsed(), &console);
        host.write_file(path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(Outcome::BootTest(test))
}

/// Returns the name of the test suite.
fn plan_name(plan: &Plan, test: &BootTest) -> String {
    let file = test.image.file_name().unwrap_or_default().to_string_lossy();
    plan.name.clone().unwrap_or_else(|| file.into_owned())
}

/// Builds the description and returns its image.
fn built(request: &build::Request, context: &Context) -> Result<PathBuf> {
    build::run(request, context)?;
    let artifacts = context.host.artifacts();
    let image = artifacts.iter().find(|artifact| artifact.role == "image");
    Ok(image.context("the build made no image")?.path.clone())
}
