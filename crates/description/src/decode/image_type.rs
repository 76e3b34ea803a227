//! `<type>`: from a set of attributes to the variant with everything that the image type requires.

mod container;
mod size;

use self::size::{blank_list, size};
use super::bootloader::{bootloader, command_line, firmware, secure_boot};
use super::machine::{machine, vagrant_box};
use super::{Decoder, boolean, deploy, number, oem, partitions, text, variables};
use crate::description::TypeEntry;
use crate::document::{Element, Text};
use crate::image_type::{Feature, Model, TypeRow, format_options, listed_types, type_row};
use crate::schema::{self, State, TYPE};
use crate::unsupported::{self, Unsupported};
use crate::{
    BootImage, Diagnostic, Disk, DiskFormat, DiskKeyword, FilesystemImage, ImageType, Kis, Pxe,
    SchemaVersion, Split, Usb, Xen,
};
use ondisk::{Filesystem, Mebibytes};

/// A condition on the file system of an image type.
type Fits = fn(Filesystem) -> bool;

fn is_writable(filesystem: Filesystem) -> bool {
    !filesystem.is_read_only()
}

/// Returns whether a network client can start a system in it.
fn is_bootable(filesystem: Filesystem) -> bool {
    is_writable_or_squashfs(filesystem) || filesystem == Filesystem::Erofs
}

fn is_writable_or_squashfs(filesystem: Filesystem) -> bool {
    is_writable(filesystem) || filesystem == Filesystem::Squashfs
}

