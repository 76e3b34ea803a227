//! The schemas that have a keyword.

use crate::SchemaVersion;

/// The range of schemas that have a keyword, both ends included.
///
/// The first schema is only recorded if the keyword replaced another one; all others count from the beginning of their
/// vocabulary, so that no old description is refused for a keyword that its version of KIWI supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Life {
    since: SchemaVersion,
    until: SchemaVersion,
}

impl Life {
    /// All schemas, of KIWI or as our extension.
    pub(super) const ALL: Self = Self { since: SchemaVersion::OLDEST, until: SchemaVersion::NEWEST };

    pub(super) const fn since(self, since: SchemaVersion) -> Self {
        Self { since, ..self }
    }

    pub(super) const fn until(self, until: SchemaVersion) -> Self {
        Self { until, ..self }
    }

    /// The schemas of both.
    #[cfg(test)]
    pub(super) fn within(self, other: Self) -> Self {
        Self { since: self.since.max(other.since), until: self.until.min(other.until) }
    }

    /// Returns the first schema.
    pub(crate) fn first(self) -> SchemaVersion {
        self.since
    }

    /// Returns whether a description of that schema may use the keyword.
    pub(crate) fn covers(self, schema: SchemaVersion) -> bool {
        (self.since..=self.until).contains(&schema)
    }

    /// Returns whether the keyword is older than that schema, for a keyword that the schema does not have.
    pub(crate) fn is_over(self, schema: SchemaVersion) -> bool {
        self.until < schema
    }

    /// Returns a text about the schemas of a keyword, for one that the current schema does not have.
    pub(crate) fn of_other_schemas(self, schema: SchemaVersion) -> String {
        if self.is_over(schema) {
            format!("a keyword of the schemas up to {}", self.until)
        } else if self.since == SchemaVersion::V2_0 {
            "a keyword of later schemas".to_owned()
        } else {
            format!("a keyword of the schemas since {}", self.since)
        }
    }
}
