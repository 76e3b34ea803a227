//! The stage `Tree`: applies the settings and files of the description to the installed packages.
//!
//! ```text
//! archives -> overlay -> users -> files -> config-yast.xml -> settings -> .profile, .kconfig -> scripts -> deletions
//! ```

use anyhow::Result;
use description::{Password, Selection, Settings, User};

use super::step_recorder::StepRecorder;
use super::{archive, files, overlay, profile_file, scripts, settings, users};
use crate::debugging::{Point, Step};
use crate::failure::fail;
use crate::host::{Host, StageTask};
use crate::origins::{Origins, StepKind};
use crate::package_manager::PackageManager;
use crate::root_tree::RootTree;
use crate::source::{Source, real};
use crate::stage::{Digest, Inputs, Stage};

/// The steps of this stage, with all files already read.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    name: String,
    version: String,
    /// `root/`, then one directory per active profile.
    overlays: Vec<overlay::Plan>,
    archives: Vec<archive::Plan>,
    users: Vec<User>,
    files: Vec<files::Plan>,
    settings: Settings,
    profile_file: String,
    /// The content of `config-yast.xml`.
    autoyast: Option<Vec<u8>>,
    scripts: Vec<scripts::Planned>,
    uninstall: Vec<description::PackageName>,
    delete: Vec<description::PackageName>,
    /// Whether scripts may use the network.
    network: bool,
}

pub(super) fn plan(selection: &Selection, source: &Source, network: bool) -> Result<Plan> {
    let mut overlays = Vec::new();
    let profiles = selection.profiles.iter().map(description::ProfileName::as_str);
    for name in std::iter::once("root").chain(profiles) {
        if let Some(directory) = source.find(name)? {
            overlays.push(overlay::plan(name, &directory, source.files())?);
        }
    }
    let mut archives = Vec::new();
    for archive in selection.bootstrap.archives.iter().chain(&selection.image.archives) {
        let name = &archive.name;
        match source.find(name)? {
            Some(path) => archives.push(archive::plan(name, path, &archive.target)?),
            None => {
                fail!(
                    File,
                    "the archive {name} does not exist in the description directory {}",
                    source.directory().display()
                )
            }
        }
    }
    if source.find("root")?.is_none()
        && let Some(path) = source.find_file(overlay::ARCHIVE)?
    {
        archives.push(archive::plan(overlay::ARCHIVE, path, "/")?);
    }
    let autoyast = match source.find_file("config-yast.xml")? {
        Some(path) => Some(real::read(&path)?),
        None => None,
    };
    Ok(Plan {
        name: selection.name.to_string(),
        version: selection.version.to_string(),
        overlays,
        archives,
        users: selection.users.clone(),
        files: files::plan(selection, source)?,
        settings: selection.settings.clone(),
        profile_file: profile_file::text(&profile_file::variables(selection)),
        autoyast,
        scripts: scripts::plan(source)?,
        uninstall: selection.uninstall.clone(),
        delete: selection.delete.clone(),
        network,
    })
}

impl Plan {
    /// Returns whether the result may depend on the network.
    pub(super) fn uses_network(&self) -> bool {
        self.network && !self.scripts.is_empty()
    }

    /// Returns whether a directory of the description provides this file.
    pub(super) fn provides(&self, path: &str) -> bool {
        self.overlays.iter().any(|overlay| overlay.provides(path))
    }

    /// Returns the inputs of this stage. Times after `epoch` count as equal, because the image has the epoch instead.
    pub(super) fn inputs(&self, packages: &Inputs, epoch: u64) -> Result<Inputs> {
        let Self {
            name,
            version,
            overlays,
            archives,
            users,
            files,
            settings,
            profile_file,
            autoyast,
            scripts,
            uninstall,
            delete,
            network: _,
        } = self;
        let mut inputs = Inputs::new(Stage::Tree);
        inputs.after(packages);
        for overlay in overlays {
            overlay.inputs(epoch, &mut inputs)?;
        }
        for archive in archives {
            archive.inputs(&mut inputs)?;
        }
        for file in files {
            file.inputs(epoch, &mut inputs)?;
        }
        let users: Vec<_> = users.iter().map(keyed_user).collect();
        inputs.value("the users", &(users, name))?;
        inputs.value("config-yast.xml", &autoyast.as_ref().map(Digest::of))?;
        inputs.value("the settings", &(settings, profile_file))?;
        inputs.bytes("the shell functions", profile_file::FUNCTIONS);
        inputs.value("name and version", &(name, version))?;
        scripts::inputs(scripts, &mut inputs)?;
        inputs.value("packages to delete", delete)?;
        if !uninstall.is_empty() {
            inputs.value("packages to uninstall", uninstall)?;
        }
        if self.uses_network() {
            inputs.value("the network", &true)?;
        }
        Ok(inputs)
    }
}

