//! The command line and the configuration of zypper.

use anyhow::Result;

use super::repository_file::CREDENTIALS;
use super::{PACKAGES, RAW, SOLV};
use crate::host::{Command, Host};
use crate::package_manager::rpm::solver::{HOME, VIEW};
use crate::package_manager::{ManagerFiles, PackagePlan};

/// The configuration file of its library in [`ManagerFiles`].
pub(super) const CONFIGURATION: &str = "zypp.conf";

/// Writes the configuration files, which replace those of the host.
pub(super) fn configure(plan: &PackagePlan, files: &ManagerFiles, host: &Host) -> Result<()> {
    let architecture = &plan.architecture;
    let text = format!(
        "[main]\narch = {architecture}\nrepo.refresh.delay = 0\ncommit.downloadMode = DownloadInAdvance\n\
         solver.onlyRequires = true\nrpm.install.excludedocs = no\ndownload.use_deltarpm = false\n\
         techpreview.ZYPP_SINGLE_RPMTRANS = 0\ncredentials.global.dir = {VIEW}/{CREDENTIALS}\n"
    );
    files.write(CONFIGURATION, text, host)?;
    files.write("zypper.conf", "[main]\n", host)
}

/// Returns a command for zypper with a root directory and a directory of repositories in [`ManagerFiles`].
pub(super) fn zypper<'h>(
    root: &str,
    repositories: &str,
    files: &ManagerFiles,
    host: &'h Host,
) -> Command<'h> {
    host.command("zypper")
        .writable(files.path())
        .bind(files.path(), VIEW, false)
        .needs_room(files.path())
        .without_sync()
        .env("HOME", format!("{VIEW}/{HOME}"))
        .env("TMPDIR", format!("{VIEW}/tmp"))
        .env("ZYPPTMPDIR", format!("{VIEW}/tmp"))
        .env("ZYPP_CONF", format!("{VIEW}/{CONFIGURATION}"))
        .env("ZYPP_LOGFILE", format!("{VIEW}/log/zypper.log"))
        .arg(format!("--root={VIEW}/{root}"))
        .arg(format!("--config={VIEW}/zypper.conf"))
        .args(["--non-interactive", "--xmlout"])
        .arg(format!("--reposd-dir={VIEW}/{repositories}"))
        .arg(format!("--cache-dir={VIEW}/cache"))
        .arg(format!("--raw-cache-dir={VIEW}/{RAW}"))
        .arg(format!("--solv-cache-dir={VIEW}/{SOLV}"))
        .arg(format!("--pkg-cache-dir={VIEW}/{PACKAGES}"))
}

/// Returns the text of the file of locks: packages that must not be installed.
pub(super) fn locks(names: &[String]) -> String {
    let lock = |name: &String| {
        format!("type: package\nmatch_type: exact\ncase_sensitive: on\nsolvable_name: {name}\n\n")
    };
    names.iter().map(lock).collect()
}
