//! Attributes of media and containers.

use super::today;
use crate::SchemaVersion::V6_6;
use crate::image_type::Feature;
use crate::schema::filesystems::PERSISTENT_FILESYSTEMS;
use crate::schema::values::SOME_TEXT;
use crate::schema::{AttributeSchema, Value, keyword, values};

/// The attributes. What is not supported accepts a value that matches the only possible result.
pub(super) const MEDIA: &[AttributeSchema] = &[
    today("enclave_format", Value::OneOf(&[keyword("aws-nitro")]))
        .doc("The format of an enclave.")
        .fits(Feature::Enclave)
        .unsupported(),
    today("hybridpersistent", Value::Boolean)
        .doc("Whether what a live system writes stays on its stick.")
        .fits(Feature::Persistence),
    today("hybridpersistent_filesystem", Value::OneOf(PERSISTENT_FILESYSTEMS))
        .doc("The file system for persistent data.")
        .default("ext4")
        .fits(Feature::Persistence),
    today("mediacheck", Value::Boolean)
        .doc("Whether the menu of a live medium offers to check it; the default is true.")
        .fits(Feature::Live),
    today("volid", values::VOLUME_ID).doc("The volume identifier of an ISO.").fits(Feature::Bootloader),
    today("application_id", values::ISO_TEXT)
        .doc("The application identifier of an ISO.")
        .fits(Feature::Bootloader),
    today("publisher", values::ISO_TEXT).doc("The publisher in an ISO.").fits(Feature::Live),
    today("installiso", Value::Boolean)
        .doc("Whether to make an ISO that installs the disk, for CD and stick.")
        .default("false")
        .fits(Feature::Disk),
    today("installstick", Value::Boolean)
        .doc("The same ISO, which is written to a stick unchanged.")
        .default("false")
        .fits(Feature::Disk),
    today("installpxe", Value::Boolean)
        .doc("Whether to make an archive that installs the disk over the network.")
        .default("false")
        .fits(Feature::Disk),
    today(
        "installboot",
        Value::OneOf(&[keyword("failsafe-install"), keyword("harddisk"), keyword("install")]),
    )
    .doc("The default entry of an installation medium.")
    .default("harddisk")
    .fits(Feature::Disk)
    .not_used(),
    today("install_continue_on_timeout", Value::Boolean)
        .doc("Whether the boot menu continues after its timeout.")
        .fits(Feature::Disk)
        .unsupported(),
    today("installprovidefailsafe", Value::Boolean)
        .doc("Whether its menu has an entry for difficult machines.")
        .fits(Feature::Disk)
        .unsupported(),
    today("editbootconfig", SOME_TEXT)
        .doc("A script that runs before the boot loader is installed.")
        .fits(Feature::Bootloader),
    today("editbootinstall", SOME_TEXT)
        .doc("A script that runs after the boot loader was installed.")
        .fits(Feature::Disk),
    today("xen_server", Value::Boolean)
        .doc("Whether the system is a Xen host.")
        .since(V6_6)
        .default("false")
        .fits(Feature::Disk)
        .unsupported(),
    today("derived_from", SOME_TEXT)
        .doc("The container image it is built on.")
        .fits(Feature::Base)
        .unsupported(),
    today("delta_root", Value::Boolean)
        .doc("Whether the result contains only the difference to the base.")
        .default("false")
        .fits(Feature::ContainerRoot)
        .unsupported(),
    today("provide_system_files", Value::Boolean)
        .doc("Whether the files named by `systemfiles` packages are provided.")
        .default("false")
        .fits(Feature::ContainerRoot)
        .unsupported(),
    today("require_system_files", Value::Boolean)
        .doc("Whether those files must come from the base.")
        .default("false")
        .fits(Feature::ContainerRoot)
        .unsupported(),
    today("ensure_empty_tmpdirs", Value::Boolean)
        .doc("Whether `/run` and `/tmp` are empty in the image.")
        .default("true")
        .fits(Feature::ContainerRoot),
    today("layer_compression", Value::OneOf(&[keyword("zstd"), keyword("gzip")]))
        .doc("How the layer of an OCI image is compressed; kiwi's own, KIWI NG has no such attribute.")
        .default("zstd")
        .own()
        .fits(Feature::Layers),
    today("metadata_path", SOME_TEXT)
        .doc("The directory of the metadata of an appx.")
        .fits(Feature::Metadata)
        .unsupported(),
    today("archive", Value::Boolean)
        .doc("Whether the results are put into one archive.")
        .default("true")
        .fits(Feature::Archive),
];
