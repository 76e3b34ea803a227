//! The users of a build, from all sections.

use crate::description::UserEntry;
use crate::{Diagnostic, Diagnostics, User};

/// Merges the users of all sections: a user of several sections is in the groups of all of them.
pub(super) fn merged<'e>(
    entries: impl Iterator<Item = &'e UserEntry>,
    errors: &mut Diagnostics,
) -> Vec<User> {
    let mut users: Vec<User> = Vec::new();
    for entry in entries {
        match users.iter_mut().find(|user| user.name == entry.user.name) {
            None => users.push(entry.user.clone()),
            Some(user) => {
                if let Err(what) = merge_user(user, &entry.user) {
                    errors.push(
                        Diagnostic::error(
                            entry.span.clone(),
                            format!("the user `{}` has two different values of `{what}`", user.name),
                        )
                        .rule("contradicting-users")
                        .label("differs from an earlier section")
                        .help("specify it once; sections after the first only add groups"),
                    );
                }
            }
        }
    }
    users
}

/// Merges the settings of a later section into a user. Returns the name of an attribute with two different values, if any.
fn merge_user(user: &mut User, later: &User) -> Result<(), &'static str> {
    fn merge<T: Clone + PartialEq>(
        into: &mut Option<T>,
        later: &Option<T>,
        name: &'static str,
    ) -> Result<(), &'static str> {
        match (&into, later) {
            (Some(earlier), Some(later)) if earlier != later => Err(name),
            (None, Some(later)) => {
                *into = Some(later.clone());
                Ok(())
            }
            (Some(_), Some(_)) | (Some(_) | None, None) => Ok(()),
        }
    }
    for group in &later.groups {
        if !user.groups.iter().any(|known| known.is_same(group)) {
            user.groups.push(group.clone());
        }
    }
    merge(&mut user.password, &later.password, "password")?;
    merge(&mut user.id, &later.id, "id")?;
    merge(&mut user.home, &later.home, "home")?;
    merge(&mut user.real_name, &later.real_name, "realname")?;
    merge(&mut user.shell, &later.shell, "shell")
}
