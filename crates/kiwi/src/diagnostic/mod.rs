//! Renders the diagnostics of a description: for a person with position, line, caret and expectation; for programs as a
//! JSON document or SARIF.

mod report;
mod sarif;

pub use report::{CheckedBuild, Verdict, json};
pub use sarif::sarif;

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};
use description::{Diagnostic, Diagnostics, Severity};

/// Returns the text of all diagnostics; `color` for a terminal.
pub fn render(diagnostics: &Diagnostics, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let texts: Vec<String> =
        diagnostics.0.iter().map(|diagnostic| render_one(diagnostic, &renderer)).collect();
    texts.join("\n\n")
}

fn render_one(diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str());
    let file = &diagnostic.span.file;
    let (line, column) = diagnostic.span.line_and_column();
    let group = match Lines::of(diagnostic) {
        Some(lines) => {
            let annotation = AnnotationKind::Primary.span(lines.marked).label(diagnostic.label.as_str());
            let snippet = Snippet::source(lines.text).path(file.name.as_str()).line_start(line);
            title.element(snippet.annotation(annotation))
        }
        None => title.element(Origin::path(file.name.as_str()).line(line).char_column(column)),
    };
    let help = diagnostic.help.as_deref().map(|text| Level::HELP.message(text));
    let group = match help {
        Some(help) => group.element(help),
        None => group,
    };
    renderer.render(&[group])
}

/// Maximum number of bytes of text that are shown for one diagnostic.
const SHOWN: usize = 4_096;

/// Returns the lines of a diagnostic; the renderer's time depends on the size of the text it gets.
struct Lines<'a> {
    text: &'a str,
    marked: Range<usize>,
}

impl<'a> Lines<'a> {
    /// Returns `None` if they are too long.
    fn of(diagnostic: &'a Diagnostic) -> Option<Self> {
        let text = diagnostic.span.file.text.as_str();
        let start = diagnostic.span.range.start.min(text.len());
        let end = diagnostic.span.range.end.clamp(start, text.len());
        let first = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let last = text[end..].find('\n').map_or(text.len(), |at| end + at);
        (last - first <= SHOWN).then(|| Self { text: &text[first..last], marked: start - first..end - first })
    }
}
