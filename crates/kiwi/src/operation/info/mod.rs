//! `kiwi info`: shows what a description offers and what one build uses.
//!
//! ```text
//! description -> types, profiles;  selection -> packages, repositories, .profile;  shown as tables or one JSON document
//! ```

mod facts;
mod table;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use description::{Choice, Selection};

use super::outcome::{InfoAnswer, Outcome};
use super::{Overrides, load};
use crate::context::Context;
use crate::root_tree::RootTree;
use crate::source::Source;

/// The description and the build.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory or file of the description.
    pub description: PathBuf,
    /// Active profiles.
    pub profiles: Vec<String>,
    /// Image type; `None`: the primary one.
    pub image_type: Option<String>,
    /// Changes for this run.
    pub overrides: Overrides,
    /// Whether the repositories are read to resolve all packages.
    pub resolve: bool,
    /// Form of the answer.
    pub format: Format,
}

/// Form of the answer of `info`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Tables for a person.
    Human,
    /// One JSON document.
    Json,
    /// Only `.profile`, as shell variables.
    Profile,
}

/// Collects the facts.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let loaded = load::load_and_warn(&request.description, context)?;
    let choice = Choice {
        profiles: request.profiles.clone(),
        image_type: request.image_type.clone(),
        architecture: Some(load::machine()),
    };
    let only_profiles = !loaded.description.profiles_with_types(&choice).is_empty();
    if only_profiles && !request.resolve && request.format != Format::Profile {
        return answer(&facts::Info::of_description(&loaded.description), request.format);
    }
    let selection = load::select(
        &loaded,
        &request.profiles,
        request.image_type.as_deref(),
        &request.overrides,
        &context.host,
    )?;
    let mut info = facts::Info::new(&loaded.description, &selection);
    if request.resolve {
        load::refuse_placeholders(&loaded.description, &selection)?;
        info.resolved = Some(resolved(&selection, &loaded.source, context)?);
    }
    answer(&info, request.format)
}

/// Returns the facts in the requested form.
fn answer(info: &facts::Info, format: Format) -> Result<Outcome> {
    let text = match format {
        Format::Human => table::text(info),
        Format::Json => serde_json::to_string_pretty(info)?,
        Format::Profile => info.profile_text().to_owned(),
    };
    Ok(Outcome::Info(InfoAnswer { info: serde_json::to_value(info)?, text }))
}

/// Reads the repositories and lets the package manager resolve all packages in an empty tree, which is removed.
fn resolved(selection: &Selection, source: &Source, context: &Context) -> Result<Vec<facts::Resolved>> {
    let host = &context.host;
    let work = host.temporary_work_directory().context("creating a directory to resolve packages in")?;
    let tree = RootTree::create(host, &work.path().join("root"))?;
    let plan = crate::prepare::plan(selection, source, crate::prepare::PrepareOptions::default(), host)?;
    let decided = crate::prepare::decide(&plan, &tree, context)?;
    let mut packages: Vec<facts::Resolved> = decided
        .installed()
        .iter()
        .map(|package| facts::Resolved::new(package, plan.file_name(package)))
        .collect();
    packages.sort_by(|left, right| left.file.cmp(&right.file));
    drop(tree);
    work.close().context("removing the directory for resolving packages")?;
    Ok(packages)
}
