//! `<type image="iso">`: a live system.

use super::bootloader::{bootloader, firmware, secure_boot};
use super::image_type::{boot_image, compression};
use super::{Decoder, boolean, text};
use crate::document::{Element, Text};
use crate::{Iso, IsoLayout, SchemaVersion};
use ondisk::Filesystem;

impl Decoder<'_> {
    pub(super) fn iso(&mut self, element: &Element, keyword: &Text) -> Option<Iso> {
        let boot = boot_image(element);
        if boot.is_none() && self.schema == SchemaVersion::V1_4 {
            self.lacks(
                element,
                keyword,
                "boot",
                "the description of its boot image, such as `isoboot/suse-10.3`",
            );
            return None;
        }
        let layout = match element.value("flags").map(|flags| flags.text.as_str()) {
            Some("compressed") => IsoLayout::Compressed,
            Some("unified") => IsoLayout::Unified,
            Some("dmsquash") => IsoLayout::DmSquash,
            Some("plain") => IsoLayout::Plain,
            _ => IsoLayout::Overlay,
        };
        let keyword = |name: &str| element.value(name).and_then(|value| Filesystem::parse(&value.text));
        let filesystem = keyword("filesystem").unwrap_or(Filesystem::Squashfs);
        Some(Iso {
            boot,
            layout,
            filesystem,
            compression: compression(element, filesystem),
            firmware: firmware(element),
            secure_boot: secure_boot(element),
            bootloader: element.child("bootloader").map(bootloader).unwrap_or_default(),
            kernel_command_line: text(element, "kernelcmdline"),
            media_check: boolean(element, "mediacheck").unwrap_or(true),
            persistent: boolean(element, "hybridpersistent")
                .unwrap_or(false)
                .then(|| keyword("hybridpersistent_filesystem").unwrap_or(Filesystem::Ext4)),
            volume_id: text(element, "volid").unwrap_or_else(|| "CDROM".to_owned()),
            application_id: text(element, "application_id"),
            publisher: text(element, "publisher"),
            edit_boot_config: text(element, "editbootconfig"),
        })
    }
}
