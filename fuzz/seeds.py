#!/usr/bin/env python3
"""Writes the seeds of a target, and its keywords to DIRECTORY.dict: seeds.py TARGET DIRECTORY.

Tables are those that sfdisk writes, superblocks those of the mkfs programs, packages those of dpkg-deb; a program that is
missing gives no seed. Texts are small examples of every format."""
import gzip, hashlib, io, lzma, os, struct, subprocess, sys, tarfile, tempfile

target, directory = sys.argv[1:]
os.environ["PATH"] += ":/usr/sbin:/sbin"


def seed(name, data):
    with open(os.path.join(directory, name), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def keywords(*lines):
    def escaped(word):
        return "".join(c if c.isascii() and c.isprintable() and c not in '\\"' else f"\\x{ord(c):02x}" for c in word)

    with open(directory + ".dict", "w") as file:
        file.writelines(f'"{escaped(word)}"\n' for line in lines for word in line.split(" "))


def succeeds(command, scratch, text=None):
    try:
        subprocess.run(command, input=text, check=True, cwd=scratch, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return True
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"no seed of {command[0]}: {error}", file=sys.stderr)
        return False


def image(size, command, text=None):
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "image")
        with open(path, "wb") as file:
            file.truncate(size)
        os.mkdir(scratch + "/tree")
        command = [word.replace("IMAGE", path).replace("TREE", scratch + "/tree") for word in command]
        if not succeeds(command, scratch, text):
            return None
        with open(path, "rb") as file:
            return file.read()


def partition_tables():
    for name, script in {
        "gpt": "label: gpt\ntable-length: 4\n2048,4096,U\n,8192,L\n",
        "mbr": "label: dos\n2048,4096,L,*\n,8192,S\n",
        "extended": "label: dos\n2048,4096,L\n,8192,E\n,,L\n",
    }.items():
        disk = image(64 << 20, ["sfdisk", "-q", "IMAGE"], script.encode())
        if disk:
            for options in (0x48, 0x4A):
                entries = disk[1024:1536] if disk[512:520] == b"EFI PART" else b""
                headers = disk[512:604] + disk[-512:-420]
                seed(f"{name}-{options}", bytes([options]) + disk[446:510] + headers + entries)
    keywords("EFI\x20PART")


def superblocks():
    for name, command in {
        "ext2": ["mke2fs", "-q", "-F", "-t", "ext2", "IMAGE"],
        "ext4": ["mke2fs", "-q", "-F", "-t", "ext4", "-O", "64bit", "IMAGE"],
        "xfs": ["mkfs.xfs", "-q", "IMAGE"],
        "btrfs": ["mkfs.btrfs", "-q", "IMAGE"],
        "squashfs": ["mksquashfs", "TREE", "IMAGE", "-noappend", "-quiet"],
        "erofs": ["mkfs.erofs", "IMAGE", "TREE"],
        "swap": ["mkswap", "-q", "IMAGE"],
    }.items():
        device = image(300 << 20, command)
        if device:
            seed(name, device[:512].ljust(512, b"\0") + device[1024:4096].ljust(3072, b"\0") + device[65536:66560])
    keywords("XFSB _BHRfS_M hsqs SWAPSPACE2")


CONTROL = """Package: a
Version: 1:2~3-4+b1
Architecture: amd64
Multi-Arch: same
Installed-Size: 4
Depends: b (>= 1.0~rc1), c | d:any (<< 2)
Pre-Depends: e (= 1)
Description: short
 long
 .
"""


def deb():
    for compression in ("none", "gzip", "xz", "zstd"):
        with tempfile.TemporaryDirectory() as scratch:
            os.makedirs(scratch + "/a/DEBIAN")
            os.makedirs(scratch + "/a/etc")
            for name, text in {"control": CONTROL, "conffiles": "/etc/a\n", "postinst": "#!/bin/sh\n"}.items():
                with open(f"{scratch}/a/DEBIAN/{name}", "w") as file:
                    file.write(text)
                os.chmod(f"{scratch}/a/DEBIAN/{name}", 0o755)
            with open(scratch + "/a/etc/a", "w") as file:
                file.write("x\n")
            command = ["dpkg-deb", "--root-owner-group", "--uniform-compression", "-Z" + compression, "-b", "a", "a.deb"]
            if succeeds(command, scratch):
                with open(scratch + "/a.deb", "rb") as file:
                    seed(compression, b"\0" + file.read())
    keywords("!<arch>\n debian-binary 2.0\n control.tar data.tar .gz .xz .lzma .zst `\n _gpg / control conffiles")


