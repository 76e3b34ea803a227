//! `kiwi cache`: what the cache holds, less of it, or whether it is whole.

use anyhow::{Result, bail};
use serde_json::json;

use crate::cache::{Cache, Item, Kind, Limits};
use crate::context::Context;
use crate::host::Host;

/// What is to be done with the cache.
#[derive(Debug, Clone)]
pub enum Request {
    /// Show what is there.
    List {
        /// As one JSON document.
        json: bool,
    },
    /// Take away what is beyond the limits.
    Prune(Limits),
    /// Read everything and take away what was damaged.
    Verify,
}

/// Does it.
pub fn run(request: &Request, context: &Context) -> Result<()> {
    let host = &context.host;
    let cache = Cache::of_earlier_builds(host);
    match request {
        Request::List { json } => {
            let limit = limits(context)?.size;
            match json {
                true => host.print_document(&serde_json::to_string_pretty(&document(&cache, limit))?),
                false => list(&cache, limit, host),
            }
            Ok(())
        }
        Request::Prune(limits) => {
            let limits = match limits {
                Limits { size: None, age: None } => self::limits(context)?,
                limits => *limits,
            };
            let removed = cache.prune(limits, host)?;
            for sum in Sum::of_each_kind(&removed) {
                host.print(&format!("{} removed, {} freed", sum.counted(), megabytes(sum.bytes)));
            }
            if removed.is_empty() {
                host.print("nothing removed");
            }
            Ok(())
        }
        Request::Verify => verify(context),
    }
}

/// What may stay when nobody says otherwise.
pub(super) fn limits(context: &Context) -> Result<Limits> {
    Limits::of_host(context.configuration()?.cache_size, &context.host)
}

/// How much there is of one kind; all stages are one.
struct Sum {
    kind: Kind,
    count: usize,
    bytes: u64,
}

impl Sum {
    /// In the order of kinds; `items` are sorted or not.
    fn of_each_kind(items: &[Item]) -> Vec<Self> {
        let mut sums: Vec<Self> = Vec::new();
        for item in items {
            match sums.iter_mut().find(|sum| sum.kind.keyword() == item.kind.keyword()) {
                Some(sum) => {
                    sum.count += 1;
                    sum.bytes += item.size;
                }
                None => sums.push(Self { kind: item.kind, count: 1, bytes: item.size }),
            }
        }
        sums.sort_by_key(|sum| sum.kind);
        sums
    }

    fn counted(&self) -> String {
        format!("{} {}", self.count, self.kind.title())
    }
}

fn list(cache: &Cache, limit: Option<u64>, host: &Host) {
    let items = cache.items();
    let now = host.now();
    host.print(&format!("The cache is {}", cache.directory().display()));
    for item in &items {
        let Kind::Stage(stage) = item.kind else { continue };
        let name: String = name(item).chars().take(12).collect();
        let (saves, image) = match &item.contents {
            Some(contents) => (contents.milliseconds as f64 / 1000.0, contents.image.as_str()),
            None => (0.0, "damaged"),
        };
        host.print(&format!(
            "{name}  {:10}  {:>9}  used {:>4} h ago  saves {saves:>5.1} s  {image}",
            stage.keyword(),
            megabytes(item.size),
            now.saturating_sub(item.used) / 3600,
        ));
    }
    let mut sums = Sum::of_each_kind(&items);
    if !sums.iter().any(|sum| matches!(sum.kind, Kind::Stage(_))) {
        sums.insert(0, Sum { kind: Kind::Stage(crate::stage::Stage::Image), count: 0, bytes: 0 });
    }
    for sum in &sums {
        host.print(&format!("{}, {}", sum.counted(), megabytes(sum.bytes)));
    }
    let together = megabytes(sums.iter().map(|sum| sum.bytes).sum());
    let limit = limit.map(|limit| format!(" of at most {}", megabytes(limit))).unwrap_or_default();
    host.print(&format!("together {together}{limit}"));
}

fn document(cache: &Cache, limit: Option<u64>) -> serde_json::Value {
    let items = cache.items();
    let sums = Sum::of_each_kind(&items);
    let kinds =
        sums.iter().map(|sum| json!({"kind": sum.kind.keyword(), "count": sum.count, "bytes": sum.bytes}));
    let stages = items.iter().filter_map(|item| {
        let Kind::Stage(stage) = item.kind else { return None };
        Some(json!({
            "stage": stage.keyword(),
            "key": name(item),
            "image": item.contents.as_ref().map(|contents| &contents.image),
            "bytes": item.size,
            "used": item.used,
            "saves_milliseconds": item.contents.as_ref().map(|contents| contents.milliseconds),
        }))
    });
    json!({
        "directory": cache.directory(),
        "bytes": sums.iter().map(|sum| sum.bytes).sum::<u64>(),
        "limit": limit,
        "kinds": kinds.collect::<Vec<_>>(),
        "stages": stages.collect::<Vec<_>>(),
    })
}

fn verify(context: &Context) -> Result<()> {
    let cache = context.cache()?;
    let host = &context.host;
    let (mut whole, mut damaged) = (Vec::new(), Vec::new());
    for item in cache.items() {
        host.check_interrupt()?;
        match cache.verify(&item, host)? {
            None => whole.push(item),
            Some(path) => {
                host.warn(&format!("{} was damaged and is removed", path.display()));
                damaged.push(item);
            }
        }
    }
    for sum in Sum::of_each_kind(&whole) {
        if sum.kind != Kind::Unfinished {
            host.print(&format!("{} are whole, {}", sum.counted(), megabytes(sum.bytes)));
        }
    }
    if !damaged.is_empty() {
        let sums: Vec<String> = Sum::of_each_kind(&damaged).iter().map(Sum::counted).collect();
        bail!("{} were damaged and are removed; the next build makes or fetches them anew", sums.join(", "));
    }
    Ok(())
}

fn name(item: &Item) -> std::borrow::Cow<'_, str> {
    item.path.file_name().unwrap_or_default().to_string_lossy()
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / f64::from(1 << 20))
}
