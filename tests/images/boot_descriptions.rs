//! Every boot image description that comes with kiwi gives a boot image and its kernel.

use std::process::Command;

use kiwi_tests::machine::run_kiwi;
use kiwi_tests::program::kiwi;

#[test]
fn all_of_them_are_built() {
    let listed = Command::new(kiwi()).arg("--list").output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let paths: Vec<&str> =
        listed.lines().filter_map(|line| line.split_once(" -> ")).map(|line| line.0).collect();
    assert_eq!(paths.len(), 16, "{listed}");
    for kind in
        ["isoboot", "isoinstboot", "netboot", "oemboot", "usbboot", "vmxboot", "xenboot", "xennetboot"]
    {
        for system in ["debian-12", "debian-13"] {
            assert!(paths.contains(&format!("{kind}/{system}").as_str()), "{listed}");
        }
    }
    let directory = tempfile::tempdir().unwrap();
    for path in paths {
        run_kiwi(&["build", path, "--destdir", directory.path().to_str().unwrap()]);
        let name = format!("initrd-{}.x86_64-1.0.0", path.replace('/', "-"));
        let initrd = std::fs::read(directory.path().join(format!("{name}.gz"))).unwrap();
        assert_eq!(initrd[..2], [0x1f, 0x8b], "{name}");
        let most = if path.contains("netboot") { 25_000_000 } else { 16 << 20 };
        assert!(initrd.len() < most, "{name} has {} bytes: is all in it that is never used?", initrd.len());
        let kernel = format!("{name}.kernel.6.");
        let names = directory.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name());
        let hypervisor = directory.path().join(format!("{name}.kernel-xen.")).display().to_string();
        let published = directory.path().read_dir().unwrap().map(|entry| entry.unwrap().path());
        let hypervisors = published.filter(|path| path.to_string_lossy().starts_with(&hypervisor)).count();
        assert_eq!(hypervisors, usize::from(path.starts_with("xennetboot")), "{name}");
        assert_eq!(names.filter(|name| name.to_string_lossy().starts_with(&kernel)).count(), 1, "{name}");
    }
}
