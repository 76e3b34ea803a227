//! Merges the packages sections of a build into one list.

use crate::description::PackageSection;
use crate::image_type::type_row;
use crate::{Architecture, ArchitectureList, ImageType, Package, PackageName, PackageSet, PatternType};

/// Returns whether a packages section with that type applies to an image type.
pub(crate) fn section_is_for(keyword: &str, image_type: &ImageType) -> bool {
    type_row(image_type.keyword()).is_some_and(|row| row.packages.contains(&keyword))
}

/// Merges sections: names that a section ignores are removed from it and from all sections before it.
pub(crate) fn package_set<'a>(
    sections: impl Iterator<Item = &'a PackageSection>,
    architecture: &Architecture,
) -> PackageSet {
    let mut packages: Vec<PackageName> = Vec::new();
    let mut ignored: Vec<PackageName> = Vec::new();
    let mut set = PackageSet { pattern_type: PatternType::OnlyRequired, ..PackageSet::default() };
    for section in sections {
        packages.extend(allowed(&section.packages, architecture));
        let now_ignored: Vec<PackageName> = allowed(&section.ignored, architecture).collect();
        packages.retain(|package| !now_ignored.contains(package));
        ignored.extend(now_ignored);
        for pattern in allowed(&section.patterns, architecture) {
            if !set.patterns.contains(&pattern) {
                set.patterns.push(pattern);
            }
        }
        for product in allowed(&section.products, architecture) {
            if !set.products.contains(&product) {
                set.products.push(product);
            }
        }
        for (archive, _) in &section.archives {
            if !set.archives.contains(archive) {
                set.archives.push(archive.clone());
            }
        }
        set.files.extend(allowed(&section.files, architecture));
        // One list has one pattern type: the widest of its sections.
        set.pattern_type = set.pattern_type.max(section.pattern_type);
    }
    packages.sort();
    packages.dedup();
    ignored.sort();
    ignored.dedup();
    ignored.retain(|name| !packages.contains(name));
    set.packages = packages.into_iter().map(|name| Package { name }).collect();
    set.ignored = ignored;
    set
}

fn allowed<'a, T: Clone>(
    items: &'a [(T, ArchitectureList)],
    architecture: &'a Architecture,
) -> impl Iterator<Item = T> + 'a {
    items.iter().filter(|(_, architectures)| architectures.allows(architecture)).map(|(item, _)| item.clone())
}
