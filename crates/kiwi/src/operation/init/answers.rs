//! The answers for `kiwi init`, from options or from the terminal, and the files that result.

use anyhow::Result;
use description::{Description, ImageName, SourceFile, UserName};

use super::distribution::Distribution;
use super::elements::{escaped, packages, type_element, user_element};
use super::menu::MenuItem as _;
use super::template::{Parts, Template};
use crate::diagnostic;
use crate::failure::fail;

/// Everything that a template leaves open; `None`: not answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answers {
    /// Name of the image.
    pub name: Option<String>,
    /// Image type.
    pub image_type: Option<String>,
    /// Source of the packages.
    pub repository: Option<String>,
    /// `LANGUAGE_COUNTRY`
    pub locale: Option<String>,
    /// Keyboard layout.
    pub keytable: Option<String>,
    /// Path below `/usr/share/zoneinfo`.
    pub timezone: Option<String>,
    /// A user who may become root.
    pub user: Option<String>,
    /// Password of that user as a crypt hash.
    pub password_hash: Option<String>,
    /// The public SSH key of that user, one line; without a user, that of root.
    pub ssh_key: Option<String>,
}

/// What the description is for, and of which distribution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) template: Template,
    pub(super) distribution: Distribution,
}

/// One file of the new description.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NewFile {
    pub(super) path: String,
    pub(super) text: String,
    pub(super) executable: bool,
}

pub(super) const LOCALE: &str = "en_US";
pub(super) const KEYTABLE: &str = "us";
pub(super) const TIMEZONE: &str = "Etc/UTC";

impl Start {
    /// Returns the title of the description.
    pub(super) fn title(self) -> String {
        format!("{}: {}", self.distribution.title(), self.template.title())
    }
}

impl Answers {
    /// Returns the name of the image; that of distribution and template by default.
    pub(super) fn name(&self, start: Start) -> String {
        let Start { template, distribution } = start;
        self.name.clone().unwrap_or_else(|| format!("{}-{}", distribution.keyword(), template.keyword()))
    }

    /// Returns the files of the description, which has passed `kiwi check`.
    pub(super) fn files(&self, start: Start) -> Result<Vec<NewFile>> {
        let Start { template, distribution } = start;
        if !template.exists_for(distribution) {
            fail!(Usage, "the template {} exists for debian-12 and debian-13 only", template.keyword());
        }
        let parts = template.parts();
        let name = self.name(start);
        if ImageName::parse(&name).is_none() {
            fail!(Usage, "--name {name}: expected {}", ImageName::EXPECTED);
        }
        let Some(repository) = self.repository.as_deref().or(distribution.repository()) else {
            fail!(Usage, "{} needs --repository: the URL of its packages", distribution.title());
        };
        let or =
            |said: &Option<String>, otherwise: &str| said.clone().unwrap_or_else(|| otherwise.to_owned());
        let image_type = or(&self.image_type, parts.image_type);
        let mut text = distribution.text().to_owned();
        for (location, value) in [
            ("@template@", format!("{} of {}", template.keyword(), distribution.keyword())),
            ("@title@", start.title()),
            ("@name@", escaped(&name)),
            ("@author@", escaped(&or(&self.user, "The author"))),
            ("@contact@", format!("{}@localhost", escaped(&or(&self.user, "root")))),
            ("@locale@", escaped(&or(&self.locale, LOCALE))),
            ("@keytable@", escaped(&or(&self.keytable, KEYTABLE))),
            ("@timezone@", escaped(&or(&self.timezone, TIMEZONE))),
            ("@type@", type_element(&image_type, &parts)),
            ("@users@", self.users(start, &parts)?),
            ("@packages@", packages(&image_type, &parts)),
            ("@repository@", escaped(repository)),
        ] {
            text = text.replace(location, &value);
        }
        refuse_wrong(&text)?;
        let services: String = parts.services.iter().map(|name| format!("baseService {name} on\n")).collect();
        let config_sh = format!("{}{services}", include_str!("templates/config.sh"))
            .replace("@ssh@", distribution.ssh_service());
        let file = |path: &str, text: String| NewFile { path: path.to_owned(), text, executable: false };
        let mut files = vec![
            file("config.xml", text),
            NewFile { executable: true, ..file("config.sh", config_sh) },
            file("root/etc/hostname", format!("{name}\n")),
            file("root/etc/hosts", include_str!("templates/hosts").replace("@name@", &name)),
            file("root/etc/motd", format!("This is {name}, built by kiwi.\n")),
        ];
        files.extend(parts.files.iter().map(|(path, text)| file(path, text.replace("@name@", &name))));
        files.extend(self.key_files(&parts)?);
        Ok(files)
    }

