//! Elements that schemas between 1.4 and today had, and which `upgrade` rewrites.

use super::appliance::VOLUME;
use super::values::{ARCHITECTURES, DIGITS, MAC, PATTERN, SOME_TEXT};
use super::{ElementWord, Value, Word, attribute, deploy, element, many, once, word};
use crate::SchemaVersion::{V6_9, V7_1};

/// Words of `bootloader=` before it was an element; GRUB 2 takes the place of those that are gone.
pub(super) const BOOTLOADERS: &[Word] = &[
    word("grub2"),
    word("custom").not_built(),
    word("grub2_s390x_emu").not_built(),
    word("zipl").not_built(),
    word("uboot").until(V6_9).not_built(),
    word("yaboot").until(V6_9).not_built(),
    word("berryboot").until(V6_9).not_built(),
    word("grub").until(V7_1).not_used(),
    word("extlinux").until(V7_1).not_used(),
    word("syslinux").until(V7_1).not_used(),
    word("isolinux").until(V7_1).not_used(),
];

pub(super) static PXE_DEPLOY: ElementWord =
    element("pxedeploy").attributes(deploy::ATTRIBUTES).children(deploy::CHILDREN).instead("deploy");

pub(super) static LVM_VOLUMES: ElementWord = element("lvmvolumes")
    .attributes(&[attribute("lvmgroup", SOME_TEXT)])
    .children(&[many(&VOLUME)])
    .instead("systemdisk")
    .not_built();

pub(super) static OEM_HOME: ElementWord =
    element("oem-home").text(Value::Boolean).default("false").instead("systemdisk").not_built();

pub(super) static OEM_DUMPHALT: ElementWord =
    element("oem-dumphalt").text(Value::Boolean).default("false").instead("oem-bootwait").not_built();

pub(super) static VMWARE_CONFIG: ElementWord = element("vmwareconfig")
    .attributes(&[
        attribute("arch", Value::Text).not_used(),
        attribute("memory", Value::Number(1, 1 << 24)),
        attribute("HWversion", Value::Integer).not_used(),
        attribute("guestOS", SOME_TEXT).not_used(),
        attribute("guestOS_32Bit", SOME_TEXT).not_used(),
        attribute("guestOS_64Bit", SOME_TEXT).not_used(),
        attribute("usb", Value::Boolean).not_used(),
    ])
    .children(&[once(&VMWARE_DISK), once(&VMWARE_CDROM), many(&VMWARE_NIC), many(&VMWARE_ENTRY)])
    .instead("machine");

const CONTROLLER: Value = Value::OneOf(&[word("ide"), word("scsi")]);

static VMWARE_DISK: ElementWord = element("vmwaredisk")
    .attributes(&[attribute("controller", CONTROLLER), attribute("id", Value::Number(0, 255))])
    .instead("vmdisk");
static VMWARE_CDROM: ElementWord = element("vmwarecdrom")
    .attributes(&[attribute("controller", CONTROLLER), attribute("id", DIGITS)])
    .instead("vmdvd")
    .not_used();
static VMWARE_NIC: ElementWord = element("vmwarenic")
    .attributes(&[
        attribute("interface", SOME_TEXT),
        attribute("driver", SOME_TEXT),
        attribute("mode", SOME_TEXT),
        attribute("mac", MAC),
    ])
    .instead("vmnic")
    .not_used();
static VMWARE_ENTRY: ElementWord =
    element("vmware-config-entry").text(SOME_TEXT).instead("vmconfig-entry").not_used();

pub(super) static XEN_CONFIG: ElementWord = element("xenconfig")
    .attributes(&[
        attribute("arch", Value::Text).not_used(),
        attribute("memory", Value::Number(1, 1 << 24)),
        attribute("domain", Value::OneOf(&[word("dom0"), word("domU")])).not_used(),
    ])
    .children(&[once(&XEN_DISK), many(&XEN_BRIDGE), many(&XEN_ENTRY)])
    .instead("machine");

static XEN_DISK: ElementWord =
    element("xendisk").attributes(&[attribute("device", SOME_TEXT).required()]).instead("vmdisk");
static XEN_BRIDGE: ElementWord = element("xenbridge")
    .attributes(&[attribute("name", SOME_TEXT), attribute("mac", MAC)])
    .instead("vmnic")
    .not_used();
static XEN_ENTRY: ElementWord =
    element("xen-config-entry").text(SOME_TEXT).instead("vmconfig-entry").not_used();

pub(super) static EC2_CONFIG: ElementWord = element("ec2config").anything().not_used();

pub(super) static RHEL_GROUP: ElementWord = element("rhelGroup")
    .attributes(&[attribute("name", PATTERN).required(), attribute("arch", ARCHITECTURES)])
    .instead("namedCollection");

pub(super) static OPENSUSE_PRODUCT: ElementWord = element("opensuseProduct")
    .attributes(&[attribute("name", SOME_TEXT).required(), attribute("arch", ARCHITECTURES)])
    .instead("product")
    .not_built();
