//! What the menus of `kiwi init` offer.

/// One of the answers to a question, with a keyword for the command line.
pub trait MenuItem: Copy + PartialEq + 'static {
    /// Every answer, in the order of the menu.
    const ALL: &'static [Self];

    /// Returns the keyword.
    fn keyword(self) -> &'static str;

    /// Returns what people know it by.
    fn title(self) -> &'static str;

    /// Parses a keyword.
    ///
    /// # Errors
    ///
    /// The keyword is none of those that the message lists.
    fn parse(keyword: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|item| item.keyword() == keyword);
        found.copied().ok_or_else(|| format!("expected one of {}", Self::keywords()))
    }

    /// Returns all keywords, for messages.
    fn keywords() -> String {
        Self::ALL.iter().map(|item| item.keyword()).collect::<Vec<_>>().join(", ")
    }
}
