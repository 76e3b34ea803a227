//! [`Storage`] as one line of text: `storage=` of `/kiwi.boot`.
//!
//! ```text
//! table;scheme=gpt partition;number=1;name=p.legacy;content=boot-code partition;number=2;name=p.lxhome;size=512;content=filesystem;kind=xfs;label=HOME;mount=/home;options=defaults
//! ```
//!
//! Items are separated by blanks; a partition belongs to the table before it. The fields of an item are separated by
//! `;`. `size` is a number of mebibytes. `grows` and `creates`, the change at the first boot, are such a number, `memory`
//! (twice the memory of the machine) or `rest`. In a value, every byte but ASCII letters, digits and `/ . _ - = , : +` is written as `%XX`.

use std::fmt::{self, Write as _};

use ondisk::{Filesystem, Mebibytes};

use super::{
    Content, FilesystemContent, FirstBoot, Mount, Partition, PlannedSize, Scheme, Storage, StorageError,
    Table,
};

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for table in &self.tables {
            let scheme = match table.scheme {
                Scheme::Gpt => "gpt",
                Scheme::Mbr => "mbr",
            };
            write!(f, "{separator}table;scheme={scheme}")?;
            separator = " ";
            for partition in &table.partitions {
                write!(f, " partition;number={}", partition.number)?;
                field(f, "name", &partition.name)?;
                optional(f, "size", partition.size.map(|size| size.0.to_string()).as_deref())?;
                match partition.first_boot {
                    FirstBoot::Unchanged => {}
                    FirstBoot::Grows(size) => write!(f, ";grows={size}")?,
                    FirstBoot::Creates(size) => write!(f, ";creates={size}")?,
                }
                write_content(f, &partition.content)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for PlannedSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(f, "{}", size.0),
            Self::TwiceMemory => f.write_str("memory"),
            Self::Rest => f.write_str("rest"),
        }
    }
}

impl PlannedSize {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "memory" => Self::TwiceMemory,
            "rest" => Self::Rest,
            number => Self::Fixed(Mebibytes(number.parse().ok()?)),
        })
    }
}

fn write_content(f: &mut fmt::Formatter<'_>, content: &Content) -> fmt::Result {
    match content {
        Content::Filesystem(FilesystemContent { kind, uuid, label, mount }) => {
            write!(f, ";content=filesystem;kind={}", kind.keyword())?;
            optional(f, "uuid", uuid.as_deref())?;
            optional(f, "label", label.as_deref())?;
            write_mount(f, mount.as_ref())
        }
        Content::Fat { id, mount } => {
            f.write_str(";content=fat")?;
            optional(f, "id", id.map(|id| format!("{id:08X}")).as_deref())?;
            write_mount(f, mount.as_ref())
        }
        Content::Swap { uuid, label } => {
            f.write_str(";content=swap")?;
            optional(f, "uuid", uuid.as_deref())?;
            optional(f, "label", label.as_deref())
        }
        Content::BootCode => f.write_str(";content=boot-code"),
        Content::Empty => f.write_str(";content=empty"),
    }
}

fn write_mount(f: &mut fmt::Formatter<'_>, mount: Option<&Mount>) -> fmt::Result {
    match mount {
        Some(mount) => field(f, "mount", &mount.path).and_then(|()| field(f, "options", &mount.options)),
        None => Ok(()),
    }
}

fn optional(f: &mut fmt::Formatter<'_>, key: &str, value: Option<&str>) -> fmt::Result {
    value.map_or(Ok(()), |value| field(f, key, value))
}

fn field(f: &mut fmt::Formatter<'_>, key: &str, value: &str) -> fmt::Result {
    write!(f, ";{key}=")?;
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-=,:+".contains(&byte) {
            f.write_char(char::from(byte))?;
        } else {
            write!(f, "%{byte:02X}")?;
        }
    }
    Ok(())
}

fn decoded(value: &str) -> Option<String> {
    let mut parts = value.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).ok()
}

impl Storage {
    /// Parses the text.
    ///
    /// # Errors
    ///
    /// An item, a field or a value is unknown, missing or duplicate, or linuxrc cannot make the changes of the first boot.
    /// Builder and linuxrc come from one build, so a difference is damage.
    pub fn parse(text: &str) -> Result<Self, StorageError> {
        let mut storage = Self::default();
        for item in text.split(' ') {
            let mut fields = Fields::parse(item)?;
            match fields.kind {
                "table" => {
                    let scheme = match fields.required("scheme")?.as_str() {
                        "gpt" => Scheme::Gpt,
                        "mbr" => Scheme::Mbr,
                        other => return Err(fields.wrong("scheme", other)),
                    };
                    storage.tables.push(Table { scheme, partitions: Vec::new() });
                }
                "partition" => {
                    let partition = fields.partition()?;
                    let table = storage.tables.last_mut();
                    let table = table
                        .ok_or_else(|| StorageError::new(format!("\"{item}\" has no table before it")))?;
                    if table.partitions.iter().any(|other| other.number == partition.number) {
                        return Err(StorageError::new(format!("duplicate partition {}", partition.number)));
                    }
                    table.partitions.push(partition);
                }
                other => return Err(StorageError::new(format!("unknown item \"{other}\""))),
            }
            fields.finish()?;
        }
        storage.tables.iter().try_for_each(Table::check_first_boot)?;
        Ok(storage)
    }
}

