//! Limits the cache: removes entries that were not used for a long time, then the least recently used until the rest
//! fits.

use std::sync::Arc;

use anyhow::{Context, Result, bail};

use super::Cache;
use super::indices::INDICES;
use super::items::{Item, Kind, WORKPLACES};
use crate::host::Host;

/// Default size limit in bytes.
const LIMIT: u64 = 20 << 30;

/// Seconds without use after which a build removes an entry.
const UNUSED: u64 = 90 * 86_400;
/// Minimum age in seconds of a file that is removed while a build runs, which may be about to read younger files.
const IN_USE: u64 = 6 * 3_600;

/// The limits of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Total size in bytes.
    pub size: Option<u64>,
    /// Time since the last use in seconds.
    pub age: Option<u64>,
}

impl Limits {
    /// Returns the size `KIWI_CACHE_SIZE`, or `configured`, or 20 GiB, and an age of 90 days.
    pub fn of_host(configured: Option<u64>, host: &Host) -> Result<Self> {
        let size = match host.variable("KIWI_CACHE_SIZE") {
            Some(text) => parse_size(&text).with_context(|| format!("reading KIWI_CACHE_SIZE=\"{text}\""))?,
            None => configured.unwrap_or(LIMIT),
        };
        Ok(Self { size: Some(size), age: Some(UNUSED) })
    }
}

/// Parses a size such as `500M` or `20G`; `0` is allowed, a number without a unit is in bytes.
pub fn parse_size(text: &str) -> Result<u64> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let shift = match unit.trim().trim_end_matches("iB").trim_end_matches('B') {
        "" => 0,
        "K" | "k" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => bail!("expected a size such as 500M or 20G"),
    };
    let number: u64 = digits.parse().ok().context("expected a size such as 500M or 20G")?;
    number.checked_mul(1 << shift).context("the size is too large")
}

impl Cache {
    /// Removes entries that exceed the limits and are not in use, and everything that killed builds left; returns the
    /// removed entries.
    pub fn prune(&self, limits: Limits, host: &Host) -> Result<Vec<Item>> {
        let held = match &self.held {
            Some(held) => Arc::clone(held),
            None if !self.directory().is_dir() => return Ok(Vec::new()),
            None => Arc::new(host.share_directory(self.directory()).with_context(|| self.holding())?),
        };
        let alone = held.alone().with_context(|| self.holding())?;
        let now = held.now().with_context(|| self.holding())?;
        let removed = self.prune_held(limits, alone, now, host);
        held.share().with_context(|| self.holding())?;
        removed
    }

    fn holding(&self) -> String {
        format!("locking the cache {}", self.directory().display())
    }

    /// `alone`: no build runs; `now`: seconds since 1970 by the clock of the cache's files.
    fn prune_held(&self, limits: Limits, alone: bool, now: u64, host: &Host) -> Result<Vec<Item>> {
        for directory in
            WORKPLACES.iter().map(|name| self.directory().join(name)).filter(|path| path.is_dir())
        {
            host.remove_abandoned(&directory).with_context(|| format!("reading {}", directory.display()))?;
        }
        let mut removed = Vec::new();
        for item in beyond(self.items(), limits, now) {
            host.check_interrupt()?;
            if (alone || item.kind.is_directory() || now.saturating_sub(item.used) > IN_USE)
                && self.remove(&item, host)?
            {
                removed.push(item);
            }
        }
        Ok(removed)
    }

    /// Removes an entry; returns false if a build is using it.
    pub(super) fn remove(&self, item: &Item, host: &Host) -> Result<bool> {
        let removing = || format!("removing {}", item.path.display());
        match item.kind {
            Kind::Stage(_) => self.stages().remove_location(&item.path, host),
            Kind::Indices => {
                let aside = self.directory().join(INDICES);
                host.remove_directory_unless_held(&item.path, &aside).with_context(removing)
            }
            // A build is using a directory that still exists.
            Kind::Unfinished if item.path.is_dir() => Ok(false),
            Kind::Fetched | Kind::Repacked | Kind::Resolution | Kind::Unfinished => {
                match host.remove_file(&item.path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        Err(error).with_context(removing)
                    }
                    Ok(()) | Err(_) => Ok(true),
                }
            }
        }
    }
}

