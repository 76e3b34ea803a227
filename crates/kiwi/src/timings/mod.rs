//! Where the time of a run went: as JSON for programs and as one page to look at (`--timings`).
//!
//! ```text
//! spans of the host -> Report (rows, lanes, critical path) -> JSON, HTML -> files
//! ```

mod page;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::host::Host;
use crate::host::usage::{FromCache, Span, Usage};

/// Grows only by new fields; a change of what is there would be a new number.
const VERSION: u32 = 1;

/// What a run did and what that took.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    version: u32,
    /// Seconds of the whole run.
    wall: f64,
    /// Processor seconds of the whole run, children included.
    cpu: f64,
    /// Bytes read from and written to disks.
    read: u64,
    written: u64,
    /// Bytes kiwi itself had in memory at most.
    peak_memory: u64,
    stages: Vec<Row>,
    /// Locations in `stages`: the chain of stages, each beginning when the one before it was over, that the end waited for.
    critical_path: Vec<usize>,
}

/// One stage.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct Row {
    name: String,
    start: f64,
    wall: f64,
    cpu: f64,
    read: u64,
    written: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cache: Option<FromCache>,
    succeeded: bool,
    /// Another stage went on meanwhile, and what both used is in the figures of both.
    shared: bool,
    /// Stages of one lane do not overlap.
    #[serde(skip)]
    lane: usize,
}

impl Report {
    /// Puts the spans, which are in the order they began, and the totals together.
    fn new(spans: &[Span], (wall, usage): (f64, Usage), peak_memory: u64) -> Self {
        let mut lanes: Vec<f64> = Vec::new();
        let mut stages = Vec::new();
        for (number, span) in spans.iter().enumerate() {
            let lane = lanes.iter().position(|end| *end <= span.start).unwrap_or(lanes.len());
            if lane == lanes.len() {
                lanes.push(0.0);
            }
            lanes[lane] = span.end;
            let overlaps = |(other, with): (usize, &Span)| {
                other != number && with.start < span.end && span.start < with.end
            };
            stages.push(Row {
                name: span.name.clone(),
                start: span.start,
                wall: span.end - span.start,
                cpu: span.usage.cpu,
                read: span.usage.read,
                written: span.usage.written,
                cache: span.cache,
                succeeded: span.succeeded,
                shared: spans.iter().enumerate().any(overlaps),
                lane,
            });
        }
        let critical_path = critical_path(spans);
        let Usage { cpu, read, written } = usage;
        Self { version: VERSION, wall, cpu, read, written, peak_memory, stages, critical_path }
    }
}

/// From the stage that ended last back to the one that was over last before it began, and so on.
fn critical_path(spans: &[Span]) -> Vec<usize> {
    let latest = |limit: f64, not: &[usize]| {
        let before =
            spans.iter().enumerate().filter(|(number, span)| span.end <= limit && !not.contains(number));
        before.max_by(|one, other| one.1.end.total_cmp(&other.1.end)).map(|(number, _)| number)
    };
    let mut path: Vec<usize> = Vec::new();
    let mut limit = f64::INFINITY;
    while let Some(number) = latest(limit, &path) {
        path.push(number);
        limit = spans[number].start;
    }
    path.reverse();
    path
}

/// Writes the report of this run: `FILE.json` and `FILE.html`, or both as `timings` in a directory.
pub fn write(location: &Path, host: &Host) -> Result<()> {
    let report = Report::new(&host.spans().list(), host.spans().total(), host.peak_memory());
    let (json, page) = files(location);
    let writing = |path: &Path| format!("writing the time report {}", path.display());
    let text = serde_json::to_string_pretty(&report)? + "\n";
    host.write_file(&json, text).with_context(|| writing(&json))?;
    host.write_file(&page, page::html(&report)).with_context(|| writing(&page))
}

fn files(location: &Path) -> (PathBuf, PathBuf) {
    let named = location.extension().is_some_and(|extension| extension == "json" || extension == "html");
    let stem = match (location.is_dir(), named) {
        (true, _) => location.join("timings"),
        (false, true) => location.with_extension(""),
        (false, false) => location.to_owned(),
    };
    let with = |ending: &str| {
        let mut name = stem.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    (with(".json"), with(".html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(name: &str, start: f64, end: f64) -> Span {
        Span { name: name.to_owned(), start, end, usage: Usage::default(), cache: None, succeeded: true }
    }

    fn report() -> Report {
        let spans = [span("a", 0.0, 2.0), span("beside", 0.5, 1.0), span("b & <c>", 2.0, 5.0)];
        Report::new(&spans, (5.5, Usage { cpu: 4.0, read: 1 << 20, written: 3 << 20 }), 50 << 20)
    }

    #[test]
    fn the_end_waits_for_one_chain() {
        let report = report();
        assert_eq!(report.critical_path, [0, 2]);
        assert_eq!(report.stages.iter().map(|row| row.lane).collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(report.stages.iter().map(|row| row.shared).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn the_page_is_whole_and_quotes_names() {
        let page = page::html(&report());
        assert!(page.contains("b &amp; &lt;c&gt;") && !page.contains("b & <c>"), "{page}");
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        for tag in ["div", "table", "tr", "td", "section", "span", "p", "h1", "h2"] {
            let opened =
                page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert!(!page.contains("http"), "the page needs nothing from anywhere");
    }

    #[test]
    fn both_files_are_named_after_what_was_asked() {
        let names = |location: &str| {
            let (json, page) = files(Path::new(location));
            (json.display().to_string(), page.display().to_string())
        };
        let both = |stem: &str| (format!("{stem}.json"), format!("{stem}.html"));
        assert_eq!(names("/"), both("/timings"));
        assert_eq!(names("/x/t.html"), both("/x/t"));
        assert_eq!(names("/x/t"), both("/x/t"));
    }
}
