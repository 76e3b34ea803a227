//! How far a stage is, in words.

use std::time::Instant;

use crate::host::{Unit, printable};

/// The progress of one stage.
#[derive(Debug)]
pub(super) struct Advance {
    started: Instant,
    /// Seconds from the start to the last progress.
    moved: f64,
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
            moved: 0.0,
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
        if (done, bytes) != (self.done, self.bytes) {
            self.moved = self.started.elapsed().as_secs_f64();
        }
        (self.done, self.total, self.unit) = (done, total, unit);
        (self.bytes, self.bytes_total) = (bytes, bytes_total);
        self.detail = detail.map(|detail| printable::text(detail).replace('\n', " "));
    }

    /// Returns the name of the stage with what is known, or with that part of it for which there is room.
    pub(super) fn named(&self, name: &str, room: usize) -> String {
        fitted(name, &self.parts(self.started.elapsed().as_secs_f64()), room)
    }

    /// Returns what is known, and how long the stage has been running.
    pub(super) fn shown(&self) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut parts = self.parts(seconds);
        parts.push(format!("running for {}", time(seconds)));
        parts.join(", ")
    }

    fn parts(&self, seconds: f64) -> Vec<String> {
        let Self { started: _, moved, done, total, unit, bytes, bytes_total, detail } = self;
        let remaining = |done, total| remaining(done, total, *moved, seconds);
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
                parts.extend(remaining(*done, *total));
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
                            Some(total) => remaining(*bytes, *total),
                            None => remaining(*done, *total),
                        });
                    }
                    None => parts.extend(detail.clone()),
                }
            }
        }
        parts
    }
}

/// Puts the parts behind the name for which there are `room` columns. The first one is never cut: the name is.
fn fitted(name: &str, parts: &[String], room: usize) -> String {
    let Some((first, others)) = parts.split_first() else { return name.to_owned() };
    let columns = |text: &str| text.chars().count();
    let mut text = format!("{name}: {first}");
    if columns(&text) > room {
        let rest = room.saturating_sub(columns(first) + "..: ".len());
        return format!("{}..: {first}", name.chars().take(rest).collect::<String>());
    }
    for part in others {
        if columns(&text) + columns(part) + ", ".len() <= room {
            text = format!("{text}, {part}");
        }
    }
    text
}

fn percent(done: u64, total: u64) -> u128 {
    (u128::from(done) * 100 / u128::from(total.max(1))).min(100)
}

/// Returns how long the rest takes at the rate of the first `moved` seconds, once enough is done to tell. While a program does
/// not move for some time, that becomes less, and then nothing.
fn remaining(done: u64, total: u64, moved: f64, seconds: f64) -> Option<String> {
    if moved < 3.0 || percent(done, total) < 5 || done >= total {
        return None;
    }
    let left = moved / done as f64 * total as f64 - seconds;
    (left > 0.0).then(|| format!("{} left", time(left)))
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
        advance.moved = 10.0;
        advance.parts(10.0).join(", ")
    }

    #[test]
    fn what_remains_does_not_grow_while_nothing_moves() {
        let mut advance = Advance::default();
        advance.update(20, 80, Unit::Bytes, (None, None), None);
        advance.moved = 10.0;
        assert_eq!(advance.parts(10.0).join(", "), "25 %, 20 B of 80 B, 30.0 s left");
        advance.update(20, 80, Unit::Bytes, (None, None), None);
        assert_eq!(advance.parts(25.0).join(", "), "25 %, 20 B of 80 B, 15.0 s left");
        assert_eq!(advance.parts(41.0).join(", "), "25 %, 20 B of 80 B");
    }

    #[test]
    fn a_transfer_with_known_bytes_tells_what_remains_of_them() {
        let mib = 1 << 20;
        let mut advance = Advance::default();
        // The large packages come last.
        advance.update(80, 90, Unit::Packages, (Some(20 * mib), Some(100 * mib)), None);
        advance.moved = 10.0;
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
    fn a_narrow_terminal_shows_the_most_important_part() {
        let parts = ["20 %", "64.2 MiB of 308.6 MiB", "12.0 s left"].map(str::to_owned);
        let name = "Writing the xfs file system";
        assert_eq!(
            fitted(name, &parts, 80),
            "Writing the xfs file system: 20 %, 64.2 MiB of 308.6 MiB, 12.0 s left"
        );
        assert_eq!(fitted(name, &parts, 57), "Writing the xfs file system: 20 %, 64.2 MiB of 308.6 MiB");
        assert_eq!(fitted(name, &parts, 50), "Writing the xfs file system: 20 %, 12.0 s left");
        assert_eq!(fitted(name, &parts, 20), "Writing the ..: 20 %");
        assert_eq!(fitted(name, &parts, 3), "..: 20 %");
        assert_eq!(fitted(name, &[], 3), name);
    }

    #[test]
    fn times_have_two_units_at_most() {
        assert_eq!(
            [time(0.04), time(59.9), time(61.0), time(7260.0)],
            ["0.0 s", "59.9 s", "1 min 1 s", "2 h 1 min"]
        );
    }
}