impl Decoder<'_> {
    /// Returns none if the keyword of the type is missing or unknown.
    pub(super) fn type_entry(&mut self, element: &Element) -> Option<TypeEntry> {
        let keyword = element.value("image")?;
        let row = type_row(&keyword.text).filter(|row| row.schemas.1 >= self.schema)?;
        self.attributes_fit(element, keyword, row);
        let mut unsupported = unsupported::collect(element, &TYPE, SchemaVersion::OLDEST, &["split"]);
        unsupported.extend(without_effect_here(element, row));
        unsupported.extend(command_line(element));
        let image_type = row.model.and_then(|model| self.image_type(element, keyword, model));
        if image_type.is_none() && unsupported.is_empty() {
            let without = if row.takes(Feature::Filesystem) { " without `filesystem`" } else { "" };
            let what = format!("the image type `{}`{without}", keyword.text);
            unsupported.push(Unsupported::new(&what, row.schemas.0, keyword.span.clone()));
        }
        Some(TypeEntry {
            keyword: keyword.text.clone(),
            span: element.span.clone(),
            primary: boolean(element, "primary").unwrap_or(false),
            boot: element.value("boot").map(|boot| (boot.text.clone(), boot.span.clone())),
            has_format: element.attribute("format").is_some(),
            bundle_format: text(element, "bundle_format"),
            deploy: element.child("deploy").map(deploy::deploy),
            variables: variables::of_type(element),
            image_type,
            unsupported,
        })
    }

    /// Refuses attributes that have no meaning for this image type.
    fn attributes_fit(&mut self, element: &Element, keyword: &Text, row: &TypeRow) {
        for attribute in &element.attributes {
            let Some(known) = TYPE.attribute_schema(&attribute.name, SchemaVersion::NEWEST) else { continue };
            let Some(feature) = known.fits.filter(|feature| !row.takes(*feature)) else { continue };
            let written = attribute.name_span.keyword().unwrap_or(known.name);
            self.diagnostics.push(
                Diagnostic::error(
                    attribute.name_span.clone(),
                    format!("`{written}` does not fit the image type `{}`", keyword.text),
                )
                .rule("attribute-of-another-type")
                .label(format!("means nothing for `{}`", keyword.text))
                .help(format!("it fits {}", listed_types(feature, self.schema))),
            );
        }
    }

    fn image_type(&mut self, element: &Element, keyword: &Text, model: Model) -> Option<ImageType> {
        match model {
            Model::Filesystem(filesystem) => {
                Some(ImageType::Filesystem(filesystem_image(element, filesystem)))
            }
            Model::Cpio => Some(ImageType::Cpio),
            Model::Tbz => Some(ImageType::Tbz),
            Model::Disk(disk) => self.disk(element, keyword, disk).map(Box::new).map(ImageType::Disk),
            Model::Iso => self.iso(element, keyword).map(ImageType::Iso),
            Model::Usb if self.schema != SchemaVersion::V1_4 && boot_image(element).is_none() => {
                let filesystem = self.filesystem(element, keyword, is_writable_or_squashfs)?;
                Some(ImageType::Usb(Usb { boot: None, image: filesystem_image(element, filesystem) }))
            }
            Model::Usb => {
                let (boot, image) = self.boot_and_image(element, keyword, is_writable_or_squashfs)?;
                Some(ImageType::Usb(Usb { boot: Some(boot), image }))
            }
            Model::Xen => {
                let (boot, image) = self.boot_and_image(element, keyword, is_writable)?;
                let kernel_command_line = text(element, "kernelcmdline");
                Some(ImageType::Xen(Xen { boot, image, kernel_command_line, machine: machine(element) }))
            }
            // Kernel and initrd alone, which is not built.
            Model::Pxe if self.schema != SchemaVersion::V1_4 && element.attribute("filesystem").is_none() => {
                None
            }
            Model::Pxe if self.schema != SchemaVersion::V1_4 && boot_image(element).is_none() => {
                let filesystem = self.filesystem(element, keyword, is_bootable)?;
                Some(ImageType::Pxe(Box::new(pxe(element, None, filesystem_image(element, filesystem)))))
            }
            Model::Pxe => {
                let (boot, image) = self.boot_and_image(element, keyword, is_bootable)?;
                Some(ImageType::Pxe(Box::new(pxe(element, Some(boot), image))))
            }
            Model::Kis => self.kis(element, keyword).map(Box::new).map(ImageType::Kis),
            Model::Container(container) => {
                Some(ImageType::Container(Box::new(self.container(element, container))))
            }
            Model::Split => self.split_filesystems(element, keyword).map(ImageType::Split),
        }
    }

    fn kis(&mut self, element: &Element, keyword: &Text) -> Option<Kis> {
        let image = match element.attribute("filesystem") {
            None => None,
            Some(_) => Some(filesystem_image(element, self.filesystem(element, keyword, is_bootable)?)),
        };
        Some(Kis {
            image,
            label: label(element),
            kernel_command_line: text(element, "kernelcmdline"),
            archive: boolean(element, "archive").unwrap_or(true),
        })
    }

    fn boot_and_image(
        &mut self,
        element: &Element,
        keyword: &Text,
        allowed: Fits,
    ) -> Option<(BootImage, FilesystemImage)> {
        let boot = boot_image(element);
        if boot.is_none() {
            self.lacks(
                element,
                keyword,
                "boot",
                "the description of its boot image, such as `netboot/suse-10.2`",
            );
        }
        let filesystem = self.filesystem(element, keyword, allowed);
        Some((boot?, filesystem_image(element, filesystem?)))
    }

    fn disk(&mut self, element: &Element, keyword: &Text, disk_keyword: DiskKeyword) -> Option<Disk> {
        let filesystem = self.filesystem(element, keyword, is_bootable)?;
        let resize = element.child("oemconfig").and_then(|config| config.child_text("oem-resize"));
        Some(Disk {
            keyword: disk_keyword,
            filesystem,
            boot: boot_image(element),
            format: element
                .value("format")
                .and_then(|format| DiskFormat::parse(&format.text))
                .unwrap_or(DiskFormat::Raw),
            requested_formats: Vec::new(),
            format_options: text(element, "formatoptions").as_deref().map(format_options).unwrap_or_default(),
            vhd_tag: text(element, "vhdfixedtag"),
            gce_license: text(element, "gcelicense"),
            boxes: element.children("vagrantconfig").filter_map(vagrant_box).collect(),
            size: size(element),
            firmware: firmware(element),
            secure_boot: secure_boot(element),
            bootloader: element.child("bootloader").map(bootloader).unwrap_or_default(),
            kernel_command_line: text(element, "kernelcmdline"),
            label: label(element),
            create_options: blank_list(element, "fscreateoptions"),
            mount_options: text(element, "fsmountoptions"),
            esp_size: number(element, "efipartsize").map(Mebibytes),
            boot_partition: partitions::boot(element, filesystem),
            partitions: partitions::further(element),
            resize: resize.and_then(|resize| schema::boolean(&resize.text)).unwrap_or(true),
            install_medium: ["installiso", "installstick"]
                .iter()
                .any(|name| boolean(element, name).unwrap_or(false)),
            install_archive: boolean(element, "installpxe").unwrap_or(false),
            oem: element.child("oemconfig").map(oem::oem).unwrap_or_default(),
            machine: machine(element),
            edit_boot_config: text(element, "editbootconfig"),
            edit_boot_install: text(element, "editbootinstall"),
        })
    }

    fn split_filesystems(&mut self, element: &Element, keyword: &Text) -> Option<Split> {
        let legacy = self.schema == SchemaVersion::V1_4;
        if let Some(value) = element.value("filesystem") {
            let diagnostic =
                Diagnostic::error(value.span.clone(), "the image type `split` has two file systems")
                    .rule("file-systems-of-a-type");
            self.diagnostics.push(if legacy {
                diagnostic
                    .label("expected the writable file system, a comma, and the read-only one")
                    .help("such as `ext3,squashfs`")
            } else {
                diagnostic
                    .label("expected `fsreadwrite` and `fsreadonly`")
                    .help("such as `fsreadwrite=\"ext3\" fsreadonly=\"squashfs\"`")
            });
            return None;
        }
        let parts = (element.value("fsreadwrite"), element.value("fsreadonly"));
        let (Some(read_write), Some(read_only)) = parts else {
            if legacy {
                self.lacks(element, keyword, "filesystem", "two file systems, such as `ext3,squashfs`");
            } else {
                self.lacks(element, keyword, "fsreadwrite", "the writable file system");
                self.lacks(element, keyword, "fsreadonly", "the read-only file system");
            }
            return None;
        };
        let read_write = self.one_filesystem(read_write, "the writable part of a split image", is_writable);
        let read_only = self.one_filesystem(read_only, "the read-only part of a split image", |_| true);
        let files = element.child("split").map(super::split);
        Some(Split { read_write: read_write?, read_only: read_only?, files })
    }

    fn filesystem(&mut self, element: &Element, keyword: &Text, allowed: Fits) -> Option<Filesystem> {
        let Some(value) = element.value("filesystem") else {
            self.lacks(element, keyword, "filesystem", &format!("one of {}", keywords_of(allowed)));
            return None;
        };
        if value.items().len() > 1 {
            self.diagnostics.push(
                Diagnostic::error(
                    value.span.clone(),
                    format!("the image type `{}` has one file system", keyword.text),
                )
                .rule("file-systems-of-a-type")
                .label("expected one")
                .help("only the type `split` has two"),
            );
            return None;
        }
        self.one_filesystem(value, &format!("the image type `{}`", keyword.text), allowed)
    }

    fn one_filesystem(&mut self, value: &Text, whose: &str, allowed: Fits) -> Option<Filesystem> {
        let filesystem = Filesystem::parse(&value.text)?;
        if !allowed(filesystem) {
            self.diagnostics.push(
                Diagnostic::error(value.span.clone(), format!("`{}` does not fit {whose}", value.text))
                    .rule("file-systems-of-a-type")
                    .label(format!("expected one of {}", keywords_of(allowed))),
            );
            return None;
        }
        Some(filesystem)
    }

    pub(super) fn lacks(&mut self, element: &Element, keyword: &Text, attribute: &str, expected: &str) {
        let misspelt = element
            .attributes
            .iter()
            .any(|other| TYPE.meant_attribute(&other.name, self.schema) == Some(attribute));
        if element.attribute(attribute).is_some() || misspelt {
            return;
        }
        self.diagnostics.push(
            Diagnostic::error(
                keyword.span.clone(),
                format!("the image type `{}` needs `{attribute}`", keyword.text),
            )
            .rule("attribute-a-type-needs")
            .label(format!("`{attribute}` is missing"))
            .help(format!("add `{attribute}=\"...\"`: {expected}")),
        );
    }
}

