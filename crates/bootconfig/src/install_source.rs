//! The image of an installation over the network, which the kernel command line names:
//! `rd.kiwi.install.image=http://server/N.xz`. A path without a server is one on the server of the network boot.
//!
//! Beside the image are `N.md5` and, where they exist, `N.sha256` and `N.config` (docs/formats/image-files.md).

use crate::client::Compression;
use crate::network_parameter::{NetParametersError, ServerType};
use crate::parameter::Parameters;

/// The kernel parameter with the image.
const IMAGE: &str = "rd.kiwi.install.image";
/// The kernel parameter that requests an installation over the network.
const REQUEST: &str = "rd.kiwi.install.pxe";
const EXPECTED: &str = "http://<server>/<path>, tftp://<server>/<path>, or a path on the boot server";

/// An image on a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallSource {
    /// The server; none: that of the network boot.
    pub server: Option<SourceServer>,
    /// The path of the image on the server.
    pub path: String,
}

/// The server of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceServer {
    /// How files come from it.
    pub server_type: ServerType,
    /// Its name or its address.
    pub name: String,
    /// Its port.
    pub port: Option<u16>,
}

impl InstallSource {
    /// Returns the kernel parameters that request the installation of this file of the boot server.
    pub fn parameters(file: &str) -> String {
        format!("{REQUEST} {IMAGE}={file}")
    }

    /// Extracts the image; none if the command line does not request an installation over the network.
    pub fn of(parameters: &Parameters) -> Result<Option<Self>, NetParametersError> {
        let wrong = |text: String| Err(NetParametersError { parameter: IMAGE.to_owned(), text });
        match parameters.value(IMAGE).unwrap_or_default() {
            "" if parameters.is_on(REQUEST) => wrong(format!("is missing: expected {EXPECTED}")),
            "" => Ok(None),
            text => match Self::parse(text) {
                Some(source) => Ok(Some(source)),
                None => wrong(format!("\"{text}\": expected {EXPECTED}")),
            },
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (server, path) = match text.split_once("://") {
            None => (None, text),
            Some((scheme, rest)) => {
                let server_type = ServerType::ALL.into_iter().find(|kind| kind.keyword() == scheme)?;
                let (server, path) = rest.split_once('/')?;
                let (name, port) = crate::network_parameter::server(server)?;
                (Some(SourceServer { server_type, name, port }), path)
            }
        };
        let path = path.trim_start_matches('/');
        let is_file = !path.is_empty()
            && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
            && path.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '?' | '#' | '\\'));
        is_file.then(|| Self { server, path: path.to_owned() })
    }

    /// Returns the compression of the image, by the end of its name.
    pub fn compression(&self) -> Option<Compression> {
        Compression::ALL.into_iter().find(|compression| self.path.ends_with(compression.suffix()))
    }

    /// Returns the path of a file beside the image: N and this ending.
    pub fn beside(&self, ending: &str) -> String {
        let suffix = self.compression().map_or("", Compression::suffix);
        format!("{}{ending}", self.path.strip_suffix(suffix).unwrap_or(&self.path))
    }

    /// Returns the base name N of the image.
    pub fn name(&self) -> String {
        let path = self.beside("");
        path.rsplit('/').next().unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(line: &str) -> Result<Option<InstallSource>, NetParametersError> {
        InstallSource::of(&Parameters::parse(line))
    }

    #[test]
    fn the_image_is_on_a_named_server_or_on_that_of_the_boot() {
        let source = of("rd.kiwi.install.image=http://10.0.0.1:8080/a/n.x86_64-1.xz").unwrap().unwrap();
        let server = source.server.clone().unwrap();
        assert_eq!((server.server_type, server.name.as_str()), (ServerType::Http, "10.0.0.1"));
        assert_eq!((server.port, source.path.as_str()), (Some(8080), "a/n.x86_64-1.xz"));
        assert_eq!(
            (source.name().as_str(), source.beside(".md5").as_str()),
            ("n.x86_64-1", "a/n.x86_64-1.md5")
        );
        assert_eq!(source.compression(), Some(Compression::Xz));
        let line = InstallSource::parameters("n.raw");
        let source = of(&line).unwrap().unwrap();
        assert_eq!(
            (source.server.as_ref(), source.compression(), source.beside(".md5").as_str()),
            (None, None, "n.raw.md5")
        );
        assert_eq!(of("quiet rd.kiwi.install.pxe=0"), Ok(None));
    }

    #[test]
    fn what_is_no_file_of_a_server_is_refused() {
        for line in [
            "rd.kiwi.install.pxe",
            "rd.kiwi.install.image=https://a/n.xz",
            "rd.kiwi.install.image=ftp://a/n.xz",
            "rd.kiwi.install.image=http://a",
            "rd.kiwi.install.image=http:///n.xz",
            "rd.kiwi.install.image=http://a:0/n.xz",
            "rd.kiwi.install.image=http://u@a/n.xz",
            "rd.kiwi.install.image=../n.xz",
            "rd.kiwi.install.image=a//n.xz",
            "rd.kiwi.install.image=/",
            "rd.kiwi.install.image=n.xz?x",
        ] {
            assert_eq!(of(line).unwrap_err().parameter, IMAGE, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_value_is_read_or_refused(value in "((http|tftp)://)?\\PC*") {
            if let Ok(Some(source)) = of(&format!("rd.kiwi.install.image={value}")) {
                prop_assert!(!source.path.is_empty() && !source.path.split('/').any(|part| part == ".."));
            }
        }
    }
}
