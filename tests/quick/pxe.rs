//! `kiwi pxe`: a directory for network boot, images in it, and the configurations of machines.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use test_programs::have;

use kiwi_tests::program::kiwi;
use kiwi_tests::run::Run;
use linuxrc::verified::{IndexError, trusted_index};

const MAC: &str = "52:54:00:12:34:AB";
const NAME: &str = "n.x86_64-1.0.0";
/// The options of tftpd-hpa in the sample.
pub(crate) const TFTP_OPTIONS: &str = "--secure --create --permissive --umask 022";

/// A directory with a published tree and the results of a build.
struct Scene {
    directory: tempfile::TempDir,
}

impl Scene {
    fn new(options: &str) -> Self {
        let scene = Self { directory: tempfile::tempdir().unwrap() };
        let _ = scene.run(&format!("pxe init tree --server 192.168.100.2/24 {options}")).done();
        std::fs::create_dir(scene.path("out")).unwrap();
        scene
    }

    fn bare() -> Self {
        Self::new("--no-bios --no-uefi")
    }

    fn path(&self, inside: &str) -> PathBuf {
        self.directory.path().join(inside)
    }

    fn run(&self, keywords: &str) -> Run {
        Run::of(Command::new(kiwi()).args(keywords.split_whitespace()).current_dir(self.directory.path()))
    }

    fn text(&self, inside: &str) -> String {
        std::fs::read_to_string(self.path(inside)).unwrap_or_else(|error| panic!("{inside}: {error}"))
    }

    /// Writes a file of 24576 bytes that contain `byte`, and its checksum.
    fn image(&self, name: &str, byte: u8) {
        let image = self.path("out").join(name);
        std::fs::write(&image, [byte; 24576]).unwrap();
        let sum = Command::new("md5sum").arg(&image).output().unwrap();
        let sum = String::from_utf8(sum.stdout).unwrap();
        std::fs::write(self.path("out").join(format!("{name}.md5")), format!("{}   3 8192\n", &sum[..32]))
            .unwrap();
    }

    /// Writes a boot image and its kernel.
    fn boot(&self, byte: u8) {
        std::fs::write(self.path("out/initrd-x-1.0.0.gz"), [byte; 5000]).unwrap();
        std::fs::write(self.path("out/initrd-x-1.0.0.kernel.6.1.0"), [byte; 3000]).unwrap();
    }
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name());
    let mut names: Vec<String> = entries.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

fn changes(run: &Run) -> Vec<(&str, &str)> {
    let files = run.outcome()["images"][0]["files"].as_array().unwrap().iter();
    files.map(|file| (file["path"].as_str().unwrap(), file["change"].as_str().unwrap())).collect()
}

