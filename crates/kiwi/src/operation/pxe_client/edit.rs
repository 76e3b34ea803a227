//! The text of a new configuration.

use std::path::Path;

use anyhow::{Context as _, Result};
use bootconfig::{ClientConfig, ClientKey, Compression, ImageEntry, partition_name};

use super::{Base, Client, invalid, read};
use crate::failure::fail;
use crate::pxe::Tree;

/// Returns the text of a configuration with which a client can boot. The text of a file that is not changed stays as it is,
/// with its comments.
pub(super) fn text(
    tree: &Tree,
    client: Client,
    base: &Base,
    disk: Option<&str>,
    set: &[(ClientKey, String)],
) -> Result<String> {
    let (text, file) = base_text(tree, client, base)?;
    if disk.is_none() && set.is_empty() {
        ClientConfig::parse_client(&text).map_err(|error| invalid(&file, &error))?;
        return Ok(text);
    }
    let mut config = ClientConfig::parse(&text).map_err(|error| invalid(&file, &error))?;
    if let Some(disk) = disk {
        move_to(&mut config, disk)?;
    }
    let values = ClientKey::all().filter_map(|key| {
        let given = set.iter().rev().find(|(other, _)| *other == key).map(|(_, value)| value.clone());
        Some((key, given.or_else(|| config.value(key))?))
    });
    let text: String = values.map(|(key, value)| format!("{}={value}\n", key.name())).collect();
    let changed = ClientConfig::parse_client(&text).map_err(|error| {
        invalid(&format!("the new configuration, \"{}\"", line(&text, error.line)), &error)
    })?;
    Ok(changed.to_string())
}

fn line(text: &str, number: usize) -> &str {
    number.checked_sub(1).and_then(|index| text.lines().nth(index)).unwrap_or("")
}

fn base_text(tree: &Tree, client: Client, base: &Base) -> Result<(String, String)> {
    match base {
        Base::Present => Ok((read(tree, &client.path())?.unwrap_or_default(), client.path())),
        Base::File(path) => Ok((from_file(path)?, path.display().to_string())),
        Base::Image(name) => {
            let file = format!("image/{name}.config");
            match read(tree, &file)? {
                Some(text) => Ok((text, file)),
                None => Ok((in_memory(tree, name)?, file)),
            }
        }
    }
}

fn from_file(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))
}

/// Returns the configuration of a machine that runs a published image in memory.
fn in_memory(tree: &Tree, name: &str) -> Result<String> {
    let forms = std::iter::once(None).chain(Compression::ALL.map(Some));
    let is_there = |form: &Option<Compression>| {
        tree.file(&format!("image/{name}{}", form.map_or("", Compression::suffix))).is_file()
    };
    let Some(compressed) = forms.filter(|_| !name.contains('/')).find(is_there) else {
        let names = published(tree)?.join(", ");
        fail!(File, "no image {name} is published in {}; published: {names}", tree.path().display());
    };
    let (name, version) = name.rsplit_once('-').unwrap_or((name, ""));
    let image = ImageEntry {
        device: "ram1".to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        server: None,
        block_size: None,
        compressed,
    };
    Ok(ClientConfig { images: vec![image], ..ClientConfig::default() }.to_string())
}

/// Returns the names of the published images.
fn published(tree: &Tree) -> Result<Vec<String>> {
    let directory = tree.file("image");
    let reading = || format!("reading {}", directory.display());
    let mut names = Vec::new();
    for entry in directory.read_dir().with_context(reading)? {
        let name = entry.with_context(reading)?.file_name().to_string_lossy().into_owned();
        names.extend(name.strip_suffix(".md5").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

/// Replaces the disk and its partitions by those of another disk.
fn move_to(config: &mut ClientConfig, disk: &str) -> Result<()> {
    let new = disk.strip_prefix("/dev/").unwrap_or(disk);
    let Some(old) = config.disk.replace(new.to_owned()) else {
        fail!(
            Usage,
            "--disk {disk}: the configuration has no disk that could be replaced; set DISK, PART and IMAGE"
        );
    };
    let renamed = |device: &mut String| {
        let number = device.strip_prefix(&old).map(|number| number.strip_prefix('p').unwrap_or(number));
        if let Some(number) = number.and_then(|number| number.parse().ok()) {
            *device = partition_name(new, number);
        }
    };
    config.images.iter_mut().map(|image| &mut image.device).for_each(renamed);
    if let Some(union) = &mut config.union {
        [&mut union.read_write, &mut union.read_only].into_iter().for_each(renamed);
    }
    Ok(())
}