/// Returns every field of a user, including the password, for a digest. `User` itself is not serialisable, so that no
/// password gets into a file by mistake.
fn keyed_user(user: &User) -> impl serde::Serialize {
    let User { name, password, id, groups, first_group_is_login, home, real_name, shell } = user;
    let password = password.as_ref().map(|password| match password {
        Password::Hash(text) => ("hash", text),
        Password::Plain(text) => ("plain", text),
    });
    (name, password, id, groups, first_group_is_login, home, real_name, shell)
}

/// Runs the stage and returns what its steps changed.
pub(super) fn create(
    plan: &Plan,
    manager: &dyn PackageManager,
    reach: &dyn Fn(Point) -> Result<()>,
    tree: &RootTree,
    host: &Host,
) -> Result<Origins> {
    let mut recorder = StepRecorder::new(Stage::Tree, tree);
    if plan.settings.exclude_docs {
        recorder.begin(StepKind::Settings, "")?;
        manager.exclude_documentation(tree)?;
    }
    configure(plan, &mut recorder, tree, host)?;
    reach(Point::Before(Step::ConfigScripts))?;
    let installed = match scripts::ask_for_packages(&plan.scripts) {
        true => manager.installed(tree, host)?,
        false => Vec::new(),
    };
    scripts::run(&plan.scripts, plan.network, &mut recorder, tree, &installed, host)?;
    reach(Point::After(Step::ConfigScripts))?;
    recorder.begin(StepKind::Removal, "")?;
    manager.remove(tree, host)?;
    recorder.finish()
}

/// Runs all steps before the scripts.
fn configure(plan: &Plan, recorder: &mut StepRecorder<'_>, tree: &RootTree, host: &Host) -> Result<()> {
    let stage = host.stage(StageTask::ConfigureTree, "Configuring the tree");
    for archive in &plan.archives {
        recorder.begin(StepKind::Archive, archive.name())?;
        archive::unpack(archive, &mut |path| recorder.wrote(path), tree, host)?;
    }
    for overlay in &plan.overlays {
        recorder.begin(StepKind::Overlay, overlay.name())?;
        overlay.files().for_each(|path| recorder.wrote(path));
        overlay::copy(overlay, tree, host)?;
    }
    recorder.begin(StepKind::Users, "")?;
    users::create(&plan.users, &plan.name, tree, host)?;
    if !plan.files.is_empty() {
        recorder.begin(StepKind::Files, "")?;
        plan.files.iter().for_each(|file| recorder.wrote(file.target()));
        files::copy(&plan.files, tree, host)?;
    }
    recorder.begin(StepKind::Settings, "")?;
    autoyast(plan, tree)?;
    settings::apply(&plan.settings, tree, host)?;
    profile_file::write(&plan.profile_file, tree)?;
    tree.write("etc/ImageVersion", format!("{}-{}", plan.name, plan.version), 0o644)?;
    stage.finish();
    Ok(())
}

