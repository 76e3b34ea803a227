//! Keeping the store small: finished stages go, the least recently used first, until the rest fits.

use anyhow::{Context, Result, bail};

use super::{Contents, Store};
use crate::host::Host;
use crate::stage::{Key, Stage};

/// Bytes that finished stages may take when nobody says otherwise.
const LIMIT: u64 = 20 << 30;

/// A finished stage in the store.
#[derive(Debug, Clone)]
pub struct Kept {
    /// What it is found under.
    pub key: Key,
    /// What it says of itself.
    pub contents: Contents,
    /// When it was used last, in seconds since 1970.
    pub used: u64,
}

/// What may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all stages together.
    pub size: Option<u64>,
    /// Seconds since a stage was used.
    pub age: Option<u64>,
}

impl Limits {
    /// `KIWI_CACHE_SIZE`, else what is `configured`, else 20 GiB.
    pub fn of_host(configured: Option<u64>, host: &Host) -> Result<Self> {
        let size = match host.variable("KIWI_CACHE_SIZE") {
            Some(text) => parse_size(&text).with_context(|| format!("reading KIWI_CACHE_SIZE=\"{text}\""))?,
            None => configured.unwrap_or(LIMIT),
        };
        Ok(Self { size: Some(size), age: None })
    }
}

/// Bytes of a text such as `500M` or `20G`; `0` is allowed, a unit may be left out for bytes.
pub fn parse_size(text: &str) -> Result<u64> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let shift = match unit.trim().trim_end_matches("iB").trim_end_matches('B') {
        "" => 0,
        "K" | "k" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        _ => bail!("expected a size such as 500M or 20G"),
    };
    let number: u64 = digits.parse().ok().context("expected a size such as 500M or 20G")?;
    number.checked_mul(1 << shift).context("that is too large")
}

impl Store {
    /// Every finished stage, the most recently used first.
    pub fn kept(&self) -> Vec<Kept> {
        let mut all: Vec<Kept> = Stage::ALL
            .iter()
            .flat_map(|stage| self.stages().list(*stage))
            .map(|(key, contents, used)| Kept { key, contents, used })
            .collect();
        all.sort_by(|one, other| other.used.cmp(&one.used).then_with(|| one.key.cmp(&other.key)));
        all
    }

    /// Takes away what is beyond the limits and in nobody's use; what was taken away.
    pub fn prune(&self, limits: Limits, host: &Host) -> Result<Vec<Kept>> {
        let mut removed = Vec::new();
        for kept in beyond(self.kept(), limits, host.now()) {
            host.check_interrupt()?;
            if self.stages().remove(&kept.key, host)? {
                removed.push(kept);
            }
        }
        Ok(removed)
    }
}

/// Those of `all`, which are sorted by use, that do not fit.
fn beyond(all: Vec<Kept>, limits: Limits, now: u64) -> Vec<Kept> {
    let mut total = 0;
    all.into_iter()
        .filter(|kept| {
            let old = limits.age.is_some_and(|age| now.saturating_sub(kept.used) > age);
            if !old {
                total += kept.contents.size();
            }
            old || limits.size.is_some_and(|size| total > size)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_unit() {
        for (text, size) in [("0", 0), ("17", 17), ("500M", 500 << 20), ("20G", 20 << 30), ("1 GiB", 1 << 30)]
        {
            assert_eq!(parse_size(text).unwrap(), size, "{text}");
        }
        for text in ["", "G", "5X", "99999999999T"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
