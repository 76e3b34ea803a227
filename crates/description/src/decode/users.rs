//! `<users>`.

use std::collections::BTreeSet;

use super::{Decoder, boolean, number, text};
use crate::description::UserEntry;
use crate::document::Element;
use crate::schema;
use crate::suggest::nearest;
use crate::upgrade::SUPPLEMENTARY;
use crate::{Diagnostic, Group, Password, SchemaVersion, User, UserName};

impl Decoder<'_> {
    pub(super) fn users(&mut self, section: &Element) -> Vec<UserEntry> {
        let mut users: Vec<UserEntry> = Vec::new();
        let mut names = BTreeSet::new();
        for element in section.children("user") {
            let Some(entry) = user(element) else { continue };
            self.has_password(element, &entry);
            if !names.insert(entry.user.name.clone()) {
                self.diagnostics.push(
                    Diagnostic::error(
                        entry.span.clone(),
                        format!("duplicate user `{}` in this section", entry.user.name),
                    )
                    .rule("repeated-user")
                    .label("named before"),
                );
            }
            users.push(entry);
        }
        users
    }

    /// Old schemas do not require a password, and conversions cannot invent one.
    fn has_password(&mut self, element: &Element, entry: &UserEntry) {
        let required = self.schema >= SchemaVersion::V5_6 && element.attribute(SUPPLEMENTARY).is_none();
        // An unknown attribute was reported, with a suggestion.
        let misspelt = element
            .attributes
            .iter()
            .any(|attribute| attribute.name == "pwd" || nearest(&attribute.name, ["password"]).is_some());
        if required && entry.user.password.is_none() && !misspelt {
            self.diagnostics.push(
                Diagnostic::error(element.span.clone(), "`<user>` lacks the attribute `password`").rule("missing-attribute")
                    .label("`password` is missing")
                    .help(
                        "expected a hash, as `kiwi create-password` prints it; `password=\"*\"` locks the account",
                    ),
            );
        }
    }
}

fn user(element: &Element) -> Option<UserEntry> {
    let name = element.value("name")?;
    let plain = element.value("pwdformat").is_some_and(|format| format.text == "plain");
    let user = User {
        name: UserName::parse(&name.text)?,
        password: text(element, "password")
            .map(|password| if plain { Password::Plain(password) } else { Password::Hash(password) }),
        id: number(element, "id").and_then(|id| u32::try_from(id).ok()),
        groups: element
            .value("groups")
            .map(|groups| groups.items().iter().filter_map(|group| parse_group(&group.text)).collect())
            .unwrap_or_default(),
        first_group_is_login: !boolean(element, SUPPLEMENTARY).unwrap_or(false),
        // Rules warn about a relative one.
        home: text(element, "home").map(|home| format!("/{}", home.trim_start_matches('/'))),
        real_name: text(element, "realname"),
        shell: text(element, "shell"),
    };
    Some(UserEntry { user, span: name.span.clone() })
}

/// Parses `name`, `name:id` or `id`.
fn parse_group(group: &str) -> Option<Group> {
    let id = |text: &str| schema::number(text.trim()).and_then(|id| u32::try_from(id).ok());
    match group.split_once(':') {
        Some((name, number)) => Some(Group::Named(UserName::parse(name.trim())?, Some(id(number)?))),
        None => match UserName::parse(group.trim()) {
            Some(name) => Some(Group::Named(name, None)),
            None => id(group).map(Group::Numbered),
        },
    }
}
