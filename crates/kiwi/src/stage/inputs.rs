//! The inputs of a stage, by name and digest.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Read, Write};

use anyhow::{Context, Result};
use ondisk::digest::Sha256;
use serde::{Deserialize, Serialize};

use super::Stage;

/// A SHA-256 in lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Digest(String);

impl Digest {
    /// Returns the digest of some bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self::finished(ondisk::digest::Digest::chain_update(<Sha256 as ondisk::digest::Digest>::new(), bytes))
    }

    /// Returns the digest of everything that `input` reads, and copies it to `output`.
    pub fn of_stream(mut input: impl Read, mut output: impl Write) -> io::Result<Self> {
        let mut digest = <Sha256 as ondisk::digest::Digest>::new();
        let mut chunk = vec![0; 64 << 10];
        loop {
            let count = match input.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count?,
            };
            if count == 0 {
                return Ok(Self::finished(digest));
            }
            ondisk::digest::Digest::update(&mut digest, &chunk[..count]);
            output.write_all(&chunk[..count])?;
        }
    }

    /// Returns the digest of a hash state.
    pub fn finished(digest: Sha256) -> Self {
        Self(ondisk::digest::hex(ondisk::digest::Digest::finalize(digest)))
    }

    /// Returns its 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The key under which a stage is cached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// The stage.
    pub stage: Stage,
    /// The digest of all inputs.
    pub digest: Digest,
}

/// All inputs of one stage of one build. The names are for people (`config.sh`, `root/etc/motd`); of the values, only
/// digests are stored, so that no secret of a description gets into the cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    stage: Stage,
    /// [`Stage::format`] of the kiwi that named the inputs.
    format: u32,
    items: BTreeMap<String, Digest>,
}

/// A difference between two builds of one stage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// The stage works differently: format numbers of this kiwi and of the one that made the entry.
    Format(u32, u32),
    /// An input of this name was added.
    Added(String),
    /// An input of this name has another value.
    Changed(String),
    /// An input of this name was removed.
    Removed(String),
}

impl Change {
    /// Returns the name of the input; `None` if the stage itself changed.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Format(..) => None,
            Self::Added(name) | Self::Changed(name) | Self::Removed(name) => Some(name),
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Format(now, then) => {
                write!(f, "this version of kiwi makes the stage differently (format {now}, cached: {then})")
            }
            Self::Added(name) => write!(f, "{name} was added"),
            Self::Changed(name) => write!(f, "{name} changed"),
            Self::Removed(name) => write!(f, "{name} was removed"),
        }
    }
}

/// Writes a value as canonical JSON: no white space, the members of objects sorted by name.
///
/// Fails on what JSON cannot hold: maps whose keys are not text, and paths that are not UTF-8. Keyed paths are passed
/// as bytes.
pub fn canonical(value: &impl Serialize) -> Result<String> {
    // A `Value` holds its members in a sorted map.
    let value = serde_json::to_value(value).context("serialising the inputs of a stage")?;
    Ok(value.to_string())
}

impl Inputs {
    /// Returns inputs that contain nothing but the stage and its format.
    pub fn new(stage: Stage) -> Self {
        Self { stage, format: stage.format(), items: BTreeMap::new() }
    }

    /// Returns the stage that they belong to.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Adds an input whose digest is known.
    pub fn digest(&mut self, name: impl Into<String>, digest: Digest) {
        self.items.insert(name.into(), digest);
    }

    /// Adds bytes.
    pub fn bytes(&mut self, name: impl Into<String>, bytes: impl AsRef<[u8]>) {
        self.digest(name, Digest::of(bytes));
    }

    /// Adds a value by its [`canonical`] form.
    pub fn value(&mut self, name: impl Into<String>, value: &impl Serialize) -> Result<()> {
        self.bytes(name, canonical(value)?);
        Ok(())
    }

    /// Adds the stage before this one.
    pub fn after(&mut self, before: &Self) {
        self.digest(before.stage.keyword(), before.key().digest);
    }

    /// Returns the key under which the result of the stage is stored.
    pub fn key(&self) -> Key {
        let Self { stage, format, items } = self;
        // A JSON value of text and numbers: its text is canonical, and creating it cannot fail.
        let items: BTreeMap<&str, &str> =
            items.iter().map(|(name, digest)| (name.as_str(), digest.as_str())).collect();
        let whole = serde_json::json!({ "stage": stage.keyword(), "format": format, "items": items });
        Key { stage: *stage, digest: Digest::of(whole.to_string()) }
    }

