//! Reads a client configuration.

use super::entry::{Compression, FileEntry, ImageEntry, SyncFile, UnionDevices};
use super::error::ClientConfigError;
use super::field::{device, is_server, is_word, number_of, path, split_number};
use super::key::ClientKey;
use super::lines::{self, Value};
use super::root::{NbdRoot, NfsRoot};
use super::{ClientConfig, check};
use crate::deployed::Deployed;
use crate::live::Union;
use crate::parameter::Parameters;
use crate::plain_text;

impl ClientConfig {
    /// Parses the text of a file.
    pub fn parse(text: &str) -> Result<Self, ClientConfigError> {
        Self::read(text).map(|(config, _)| config)
    }

    /// Parses the text of `config.<MAC>` and requires that a network client can boot from it.
    pub fn parse_client(text: &str) -> Result<Self, ClientConfigError> {
        let (config, values) = Self::read(text)?;
        let line = |key| values.iter().find(|(other, _)| *other == key).map_or(0, |(_, value)| value.line);
        check::check(&config).map_err(|(key, text)| ClientConfigError::new(line(key), text))?;
        Ok(config)
    }

    /// Returns the configuration in the parameters of the kernel, which have the same keys. Options of an installation
    /// medium are not read.
    pub fn of_parameters(parameters: &Parameters) -> Result<Self, ClientConfigError> {
        let values = ClientKey::all()
            .filter(|key| !matches!(key, ClientKey::Choice(_) | ClientKey::Filter))
            .filter_map(|key| Some((key, Value::of_parameter(parameters.value(key.name())?))));
        Self::of(&values.collect::<Vec<_>>())
    }

    fn read(text: &str) -> Result<(Self, Vec<(ClientKey, Value)>), ClientConfigError> {
        if let Some((line, problem)) = plain_text::problem(text) {
            return Err(ClientConfigError::new(line, problem));
        }
        let values = lines::read(text)?;
        Ok((Self::of(&values)?, values))
    }

    fn of(values: &[(ClientKey, Value)]) -> Result<Self, ClientConfigError> {
        let mut config = Self::default();
        for (key, value) in values.iter().filter(|(_, value)| !value.text.is_empty()) {
            config.set(*key, value)?;
        }
        let target = config.target();
        if let Some(partitions) = &mut config.partitions {
            partitions.target = target;
        }
        Ok(config)
    }

    fn set(&mut self, key: ClientKey, value: &Value) -> Result<(), ClientConfigError> {
        let name = key.name();
        let text = value.text.as_str();
        let expected =
            |what: &str| ClientConfigError::new(value.line, format!("{name}=\"{text}\": expected {what}"));
        let path = || path(text).ok_or_else(|| expected("a path on the server"));
        match key {
            ClientKey::Image => self.images = entries(value, name, image)?,
            ClientKey::Conf => self.files = entries(value, name, file)?,
            ClientKey::Disk => {
                self.disk = Some(device(text).ok_or_else(|| expected("a device below /dev"))?);
            }
            ClientKey::Part => {
                for (line, entry) in value.entries() {
                    partition(entry)
                        .map_err(|text| ClientConfigError::new(line, format!("{name}: {text}")))?;
                }
                let read = Deployed::parse(text, None);
                self.partitions =
                    Some(read.map_err(|error| ClientConfigError::new(value.line, error.to_string()))?);
            }
            ClientKey::Sync => {
                let read = sync(text);
                self.sync = Some(read.map_err(|what| expected(&what))?);
            }
            ClientKey::Journal => self.journal = Some(text.to_owned()),
            ClientKey::ReloadImage => self.reload_image = switch(text).ok_or_else(|| expected(ON))?,
            ClientKey::ReloadConfig => self.reload_config = switch(text).ok_or_else(|| expected(ON))?,
            ClientKey::CombinedImage => self.combined_image = switch(text).ok_or_else(|| expected(ON))?,
            ClientKey::RebootImage => self.reboot_image = switch(text).ok_or_else(|| expected(ON))?,
            ClientKey::Initrd => self.initrd = Some(path()?),
            ClientKey::Kernel => self.kernel = Some(path()?),
            ClientKey::UnionfsConfig => {
                self.union = Some(union(text).ok_or_else(|| {
                    let keywords = Union::ALL.map(Union::keyword).join(", ");
                    expected(&format!(
                        "<device for writing>,<device of the image>,<type> with one of the types {keywords}"
                    ))
                })?);
            }
            ClientKey::KernelOptions => self.kernel_options = Some(text.to_owned()),
            ClientKey::BootTimeout => {
                self.boot_timeout = Some(text.parse().map_err(|_| expected("a number of seconds"))?);
            }
            ClientKey::NfsRoot => {
                self.nfs_root =
                    Some(NfsRoot::parse(text).ok_or_else(|| expected("<server>;<absolute path>"))?);
            }
            ClientKey::NbdRoot => {
                self.nbd_root = Some(NbdRoot::parse(text).ok_or_else(|| {
                    expected("<server>;<port>[/<export>][;<device>[;<swap port>;<swap device>]]")
                })?);
            }
            ClientKey::Filter => self.filter = Some(text.to_owned()),
            ClientKey::Choice(choice) => {
                if matches!(text, "yes" | "1" | "true") {
                    self.choices.insert(choice);
                }
            }
        }
        Ok(())
    }

