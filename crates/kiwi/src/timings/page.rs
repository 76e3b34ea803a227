//! The report as one HTML page: bars over time and a table, readable on light and dark screens, without external files.

use std::ffi::OsStr;
use std::fmt::Write;

use super::{Report, Row};
use crate::host::printable::size;
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
.chart{margin-top:.8rem;border-bottom:1px solid var(--line)}\
.row{display:grid;grid-template-columns:25rem 1fr;gap:.8rem;align-items:center;border-top:1px solid var(--line)}\
.waited .name{font-weight:600}.name{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;padding:.2rem 0}\
.track{position:relative;align-self:stretch;min-height:1.1rem;\
background:linear-gradient(to right,var(--line) 1px,transparent 1px) 0 0/var(--step) 100%}\
.axis{color:var(--soft);font-size:.8rem;border-top:0}.axis .track{background:none}\
.tick{position:absolute;bottom:0;white-space:nowrap;transform:translateX(-50%)}.tick:first-child{transform:none}\
.bar{position:absolute;top:.3rem;bottom:.3rem;min-width:2px;border-radius:3px;background:var(--work)}\
.critical{background:var(--critical)}.taken{background:var(--taken)}.kept{background:var(--kept)}\
.failed{background:var(--failed)}.parallel{background:var(--work)}\
.key{display:inline-block;width:.8rem;height:.8rem;border-radius:3px;margin:0 .35rem 0 1rem;vertical-align:-1px}\
.key:first-child{margin-left:0}\
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}\
th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid var(--line)}\
th{color:var(--soft);font-weight:500}th:first-child,td:first-child{text-align:left;padding-left:0}\
.shared::after{content:\"*\";margin-right:-1ch;display:inline-block;width:1ch;text-align:left}\
@media(max-width:40rem){.row{grid-template-columns:1fr;gap:0}table{font-size:13px}}";

/// Returns the page.
pub(super) fn html(report: &Report) -> String {
    let title = quoted(&title(report));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}: run times</title>\n\
         <meta name=\"viewport\" content=\"width=device-width\"><style>{STYLE}</style></head><body>\n\
         <h1>{title}</h1>\n<p>kiwi {}, {}, kiwi {}</p>\n<div class=\"figures\">{}</div>\n",
        report.run.verb,
        report.run.began.replace('T', " ").replace('Z', " UTC"),
        env!("CARGO_PKG_VERSION"),
        figures(report)
    );
    let step = step(report.wall);
    page += &format!(
        "<section><h2>Stages over time</h2>\n<p><i class=\"key critical\"></i>on the critical path, like all in bold\
         <i class=\"key parallel\"></i>in parallel<i class=\"key taken\"></i>restored from the cache\
         <i class=\"key kept\"></i>saved in the cache<i class=\"key failed\"></i>failed</p>\n\
         <div class=\"chart\" style=\"--step:{:.2}%\">\n{}",
        percent(step, report),
        axis(step, report)
    );
    for (number, row) in report.stages.iter().enumerate() {
        page += &bar(row, report, report.critical_path.contains(&number));
    }
    page += "</div></section>\n<section><h2>Stages in figures</h2>\n<table><tr><th>stage</th><th>begins s</th><th>wall s</th>\
             <th>CPU s</th><th>read MiB</th><th>written MiB</th><th>cache</th></tr>\n";
    for row in &report.stages {
        page += &line(row);
    }
    page += "</table>\n<p>CPU and bytes include the programs that kiwi ran. A star marks the costs of stages that ran in parallel with \
             another one: each figure contains those of both. Bytes are those of disks; reads from the page cache \
             and data that stays in memory are not counted.</p></section>\n";
    page + &files(report) + "</body></html>\n"
}

/// Returns the names of the images, or of the command for a run without an image.
fn title(report: &Report) -> String {
    let images = report.files.iter().filter(|file| file.role == "image");
    let names: Vec<_> =
        images.filter_map(|image| image.path.file_name()).map(OsStr::to_string_lossy).collect();
    if names.is_empty() { format!("kiwi {}", report.run.verb) } else { names.join(", ") }
}

/// Returns a part of the run as a share of its whole time.
fn percent(seconds: f64, report: &Report) -> f64 {
    if report.wall > 0.0 { seconds / report.wall * 100.0 } else { 0.0 }
}

/// Returns the seconds between two marks of the axis: at most ten marks, of a round number.
fn step(wall: f64) -> f64 {
    let round = |exponent: i32| [1.0, 2.0, 5.0].map(|digit| digit * 10_f64.powi(exponent));
    (-3..9).flat_map(round).find(|step| wall / step <= 10.0).unwrap_or(wall)
}

/// Returns the row with the seconds.
fn axis(step: f64, report: &Report) -> String {
    let mut text =
        "<div class=\"row axis\"><div class=\"name\">seconds since the beginning</div><div class=\"track\">"
            .to_owned();
    let mut marks = 0_u32;
    while f64::from(marks) * step <= report.wall {
        let second = f64::from(marks) * step;
        let digits = (-step.log10().floor()).max(0.0) as usize;
        text += &format!(
            "<span class=\"tick\" style=\"left:{:.2}%\">{second:.digits$} s</span>",
            percent(second, report)
        );
        marks += 1;
    }
    text + "</div></div>\n"
}

/// Returns the table of the finished files; nothing for a run without one.
fn files(report: &Report) -> String {
    if report.files.is_empty() {
        return String::new();
    }
    let mut text =
        "<section><h2>Files</h2>\n<table><tr><th>file</th><th>role</th><th>size</th></tr>\n".to_owned();
    for file in &report.files {
        let name = file.path.file_name().unwrap_or(file.path.as_os_str()).to_string_lossy();
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td>{}</td><td>{}</td></tr>",
            quoted(&name),
            quoted(&file.role),
            size(file.size)
        );
    }
    text + "</table></section>\n"
}

fn figures(report: &Report) -> String {
    let busy = if report.wall > 0.0 { report.cpu / report.wall } else { 0.0 };
    let figures = [
        (format!("{:.1} s", report.wall), "wall"),
        (format!("{:.1} s", report.cpu), "CPU"),
        (format!("{busy:.1}"), "processors busy"),
        (size(report.read), "read"),
        (size(report.written), "written"),
        (size(report.peak_memory), "peak memory of kiwi itself"),
    ];
    figures
        .iter()
        .fold(String::new(), |text, (value, what)| text + &format!("<p><span>{value}</span> {what}</p>"))
}

fn bar(row: &Row, report: &Report, critical: bool) -> String {
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
        percent(row.start, report),
        percent(row.wall, report),
        row.wall,
        row.cpu
    )
}

fn line(row: &Row) -> String {
    let cache = match row.cache {
        Some(FromCache::Taken) => "restored",
        Some(FromCache::Kept) => "saved",
        None => "",
    };
    // The star is outside of the column, so that digits are below digits.
    let cell = if row.shared { "<td class=\"shared\">" } else { "<td>" };
    let mut text =
        format!("<tr><td>{}{}</td>", quoted(&row.name), if row.succeeded { "" } else { " (failed)" });
    let _ = writeln!(
        text,
        "<td>{:.2}</td><td>{:.2}</td>{cell}{:.2}</td>{cell}{}</td>{cell}{}</td><td>{cache}</td></tr>",
        row.start,
        row.wall,
        row.cpu,
        mebibytes(row.read),
        mebibytes(row.written)
    );
    text
}

fn mebibytes(bytes: u64) -> u64 {
    (bytes + (1 << 19)) >> 20
}

fn quoted(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
