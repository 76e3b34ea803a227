//! `<deploy>`.

use super::{boolean, number, text};
use crate::document::Element;
use crate::unsupported::architectures;
use crate::{Configuration, Deploy, Partition, PartitionSize, Union, UnionType, schema};
use ondisk::Mebibytes;

pub(super) fn deploy(element: &Element) -> Deploy {
    let partitions = element.child("partitions");
    let child = |name| element.child_text(name).map(|text| text.text.clone());
    Deploy {
        server: text(element, "server"),
        block_size: number(element, "blocksize").and_then(|size| u32::try_from(size).ok()),
        device: partitions.and_then(|partitions| text(partitions, "device")),
        partitions: {
            let mut list: Vec<Partition> = partitions
                .into_iter()
                .flat_map(|all| all.children("partition"))
                .filter_map(partition)
                .collect();
            list.sort_by_key(|partition| partition.number);
            list
        },
        union: element.child("union").and_then(union),
        configurations: element.children("configuration").filter_map(configuration).collect(),
        timeout: child("timeout").and_then(|text| text.parse().ok()),
        command_line: child("commandline"),
        kernel: child("kernel"),
        initrd: child("initrd"),
    }
}

fn partition(element: &Element) -> Option<Partition> {
    Some(Partition {
        kind: text(element, "type").unwrap_or_else(|| "L".to_owned()),
        number: number(element, "number").and_then(|number| u32::try_from(number).ok())?,
        size: match text(element, "size").as_deref() {
            None | Some("x") => PartitionSize::Rest,
            Some("image") => PartitionSize::Image,
            Some(size) => PartitionSize::Fixed(Mebibytes(schema::number(size)?)),
        },
        // The old spelling of "none".
        mountpoint: text(element, "mountpoint").filter(|path| path != "x"),
        target: boolean(element, "target").unwrap_or(false),
    })
}

fn union(element: &Element) -> Option<Union> {
    Some(Union {
        read_write: text(element, "rw")?,
        read_only: text(element, "ro")?,
        kind: match text(element, "type").as_deref() {
            Some("unionfs") => UnionType::Unionfs,
            Some("overlay") => UnionType::Overlay,
            _ => UnionType::Aufs,
        },
    })
}

fn configuration(element: &Element) -> Option<Configuration> {
    Some(Configuration {
        source: text(element, "source")?,
        destination: text(element, "dest")?,
        architectures: architectures(element),
    })
}
