//! Rewrites the keywords of older schemas into the canonical vocabulary.
//!
//! The canonical vocabulary is that of the newest schema, with the keywords that later schemas dropped and kiwi keeps (usb,
//! split, xen, deploy, inherit, compressed, defaultroot ...). A step replaces the keywords that end with one version by
//! those of the next; a description enters the chain at its own version and leaves it canonical. Positions stay those of the
//! user's text, so that later messages point into their file.
//!
//! A keyword without equivalent in later schemas is kept unchanged. Nothing is lost that KIWI's own conversions lose (the
//! attributes of boot packages, the machines of Xen and VMware).

pub(crate) mod edit;
mod empty;
mod v1;
mod v4;
mod v6;
mod v8;

pub(crate) use v6::SUPPLEMENTARY;

use crate::SchemaVersion::{self, *};
use crate::document::Element;

/// A step: the last version with the old keywords, and the rewriting.
type Step = (SchemaVersion, fn(&mut Element));

/// The whole chain, oldest first.
const STEPS: &[Step] = &[
    (V1_4, v1::bootstrap_packages),
    (V1_4, v1::split_filesystems),
    (V1_4, v1::smart_is_the_default),
    (V2_4, v1::schema_version_attribute),
    (V3_8, v1::oem_settings),
    (V3_9, v1::image_attribute),
    (V3_9, v1::settings_of_types),
    (V4_2, v4::volume_group),
    (V4_6, v4::machine),
    (V4_7, v4::system_disk),
    (V4_8, v4::boot_wait),
    (V5_4, v4::themes),
    (V5_5, v4::password),
    (V5_6, v4::named_collection),
    (V5_8, v4::scsi_controller),
    (V6_0, v6::product),
    (V6_2, v6::plain_iso),
    (V6_2, v6::zypper_is_the_default),
    (V6_3, v6::groups),
    (V6_4, v6::container),
    (V6_5, v6::xen_server),
    (V6_9, v6::deploy),
    (V7_1, v8::bootloader),
    (V7_3, v8::package_manager_keywords),
    (V7_4, v8::additional_names),
    (V7_5, v8::dnf4),
    (V8_2, v8::snapper),
    (V8_3, v8::consoles),
];

/// Upgrades a tree of any schema to canonical keywords.
///
/// The tree may have errors: a step rewrites what it recognises and leaves the rest.
pub(crate) fn upgrade(root: &mut Element, from: SchemaVersion) {
    upgrade_to(root, from, SchemaVersion::NEWEST);
}

/// Upgrades a tree to the keywords of a later schema.
pub(crate) fn upgrade_to(root: &mut Element, from: SchemaVersion, to: SchemaVersion) {
    empty::remove(root, from);
    for (last, step) in STEPS.iter().filter(|(last, _)| from <= *last && *last < to) {
        debug_assert!(last.next().is_some());
        step(root);
    }
    if let Some(version) = root.attributes.iter_mut().find(|attribute| attribute.name == to.attribute()) {
        version.value.text = to.number().to_owned();
    }
}
