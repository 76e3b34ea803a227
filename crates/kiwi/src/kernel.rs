//! The kernel of a tree.

use std::cmp::Ordering;

use anyhow::Result;

use crate::distribution::Distribution;
use crate::failure::fail;
use crate::root_tree::RootTree;

/// A kernel with its modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kernel {
    /// Its version, as in `uname -r`.
    pub version: String,
    /// The image's path in the tree.
    pub image: String,
}

impl Kernel {
    /// Returns the newest kernel of the tree that has its modules.
    pub fn find(tree: &RootTree) -> Result<Self> {
        let mut kernels = Vec::new();
        for name in tree.list("boot")? {
            for prefix in ["vmlinuz-", "vmlinux-", "Image-"] {
                if let Some(version) = name.strip_prefix(prefix)
                    && tree.exists(format!("lib/modules/{version}"))
                {
                    kernels.push(Self { version: version.to_owned(), image: format!("boot/{name}") });
                }
            }
        }
        // Fedora and others install the image beside the modules.
        for version in tree.list("lib/modules")? {
            let image = format!("lib/modules/{version}/vmlinuz");
            if tree.exists(&image) {
                kernels.push(Self { version, image });
            }
        }
        kernels.sort_by(|one, other| compare_versions(&one.version, &other.version));
        match kernels.pop() {
            Some(kernel) => Ok(kernel),
            None => fail!(
                Packages,
                "the root tree has no kernel with modules (boot/vmlinuz-VERSION and lib/modules/VERSION): \
                 name a kernel package in the description: {}",
                Distribution::package_hint(tree, |facts| facts.kernel_packages.join(" or "))
            ),
        }
    }

    /// Returns whether this option is built into the kernel, by its configuration.
    pub fn has_option(&self, tree: &RootTree, option: &str) -> bool {
        let config = tree.read_text(format!("boot/config-{}", self.version)).unwrap_or_default();
        config.lines().any(|line| line.strip_prefix(option) == Some("=y"))
    }
}

/// Compares versions: runs of digits as numbers, the rest as text.
fn compare_versions(one: &str, other: &str) -> Ordering {
    let parts = |text: &str| -> Vec<(u64, String)> {
        let mut parts = vec![];
        let mut rest = text;
        while !rest.is_empty() {
            let keyword = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let digits =
                rest[keyword..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |end| keyword + end);
            parts.push((rest[keyword..digits].parse().unwrap_or(0), rest[..keyword].to_owned()));
            rest = &rest[digits..];
        }
        parts
    };
    let (one, other) = (parts(one), parts(other));
    for ((number, keyword), (other_number, other_keyword)) in one.iter().zip(&other) {
        match keyword.cmp(other_keyword).then(number.cmp(other_number)) {
            Ordering::Equal => {}
            order => return order,
        }
    }
    one.len().cmp(&other.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_versions_by_their_numbers() {
        assert_eq!(compare_versions("6.1.0-9-amd64", "6.1.0-56-amd64"), Ordering::Less);
        assert_eq!(compare_versions("6.12.1", "6.2.9"), Ordering::Greater);
        assert_eq!(compare_versions("6.1.0-9-amd64", "6.1.0-9-amd64"), Ordering::Equal);
    }
}