/// Installs `config-yast.xml`, with which YaST configures the system at its first boot (docs/formats/scripts.md).
fn autoyast(plan: &Plan, tree: &RootTree) -> Result<()> {
    let Some(text) = &plan.autoyast else { return Ok(()) };
    tree.write("var/lib/autoinstall/autoconf/autoconf.xml", text, 0o644)?;
    let line = "AutoYaST: http://192.168.100.99/part2.xml\n";
    match tree.exists("etc/install.inf") {
        true => tree.append("etc/install.inf", line)?,
        false => tree.write("etc/install.inf", line, 0o644)?,
    }
    tree.write("var/lib/YaST2/runme_at_boot", "", 0o644)
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test writes a description")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::source::AllowedPaths;
    use crate::stage::assert_pinned;

    /// Returns a plan with every part of the stage except users and scripts, which need programs of the tree.
    fn plan_of(overlay: &std::path::Path, source: &Source) -> Plan {
        let motd = overlay.join("etc/motd");
        std::fs::create_dir_all(overlay.join("etc")).unwrap();
        std::fs::write(&motd, "hello\n").unwrap();
        std::os::unix::fs::symlink("motd", overlay.join("etc/issue")).unwrap();
        for (path, mode) in [(overlay.join("etc"), 0o755), (motd, 0o640)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        Plan {
            name: "tiny".to_owned(),
            version: "1.0.0".to_owned(),
            overlays: vec![overlay::plan("root", overlay, source.files()).unwrap()],
            archives: Vec::new(),
            users: Vec::new(),
            files: Vec::new(),
            settings: Settings { timezone: Some("Etc/UTC".to_owned()), ..Settings::default() },
            profile_file: "kiwi_iname='tiny'\n".to_owned(),
            autoyast: Some(b"<profile/>\n".to_vec()),
            scripts: Vec::new(),
            uninstall: Vec::new(),
            delete: Vec::new(),
            network: false,
        }
    }

    #[test]
    fn the_result_matches_the_format_of_the_stage() {
        let directory = tempfile::tempdir().unwrap();
        let host = Host::new(crate::host::Output::Quiet);
        let tree = RootTree::create(&host, &directory.path().join("tree")).unwrap();
        tree.write("usr/share/zoneinfo/Etc/UTC", "TZif", 0o644).unwrap();
        std::fs::write(directory.path().join("config.xml"), "<image/>").unwrap();
        let source = Source::open(directory.path(), &AllowedPaths::default()).unwrap();
        let plan = plan_of(&directory.path().join("root"), &source);
        let mut recorder = StepRecorder::new(Stage::Tree, &tree);
        configure(&plan, &mut recorder, &tree, &host).unwrap();
        let steps = recorder.finish().unwrap().steps;
        assert_eq!(
            (steps[0].name.as_str(), steps[0].paths.join(" ").as_str()),
            ("root", "etc/issue etc/motd")
        );
        assert_eq!(steps[1].kind, StepKind::Settings);
        assert!(steps[1].paths.contains(&"etc/localtime".to_owned()), "{steps:?}");
        // The function library is a separate input.
        tree.remove(".kconfig").unwrap();
        assert_pinned(
            Stage::Tree,
            (4, "c8900b82f5f7e75323044329221b5228bfaa9fc62f5957c20dcc99a7914e752d"),
            crate::root_tree::listing(&tree),
        );
    }

    /// Every change gives another key; a new field of `Plan` or `User` must be added here for the test to compile.
    #[test]
    fn every_field_of_the_plan_changes_the_key() {
        let directory = tempfile::tempdir().unwrap();
        let user = User {
            name: description::UserName::parse("one").unwrap(),
            password: Some(Password::Hash("x".to_owned())),
            id: Some(1),
            groups: vec![description::Group::Named(
                description::UserName::parse("users").unwrap(),
                Some(100),
            )],
            first_group_is_login: false,
            home: None,
            real_name: None,
            shell: None,
        };
        let script = directory.path().join("description/config.sh");
        std::fs::create_dir(script.parent().unwrap()).unwrap();
        std::fs::write(&script, "true\n").unwrap();
        std::fs::write(script.with_file_name("config.xml"), "<image/>").unwrap();
        let source = Source::open(script.parent().unwrap(), &AllowedPaths::default()).unwrap();
        let plan = Plan {
            users: vec![user],
            scripts: scripts::plan(&source).unwrap(),
            archives: vec![archive::plan("a.tar", script.canonicalize().unwrap(), "/").unwrap()],
            delete: vec![description::PackageName::parse("p").unwrap()],
            ..plan_of(&directory.path().join("root"), &source)
        };
        let packages = Inputs::new(Stage::Packages);
        let key = |plan: &Plan| plan.inputs(&packages, 1).unwrap().key();
        let text = |text: &str| Some(text.to_owned());
        let changes: [fn(&mut Plan); 17] = [
            |plan| plan.name.push('x'),
            |plan| plan.version.push('x'),
            |plan| plan.overlays.clear(),
            |plan| plan.archives.clear(),
            |plan| plan.settings.keytable = Some("us".to_owned()),
            |plan| plan.profile_file.push('x'),
            |plan| plan.autoyast = None,
            |plan| plan.scripts.clear(),
            |plan| plan.delete.clear(),
            |plan| plan.uninstall = std::mem::take(&mut plan.delete),
            |plan| plan.network = true,
            |plan| plan.users[0].name = description::UserName::parse("two").unwrap(),
            |plan| plan.users[0].password = Some(Password::Hash("y".to_owned())),
            |plan| plan.users[0].password = Some(Password::Plain("x".to_owned())),
            |plan| plan.users[0].id = None,
            |plan| plan.users[0].groups = vec![description::Group::Numbered(100)],
            |plan| plan.users[0].first_group_is_login = true,
        ];
        let mut keys = vec![key(&plan)];
        for change in changes {
            let mut changed = plan.clone();
            change(&mut changed);
            keys.push(key(&changed));
        }
        for field in 0..3 {
            let mut changed = plan.clone();
            let user = &mut changed.users[0];
            *[&mut user.home, &mut user.real_name, &mut user.shell][field] = text("x");
            keys.push(key(&changed));
        }
        let count = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(
            keys.len(),
            count,
            "a change is missing in the key, or gives the same key as another change"
        );
    }
}
