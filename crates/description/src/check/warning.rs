//! Warnings about keywords that are valid and unusual; a keyword that occurs many times is reported once.

use super::Check;
use crate::schema::Life;
use crate::{Diagnostic, SchemaVersion, Span};

impl Check<'_> {
    /// Warns about a keyword that is read and ignored.
    pub(super) fn not_used(&mut self, span: Span, what: &str) {
        self.warn_once(
            Diagnostic::warning(span, format!("{what} is not used by this version of kiwi"))
                .rule("keyword-without-effect")
                .label("read, but without effect"),
        );
    }

    /// Warns about a setting whose value, empty or 0, is as if the setting were missing.
    pub(super) fn absent(&mut self, span: Span, what: &str, value: &str) {
        let (value, label) =
            if value.is_empty() { ("empty", "no value") } else { (value, "as if it were missing") };
        self.warn_once(
            Diagnostic::warning(span, format!("{what} is {value} and has no effect"))
                .rule("keyword-without-effect")
                .label(label)
                .help("remove it"),
        );
    }

    fn warn_once(&mut self, warning: Diagnostic) {
        if self.told.insert(warning.message.clone()) {
            self.diagnostics.push(warning);
        }
    }

    /// Warns about a keyword that only later schemas have. It is used, because it can mean nothing else in this one.
    pub(super) fn newer(&mut self, span: Span, what: &str, life: Life) {
        let newest = SchemaVersion::NEWEST;
        self.warn_once(
            Diagnostic::warning(span, format!("schema {} has no {what}", self.schema))
                .rule("keyword-of-a-later-schema")
                .label(format!("{}, and used as there", life.of_other_schemas(self.schema)))
                .help(format!("specify a schema that has it, such as `schemaversion=\"{newest}\"`")),
        );
    }
}
