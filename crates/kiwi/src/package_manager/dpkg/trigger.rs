//! Triggers (deb-triggers(5), and the files below `triggers/` in dpkg's database).

/// Files of dpkg in the directory in which each other file is a trigger of its name.
const FILES: [&str; 3] = ["File", "Lock", "Unincorp"];

/// An interest in a package's `triggers` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Interest {
    /// A name, or an absolute path for all files below it.
    pub(super) trigger: String,
    /// Whether the package that activates the trigger waits until it has been processed.
    pub(super) awaited: bool,
}

/// Parses the interests in a `triggers` file; dpkg handles activations by name when it configures the package.
pub(super) fn interests(text: &str) -> Vec<Interest> {
    let read = |line: &str| {
        let mut words = line.split('#').next()?.split_whitespace();
        let awaited = match words.next()? {
            "interest" | "interest-await" => true,
            "interest-noawait" => false,
            _ => return None,
        };
        let trigger = words.next()?;
        let plain = trigger.bytes().all(|byte| byte.is_ascii_graphic());
        let is_file_of_dpkg = FILES.contains(&trigger);
        let safe = trigger.starts_with('/')
            || !(trigger.contains('/') || trigger.starts_with('.') || is_file_of_dpkg);
        (plain && safe).then(|| Interest { trigger: trigger.to_owned(), awaited })
    };
    text.lines().filter_map(read).collect()
}

impl Interest {
    /// Returns whether it is an interest in paths.
    pub(super) fn is_path(&self) -> bool {
        self.trigger.starts_with('/')
    }

    /// Returns the name of the interested package as dpkg records it.
    pub(super) fn by(&self, package: &str) -> String {
        format!("{package}{}", if self.awaited { "" } else { "/noawait" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_interests_and_ignores_activations() {
        let text = "# man-db\ninterest-noawait /usr/share/man\nactivate ldconfig\n\ninterest ldconfig # x\ninterest ../x\ninterest File\n";
        let read = interests(text);
        assert_eq!(read.len(), 2);
        assert!(read[0].is_path() && !read[1].is_path());
        assert_eq!(
            (read[0].by("man-db"), read[1].by("libc-bin")),
            ("man-db/noawait".into(), "libc-bin".into())
        );
    }
}
