//! `<users>`: groups start with the login group, and every user has a password.

use std::collections::BTreeMap;

use super::Found;
use crate::document::{Attribute, Element};
use crate::schema;
use crate::upgrade::SUPPLEMENTARY;
use crate::upgrade::edit::{attribute, sections, take_attribute};

pub(super) fn spell(root: &mut Element, found: &mut Found) {
    let own_groups = super::sections::uses_apt(root);
    let passwords = passwords(root);
    for user in sections(root, "users").flat_map(|section| section.children.iter_mut()) {
        if user.name != "user" {
            continue;
        }
        let Some(name) = user.value("name").map(|name| name.text.clone()) else { continue };
        if user.attribute("password").is_none() {
            let given = passwords.get(&name).cloned().unwrap_or_default();
            let locked = || vec![attribute("password", "*", &user.span)];
            let added = if given.is_empty() { locked() } else { given };
            user.attributes.extend(added);
        }
        if let Some(home) = user.attributes.iter_mut().find(|attribute| attribute.name == "home")
            && !home.value.text.starts_with('/')
        {
            home.value.text.insert(0, '/');
        }
        login_group(user, &name, own_groups, found);
    }
}

/// Returns password and `pwdformat` of each user from the first section that has them.
fn passwords(root: &Element) -> BTreeMap<String, Vec<Attribute>> {
    let mut passwords: BTreeMap<String, Vec<Attribute>> = BTreeMap::new();
    for user in root.children("users").flat_map(|section| section.children("user")) {
        if let (Some(name), Some(password)) = (user.value("name"), user.attribute("password")) {
            let both = std::iter::once(password).chain(user.attribute("pwdformat"));
            passwords.entry(name.text.clone()).or_insert_with(|| both.cloned().collect());
        }
    }
    passwords
}

/// Puts the login group before groups that do not start with it: the group that `useradd` chooses.
fn login_group(user: &mut Element, name: &str, own_groups: bool, found: &mut Found) {
    let supplementary = take_attribute(user, SUPPLEMENTARY);
    let is_supplementary =
        supplementary.is_some_and(|attribute| schema::boolean(&attribute.value.text) == Some(true));
    let span = user.span.clone();
    let groups = user.attributes.iter_mut().find(|attribute| attribute.name == "groups");
    let Some(groups) = groups.filter(|_| is_supplementary) else { return };
    let login = match name {
        "root" => "root",
        _ if own_groups => name,
        _ => "users",
    };
    let items = groups.value.items();
    let is_login = |group: &str| group.split(':').next().is_some_and(|group| group.trim() == login);
    let mut list: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
    list.sort_by_key(|group| !is_login(group));
    if !list.first().is_some_and(|first| is_login(first)) {
        list.insert(0, login);
        let message = format!(
            "today the first group of `{name}` is the login group: `{login}` comes before the others"
        );
        found.changed(&span, &message, "the login group was not named");
    }
    groups.value.text = list.join(",");
}
