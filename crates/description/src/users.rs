//! Users and groups of the image.

use crate::UserName;

/// The form of a password.
#[derive(Clone, PartialEq, Eq)]
pub enum Password {
    /// A crypt(3) hash, written to the image unchanged.
    Hash(String),
    /// Plain text (`pwdformat="plain"`), hashed at prepare.
    Plain(String),
}

impl std::fmt::Debug for Password {
    /// Never shows the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Hash(_) => "Hash(..)",
            Self::Plain(_) => "Plain(..)",
        })
    }
}

/// One user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: UserName,
    /// Password; without one the account is locked.
    pub password: Option<Password>,
    /// Numeric id.
    pub id: Option<u32>,
    /// `group=` of the section (1.4) or `groups=` (today), each with an optional id; missing ones are created.
    pub groups: Vec<(UserName, Option<u32>)>,
    /// Whether the first of `groups` is the login group (today's rule) instead of a supplementary one (1.4).
    pub first_group_is_login: bool,
    /// Home directory.
    pub home: Option<String>,
    /// GECOS text.
    pub real_name: Option<String>,
    /// Login shell.
    pub shell: Option<String>,
}
