//! `kiwi build`: prepare and create in one run, for one type or several; unchanged stages come from the cache.
//!
//! ```text
//! description -> types -> groups that share one tree
//!   each tree: plan -> repositories -> keys -> images from the cache
//!              -> for the missing ones: tree, boot images in parallel -> images, one per processor at a time
//! ```

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use description::{Choice, Selection, TypeBuild};

use super::image_build::{ImageBuild, TreeContext};
use super::load::Loaded;
use super::locking::{LockMode, Locking};
use super::outcome::{Explained, Outcome};
use super::{Overrides, cache, create, explain, image_build, load, prepare, reports, space};
use crate::context::Context;
use crate::debugging;
use crate::failure::{Invalid, fail};
use crate::lock::Lock;
use crate::parallel;
use crate::prepare::{Decided, PrepareOptions, PreparePlan, Prepared, Reuse};
use crate::root_tree::RootTree;
use crate::workspace::{Scratch, Workspace};

/// The description and the destination.
#[derive(Debug, Clone)]
pub struct Request {
    /// Directory of the description.
    pub description: PathBuf,
    /// Where the root tree is kept; `None`: it is removed after the build.
    pub root: Option<PathBuf>,
    /// `--destdir`; `None`: the description's `defaultdestination`.
    pub destdir: Option<PathBuf>,
    /// Whether the destination is created if it does not exist.
    pub make_destdir: bool,
    /// `--type`, one keyword or several separated by commas; `None`: the primary one.
    pub image_type: Option<String>,
    /// Whether every type of the profiles is built, without `profiles` of all profiles.
    pub all_types: bool,
    /// `--add-profile`
    pub profiles: Vec<String>,
    /// Changes for this run.
    pub overrides: Overrides,
    /// Whether scripts may use the network.
    pub network: bool,
    /// How far the cache is used.
    pub reuse: Reuse,
    /// Whether to show what would be done and why, without building.
    pub explain: bool,
    /// How `kiwi.lock` is used.
    pub lock: LockMode,
    /// Shells, and what happens with the tree after a failure.
    pub debugging: debugging::Options,
}

/// Builds everything and returns the artifacts. If the scratch files do not fit into memory, the build goes on, from the
/// stages that the cache has, on the disk.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    match run_in(request, Space::Memory, context) {
        Err(error) if error.is::<MemoryFull>() => {
            context.host.say(&format!("{error}; building on the disk"));
            run_in(request, Space::Disk, context)
        }
        other => other,
    }
}

/// Where the scratch files are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Space {
    Memory,
    Disk,
}

/// The scratch files do not fit into memory.
#[derive(Debug, thiserror::Error)]
#[error("the trees of this build do not fit into the memory that it may use")]
struct MemoryFull;

/// Returns the lock of a build: its packages as the repositories provide them now. Nothing is built.
pub(super) fn resolve(request: &Request, context: &Context) -> Result<Lock> {
    let work =
        context.host.temporary_work_directory().context("creating a directory to resolve packages in")?;
    let destdir = Some(work.path().to_owned());
    let request = Request { explain: true, lock: LockMode::Write, destdir, ..request.clone() };
    let (_, locking) = work_in(&request, Space::Disk, context)?;
    work.close().context("removing the directory for resolving packages")?;
    Ok(locking.noted())
}

fn run_in(request: &Request, space: Space, context: &Context) -> Result<Outcome> {
    work_in(request, space, context).map(|(outcome, _)| outcome)
}

