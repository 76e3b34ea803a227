//! What the first boot of a disk image changes: the system grows, and `<deploy>`, `<oemconfig>` or the oemboot of KIWI 1.x
//! let it create partitions behind the system.

use anyhow::{Context, Result};
use bootconfig::{Content, PlannedSize, Scheme, Table, created_filesystem};
use description::{Disk, DiskKeyword, Oem, Selection};
use ondisk::Mebibytes;

use super::install_settings::deployed;
use crate::disk::storage::{self, MBR_PARTITIONS};
use crate::failure::fail;
use crate::identity::Identity;

/// Maximum size of a system where oemboot of KIWI 1.x partitions the disk (docs/formats/boot-images.md).
const SYSTEM_OF_KIWI_1X: Mebibytes = Mebibytes(10_240);

/// Returns the storage of a machine with the disk: the partitions of the image, with UUIDs if `identity` is known, and what the
/// first boot changes.
pub(super) fn storage(disk: &Disk, selection: &Selection, identity: Option<&Identity>) -> Result<Table> {
    let mut table = storage::of(disk)?;
    if let Some(identity) = identity {
        storage::identify(&mut table, identity);
    }
    if disk.resize {
        plan(disk, selection, &mut table).context("partitioning the disk at its first boot")?;
    }
    Ok(table)
}

fn plan(disk: &Disk, selection: &Selection, table: &mut Table) -> Result<()> {
    let oem = Oem { swap: swap(disk), ..disk.oem.clone() };
    // The system has its final size and never shrinks, so `image` is sufficient.
    let deployed = selection.deploy.as_ref().and_then(|deploy| deployed(deploy, &oem, Mebibytes(1)));
    match deployed {
        Some(deployed) => deployed.add_to(table)?,
        None if has_settings(disk) => {
            table.grow_system(oem.system_size.map_or(PlannedSize::Rest, PlannedSize::Fixed));
            if let Some(size) = oem.swap {
                table.create(new_swap(), PlannedSize::Fixed(size));
            }
        }
        // The description specifies its partitions.
        None if storage::is_divided(disk) => table.grow_system(PlannedSize::Rest),
        None if is_oemboot_of_kiwi_1x(disk) => {
            table.grow_system(PlannedSize::Fixed(SYSTEM_OF_KIWI_1X));
            table.create(new_swap(), PlannedSize::TwiceMemory);
            table.create(created_filesystem("/home"), PlannedSize::Rest);
        }
        None => table.grow_system(PlannedSize::Rest),
    }
    if table.scheme == Scheme::Mbr && table.partitions.len() > MBR_PARTITIONS {
        fail!(
            InvalidDescription,
            "the disk has {} partitions after its first boot ({}), and an MBR has room for {MBR_PARTITIONS}; choose a firmware with \
             a GPT (firmware=\"efi\", which also boots by BIOS)",
            table.partitions.len(),
            table.planned()
        );
    }
    Ok(table.check_first_boot()?)
}

fn new_swap() -> Content {
    Content::Swap { uuid: None, label: None }
}

/// Returns whether the boot image is that of KIWI 1.x for disks of real machines.
pub fn is_oemboot_of_kiwi_1x(disk: &Disk) -> bool {
    disk.keyword == DiskKeyword::Vmx && disk.boot.as_ref().is_some_and(|boot| boot.path.contains("oemboot"))
}

fn has_settings(disk: &Disk) -> bool {
    swap(disk).is_some() || disk.oem.system_size.is_some()
}

/// Returns the swap space that is made at the first boot, unless the image contains it.
fn swap(disk: &Disk) -> Option<Mebibytes> {
    disk.oem.swap.filter(|_| !storage::has_swap(disk))
}

#[cfg(test)]
mod tests {
    use description::{Choice, Description, ImageType, SourceFile};

    use super::*;

    fn divided(type_and_more: &str) -> Option<String> {
        let text = format!(
            "<image schemaversion=\"8.5\" name=\"n\"><description type=\"system\"><author>A</author>\
             <contact>C</contact><specification>S</specification></description><preferences>\
             <version>1.0.0</version><packagemanager>apt</packagemanager>{type_and_more}</preferences>\
             <repository><source path=\"debian://bookworm\"/></repository>\
             <packages type=\"image\"><package name=\"p\"/></packages></image>"
        );
        of_text(text)
    }

    fn of_text(text: String) -> Option<String> {
        let parsed = Description::parse(SourceFile { name: "n".to_owned(), text });
        let description = parsed.description.unwrap_or_else(|| panic!("{:?}", parsed.diagnostics));
        let selection = description.select(&Choice::default()).unwrap_or_else(|error| panic!("{error:?}"));
        let ImageType::Disk(disk) = &selection.image_type else { panic!("no disk") };
        let table = storage(disk, &selection, None).unwrap();
        Some(table.planned()).filter(|planned| !planned.is_empty())
    }

    fn configured(settings: &str) -> Option<String> {
        divided(&format!("<type image=\"oem\" filesystem=\"ext4\"><oemconfig>{settings}</oemconfig></type>"))
    }

