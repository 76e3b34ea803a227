//! How far a stage is, in words.

use std::time::Instant;

use crate::host::{Unit, printable};

/// The progress of one stage.
#[derive(Debug)]
pub(super) struct Advance {
    started: Instant,
    done: u64,
    total: u64,
    unit: Unit,
    bytes: Option<u64>,
    bytes_total: Option<u64>,
    detail: Option<String>,
}

impl Default for Advance {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            done: 0,
            total: 0,
            unit: Unit::Bytes,
            bytes: None,
            bytes_total: None,
            detail: None,
        }
    }
}

impl Advance {
    pub(super) fn update(
        &mut self,
        done: u64,
        total: u64,
        unit: Unit,
        (bytes, bytes_total): (Option<u64>, Option<u64>),
        detail: Option<&str>,
    ) {
        (self.done, self.total, self.unit) = (done, total, unit);
        (self.bytes, self.bytes_total) = (bytes, bytes_total);
        self.detail = detail.map(|detail| printable::text(detail).replace('\n', " "));
    }

    /// Returns what is known.
    pub(super) fn known(&self) -> String {
        self.parts(self.started.elapsed().as_secs_f64()).join(", ")
    }

    /// Returns what is known, and how long the stage has been running.
    pub(super) fn shown(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut parts = self.parts(seconds);
        parts.push(time(seconds));
        parts.join(", ")
    }

    fn parts(&self, seconds: f64) -> Vec<String> {
        let Self { done, total, unit, bytes, bytes_total, detail, .. } = self;
        let mut parts = Vec::new();
        let rate = |bytes: u64| {
            let rate = bytes as f64 / seconds.max(0.001);
            let of = bytes_total.map_or(String::new(), |total| format!(" of {}", printable::size(total)));
            format!("{}{of} at {}/s", printable::size(bytes), printable::size(rate as u64))
        };
        match unit {
            Unit::Bytes if *total > 0 => {
                parts.push(format!("{} %", percent(*done, *total)));
                parts.push(format!("{} of {}", printable::size(*done), printable::size(*total)));
                parts.extend(remaining(*done, *total, seconds));
            }
            Unit::Bytes if *done > 0 => parts.push(rate(*done)),
            Unit::Bytes => {}
            Unit::Packages => {
                parts.push(format!("{done} of {total}"));
                match bytes {
                    Some(0) => {}
                    Some(bytes) => {
                        parts.push(rate(*bytes));
                        parts.extend(match bytes_total {
                            Some(total) => remaining(*bytes, *total, seconds),
                            None => remaining(*done, *total, seconds),
                        });
                    }
                    None => parts.extend(detail.clone()),
                }
            }
        }
        parts
    }
}

fn percent(done: u64, total: u64) -> u128 {
    (u128::from(done) * 100 / u128::from(total.max(1))).min(100)
}

/// Returns how long the rest takes at the same rate, once enough is done to tell.
fn remaining(done: u64, total: u64, seconds: f64) -> Option<String> {
    if seconds < 3.0 || percent(done, total) < 5 || done >= total {
        return None;
    }
    Some(format!("{} left", time(seconds / done as f64 * (total - done) as f64)))
}

/// Returns a number of seconds in the units that suit it.
pub(super) fn time(seconds: f64) -> String {
    match seconds as u64 {
        0..60 => format!("{seconds:.1} s"),
        whole @ 60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        whole => format!("{} h {} min", whole / 3600, whole / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(done: u64, total: u64, unit: Unit, bytes: Option<u64>, detail: Option<&str>) -> String {
        let mut advance = Advance::default();
        advance.update(done, total, unit, (bytes, None), detail);
        advance.parts(10.0).join(", ")
    }

    #[test]
    fn a_transfer_with_known_bytes_tells_what_remains_of_them() {
        let mib = 1 << 20;
        let mut advance = Advance::default();
        // The large packages come last.
        advance.update(80, 90, Unit::Packages, (Some(20 * mib), Some(100 * mib)), None);
        assert_eq!(
            advance.parts(10.0).join(", "),
            "80 of 90, 20.0 MiB of 100.0 MiB at 2.0 MiB/s, 40.0 s left"
        );
    }

    #[test]
    fn shows_what_is_known() {
        let mib = 1 << 20;
        assert_eq!(
            parts(50 * mib, 100 * mib, Unit::Bytes, None, None),
            "50 %, 50.0 MiB of 100.0 MiB, 10.0 s left"
        );
        assert_eq!(parts(50 * mib, 0, Unit::Bytes, None, None), "50.0 MiB at 5.0 MiB/s");
        assert_eq!(parts(0, 0, Unit::Bytes, None, None), "");
        assert_eq!(parts(3, 90, Unit::Packages, None, Some("libc6")), "3 of 90, libc6");
        assert_eq!(
            parts(45, 90, Unit::Packages, Some(20 * mib), None),
            "45 of 90, 20.0 MiB at 2.0 MiB/s, 10.0 s left"
        );
        assert_eq!(parts(2 * mib, mib, Unit::Bytes, None, None), "100 %, 2.0 MiB of 1.0 MiB");
    }

    #[test]
    fn times_have_two_units_at_most() {
        assert_eq!(
            [time(0.04), time(59.9), time(61.0), time(7260.0)],
            ["0.0 s", "59.9 s", "1 min 1 s", "2 h 1 min"]
        );
    }
}
