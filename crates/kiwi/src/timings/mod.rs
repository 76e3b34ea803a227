//! The report of run times: as JSON for programs and as one HTML page (`--timings`).
//!
//! ```text
//! spans of the host -> Report (rows, lanes, critical path) -> JSON, HTML -> files
//! ```

mod page;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;

use crate::host::usage::{FromCache, Span, Usage};
use crate::host::{ArtifactFacts, Host, lossy};

/// Version of the report. New fields keep it; a change of an existing one raises it.
const VERSION: u32 = 1;

/// The stages of a run and their costs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    version: u32,
    run: Run,
    /// The finished files.
    files: Vec<FileRow>,
    /// Duration of the whole run in seconds.
    wall: f64,
    /// Processor time of the whole run in seconds, with children.
    cpu: f64,
    /// Bytes read from and written to disks.
    read: u64,
    written: u64,
    /// Peak memory of kiwi itself in bytes.
    peak_memory: u64,
    stages: Vec<Row>,
    /// Indices in `stages`: the chain of stages that the end waited for; each began after the one before it ended.
    critical_path: Vec<usize>,
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// The verb of the command line.
    pub verb: &'static str,
    /// The beginning in the form of RFC 3339.
    pub began: String,
}

/// A finished file.
#[derive(Debug, Clone, PartialEq, Serialize)]
struct FileRow {
    #[serde(serialize_with = "lossy")]
    path: PathBuf,
    role: String,
    /// Bytes.
    size: u64,
}

impl From<ArtifactFacts> for FileRow {
    fn from(facts: ArtifactFacts) -> Self {
        Self { path: facts.path, role: facts.role, size: facts.size }
    }
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
    /// Whether another stage ran at the same time; the costs of both are in the figures of each.
    shared: bool,
    /// Stages in one lane do not overlap.
    #[serde(skip)]
    lane: usize,
}

impl Report {
    /// Returns the report of a run: its spans, sorted by their start, its files and its totals.
    fn new(
        run: Run,
        spans: &[Span],
        files: Vec<FileRow>,
        (wall, usage): (f64, Usage),
        peak_memory: u64,
    ) -> Self {
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
        Self { version: VERSION, run, files, wall, cpu, read, written, peak_memory, stages, critical_path }
    }
}

/// Returns the stage that ended last, preceded by the last one that ended before it began, and so on.
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
pub fn write(location: &Path, run: Run, host: &Host) -> Result<()> {
    let finished = host.artifacts().into_iter().map(FileRow::from).collect();
    let report = Report::new(run, &host.spans().list(), finished, host.spans().total(), host.peak_memory());
    let (json, page) = files(location);
    let writing = |path: &Path| format!("writing the timing report {}", path.display());
    let text = serde_json::to_string_pretty(&report)? + "\n";
    host.write_output(&json, text).with_context(|| writing(&json))?;
    host.write_output(&page, page::html(&report)).with_context(|| writing(&page))
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
        let run = Run { verb: "build", began: "2026-01-02T03:04:05Z".to_owned() };
        let file =
            |role: &str, name: &str| FileRow { path: name.into(), role: role.to_owned(), size: 3 << 20 };
        let files = vec![file("package-list", "images/<a>.packages"), file("image", "images/<a>.iso")];
        Report::new(run, &spans, files, (5.5, Usage { cpu: 4.0, read: 1 << 20, written: 3 << 20 }), 50 << 20)
    }

    #[test]
    fn the_end_waits_for_one_chain() {
        let report = report();
        assert_eq!(report.critical_path, [0, 2]);
        assert_eq!(report.stages.iter().map(|row| row.lane).collect::<Vec<_>>(), [0, 1, 0]);
        assert_eq!(report.stages.iter().map(|row| row.shared).collect::<Vec<_>>(), [true, true, false]);
    }

    #[test]
    fn the_page_names_the_image_the_run_and_the_seconds() {
        let page = page::html(&report());
        assert!(page.contains("<h1>&lt;a&gt;.iso</h1>"), "{page}");
        assert!(page.contains("kiwi build") && page.contains("2026-01-02 03:04:05 UTC"), "{page}");
        assert!(page.contains("<td>&lt;a&gt;.packages</td><td>package-list</td><td>3.0 MiB</td>"), "{page}");
        for (second, percent) in [("0", "0.00"), ("1", "18.18"), ("5", "90.91")] {
            let tick = format!("<span class=\"tick\" style=\"left:{percent}%\">{second} s</span>");
            assert!(page.contains(&tick), "{tick}: {page}");
        }
        let nothing = Report { files: Vec::new(), wall: 0.0, stages: Vec::new(), ..report() };
        assert!(page::html(&nothing).contains("<h1>kiwi build</h1>"), "a run without an image");
    }

    #[test]
    fn the_page_is_complete_and_escapes_names() {
        let page = page::html(&report());
        assert!(page.contains("b &amp; &lt;c&gt;") && !page.contains("b & <c>"), "{page}");
        assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
        for tag in ["div", "table", "tr", "td", "section", "span", "p", "h1", "h2"] {
            let opened =
                page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
            assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
        }
        assert!(!page.contains("http"), "the page loads nothing");
    }

    #[test]
    fn names_both_files_after_the_argument() {
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
