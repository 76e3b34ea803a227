//! Renders outcomes as text: the answer on standard output, everything else on standard error.

use std::borrow::Cow;
use std::io::{IsTerminal, Write};
use std::time::Duration;

use super::advance;
use super::terminal::{colored_line, line as message};
use crate::host::printable;
use crate::operation::outcome::{
    BuiltFiles, Change, Comparison, Explained, Fate, Listing, Machine, MachineState, OriginAnswer, Outcome,
    PackageChange, PublishedFile, PxeTree,
};

/// Maximum number of differences that are shown; the others are counted.
const SHOWN: usize = 40;

/// Prints an outcome; `quiet` omits everything but the answer.
pub(super) fn show(outcome: &Outcome, quiet: bool) {
    let say = |text: &str| {
        if !quiet {
            message(text);
        }
    };
    match outcome {
        // Each file was reported when it was finished.
        Outcome::Done | Outcome::Artifacts { .. } | Outcome::Shell { .. } => {}
        Outcome::Tree { root, upgraded: false } => {
            say(&format!("The root tree is ready: {}", root.display()));
        }
        Outcome::Tree { root, upgraded: true } => {
            say(&format!("The root tree is up to date: {}", root.display()));
        }
        Outcome::Stick { device } => {
            say(&format!("{device} is ready and was verified; it can be removed"));
        }
        Outcome::BootTest(test) => {
            for check in &test.checks {
                match &check.failure {
                    None => print(&format!("passed: {}", check.name)),
                    Some(failure) => print(&format!("FAILED: {}: {failure}", check.name)),
                }
            }
        }
        Outcome::Entries { entries } => {
            for entry in entries {
                let target = entry.target.as_ref().map(|target| format!(" -> {target}")).unwrap_or_default();
                print(&format!(
                    "{:04o} {:>5} {:>5} {:>11}  {}{target}",
                    entry.mode, entry.user, entry.group, entry.size, entry.name
                ));
            }
        }
        Outcome::Origin(answer) => origin(answer, &say),
        Outcome::FileContent { content } => bytes(content),
        Outcome::Locked { file, packages } => {
            packages.iter().for_each(|package| print(&changed(package)));
            match packages.is_empty() {
                true => say(&format!("{} is up to date", file.display())),
                false => {
                    let changed = printable::count(packages.len(), "package");
                    say(&format!("{changed} changed in {}", file.display()));
                }
            }
        }
        Outcome::Outdated { packages } if packages.is_empty() => say("every package is up to date"),
        Outcome::Outdated { packages } => packages.iter().for_each(|package| print(&changed(package))),
        Outcome::Explanation { stages } => explanation(stages).iter().for_each(|line| print(line)),
        Outcome::Cache(listing) => cache(listing),
        Outcome::Pruned { removed } if removed.is_empty() => print("nothing removed"),
        Outcome::Pruned { removed } => {
            for sum in removed {
                print(&format!("{} removed, {} freed", sum.counted(), megabytes(sum.bytes)));
            }
        }
        Outcome::Verified { whole } => {
            for sum in whole {
                print(&format!("{} are whole, {}", sum.counted(), megabytes(sum.bytes)));
            }
        }
        Outcome::Checked { document: Some(document), .. } => print(document),
        Outcome::Checked { document: None, shown, path, image, .. } => {
            if let Some(shown) = shown.as_ref().filter(|_| !quiet) {
                colored_line(shown);
            }
            say(&format!("{path}: {image}, no errors"));
        }
        Outcome::Info(answer) => print(&answer.text),
        Outcome::Converted { text: Some(text), .. } => print(text),
        Outcome::Converted { text: None, path, schema, format } => {
            let path = path.as_deref().unwrap_or(std::path::Path::new("")).display();
            say(&format!("{path}: schema {schema}, {format}"));
        }
        Outcome::Initialized { directory, title, login, .. } => {
            let shown = directory.display();
            say(&format!(
                "{shown}: {title}\n{login}\nCheck it: kiwi check {shown}\nBuild it: kiwi build {shown} --destdir DIR"
            ));
        }
        Outcome::Comparison(comparison) => compared(comparison),
        Outcome::Reproduction { directory, parts, .. } => {
            for part in parts {
                print(&format!("Comparing {}:", part.what));
                compared(&part.comparison);
            }
            match parts.iter().find(|part| !part.comparison.same) {
                None => print("The two builds are identical"),
                Some(first) => message(&format!(
                    "the builds differ, first in {}; both are in {}",
                    first.what,
                    directory.display()
                )),
            }
        }
        Outcome::Results(answer) => results(answer),
        Outcome::PxeTree(PxeTree { directory, server, transport, files }) => {
            say(&format!(
                "{} serves {server}, systems by {transport}; configure the servers as in:",
                directory.display()
            ));
            for file in files.iter().filter(|file| file.starts_with("server/")) {
                say(&format!("  {}", directory.join(file).display()));
            }
        }
        Outcome::Published(published) => {
            for image in &published.images {
                print(&image.name);
                for PublishedFile { path, change } in &image.files {
                    let change = match change {
                        Change::Created => "new",
                        Change::Replaced => "replaced",
                        Change::Unchanged => "unchanged",
                    };
                    print(&format!("  {path}: {change}"));
                }
            }
        }
        Outcome::Machines(answer) if answer.machines.is_empty() && !answer.shown => {
            say(&format!("{}: no machine is configured, and none waits", answer.directory.display()));
        }
        Outcome::Machines(answer) => {
            for machine in &answer.machines {
                self::machine(machine);
            }
        }
        Outcome::BootImages { descriptions } => {
            for description in descriptions {
                print(&format!("{} -> Version: {}", description.path, description.version));
            }
        }
        Outcome::Profiles { profiles } if profiles.is_empty() => print("No profiles available"),
        Outcome::Profiles { profiles } => {
            for profile in profiles {
                print(&format!("{}\t{}", profile.name, profile.description));
            }
        }
        Outcome::PasswordHash { hash } => print(hash),
    }
}

