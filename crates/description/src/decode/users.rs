//! `<users>`.

use std::collections::BTreeSet;

use super::{Decoder, boolean, number, text};
use crate::description::UserEntry;
use crate::document::Element;
use crate::schema;
use crate::suggest::nearest;
use crate::upgrade::SUPPLEMENTARY;
use crate::{Diagnostic, Password, SchemaVersion, User, UserName};

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
        home: text(element, "home"),
        real_name: text(element, "realname"),
        shell: text(element, "shell"),
    };
    Some(UserEntry { user, span: name.span.clone() })
}

/// `name` or `name:id`
fn parse_group(group: &str) -> Option<(UserName, Option<u32>)> {
    match group.split_once(':') {
        None => Some((UserName::parse(group)?, None)),
        Some((name, id)) => {
            let id = schema::number(id.trim()).and_then(|id| u32::try_from(id).ok())?;
            Some((UserName::parse(name.trim())?, Some(id)))
        }
    }
}
