//! Lost packets, servers that go away, files that change.

use std::sync::atomic::{AtomicUsize, Ordering};

use kiwi_tests::network::{noise, publish};
use linuxrc::net::NetError;

use super::*;

/// A server whose failures are noticed soon.
fn impatient(mut server: Server) -> Server {
    server.patience = Duration::from_secs(2);
    server
}

#[test]
fn lost_packets_do_no_harm() {
    let Some(scene) = Scene::new(&["in.tftpd", "nginx", "nft"]) else { return };
    let scene = scene.with_address();
    let bytes = noise(600_000);
    publish(&scene.tree(), "file", &bytes);
    let _tftp = scene.network.tftp(&scene.tree());
    let _http = scene.network.http(&scene.tree());
    scene.network.lose(5);
    assert!(rest(tftp(BlockSize::Fixed(1468)).open("file", 0).unwrap()) == bytes);
    assert!(rest(http().open("file", 0).unwrap()) == bytes);
    tftp(BlockSize::Fixed(1468)).upload("upload/file", &bytes[..50_000]).unwrap();
    let uploaded = scene.tree().join("upload/file");
    wait_for(|| std::fs::read(&uploaded).unwrap() == bytes[..50_000], "the upload");
}

#[test]
fn a_download_survives_its_server() {
    let Some(scene) = Scene::new(&["in.tftpd", "nginx"]) else { return };
    let scene = scene.with_address();
    let bytes = noise(8 << 20);
    publish(&scene.tree(), "file", &bytes);
    for is_http in [false, true] {
        let server = impatient(if is_http { http() } else { tftp(BlockSize::Fixed(8192)) });
        let serve =
            || if is_http { scene.network.http(&scene.tree()) } else { scene.network.tftp(&scene.tree()) };
        let service = serve();
        let waited = AtomicUsize::new(0);
        let report = |error: &NetError, left: Duration| {
            assert!(error.may_pass() && left <= server.absence, "{error}");
            waited.fetch_add(1, Ordering::Relaxed);
        };
        let mut source = server.open("file", 0).unwrap().reporting(&report);
        let mut start = vec![0; 1 << 20];
        source.read_exact(&mut start).unwrap();
        scene.network.run("ip link set to-eth0 down");
        service.stop();
        let again = std::thread::scope(|scope| {
            let reader = scope.spawn(|| rest(source));
            std::thread::sleep(Duration::from_secs(1));
            scene.network.run("ip link set to-eth0 up");
            let again = serve();
            let end = reader.join().unwrap();
            assert!(start == bytes[..1 << 20] && end == bytes[1 << 20..], "HTTP: {is_http}");
            again
        });
        assert!(waited.load(Ordering::Relaxed) > 0, "the wait was not reported; HTTP: {is_http}");
        again.stop();
    }
}

#[test]
fn a_file_that_changes_is_noticed() {
    let Some(scene) = Scene::new(&["nginx"]) else { return };
    let scene = scene.with_address();
    publish(&scene.tree(), "file", &noise(20 << 20));
    let service = scene.network.http(&scene.tree());
    let mut source = impatient(http()).open("file", 0).unwrap();
    source.read_exact(&mut [0; 1000]).unwrap();
    service.stop();
    publish(&scene.tree(), "file", &noise(20 << 20)[1..]);
    let _service = scene.network.http(&scene.tree());
    let error = source.read_to_end(&mut Vec::new()).unwrap_err();
    assert_eq!(linuxrc::net::NetError::within(&error).unwrap().kind, NetErrorKind::Changed);
}

#[test]
fn absent_servers_end_in_a_typed_error() {
    let Some(scene) = Scene::new(&[]) else { return };
    let scene = scene.with_address();
    let kind = |server: Server| impatient(server).fetch("file", 10).unwrap_err().kind;
    assert_eq!(kind(http()), NetErrorKind::Unreachable, "nothing listens");
    assert_eq!(kind(tftp(BlockSize::Mtu(1500))), NetErrorKind::Timeout);
    let elsewhere = Server { address: "192.0.2.1".parse().unwrap(), ..http() };
    assert_eq!(kind(elsewhere), NetErrorKind::Unreachable, "there is no route");
    scene.network.run("ip link set to-eth0 down");
    assert!(matches!(kind(http()), NetErrorKind::Timeout | NetErrorKind::Unreachable));
}
