//! What goes into a stage, by name and digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Debug};
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::Stage;

/// A SHA-256 in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest(String);

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self::finished(sha2::Digest::chain_update(<Sha256 as sha2::Digest>::new(), bytes))
    }

    /// The digest of everything that `input` gives, which goes to `output` on the way.
    pub fn of_stream(mut input: impl Read, mut output: impl Write) -> io::Result<Self> {
        let mut digest = <Sha256 as sha2::Digest>::new();
        let mut chunk = vec![0; 64 << 10];
        loop {
            let count = match input.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count?,
            };
            if count == 0 {
                return Ok(Self::finished(digest));
            }
            sha2::Digest::update(&mut digest, &chunk[..count]);
            output.write_all(&chunk[..count])?;
        }
    }

    /// What a digest that was fed piece by piece gives.
    pub fn finished(digest: Sha256) -> Self {
        Self(sha2::Digest::finalize(digest).iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Its 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a stage of these inputs is found under.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Of which stage.
    pub stage: Stage,
    /// Of everything that goes into it.
    pub digest: Digest,
}

/// Everything that goes into one stage of one build. The names are for people (`config.sh`, `root/etc/motd`), only
/// digests are kept of the values: secrets of a description do not get into the cache this way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    stage: Stage,
    /// Which kiwi: the digest of its sources.
    kiwi: String,
    items: BTreeMap<String, Digest>,
}

/// A difference between two builds of one stage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Something of this name is new.
    Added(String),
    /// It is another one.
    Changed(String),
    /// It is gone.
    Removed(String),
}

impl Change {
    /// Of what.
    pub fn name(&self) -> &str {
        match self {
            Self::Added(name) | Self::Changed(name) | Self::Removed(name) => name,
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(name) => write!(f, "{name} is new"),
            Self::Changed(name) => write!(f, "{name} changed"),
            Self::Removed(name) => write!(f, "{name} is gone"),
        }
    }
}

impl Inputs {
    /// Nothing but the stage itself, as this kiwi does it.
    pub fn new(stage: Stage) -> Self {
        Self { stage, kiwi: env!("KIWI_SOURCES").to_owned(), items: BTreeMap::new() }
    }

    /// Which stage they are of.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Something whose digest is known.
    pub fn digest(&mut self, name: impl Into<String>, digest: Digest) {
        self.items.insert(name.into(), digest);
    }

    /// Bytes.
    pub fn bytes(&mut self, name: impl Into<String>, bytes: impl AsRef<[u8]>) {
        self.digest(name, Digest::of(bytes));
    }

    /// A value of a plan, by what its `Debug` shows: all of it, for every type but `Password`.
    pub fn value(&mut self, name: impl Into<String>, value: &impl Debug) {
        self.bytes(name, format!("{value:?}"));
    }

    /// The stage before it.
    pub fn after(&mut self, before: &Self) {
        self.digest(before.stage.keyword(), before.key().digest);
    }

    /// What the stage is found under.
    pub fn key(&self) -> Key {
        let mut text = format!("{} {}\n", self.stage.keyword(), self.kiwi);
        for (name, digest) in &self.items {
            // The length keeps a name with a line break from looking like two inputs.
            text += &format!("{} {name} {digest}\n", name.len());
        }
        Key { stage: self.stage, digest: Digest::of(text) }
    }

    /// Whether the same kiwi works on both.
    pub fn are_of_the_same_kiwi(&self, other: &Self) -> bool {
        self.kiwi == other.kiwi
    }

    /// What is different from an earlier build.
    pub fn changes_since(&self, earlier: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.kiwi != earlier.kiwi {
            changes.push(Change::Changed("kiwi itself".to_owned()));
        }
        let names: BTreeSet<&String> = self.items.keys().chain(earlier.items.keys()).collect();
        for name in names {
            match (self.items.get(name), earlier.items.get(name)) {
                (Some(now), Some(then)) if now == then => {}
                (Some(_), Some(_)) => changes.push(Change::Changed(name.clone())),
                (Some(_), None) => changes.push(Change::Added(name.clone())),
                (None, _) => changes.push(Change::Removed(name.clone())),
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inputs(items: &[(&str, &str)]) -> Inputs {
        let mut inputs = Inputs::new(Stage::Tree);
        for (name, value) in items {
            inputs.bytes(*name, value);
        }
        inputs
    }

    #[test]
    fn every_input_and_its_name_change_the_key() {
        let one = inputs(&[("a", "1"), ("b", "2")]);
        assert_eq!(one.key(), inputs(&[("b", "2"), ("a", "1")]).key());
        for other in
            [inputs(&[("a", "1"), ("b", "3")]), inputs(&[("a", "1"), ("c", "2")]), inputs(&[("a", "1")])]
        {
            assert_ne!(one.key(), other.key());
        }
    }

    #[test]
    fn another_kiwi_takes_nothing_of_an_earlier_one() {
        let now = inputs(&[("a", "1")]);
        let then = Inputs { kiwi: "earlier".to_owned(), ..now.clone() };
        assert_ne!(now.key(), then.key());
        assert_eq!(now.changes_since(&then), [Change::Changed("kiwi itself".to_owned())]);
    }

    #[test]
    fn changes_are_named() {
        let (then, now) = (inputs(&[("a", "1"), ("b", "2")]), inputs(&[("a", "3"), ("c", "4")]));
        let text: Vec<String> = now.changes_since(&then).iter().map(ToString::to_string).collect();
        assert_eq!(text, ["a changed", "b is gone", "c is new"]);
    }
}
