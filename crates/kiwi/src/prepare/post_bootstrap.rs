//! `post_bootstrap.sh`: runs when the bootstrap packages are installed, before all others.

use anyhow::Result;

use super::profile_file;
use super::scripts::{self, Planned};
use crate::host::{Host, StageTask};
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::source::Source;
use crate::stage::Inputs;

const NAME: &str = "post_bootstrap.sh";

/// The script, with what it sees of the description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    script: Planned,
    profile_file: String,
    network: bool,
}

pub(super) fn plan(source: &Source, profile_file: String, network: bool) -> Result<Option<Plan>> {
    let script = scripts::planned(source, NAME)?;
    Ok(script.map(|script| Plan { script, profile_file, network }))
}

impl Plan {
    /// Returns whether the script can use the network.
    pub(super) fn uses_network(&self) -> bool {
        self.network
    }

    /// Adds everything that the result depends on.
    pub(super) fn inputs(&self, inputs: &mut Inputs) -> Result<()> {
        let Self { script, profile_file, network } = self;
        scripts::inputs(std::slice::from_ref(script), inputs)?;
        inputs.value(format!("what {NAME} sees"), &(profile_file, profile_file::FUNCTIONS, network))
    }

    /// Runs the script; of its surroundings nothing stays in the tree.
    pub(super) fn run(&self, tree: &RootTree, host: &Host) -> Result<()> {
        let stage = host.stage(StageTask::RunScript, format!("Running {NAME}"));
        let had_description = tree.exists(DESCRIPTION);
        profile_file::write(&self.profile_file, tree)?;
        let result = scripts::run_one(&self.script, self.network, tree, host);
        profile_file::remove(tree)?;
        if !had_description && tree.list(DESCRIPTION)?.is_empty() {
            tree.remove(DESCRIPTION)?;
        }
        result?;
        stage.finish();
        Ok(())
    }
}
