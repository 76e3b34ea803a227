//! Downloads and uploads.

use kiwi_tests::network::{noise, publish};

use super::*;

/// Where `scripts/test` unpacks atftpd, which cannot be installed beside tftpd-hpa.
fn atftpd() -> Option<PathBuf> {
    let path = kiwi_tests::program::target().join("unpacked/usr/sbin/atftpd");
    if path.is_file() || have(&["atftpd"]) { Some(path) } else { None }
}

const LENGTHS: [usize; 9] = [0, 1, 511, 512, 513, 1468, 2936, 8192, 200_001];

fn publish_all(scene: &Scene) {
    for length in LENGTHS {
        publish(&scene.tree(), &format!("image/{length}"), &noise(length));
    }
}

fn fetch_all(server: &Server) {
    for length in LENGTHS {
        let bytes = server.fetch(&format!("image/{length}"), length).unwrap();
        assert!(bytes == noise(length), "{length} bytes from {server:?}");
        assert!(
            rest(server.open(&format!("image/{length}"), length as u64 / 2).unwrap())
                == noise(length)[length / 2..]
        );
    }
    let kind = |name| server.fetch(name, 1000).unwrap_err().kind;
    assert_eq!((kind("image/absent"), kind("image/8192")), (NetErrorKind::NotFound, NetErrorKind::TooLarge));
}

#[test]
fn tftpd_hpa_sends_and_receives() {
    let Some(scene) = Scene::new(&["in.tftpd"]) else { return };
    let scene = scene.with_address();
    publish_all(&scene);
    publish(&scene.tree(), "large", &noise(3 << 20));
    let _tftp = scene.network.tftp(&scene.tree());
    for block_size in [
        BlockSize::Mtu(1500),
        BlockSize::Fixed(8),
        BlockSize::Fixed(512),
        BlockSize::Fixed(8192),
        BlockSize::Fixed(u16::MAX),
    ] {
        if block_size == BlockSize::Fixed(8) {
            assert!(tftp(block_size).fetch("image/513", 513).unwrap() == noise(513));
        } else {
            fetch_all(&tftp(block_size));
        }
    }
    let server = tftp(BlockSize::Mtu(1500));
    assert_eq!(server.open("large", 0).unwrap().size(), Some(3 << 20));
    assert!(rest(server.open("large", 0).unwrap()) == noise(3 << 20));
    assert!(server.parts("large").unwrap().read(1 << 20, 5000).unwrap() == noise(3 << 20)[1 << 20..][..5000]);
    for length in LENGTHS {
        let name = format!("upload/{length}");
        server.upload(&name, &noise(length)).unwrap();
        wait_for(|| std::fs::read(scene.tree().join(&name)).unwrap() == noise(length), &name);
    }
    assert_eq!(server.upload("absent/file", b"x").unwrap_err().kind, NetErrorKind::NotFound);
    assert_eq!(server.fetch("image/../secret", 9).unwrap_err().kind, NetErrorKind::InvalidName);
}

#[test]
fn tftpd_hpa_forbids() {
    let Some(scene) = Scene::new(&["in.tftpd", "chmod"]) else { return };
    let scene = scene.with_address();
    publish(&scene.tree(), "present", b"x");
    let _tftp = scene.network.tftp_with(&scene.tree(), &[]);
    let server = tftp(BlockSize::Mtu(1500));
    // Without -c and -p, files must be readable by everybody and may only be replaced.
    assert_eq!(server.fetch("present", 9).unwrap(), b"x");
    std::process::Command::new("chmod").args(["600", "present"]).current_dir(scene.tree()).status().unwrap();
    assert_eq!(server.fetch("present", 9).unwrap_err().kind, NetErrorKind::AccessViolation);
    assert_eq!(server.upload("present", b"y").unwrap_err().kind, NetErrorKind::AccessViolation);
}

/// Machines register, and register again, at a server with the options of the sample.
#[test]
fn tftpd_hpa_accepts_registrations_with_the_options_of_the_sample() {
    let Some(scene) = Scene::new(&["in.tftpd"]) else { return };
    let scene = scene.with_address();
    let options: Vec<&str> = crate::pxe::TFTP_OPTIONS.split(' ').collect();
    let _tftp = scene.network.tftp_with(&scene.tree(), &options);
    let path = scene.tree().join("upload/hwtype.00");
    for text in ["first", "second time"] {
        tftp(BlockSize::Mtu(1500)).upload("upload/hwtype.00", text.as_bytes()).unwrap();
        wait_for(|| std::fs::read_to_string(&path).unwrap() == text, text);
    }
}

#[test]
fn atftpd_sends_windows() {
    let Some(scene) = Scene::new(&[]) else { return };
    let Some(program) = atftpd() else { return };
    let scene = scene.with_address();
    publish_all(&scene);
    publish(&scene.tree(), "large", &noise(3 << 20));
    let _tftp = scene.network.atftp(&program, &scene.tree());
    for block_size in [BlockSize::Mtu(1500), BlockSize::Fixed(512), BlockSize::Fixed(8192)] {
        fetch_all(&tftp(block_size));
    }
    assert!(rest(tftp(BlockSize::Mtu(1500)).open("large", 0).unwrap()) == noise(3 << 20));
    tftp(BlockSize::Mtu(1500)).upload("upload/a", &noise(2000)).unwrap();
    // The server acknowledges the last block before it writes it.
    wait_for(|| std::fs::read(scene.tree().join("upload/a")).unwrap() == noise(2000), "the upload");
}

#[test]
fn dnsmasq_sends_files() {
    let Some(scene) = Scene::new(&["dnsmasq"]) else { return };
    let scene = scene.with_address();
    publish_all(&scene);
    let root = format!("--tftp-root={}", scene.tree().display());
    let _dhcp = scene.network.dhcp(&["--enable-tftp", &root]);
    for block_size in [BlockSize::Mtu(1500), BlockSize::Fixed(8192)] {
        fetch_all(&tftp(block_size));
    }
    assert!(tftp(BlockSize::Mtu(1500)).upload("upload/a", b"x").is_err());
}

#[test]
fn nginx_sends_parts_and_receives() {
    let Some(scene) = Scene::new(&["nginx"]) else { return };
    let scene = scene.with_address();
    publish_all(&scene);
    let name = "image/ein Name, +100% \u{fc}";
    publish(&scene.tree(), name, b"content");
    let _http = scene.network.http(&scene.tree());
    fetch_all(&http());
    assert_eq!(http().fetch(name, 10).unwrap(), b"content");
    let mut parts = http().parts("image/200001").unwrap();
    for (start, length) in [(0, 1), (199_000, 1001), (70_000, 65_536)] {
        let expected = &noise(200_001)[start..start + length];
        assert!(parts.read(start as u64, length).unwrap() == expected, "{start}");
    }
    assert_eq!(parts.read(199_000, 1002).unwrap_err().kind, NetErrorKind::Changed);
    assert_eq!(http().open("image", 0).err().unwrap().kind, NetErrorKind::AccessViolation, "a redirection");
    for length in [0, 70_000] {
        http().upload(&format!("upload/{length}"), &noise(length)).unwrap();
        assert!(std::fs::read(scene.tree().join(format!("upload/{length}"))).unwrap() == noise(length));
    }
    assert_eq!(http().upload("image/x", b"x").unwrap_err().kind, NetErrorKind::AccessViolation);
}

#[test]
fn a_server_without_ranges_serves_them_too() {
    let Some(scene) = Scene::new(&["python3"]) else { return };
    let scene = scene.with_address();
    publish_all(&scene);
    let _http = scene.network.simple_http(&scene.tree());
    fetch_all(&http());
}
