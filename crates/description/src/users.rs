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

/// One of the groups of a user.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(untagged)]
pub enum Group {
    /// A group by its name, with the number that it gets if it is missing and created.
    Named(UserName, Option<u32>),
    /// A group of the image by its number, as `useradd` accepts it.
    Numbered(u32),
}

impl Group {
    /// Returns whether two entries mean one group: the same name, or the same number.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Named(name, _), Self::Named(other, _)) => name == other,
            (Self::Numbered(id), Self::Numbered(other)) => id == other,
            (Self::Named(..), Self::Numbered(_)) | (Self::Numbered(_), Self::Named(..)) => false,
        }
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
    /// `group=` of the section (1.4) or `groups=` (today).
    pub groups: Vec<Group>,
    /// Whether the first of `groups` is the login group (today's rule) instead of a supplementary one (1.4).
    pub first_group_is_login: bool,
    /// Home directory.
    pub home: Option<String>,
    /// GECOS text.
    pub real_name: Option<String>,
    /// Login shell.
    pub shell: Option<String>,
}
