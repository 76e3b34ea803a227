//! Attributes that the newest schema does not have.

use super::today;
use crate::SchemaVersion::{V4_1, V4_2, V4_7, V5_7, V6_2, V6_4, V6_6, V6_8, V7_1, V8_4};
use crate::image_type::Feature;
use crate::schema::values::{DIGITS, SOME_TEXT};
use crate::schema::{AttributeSchema, Value, legacy};

/// The attributes.
pub(super) const FORMER: &[AttributeSchema] = &[
    today("bootloader", Value::OneOf(legacy::BOOTLOADERS))
        .doc("The boot loader.")
        .until(V7_1)
        .fits(Feature::Bootloader)
        .instead("<bootloader name=...>"),
    today("boottimeout", DIGITS)
        .doc("Time limit of the boot menu in seconds.")
        .until(V7_1)
        .fits(Feature::Bootloader)
        .instead("<bootloader timeout=...>"),
    today("bootloader_console", SOME_TEXT)
        .doc("The console of the boot menu.")
        .until(V7_1)
        .fits(Feature::Bootloader)
        .instead("<bootloader output_console=...>"),
    today("zipl_targettype", SOME_TEXT)
        .doc("The kind of disk that zipl writes to.")
        .until(V7_1)
        .fits(Feature::Disk)
        .unsupported(),
    today("container", SOME_TEXT).doc("The name of the container.").until(V6_4),
    today("lvm", Value::Boolean)
        .doc("Whether the system uses logical volumes.")
        .until(V4_7)
        .fits(Feature::Disk),
    today("lvmgroup", SOME_TEXT).doc("The name of the volume group.").until(V4_2).fits(Feature::Disk),
    today("ec2accountnr", SOME_TEXT).doc("The account at Amazon.").until(V4_1).not_used(),
    today("ec2certfile", SOME_TEXT).doc("The certificate for Amazon.").until(V4_1).not_used(),
    today("ec2privatekeyfile", SOME_TEXT).doc("The key for Amazon.").until(V4_1).not_used(),
    today("ec2region", SOME_TEXT).doc("The region at Amazon.").until(V4_1).not_used(),
    today("zfsoptions", SOME_TEXT).doc("Options of ZFS.").until(V6_2).not_used(),
    today("fsnocheck", Value::Boolean)
        .doc("Whether the file system is never checked.")
        .until(V6_6)
        .not_used(),
    today("hybrid", Value::Boolean).doc("Whether an ISO can be written to a stick.").until(V6_8).not_used(),
    today("syncMBR", Value::Boolean).doc("Whether the GPT is repeated in an MBR.").until(V5_7).not_used(),
    today("vga", SOME_TEXT).doc("The video mode.").until(V8_4).not_used(),
];