fn pxe(element: &Element, boot: Option<BootImage>, image: FilesystemImage) -> Pxe {
    Pxe { boot, image, label: label(element), kernel_command_line: text(element, "kernelcmdline") }
}

/// Returns the label of the system's file system.
fn label(element: &Element) -> String {
    text(element, "rootfs_label").unwrap_or_else(|| "ROOT".to_owned())
}

/// Reports attributes that are built for other image types and have no effect on this one.
fn without_effect_here(element: &Element, row: &TypeRow) -> Vec<Unsupported> {
    let value = |name: &str| element.value(name).map(|value| value.text.as_str());
    let live = row.takes(Feature::Live);
    let erofs = |text| text == Some("erofs");
    let has_effect = |name: &str| match name {
        "filesystem" if live => matches!(value(name), None | Some("squashfs" | "erofs")),
        "erofscompression" if live => erofs(value("filesystem")),
        "bootprofile" => element.attribute("boot").is_some(),
        // What is switched off anyway may be.
        _ => !row.unsupported.contains(&name) || boolean(element, name) == Some(false),
    };
    let mut found: Vec<Unsupported> = element
        .attributes
        .iter()
        .filter(|attribute| {
            TYPE.attributes.iter().any(|known| {
                known.name == attribute.name
                    && known.state == State::Built
                    && known.fits.is_none_or(|feature| row.takes(feature))
            })
        })
        .filter(|attribute| !has_effect(&attribute.name))
        .map(|attribute| {
            let what = format!("`{}` of the type `{}`", attribute.name, row.keyword);
            Unsupported::new(&what, row.schemas.0, attribute.name_span.clone())
        })
        .collect();
    let history = element.child("containerconfig").and_then(|config| config.child("history"));
    if row.takes(Feature::ContainerRoot)
        && let Some(history) = history
    {
        let of_appx = ["application_id", "package_version", "launcher"];
        found.extend(of_appx.iter().filter_map(|name| history.attribute(name)).map(|attribute| {
            let what = format!("`{}` of the type `{}`", attribute.name, row.keyword);
            Unsupported::new(&what, row.schemas.0, attribute.name_span.clone())
        }));
    }
    // The kernel of a boot image that is made from a description; elsewhere the choice means nothing.
    if let Some(kernel) = element.attribute("bootkernel").filter(|kernel| kernel.value.text != "std")
        && row.takes(Feature::BootImage)
        && boot_image(element).is_some()
    {
        found.push(Unsupported::new("`bootkernel`", SchemaVersion::V2_0, kernel.name_span.clone()));
    }
    if row.takes(Feature::Disk)
        && let Some(value) = element.value("filesystem")
        && matches!(value.text.as_str(), "squashfs" | "erofs")
    {
        found.push(Unsupported::new("a disk whose system is read-only", row.schemas.0, value.span.clone()));
    }
    found
}

