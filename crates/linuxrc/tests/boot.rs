//! Boots disks in QEMU.