fn work_in(request: &Request, space: Space, context: &Context) -> Result<(Outcome, Locking)> {
    let host = &context.host;
    let mut loaded = load::load_and_warn(&request.description, context)?;
    loaded.locking = Locking::open(request.lock, &loaded.source)?;
    let selections = select(&loaded, request, context)?;
    for selection in &selections {
        // First what is wrong on every machine, then what this machine lacks.
        load::refuse_unsupported(&loaded.description, selection)?;
        load::refuse_placeholders(&loaded.description, selection)?;
        create::check(selection, context)?;
    }
    let first = &selections[0];
    let destdir = create::destination(request.destdir.as_deref(), request.make_destdir, first, host)?;
    let mut locks = Vec::new();
    if !request.explain {
        locks.push(create::lock(&destdir, first, host)?);
        context.debugging.check(host)?;
        let log = create::log_path(&destdir, first);
        prepare::open_log_aside(&log, host)?;
        context.debugging.keep_beside(&log);
    }
    let cache = context.cache()?;
    let reservations = cache.reservations();
    let scratch = match space {
        Space::Memory => Scratch::Memory(&reservations),
        Space::Disk => Scratch::Disk,
    };
    let workspace = Workspace::open(&destdir, scratch, host)?;
    let several = selections.len() > 1;
    let groups = image_build::with_one_tree(selections, &loaded)?;
    let root = match &request.root {
        Some(_) if groups.len() > 1 => fail!(
            Usage,
            "--root keeps one tree, but these types need {}: their packages differ, or a script asks for \
             the type; build them one by one",
            groups.len()
        ),
        Some(root) => {
            let root = prepare::root_directory(Some(root), &groups[0][0], host)?;
            locks.push(prepare::lock_root(&root, host)?);
            Some(root)
        }
        None => None,
    };
    let mut explained = Vec::new();
    for (number, selections) in groups.into_iter().enumerate() {
        let options = PrepareOptions {
            network: request.network,
            package_path: request.overrides.package_path,
            debugged: true,
        };
        let plan = crate::prepare::plan(&selections[0], &loaded.source, options, host)?;
        let locking = loaded.locking.of_system(&selections[0]);
        let build = Build { request, loaded: &loaded, locking, plan, workspace: &workspace, context };
        let location = match &root {
            Some(root) => Location::Kept(root.clone()),
            None => Location::Passing(workspace.numbered_root_tree(number)),
        };
        let mut types = Vec::new();
        for selection in selections {
            let own = match several {
                true => {
                    Some(workspace.of_type(keyword_of(&selection), selection.name_part.as_deref(), host)?)
                }
                false => None,
            };
            if let Some(own) = own.as_ref().filter(|_| !request.explain) {
                locks.push(create::lock(own.destdir(), &selection, host)?);
            }
            types.push((own, selection));
        }
        let made = build.run(location, &types);
        if workspace.memory_is_full() && host.check_interrupt().is_ok() {
            return Err(made.err().map_or(MemoryFull.into(), |error| error.context(MemoryFull)));
        }
        explained.extend(made?);
    }
    if !request.explain {
        loaded.locking.write(loaded.source.directory(), host)?;
    }
    if !request.explain && !request.reuse.off && cache.lasts() {
        cache.prune(cache::limits(context)?, host)?;
    }
    workspace.close()?;
    let outcome = match request.explain {
        true => Outcome::Explanation { stages: explained },
        false => Outcome::Artifacts { artifacts: host.artifacts() },
    };
    Ok((outcome, loaded.locking))
}

/// Returns a selection for every requested type, each once.
fn select(loaded: &Loaded, request: &Request, context: &Context) -> Result<Vec<Selection>> {
    let select = |profiles: &[String], keyword: Option<&str>| -> Result<Selection> {
        let mut selection = load::select(loaded, profiles, keyword, &request.overrides, &context.host)?;
        reports::configure(&mut selection, context)?;
        Ok(selection)
    };
    let mut selections: Vec<Selection> = Vec::new();
    match &request.image_type {
        _ if request.all_types => {
            for build in every_type(loaded, request)? {
                let TypeBuild { profiles, image_type, name_part } = build;
                selections.push(Selection { name_part, ..select(&profiles, Some(&image_type))? });
            }
            refuse_same_names(&selections)?;
        }
        Some(keywords) => {
            for keyword in keywords.split(',') {
                let selection = select(&request.profiles, Some(keyword.trim()))?;
                if !selections.iter().any(|other| keyword_of(other) == keyword_of(&selection)) {
                    selections.push(selection);
                }
            }
        }
        None => selections.push(select(&request.profiles, None)?),
    }
    Ok(selections)
}

fn keyword_of(selection: &Selection) -> &'static str {
    selection.image_type.keyword()
}

/// Returns every type of the requested profiles, or of all if none is requested.
fn every_type(loaded: &Loaded, request: &Request) -> Result<Vec<TypeBuild>> {
    let (profiles, architecture) = (request.profiles.clone(), Some(load::machine()));
    let choice = Choice { profiles, image_type: None, architecture };
    let builds = loaded.description.every_type(&choice).map_err(Invalid::new)?;
    if !builds.is_empty() {
        return Ok(builds);
    }
    let any =
        loaded.description.every_type(&Choice { profiles: Vec::new(), ..choice }).map_err(Invalid::new)?;
    let names: BTreeSet<String> = any.into_iter().flat_map(|build| build.profiles).collect();
    match names.is_empty() {
        true => fail!(Usage, "the description has no image type for this architecture"),
        false => fail!(
            Usage,
            "no image type applies to these profiles; profiles with types are: {}",
            names.into_iter().collect::<Vec<_>>().join(", ")
        ),
    }
}

/// Fails if two builds would write the same files.
fn refuse_same_names(selections: &[Selection]) -> Result<()> {
    let name =
        |selection: &Selection| (keyword_of(selection), crate::create::image_name(selection).to_string());
    for (index, selection) in selections.iter().enumerate() {
        if let Some(other) = selections[..index].iter().find(|other| name(other) == name(selection)) {
            let (keyword, file) = name(selection);
            let list = |selection: &Selection| {
                selection.profiles.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            };
            fail!(
                Usage,
                "the type {keyword} of the profiles '{}' and of '{}' would both be called {file}; build them into two \
                 directories with --profile",
                list(other),
                list(selection)
            );
        }
    }
    Ok(())
}