    #[test]
    fn oemconfig_partitions_the_disk() {
        assert_eq!(configured("").unwrap(), "system:rest");
        assert_eq!(configured("<oem-swap>true</oem-swap>").unwrap(), "system:rest,swap:128");
        assert_eq!(
            configured("<oem-swapsize>512</oem-swapsize>").unwrap(),
            "system:rest",
            "no swap is asked for"
        );
        assert_eq!(
            configured("<oem-swap>true</oem-swap><oem-swapsize>512</oem-swapsize><oem-systemsize>2000</oem-systemsize>")
                .unwrap(),
            "system:2000,swap:512"
        );
        assert_eq!(configured("<oem-resize>false</oem-resize><oem-swap>true</oem-swap>"), None);
    }

    #[test]
    fn partitions_that_an_mbr_cannot_hold_are_refused() {
        let text = |more: &str| {
            format!(
                "<image schemaversion=\"8.5\" name=\"n\"><description type=\"system\"><author>A</author><contact>C</contact>\
                 <specification>S</specification></description><preferences><version>1.0.0</version>\
                 <packagemanager>apt</packagemanager><type image=\"oem\" filesystem=\"ext4\" firmware=\"bios\"><deploy>\
                 <partitions device=\"/dev/sda\"><partition type=\"L\" number=\"1\" size=\"90\" mountpoint=\"/\" target=\"true\"/>\
                 <partition type=\"L\" number=\"2\" size=\"90\" mountpoint=\"/a\"/>\
                 <partition type=\"L\" number=\"3\" size=\"90\" mountpoint=\"/b\"/>\
                 <partition type=\"L\" number=\"4\" size=\"90\" mountpoint=\"/c\"/>{more}</partitions></deploy></type>\
                 </preferences><repository><source path=\"debian://bookworm\"/></repository>\
                 <packages type=\"image\"><package name=\"p\"/></packages></image>"
            )
        };
        let plan = |text: String| {
            let parsed = Description::parse(SourceFile { name: "n".to_owned(), text });
            let selection = parsed.description.unwrap().select(&Choice::default()).unwrap();
            let ImageType::Disk(disk) = &selection.image_type else { panic!("no disk") };
            storage(disk, &selection, None).map(|table| table.planned())
        };
        assert_eq!(plan(text("")).unwrap(), "system:90,/a:90,/b:90,/c:90");
        let error =
            plan(text("<partition type=\"L\" number=\"5\" size=\"x\" mountpoint=\"/d\"/>")).unwrap_err();
        let kind = error.downcast_ref::<crate::failure::Failure>().map(|failure| failure.kind);
        assert_eq!(kind, Some(crate::failure::Kind::InvalidDescription));
    }

    #[test]
    fn oem_home_adds_a_partition_to_the_others() {
        let text = |settings: &str| {
            format!(
                "<image schemaversion=\"4.1\" name=\"n\"><description type=\"system\"><author>A</author>\
                 <contact>C</contact><specification>S</specification></description><preferences>\
                 <version>1.0.0</version><packagemanager>apt-get</packagemanager><type image=\"oem\" \
                 filesystem=\"ext3\" boot=\"oemboot/debian-12\"><oemconfig><oem-home>true</oem-home>{settings}\
                 </oemconfig></type></preferences><repository type=\"apt-deb\"><source path=\"http://h/d\"/></repository>\
                 <packages type=\"image\"><package name=\"p\"/></packages></image>"
            )
        };
        let home = |settings| of_text(text(settings)).unwrap();
        assert_eq!(home(""), "system:1,/home:rest");
        assert_eq!(
            home(
                "<oem-swap>true</oem-swap><oem-swapsize>64</oem-swapsize><oem-systemsize>900</oem-systemsize>"
            ),
            "system:900,/home:rest,swap:64"
        );
    }

    #[test]
    fn deploy_and_oemboot_partition_the_disk() {
        let deploy = "<type image=\"oem\" filesystem=\"ext4\"><deploy><partitions device=\"/dev/sda\">\
                      <partition type=\"swap\" number=\"1\" size=\"1024\"/>\
                      <partition type=\"L\" number=\"2\" size=\"4000\" mountpoint=\"/\" target=\"true\"/>\
                      <partition type=\"L\" number=\"3\" size=\"x\" mountpoint=\"/srv\"/></partitions></deploy></type>";
        assert_eq!(divided(deploy).unwrap(), "system:4000,swap:1024,/srv:rest");
        let oemboot = "<type image=\"vmx\" boot=\"oemboot/debian-12\" filesystem=\"ext3\"/>";
        assert_eq!(divided(oemboot).unwrap(), "system:10240,swap:memory,/home:rest");
        let vmxboot = "<type image=\"vmx\" boot=\"vmxboot/debian-12\" filesystem=\"ext3\"/>";
        assert_eq!(divided(vmxboot).unwrap(), "system:rest");
    }
}
