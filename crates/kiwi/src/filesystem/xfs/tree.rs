//! Corrects a finished XFS where a prototype could not describe the tree, and verifies that both are equal.
//!
//! ```text
//! directories of tree and image in parallel -> names, links, attributes, sticky bits; missing and extra files -> times
//! ```

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use byteorder::{BE, ByteOrder};

use super::attributes::{self, Attributes};
use super::directory;
use super::layout::{Format, Inode, Layout};
use super::prototype::{Content, Node};
use super::times::{self, Time};

use crate::failure::fail;

/// Offset of the mode in an inode, and the bit for which a prototype has no letter.
pub(super) const MODE: usize = 2;
const STICKY: u32 = 0o1000;
/// Bytes before a link's target in a block of its own, and the offset of the checksum there.
pub(super) const LINK_HEAD: usize = 56;
const LINK_CHECKSUM: usize = 12;
/// Block numbers count these units, whatever the block size.
const BASIC_BLOCK: u64 = 512;

/// Corrects the file system that fills `file` and was written from a prototype of `root`.
pub(super) fn finish(file: &File, root: &Node, attributes: Attributes, epoch: u64) -> Result<()> {
    let layout = Layout::read(file)?;
    if !attributes.is_empty() {
        layout.announce_attributes()?;
    }
    let mut tree = Tree { layout: &layout, attributes, modified: HashMap::new() };
    tree.finish(root, layout.root, Path::new("/"))?;
    if let Some(path) = tree.attributes.keys().next() {
        bail!("the file {} for extended attributes is missing", path.display());
    }
    times::finish(&layout, epoch, &tree.modified).context("setting the file system's times")
}

struct Tree<'l> {
    layout: &'l Layout<'l>,
    /// Attributes that are not on the file system yet.
    attributes: Attributes,
    modified: HashMap<u64, Time>,
}

impl Tree<'_> {
    fn finish(&mut self, node: &Node, number: u64, path: &Path) -> Result<()> {
        self.modified.insert(number, node.modified);
        match &node.content {
            Content::Other => {
                if let Some(attributes) = self.attributes.remove(path) {
                    let mut inode = self.layout.inode(number)?;
                    attributes::put(&mut inode, &attributes)
                        .with_context(|| format!("writing extended attributes of {}", path.display()))?;
                    self.layout.write_inode(&mut inode)?;
                }
                Ok(())
            }
            Content::Link(target) => {
                let inode = self.layout.inode(number)?;
                self.finish_link(inode, target)
                    .with_context(|| format!("writing the link {}", path.display()))
            }
            Content::Directory(nodes) => {
                let mut inode = self.layout.inode(number)?;
                if node.mode & STICKY != 0 {
                    let mode = BE::read_u16(&inode.bytes[MODE..]) | 0o1000;
                    BE::write_u16(&mut inode.bytes[MODE..], mode);
                    self.layout.write_inode(&mut inode)?;
                }
                let reading = || format!("reading the directory {} of the file system", path.display());
                let inside = self.finish_names(&mut inode, nodes).with_context(reading)?;
                for (node, number) in inside {
                    self.finish(node, number, &path.join(&node.name))?;
                }
                Ok(())
            }
        }
    }

    /// Sets the names of all files of a directory; returns the files and their inodes.
    fn finish_names<'n>(
        &self,
        inode: &mut Inode,
        nodes: &'n HashMap<Vec<u8>, Node>,
    ) -> Result<Vec<(&'n Node, u64)>> {
        let mut found = HashMap::new();
        directory::rename(self.layout, inode, |written, number| {
            let Some((written, node)) = nodes.get_key_value(written) else {
                bail!("mkfs.xfs created {}, which the tree does not have", shown(written));
            };
            let twice = found.insert(written, (node, number)).is_some();
            ensure!(!twice, "mkfs.xfs created {} twice", shown(written));
            let name = node.name.as_bytes();
            if name != written && self.layout.ignores_case {
                fail!(
                    InvalidDescription,
                    "{} has a name that mkfs.xfs cannot use when case is ignored; remove version=ci from the file system options",
                    shown(name)
                );
            }
            Ok((name != written).then(|| name.to_vec()))
        })?;
        if let Some((_, lost)) = nodes.iter().find(|(written, _)| !found.contains_key(*written)) {
            bail!("mkfs.xfs lost {}; use ext4 or btrfs", shown(lost.name.as_bytes()));
        }
        Ok(found.into_values().collect())
    }

    /// Sets the target of a link. mkfs.xfs 6.1 omits the block header of a long one, so the block is written again.
    fn finish_link(&self, mut inode: Inode, target: &[u8]) -> Result<()> {
        ensure!(inode.size() == target.len() as u64, "the link target has another length");
        if inode.format()? == Format::Local {
            let content =
                inode.local()?.get_mut(..target.len()).context("the link target ends beyond its inode")?;
            if content != target {
                content.copy_from_slice(target);
                self.layout.write_inode(&mut inode)?;
            }
            return Ok(());
        }
        let data = self.layout.data(&inode)?;
        let mut content = vec![0; usize::try_from(self.layout.block_size)?];
        let &[(_, block)] = data.as_slice() else { bail!("the link target is in {} blocks", data.len()) };
        ensure!(
            LINK_HEAD + target.len() <= content.len(),
            "the link target is too long for a block of this size"
        );
        content[..4].copy_from_slice(b"XSLM");
        BE::write_u32(&mut content[8..], u32::try_from(target.len())?);
        content[16..32].copy_from_slice(&self.layout.uuid);
        BE::write_u64(&mut content[32..], inode.number);
        BE::write_u64(&mut content[40..], self.layout.position_of_block(block) / BASIC_BLOCK);
        content[LINK_HEAD..LINK_HEAD + target.len()].copy_from_slice(target);
        self.layout.write_blocks(&[block], &mut content, LINK_CHECKSUM)
    }
}

