//! A container image: `<type image="oci">` and `<type image="docker">`.

/// Which keyword named the container image: each is an archive format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum ContainerKeyword {
    /// An OCI image layout in an archive.
    Oci,
    /// The archive that `docker save` writes.
    Docker,
}

impl ContainerKeyword {
    /// Returns the keyword as descriptions write it.
    pub const fn keyword(self) -> &'static str {
        match self {
            Self::Oci => "oci",
            Self::Docker => "docker",
        }
    }
}

/// The compression of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum LayerCompression {
    /// Not at all, as Docker's archive has it.
    None,
    /// zstd
    Zstd,
    /// gzip
    Gzip,
}

/// A container image.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Container {
    /// The keyword of the description.
    pub keyword: ContainerKeyword,
    /// The compression of the layer.
    pub compression: LayerCompression,
    /// `ensure_empty_tmpdirs`: `/run` and `/tmp` are empty in the image.
    pub empty_temporary: bool,
    /// `<containerconfig>`, or its defaults.
    pub config: ContainerConfig,
}

/// The name of a container image.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ContainerName {
    /// The repository, such as `example.org/web/server`.
    pub name: String,
    /// The tag.
    pub tag: String,
}

impl ContainerName {
    /// The tag of a name that specifies none.
    pub const DEFAULT_TAG: &str = "latest";

    /// Returns whether a text can be a repository: parts in lower case, separated by slashes; the first one may have a port.
    pub fn is_name(text: &str) -> bool {
        let part = |part: &str| {
            part.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
                && part.starts_with(|c: char| c.is_ascii_alphanumeric())
                && part.ends_with(|c: char| c.is_ascii_alphanumeric())
        };
        let host = |host: &str| match host.split_once(':') {
            Some((name, port)) => {
                part(name) && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
            }
            None => part(host),
        };
        text.len() <= 255
            && match text.split_once('/') {
                Some((first, rest)) => host(first) && rest.split('/').all(part),
                None => part(text),
            }
    }

    /// Returns whether a text can be a tag.
    pub fn is_tag(text: &str) -> bool {
        (1..=128).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
            && !text.starts_with(['.', '-'])
    }

    /// Reads `NAME`, `NAME:TAG` or `:TAG`, which is another tag of `own`.
    pub fn parse(text: &str, own: &str) -> Option<Self> {
        let (name, tag) = match text.rsplit_once(':') {
            Some(("", tag)) => (own, tag),
            // What follows the colon of a port has a slash.
            Some((name, tag)) if !tag.contains('/') => (name, tag),
            Some(_) | None => (text, Self::DEFAULT_TAG),
        };
        (Self::is_name(name) && Self::is_tag(tag))
            .then(|| Self { name: name.to_owned(), tag: tag.to_owned() })
    }
}

/// `<containerconfig>`: what a container runtime learns of an image.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ContainerConfig {
    /// `name`, `tag`, and `additionalnames` after them.
    pub names: Vec<ContainerName>,
    /// `maintainer`, else the author of `<history>`.
    pub author: Option<String>,
    /// `user`
    pub user: Option<String>,
    /// `workingdir`
    pub working_directory: Option<String>,
    /// `<entrypoint>`, the program and its arguments.
    pub entrypoint: Option<Vec<String>>,
    /// `<subcommand>`, the program or the arguments of the entry point.
    pub subcommand: Option<Vec<String>>,
    /// `<expose>`: ports such as `80` or `53/udp`.
    pub ports: Vec<String>,
    /// `<volumes>`
    pub volumes: Vec<String>,
    /// `<stopsignal>`
    pub stop_signal: Option<String>,
    /// `<environment>`: names and values.
    pub environment: Vec<(String, String)>,
    /// `<labels>`: names and values.
    pub labels: Vec<(String, String)>,
    /// `created_by` of `<history>`.
    pub created_by: Option<String>,
    /// `author` of `<history>`.
    pub history_author: Option<String>,
    /// The text of `<history>`.
    pub comment: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_registries_take() {
        for name in ["web", "a/b-c/d_e", "example.org:5000/web", "localhost/x"] {
            assert!(ContainerName::is_name(name), "{name}");
        }
        for name in ["", "Web", "a//b", "-a", "a:b/c", "a/b:5", "a b", "a/"] {
            assert!(!ContainerName::is_name(name), "{name}");
        }
        let parse =
            |text| ContainerName::parse(text, "own").map(|name| format!("{} {}", name.name, name.tag));
        assert_eq!(parse(":1.0").unwrap(), "own 1.0");
        assert_eq!(parse("other:V2").unwrap(), "other V2");
        assert_eq!(parse("example.org:5000/web").unwrap(), "example.org:5000/web latest");
        assert_eq!(parse("other:.x"), None);
    }
}
