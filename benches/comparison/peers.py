"""kiwi and its peers: each can do its work with cold caches, step by step."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from comparison.measuring import measure

CHECKOUT = Path(__file__).resolve().parent.parent.parent
SUITE = "bookworm"
# A server with kernel, boot loader, ssh and the tools of an administrator.
PACKAGES = """ca-certificates cpio curl dbus dmsetup e2fsprogs grub-efi-amd64-bin grub-pc-bin grub2-common init iproute2
iputils-ping kmod less linux-image-cloud-amd64 locales man-db netbase openssh-server parted procps sudo systemd-sysv
tzdata udev vim-tiny xz-utils zstd""".split()
# Every type that kiwi makes of that system, with the name of the tools of `Bare` that make the same.
TYPES = {
    "oem": ('filesystem="ext4" format="qcow2" primary="true"', "mke2fs -d + qemu-img"),
    "squashfs": ("", "mksquashfs"),
    "erofs": ("", "mkfs.erofs"),
    "tbz": ("", "tar and xz"),
    "cpio": ("", "cpio and gzip"),
    "iso": ('flags="overlay"', "mksquashfs"),
    "ext4": ("", "mke2fs -d"),
}


def mirror():
    """Returns the mirror of the host's own apt."""
    words = ["apt-get", "indextargets", "--format", "$(SITE)", "Created-By: Packages"]
    for line in subprocess.run(words, capture_output=True, text=True, check=False).stdout.splitlines():
        if "security" not in line:
            return line.strip()
    raise SystemExit("the host's apt names no mirror")


def set_aside(directory):
    """Renames the results of a run instead of removing them: for minutes after many files were removed, an ext4 without a
    journal reads the inode of each whenever a file is created, which would slow down the next run."""
    if directory.exists():
        old = directory.parent / "old"
        old.mkdir(exist_ok=True)
        directory.rename(old / f"{directory.name}.{len(list(old.iterdir()))}")


def description(directory, packages, types, ng=False):
    directory.mkdir(parents=True)
    source = f'<source path="{mirror()}"/>' if ng else f'<source path="debian://{SUITE}"/>'
    attributes = ' type="apt-deb" distribution="%s" components="main" repository_gpgcheck="false"' % SUITE if ng else ""
    bootstrap = ""
    if ng:
        bootstrap = '<packages type="bootstrap"><package name="usrmerge"/></packages>'
        packages = [*packages, "dracut"]
    listed = "\n".join(f'<package name="{package}"/>' for package in packages)
    (directory / "config.xml").write_text(
        f"""<image schemaversion="{'8.0' if ng else '8.5'}" name="bench">
  <description type="system"><author>A</author><contact>a@example.org</contact><specification>S</specification></description>
  <preferences><version>1.0.0</version><packagemanager>apt</packagemanager>{types}</preferences>
  <repository{attributes}>{source}</repository>
  {bootstrap}
  <packages type="image">{listed}</packages>
</image>
"""
    )


class Kiwi:
    def __init__(self, work):
        self.work = work
        self.program = CHECKOUT / "target/release/kiwi"
        self.tree, self.images = work / "kiwi-tree", work / "kiwi-images"
        self.images.mkdir()
        types = "".join(f'<type image="{word}" {attributes}/>' for word, (attributes, _) in TYPES.items())
        description(work / "kiwi", PACKAGES, types)
        # The cache keeps packages between runs but no stages: every run is a cold one.
        self.store = work / "kiwi-store"
        self.environment = dict(os.environ, KIWI_CACHE=str(self.store))

    def forget_stages(self):
        shutil.rmtree(self.store / "stages", ignore_errors=True)

    def __call__(self, name, *words):
        measure(name, self.program, *words, env=self.environment)

    def fill(self):
        self("kiwi prepare", "prepare", self.work / "kiwi", "--root", self.tree)

    def cold(self):
        set_aside(self.tree)
        self.forget_stages()
        self("kiwi prepare", "prepare", self.work / "kiwi", "--root", self.tree)
        for image in TYPES:
            timings = self.work / f"timings-{image}"
            words = ("--destdir", self.images, "--type", image, "--timings", timings)
            self(f"kiwi create {image}", "create", self.tree, *words)

    def boot_image(self):
        """Returns the CPU seconds of the boot image of the disk."""
        report = json.loads((self.work / "timings-oem.json").read_text())
        return sum(stage["cpu"] for stage in report["stages"] if "boot image" in stage["name"])

    def sizes(self):
        """Returns the sizes of the tree and of the disk in bytes."""
        words = ["du", "-s", "--block-size=1", self.tree]
        tree = int(subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[0])
        return tree, sum(file.stat().st_blocks * 512 for file in self.images.glob("*.qcow2"))

    def rebuilds(self):
        build = ("build", self.work / "kiwi", "--destdir", self.images)
        script = self.work / "kiwi/config.sh"
        config = self.work / "kiwi/config.xml"
        before = config.read_text()
        self.forget_stages()
        self("kiwi build", *build)
        self("kiwi build, nothing changed", *build)
        script.write_text("#!/bin/sh\ntrue\n")
        script.chmod(0o755)
        self("kiwi build, config.sh changed", *build)
        script.unlink()
        motd = self.work / "kiwi/root/etc/motd"
        motd.parent.mkdir(parents=True)
        motd.write_text("Have a lot of fun\n")
        self("kiwi build, the overlay changed", *build)
        config.write_text(before.replace("</packages>", '<package name="file"/></packages>'))
        self("kiwi build, a package added", *build)
        config.write_text(before)
        shutil.rmtree(self.work / "kiwi/root")


