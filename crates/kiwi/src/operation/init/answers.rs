//! The answers for `kiwi init`, from options or from the terminal, and the files that result.

use anyhow::Result;
use description::{Description, ImageName, SourceFile, UserName};

use super::Template;
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
}

/// One file of the new description.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NewFile {
    pub(super) path: &'static str,
    pub(super) text: String,
    pub(super) executable: bool,
}

/// The default image type.
pub(super) const LOCALE: &str = "en_US";
pub(super) const KEYTABLE: &str = "us";
pub(super) const TIMEZONE: &str = "Etc/UTC";
pub(super) const IMAGE_TYPE: &str = "oem";

impl Answers {
    /// Returns the name of the image; that of the template by default.
    pub(super) fn name(&self, template: Template) -> String {
        self.name.clone().unwrap_or_else(|| format!("{}-server", template.keyword()))
    }

    /// Returns the files of the description, which has passed `kiwi check`.
    pub(super) fn files(&self, template: Template) -> Result<Vec<NewFile>> {
        let name = self.name(template);
        if ImageName::parse(&name).is_none() {
            fail!(Usage, "--name {name}: expected {}", ImageName::EXPECTED);
        }
        let Some(repository) = self.repository.as_deref().or(template.repository()) else {
            fail!(Usage, "the template {} needs --repository: the URL of its packages", template.keyword());
        };
        let or =
            |said: &Option<String>, otherwise: &str| said.clone().unwrap_or_else(|| otherwise.to_owned());
        let mut text = template.text().to_owned();
        for (location, value) in [
            ("@template@", template.keyword().to_owned()),
            ("@title@", template.title().to_owned()),
            ("@name@", escaped(&name)),
            ("@author@", escaped(&or(&self.user, "The author"))),
            ("@contact@", format!("{}@localhost", escaped(&or(&self.user, "root")))),
            ("@locale@", escaped(&or(&self.locale, LOCALE))),
            ("@keytable@", escaped(&or(&self.keytable, KEYTABLE))),
            ("@timezone@", escaped(&or(&self.timezone, TIMEZONE))),
            ("@type@", type_element(&or(&self.image_type, IMAGE_TYPE))),
            ("@users@", self.users(template)?),
            ("@repository@", escaped(repository)),
        ] {
            text = text.replace(location, &value);
        }
        refuse_wrong(&text)?;
        let config_sh = include_str!("templates/config.sh").replace("@ssh@", template.ssh_service());
        let file = |path, text: String, executable| NewFile { path, text, executable };
        Ok(vec![
            file("config.xml", text, false),
            file("config.sh", config_sh, true),
            file("root/etc/hostname", format!("{name}\n"), false),
            file("root/etc/motd", format!("This is {name}, built by kiwi.\n"), false),
            file(
                "root/etc/systemd/network/80-dhcp.network",
                "[Match]\nType=ether\n\n[Network]\nDHCP=yes\n".to_owned(),
                false,
            ),
        ])
    }

    fn users(&self, template: Template) -> Result<String> {
        let (name, hash) = match (&self.user, &self.password_hash) {
            (None, None) => {
                return Ok("  <!-- Nobody can log in yet: add a user, with the hash of kiwi create-password.\n  \
                           <users><user name=\"NAME\" home=\"/home/NAME\" groups=\"NAME\" password=\"HASH\"/></users> -->\n"
                    .to_owned());
            }
            (Some(name), Some(hash)) => (name, hash),
            (Some(name), None) => {
                fail!(Usage, "--user {name} needs --password-hash; 'kiwi create-password' prints one")
            }
            (None, Some(_)) => fail!(Usage, "--password-hash needs --user"),
        };
        if UserName::parse(name).is_none() {
            fail!(Usage, "--user {name}: expected {}", UserName::EXPECTED);
        }
        if !hash.starts_with('$') {
            fail!(Usage, "--password-hash {hash}: expected a hash as 'kiwi create-password' prints it");
        }
        Ok(format!(
            "  <users>\n    <user name=\"{name}\" home=\"/home/{name}\" groups=\"{name},{}\" shell=\"/bin/bash\"\n          \
             password=\"{}\"/>\n  </users>\n",
            template.administrators(),
            escaped(hash)
        ))
    }
}

/// Returns the `<type>` element; a disk has more attributes than the other types.
fn type_element(keyword: &str) -> String {
    match keyword {
        "oem" | "vmx" => format!(
            "<type image=\"{keyword}\" filesystem=\"ext4\" format=\"qcow2\">\n      <bootloader name=\"grub2\" \
             timeout=\"2\"/>\n    </type>"
        ),
        keyword => format!("<type image=\"{}\"/>", escaped(keyword)),
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

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use description::Choice;

    use super::*;
    use crate::failure::{Failure, Kind};

    fn answers() -> Answers {
        Answers { repository: Some("http://example.org/repo?a=1&b=2".to_owned()), ..Answers::default() }
    }

    #[test]
    fn every_template_gives_a_selectable_description() {
        for template in Template::ALL {
            for image_type in ["oem", "ext4", "squashfs", "tbz"] {
                let answers = Answers {
                    image_type: Some(image_type.to_owned()),
                    user: Some("tux".to_owned()),
                    password_hash: Some("$6$a$b".to_owned()),
                    ..answers()
                };
                let files = answers.files(template).unwrap();
                let text = files[0].text.clone();
                assert!(
                    !text.contains('@') || text.matches('@').count() == 1,
                    "only the contact has one: {text}"
                );
                let parsed = Description::parse(SourceFile { name: "config.xml".to_owned(), text });
                assert_eq!(parsed.diagnostics.0, Vec::new(), "{template:?}");
                assert_eq!(parsed.deprecated.0, Vec::new(), "{template:?}");
                let selection = parsed.description.unwrap().select(&Choice::default()).unwrap();
                assert_eq!(selection.image_type.keyword(), image_type);
                assert_eq!(selection.users[0].name.as_str(), "tux");
            }
        }
    }

    #[test]
    fn rejects_wrong_answers_by_name() {
        let own = |text: &str| Some(text.to_owned());
        for (answers, template, named) in [
            (Answers { name: own("a b"), ..Answers::default() }, Template::Debian12, "--name a b"),
            (Answers { user: own("tux"), ..Answers::default() }, Template::Debian12, "--password-hash"),
            (Answers { image_type: own("ext44"), ..Answers::default() }, Template::Debian12, "`ext44`"),
            (Answers::default(), Template::Fedora, "--repository"),
        ] {
            let failure: Failure = answers.files(template).unwrap_err().downcast().unwrap();
            assert_eq!(failure.kind, Kind::Usage);
            assert!(failure.message.contains(named), "{failure}");
        }
    }
}
