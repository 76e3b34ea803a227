//! Elements of the schemas between 1.4 and today, which `upgrade` rewrites.

use super::appliance::VOLUME;
use super::values::{ARCHITECTURES, DIGITS, MAC, PACKAGE, PATTERN, SOME_TEXT};
use super::{ElementSchema, Keyword, Value, attribute, deploy, element, keyword, many, once};
use crate::SchemaVersion::{V6_9, V7_1};

/// Keywords of `bootloader=` before it was an element; GRUB 2 replaces those that no longer exist.
pub(super) const BOOTLOADERS: &[Keyword] = &[
    keyword("grub2"),
    keyword("custom").unsupported(),
    keyword("grub2_s390x_emu").unsupported(),
    keyword("zipl").unsupported(),
    keyword("uboot").until(V6_9).unsupported(),
    keyword("yaboot").until(V6_9).unsupported(),
    keyword("berryboot").until(V6_9).unsupported(),
    keyword("grub").until(V7_1).not_used().instead("grub2"),
    keyword("extlinux").until(V7_1).not_used().instead("grub2"),
    keyword("syslinux").until(V7_1).not_used().instead("grub2"),
    keyword("isolinux").until(V7_1).not_used().instead("grub2"),
];

pub(super) static PXE_DEPLOY: ElementSchema = element("pxedeploy")
    .doc("The setup of a machine that boots from the network.")
    .attributes(deploy::ATTRIBUTES)
    .children(deploy::CHILDREN)
    .instead("deploy");

pub(super) static LVM_VOLUMES: ElementSchema = element("lvmvolumes")
    .doc("The volumes of the system.")
    .attributes(&[attribute("lvmgroup", SOME_TEXT).doc("The name of the volume group.")])
    .children(&[many(&VOLUME)])
    .instead("systemdisk")
    .unsupported();

pub(super) static OEM_HOME: ElementSchema = element("oem-home")
    .doc("Whether home directories have a partition, or a volume if there are volumes.")
    .text(Value::Boolean)
    .default("false")
    .instead("deploy");

pub(super) static OEM_DUMPHALT: ElementSchema = element("oem-dumphalt")
    .doc("Whether the machine waits before the installed system boots.")
    .text(Value::Boolean)
    .default("false")
    .instead("oem-bootwait");

pub(super) static VMWARE_CONFIG: ElementSchema = element("vmwareconfig")
    .doc("A virtual machine of VMware.")
    .attributes(&[
        attribute("arch", Value::Text).doc("Its architectures; the default is all of them.").not_used(),
        attribute("memory", Value::Count(1 << 24)).doc("Its memory in mebibytes."),
        attribute("HWversion", Value::Integer).doc("The version of its hardware.").not_used(),
        attribute("guestOS", SOME_TEXT).doc("The system's name in VMware.").not_used(),
        attribute("guestOS_32Bit", SOME_TEXT).doc("The system's name in VMware.").not_used(),
        attribute("guestOS_64Bit", SOME_TEXT).doc("The system's name in VMware.").not_used(),
        attribute("usb", Value::Boolean).doc("Whether it has USB.").not_used(),
    ])
    .children(&[once(&VMWARE_DISK), once(&VMWARE_CDROM), many(&VMWARE_NIC), many(&VMWARE_ENTRY)])
    .instead("machine");

const CONTROLLER: Value = Value::OneOf(&[keyword("ide"), keyword("scsi")]);

static VMWARE_DISK: ElementSchema = element("vmwaredisk")
    .doc("Its disk.")
    .attributes(&[
        attribute("controller", CONTROLLER).doc("Its controller."),
        attribute("id", Value::Number(0, 255)).doc("Its number there."),
    ])
    .instead("vmdisk");
static VMWARE_CDROM: ElementSchema = element("vmwarecdrom")
    .doc("Its drive for CDs.")
    .attributes(&[
        attribute("controller", CONTROLLER).doc("Its controller."),
        attribute("id", DIGITS).doc("Its number there."),
    ])
    .instead("vmdvd")
    .not_used();
static VMWARE_NIC: ElementSchema = element("vmwarenic")
    .doc("A network card.")
    .attributes(&[
        attribute("interface", SOME_TEXT).doc("Its number, or the name of its bridge."),
        attribute("driver", SOME_TEXT).doc("The emulated card."),
        attribute("mode", SOME_TEXT).doc("The connection mode."),
        attribute("mac", MAC).doc("Its hardware address."),
    ])
    .instead("vmnic")
    .not_used();
static VMWARE_ENTRY: ElementSchema = element("vmware-config-entry")
    .doc("A line for the configuration of the machine.")
    .text(SOME_TEXT)
    .instead("vmconfig-entry")
    .not_used();

pub(super) static XEN_CONFIG: ElementSchema = element("xenconfig")
    .doc("A virtual machine of Xen.")
    .attributes(&[
        attribute("arch", Value::Text).doc("Its architectures; the default is all of them.").not_used(),
        attribute("memory", Value::Count(1 << 24)).doc("Its memory in mebibytes."),
        attribute("domain", Value::OneOf(&[keyword("dom0"), keyword("domU")]))
            .doc("Whether it is the host or a guest.")
            .not_used(),
    ])
    .children(&[once(&XEN_DISK), many(&XEN_BRIDGE), many(&XEN_ENTRY)])
    .instead("machine");

static XEN_DISK: ElementSchema = element("xendisk")
    .doc("Its disk.")
    .attributes(&[attribute("device", SOME_TEXT).doc("Its name in the machine.").required()])
    .instead("vmdisk");
static XEN_BRIDGE: ElementSchema = element("xenbridge")
    .doc("A network card.")
    .attributes(&[
        attribute("name", SOME_TEXT).doc("The name of the bridge."),
        attribute("mac", MAC).doc("Its hardware address."),
    ])
    .instead("vmnic")
    .not_used();
static XEN_ENTRY: ElementSchema = element("xen-config-entry")
    .doc("A line for the configuration of the machine.")
    .text(SOME_TEXT)
    .instead("vmconfig-entry")
    .not_used();

pub(super) static EC2_CONFIG: ElementSchema =
    element("ec2config").doc("Settings for Amazon.").anything().not_used();

pub(super) static RHEL_GROUP: ElementSchema = element("rhelGroup")
    .doc("A group: packages for one purpose.")
    .attributes(&[
        attribute("name", PATTERN).doc("Its name.").required(),
        attribute("arch", ARCHITECTURES).doc("Its architectures; the default is all of them."),
    ])
    .instead("namedCollection");

pub(super) static OPENSUSE_PRODUCT: ElementSchema = element("opensuseProduct")
    .doc("A product: the package that describes it, with what that requires.")
    .attributes(&[
        attribute("name", PACKAGE).doc("Its name.").required(),
        attribute("arch", ARCHITECTURES).doc("Its architectures; the default is all of them."),
    ])
    .instead("product");
