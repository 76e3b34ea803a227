//! `images.sh`, the script of a description that changes the tree of one image.

use anyhow::Result;
use description::{Description, SourceFile};

use crate::debugging::{Debugging, Point, Step};
use crate::host::{Host, StageTask};
use crate::origins::{StepKind, StepOrigin};
use crate::prepare::StepRecorder;
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::script::Script;
use crate::stage::Stage;

/// Scripts that see the layer later.
const LATER: [&str; 2] = ["pre_disk_sync.sh", "disk.sh"];

/// Runs the description's `images.sh` and returns what it changed. Its changes stay in the layer; the root tree is not modified.
pub(super) fn run(layered: &RootTree, debugging: &Debugging, host: &Host) -> Result<Vec<StepOrigin>> {
    if LATER.iter().any(|name| Script::of_tree(layered, name).is_some()) {
        hide_passwords(layered)?;
    }
    let mut steps = Vec::new();
    if let Some(images_sh) = Script::of_tree(layered, "images.sh") {
        hide_passwords(layered)?;
        let mut recorder = StepRecorder::new(Stage::Image, layered);
        recorder.begin(StepKind::Script, "images.sh")?;
        debugging.reach(Point::Before(Step::ImagesScript), layered, host)?;
        let stage = host.stage(StageTask::RunScript, "Running images.sh");
        images_sh.run(layered, false, host).map_err(|error| debugging.failed(error, layered, None, host))?;
        stage.finish();
        debugging.reach(Point::After(Step::ImagesScript), layered, host)?;
        steps = recorder.finish()?.steps;
    }
    Ok(steps)
}

/// Replaces the description in the layer, where nothing but the script reads it, if it has passwords of repositories.
fn hide_passwords(layered: &RootTree) -> Result<()> {
    let path = format!("{DESCRIPTION}/config.xml");
    let file = SourceFile { name: path.clone(), text: layered.read_text(&path)? };
    match Description::without_repository_passwords(file) {
        Some(text) => layered.write(&path, text, 0o600),
        None => Ok(()),
    }
}
