//! The entry points of the fuzz targets to the parsers of packages.

use std::io::{Read, Write};
use std::path::{Component, Path};

use super::apt::release_date;
use super::deb::{Control, Deb, Kind, alternatives, entries};
use super::rpm::metadata::{
    Content, Edition, PrimaryPackage, Repomd, groups, metalink, packages, packages_of_media, patterns,
    uncompressed,
};

/// Bytes of the unpacked archive of a package that are read.
const MOST: u64 = 1 << 20;

/// Reads a package: its control files, and the entries of its archive up to a limit.
pub fn deb(bytes: &[u8]) {
    let file =
        rustix::fs::memfd_create("package", rustix::fs::MemfdFlags::CLOEXEC).expect("a file in memory");
    let mut file = std::fs::File::from(file);
    file.write_all(bytes).expect("writing to memory");
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let Ok(package) = Deb::open(Path::new(&path)) else { return };
    let name = package.name();
    assert!(!name.is_empty() && !name.contains('/') && !name.contains(char::is_whitespace), "{name:?}");
    let _ = (package.conffile_lines(), package.data_limit(), package.control.known_as());
    for member in &package.members {
        assert!(!member.name.contains('/') && member.name != "..", "{:?}", member.name);
    }
    if let Ok(data) = package.data() {
        tar(data.take(MOST));
    }
}

/// Reads the entries of a tar archive. Every path stays below the root.
pub fn tar(archive: impl Read) {
    let inside = |path: &Path| {
        assert!(path.components().all(|component| matches!(component, Component::Normal(_))), "{path:?}");
    };
    let _ = entries(archive, |entry, content| {
        inside(&entry.path);
        match &entry.kind {
            Kind::HardLink(to) => inside(to),
            Kind::File | Kind::Directory | Kind::Link(_) | Kind::Fifo | Kind::Device(_) => {}
        }
        std::io::copy(&mut content.take(MOST), &mut std::io::sink())?;
        Ok(())
    });
}

/// Reads a `control` file with its relations and compares their versions; reads the date of a `Release` file.
pub fn control(text: &str) {
    let _ = release_date(text);
    let Ok(control) = Control::read(text) else { return };
    let again = Control::read(control.text()).expect("a control file that was read");
    assert_eq!(again, control);
    for field in ["Depends", "Pre-Depends", "Provides"] {
        for relation in alternatives(control.field(field).unwrap_or_default()).flatten() {
            let _ = relation.admits(control.version());
        }
    }
}

/// Reads a file of the metadata of an RPM repository, whatever it is and however it is compressed. No name, version or
/// location of a package leads out of its directory.
pub fn rpm_metadata(bytes: &[u8]) {
    let below = |location: &str| {
        let path = Path::new(location);
        assert!(path.components().all(|part| matches!(part, Component::Normal(_))), "{location:?}");
    };
    if let Ok(repomd) = Repomd::parse(bytes) {
        repomd.files.iter().for_each(|file| below(&file.location));
        let _ = (repomd.time(), repomd.groups());
    }
    let mut text = Vec::new();
    let Ok(file) = uncompressed(bytes) else { return };
    let _ = file.take(MOST).read_to_end(&mut text);
    let _ = (patterns(text.as_slice()), groups(text.as_slice()), metalink(&text));
    if let Ok(content) = Content::parse(&text) {
        [content.packages, content.metadata].iter().for_each(|directory| below(directory));
    }
    let check = |package: PrimaryPackage| {
        below(&package.location);
        below(&package.nevra());
        assert_eq!(Edition::parse(&package.edition.to_string()).as_ref(), Some(&package.edition));
        Ok(())
    };
    let _ = packages(text.as_slice(), check);
    let _ = packages_of_media(text.as_slice(), "suse", check);
}

/// Reads the lead and the headers of an RPM package; returns whether they are valid.
pub fn rpm_header(bytes: &[u8]) -> bool {
    super::rpm::read_header(bytes).is_some()
}
