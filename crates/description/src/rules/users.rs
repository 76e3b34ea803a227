//! Users that nobody can log in as: valid, and seldom what is meant.

use super::{Found, Rule, is};
use crate::document::Element;
use crate::schema::{list_items, number};

pub(super) static RULES: &[Rule] = &[
    Rule { name: "hash-of-a-password", check: hash },
    Rule { name: "shell-of-a-user", check: shell },
    Rule { name: "home-of-a-user", check: home },
    Rule { name: "names-of-groups", check: groups },
];

fn users(root: &Element) -> impl Iterator<Item = &Element> {
    root.children("users").flat_map(|section| section.children("user"))
}

fn hash(root: &Element, found: &mut Found) {
    for user in users(root).filter(|user| !is(user, "pwdformat", &["plain"])) {
        if let Some(password) = user.attribute("password")
            && !is_hash(&password.value.text)
        {
            found.warn_attribute(
                password,
                "is not a hash: no password fits it",
                "nobody can log in with a password",
                "write a hash, as `kiwi create-password` prints it, or `pwdformat=\"plain\"`",
            );
        }
    }
}

/// Accepts what crypt(5) describes, and the marks of locked accounts.
fn is_hash(text: &str) -> bool {
    let of_hash = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/'));
    let locked = text.trim_start_matches('!');
    locked.is_empty()
        || text.starts_with('*')
        || (locked.starts_with('$') && locked.matches('$').count() >= 2)
        || (locked.len() == 13 && of_hash(locked))
        || (locked.len() == 20 && locked.starts_with('_') && of_hash(&locked[1..]))
}

/// Shells that every system has, and programs that end a login on purpose.
const PRESENT: [&str; 9] = ["sh", "bash", "rbash", "dash", "ash", "false", "true", "nologin", "sync"];

fn shell(root: &Element, found: &mut Found) {
    let packages: Vec<&str> = root
        .children("packages")
        .flat_map(|section| section.children("package"))
        .filter_map(|package| package.value("name"))
        .map(|name| name.text.as_str())
        .collect();
    // An inherited description can have the package, or a pattern.
    let complete = root.attribute("inherit").is_none()
        && !root.children("packages").any(|section| section.child("namedCollection").is_some());
    for shell in users(root).filter_map(|user| user.attribute("shell")).filter(|_| complete) {
        let name = shell.value.text.rsplit('/').next().unwrap_or_default();
        if !PRESENT.contains(&name) && !packages.iter().any(|package| package.starts_with(name)) {
            found.warn(
                shell,
                "may not be installed",
                "no package of this name in the description",
                &format!("add `<package name=\"{name}\"/>` if no other package brings it"),
            );
        }
    }
}

/// `useradd` refuses a relative path, and so does a build of KIWI NG.
fn home(root: &Element, found: &mut Found) {
    for home in users(root).filter_map(|user| user.attribute("home")) {
        let path = &home.value.text;
        if !path.starts_with('/') {
            found.warn(
                home,
                "is not an absolute path",
                &format!("the home is `/{path}`"),
                &format!("write `home=\"/{path}\"`"),
            );
        }
    }
}

fn groups(root: &Element, found: &mut Found) {
    for groups in users(root).filter_map(|user| user.attribute("groups")) {
        let numbers: Vec<&str> =
            list_items(&groups.value.text).filter(|group| number(group).is_some()).collect();
        if let [first, ..] = numbers.as_slice() {
            found.warn(
                groups,
                "has a number in place of a name",
                &format!("the image must have a group with the number {}", numbers.join(" and ")),
                &format!("write its name, or `NAME:{first}`, which creates a group that is missing"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_told_from_passwords() {
        for hash in [
            "*",
            "!",
            "!!",
            "x1234567890./",
            "$1$wYJUgpM5$RXMMeASDc035eX.NbYWFl0",
            "$y$j9T$F5Jx5$a",
            "!$6$a$b",
            "_J9..rasmBYk8r9AiWNc",
        ] {
            assert!(is_hash(hash), "{hash}");
        }
        for text in ["linux", "x", "secret password", "$1", "pässwörter", "root"] {
            assert!(!is_hash(text), "{text}");
        }
    }
}
