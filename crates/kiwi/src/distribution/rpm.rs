//! What the families with RPM packages have in common.

use description::{Architecture, SourceType};

use super::secret::{
    BIND_KEY, DBUS_MACHINE_ID, ERLANG_COOKIE, ISCSI_INITIATOR, MUNGE_KEY, NETWORK_MANAGER_KEY, NVME_HOST,
    RANDOM_SEED, SSH_HOST_KEYS, SYSTEMD_CREDENTIALS,
};
use super::{ImageRepository, Leftovers, PackageScripts, ReadFile, SecretKind};

/// The directory of the keys of repositories in an image.
pub(super) const KEYS: &str = "etc/pki/rpm-gpg";

pub(super) const PACKAGE_SCRIPTS: PackageScripts = PackageScripts {
    environment: &[
        ("LC_ALL", "C"),
        // systemctl only creates links, as in a chroot.
        ("SYSTEMD_OFFLINE", "1"),
    ],
    unattended: &[],
    service_guard: None,
    // kiwi creates the boot image itself.
    held_back: &[("usr/bin/dracut", NOTHING), ("usr/sbin/mkinitrd", NOTHING)],
    merged_directories: &[],
};

const NOTHING: &str = "#!/bin/sh\nexit 0\n";

pub(super) const LEFTOVERS: Leftovers = Leftovers {
    removed: &[
        "var/log/alternatives.log",
        "var/log/dnf.librepo.log",
        "var/log/dnf.log",
        "var/log/dnf.rpm.log",
        "var/log/hawkey.log",
        "var/log/yum.log",
        "var/log/zypp",
        "var/log/zypper.log",
        "var/lib/rpm/.rpm.lock",
        "usr/lib/sysimage/rpm/.rpm.lock",
    ],
    caches: &[],
    cache_directories: &["var/cache/zypp", "var/cache/dnf", "var/cache/yum", "var/cache/libdnf5"],
};

pub(super) const SECRETS: &[SecretKind] = &[
    DBUS_MACHINE_ID,
    RANDOM_SEED,
    SSH_HOST_KEYS,
    BIND_KEY,
    MUNGE_KEY,
    NVME_HOST,
    ISCSI_INITIATOR,
    NETWORK_MANAGER_KEY,
    SYSTEMD_CREDENTIALS,
    ERLANG_COOKIE,
];

/// Returns rpm's name of an architecture.
pub(super) fn architecture(architecture: &Architecture) -> &str {
    architecture.machine()
}

/// Returns the text of a `.repo` file, which zypper and dnf read.
pub(super) fn repository_text(repositories: &[&ImageRepository], _read: ReadFile<'_>) -> Option<String> {
    let sections = repositories.iter().enumerate().map(|(index, repository)| {
        let id = section(index, repositories);
        let name = repository.alias.as_deref().unwrap_or(&id);
        let option = repository.mirrors.unwrap_or(SourceType::BaseUrl.keyword());
        let location = match repository.location.strip_prefix('/') {
            Some(path) => format!("file:///{path}"),
            None => repository.location.clone(),
        };
        let priority = repository.priority.map_or_else(String::new, |number| format!("priority={number}\n"));
        let signatures = signatures(repository);
        format!("[{id}]\nname={name}\n{option}={location}\nenabled=1\n{priority}{signatures}")
    });
    Some(sections.collect::<Vec<_>>().join("\n"))
}

/// Returns the lines about signatures. Without a word in the description, they are checked if there are keys.
fn signatures(repository: &ImageRepository) -> String {
    let keys: Vec<String> =
        repository.keys.iter().map(|key| format!("file:///{KEYS}/{}", key.name)).collect();
    let mut text = format!("gpgcheck={}\n", u8::from(repository.checks_packages.unwrap_or(!keys.is_empty())));
    if let Some(checked) = repository.checks_metadata {
        text += &format!("repo_gpgcheck={}\n", u8::from(checked));
    }
    if !keys.is_empty() {
        text += &format!("gpgkey={}\n", keys.join("\n       "));
    }
    text
}

/// Returns the name of a repository's section: its alias without characters that zypper or dnf refuse, or `kiwi-N` if it has none
/// or an earlier one has the same.
fn section(index: usize, repositories: &[&ImageRepository]) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:+".contains(c);
    let id = |repository: &ImageRepository| {
        repository.alias.as_deref().map(|alias| alias.replace(|c| !is_plain(c), "-"))
    };
    let own = repositories.get(index).and_then(|repository| id(repository));
    let is_new =
        |own: &String| !repositories.iter().take(index).any(|earlier| id(earlier).as_ref() == Some(own));
    own.filter(is_new).unwrap_or_else(|| format!("kiwi-{index}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::ImageKey;

    #[test]
    fn writes_a_section_for_each_repository() {
        let plain = ImageRepository {
            location: "http://example.org/r".to_owned(),
            suites: Vec::new(),
            components: Vec::new(),
            keyring: None,
            keys: Vec::new(),
            alias: None,
            priority: None,
            mirrors: None,
            checks_metadata: None,
            checks_packages: None,
        };
        let key = ImageKey { name: "own.asc".to_owned(), bytes: Vec::new() };
        let signed = ImageRepository { location: "/srv/r".to_owned(), keys: vec![key], ..plain.clone() };
        let text = repository_text(&[&plain, &signed], &|_| None).unwrap();
        let expected = "[kiwi-0]\nname=kiwi-0\nbaseurl=http://example.org/r\nenabled=1\ngpgcheck=0\n\n\
                        [kiwi-1]\nname=kiwi-1\nbaseurl=file:///srv/r\nenabled=1\ngpgcheck=1\n\
                        gpgkey=file:///etc/pki/rpm-gpg/own.asc\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn alias_priority_mirrors_and_checks_are_written() {
        let named = ImageRepository {
            location: "http://example.org/r".to_owned(),
            suites: Vec::new(),
            components: Vec::new(),
            keyring: None,
            keys: Vec::new(),
            alias: Some("My repository".to_owned()),
            priority: Some(42),
            mirrors: Some("metalink"),
            checks_metadata: Some(false),
            checks_packages: Some(true),
        };
        let text = repository_text(&[&named, &named], &|_| None).unwrap();
        let section = |id: &str| {
            format!(
                "[{id}]\nname=My repository\nmetalink=http://example.org/r\nenabled=1\npriority=42\ngpgcheck=1\nrepo_gpgcheck=0\n"
            )
        };
        assert_eq!(text, format!("{}\n{}", section("My-repository"), section("kiwi-1")));
    }
}
