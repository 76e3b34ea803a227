//! User names and passwords of mirrors in the host's `/etc/apt/auth.conf` and `auth.conf.d`, in apt's form of netrc.

use std::path::{Path, PathBuf};

/// Returns user and password that the host's apt uses for a URL.
pub(super) fn of_host(url: &str) -> Option<(String, String)> {
    let directory = Path::new("/etc/apt");
    let mut files: Vec<PathBuf> = directory.join("auth.conf.d").read_dir().map_or_else(
        |_| Vec::new(),
        |entries| entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect(),
    );
    files.retain(|path| path.extension().is_some_and(|extension| extension == "conf"));
    files.sort();
    files.insert(0, directory.join("auth.conf"));
    files.iter().find_map(|path| of_text(&std::fs::read_to_string(path).ok()?, url))
}

/// Returns user and password of the first entry for a URL. An entry without a scheme is for encrypted connections only.
fn of_text(text: &str, url: &str) -> Option<(String, String)> {
    let (scheme, address) = url.split_once("://")?;
    let address = address.trim_end_matches('/');
    let mut words =
        text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let (mut applies, mut user) = (false, None);
    while let Some(word) = words.next() {
        match word {
            "machine" => {
                let machine = words.next()?;
                user = None;
                applies = match machine.split_once("://") {
                    Some((of, machine)) => of == scheme && is_above(machine, address),
                    None => scheme == "https" && is_above(machine, address),
                };
            }
            "login" => user = words.next(),
            "password" => {
                let password = words.next()?;
                if let Some(user) = user.filter(|_| applies) {
                    return Some((user.to_owned(), password.to_owned()));
                }
            }
            _ => {}
        }
    }
    None
}

/// Returns whether `address` is `machine`, a host with port and path as apt compares them, or below it.
fn is_above(machine: &str, address: &str) -> bool {
    let rest = address.strip_prefix(machine.trim_end_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_entry_of_a_mirror() {
        let text = "# machine https://a.example login no password no\nmachine a.example/private login one\n password 1\n\
                    machine http://b.example:8080/ login two password 2\nmachine c.example password 3 login three\n";
        let found = |url| of_text(text, url).map(|(user, password)| user + password.as_str());
        assert_eq!(found("https://a.example/private/debian/").as_deref(), Some("one1"));
        assert_eq!(found("http://b.example:8080/debian").as_deref(), Some("two2"));
        for url in [
            "http://a.example/private/debian",
            "https://a.example/privately",
            "https://a.example/",
            "http://b.example/debian",
            "https://c.example",
            "/srv/mirror",
        ] {
            assert_eq!(found(url), None, "{url}");
        }
    }
}