fn shown(name: &[u8]) -> String {
    OsStr::from_bytes(name).display().to_string()
}

#[cfg(test)]
#[allow(clippy::disallowed_methods, reason = "the test makes a tree and asks the foreign tools")]
mod tests {
    use std::fs;
    use std::os::unix::ffi::OsStringExt;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use std::path::PathBuf;
    use std::time::{Duration, SystemTime};

    use test_programs::{have, run};

    use super::super::prototype::{Prototype, TREE};
    use super::*;
    use crate::root_tree::RootTree;

    /// Writes the tree as `xfs::create` does.
    fn image_of(tree: &Path, options: &str) -> Result<(tempfile::TempDir, String)> {
        let directory = tempfile::tempdir().unwrap();
        let prototype = Prototype::of(tree)?;
        fs::write(directory.path().join("prototype"), &prototype.text).unwrap();
        for (number, source) in prototype.sources.iter().enumerate() {
            symlink(source, directory.path().join(number.to_string())).unwrap();
        }
        symlink(tree, directory.path().join(TREE)).unwrap();
        let image = directory.path().join("image");
        let file = File::create_new(&image).unwrap();
        file.set_len(320 << 20).unwrap();
        let script =
            format!("cd {} && mkfs.xfs -q -f {options} -p prototype image", directory.path().display());
        run("sh", &["-c", &script]);
        let file = File::options().read(true).write(true).open(&image).unwrap();
        let upper = directory.path().join("upper");
        fs::create_dir(&upper).unwrap();
        let (attributes, lost) = attributes::of(&RootTree::layered(tree, tree, &upper)?)?;
        assert!(lost.is_empty(), "{lost:?}");
        finish(&file, &prototype.root, attributes, 1_000_000_000)?;
        Ok((directory, image.display().to_string()))
    }

