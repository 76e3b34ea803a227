#!/usr/bin/env python3
"""Writes the seeds of the targets partition_tables and superblocks: seeds.py TARGET DIRECTORY.

Tables are those that sfdisk writes, superblocks those of the mkfs programs; a program that is missing gives no seed."""
import os, subprocess, sys, tempfile

target, directory = sys.argv[1:]
os.environ["PATH"] += ":/usr/sbin:/sbin"


def seed(name, data):
    with open(os.path.join(directory, name), "wb") as file:
        file.write(data)


def image(size, command, text=None):
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(scratch, "image")
        with open(path, "wb") as file:
            file.truncate(size)
        command = [word.replace("IMAGE", path).replace("TREE", scratch + "/tree") for word in command]
        os.mkdir(scratch + "/tree")
        try:
            subprocess.run(command, input=text, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"no seed of {command[0]}: {error}", file=sys.stderr)
            return None
        with open(path, "rb") as file:
            return file.read()


if target == "partition_tables":
    for name, script in {
        "gpt": "label: gpt\n2048,4096,U\n,8192,L\n",
        "mbr": "label: dos\n2048,4096,L,*\n,8192,S\n",
        "extended": "label: dos\n2048,4096,L\n,8192,E\n,,L\n",
    }.items():
        disk = image(64 << 20, ["sfdisk", "-q", "IMAGE"], script.encode())
        if disk:
            for options in (0, 2):
                entries = disk[1024:1536] if name == "gpt" else b""
                headers = disk[512:604] + disk[-512:-420]
                seed(f"{name}-{options}", bytes([options]) + disk[446:510] + headers + entries)
elif target == "superblocks":
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
else:
    sys.exit(f"there is no target {target} with seeds of its own")