/// Returns the entries of `all` that exceed the limits, those with the largest weighted age first.
fn beyond(mut all: Vec<Item>, limits: Limits, now: u64) -> Vec<Item> {
    let age = |item: &Item| now.saturating_sub(item.used);
    all.sort_by_key(|item| (age(item) / item.kind.worth(), item.path.clone()));
    let mut total = 0;
    all.retain(|item| {
        let old = limits.age.is_some_and(|limit| age(item) > limit) || item.kind == Kind::Unfinished;
        if !old {
            total += item.size;
        }
        old || limits.size.is_some_and(|size| total > size)
    });
    all
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test creates old files")]
mod tests {
    use super::*;
    use crate::host::Output;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    #[test]
    fn parses_sizes_with_units() {
        for (text, size) in [("0", 0), ("17", 17), ("500M", 500 << 20), ("20G", 20 << 30), ("1 GiB", 1 << 30)]
        {
            assert_eq!(parse_size(text).unwrap(), size, "{text}");
        }
        for text in ["", "G", "5X", "99999999999T"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    const BLOCK: u64 = 8192;

    /// Creates a file, or a directory with one, that was last used so many days ago.
    fn used(cache: &Path, name: &str, days: u64) {
        let path = cache.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let content = vec![1; BLOCK as usize];
        if name.starts_with("indices") {
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("Packages"), content).unwrap();
        } else {
            std::fs::write(&path, content).unwrap();
        }
        let time = SystemTime::now() - Duration::from_secs(days * 86_400);
        std::fs::File::open(&path).unwrap().set_modified(time).unwrap();
    }

    fn cache(location: &Path) -> (Cache, Host) {
        let host =
            Host::new(Output::Quiet).with_variables(vec![("KIWI_CACHE", location.display().to_string())]);
        (Cache::open(&host).unwrap(), host)
    }

    fn names(items: &[Item], cache: &Cache) -> Vec<String> {
        let name = |item: &Item| item.path.strip_prefix(cache.directory()).unwrap().display().to_string();
        items.iter().map(name).collect()
    }

    #[test]
    fn removes_what_was_not_used_for_long_and_keeps_the_rest() {
        let directory = tempfile::tempdir().unwrap();
        let (cache, host) = cache(directory.path());
        for kind in ["packages/sha256", "packages/zstd", "resolutions", "indices"] {
            used(directory.path(), &format!("{kind}/old"), 100);
            used(directory.path(), &format!("{kind}/new"), 1);
        }
        used(directory.path(), "packages/sha256/.kiwi.killed", 1);
        let limits = Limits { size: None, age: Some(UNUSED) };
        let mut removed = names(&cache.prune(limits, &host).unwrap(), &cache);
        removed.sort();
        let expected = [
            "indices/old",
            "packages/sha256/.kiwi.killed",
            "packages/sha256/old",
            "packages/zstd/old",
            "resolutions/old",
        ];
        assert_eq!(removed, expected);
        assert_eq!(cache.items().len(), 4);
    }

    #[test]
    fn removes_the_least_recently_used_first_and_fetched_packages_last() {
        let directory = tempfile::tempdir().unwrap();
        let (cache, host) = cache(directory.path());
        used(directory.path(), "packages/zstd/seven", 7);
        used(directory.path(), "packages/sha256/twelve", 12);
        used(directory.path(), "packages/sha256/sixteen", 16);
        used(directory.path(), "resolutions/twenty", 20);
        let size = |count: u64| Limits { size: Some(count * BLOCK), age: None };
        let prune = |count| names(&cache.prune(size(count), &host).unwrap(), &cache);
        assert_eq!(prune(4), [""; 0]);
        assert_eq!(prune(3), ["packages/sha256/sixteen"]);
        assert_eq!(prune(2), ["packages/zstd/seven"]);
        assert_eq!(prune(1), ["packages/sha256/twelve"]);
        assert_eq!(prune(0), ["resolutions/twenty"]);
    }

    #[test]
    fn keeps_what_a_running_build_may_read() {
        let directory = tempfile::tempdir().unwrap();
        let (building, host) = cache(directory.path());
        used(directory.path(), "packages/sha256/now", 0);
        used(directory.path(), "packages/sha256/.kiwi.arriving", 0);
        used(directory.path(), "packages/zstd/yesterday", 1);
        let everything = Limits { size: Some(0), age: None };
        let other = Cache::of_earlier_builds(&host).unwrap();
        assert_eq!(names(&other.prune(everything, &host).unwrap(), &other), ["packages/zstd/yesterday"]);
        drop(building);
        // A program that another test of this process starts has the lock until its `exec`.
        let mut removed = 0;
        for _ in 0..1000 {
            removed += other.prune(everything, &host).unwrap().len();
            if removed == 2 {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert_eq!(removed, 2);
    }
}