    /// Returns the paths of an image, as a foreign tool finds them.
    fn paths(image: &str) -> Vec<Vec<u8>> {
        let script = "xfs_db -r -c 'blockget -n' -c ncheck \"$0\" | od -An -v -tx1 | tr -d ' \\n'";
        let hex = run("sh", &["-c", script, image]);
        let bytes: Vec<u8> =
            (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[at * 2..at * 2 + 2], 16).unwrap()).collect();
        let mut paths: Vec<_> = bytes
            .split(|&byte| byte == b'\n')
            .filter_map(|line| {
                let line = line.trim_ascii_start();
                let path = &line[line.iter().position(|&byte| byte == b' ')? + 1..];
                Some(path.strip_suffix(b"/.").unwrap_or(path).to_vec())
            })
            .collect();
        paths.sort();
        paths
    }

    /// Returns each entry below a directory: path, mode, content or target, time of a file, attributes.
    fn entries(tree: &Path) -> Vec<String> {
        let entry = |entry: walkdir::Result<walkdir::DirEntry>| {
            let entry = entry.unwrap();
            let (path, facts) = (entry.path(), entry.metadata().unwrap());
            let content = match facts.is_symlink() {
                true => fs::read_link(path).unwrap().into_os_string().into_vec(),
                false => fs::read(path).unwrap_or_default(),
            };
            // The time of the build limits that of new files.
            let time = facts.mtime().min(1_000_000_000);
            let inside = path.strip_prefix(tree).unwrap();
            let attributes = crate::root_tree::extended_attributes(path).unwrap();
            let about = (facts.mode(), facts.uid(), facts.gid(), time, attributes);
            format!("{inside:?} {about:?} {}", String::from_utf8_lossy(&content))
        };
        walkdir::WalkDir::new(tree).min_depth(1).sort_by_file_name().into_iter().map(entry).collect()
    }

    fn odd_names() -> Vec<Vec<u8>> {
        let mut names: Vec<Vec<u8>> =
            [":a", ":etc:ssh:sshd_config", "two words", " b", "c ", "$d", "a:$", "a\tb"]
                .map(|name| name.as_bytes().to_vec())
                .into();
        names.push([": ".repeat(120), "x".to_owned()].concat().into_bytes());
        names.push("größe \u{1f95d}".repeat(15).into_bytes());
        names.push(b"\xff \x80\xa0".to_vec());
        // The first is a substitute for another name.
        names.push(b";\xe5tc:ssh:sshd_config".to_vec());
        names
    }

    /// Covers directories in their inode, in one block, in several, and in so many that they need a B+tree.
    #[test]
    fn images_have_every_name_link_and_time_of_the_tree() {
        if !have(&["sh", "mkfs.xfs", "xfs_repair", "xfs_db", "od", "tr"]) {
            return;
        }
        for (options, many) in [("", 4000), ("-n size=8192", 100), ("-m bigtime=0 -i size=1024", 100)] {
            let tree = tempfile::tempdir().unwrap();
            let mut expected = Vec::new();
            for (directory, more) in [(": small", 0), ("block", 60), ("leaf $", 400), ("tree", many)] {
                let directory = PathBuf::from(directory);
                fs::create_dir(tree.path().join(&directory)).unwrap();
                expected.push(directory.as_os_str().as_bytes().to_vec());
                let plain = (0..more).map(|number| format!("{number:0>60}").into_bytes());
                for name in odd_names().into_iter().chain(plain) {
                    let path = directory.join(std::ffi::OsString::from_vec(name));
                    fs::write(tree.path().join(&path), "content").unwrap();
                    expected.push(path.into_os_string().into_vec());
                }
            }
            let targets = [": a b".to_owned(), "/x y".repeat(25), format!(":{}", " /b".repeat(300))];
            for (number, target) in targets.iter().enumerate() {
                symlink(target, tree.path().join(format!("link{number}"))).unwrap();
                expected.push(format!("link{number}").into_bytes());
            }
            let old = tree.path().join("old");
            fs::write(&old, "").unwrap();
            let capability = [1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let attributes =
                [("security.capability", &capability[..]), ("user.a", &[7; 150]), ("user.empty", &[])];
            for (name, value) in attributes {
                rustix::fs::setxattr(&old, name, value, rustix::fs::XattrFlags::empty()).unwrap();
            }
            fs::set_permissions(tree.path().join("block"), fs::Permissions::from_mode(0o1777)).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::new(900_000_000, 7);
            File::open(&old).unwrap().set_modified(time).unwrap();
            expected.push(b"old".to_vec());
            let large: Vec<u8> = (0..1_500_000_u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
            fs::write(tree.path().join("large"), large).unwrap();
            expected.push(b"large".to_vec());
            expected.sort();

            let (_directory, image) = image_of(tree.path(), options).unwrap();
            run("xfs_repair", &["-n", "-f", &image]);
            let found: Vec<_> = paths(&image).into_iter().filter(|path| !expected.contains(path)).collect();
            // xfs_db also prints entries that are not files of the tree.
            assert!(found.iter().all(|path| !path.contains(&b'/')), "{found:?}");
            let said = paths(&image);
            let lost: Vec<_> = expected.iter().filter(|path| said.binary_search(path).is_err()).collect();
            assert!(lost.is_empty(), "{options} lost {lost:?}");
            let print = |path: &str, field: &str| {
                run("xfs_db", &["-r", "-c", &format!("path {path}"), "-c", &format!("print {field}"), &image])
            };
            let said = print("/old", "core.mtime core.ctime.sec");
            assert!(
                said.contains("core.mtime.sec = Thu Jul  9 16:00:00 1998") && said.contains("nsec = 7\n"),
                "{said}"
            );
            let said = print("/old", "a.sfattr.hdr.count a.sfattr.list[0] a.sfattr.list[2]");
            for expected in
                ["count = 3\n", "secure = 1\n", "\"capability\"", "\"\\001\\000\\000\\002\\000\\004"]
            {
                assert!(said.contains(expected), "{said} lacks {expected}");
            }
            assert!(print("/block", "core.mode").contains("041777"));
            assert!(!options.is_empty() || print("/tree", "core.format").contains("btree"));
            assert!(print("/link0", "u3").contains("\": a b\""), "{}", print("/link0", "u3"));

            let copy = tempfile::tempdir().unwrap();
            let host = crate::host::Host::new(crate::host::Output::Quiet);
            super::super::unpack(&File::open(&image).unwrap(), 0, copy.path(), &host).unwrap();
            assert_eq!(entries(copy.path()), entries(tree.path()), "{options}");
        }
    }

    #[test]
    fn what_is_lost_or_cannot_be_named_is_an_error() {
        if !have(&["sh", "mkfs.xfs"]) {
            return;
        }
        let tree = tempfile::tempdir().unwrap();
        fs::write(tree.path().join("$"), "").unwrap();
        let error = image_of(tree.path(), "").unwrap_err().to_string();
        assert!(error.starts_with("the file /$ has a name that mkfs.xfs cannot use"), "{error}");
        fs::rename(tree.path().join("$"), tree.path().join("one")).unwrap();
        let (_directory, image) = image_of(tree.path(), "").unwrap();
        let file = File::options().read(true).write(true).open(image).unwrap();
        fs::write(tree.path().join("other"), "").unwrap();
        let error = finish(&file, &Prototype::of(tree.path()).unwrap().root, HashMap::new(), 0).unwrap_err();
        assert!(format!("{error:#}").contains("mkfs.xfs lost other"), "{error:#}");
        fs::remove_file(tree.path().join("other")).unwrap();
        fs::remove_file(tree.path().join("one")).unwrap();
        let error = finish(&file, &Prototype::of(tree.path()).unwrap().root, HashMap::new(), 0).unwrap_err();
        assert!(format!("{error:#}").contains("created one, which the tree does not have"), "{error:#}");
    }
}
