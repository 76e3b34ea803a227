//! `<partitions>` and the partition for `/boot`.

use super::{boolean, number, text};
use crate::document::Element;
use crate::{BootPartition, DiskPartition, schema};
use ondisk::{Filesystem, Mebibytes};

/// Returns the partition for `/boot` of a `<type>` whose system has this file system.
pub(super) fn boot(image_type: &Element, system: Filesystem) -> Option<BootPartition> {
    if boolean(image_type, "bootpartition") != Some(true) {
        return None;
    }
    let filesystem = text(image_type, "bootfilesystem").and_then(|keyword| Filesystem::parse(&keyword));
    // As with KIWI NG, 0 means the default.
    let size = number(image_type, "bootpartsize").filter(|size| *size > 0).map(Mebibytes);
    Some(BootPartition { size, filesystem: filesystem.unwrap_or(system) })
}

/// Returns the partitions of `<partitions>` in a `<type>`.
pub(super) fn further(image_type: &Element) -> Vec<DiskPartition> {
    let list = image_type.child("partitions").into_iter();
    list.flat_map(|list| list.children("partition")).filter_map(partition).collect()
}

fn partition(element: &Element) -> Option<DiskPartition> {
    let name = text(element, "name")?;
    let filesystem = text(element, "filesystem").and_then(|keyword| Filesystem::parse(&keyword));
    let fits = |label: &String| {
        filesystem.is_some_and(|kind| kind.max_label_length().is_some_and(|most| label.len() <= most))
    };
    Some(DiskPartition {
        size: size(&text(element, "size")?)?,
        partition_name: text(element, "partition_name").unwrap_or_else(|| format!("p.lx{name}")),
        mountpoint: text(element, "mountpoint").map(|path| path.trim_end_matches('/').to_owned()),
        filesystem,
        label: text(element, "label").or_else(|| Some(name.to_uppercase()).filter(fits)),
        name,
    })
}

/// A size in mebibytes, or with the unit `M` or `G`.
fn size(text: &str) -> Option<Mebibytes> {
    let unit = if text.ends_with('G') { 1024 } else { 1 };
    schema::number(text.trim_end_matches(['M', 'G'])).map(|number| Mebibytes(number.saturating_mul(unit)))
}
