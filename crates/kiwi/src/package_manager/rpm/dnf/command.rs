//! The command line and the configuration of dnf.

use anyhow::Result;

use super::{CACHE, REPOSITORIES};
use crate::host::{Command, Host};
use crate::package_manager::rpm::solver::{HOME, ROOT, VIEW};
use crate::package_manager::rpm::sources;
use crate::package_manager::{ManagerFiles, PackagePlan};

/// The configuration file in [`ManagerFiles`].
pub(super) const CONFIGURATION: &str = "dnf.conf";

/// Writes the configuration file, which replaces that of the host.
pub(super) fn configure(plan: &PackagePlan, files: &ManagerFiles, host: &Host) -> Result<()> {
    files.write(CONFIGURATION, configuration(plan), host)
}

fn configuration(plan: &PackagePlan) -> String {
    // rpm checks the signatures of packages with the keys of their repository, and installs them.
    let architecture = &plan.architecture;
    format!(
        "[main]\nplugins=0\ngpgcheck=0\nlocalpkg_gpgcheck=0\nbest=1\nskip_if_unavailable=0\nhistory_record=0\ndeltarpm=0\n\
         zchunk=0\nmetadata_expire=-1\nmodule_platform_id=platform:none\nforcearch={architecture}\nignorearch=1\n"
    )
}

/// Returns the directory at which dnf sees a local repository: its own path could be below `/tmp`, which is hidden.
pub(super) fn local_directory(index: usize) -> String {
    format!("local/{index}")
}

/// Returns a command for dnf with the root directory in [`ManagerFiles`].
pub(super) fn dnf<'h>(plan: &PackagePlan, files: &ManagerFiles, host: &'h Host) -> Command<'h> {
    let release = plan.rpm.as_ref().and_then(|settings| settings.release.as_deref());
    // On some systems `dnf` is dnf 5.
    let mut dnf = host.command("dnf-3").writable(files.path()).bind(files.path(), VIEW, false);
    for (index, repository) in sources::used(plan) {
        if repository.location.starts_with('/') {
            dnf = dnf.bind(&repository.location, format!("{VIEW}/{}", local_directory(index)), true);
        }
    }
    // It writes keys to files in `/tmp`, whatever the environment says.
    dnf.bind(files.path().join("tmp"), "/tmp", false)
        .needs_room(files.path())
        .without_sync()
        .env("HOME", format!("{VIEW}/{HOME}"))
        .args(arguments(release))
}

/// Returns the options of every call.
fn arguments(release: Option<&str>) -> Vec<String> {
    let option = |name: &str, directory: &str| format!("--setopt={name}={VIEW}/{directory}");
    vec![
        format!("--config={VIEW}/{CONFIGURATION}"),
        format!("--installroot={VIEW}/{ROOT}"),
        option("reposdir", REPOSITORIES),
        option("cachedir", CACHE),
        option("logdir", "log"),
        option("persistdir", "tmp/persist"),
        option("varsdir", "vars"),
        // An empty root directory does not tell; kiwi has replaced the variable in locations.
        format!("--releasever={}", release.unwrap_or("0")),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_of_the_host_is_used() {
        for argument in arguments(Some("12")) {
            let value = argument.rsplit('=').next().unwrap_or_default();
            assert!(value.starts_with(VIEW) || value == "12", "{argument}");
        }
    }
}
