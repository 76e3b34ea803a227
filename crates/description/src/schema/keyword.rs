//! Keywords of enumerations.

use super::{Life, State};
use crate::SchemaVersion;

/// One keyword of an enumeration.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keyword {
    pub(crate) keyword: &'static str,
    pub(crate) life: Life,
    pub(crate) state: State,
    /// The corresponding keyword of other schemas.
    pub(crate) instead: Option<&'static str>,
    /// Whether it is kiwi's own in the newest schema: KIWI NG's schema of that number does not have it.
    pub(crate) own: bool,
}

/// Defines what the tables say of keywords, attributes and elements alike.
macro_rules! marks {
    () => {
        pub(crate) const fn instead(self, instead: &'static str) -> Self {
            Self { instead: Some(instead), ..self }
        }

        pub(crate) const fn unsupported(self) -> Self {
            Self { state: State::Unsupported, ..self }
        }

        pub(crate) const fn not_used(self) -> Self {
            Self { state: State::NotUsed, ..self }
        }

        pub(crate) const fn own(self) -> Self {
            Self { own: true, ..self }
        }
    };
}
pub(super) use marks;

/// Returns a keyword that is supported.
pub(crate) const fn keyword(keyword: &'static str) -> Keyword {
    Keyword { keyword, life: Life::ALL, state: State::Built, instead: None, own: false }
}

impl Keyword {
    pub(crate) const fn since(self, since: SchemaVersion) -> Self {
        Self { life: self.life.since(since), ..self }
    }

    pub(crate) const fn until(self, until: SchemaVersion) -> Self {
        Self { life: self.life.until(until), ..self }
    }

    marks!();
}