/// Prints where a path comes from, and what is not known.
fn origin(answer: &OriginAnswer, say: &dyn Fn(&str)) {
    let target = answer.target.as_ref().map(|target| format!(" to {target}")).unwrap_or_default();
    print(&format!("{}: {}{target}", answer.path, answer.file_kind));
    for step in answer.steps.iter().take(SHOWN) {
        print(&format!("  {step}"));
    }
    if let Some(more) = answer.steps.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        print(&format!("  and {more} more; --json lists all"));
    }
    answer.notes.iter().for_each(|note| say(note));
}

/// Prints the last line of a run that built something: how long it took, and the results with their sizes.
pub(super) fn close(outcome: &Outcome, took: Duration) {
    let took = advance::time(took.as_secs_f64());
    match outcome {
        Outcome::Artifacts { artifacts } if !artifacts.is_empty() => {
            let images = artifacts.iter().filter(|artifact| artifact.role == "image");
            let shown: Vec<String> = images
                .map(|image| format!("{} ({})", image.path.display(), printable::size(image.size)))
                .collect();
            let shown = match shown.is_empty() {
                true => format!("{} files", artifacts.len()),
                false => shown.join(", "),
            };
            message(&format!("Done in {took}: {shown}"));
        }
        Outcome::Tree { .. } => message(&format!("Done in {took}")),
        _ => {}
    }
}

/// Prints the configuration of a machine, or one line about it, and its problems.
fn machine(machine: &Machine) {
    match &machine.config {
        Some(config) => print(config),
        None => {
            let facts = [&machine.alias, &machine.address, &machine.architecture, &machine.model];
            let facts: Vec<&str> = facts.into_iter().flatten().map(String::as_str).collect();
            let what = match machine.state {
                MachineState::Waiting => "waits".to_owned(),
                MachineState::Configured => machine.images.join(", "),
            };
            print(format!("{}  {what}  {}", machine.mac, facts.join(", ")).trim_end());
        }
    }
    machine.problems.iter().for_each(|problem| message(&format!("{}: {problem}", machine.mac)));
}

/// Prints the bytes of a file; on a terminal, control characters in them are escaped.
fn bytes(content: &[u8]) {
    if std::io::stdout().is_terminal() {
        print(&String::from_utf8_lossy(content));
    } else {
        drop(std::io::stdout().write_all(content));
    }
}

/// Prints text with exactly one line break at the end; on a terminal, control characters in it are escaped.
pub(super) fn print(text: &str) {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let shown = if std::io::stdout().is_terminal() { printable::text(text) } else { Cow::Borrowed(text) };
    drop(write!(std::io::stdout(), "{shown}{end}"));
}

fn compared(comparison: &Comparison) {
    for difference in comparison.differences.iter().take(SHOWN) {
        print(&difference.to_string());
    }
    let (one, other) = (comparison.one.display(), comparison.other.display());
    match comparison.differences.len() {
        0 => print(&format!("{one} and {other} are identical")),
        1 => message(&format!("1 difference between {one} and {other}")),
        count => message(&format!("{count} differences between {one} and {other}")),
    }
}

