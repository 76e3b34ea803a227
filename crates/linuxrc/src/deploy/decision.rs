//! Whether the system on the disk is the configured one.
//!
//! Each image that was installed has a marker in the system, `/etc/ImageVersion-<name>-<version>`, with its name and its MD5
//! sum. It is written when everything else of the installation is on the disk, so that an installation that was
//! interrupted has none.

use bootconfig::ImageEntry;
use ondisk::digest::hex;

/// What happens with an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is on the disk.
    Keep,
    /// It is loaded.
    Load(Reason),
}

/// Why an image is loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// `RELOAD_IMAGE` requests it.
    Requested,
    /// The device has no system that can be mounted.
    NoSystem,
    /// The system has no marker of this image.
    NotInstalled,
    /// The image on the server has another sum than the installed one.
    Changed,
    /// An image before it is loaded.
    WithOthers,
}

impl Reason {
    /// Returns the reason for messages.
    pub(crate) fn text(&self) -> &'static str {
        match self {
            Self::Requested => "RELOAD_IMAGE is set",
            Self::NoSystem => "the disk has no system",
            Self::NotInstalled => "this version is not installed",
            Self::Changed => "the image on the server has changed",
            Self::WithOthers => "another image of the system is loaded",
        }
    }
}

/// Returns the path of an image's marker.
pub(crate) fn marker_path(image: &ImageEntry) -> String {
    format!("/etc/ImageVersion-{}", image.file_name())
}

/// Returns the text of an image's marker.
pub(crate) fn marker_text(image: &ImageEntry, md5: [u8; 16]) -> String {
    format!("{} {}\n", image.file_name(), hex(md5))
}

/// Judges the images in their order. `marker` reads a marker; none: there is no system that can be mounted.
pub(crate) fn judge(
    images: &[(&ImageEntry, [u8; 16])],
    reload: bool,
    marker: Option<impl Fn(&str) -> Option<String>>,
) -> Vec<Verdict> {
    let mut loads_one = false;
    images
        .iter()
        .map(|(image, md5)| {
            let reason = match &marker {
                _ if loads_one => Some(Reason::WithOthers),
                _ if reload => Some(Reason::Requested),
                None => Some(Reason::NoSystem),
                Some(read) => reason(image, *md5, read(&marker_path(image)).as_deref()),
            };
            loads_one |= reason.is_some();
            reason.map_or(Verdict::Keep, Verdict::Load)
        })
        .collect()
}

fn reason(image: &ImageEntry, md5: [u8; 16], marker: Option<&str>) -> Option<Reason> {
    let Some(marker) = marker else { return Some(Reason::NotInstalled) };
    let mut fields = marker.split_whitespace();
    if fields.next() != Some(&image.file_name()) {
        return Some(Reason::NotInstalled);
    }
    (fields.next() != Some(&hex(md5))).then_some(Reason::Changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, version: &str) -> ImageEntry {
        ImageEntry {
            device: "sda2".to_owned(),
            name: name.to_owned(),
            version: version.to_owned(),
            server: None,
            block_size: None,
            compressed: None,
        }
    }

    #[test]
    fn an_image_is_loaded_unless_its_marker_says_that_it_is_there() {
        let (one, two) = (entry("one", "1"), entry("two", "1"));
        let images = [(&one, [0xab; 16]), (&two, [2; 16])];
        let markers = |path: &str| match path {
            "/etc/ImageVersion-one-1" => Some(marker_text(&one, [0xab; 16])),
            "/etc/ImageVersion-two-1" => Some(marker_text(&two, [2; 16])),
            _ => None,
        };
        let load = Verdict::Load;
        assert_eq!(judge(&images, false, Some(markers)), [Verdict::Keep, Verdict::Keep]);
        assert_eq!(judge(&images, true, Some(markers)), [load(Reason::Requested), load(Reason::WithOthers)]);
        assert_eq!(
            judge(&images, false, None::<fn(&str) -> Option<String>>),
            [load(Reason::NoSystem), load(Reason::WithOthers)]
        );
        let changed = [(&one, [1; 16]), (&two, [2; 16])];
        assert_eq!(judge(&changed, false, Some(markers)), [load(Reason::Changed), load(Reason::WithOthers)]);
        let second = [(&one, [0xab; 16]), (&two, [3; 16])];
        assert_eq!(judge(&second, false, Some(markers)), [Verdict::Keep, load(Reason::Changed)]);
        let newer = entry("one", "2");
        assert_eq!(judge(&[(&newer, [0xab; 16])], false, Some(markers)), [load(Reason::NotInstalled)]);
        let other = |_: &str| Some("another-1 00\n".to_owned());
        assert_eq!(judge(&images[..1], false, Some(other)), [load(Reason::NotInstalled)]);
        let empty = |_: &str| Some(String::new());
        assert_eq!(judge(&images[..1], false, Some(empty)), [load(Reason::NotInstalled)]);
    }
}
