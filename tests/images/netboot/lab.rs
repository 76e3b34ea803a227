//! A server tree with a tiny system, and machines that boot it over the network by the real linuxrc and Debian's cloud kernel.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use kiwi_tests::machine::{Firmware, Machine};
use kiwi_tests::network::{Network, SERVER, Service};
use kiwi_tests::program::{checkout, clear, once, scratch};

use crate::linuxrc::{material, shell};

/// The card of the client, and how the names of its files spell it.
pub(super) const MAC: &str = "52:54:00:12:34:ab";
pub(super) const MAC_IN_NAMES: &str = "52:54:00:12:34:AB";
/// The name of the image.
pub(super) const NAME: &str = "tiny.x86_64";
/// The prompt of the tiny system. It is computed, so that no echo of it is mistaken for it.
pub(super) const PROMPT: &str = "tiny-42 # ";
/// How long a boot may take on a busy machine, in seconds.
pub(super) const BOOT: u64 = 400;

const INIT: &str = "#!/bin/sh
mount -t proc proc /proc; mount -t sysfs sysfs /sys; mount -t devtmpfs devtmpfs /dev 2>/dev/null
mount -a; swapon -a
export PS1=\"tiny-$((6*7)) # \"
while :; do setsid cttyhack sh; done
";

/// What all tests share: `initrd.gz`, `core/`, `efi/`, and systems as images.
fn shared() -> &'static Path {
    static SHARED: OnceLock<PathBuf> = OnceLock::new();
    SHARED.get_or_init(|| {
        once("netboot-shared", |directory| {
            clear(directory);
            make_initrd(directory);
            make_boot_code(directory);
        })
    })
}

