//! `<packages>`.

use super::{Decoder, number, text};
use crate::description::{PackageSection, PackagesFor};
use crate::document::Element;
use crate::unsupported::architectures;
use crate::{
    ArchitectureList, DescriptionArchive, DescriptionFile, Diagnostic, Machine, PackageName, PatternName,
    PatternType, Span,
};

fn file(element: &Element) -> Option<(DescriptionFile, ArchitectureList)> {
    let name = text(element, "name")?;
    let file = DescriptionFile {
        target: text(element, "target").unwrap_or_else(|| format!("/{name}")),
        name,
        owner: text(element, "owner"),
        permissions: text(element, "permissions"),
    };
    Some((file, architectures(element)))
}

impl Decoder<'_> {
    pub(super) fn packages(&mut self, element: &Element) -> Option<PackageSection> {
        let packages_for = match element.value("type")?.text.as_str() {
            "bootstrap" => PackagesFor::Bootstrap,
            "image" => PackagesFor::Image,
            "delete" => PackagesFor::Delete,
            "uninstall" => PackagesFor::Uninstall,
            "systemfiles" => PackagesFor::SystemFiles,
            keyword => PackagesFor::Type(keyword.to_owned()),
        };
        let machine = self.machine_attributes(element, &packages_for);
        Some(PackageSection {
            packages_for,
            packages: names(element, "package", PackageName::parse),
            ignored: names(element, "ignore", PackageName::parse),
            patterns: names(element, "namedCollection", PatternName::parse),
            products: names(element, "product", PackageName::parse),
            archives: element.children("archive").filter_map(archive).collect(),
            files: element.children("file").filter_map(file).collect(),
            pattern_type: element
                .value("patternType")
                .and_then(|keyword| PatternType::parse(&keyword.text))
                .unwrap_or_default(),
            machine,
            positions: element
                .children("package")
                .filter_map(|child| {
                    let name = child.value("name")?;
                    Some((PackageName::parse(&name.text)?, name.span.clone()))
                })
                .collect(),
        })
    }

    /// `memory` and `disk` belong together, and only apply to virtual machines (docs/formats/description.md).
    fn machine_attributes(&mut self, element: &Element, packages_for: &PackagesFor) -> Option<Machine> {
        let present = element.attribute("memory").or_else(|| element.attribute("disk"))?;
        let virtual_machine =
            matches!(packages_for, PackagesFor::Type(keyword) if keyword == "xen" || keyword == "vmware");
        if !virtual_machine {
            self.diagnostics.push(
                Diagnostic::error(
                    present.name_span.clone(),
                    format!("`{}` is not allowed for this type of packages", present.name),
                )
                .rule("machine-of-packages")
                .label("for virtual machines only")
                .help("it fits the types `xen` and `vmware`"),
            );
            return None;
        }
        match (number(element, "memory"), text(element, "disk")) {
            (Some(memory), Some(disk)) => Some(Machine { memory: Some(memory), disk, ..Machine::default() }),
            (Some(_) | None, None) | (None, Some(_)) => {
                let missing = if present.name == "disk" { "memory" } else { "disk" };
                if element.attribute(missing).is_none() {
                    self.diagnostics.push(
                        Diagnostic::warning(
                            present.name_span.clone(),
                            format!("`{}` has no effect without `{missing}`", present.name),
                        )
                        .rule("machine-of-packages")
                        .label("no configuration of a virtual machine will be written")
                        .help(format!("add `{missing}`")),
                    );
                }
                None
            }
        }
    }
}

/// Returns the name of an archive and its position.
fn archive(element: &Element) -> Option<(DescriptionArchive, Span)> {
    let name = element.value("name")?;
    let target = text(element, "target_dir").unwrap_or_else(|| "/".to_owned());
    Some((DescriptionArchive { name: name.text.clone(), target }, name.span.clone()))
}

/// Returns the names and architectures of all children of one kind.
fn names<T>(element: &Element, child: &str, parse: impl Fn(&str) -> Option<T>) -> Vec<(T, ArchitectureList)> {
    element
        .children(child)
        .filter_map(|child| Some((parse(&child.value("name")?.text)?, architectures(child))))
        .collect()
}