fn keywords_of(allowed: Fits) -> String {
    let allowed = Filesystem::ALL.iter().filter(|filesystem| allowed(**filesystem));
    allowed.map(|filesystem| filesystem.keyword()).collect::<Vec<_>>().join(", ")
}

pub(super) fn boot_image(element: &Element) -> Option<BootImage> {
    let path = text(element, "boot").filter(|path| !path.is_empty())?;
    Some(BootImage { path, profile: text(element, "bootprofile") })
}

/// Returns the compression of a read-only file system.
pub(super) fn compression(element: &Element, filesystem: Filesystem) -> Option<String> {
    match filesystem {
        Filesystem::Erofs => text(element, "erofscompression"),
        // A type whose system is not in a squashfs can have read-only parts that are.
        Filesystem::Squashfs
        | Filesystem::Ext2
        | Filesystem::Ext3
        | Filesystem::Ext4
        | Filesystem::Reiserfs
        | Filesystem::Xfs
        | Filesystem::Btrfs
        | Filesystem::Cramfs => text(element, "squashfscompression"),
    }
}

fn filesystem_image(element: &Element, filesystem: Filesystem) -> FilesystemImage {
    FilesystemImage {
        filesystem,
        size: size(element),
        compressed: boolean(element, "compressed").unwrap_or(false),
        create_options: blank_list(element, "fscreateoptions"),
        squashfs_compression: compression(element, filesystem),
    }
}
