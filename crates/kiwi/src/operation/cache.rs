//! `kiwi cache`: lists, reduces or verifies the cache.

use anyhow::Result;

use super::outcome::{CachedStage, Listing, Outcome, Sum};
use crate::cache::{Cache, Item, Kind, Limits};
use crate::context::Context;
use crate::failure::fail;
use crate::host::{Host, Warning};

/// What to do with the cache.
#[derive(Debug, Clone)]
pub enum Request {
    /// List the entries.
    List,
    /// Remove what exceeds the limits.
    Prune(Limits),
    /// Read everything and remove damaged entries.
    Verify,
}

/// Runs the command.
pub fn run(request: &Request, context: &Context) -> Result<Outcome> {
    let host = &context.host;
    let cache = Cache::of_earlier_builds(host)?;
    match request {
        Request::List => Ok(Outcome::Cache(listing(&cache, limits(context)?.size, host.now()))),
        Request::Prune(limits) => {
            let limits = match limits {
                Limits { size: None, age: None } => self::limits(context)?,
                limits => *limits,
            };
            Ok(Outcome::Pruned { removed: sums(&cache.prune(limits, host)?) })
        }
        Request::Verify => verify(&cache, host),
    }
}

/// Returns the default limits.
pub(super) fn limits(context: &Context) -> Result<Limits> {
    Limits::of_host(context.configuration()?.cache_size, &context.host)
}

/// Returns the contents of the cache at the time `now`.
fn listing(cache: &Cache, limit: Option<u64>, now: u64) -> Listing {
    let items = cache.items();
    let kinds = sums(&items);
    let stages = items.iter().filter_map(|item| {
        let Kind::Stage(stage) = item.kind else { return None };
        Some(CachedStage {
            stage: stage.keyword(),
            key: item.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            image: item.contents.as_ref().map(|contents| contents.image.clone()),
            bytes: item.size,
            used: item.used,
            saves_milliseconds: item.contents.as_ref().map(|contents| contents.milliseconds),
        })
    });
    let stages = stages.collect();
    let bytes = kinds.iter().map(|sum| sum.bytes).sum();
    Listing { directory: cache.directory().to_owned(), bytes, limit, kinds, stages, now }
}

/// Returns the totals in the order of kinds; `items` need not be sorted.
fn sums(items: &[Item]) -> Vec<Sum> {
    let mut sums: Vec<Sum> = Vec::new();
    for item in items {
        match sums.iter_mut().find(|sum| sum.kind.keyword() == item.kind.keyword()) {
            Some(sum) => {
                sum.count += 1;
                sum.bytes += item.size;
            }
            None => sums.push(Sum { kind: item.kind, count: 1, bytes: item.size }),
        }
    }
    sums.sort_by_key(|sum| sum.kind);
    sums
}

fn verify(cache: &Cache, host: &Host) -> Result<Outcome> {
    let (mut whole, mut damaged) = (Vec::new(), Vec::new());
    for item in cache.items() {
        host.check_interrupt()?;
        match cache.verify(&item, host)? {
            None => whole.push(item),
            Some(path) => {
                host.warn(Warning::Cache, &format!("{} was damaged and was removed", path.display()));
                damaged.push(item);
            }
        }
    }
    if !damaged.is_empty() {
        let counted: Vec<String> = sums(&damaged).iter().map(Sum::counted).collect();
        fail!(
            Damaged,
            "{} were damaged and removed; the next build makes or fetches them again",
            counted.join(", ")
        );
    }
    let mut whole = sums(&whole);
    whole.retain(|sum| sum.kind != Kind::Unfinished);
    Ok(Outcome::Verified { whole })
}