fn results(answer: &BuiltFiles) {
    for image in &answer.record.images {
        print(&format!("{} {}, {}, {}", image.name, image.version, image.image_type, image.architecture));
        for file in &image.files {
            let inside = image.path_of(file);
            let path = answer.directory.join(&inside);
            let state = if answer.missing.iter().any(|missing| inside.as_os_str() == missing.as_str()) {
                "  (no longer there)"
            } else {
                ""
            };
            print(&format!("  {:16} {:>12}  {}{state}", file.role.to_string(), file.size, path.display()));
        }
    }
}

fn cache(listing: &Listing) {
    print(&format!("The cache is {}", listing.directory.display()));
    for stage in &listing.stages {
        let name: String = stage.key.chars().take(12).collect();
        print(&format!(
            "{name}  {:10}  {:>9}  used {:>4} h ago  saves {:>5.1} s  {}",
            stage.stage,
            megabytes(stage.bytes),
            listing.now.saturating_sub(stage.used) / 3600,
            stage.saves_milliseconds.unwrap_or(0) as f64 / 1000.0,
            stage.image.as_deref().unwrap_or("damaged"),
        ));
    }
    if listing.stages.is_empty() {
        print(&format!("0 stages, {}", megabytes(0)));
    }
    for sum in &listing.kinds {
        print(&format!("{}, {}", sum.counted(), megabytes(sum.bytes)));
    }
    let limit = listing.limit.map(|limit| format!(" of at most {}", megabytes(limit))).unwrap_or_default();
    print(&format!("together {}{limit}", megabytes(listing.bytes)));
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / f64::from(1 << 20))
}

/// Returns the lines of a plan; those of different profiles are below the names of the profiles.
fn explanation(stages: &[Explained]) -> Vec<String> {
    let same_profiles: Vec<&[Explained]> =
        stages.chunk_by(|one, other| one.profiles == other.profiles).collect();
    let [_, _, ..] = same_profiles.as_slice() else { return stages.iter().map(explained).collect() };
    let mut lines = Vec::new();
    for stages in same_profiles {
        lines.push(match stages.first().map(|stage| stage.profiles.as_slice()) {
            None | Some([]) => "Without a profile:".to_owned(),
            Some([one]) => format!("Profile {one}:"),
            Some(several) => format!("Profiles {}:", several.join(", ")),
        });
        lines.extend(stages.iter().map(|stage| format!("  {}", explained(stage))));
    }
    lines
}

fn explained(stage: &Explained) -> String {
    let title = match stage.image_type {
        Some(image_type) => format!("{} {image_type}", stage.title),
        None => stage.title.to_owned(),
    };
    match &stage.fate {
        Fate::Reused { age } => format!("{title}: from the cache, made {}", ago(*age)),
        Fate::Spared => format!("{title}: not needed"),
        Fate::Runs { why } => format!("{title}: runs: {why}"),
        Fate::Unread { missing } => {
            format!("{title}: unknown until packages that are not in the cache are read: {missing}")
        }
    }
}

/// Formats a time span in the largest unit that fits.
fn ago(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

/// Returns the line of a package with another version.
fn changed(change: &PackageChange) -> String {
    let PackageChange { image, name, architecture, from, to, security } = change;
    let versions = match (from, to) {
        (Some(from), Some(to)) => format!("{from} -> {to}"),
        (None, Some(to)) => format!("new, {to}"),
        (Some(from), None) => format!("no longer needed, {from}"),
        (None, None) => String::new(),
    };
    let of_image = if image == "system" { String::new() } else { format!(" ({image})") };
    let security = if *security { ", security update" } else { "" };
    format!("{name} {architecture}: {versions}{security}{of_image}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_of_different_profiles_are_below_their_names() {
        let stage = |profiles: &[&str], title| Explained {
            stage: "packages",
            profiles: profiles.iter().map(ToString::to_string).collect(),
            image_type: None,
            title,
            fate: Fate::Spared,
        };
        let one = [stage(&["a"], "Packages"), stage(&["a"], "Tree")];
        assert_eq!(explanation(&one), ["Packages: not needed", "Tree: not needed"]);
        let others = [stage(&["a", "b"], "Tree"), stage(&[], "Tree")];
        let several: Vec<_> = one.into_iter().chain(others).collect();
        let expected = [
            "Profile a:",
            "  Packages: not needed",
            "  Tree: not needed",
            "Profiles a, b:",
            "  Tree: not needed",
            "Without a profile:",
            "  Tree: not needed",
        ];
        assert_eq!(explanation(&several), expected);
    }

    #[test]
    fn shows_ages_in_one_unit() {
        assert_eq!(
            [ago(1), ago(300), ago(7200), ago(200_000)],
            ["1 second ago", "5 minutes ago", "2 hours ago", "2 days ago"]
        );
    }
}
