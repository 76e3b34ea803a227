//! Runs the `preinst` scripts of packages before they are unpacked.
//!
//! dpkg provides the control files of a package to its script in `tmp.ci`, where debconf and others expect them; here,
//! a link of that name refers to one package after the other, in `tmp.kiwi/NAME`. Both exist only meanwhile.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::database::write_members;
use super::reserved::DIRECTORY;
use crate::host::{Command, CommandError};
use crate::package_manager::deb::Deb;
use crate::root_tree::RootTree;

/// What the driver prints before each script.
const MARK: &str = "kiwi: preinst of ";
/// The directory of the control files.
const CONTROL: &str = "var/lib/dpkg/tmp.kiwi";

/// Runs the `preinst` of each package, in this order, in one sandbox; `shell` is a command for the tree's `/bin/sh`.
pub(in super::super) fn run<'d>(
    packages: impl Iterator<Item = &'d Deb>,
    dpkg_version: &str,
    tree: &RootTree,
    shell: Command<'_>,
) -> Result<()> {
    let mut script = format!(
        "export DPKG_MAINTSCRIPT_NAME=preinst DPKG_MAINTSCRIPT_PACKAGE_REFCOUNT=1 DPKG_ADMINDIR=/{DIRECTORY} DPKG_ROOT= \
         DPKG_RUNNING_VERSION='{dpkg_version}' DPKG_MAINTSCRIPT_PACKAGE DPKG_MAINTSCRIPT_ARCH\n"
    );
    for package in packages.filter(|package| package.member("preinst").is_some()) {
        let (name, architecture) = (package.name(), package.control.architecture());
        let directory = format!("{CONTROL}/{name}");
        tree.create_dir(&directory, 0o755)?;
        write_members(package, &format!("{directory}/"), tree)?;
        tree.write(format!("{directory}/control"), format!("{}\n", package.control.text()), 0o644)?;
        writeln!(
            script,
            "echo '{MARK}{name}'\nDPKG_MAINTSCRIPT_PACKAGE='{name}' DPKG_MAINTSCRIPT_ARCH='{architecture}'\n\
             ln -sfn '/{directory}' /{DIRECTORY}/tmp.ci\n/{DIRECTORY}/tmp.ci/preinst install"
        )?;
    }
    if !script.contains(MARK) {
        return Ok(());
    }
    match shell.args(["-e", "-c", &script]).run() {
        Err(error @ CommandError::Failed { .. }) => {
            let mark = error.tail().iter().rev().find_map(|line| line.strip_prefix(MARK)).map(str::to_owned);
            Err(error).with_context(|| match mark {
                Some(package) => format!("running the preinst script of the package {package}"),
                None => "running the preinst scripts of the packages".to_owned(),
            })
        }
        other => other.context("running the preinst scripts of the packages"),
    }?;
    tree.remove(format!("{DIRECTORY}/tmp.ci"))?;
    tree.remove(CONTROL)
}
