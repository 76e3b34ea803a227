//! The report as one HTML page: bars over time and a table, readable on light and dark screens, without external files.

use std::fmt::Write;

use super::{Report, Row};
use crate::host::usage::FromCache;

const STYLE: &str = "\
:root{color-scheme:light dark;--ground:#fff;--text:#1c1f24;--soft:#667;--line:#dde;--work:#4a7bd0;--critical:#d07a2a;\
--taken:#3f9a62;--kept:#8d78c8;--failed:#c23b3b}\
@media(prefers-color-scheme:dark){:root{--ground:#15181d;--text:#e6e8ec;--soft:#9aa3b2;--line:#2c323c;--work:#6d9cf0;\
--critical:#e79a4f;--taken:#5dbb81;--kept:#a997e0;--failed:#e46a6a}}\
body{margin:2rem auto;max-width:70rem;padding:0 1rem;background:var(--ground);color:var(--text);\
font:15px/1.45 system-ui,sans-serif}\
h1{font-size:1.4rem;margin:0 0 .3rem}h2{font-size:1.05rem;margin:2rem 0 .6rem}p{color:var(--soft);margin:.2rem 0}\
.figures{display:flex;flex-wrap:wrap;gap:.6rem 2rem;margin:1rem 0}\
.figures span{font-size:1.3rem;font-variant-numeric:tabular-nums}\
.chart{border-top:1px solid var(--line)}\
.row{display:grid;grid-template-columns:25rem 1fr;gap:.8rem;align-items:center;border-bottom:1px solid var(--line)}\
.waited .name{font-weight:600}.name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;padding:.2rem 0}\
.track{position:relative;height:1.1rem}\
.bar{position:absolute;top:.15rem;bottom:.15rem;min-width:2px;border-radius:3px;background:var(--work)}\
.critical{background:var(--critical)}.taken{background:var(--taken)}.kept{background:var(--kept)}\
.failed{background:var(--failed)}\
.key{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;margin:0 .35rem 0 1rem;vertical-align:-1px}\
.key:first-child{margin-left:0}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid var(--line)}\
th{color:var(--soft);font-weight:500}th:first-child,td:first-child{text-align:left;padding-left:0}\
@media(max-width:40rem){.row{grid-template-columns:1fr;gap:0}table{font-size:13px}}";

/// Returns the page.
pub(super) fn html(report: &Report) -> String {
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>kiwi: run times</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\n\
         <h1>Run times</h1>\n<div class=\"figures\">{}</div>\n",
        figures(report)
    );
    page += "<section><h2>Stages over time</h2>\n<p><i class=\"key critical\"></i>on the critical path, like all in bold\
             <i class=\"key bar-key\" style=\"background:var(--work)\"></i>in parallel\
             <i class=\"key taken\"></i>restored from the cache<i class=\"key kept\"></i>saved in the cache</p>\n\
             <div class=\"chart\">\n";
    for (number, row) in report.stages.iter().enumerate() {
        page += &bar(row, report, report.critical_path.contains(&number));
    }
    page += "</div></section>\n<section><h2>Stages in figures</h2>\n<table><tr><th>stage</th><th>begins</th><th>wall s</th>\
             <th>CPU s</th><th>read MB</th><th>written MB</th><th>cache</th></tr>\n";
    for row in &report.stages {
        page += &line(row);
    }
    page += "</table>\n<p>CPU and bytes include the programs that kiwi ran. A star marks stages that ran in parallel with \
             another one: the costs of both are in the figures of each. Bytes are those of disks; reads from the page cache \
             and data that stays in memory are not counted.</p></section>\n</body></html>\n";
    page
}

fn figures(report: &Report) -> String {
    let busy = if report.wall > 0.0 { report.cpu / report.wall } else { 0.0 };
    let figures = [
        (format!("{:.1} s", report.wall), "wall"),
        (format!("{:.1} s", report.cpu), "CPU"),
        (format!("{busy:.1}"), "processors busy"),
        (format!("{} MB", megabytes(report.read)), "read"),
        (format!("{} MB", megabytes(report.written)), "written"),
        (format!("{} MB", megabytes(report.peak_memory)), "peak memory of kiwi itself"),
    ];
    figures
        .iter()
        .fold(String::new(), |text, (value, what)| text + &format!("<p><span>{value}</span> {what}</p>"))
}

fn bar(row: &Row, report: &Report, critical: bool) -> String {
    let percent = |seconds: f64| if report.wall > 0.0 { seconds / report.wall * 100.0 } else { 0.0 };
    let class = match (row.succeeded, row.cache, critical) {
        (false, ..) => " failed",
        (true, Some(FromCache::Taken), _) => " taken",
        (true, Some(FromCache::Kept), _) => " kept",
        (true, None, true) => " critical",
        (true, None, false) => "",
    };
    let waited = if critical { " waited" } else { "" };
    let name = quoted(&row.name);
    format!(
        "<div class=\"row{waited}\"><div class=\"name\" title=\"{name}\">{name}</div><div class=\"track\"><div class=\"bar{class}\" \
         style=\"left:{:.2}%;width:{:.2}%\" title=\"{name}: {:.2} s, {:.2} s CPU\"></div></div></div>\n",
        percent(row.start),
        percent(row.wall),
        row.wall,
        row.cpu
    )
}

fn line(row: &Row) -> String {
    let cache = match row.cache {
        Some(FromCache::Taken) => "taken",
        Some(FromCache::Kept) => "kept",
        None => "",
    };
    let star = if row.shared { "*" } else { "" };
    let mut text =
        format!("<tr><td>{}{}</td>", quoted(&row.name), if row.succeeded { "" } else { " (failed)" });
    let _ = writeln!(
        text,
        "<td>{:.2}</td><td>{:.2}</td><td>{:.2}{star}</td><td>{}{star}</td><td>{}{star}</td><td>{cache}</td></tr>",
        row.start,
        row.wall,
        row.cpu,
        megabytes(row.read),
        megabytes(row.written)
    );
    text
}

fn megabytes(bytes: u64) -> u64 {
    (bytes + (1 << 19)) >> 20
}

fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