    /// Returns the number of the first image's partition on the disk.
    pub(super) fn target(&self) -> Option<usize> {
        let device = self.images.first()?.device.as_str();
        match &self.disk {
            Some(disk) => number_of(device, disk),
            None => split_number(device).1,
        }
    }
}

const ON: &str = "\"yes\" or no value";

/// Returns whether a value switches something on. KIWI 1.x takes every text for yes, so that one for no is an error.
fn switch(text: &str) -> Option<bool> {
    let is_off = ["no", "0", "false", "off"].iter().any(|off| text.eq_ignore_ascii_case(off));
    (!is_off).then_some(true)
}

/// Reads every entry of a list.
fn entries<T>(
    value: &Value,
    name: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, ClientConfigError> {
    value
        .entries()
        .map(|(line, entry)| {
            read(entry).map_err(|text| ClientConfigError::new(line, format!("{name}=\"{entry}\": {text}")))
        })
        .collect()
}

fn image(entry: &str) -> Result<ImageEntry, String> {
    let fields = fields(entry);
    let first = fields[0];
    if let Some((device, rest)) = first.split_once(':').filter(|_| !first.starts_with("/dev/disk/")) {
        return Err(format!(
            "\":\" follows the device: expected \"{device};{rest}{}\"",
            entry.trim_start_matches(first)
        ));
    }
    let [device, name, rest @ ..] = &fields[..] else {
        return Err("expected <device>;<name>.<arch>;<version>[;<server>;<block size>[;compressed]]".into());
    };
    let (version, rest) = rest.split_first().map_or(("", rest), |(version, rest)| (*version, rest));
    let device = match *device {
        "" => String::new(),
        device => {
            self::device(device).ok_or_else(|| format!("expected a device below /dev, not \"{device}\""))?
        }
    };
    let name = name.strip_prefix("image/").unwrap_or(name);
    let is_name = |text: &str| !text.contains('/') && is_word(text);
    if name.is_empty() || !is_name(name) || !is_name(version) {
        return Err(format!(
            "\"{name}\" with version \"{version}\" is not the name of an image: expected <name>.<arch>;<version>"
        ));
    }
    let (server, block_size, rest) = server(rest)?;
    let compressed = match rest {
        [] | [""] => None,
        [keyword] => Some(Compression::parse(keyword).ok_or_else(|| {
            let keywords = Compression::ALL.map(Compression::keyword).join(", ");
            format!("\"{keyword}\" is not a compression: expected one of {keywords}")
        })?),
        [..] => return Err("has more than six fields".to_owned()),
    };
    Ok(ImageEntry {
        device,
        name: name.to_owned(),
        version: version.to_owned(),
        server,
        block_size,
        compressed,
    })
}

fn file(entry: &str) -> Result<FileEntry, String> {
    let fields = fields(entry);
    let [source, destination, rest @ ..] = &fields[..] else {
        return Err("expected <path on the server>;<path in the system>[;<server>;<block size>]".into());
    };
    let valid = |text: &str| {
        path(text).ok_or_else(|| format!("\"{text}\" is not a path that stays in its directory"))
    };
    let (source, destination) = (valid(source)?, valid(destination)?);
    let (server, block_size, rest) = server(rest)?;
    if !rest.is_empty() {
        return Err("has more than four fields".to_owned());
    }
    Ok(FileEntry { source, destination, server, block_size })
}

fn sync(text: &str) -> Result<SyncFile, String> {
    let fields = fields(text);
    let file = path(fields[0]).ok_or("<file>;<server>;<block size>")?;
    let (server, block_size, _) = server(&fields[1..])?;
    Ok(SyncFile { file, server, block_size })
}

/// Reports the mistakes in an entry of `PART` whose correction is known.
fn partition(entry: &str) -> Result<(), String> {
    if let Some((before, path)) = entry.split_once(':') {
        let path = format!("/{}", path.trim_start_matches('/'));
        return Err(format!("\"{entry}\" has \":\" for \";\": expected \"{before};{path}\""));
    }
    match entry.split(';').count() {
        2 | 3 => Ok(()),
        _ => Err(format!("\"{entry}\": expected <size>;<type>;<mount point>")),
    }
}

fn union(text: &str) -> Option<UnionDevices> {
    let fields: Vec<&str> = text.split(',').map(str::trim).collect();
    let [read_write, read_only, kind] = fields[..] else { return None };
    let kind = Union::ALL.into_iter().find(|union| union.keyword() == kind)?;
    Some(UnionDevices { read_write: device(read_write)?, read_only: device(read_only)?, kind })
}

fn fields(entry: &str) -> Vec<&str> {
    entry.split(';').map(str::trim).collect()
}

type Server<'a, 'b> = (Option<String>, Option<u32>, &'b [&'a str]);

/// Reads server and block size; returns the fields after them, too.
fn server<'a, 'b>(fields: &'b [&'a str]) -> Result<Server<'a, 'b>, String> {
    let (server, rest) = fields.split_first().map_or(("", fields), |(server, rest)| (*server, rest));
    let (size, rest) = rest.split_first().map_or(("", rest), |(size, rest)| (*size, rest));
    let server = match server {
        "" => None,
        server if is_server(server) => Some(server.to_owned()),
        server => return Err(format!("\"{server}\" is not a name or an address of a server")),
    };
    let block_size = match size {
        "" => None,
        size => Some(size.parse().ok().filter(|size| (8..=65464).contains(size)).ok_or_else(|| {
            format!("\"{size}\" is not a block size: expected a number of bytes from 8 to 65464")
        })?),
    };
    Ok((server, block_size, rest))
}
