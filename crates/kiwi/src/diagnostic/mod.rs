//! Shows what is wrong with a description: to a person the place, the line, a caret and what was expected; to programs
//! a JSON document or SARIF.

mod report;
mod sarif;

pub use report::json;
pub use sarif::sarif;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use description::{Diagnostic, Diagnostics, Severity};

/// The text of all diagnostics; `color` for a terminal.
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
    let file = &diagnostic.span.file;
    let end = file.text.len();
    let start = diagnostic.span.range.start.min(end);
    let range = start..diagnostic.span.range.end.clamp(start, end);
    let annotation = AnnotationKind::Primary.span(range).label(diagnostic.label.as_str());
    let snippet = Snippet::source(file.text.as_str()).path(file.name.as_str()).annotation(annotation);
    let group = level.primary_title(diagnostic.message.as_str()).element(snippet);
    let help = diagnostic.help.as_deref().map(|text| Level::HELP.message(text));
    let group = match help {
        Some(help) => group.element(help),
        None => group,
    };
    renderer.render(&[group])
}
