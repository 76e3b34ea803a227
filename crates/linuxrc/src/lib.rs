//! linuxrc, the static PID 1 of kiwi's boot images: finds, checks, grows, mounts and enters the system.
//!
//! The kernel starts it as `/init` of the initrd. It reads `/kiwi.boot` and the kernel command line, loads the
//! modules that the hardware needs, and then follows the kind of boot image (`kind/`); it ends by becoming the system's
//! own init. Every failure is a `BootFailure`, which contains what was missing and how the machine continues: PID 1 never
//! exits, because the kernel panics then.
//!
//! Every input is below the directories of a `Machine`, so that tests run on temporary ones without privileges.
//! Only `sys` is unsafe. The program is [`start`]; what else is public is there for tests, fuzz targets and benchmarks.
#![allow(clippy::disallowed_methods, reason = "the whole machine is linuxrc's own")]

mod boot;
mod boot_failure;
mod boot_plan;
mod check;
mod console;
mod deploy;
mod device;
mod download;
mod early_mounts;
mod enrol;
mod fstab;
mod grow;
mod install;
mod repartition;
mod kind {
    pub(crate) mod install;
    pub(crate) mod iso;
    pub(crate) mod netboot;
    pub(crate) mod usb;
    pub(crate) mod vmx;
}
mod live;
mod loop_device;
mod machine;
mod medium;
mod modules;
pub mod net;
mod persistent;
mod program;
mod remote_install;
pub mod remote_root;
mod root;
mod shutdown;
mod stream;
mod swap;
mod switch_root;
mod sys;
mod union;
pub mod verified;

pub use boot::start;