    /// Returns how people log in, in a sentence without its full stop.
    pub(super) fn login(&self, template: Template) -> String {
        match (&self.user, &self.ssh_key, template.parts().login) {
            (Some(user), None, _) => format!("Log in as {user} with the password that you chose"),
            (user, Some(_), _) => {
                format!("Log in as {} by SSH with the key", user.as_deref().unwrap_or("root"))
            }
            (None, None, Some(login)) => login.to_owned(),
            (None, None, None) => {
                "Nobody can log in yet: add a user to config.xml, or use --user or --ssh-key".to_owned()
            }
        }
    }

    /// Returns the files that let the owner of the key in.
    fn key_files(&self, parts: &Parts) -> Result<Vec<NewFile>> {
        let Some(key) = &self.ssh_key else { return Ok(Vec::new()) };
        if !parts.packages.contains(&"openssh-server") {
            fail!(Usage, "--ssh-key: systems of this template have no SSH server");
        }
        let words: Vec<&str> = key.split_whitespace().collect();
        let is_public = words.len() > 1
            && ["ssh-", "ecdsa-", "sk-"].iter().any(|prefix| words[0].starts_with(prefix))
            && key.trim().lines().count() == 1;
        if !is_public {
            fail!(Usage, "--ssh-key: expected a file with one public key, such as ~/.ssh/id_ed25519.pub");
        }
        let home = self.user.as_ref().map_or("root".to_owned(), |user| format!("home/{user}"));
        let file = |path: String, text: String| NewFile { path, text, executable: false };
        let mut files = vec![file(format!("root/{home}/.ssh/authorized_keys"), format!("{}\n", key.trim()))];
        if let (Some(user), None) = (&self.user, &self.password_hash) {
            files.push(file(
                format!("root/etc/sudoers.d/{user}"),
                format!("{user} ALL=(ALL) NOPASSWD: ALL\n"),
            ));
        }
        Ok(files)
    }

    fn users(&self, start: Start, parts: &Parts) -> Result<String> {
        let mut users: Vec<String> = Vec::new();
        if let Some((name, password)) = parts.user {
            users.push(user_element(name, name, password));
        }
        match (&self.user, &self.password_hash) {
            (None, None) => (),
            (None, Some(_)) => fail!(Usage, "--password-hash needs --user"),
            (Some(name), None) if self.ssh_key.is_none() => {
                fail!(
                    Usage,
                    "--user {name} needs --ssh-key or --password-hash; 'kiwi create-password' prints one"
                )
            }
            (Some(name), hash) => {
                if UserName::parse(name).is_none() {
                    fail!(Usage, "--user {name}: expected {}", UserName::EXPECTED);
                }
                if let Some(hash) = hash.as_ref().filter(|hash| !hash.starts_with('$')) {
                    fail!(
                        Usage,
                        "--password-hash {hash}: expected a hash as 'kiwi create-password' prints it"
                    );
                }
                let groups = format!("{name},{}", start.distribution.administrators());
                users.push(user_element(name, &groups, hash.as_deref()));
            }
        }
        if users.is_empty() {
            let hint = if parts.login.is_none() && self.ssh_key.is_none() {
                "  <!-- Nobody can log in yet: add a user, with the hash of kiwi create-password.\n  \
                 <users><user name=\"NAME\" home=\"/home/NAME\" groups=\"NAME\" password=\"HASH\"/></users> -->\n"
            } else {
                ""
            };
            return Ok(hint.to_owned());
        }
        Ok(format!("  <users>\n{}  </users>\n", users.concat()))
    }
}