/// The boot image: linuxrc, modules for QEMU's devices, and the programs that create file systems.
fn make_initrd(directory: &Path) {
    let boot = &material().directory;
    let initrd = directory.join("initrd.gz");
    shell(
        directory,
        &format!(
            "boot='{}'; release=$(ls \"$boot/kernel/lib/modules\"); lib=lib/modules/$release
             mkdir -p initrd/$lib initrd/sbin; cp \"$boot\"/kernel/$lib/modules.* initrd/$lib/
             for module in virtio_pci virtio_net virtio_blk af_packet 8021q ext4 squashfs erofs overlay loop nbd nfs nfsv3 nfsv4 crc32c_generic; do
                 modprobe -d \"$boot/kernel\" -S $release --show-depends $module
             done | while read keyword file options; do
                 [ $keyword = insmod ] || continue
                 short=${{file#$boot/kernel/}}; mkdir -p initrd/${{short%/*}}; cp \"$file\" initrd/$short
             done
             for program in mke2fs e2fsck mkswap; do
                 path=$(command -v $program); cp \"$path\" initrd/sbin/
                 ldd \"$path\" | sed -n 's/^[^/]*\\(\\/[^ ]*\\) .*/\\1/p' | while read library; do
                     mkdir -p \"initrd/${{library%/*}}\"; cp -L \"$library\" \"initrd/$library\"
                 done
             done
             cp '{}' initrd/init; printf 'kind=netboot\\n' > initrd/kiwi.boot
             cd initrd; find . | cpio --quiet -o -H newc -R 0:0 | gzip -1 > '{}'",
            boot.display(),
            kiwi_tests::program::target().join("x86_64-unknown-linux-gnu/linuxrc/linuxrc").display(),
            initrd.display()
        ),
    );
    assert!(checkout().exists() && initrd.exists());
}

/// GRUB's code as an image carries it.
fn make_boot_code(directory: &Path) {
    shell(
        directory,
        "mkdir core; cat > early.cfg <<'END'
serial --unit=0 --speed=115200
terminal_output serial
search --no-floppy --file --set=root /boot/grub/grub.cfg
set prefix=($root)/boot/grub
END
         modules='part_msdos part_gpt ext2 search search_fs_file search_fs_uuid configfile normal linux serial terminal echo test'
         grub-mkimage -O i386-pc -c early.cfg -p /boot/grub -o core/core.img biosdisk $modules
         cp /usr/lib/grub/i386-pc/boot.img core/
         mkdir efi; grub-mkimage -O x86_64-efi -c early.cfg -p /boot/grub -o BOOTX64.EFI fat $modules
         truncate -s 2M efi/esp.img; mkfs.vfat -F 12 efi/esp.img; mmd -i efi/esp.img ::/EFI ::/EFI/BOOT
         mcopy -i efi/esp.img BOOTX64.EFI ::/EFI/BOOT/",
    );
}

/// The parts of a tiny system that an image contains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Everything, with a kernel and boot code for later boots from a disk.
    Bootable,
    /// Everything but that.
    Plain,
}

/// Makes the directory tree of a tiny system.
fn system(directory: &Path, version: &str, content: Content) -> PathBuf {
    let tree = directory.join(format!("system-{version}"));
    clear(&tree);
    shell(
        &tree,
        "mkdir -p bin sbin usr/bin usr/sbin etc dev proc sys run tmp boot/grub home mnt
         cp /bin/busybox bin/
         for name in sh ash mount umount poweroff reboot sync echo cat ls swapon setsid cttyhack df grep sed wc md5sum touch dd stat readlink; do
             ln -s busybox bin/$name
         done
         printf 'UUID=of-another-disk / ext4 defaults 0 1\\nproc /proc proc defaults,nofail 0 0\\n' > etc/fstab
         mkdir srv; ln -s /srv etc/inside; ln -s /outside-of-nothing etc/outside",
    );
    fs::write(tree.join("etc/version"), format!("this is {version}\n")).unwrap();
    fs::write(tree.join("sbin/init"), INIT).unwrap();
    shell(&tree, "chmod 755 sbin/init");
    if content == Content::Bootable {
        let (boot, shared) = (&material().directory, shared());
        shell(
            &tree,
            &format!(
                "release=$(ls '{0}/kernel/lib/modules'); cp '{1}' boot/vmlinuz-$release
                 cp '{0}/initrd.gz' boot/initrd.img-$release
                 mkdir boot/grub/i386-pc; cp '{2}'/core/* boot/grub/i386-pc/
                 mkdir boot/grub/x86_64-efi; cp '{2}'/efi/* boot/grub/x86_64-efi/",
                boot.display(),
                material().kernel.display(),
                shared.display()
            ),
        );
    }
    tree
}

/// A network with servers, and the tree that they serve.
pub(super) struct Lab {
    pub(super) network: Network,
    pub(super) directory: PathBuf,
    pub(super) tree: PathBuf,
    services: Vec<Service>,
    tftp: Option<Service>,
}

impl Lab {
    /// Sets up the network of the test `name` with DHCP and TFTP.
    pub(super) fn new(name: &str) -> Self {
        Self::with(name, &[])
    }

    /// Like [`Lab::new`], with options of dnsmasq.
    pub(super) fn with(name: &str, options: &[&str]) -> Self {
        let directory = scratch(&format!("netboot-{name}"));
        clear(&directory);
        let tree = directory.join("tree");
        for path in ["KIWI", "image", "boot", "upload"] {
            fs::create_dir_all(tree.join(path)).unwrap();
        }
        let network = Network::new(&directory.join("servers"));
        let (services, tftp) = (vec![network.dhcp(options)], Some(network.tftp(&tree)));
        Self { network, directory, tree, services, tftp }
    }

    /// Returns the laboratory with another network, in which nothing answers.
    pub(super) fn without_servers(self) -> Self {
        let network = Network::new(&self.directory.join("silent"));
        Self { network, services: Vec::new(), tftp: None, ..self }
    }

    /// Ends the TFTP server at once.
    pub(super) fn stop_tftp(&mut self) {
        self.tftp = None;
    }

    /// Starts the TFTP server again.
    pub(super) fn start_tftp(&mut self) {
        self.tftp = Some(self.network.tftp(&self.tree));
    }

    /// Starts another server.
    pub(super) fn add(&mut self, service: Service) {
        self.services.push(service);
    }

    /// Publishes an ext4 image of a tiny system.
    pub(super) fn publish(&self, version: &str, content: Content) {
        self.publish_sized(version, content, if content == Content::Bootable { 40 } else { 12 });
    }

    /// Like [`Lab::publish`], with a size in MiB.
    pub(super) fn publish_sized(&self, version: &str, content: Content, mebibytes: u32) {
        let tree = system(&self.directory, version, content);
        let image = self.image(version);
        shell(
            &self.directory,
            &format!(
                "rm -f '{0}'; truncate -s {mebibytes}M '{0}'; mke2fs -q -F -t ext4 -d '{1}' '{0}'",
                image.display(),
                tree.display()
            ),
        );
        self.sum(version);
    }

    /// Publishes a squashfs of a tiny system.
    pub(super) fn publish_squashfs(&self, version: &str) {
        let tree = system(&self.directory, version, Content::Plain);
        let image = self.image(version);
        let command =
            format!("mksquashfs '{}' '{}' -quiet -noappend -comp gzip", tree.display(), image.display());
        shell(&self.directory, &command);
        self.sum(version);
    }

    /// Returns the path of an image in the tree.
    pub(super) fn image(&self, version: &str) -> PathBuf {
        self.tree.join(format!("image/{NAME}-{version}"))
    }

    /// Writes the checksum of an image, whose size is a multiple of 4096.
    pub(super) fn sum(&self, version: &str) {
        let image = self.image(version);
        let blocks = fs::metadata(&image).unwrap().len() / 4096;
        let command =
            format!("printf '%s   {blocks} 4096\\n' \"$(md5sum < '{}' | cut -c 1-32)\"", image.display());
        fs::write(self.tree.join(format!("image/{NAME}-{version}.md5")), shell(&self.directory, &command))
            .unwrap();
    }

    /// Writes the configuration of the client, in one step.
    pub(super) fn configure(&self, text: &str) {
        let aside = self.tree.join("KIWI/.new");
        fs::write(&aside, text).unwrap();
        fs::rename(&aside, self.tree.join(format!("KIWI/config.{MAC_IN_NAMES}"))).unwrap();
    }

    /// Creates an empty disk.
    pub(super) fn disk(&self, mebibytes: u64) -> PathBuf {
        let path = self.directory.join("disk");
        File::create(&path).unwrap().set_len(mebibytes << 20).unwrap();
        path
    }

    /// Boots the client over the network; kernel and boot image come from QEMU.
    pub(super) fn boot(&self, line: &str, keywords: &[String]) -> Machine {
        self.boot_by(&Self::boot_image(), line, keywords)
    }

    /// Like [`Lab::boot`], with another boot image.
    pub(super) fn boot_by(&self, initrd: &Path, line: &str, keywords: &[String]) -> Machine {
        let keywords = [&start(initrd, line)[..], keywords].concat();
        self.network.machine(&keywords, Firmware::Bios, MAC, &self.directory)
    }

    /// Like [`Lab::boot`], as the client with another card.
    pub(super) fn boot_as(&self, mac: &str, line: &str, keywords: &[String]) -> Machine {
        let keywords = [&start(&Self::boot_image(), line)[..], keywords].concat();
        self.network.machine(&keywords, Firmware::Bios, mac, &self.directory)
    }

    /// Like [`Lab::boot`], with a card that is among the arguments of QEMU.
    pub(super) fn boot_with_card(&self, line: &str, keywords: &[String]) -> Machine {
        let keywords = [&start(&Self::boot_image(), line)[..], keywords].concat();
        let qemu = self.network.command("qemu-system-x86_64");
        Machine::start_with(qemu, &keywords, Firmware::Bios, &self.directory)
    }

    /// Returns the boot image, which is also for later boots from the disk.
    pub(super) fn boot_image() -> PathBuf {
        shared().join("initrd.gz")
    }
}

/// Returns the arguments of QEMU that start this boot image.
fn start(initrd: &Path, line: &str) -> [String; 6] {
    // On a busy host an emulated timer can miss the check that the kernel makes of it.
    let line = format!("console=ttyS0 quiet panic=-1 no_timer_check kiwi.phases=1 {line}");
    let [kernel, initrd] = [&material().kernel, initrd].map(|path| path.display().to_string());
    ["-kernel", &kernel, "-initrd", &initrd, "-append", &line].map(str::to_owned)
}

/// Returns the arguments of QEMU for a disk.
pub(super) fn with_disk(disk: &Path) -> Vec<String> {
    vec!["-drive".to_owned(), format!("file={},format=raw,if=virtio,cache=unsafe", disk.display())]
}

/// Waits for the prompt of the tiny system.
pub(super) fn enter(machine: &mut Machine) {
    machine.expect(&[PROMPT], BOOT);
}

/// Switches the machine off.
pub(super) fn end(mut machine: Machine) {
    machine.type_line("sync; poweroff -f");
    machine.expect_end(60);
}

/// The address of the servers as configurations spell it.
pub(super) fn server() -> &'static str {
    SERVER
}