/// Where a tree is made.
enum Location {
    /// In the workspace.
    Passing(PathBuf),
    /// `--root`
    Kept(PathBuf),
}

/// One tree and the images that are made of it.
struct Build<'a> {
    request: &'a Request,
    loaded: &'a Loaded,
    locking: Locking,
    plan: PreparePlan,
    workspace: &'a Workspace,
    context: &'a Context,
}

impl Build<'_> {
    fn run(
        &self,
        location: Location,
        types: &[(Option<Workspace>, description::Selection)],
    ) -> Result<Vec<Explained>> {
        let workspace = self.workspace;
        let mut plan = self.plan.clone();
        let in_workspace = matches!(location, Location::Passing(_));
        let (tree, decided, made) = self.tree(&mut plan, location)?;
        if in_workspace && !self.request.explain {
            let size = crate::prepare::tree_size(&plan, &decided, self.context)?;
            if workspace.is_on_disk() {
                space::check(size, tree.path(), &self.context.host)?;
            }
            if !workspace.expect(size, &self.context.host)? {
                return Err(MemoryFull.into());
            }
        }
        let shared = TreeContext {
            plan: &plan,
            decided: &decided,
            loaded: self.loaded,
            reuse: self.request.reuse,
            context: self.context,
        };
        let images = types.iter().map(|(own, selection)| {
            ImageBuild::decide(selection, own.as_ref().unwrap_or(workspace), &shared)
        });
        let images: Vec<ImageBuild<'_>> = images.collect::<Result<_>>()?;
        if self.request.explain {
            let next = || crate::prepare::next_layer(&plan, &decided, self.context);
            let mut stages =
                explain::stages(&plan, &decided, next, &images, self.request.reuse, self.context)?;
            // One tree is always of the same profiles.
            let profiles =
                types.first().map(|(_, selection)| selection.profiles.as_slice()).unwrap_or_default();
            for stage in &mut stages {
                stage.profiles = profiles.iter().map(ToString::to_string).collect();
            }
            return Ok(stages);
        }
        let mut missing = Vec::new();
        for image in &images {
            if !image.restore()? {
                missing.push(image);
            }
        }
        if missing.is_empty() {
            return Ok(Vec::new());
        }
        self.context.host.log().claim();
        let prepared = match made {
            Some(prepared) => prepared,
            None => self.make(&plan, &tree, &decided, &missing, None)?,
        };
        // A script may have ignored that nothing more could be written.
        if workspace.memory_is_full() {
            return Err(MemoryFull.into());
        }
        image_build::make_all(&missing, &tree, &prepared.record, &self.context.host)?;
        Ok(Vec::new())
    }

    /// Returns the tree: empty except for what the package manager needs, or the finished one if it is kept.
    fn tree(
        &self,
        plan: &mut PreparePlan,
        location: Location,
    ) -> Result<(RootTree, Decided, Option<Prepared>)> {
        match location {
            Location::Passing(path) => {
                let tree = RootTree::create(&self.context.host, &path)?;
                let decided = prepare::decide(plan, &self.locking, &tree, self.context)?;
                Ok((tree, decided, None))
            }
            Location::Kept(root) => {
                let work = |tree: &RootTree| {
                    let decided = prepare::decide(plan, &self.locking, tree, self.context)?;
                    let prepared = self.make(plan, tree, &decided, &[], Some(&root))?;
                    Ok((decided, prepared))
                };
                let (decided, prepared) = prepare::into(&root, work, &self.context.host)?;
                Ok((RootTree::open(&root)?, decided, Some(prepared)))
            }
        }
    }

    /// Makes the tree, and in parallel the boot images that have their own descriptions. `kept` is where the tree will be.
    fn make(
        &self,
        plan: &PreparePlan,
        tree: &RootTree,
        decided: &Decided,
        images: &[&ImageBuild<'_>],
        kept: Option<&Path>,
    ) -> Result<Prepared> {
        let (boots, prepared) = parallel::both(
            || parallel::map(images, images.len(), |image| image.make_boot_image()),
            || crate::prepare::make(plan, decided, tree, self.request.reuse, self.context),
        );
        let prepared = prepared.map_err(|error| match self.workspace.memory_is_full() {
            true => error,
            false => self.context.debugging.failed(error, tree, kept, &self.context.host),
        })?;
        boots?;
        prepare::report(&prepared.record.secrets, &self.context.host);
        Ok(prepared)
    }
}