/// Checks the whole description, because an answer may be wrong in a way that only this shows.
fn refuse_wrong(text: &str) -> Result<()> {
    let parsed = Description::parse(SourceFile { name: "config.xml".to_owned(), text: text.to_owned() });
    if parsed.diagnostics.has_errors() {
        fail!(
            Usage,
            "{}\nan answer makes the description wrong; nothing was written",
            diagnostic::render(&parsed.diagnostics, false)
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use description::Choice;

    use super::*;
    use crate::failure::{Failure, Kind};

    fn answers() -> Answers {
        Answers { repository: Some("http://example.org/repo?a=1&b=2".to_owned()), ..Answers::default() }
    }

    /// Every template of every distribution for which it exists.
    fn starts() -> Vec<Start> {
        let all = Template::ALL.iter().flat_map(|template| {
            Distribution::ALL
                .iter()
                .map(move |distribution| Start { template: *template, distribution: *distribution })
        });
        all.filter(|start| start.template.exists_for(start.distribution)).collect()
    }

    #[test]
    fn every_template_gives_a_selectable_description() {
        for start in starts() {
            for image_type in ["oem", "vmx", "iso", "usb", "pxe", "ext4", "squashfs", "tbz", "oci"] {
                let answers = Answers {
                    image_type: Some(image_type.to_owned()),
                    user: Some("tux".to_owned()),
                    password_hash: Some("$6$a$b".to_owned()),
                    ..answers()
                };
                let files = answers.files(start).unwrap();
                let text = files[0].text.clone();
                assert!(
                    !text.contains('@') || text.matches('@').count() == 1,
                    "only the contact has one: {text}"
                );
                let parsed = Description::parse(SourceFile { name: "config.xml".to_owned(), text });
                assert_eq!(parsed.diagnostics.0, Vec::new(), "{start:?} {image_type}");
                assert_eq!(parsed.deprecated.0, Vec::new(), "{start:?} {image_type}");
                let selection = parsed.description.unwrap().select(&Choice::default()).unwrap();
                assert_eq!(selection.image_type.keyword(), image_type);
                assert_eq!(selection.users.last().unwrap().name.as_str(), "tux");
            }
        }
    }

    #[test]
    fn rejects_wrong_answers_by_name() {
        let own = |text: &str| Some(text.to_owned());
        let debian = Start { template: Template::Server, distribution: Distribution::Debian12 };
        let fedora = Start { distribution: Distribution::Fedora, ..debian };
        let none = Answers::default;
        for (answers, start, named) in [
            (Answers { name: own("a b"), ..none() }, debian, "--name a b"),
            (Answers { user: own("tux"), ..none() }, debian, "--password-hash"),
            (Answers { image_type: own("ext44"), ..none() }, debian, "`ext44`"),
            (none(), fedora, "--repository"),
            (answers(), Start { template: Template::Kiosk, ..fedora }, "debian-12"),
            (Answers { ssh_key: own("secret"), ..none() }, debian, "id_ed25519.pub"),
            (
                Answers { ssh_key: own("-----BEGIN OPENSSH PRIVATE KEY-----\na b\n"), ..none() },
                debian,
                "id_ed25519.pub",
            ),
            (
                Answers { ssh_key: own("ssh-ed25519 A"), ..none() },
                Start { template: Template::Rescue, ..debian },
                "no SSH",
            ),
        ] {
            let failure: Failure = answers.files(start).unwrap_err().downcast().unwrap();
            assert_eq!(failure.kind, Kind::Usage);
            assert!(failure.message.contains(named), "{failure}");
        }
    }

    #[test]
    fn a_key_lets_its_owner_in() {
        let start = Start { template: Template::Server, distribution: Distribution::Debian13 };
        let key = Some("ssh-ed25519 AAAA tux@host\n".to_owned());
        let of = |user: Option<&str>| Answers {
            user: user.map(str::to_owned),
            ssh_key: key.clone(),
            ..Answers::default()
        };
        let text = |answers: &Answers, path: &str| {
            let files = answers.files(start).unwrap();
            files.into_iter().find(|file| file.path == path).map(|file| file.text)
        };
        let line = Some("ssh-ed25519 AAAA tux@host\n".to_owned());
        assert_eq!(text(&of(None), "root/root/.ssh/authorized_keys"), line);
        assert_eq!(text(&of(Some("tux")), "root/home/tux/.ssh/authorized_keys"), line);
        // Without a password sudo cannot ask for one.
        assert!(text(&of(Some("tux")), "root/etc/sudoers.d/tux").unwrap().contains("NOPASSWD"));
        let both = Answers { password_hash: Some("$6$a$b".to_owned()), ..of(Some("tux")) };
        assert_eq!(text(&both, "root/etc/sudoers.d/tux"), None);
    }
}