/// The fields of an item that were not read yet.
struct Fields<'a> {
    item: &'a str,
    kind: &'a str,
    fields: Vec<(&'a str, String)>,
}

impl<'a> Fields<'a> {
    fn parse(item: &'a str) -> Result<Self, StorageError> {
        let mut parts = item.split(';');
        let kind = parts.next().unwrap_or_default();
        let mut fields: Vec<(&str, String)> = Vec::new();
        for part in parts {
            let field = part.split_once('=').and_then(|(key, value)| Some((key, decoded(value)?)));
            let (key, value) = field
                .ok_or_else(|| StorageError::new(format!("\"{part}\" in \"{item}\" is not key=value")))?;
            if fields.iter().any(|(other, _)| *other == key) {
                return Err(StorageError::new(format!("duplicate key \"{key}\" in \"{item}\"")));
            }
            fields.push((key, value));
        }
        Ok(Self { item, kind, fields })
    }

    fn optional(&mut self, key: &str) -> Option<String> {
        let index = self.fields.iter().position(|(other, _)| *other == key)?;
        Some(self.fields.remove(index).1)
    }

    fn required(&mut self, key: &str) -> Result<String, StorageError> {
        self.optional(key)
            .ok_or_else(|| StorageError::new(format!("\"{key}\" is missing in \"{}\"", self.item)))
    }

    fn wrong(&self, key: &str, value: &str) -> StorageError {
        StorageError::new(format!("invalid value {key}=\"{value}\" in \"{}\"", self.item))
    }

    fn finish(self) -> Result<(), StorageError> {
        match self.fields.first() {
            None => Ok(()),
            Some((key, _)) => Err(StorageError::new(format!("unknown key \"{key}\" in \"{}\"", self.item))),
        }
    }

    fn partition(&mut self) -> Result<Partition, StorageError> {
        let written = self.required("number")?;
        let number = written.parse().ok().filter(|number| (1..=1024).contains(number));
        let number = number.ok_or_else(|| self.wrong("number", &written))?;
        let size = match self.optional("size") {
            Some(size) => Some(Mebibytes(size.parse().map_err(|_| self.wrong("size", &size))?)),
            None => None,
        };
        let first_boot = match (self.planned("grows")?, self.planned("creates")?) {
            (None, None) => FirstBoot::Unchanged,
            (Some(size), None) => FirstBoot::Grows(size),
            (None, Some(size)) => FirstBoot::Creates(size),
            (Some(_), Some(size)) => return Err(self.wrong("creates", &size.to_string())),
        };
        Ok(Partition { number, name: self.required("name")?, size, first_boot, content: self.content()? })
    }

    fn planned(&mut self, key: &str) -> Result<Option<PlannedSize>, StorageError> {
        let Some(written) = self.optional(key) else { return Ok(None) };
        PlannedSize::parse(&written).map(Some).ok_or_else(|| self.wrong(key, &written))
    }

    fn content(&mut self) -> Result<Content, StorageError> {
        match self.required("content")?.as_str() {
            "filesystem" => {
                let kind = self.required("kind")?;
                let kind = Filesystem::parse(&kind).ok_or_else(|| self.wrong("kind", &kind))?;
                let (uuid, label) = (self.optional("uuid"), self.optional("label"));
                Ok(Content::Filesystem(FilesystemContent { kind, uuid, label, mount: self.mount()? }))
            }
            "fat" => {
                let id = match self.optional("id") {
                    Some(id) => Some(u32::from_str_radix(&id, 16).map_err(|_| self.wrong("id", &id))?),
                    None => None,
                };
                Ok(Content::Fat { id, mount: self.mount()? })
            }
            "swap" => Ok(Content::Swap { uuid: self.optional("uuid"), label: self.optional("label") }),
            "boot-code" => Ok(Content::BootCode),
            "empty" => Ok(Content::Empty),
            other => Err(self.wrong("content", other)),
        }
    }

    fn mount(&mut self) -> Result<Option<Mount>, StorageError> {
        let Some(path) = self.optional("mount") else { return Ok(None) };
        let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
        let is_path = |path: &str| {
            path == "/" || path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_plain))
        };
        if !is_path(&path) {
            return Err(self.wrong("mount", &path));
        }
        Ok(Some(Mount { path, options: self.required("options")? }))
    }
}
