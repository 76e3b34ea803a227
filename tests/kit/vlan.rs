//! A card in a VLAN of a [`Network`]. Kernels of build machines know no VLANs, so a program tags the frames between QEMU and a tap
//! of the bridge; frames without the tag are dropped.

use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use crate::network::Network;

const PROGRAM: &str = r#"
import fcntl, os, select, socket, struct, sys
tap, number, own, peer = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
device = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(device, 0x400454CA, struct.pack("16sH22x", tap.encode(), 0x1002))
machine = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
machine.bind(own)
while True:
    for ready in select.select([device, machine], [], [])[0]:
        if ready is machine:
            frame = machine.recv(65536)
            if frame[12:14] == b"\x81\x00" and struct.unpack(">H", frame[14:16])[0] & 0xFFF == number:
                os.write(device, frame[:12] + frame[16:])
        else:
            frame = os.read(device, 65536)
            try:
                machine.sendto(frame[:12] + struct.pack(">HH", 0x8100, number) + frame[12:], peer)
            except OSError:
                pass  # QEMU does not run yet, or no longer
"#;

/// The program that tags; it ends when this is dropped.
pub struct Tagger(Child);

/// Returns the program, and the arguments of QEMU for a card in the VLAN `number`.
///
/// # Panics
///
/// If Python or the tap is missing.
pub fn card(network: &Network, number: u16, mac: &str, directory: &Path) -> (Tagger, Vec<String>) {
    let [own, peer] = ["tagger", "machine"].map(|name| directory.join(name).display().to_string());
    let mut command = network.command("/usr/bin/python3");
    let child = command.args(["-c", PROGRAM, "tagged", &number.to_string(), &own, &peer]).spawn();
    let tagger = Tagger(child.expect("python3 starts"));
    let limit = Instant::now() + Duration::from_secs(30);
    while !network.run("ip -o link").contains(" tagged:") {
        assert!(Instant::now() < limit, "the tap does not appear");
        std::thread::sleep(Duration::from_millis(50));
    }
    network.run("ip link set tagged master lan up");
    let keywords = [
        "-netdev".to_owned(),
        format!("dgram,id=tagged,local.type=unix,local.path={peer},remote.type=unix,remote.path={own}"),
        "-device".to_owned(),
        format!("virtio-net-pci,netdev=tagged,mac={mac}"),
    ];
    (tagger, keywords.to_vec())
}

impl Drop for Tagger {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
