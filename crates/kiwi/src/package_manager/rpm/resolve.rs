//! The packages of a plan: the questions to the solver, and its answers as packages of repositories.

use anyhow::{Context as _, Result};
use description::{PackageSet, PatternType};
use serde::{Deserialize, Serialize};

use super::index::Index;
use super::solver::{Action, Request, version};
use super::{Rpm, catalogue, sources};
use crate::context::Context;
use crate::host::Host;
use crate::package_manager::answers::once;
use crate::package_manager::{ManagerFiles, Resolution};
use crate::repository::Resolved;
use crate::stage::{Digest, canonical};

/// Raise it when kiwi asks in another way or reads another answer out of the same output.
const FORMAT: u32 = 3;

/// Everything that is known about the packages of a new tree before one is downloaded.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) resolution: Resolution,
    /// The bytes that all packages occupy.
    pub(super) installed_size: u64,
}

impl Rpm<'_> {
    /// Returns the metadata of each repository, after the solver has read it.
    pub(super) fn metadata(&self, files: &ManagerFiles) -> Result<Vec<(&Resolved, Index)>> {
        sources::used(self.plan)
            .map(|(index, repository)| {
                let directory = self.solver.metadata(index, files);
                let reading = || format!("reading the metadata of {}", repository.described);
                Ok((repository, Index::of(repository, directory.with_context(reading)?)))
            })
            .collect()
    }

    /// Returns the time of the newest metadata in seconds since 1970; 0 if it is unknown.
    pub(super) fn time(&self, files: &ManagerFiles) -> Result<u64> {
        let times = self.metadata(files)?.into_iter().map(|(repository, index)| {
            index.time().with_context(|| format!("reading the metadata of {}", repository.described))
        });
        Ok(times.collect::<Result<Vec<_>>>()?.into_iter().max().unwrap_or(0))
    }

    /// Returns the packages of a new tree: the cached answer about the same repositories, or a new one.
    pub(super) fn answer(&self, files: &ManagerFiles, context: &Context) -> Result<Answer> {
        let known = self.whole_question(files, &context.host)?;
        if let Some(known) = context.cache()?.indices().resolution(&known, &context.host) {
            return Ok(known);
        }
        self.read_repositories(files, context)?;
        let everything = self.request(&[&self.plan.bootstrap, &self.plan.image]);
        let bootstrap = self.request(&[&self.plan.bootstrap]);
        once(&self.whole_question(files, &context.host)?, self.keyword(), context, || {
            self.ask(&everything, &bootstrap, files, context)
        })
    }

    /// Returns the digest of everything on which the packages of a new tree depend.
    pub(super) fn whole_question(&self, files: &ManagerFiles, host: &Host) -> Result<Digest> {
        let everything = self.request(&[&self.plan.bootstrap, &self.plan.image]);
        let bootstrap = self.request(&[&self.plan.bootstrap]);
        self.question("rpm packages", &[&everything, &bootstrap], files, host)
    }

    /// Returns the digest of requests and of everything in the repositories on which the answers depend.
    fn question(
        &self,
        what: &str,
        requests: &[&Request],
        files: &ManagerFiles,
        host: &Host,
    ) -> Result<Digest> {
        let mut repositories = Vec::new();
        for (index, repository) in sources::used(self.plan) {
            repositories.push(self.head(index, repository, files)?);
        }
        let settings = (self.plan.manager, &self.plan.architecture, version(self.solver.program(), host));
        Ok(Digest::of(canonical(&(what, FORMAT, settings, requests, repositories))?))
    }

    /// Returns the name of the solver, for messages.
    pub(super) fn keyword(&self) -> &'static str {
        self.plan.manager.program()
    }

    fn ask(
        &self,
        everything: &Request,
        bootstrap: &Request,
        files: &ManagerFiles,
        context: &Context,
    ) -> Result<Answer> {
        let session = self.session(files, &context.host);
        let solved = self.solver.solve(everything, session)?.install;
        let mut first = Vec::new();
        if !bootstrap.is_empty() {
            let question = self.question("rpm bootstrap packages", &[bootstrap], files, &context.host)?;
            first = once(&question, self.keyword(), context, || {
                Ok(self.solver.solve(bootstrap, session)?.install)
            })?;
            // Uses the versions of the complete solution: the bootstrap packages alone might lead to others.
            first.retain(|package| solved.contains(package));
        }
        let mut found = catalogue::find(&solved, self, files)?;
        self.identify(&mut found, files, context)?;
        let installed_size = found.iter().map(|found| found.installed_size).sum();
        let is_first = |found: &&catalogue::Found| first.contains(&found.solved);
        let bootstrap = found.iter().filter(is_first).map(|found| found.package.clone()).collect();
        let packages = found.into_iter().map(|found| found.package).collect();
        Ok(Answer { resolution: Resolution { packages, bootstrap, replaced: Vec::new() }, installed_size })
    }

    /// Returns the question for the packages and patterns of these sets.
    pub(super) fn request(&self, sets: &[&PackageSet]) -> Request {
        let names = |select: fn(&PackageSet) -> Vec<String>| {
            let mut names: Vec<String> = sets.iter().flat_map(|set| select(set)).collect();
            names.sort();
            names.dedup();
            names
        };
        Request {
            action: Action::Install,
            packages: names(|set| {
                let packages = set.packages.iter().map(|package| package.name.to_string());
                // The package that describes a product has this capability.
                let products = set.products.iter().map(|product| format!("product({product})"));
                packages.chain(products).collect()
            }),
            patterns: names(|set| set.patterns.iter().map(ToString::to_string).collect()),
            ignored: names(|set| set.ignored.iter().map(ToString::to_string).collect()),
            recommended: sets.iter().any(|set| set.pattern_type != PatternType::OnlyRequired),
        }
    }
}

impl Request {
    /// Returns whether it asks for nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.packages.is_empty() && self.patterns.is_empty()
    }
}