#[test]
fn an_image_is_published_and_a_machine_gets_it() {
    let scene = Scene::bare();
    scene.image(NAME, 7);
    scene.boot(1);
    let prototype = "DISK=/dev/sda\nPART=200;S;x,x;L;/,\nIMAGE=/dev/sda2;n.x86_64;1.0.0\n";
    std::fs::write(scene.path(&format!("out/{NAME}.config")), prototype).unwrap();
    let publish = format!("pxe publish out/{NAME} --tree tree --boot out/initrd-x-1.0.0.gz");
    let published = scene.run(&publish).done();
    let digest = |byte: u8, count: usize| {
        let digest = Sha256::digest(vec![byte; count]);
        digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let (kernel, initrd) = (
        format!("boot/linux-6.1.0-{}", &digest(1, 3000)[..12]),
        format!("boot/initrd-x-1.0.0-{}", &digest(1, 5000)[..12]),
    );
    let files = ["", ".md5", ".sha256", ".config", ".boot"].map(|suffix| format!("image/{NAME}{suffix}"));
    let mut expected: Vec<(&str, &str)> = vec![(&kernel, "created"), (&initrd, "created")];
    expected.extend(files.iter().map(|path| (path.as_str(), "created")));
    assert_eq!(changes(&published), expected);
    assert_eq!(scene.text(&format!("tree/image/{NAME}.sha256")), format!("{}  {NAME}\n", digest(7, 24576)));
    let menu = scene.text("tree/pxelinux.cfg/default");
    assert!(
        menu.contains(&format!("KERNEL /{kernel}\n"))
            && menu.contains(&format!("initrd=/{initrd} kiwitftp=192.168.100.2\n")),
        "{menu}"
    );
    assert!(scene.text("tree/grub/grub.cfg").contains(&format!("initrd /{initrd}\n")));
    assert_eq!(std::fs::read(scene.path("tree/boot/initrd")).unwrap(), [1; 5000], "a link to the newest one");
    assert!(changes(&scene.run(&publish).done()).iter().all(|(_, change)| *change == "unchanged"));

    let written = scene
        .run(&format!(
            "pxe client {MAC} --tree tree --image {NAME} --disk /dev/nvme0n1 --set RELOAD_IMAGE=yes"
        ))
        .done();
    let config =
        "DISK=/dev/nvme0n1\nPART=200;S;x,x;L;/,\nIMAGE=/dev/nvme0n1p2;n.x86_64;1.0.0\nRELOAD_IMAGE=yes\n";
    assert_eq!(scene.text(&format!("tree/KIWI/config.{MAC}")), config);
    assert_eq!(
        (&written.outcome()["machines"][0]["config"], &written.outcome()["machines"][0]["problems"]),
        (&json!(config), &json!([]))
    );
    assert!(scene.text("tree/pxelinux.cfg/01-52-54-00-12-34-ab").contains(&format!("KERNEL /{kernel}\n")));
    assert!(scene.path("tree/grub/menu-52:54:00:12:34:ab.cfg").is_file());
    let _ = scene.run(&format!("pxe client {MAC} --tree tree --set RELOAD_IMAGE=")).done();
    assert!(!scene.text(&format!("tree/KIWI/config.{MAC}")).contains("RELOAD_IMAGE"));
    let _ = scene.run(&format!("pxe client {MAC} --tree tree --remove")).done();
    assert_eq!(
        (names(&scene.path("tree/KIWI")), names(&scene.path("tree/pxelinux.cfg"))),
        (vec![], vec!["default".to_owned()])
    );
}

#[test]
fn a_configuration_is_checked_against_the_tree() {
    let scene = Scene::bare();
    scene.image(NAME, 7);
    let _ = scene.run(&format!("pxe publish out/{NAME} --tree tree")).done();
    let config = scene.path("config");
    let shown = |text: &str| {
        std::fs::write(&config, text).unwrap();
        scene.run(&format!("pxe client {MAC} --tree tree --from config"))
    };
    let problems = |run: &Run| run.outcome()["machines"][0]["problems"].as_array().unwrap().len();
    let right = shown("# the till\nIMAGE=/dev/ram1;n.x86_64;1.0.0\n");
    assert_eq!((right.code, problems(&right)), (0, 0));
    assert_eq!(
        scene.text(&format!("tree/KIWI/config.{MAC}")),
        "# the till\nIMAGE=/dev/ram1;n.x86_64;1.0.0\n"
    );
    let wrong =
        shown("IMAGE=/dev/ram1;n.x86_64;1.0.0;;;compressed\nCONF=/KIWI/x;/etc/x\nKIWI_INITRD=/boot/none\n");
    assert_eq!((wrong.code, problems(&wrong)), (1, 3), "compressed, CONF, KIWI_INITRD: {:?}", wrong.last());
    let elsewhere = shown("IMAGE=/dev/ram1;other.x86_64;1;10.9.9.9\n");
    assert_eq!((elsewhere.code, problems(&elsewhere)), (0, 0), "another server has it");
    let kept = scene.text(&format!("tree/KIWI/config.{MAC}"));
    for text in ["IMAGE=/dev/sda3:image/x;1\n", "DISK=/dev/sda\n", "NAME=x\n", ""] {
        assert_eq!(shown(text).error(), (1, "configuration"), "{text}");
    }
    assert_eq!(
        scene.text(&format!("tree/KIWI/config.{MAC}")),
        kept,
        "a wrong configuration replaces nothing"
    );
    assert_eq!(scene.run(&format!("pxe client {MAC} --tree tree --image other-1")).error(), (1, "file"));
    assert_eq!(
        scene.run(&format!("pxe client {MAC} --tree tree --image ../out/{NAME}")).error(),
        (1, "file")
    );
    assert_eq!(scene.run(&format!("pxe client {MAC} --tree out")).error(), (1, "file"), "not a tree");
    assert_eq!(
        scene.run(&format!("pxe client {MAC} --tree tree --set NFSROOT=a;/b")).error(),
        (1, "configuration"),
        "two systems"
    );
    assert_eq!(scene.run("pxe client 52:54:00 --tree tree").code, 2);
    assert_eq!(scene.run(&format!("pxe client {MAC} --tree tree --set IMGE=x")).code, 2);
}

#[test]
fn machines_that_wait_are_listed_first() {
    let scene = Scene::bare();
    std::fs::write(scene.path("tree/KIWI/config.default"), "NFSROOT=a;/b\n").unwrap();
    let upload = |name: &str, text: &str| std::fs::write(scene.path("tree/upload").join(name), text).unwrap();
    upload(
        &format!("hwtype.{MAC}"),
        "NCNAME=till\nARCHITECTURE=x86_64\nIPADDR=192.168.100.130\nHWTYPE=QEMU pc\n",
    );
    upload("hwtype.52:54:00:00:00:01", "\u{1b}[2J");
    upload("hwtype.../../etc/passwd".replace('/', "-").as_str(), "NCNAME=x\nARCHITECTURE=x\n");
    upload("other", "");
    let listed = scene.run("pxe client --tree tree").done();
    let machines = listed.outcome()["machines"].as_array().unwrap();
    let facts = |machine: &Value| {
        (machine["mac"].clone(), machine["state"].clone(), machine["problems"].as_array().unwrap().len())
    };
    assert_eq!(
        machines.iter().map(facts).collect::<Vec<_>>(),
        [
            (json!("52:54:00:00:00:01"), json!("waiting"), 1),
            (json!(MAC), json!("waiting"), 0),
            (json!("default"), json!("configured"), 0)
        ]
    );
    let till = ["alias", "architecture", "address", "model"].map(|key| &machines[1][key]);
    assert_eq!(till, [&json!("till"), &json!("x86_64"), &json!("192.168.100.130"), &json!("QEMU pc")]);
}

#[test]
fn an_image_is_not_replaced_by_accident_and_a_damaged_one_is_refused() {
    let scene = Scene::bare();
    scene.image(NAME, 7);
    let publish = format!("pxe publish out/{NAME} --tree tree");
    let _ = scene.run(&publish).done();
    scene.image(NAME, 8);
    assert_eq!(scene.run(&publish).error(), (1, "exists"));
    assert_eq!(std::fs::read(scene.path(&format!("tree/image/{NAME}"))).unwrap()[0], 7);
    let replaced = scene.run(&format!("{publish} --replace")).done();
    assert_eq!(changes(&replaced)[0].1, "replaced");
    std::fs::write(scene.path(&format!("out/{NAME}")), [9; 24576]).unwrap();
    assert_eq!(scene.run(&format!("{publish} --replace")).error(), (1, "damaged"));
    assert_eq!(std::fs::read(scene.path(&format!("tree/image/{NAME}"))).unwrap()[0], 8);
    std::fs::remove_file(scene.path(&format!("out/{NAME}.md5"))).unwrap();
    assert_eq!(scene.run(&publish).error(), (1, "file"));
    assert_eq!(names(&scene.path("tree/image")).len(), 3, "nothing unfinished is left");
    assert_eq!(scene.run(&format!("pxe publish out/{NAME} --tree out")).error(), (1, "file"));
}

#[test]
fn a_compressed_image_is_compared_with_the_sum_of_its_content() {
    let scene = Scene::bare();
    scene.image(NAME, 7);
    let packed = Command::new("gzip").arg(scene.path(&format!("out/{NAME}"))).status().unwrap();
    assert!(packed.success());
    let _ = scene.run(&format!("pxe publish out/{NAME}.gz --tree tree")).done();
    let _ = scene.run(&format!("pxe client default --tree tree --image {NAME}")).done();
    assert_eq!(scene.text("tree/KIWI/config.default"), "IMAGE=/dev/ram1;n.x86_64;1.0.0;;;compressed\n");
    let sum = scene.text(&format!("tree/image/{NAME}.sha256"));
    let plain: String = Sha256::digest([7; 24576]).iter().map(|byte| format!("{byte:02x}")).collect();
    assert!(sum.starts_with(&plain), "{sum}");
}

/// A machine reads the menu once and then loads the files that it names. Whatever it reads while boot images are published,
/// it gets a pair that was published together.
#[test]
fn a_menu_always_names_a_complete_pair() {
    let scene = Scene::bare();
    scene.image(NAME, 7);
    scene.boot(0);
    let publish = format!("pxe publish out/{NAME} --tree tree --boot out/initrd-x-1.0.0.gz");
    let _ = scene.run(&publish).done();
    let ended = AtomicBool::new(false);
    let read = || {
        let mut seen = std::collections::BTreeSet::new();
        while !ended.load(Ordering::Relaxed) {
            let menu = scene.text("tree/pxelinux.cfg/default");
            let kernel =
                menu.lines().find_map(|line| line.trim().strip_prefix("KERNEL /")).unwrap().to_owned();
            let initrd =
                menu.split_whitespace().find_map(|word| word.strip_prefix("initrd=/")).unwrap().to_owned();
            let [kernel, initrd] =
                [kernel, initrd].map(|path| std::fs::read(scene.path("tree").join(path)).unwrap());
            assert_eq!(
                (kernel.len(), initrd.len(), kernel[0]),
                (3000, 5000, initrd[0]),
                "the files of two publications"
            );
            seen.insert(kernel[0]);
        }
        seen
    };
    std::thread::scope(|scope| {
        let readers: Vec<_> = (0..4).map(|_| scope.spawn(read)).collect();
        for byte in 1..6 {
            scene.boot(byte);
            let _ = scene.run(&publish).done();
        }
        ended.store(true, Ordering::Relaxed);
        let seen: usize = readers.into_iter().map(|reader| reader.join().unwrap().len()).sum();
        assert!(seen > 4, "the readers saw only {seen} menus");
    });
}

#[test]
fn boot_loaders_and_samples_are_accepted_by_their_programs() {
    if !have(&["grub-mkimage", "dnsmasq", "nginx", "file"]) {
        return;
    }
    let scene = Scene::new("--http --parameters console=ttyS0");
    for file in ["pxelinux.0", "ldlinux.c32", "mboot.c32", "libcom32.c32", "grub/grubx64.efi"] {
        assert!(scene.path("tree").join(file).is_file(), "{file}");
    }
    let judge = |script: &str| {
        let output = Command::new("sh")
            .args(["-e", "-c", script])
            .current_dir(scene.directory.path())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{script}: {text}");
        text
    };
    assert!(judge("file tree/grub/grubx64.efi").contains("PE32+ executable (EFI application) x86-64"));
    let _ = judge("PATH=$PATH:/usr/sbin dnsmasq --test --conf-file=tree/server/dnsmasq.conf");
    let nginx = "printf 'daemon off;\\npid %s/pid;\\nerror_log stderr;\\nevents {}\\nhttp { access_log off; client_body_temp_path %s/a; \
                 proxy_temp_path %s/b; fastcgi_temp_path %s/c; uwsgi_temp_path %s/d; scgi_temp_path %s/e; include %s/tree/server/nginx.conf; }\\n' \
                 $PWD $PWD $PWD $PWD $PWD $PWD $PWD > nginx.conf; \
                 sed -i 's/listen 80/listen 18080/' tree/server/nginx.conf; PATH=$PATH:/usr/sbin nginx -t -e stderr -p $PWD -c $PWD/nginx.conf";
    let _ = judge(nginx);
    let samples = names(&scene.path("tree/server"));
    assert_eq!(samples, ["dhcpd.conf", "dnsmasq.conf", "nginx.conf", "tftpd-hpa"]);
    let sample = scene.text("tree/server/tftpd-hpa");
    let directory = scene.path("tree").canonicalize().unwrap();
    assert!(sample.contains(&format!("TFTP_DIRECTORY=\"{}\"\n", directory.display())), "{sample}");
    assert!(sample.contains(&format!("TFTP_OPTIONS=\"{TFTP_OPTIONS}\"\n")), "{sample}");
    use std::os::unix::fs::PermissionsExt;
    let mode = scene.path("tree/upload").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o1777, "machines register there");
}