def tar():
    for format in (tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT, tarfile.PAX_FORMAT):
        written = io.BytesIO()
        with tarfile.open(fileobj=written, mode="w", format=format) as archive:
            for kind in (tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
                entry = tarfile.TarInfo("./usr")
                entry.type, entry.linkname, entry.devmajor, entry.uname = kind, "usr/x", 1, "root"
                archive.addfile(entry)
            for name in ("./usr/x", "./usr/" + "y" * 90 + "/" + "z" * 60):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode, entry.mtime = 3, 0o4755, 1
                archive.addfile(entry, io.BytesIO(b"abc"))
        seed(str(format), b"\0" + written.getvalue()[:8192])
    keywords("ustar ustar\0 ././@LongLink ../ / \n")


def control_files():
    seed("control", CONTROL)
    seed("release", "Origin: x\nDate: Sat, 29 Feb 2020 12:34:56 UTC\nSHA256:\n 00 1 main/x\n")
    seed("sources", "# a\nTypes: deb deb-src\nURIs: http://a.example/d\nSuites: trixie trixie-updates\n"
         "Components: main\n\nEnabled: no\nTypes: deb\nURIs: http://b.example\nSuites: trixie-security\n")
    seed("list", "deb [arch=amd64 signed-by=/x] http://a.example/d trixie main\ndeb http://b.example trixie-security main\n")
    keywords("Package: Version: Architecture: Multi-Arch: Depends: Pre-Depends: Provides: Date: Types: URIs: Suites:",
             "Enabled: deb deb-src sid -security same any all # \n\n . : ~ << <= = >= >> ( ) | , [ ]")


def kiwi_yml():
    seed("mapping", "\1bundle:\n  compress: false\n  shasum_size: 512\nxz:\n  options: --threads=2 -9 -e\n")
    seed("list", "\1obs:\n  - download_url: http://a.example/\nbuild_constraints: [{max_size: 2g}]\nx: &a {b: c}\ny: *a\n")
    seed("cache", "\1cache: {max_size: 20m}\nshasum:\n  size: '256'\nruntime_checks:\n  disable: [a, \"b\"]\n---\n")
    seed("toml", "\0[debian]\nmirror = \"http://a.example/d\"\nsecurity = 'http://b.example'\n")
    keywords("bundle compress shasum_size xz options build_constraints max_size cache obs download_url shasum size",
             "runtime_checks disable true false 256 512 --threads= -9 --extreme :// &a *a << ! | > --- ... # ? {} []",
             "[debian] mirror security \"\"\" ''' = - : ~ null")


DIGEST = "00" * 32


def records():
    seed("lock", f"""\0format = 1
epoch = 12

[[package]]
image = "system"
name = "a"
version = "1:2-3"
architecture = "all"
order = 0
sha256 = "{DIGEST}"
repository = "debian://trixie"
file = "pool/a.deb"
""")
    seed("result", f"""\1{{"version": 1, "images": [{{"name": "n", "version": "1.0.0", "architecture": "x86_64", "type": "oem",
"profiles": ["a"], "files": [{{"role": "image", "file": "n.raw", "size": 1, "sha256": "{DIGEST}", "compress": false}}]}}]}}""")
    seed("record", """\2{"epoch": 1, "name": "n", "version": "1.0.0", "packages": "", "profiles": [], "description": "/d",
"secrets": [{"what": "keys", "paths": ["etc/x"], "renewed": {"unit": "x.service"}}, {"what": "w", "paths": [],
"renewed": "system"}]}""")
    keywords("format epoch package image name version architecture order sha256 repository file system local [[package]]",
             "images type profiles bundle_format files role size compress packages description secrets what paths renewed",
             "unit system nobody author kept null true false .. / 1e5 -1 18446744073709551616 \\u0000 \\ud800")


def modules():
    seed("depmod", "kernel/a.ko.xz: kernel/b-c.ko.xz\nkernel/b-c.ko.xz:\nupdates/a.ko:\n\0"
         "softdep a pre: b-c d post: e\nsoftdep d pre: a\n\0"
         "alias pci:v00001B36d*sv*[0-4]sc08i02* a\nalias fs-x b_c\n\0kernel/d.ko\n\0"
         "a fs-x d pci:v00001B36d00000010sv2sc08i02x")
    keywords("softdep alias pre: post: .ko .ko.xz .ko.zst .ko.gz * ? [ ] [!a] [0-9] - _ : / kernel/ updates/ a b-c")


def boot_settings():
    for number, text in enumerate((
        "500;83;/,x;S;x,200;L;/home",
        "table;scheme=gpt partition;number=1;name=a;grows=500;content=filesystem;kind=xfs;mount=/;options=defaults "
        "partition;number=2;name=;creates=memory;content=swap "
        "partition;number=3;name=;creates=rest;content=filesystem;kind=ext4;mount=/home;options=defaults,nofail",
        "table;scheme=gpt partition;number=1;name=a;content=empty",
        "UUID=ab-12",
        "d41d8cd98f00b204e9800998ecf8427e   12 4096",
        "IMAGE=/dev/ram1;live-10.3.x86_64;1.1.2\nUNIONFS_CONFIG=/dev/ram1,/dev/loop1,overlay\n",
        "DISK=/dev/sda\nPART=500;83;/,x;S;x\nIMAGE=/dev/sda2;a.x86_64;1.2.3\nFILTER=sd[a-z]\nUNATTENDED=yes\n",
        'root="LABEL=my root" rootfstype=xfs ro init=/bin/sh rd.timeout=5 rd.live.overlay.size=80% -- x',
        "rd.live.check rd.live.overlay.persistent rd.live.overlay.cowfs=xfs DEBUG=1 panic=-1 rw",
        "# x\nkind=vmx\nstorage=table;scheme=mbr partition;number=1;name=a;grows=rest;content=empty\n"
        "modules=ext4 crc32c\nmedium=ab-34\ninit=/sbin/init\n",
    )):
        seed(str(number), bytes([number]) + text.encode())
    seed("volume", b"\x0f" + b"\1CD001\1".ljust(2048, b" "))
    seed("sum", b"\x0fkiwi medium sha256 " + DIGEST.encode() + b"\n")
    keywords("kind= storage= modules= medium= init= vmx oem usb iso install",
             "UUID= LABEL= PARTUUID= PARTLABEL= /dev/ grows= creates= memory rest table; scheme= gpt mbr partition;",
             "number= name= content= empty swap filesystem type= mount= options= ext4 xfs btrfs IMAGE= DISK= PART= FILTER=",
             "UNIONFS_CONFIG= overlay aufs rd.timeout= rootfstype= DEBUG= kiwi.phases rd.live. ; , : x S 83 / %")



def client_config():
    for number, text in enumerate((
        'kiwitftp=10.0.0.1 ip=10.0.0.7:10.0.0.1:10.0.0.1:255.255.255.0::eth0:none BOOTIF=01-52-54-00-12-34-ab vlan=eth0.5:eth0 '
        'NAME=-1 IMAGE="/dev/sda2;n;1" kiwiservertype=http nameserver=10.0.0.3',
        "NCNAME=undefined\nARCHITECTURE=x86_64\nIPADDR=10.0.0.7\nHWTYPE=QEMU pc\n",
        "IMAGE=/dev/sda2;a.x86_64;1.1.2;10.0.0.2;4096,\\\n  /dev/sda3;b.x86_64;1.1.2;10.0.0.2;4096;compressed\n"
        "PART=200;S;x,2GiB;L;/,x;L;\nDISK=/dev/sda\nCOMBINED_IMAGE=yes\n",
        "CONF=/KIWI/a;/etc/a;10.0.0.1;1024, \\\n  /KIWI/b;/etc/b\nKIWI_KERNEL_OPTIONS='vga=0x317 quiet'\n# x\nKIWI_INITRD=/boot/i\n"
        "KIWI_KERNEL=/boot/l\nKIWI_BOOT_TIMEOUT=5\nUNIONFS_CONFIG=/dev/sda2,/dev/sda3,aufs\nSYNC=a;b;8\nJOURNAL=ext3\n",
        "NFSROOT=10.0.0.1:/srv/root\nRELOAD_IMAGE=yes\nRELOAD_CONFIG=yes\nREBOOT_IMAGE=\"yes\"\n",
        "NBDROOT=10.0.0.1;9209/a;/dev/nbd0;9210/b;/dev/nbd1\nFILTER=a\\\nUNATTENDED=yes\nSHUTDOWN=1\nWAIT=true\n",
    )):
        seed(str(number), bytes([number]) + text.encode())
    keywords("IMAGE= CONF= PART= DISK= SYNC= JOURNAL= RELOAD_IMAGE= COMBINED_IMAGE= KIWI_INITRD= UNIONFS_CONFIG= NFSROOT= NBDROOT=",
             "FILTER= UNATTENDED= /dev/ compressed xz zstd overlay image/ ; , : x S \\\n ' \" # image 2GiB kiwiserver= ip= vlan= BOOTIF=",
             "NCNAME= ARCHITECTURE= :none :dhcp")


def dhcp():
    head = bytes([2, 1, 6, 0]) + b"\0\0\0\7" + bytes(8) + bytes([10, 0, 0, 9, 10, 0, 0, 1]) + bytes(4)
    fixed = head + bytes([2, 0, 0, 0, 0, 1]) + bytes(10)
    options = bytes([53, 1, 2, 54, 4, 10, 0, 0, 1, 1, 4, 255, 255, 255, 0, 3, 4, 10, 0, 0, 1, 6, 4, 10, 0, 0, 1, 51, 4, 0, 0, 14, 16])
    texts = bytes([15, 4]) + b"test" + bytes([12, 2]) + b"pc" + bytes([66, 8]) + b"10.0.0.5" + bytes([67, 1]) + b"f"
    routes = bytes([121, 8, 24, 10, 0, 1, 10, 0, 0, 1])
    for name, fields, more in (
        ("plain", bytes(64) + b"pxelinux.0".ljust(128, b"\0"), texts),
        ("routes", bytes(192), routes),
        ("overload", bytes([15, 1, 97, 255]).ljust(64, b"\0") + bytes([67, 1, 98]).ljust(128, b"\0"), bytes([52, 1, 3])),
        ("refusal", bytes(192), bytes([56, 2]) + b"no"),
    ):
        seed(name, fixed + fields + bytes([99, 130, 83, 99]) + options + more + b"\xff")
    keywords("c\x82Sc 10.0.0.1")


def dns():
    question = b"\4tftp\7example\0\0\1\0\1"
    address = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1"
    alias = b"\xc0\x0c\0\5\0\1\0\0\0\x3c\0\4\1a\xc0\x11" + b"\1a\xc0\x11\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\2"
    seed("message", b"\0\0\x09\x81\x80\0\1\0\1\0\0\0\0" + question + address)
    seed("address", b"\1\1" + address)
    seed("alias", b"\1\2" + alias)
    keywords("tftp example")


def http():
    for number, text in enumerate((
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: \"a\"\r\n\r\nabc",
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5-7/9\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nTrailer: x\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.0 200 OK\r\nLast-Modified: Sat\r\nConnection: keep-alive\r\n\r\nabc",
        "HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 416 Range\r\nContent-Range: bytes */9\r\n\r\n",
    )):
        seed(str(number), text)
    keywords("HTTP/1.1 HTTP/1.0 Content-Length: Content-Range: bytes Transfer-Encoding: chunked Connection: close keep-alive",
             "\r\n\r\n Location: ETag: Last-Modified: 200 206 100 */")


def tftp():
    def packets(*all):
        return b"".join(bytes([len(packet)]) + packet for packet in all)

    agreed = b"\0\6blksize\x008\0windowsize\x002\0tsize\x0020\0utimeout\x00200000\0"
    blocks = [b"\0\3\0" + bytes([number]) + b"12345678" for number in range(1, 5)]
    seed("windows", b"\0\2" + packets(agreed, *blocks, b"\0\3\0\5"))
    seed("gap", b"\0\4" + packets(agreed, blocks[0], blocks[2], blocks[3], blocks[1], blocks[2]))
    seed("error", b"\0\1" + packets(b"\0\5\0\1File not found\0", b"\0\4\0\0"))
    keywords("blksize windowsize tsize utimeout")


def nbd():
    style, magic, go = b"NBDMAGIC", bytes.fromhex("0003e889045565a9"), b"\0\0\0\7"
    new = style + b"IHAVEOPT"
    info = magic + go + b"\0\0\0\3\0\0\0\x0c" + b"\0\0" + struct.pack(">QH", 1 << 20, 3)
    refused = magic + go + b"\x80\0\0\6\0\0\0\2no"
    unknown = magic + go + b"\x80\0\0\1\0\0\0\0"
    seed("fixed", new + b"\0\3" + info + magic + go + b"\0\0\0\1\0\0\0\0")
    seed("refused", new + b"\0\3" + refused)
    seed("earlier", new + b"\0\1" + unknown + struct.pack(">QH", 4096, 1) + bytes(124))
    seed("unfixed", new + b"\0\2" + struct.pack(">QH", 4096, 1))
    seed("old", style + bytes.fromhex("0000420281861253") + struct.pack(">QI", 4096, 1) + bytes(124))
    keywords("NBDMAGIC IHAVEOPT")


def chunk_index():
    def index(*ends):
        head = struct.pack("<8Q", 48, 0x96824d9c7b129ff9, 0, 16384, 65536, 262144, 2**64 - 1, 0xe75b9e112f17417d)
        items = b"".join(struct.pack("<Q", end) + hashlib.sha256(bytes([end % 256])).digest() for end in ends)
        table = 16 + len(items) + 40
        return head + items + struct.pack("<5Q", 0, 0, 48, table, 0x4b4f050e5549ecd1)

    seed("empty", index())
    seed("one", index(9))
    seed("three", index(16384, 100000, 100007))
    seed("comment", "kiwi file image/a-1")
    keywords("kiwi file image/a-1")


def rpm_metadata():
    checksum = f'<checksum type="sha256">{DIGEST}</checksum>'
    location = '<location href="x86_64/a.rpm"/>'
    texts = {
        "repomd": f'<?xml version="1.0"?>\n<repomd xmlns="a"><revision>17</revision><data type="primary">{checksum}'
                  f'<timestamp>1.5</timestamp><size>9</size>{location}</data></repomd>',
        "primary": f'<metadata packages="1"><package type="rpm"><name>a</name><arch>x86_64</arch>'
                   f'<version epoch="1" ver="2~" rel="3"/>{checksum}<time build="4"/><size package="5" installed="6"/>'
                   f'<summary>b &amp; &#65;</summary>{location}<format><file>/c</file></format></package></metadata>',
        "patterns": '<patterns><pattern><name>a</name><summary lang="b">c</summary><rpm:requires>'
                    '<rpm:entry name="d"/></rpm:requires></pattern></patterns>',
        "comps": '<!DOCTYPE comps><comps><group><id>a</id><name>b</name><packagelist>'
                 '<packagereq type="default">c</packagereq></packagelist></group></comps>',
    }
    for name, text in texts.items():
        seed(name, text)
    seed("gzip", gzip.compress(texts["primary"].encode()))
    seed("xz", lzma.compress(texts["primary"].encode()))
    keywords("<repomd> </repomd> <metadata> </metadata> <package> </package> <patterns> <pattern> <comps> <group> <data type=",
             "<name> </name> <arch> <version/> epoch= ver= rel= <checksum type= sha256 sha sha512 md5 </checksum> <location href=",
             "xml:base= <size package= installed= <time build= <![CDATA[ ]]> &amp; &#65; <!-- --> <!DOCTYPE ../ / ~ ^ + 4294967296")


def rpm_header():
    def header(entries, data):
        index = b"".join(struct.pack(">4I", *entry) for entry in entries)
        return b"\x8e\xad\xe8\x01\0\0\0\0" + struct.pack(">2I", len(entries), len(data)) + index + data

    texts = b"a\0libx.so\0/usr/bin/\0(c or d)\0echo x\0"
    entries = [(1000, 6, 0, 1), (1006, 4, 0, 1), (1023, 6, 31, 1), (1047, 8, 2, 1), (1049, 8, 21, 1), (1116, 4, 0, 1),
               (1117, 8, 0, 1), (1118, 8, 10, 1), (1, 9, 99, 4294967295)]
    seed("package", b"\xed\xab\xee\xdb".ljust(96, b"\0") + header([(1000, 4, 0, 1)], b"12345") + b"\0\0\0" + header(entries, texts))
    keywords("a /usr/bin/ ( or )")


globals()[target]()