    /// Returns whether both have the same format of the stage.
    pub fn has_format_of(&self, other: &Self) -> bool {
        self.format == other.format
    }

    /// Returns the differences to an earlier build.
    pub fn changes_since(&self, earlier: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.format != earlier.format {
            changes.push(Change::Format(self.format, earlier.format));
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
    use serde_json::{Value, json};

    use super::*;

    fn inputs(items: &[(&str, &str)]) -> Inputs {
        let mut inputs = Inputs::new(Stage::Tree);
        for (name, value) in items {
            inputs.bytes(*name, value);
        }
        inputs
    }

    /// Returns every value that differs from `value` in one leaf.
    pub(super) fn with_one_leaf_changed(value: &Value) -> Vec<Value> {
        match value {
            Value::Object(members) => members
                .iter()
                .flat_map(|(name, member)| {
                    with_one_leaf_changed(member).into_iter().map(move |changed| {
                        let mut members = members.clone();
                        members.insert(name.clone(), changed);
                        Value::Object(members)
                    })
                })
                .collect(),
            Value::Array(items) => (0..items.len())
                .flat_map(|index| {
                    with_one_leaf_changed(&items[index]).into_iter().map(move |changed| {
                        let mut items = items.clone();
                        items[index] = changed;
                        Value::Array(items)
                    })
                })
                .collect(),
            Value::Null => vec![json!("x")],
            Value::Bool(value) => vec![json!(!value)],
            Value::Number(number) => vec![json!(number.as_u64().unwrap() + 1)],
            Value::String(text) if text == "tree" => vec![json!("image")],
            Value::String(text) => vec![json!(format!("{text}x"))],
        }
    }

    /// Walks over the stored form of the inputs, so that a new field of [`Inputs`] is covered without being listed
    /// here.
    #[test]
    fn every_stored_field_changes_the_key() {
        let one = inputs(&[("a", "1"), ("b", "2")]);
        let changed = with_one_leaf_changed(&serde_json::to_value(&one).unwrap());
        assert_eq!(changed.len(), 4, "stage, format, two items");
        for value in changed {
            let other: Inputs = serde_json::from_value(value).unwrap();
            assert_ne!(one.key(), other.key(), "{other:?}");
        }
    }

    #[test]
    fn names_count_and_their_order_does_not() {
        let one = inputs(&[("a", "1"), ("b", "2")]);
        assert_eq!(one.key(), inputs(&[("b", "2"), ("a", "1")]).key());
        for other in [inputs(&[("a", "1"), ("c", "2")]), inputs(&[("a", "1")])] {
            assert_ne!(one.key(), other.key());
        }
    }

    /// The key depends on the inputs and the format alone: if it depended on the program or its sources, this digest
    /// would change with the next edit.
    #[test]
    fn a_key_does_not_depend_on_the_program() {
        let mut inputs = Inputs { stage: Stage::Tree, format: 1, items: BTreeMap::new() };
        inputs.bytes("config.sh", "true\n");
        assert_eq!(
            inputs.key().digest.as_str(),
            "bbaffc6e7b32dbd542eecb21da34863678e13beb2708d77f25a7b541b95adf90"
        );
        assert!(option_env!("KIWI_SOURCES").is_none(), "the build script digests the sources");
    }

    #[test]
    fn canonical_text_has_sorted_members_and_no_white_space() {
        #[derive(Serialize)]
        struct Unsorted {
            b: Option<bool>,
            a: (u64, &'static str),
        }
        let text = canonical(&Unsorted { b: None, a: (1, "x y") }).unwrap();
        assert_eq!(text, r#"{"a":[1,"x y"],"b":null}"#);
    }

    #[test]
    fn a_changed_format_invalidates_and_is_explained() {
        let now = inputs(&[("a", "1")]);
        let then = Inputs { format: 0, ..now.clone() };
        assert_ne!(now.key(), then.key());
        assert!(!now.has_format_of(&then));
        let text: Vec<String> = now.changes_since(&then).iter().map(ToString::to_string).collect();
        let expected = format!(
            "this version of kiwi makes the stage differently (format {}, cached: 0)",
            Stage::Tree.format()
        );
        assert_eq!(text, [expected]);
    }

    #[test]
    fn lists_changes_by_name() {
        let (then, now) = (inputs(&[("a", "1"), ("b", "2")]), inputs(&[("a", "3"), ("c", "4")]));
        let text: Vec<String> = now.changes_since(&then).iter().map(ToString::to_string).collect();
        assert_eq!(text, ["a changed", "b was removed", "c was added"]);
    }
}