/// The settings of a tree change when it is made again; its images and menus stay.
#[test]
fn init_again_changes_the_settings_only() {
    let scene = Scene::bare();
    scene.image(NAME, 7);
    scene.boot(1);
    let _ = scene.run(&format!("pxe publish out/{NAME} --tree tree --boot out/initrd-x-1.0.0.gz")).done();
    let _ = scene.run(&format!("pxe client {MAC} --tree tree --image {NAME}")).done();
    let _ = scene.run("pxe init tree --server 10.0.0.1 --http --no-bios --no-uefi").done();
    for menu in
        ["pxelinux.cfg/default", "pxelinux.cfg/01-52-54-00-12-34-ab", "grub/grub.cfg", "ipxe/default.ipxe"]
    {
        let text = scene.text(&format!("tree/{menu}"));
        assert!(text.contains(" kiwiserver=10.0.0.1 kiwiservertype=http"), "{menu}: {text}");
    }
    assert!(scene.path(&format!("tree/image/{NAME}")).is_file());
    assert_eq!(scene.run("pxe init tree --server 10.0.0.1/33 --no-bios --no-uefi").code, 2);
}

#[test]
fn a_signed_image_is_trusted_by_boot_images_with_its_key_only() {
    if !have(&["minisign"]) {
        return;
    }
    let scene = Scene::bare();
    scene.image(NAME, 7);
    // Another program may divide the size into other blocks.
    let sum = scene.text(&format!("out/{NAME}.md5")).replace("3 8192", "6 4096");
    std::fs::write(scene.path(&format!("out/{NAME}.md5")), sum).unwrap();
    for name in ["own", "other"] {
        let (public, secret) = (scene.path(&format!("{name}.pub")), scene.path(&format!("{name}.key")));
        let (public, secret) = (public.to_str().unwrap(), secret.to_str().unwrap());
        test_programs::run("minisign", &["-G", "-W", "-p", public, "-s", secret]);
    }
    let published = scene.run(&format!("pxe publish out/{NAME} --tree tree --sign own.key")).done();
    let index = format!("image/{NAME}.caibx");
    let signature = format!("{index}.minisig");
    for path in [&index, &signature] {
        assert!(changes(&published).contains(&(path, "created")), "{path}");
    }
    let bytes = std::fs::read(scene.path(&format!("tree/{index}"))).unwrap();
    let signature = scene.text(&format!("tree/{signature}"));
    let key = |name: &str| scene.text(&format!("{name}.pub")).lines().nth(1).unwrap().to_owned();
    let trusted = |key: &str, path: &str, bytes: &[u8]| trusted_index(key, path, bytes, &signature);
    let path = format!("image/{NAME}");
    assert_eq!(trusted(&key("own"), &path, &bytes).map(|index| index.bytes()), Ok(24576));
    assert!(matches!(trusted(&key("own"), "image/n.x86_64-1.0.1", &bytes), Err(IndexError::OtherFile(_))));
    assert!(matches!(trusted(&key("other"), &path, &bytes), Err(IndexError::Signature(_))));
    assert!(matches!(
        trusted(&key("own"), &path, &[&bytes[..], b"x"].concat()),
        Err(IndexError::Signature(_))
    ));
    let again = scene.run(&format!("pxe publish out/{NAME} --tree tree --sign own.key")).done();
    assert!(changes(&again).iter().all(|(_, change)| *change == "unchanged"), "{:?}", changes(&again));
    let unlike = scene.run(&format!("pxe publish out/{NAME} --tree tree --sign out/{NAME}"));
    assert_eq!(unlike.error(), (1, "damaged"));
}
