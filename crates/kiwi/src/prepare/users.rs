//! Users and groups of the description, created by the programs of the tree.

use anyhow::{Context, Result};
use description::{Group, Password, User};

use super::homes;
use crate::distribution::Distribution;
use crate::failure::fail;
use crate::host::{Host, Warning};
use crate::password;
use crate::root_tree::RootTree;

/// Creates missing groups and users and changes existing ones: groups first, each user once.
pub(super) fn create(users: &[User], image: &str, tree: &RootTree, host: &Host) -> Result<()> {
    if !users.is_empty() && !tree.exists("usr/sbin/useradd") {
        fail!(
            Packages,
            "the description has users, but the image has no useradd; add its package ({}) to the description",
            Distribution::package_hint(tree, |facts| facts.user_package.to_owned())
        );
    }
    let mut new = Vec::new();
    for user in users {
        if !has_entry(tree, "etc/passwd", user.name.as_str())? {
            new.push(user.name.as_str());
        }
        for group in &user.groups {
            let Group::Named(group, id) = group else { continue };
            if !has_entry(tree, "etc/group", group.as_str())? {
                let mut command = tree.command(host, "/usr/sbin/groupadd");
                if let Some(id) = id {
                    command = command.arg("--gid").arg(id.to_string());
                }
                command.arg(group.as_str()).run().with_context(|| format!("creating the group {group}"))?;
            }
        }
        if let Some(shell) = user.shell.as_ref().filter(|shell| !tree.is_executable(shell)) {
            host.warn(
                Warning::Description,
                &format!(
                    "nobody can log in as {}: the image does not contain the shell {shell}; add its package to the description",
                    user.name
                ),
            );
        }
        add_or_change(user, image, tree, host).with_context(|| format!("creating the user {}", user.name))?;
    }
    homes::complete(users, &new, tree, host)
}

fn add_or_change(user: &User, image: &str, tree: &RootTree, host: &Host) -> Result<()> {
    let known = has_entry(tree, "etc/passwd", user.name.as_str())?;
    let mut command = match known {
        true => tree.command(host, "/usr/sbin/usermod"),
        false => tree.command(host, "/usr/sbin/useradd").arg("--create-home"),
    };
    let hash = match &user.password {
        Some(Password::Hash(hash)) => Some(hash.clone()),
        Some(Password::Plain(text)) => Some(password::hash_for(text, &format!("{image}:{}", user.name))?),
        None => None,
    };
    let mut groups: Vec<String> =
        user.groups.iter().map(|group| group_name(group, tree)).collect::<Result<_>>()?;
    if user.first_group_is_login && !groups.is_empty() {
        command = command.arg("--gid").arg(groups.remove(0));
    } else if !known && has_entry(tree, "etc/group", user.name.as_str())? {
        // useradd creates a group of the user's name, unless it is told to use the existing one.
        command = command.arg("--gid").arg(user.name.as_str());
        groups.retain(|group| *group != user.name.as_str());
    }
    if !groups.is_empty() {
        if known {
            command = command.arg("--append");
        }
        command = command.arg("--groups").arg(groups.join(","));
    }
    for (option, value) in [
        ("--password", hash),
        ("--home", user.home.clone()),
        ("--comment", user.real_name.clone()),
        (
            "--shell",
            user.shell
                .clone()
                .or_else(|| (!known && tree.exists("bin/bash")).then(|| "/bin/bash".to_owned())),
        ),
        ("--uid", user.id.map(|id| id.to_string())),
    ] {
        if let Some(value) = value {
            command = command.arg(option);
            command = if option == "--password" { command.secret(value) } else { command.arg(value) };
        }
    }
    Ok(command.arg(user.name.as_str()).run()?)
}

/// Returns whether a colon-separated file has an entry with exactly this name.
fn has_entry(tree: &RootTree, file: &str, name: &str) -> Result<bool> {
    let text = if tree.exists(file) { tree.read_text(file)? } else { String::new() };
    Ok(text.lines().any(|line| line.split(':').next() == Some(name)))
}

/// Returns the name of a group in the tree.
fn group_name(group: &Group, tree: &RootTree) -> Result<String> {
    let id = match group {
        Group::Named(name, _) => return Ok(name.to_string()),
        Group::Numbered(id) => id.to_string(),
    };
    let text = if tree.exists("etc/group") { tree.read_text("etc/group")? } else { String::new() };
    let named = text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(id.as_str())).then(|| name.to_owned())
    });
    match named {
        Some(name) => Ok(name),
        None => fail!(
            InvalidDescription,
            "the image has no group with the number {id}; write a name in `groups`, or NAME:{id}, which creates the group"
        ),
    }
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "a test is its own host")]
mod tests {
    use super::*;

    #[test]
    fn a_group_that_is_a_number_has_the_name_in_the_image() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir(directory.path().join("etc")).unwrap();
        std::fs::write(directory.path().join("etc/group"), "root:x:0:\nusers:x:100:a,b\n").unwrap();
        let tree = RootTree::merged(directory.path()).unwrap();
        assert_eq!(group_name(&Group::Numbered(100), &tree).unwrap(), "users");
        let error = group_name(&Group::Numbered(10), &tree).unwrap_err();
        let failure = error.downcast_ref::<crate::failure::Failure>().unwrap();
        assert!(failure.message.contains("no group with the number 10"), "{failure:?}");
    }
}