class Mmdebstrap:
    """mmdebstrap with the same packages; no initramfs generator runs, as none runs in kiwi's prepare."""

    HELD = (
        'chroot "$1" dpkg-divert --local --no-rename --divert /usr/sbin/update-initramfs.off --add '
        '/usr/sbin/update-initramfs && printf "#!/bin/sh\\nexit 0\\n" > "$1/usr/sbin/update-initramfs" && '
        'chmod 755 "$1/usr/sbin/update-initramfs"'
    )

    def __init__(self, work):
        self.tree, self.cache = work / "mmdebstrap-tree", work / "archives"
        self.cache.mkdir()

    def fill(self):
        self.cold()

    def cold(self):
        set_aside(self.tree)
        archives = '"$1"/var/cache/apt/archives/'
        measure(
            "mmdebstrap",
            "mmdebstrap",
            "--quiet",
            "--variant=essential",
            f"--include={','.join(PACKAGES)}",
            "--skip=download/empty,essential/unlink",
            f"--setup-hook=mkdir -p {archives} && cp -a {self.cache}/. {archives}",
            f"--essential-hook={self.HELD}",
            f"--customize-hook=cp -n {archives}*.deb {self.cache}/ || true",
            SUITE,
            self.tree,
        )


class Bare:
    """The tools that kiwi calls, on kiwi's tree, with the arguments that affect the cost. No digests are computed."""

    def __init__(self, work, tree):
        self.tree, self.image = tree, work / "bare-image"

    def fill(self):
        """Does nothing: these tools have no cache."""

    def cold(self):
        image = self.image
        second = image.with_suffix(".second")
        measure("mke2fs -d", "mke2fs", "-q", "-F", "-t", "ext4", "-d", self.tree, image, "700M")
        convert = "qemu-img convert -f raw -O qcow2 -c -m 16 -o compression_type=zstd,cluster_size=128k".split()
        measure("qemu-img", *convert, image, second)
        image.unlink()
        second.unlink()
        squashfs = "-comp zstd -Xcompression-level 3 -no-progress -quiet -noappend -no-recovery -reproducible".split()
        squashfs += ["-mem", f"{64 + 32 * os.cpu_count()}M"]
        measure("mksquashfs", "mksquashfs", self.tree, image, *squashfs)
        image.unlink()
        measure("mkfs.erofs", "mkfs.erofs", "-zlz4hc", image, self.tree)
        image.unlink()
        pack = 'tar -C "$0" -c --sort=name --numeric-owner --xattrs . | xz -T0 --block-size=16MiB -1 >"$1"'
        measure("tar and xz", "bash", "-c", pack, self.tree, image)
        pack = 'cd "$0" && find . | cpio --quiet -o -H newc | gzip -6 >"$1"'
        measure("cpio and gzip", "bash", "-c", pack, self.tree, image)
        image.unlink()


class Ng:
    """KIWI NG from PyPI. Its prepare runs a generator in the tree, its create needs loop devices."""

    def __init__(self, work):
        self.directory = work / "ng"
        environment = work / "ng-environment"
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        subprocess.run([environment / "bin/pip", "install", "--quiet", "kiwi>=11,<12"], check=True)
        self.program = environment / "bin/kiwi-ng"
        self.tree = work / "ng-tree"
        self.images = work / "ng-images"
        types = (
            '<type image="oem" filesystem="ext4" format="qcow2" initrd_system="dracut" primary="true">'
            '<bootloader name="grub2"/><oemconfig><oem-resize>false</oem-resize></oemconfig></type>'
        )
        description(self.directory, PACKAGES, types, ng=True)
        settings = self.directory / "root/etc/dracut.conf.d"
        settings.mkdir(parents=True)
        (settings / "zstd.conf").write_text('compress="zstd -3"\n')
        self.cache = work / "ng-cache"

    def __call__(self, name, *words):
        # It finds some tools by name: those of its own environment come first.
        environment = dict(os.environ, PATH=f"{self.program.parent}:{os.environ['PATH']}")
        options = ("--shared-cache-dir", self.cache)
        measure(name, self.program, *options, "system", *words, env=environment)

    def fill(self):
        self.cold()

    def cold(self):
        set_aside(self.tree)
        set_aside(self.images)
        self("NG prepare", "prepare", "--description", self.directory, "--root", self.tree, "--allow-existing-root")
        self("NG create", "create", "--root", self.tree, "--target-dir", self.images)
