//! Tests that build images from the real Debian archive, boot them in QEMU, break and kill; root, and minutes.
#![allow(clippy::disallowed_methods, reason = "a test is its own host")]

mod boot;
mod boot_descriptions;
mod cache;
mod container;
mod container_images;
mod describe;
mod devices;
mod errors;
mod escapes;
mod images;
mod install;
mod kill;
mod linuxrc;
mod live;
mod lock;
mod netboot;
mod network;
mod package_paths;
mod package_state;
mod prepare;
mod repro;
mod rootless;
mod sticks;
mod storage;
