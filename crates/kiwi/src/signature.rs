//! Signatures of published files, made by the host's minisign with a key file of the user.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::failure::fail;
use crate::host::Host;

/// The program that signs.
pub const PROGRAM: &str = "minisign";

/// What a secret key without password has after `untrusted comment:` and the key's algorithm (`Ed`, base64 `RW`): no
/// algorithm that derives a key from a password.
const WITHOUT_PASSWORD: &str = "RWQAA";

/// A key file, and its password if it has one.
pub struct SigningKey {
    path: PathBuf,
    password: Option<String>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads the file, and asks for the password when it needs one.
    pub fn open(path: &Path, host: &Host) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("reading the signing key {}", path.display()))?;
        let mut lines = text.lines();
        let key = match (lines.next(), lines.next()) {
            (Some(comment), Some(key))
                if comment.starts_with("untrusted comment:") && key.starts_with("RW") =>
            {
                key
            }
            _ => fail!(
                Damaged,
                "{}: not a secret key of minisign; make one with: minisign -G -s {}",
                path.display(),
                path.display()
            ),
        };
        let password = if key.starts_with(WITHOUT_PASSWORD) {
            None
        } else if host.has_person() {
            let question = format!("Password of {}: ", path.display());
            Some(host.ask_secret(&question).context("reading the password of the signing key")?)
        } else {
            fail!(
                Usage,
                "{}: the key has a password, and nobody is there to type it; use a key without one (minisign -G -W)",
                path.display()
            );
        };
        Ok(Self { path: path.to_owned(), password })
    }

    /// Signs `file`; the signature becomes `output`. `trusted_comment` is signed, too.
    pub fn sign(&self, file: &Path, output: &Path, trusted_comment: &str, host: &Host) -> Result<()> {
        let what = || format!("signing {} with {}", file.display(), self.path.display());
        let mut command = host
            .command(PROGRAM)
            .args(["-S", "-c", "signature of a chunk index by kiwi", "-t", trusted_comment])
            .arg("-s")
            .arg(&self.path)
            .arg("-m")
            .arg(file)
            .arg("-x")
            .arg(output)
            .writable(output.parent().unwrap_or(Path::new("/")));
        if let Some(password) = &self.password {
            command = command.stdin_text(&format!("{password}\n")).with_context(what)?;
        }
        command.run().with_context(what)
    }
}

/// Returns the public key, in base64, of a public key file of minisign (`minisign.pub`).
pub fn public_key(path: &Path) -> Result<String> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("reading the public key {}", path.display()))?;
    match text.lines().find(|line| bootconfig::is_public_key(line)) {
        Some(key) => Ok(key.to_owned()),
        None => fail!(
            Damaged,
            "{}: not a public key of minisign, which has a line of 56 letters that starts with RW",
            path.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use test_programs::{have, run};

    use super::*;
    use crate::host::Output;

    #[test]
    fn minisign_verifies_the_signature_and_its_comment() {
        if !have(&["minisign"]) {
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
        run("minisign", &["-G", "-W", "-p", &path("a.pub"), "-s", &path("a.key")]);
        std::fs::write(path("index"), "chunks").unwrap();
        let host = Host::new(Output::Quiet);
        let key = SigningKey::open(path("a.key").as_ref(), &host).unwrap();
        key.sign(path("index").as_ref(), path("index.minisig").as_ref(), "kiwi file a", &host).unwrap();
        let public = public_key(path("a.pub").as_ref()).unwrap();
        let said = run("minisign", &["-V", "-P", &public, "-m", &path("index")]);
        assert!(said.contains("Trusted comment: kiwi file a"), "{said}");
        for (file, text) in [("a.key", "no key\nRW\n"), ("a.pub", "untrusted comment: x\nRWQ\n")] {
            std::fs::write(path(file), text).unwrap();
        }
        assert!(SigningKey::open(path("a.key").as_ref(), &host).is_err());
        assert!(public_key(path("a.pub").as_ref()).is_err());
    }
}
