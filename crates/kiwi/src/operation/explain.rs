//! `kiwi build --explain`: which stages would run, which would come from the cache, and why.

use anyhow::Result;

use super::image_build::ImageBuild;
use super::outcome::{Explained, Fate};
use crate::cache::Cache;
use crate::context::Context;
use crate::host::Host;
use crate::prepare::{Decided, NextLayer, PreparePlan, Reuse};
use crate::stage::{Change, Inputs, Stage};

/// Maximum number of changes in one line.
const NAMED: usize = 3;

/// Returns every stage of one tree; `next` is the plan of the layer above the bootstrap packages.
pub(super) fn stages(
    plan: &PreparePlan,
    decided: &Decided,
    next: impl FnOnce() -> Result<NextLayer<Inputs>>,
    images: &[ImageBuild<'_>],
    reuse: Reuse,
    context: &Context,
) -> Result<Vec<Explained>> {
    let (cache, host) = (context.cache()?, &context.host);
    let mut stages = Vec::new();
    let network = plan.uses_network() && !reuse.network;
    let fate = |inputs: &Inputs, of_scripts: bool| {
        if reuse.off {
            return Fate::Runs { why: "--no-cache".to_owned() };
        }
        if of_scripts && network {
            return Fate::Runs { why: "scripts use the network".to_owned() };
        }
        fate(inputs, cache, host)
    };
    let runs = |fate: &Fate| matches!(fate, Fate::Runs { .. });
    let of_images: Vec<Fate> = images.iter().map(|image| fate(&image.inputs, true)).collect();
    let any = of_images.iter().any(runs);
    let of_tree = if any { fate(&decided.tree, true) } else { Fate::Spared };
    // A customised tree is saved as the difference from its packages, so both are needed.
    let of_packages = if any { fate(&decided.packages, false) } else { Fate::Spared };
    if let Some(inputs) = &decided.bootstrap {
        let of_bootstrap = if any { fate(inputs, false) } else { Fate::Spared };
        stages.push(Explained::new(Stage::Bootstrap, of_bootstrap));
    }
    if runs(&of_packages) {
        match next()? {
            NextLayer::Known(inputs) => stages.push(Explained::new(Stage::Scripts, fate(&inputs, false))),
            NextLayer::None => {}
            NextLayer::Unread(missing) => {
                stages.push(Explained::new(Stage::Scripts, Fate::Unread { missing }));
            }
        }
    }
    stages.push(Explained::new(Stage::Packages, of_packages));
    stages.push(Explained::new(Stage::Tree, of_tree));
    for (image, of_image) in images.iter().zip(of_images) {
        if let Some(inputs) = image.boot_inputs() {
            let of_boot = if runs(&of_image) { fate(inputs, false) } else { Fate::Spared };
            stages.push(Explained::new(Stage::BootImage, of_boot));
        }
        let image_type = Some(image.keyword());
        stages.push(Explained { image_type, ..Explained::new(Stage::Image, of_image) });
    }
    Ok(stages)
}

fn fate(inputs: &Inputs, cache: &Cache, host: &Host) -> Fate {
    let key = inputs.key();
    let known = cache.stages().list(key.stage);
    if let Some((_, contents)) = known.iter().find(|(other, ..)| *other == key) {
        return match cache.stages().find_whole(&key, host) {
            Some(_) => Fate::Reused { age: host.now().saturating_sub(contents.made) },
            None => Fate::Runs {
                why: "the stage that it is a difference from is no longer in the cache".to_owned(),
            },
        };
    }
    // The most similar earlier build shows what is different now.
    let nearest =
        known.iter().map(|(_, contents)| inputs.changes_since(&contents.inputs)).min_by_key(Vec::len);
    Fate::Runs {
        why: nearest.map_or_else(|| "the cache has no similar build".to_owned(), |list| reason(&list)),
    }
}

fn reason(changes: &[Change]) -> String {
    // An earlier stage has its own line; other changes come first.
    let stages: Vec<String> = Stage::ALL.iter().map(|stage| stage.keyword().to_owned()).collect();
    let (before, own): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| stages.iter().any(|stage| Some(stage.as_str()) == change.name()));
    let mut parts: Vec<String> = own.iter().take(NAMED).map(ToString::to_string).collect();
    if own.len() > NAMED {
        parts.push(format!("{} more", own.len() - NAMED));
    }
    if parts.is_empty() {
        let names = before.iter().filter_map(|change| change.name());
        parts.extend(names.map(|stage| format!("the stage '{stage}' changed")));
    }
    parts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_names_files_before_stages_and_is_limited() {
        let changed = |name: &str| Change::Changed(name.to_owned());
        assert_eq!(reason(&[changed("config.sh"), changed("packages")]), "config.sh changed");
        assert_eq!(reason(&[changed("tree")]), "the stage 'tree' changed");
        let many: Vec<Change> = ["a", "b", "c", "d", "e"].map(changed).to_vec();
        assert_eq!(reason(&many), "a changed, b changed, c changed, 2 more");
    }
}
