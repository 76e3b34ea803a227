//! Accounts of the image to which nobody can log in.

use description::{Description, Diagnostic, Password, Selection, User};

use crate::source::Source;

/// Programs that end a login on purpose.
const NO_LOGIN: [&str; 3] = ["nologin", "false", "true"];

/// Returns a warning for each user with a login shell who has neither a password nor a key in the overlay.
pub(super) fn without_login(
    description: &Description,
    selection: &Selection,
    source: &Source,
) -> Vec<Diagnostic> {
    // A script may set a password or write a key.
    let script =
        source.find("config.sh").ok().flatten().and_then(|path| crate::source::real::read(&path).ok());
    let script = script.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let cannot = |user: &&User| {
        is_locked(user)
            && has_login_shell(user)
            && !has_key(user, source)
            && !script.contains(user.name.as_str())
    };
    let warning = |user: &User| {
        let span = description.user_span(&user.name).unwrap_or(description.span()).clone();
        Diagnostic::warning(
            span,
            format!("nobody can log in as `{}`: the account has no password", user.name),
        )
        .rule("account-without-login")
        .label("and no key for ssh in the overlay")
        .help("give it a hash that `kiwi create-password` prints, or `shell=\"/usr/sbin/nologin\"`")
    };
    selection.users.iter().filter(cannot).map(warning).collect()
}

fn is_locked(user: &User) -> bool {
    match &user.password {
        None => true,
        Some(Password::Hash(hash)) => hash.starts_with(['*', '!']),
        Some(Password::Plain(_)) => false,
    }
}

fn has_login_shell(user: &User) -> bool {
    let name = user.shell.as_deref().unwrap_or("sh").rsplit('/').next().unwrap_or_default();
    !NO_LOGIN.contains(&name)
}

fn has_key(user: &User, source: &Source) -> bool {
    let home = match (&user.home, user.name.as_str()) {
        (Some(home), _) => home.trim_start_matches('/').to_owned(),
        (None, "root") => "root".to_owned(),
        (None, name) => format!("home/{name}"),
    };
    source.find(format!("root/{home}/.ssh")).is_ok_and(|found| found.is_some())
}
