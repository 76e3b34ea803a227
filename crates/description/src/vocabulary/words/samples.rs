//! Small descriptions, one for each image type, and values for each word.

use super::Word;
use crate::SchemaVersion;
use crate::image_type::{Feature, type_row};
use crate::schema::{AttributeSchema, ElementSchema, IMAGE, Value};

/// An element of a small description.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: Option<String>,
    children: Vec<Sample>,
}

/// A path of element names below `<image>`, and perhaps an attribute after `@`.
type Path = &'static str;

/// The smallest description, without its type.
const SMALLEST: &[(Path, &str)] = &[
    ("@name", "x"),
    ("@schemaversion", "8.5"),
    ("description/@type", "system"),
    ("description/author", "A"),
    ("description/contact", "C"),
    ("description/specification", "S"),
    ("profiles/profile/@name", "one"),
    ("profiles/profile/@description", "D"),
    ("preferences/version", "1.0.0"),
    ("preferences/packagemanager", "apt"),
    ("repository/@type", "apt-deb"),
    ("repository/@distribution", "bookworm"),
    ("repository/source/@path", "http://example.org/debian"),
    ("packages/@type", "image"),
    ("packages/package/@name", "p"),
];

const OVA: &[(Path, &str)] = &[("preferences/type/@format", "ova")];
const VAGRANT: &[(Path, &str)] = &[
    ("preferences/type/@format", "vagrant"),
    ("preferences/type/vagrantconfig/@provider", "libvirt"),
    ("preferences/type/vagrantconfig/@virtualsize", "64"),
];

/// Words that have a meaning only beside others.
const COMPANIONS: &[(&str, &[(Path, &str)])] = &[
    ("type/@hybridpersistent_filesystem", &[("preferences/type/@hybridpersistent", "true")]),
    ("type/@bootpartsize", &[("preferences/type/@bootpartition", "true")]),
    ("type/@bootfilesystem", &[("preferences/type/@bootpartition", "true")]),
    ("type/@bootprofile", &[("preferences/type/@boot", "isoboot/debian-12")]),
    ("type/@formatoptions", &[("preferences/type/@format", "qcow2")]),
    ("type/@efipartsize", &[("preferences/type/@firmware", "efi")]),
    ("type/@application_id", &[("preferences/type/@installiso", "true")]),
    ("oemconfig/oem-swapsize", &[("preferences/type/oemconfig/oem-swap", "true")]),
    ("oemconfig/", &[("preferences/type/@installiso", "true")]),
    ("type/@vhdfixedtag", &[("preferences/type/@format", "vhd-fixed")]),
    ("type/@gcelicense", &[("preferences/type/@format", "gce")]),
    ("type/vagrantconfig/", VAGRANT),
    (
        "vagrantconfig/@virtualbox_guest_additions_present",
        &[("preferences/type/vagrantconfig/@provider", "virtualbox")],
    ),
    ("type/machine/", &[("preferences/type/@format", "vmdk"), ("preferences/type/machine/@memory", "512")]),
    ("machine/", &[("preferences/type/@format", "vmdk"), ("preferences/type/machine/@memory", "512")]),
    ("machine/@min_memory", OVA),
    ("machine/@max_memory", OVA),
    ("machine/@min_cpu", OVA),
    ("machine/@max_cpu", OVA),
    ("type/@erofscompression", &[("preferences/type/@filesystem", "erofs")]),
    ("type/@squashfscompression", &[("preferences/type/@filesystem", "squashfs")]),
    ("type/@kernelcmdline", &[("deploy/@server", "10.0.0.1")]),
    ("deploy/kernel", &[("deploy/initrd", "/boot/initrd")]),
    (
        "deploy/partitions/@device",
        &[("deploy/partitions/partition/@number", "1"), ("deploy/partitions/partition/@target", "true")],
    ),
    ("partitions/partition/@type", &[("deploy/partitions/@device", "/dev/sda")]),
    ("partitions/partition/@number", &[("deploy/partitions/@device", "/dev/sda")]),
    ("partitions/partition/@target", &[("deploy/partitions/@device", "/dev/sda")]),
    ("packages/@memory", &[("packages/@type", "vmware"), ("packages/@disk", "ide0")]),
    ("packages/@disk", &[("packages/@type", "vmware"), ("packages/@memory", "512")]),
    ("repository/@password", &[("repository/@username", "u")]),
    ("partitions/partition/", &[("preferences/type/partitions/partition/@filesystem", "ext4")]),
    ("size/@", &[("preferences/type/size", "1024")]),
    ("temporary/except/@name", &[("split/temporary/file/@name", "/srv")]),
    ("persistent/except/@name", &[("split/persistent/file/@name", "/srv")]),
];

/// Values whose form alone does not make them fit.
const VALUES: &[(&str, [&str; 2])] = &[
    // One value: without it, a section applies; with it, it does not.
    ("@profiles", ["one", "one"]),
    ("@arch", ["x86_64", "aarch64"]),
    ("type/@firmware", ["bios", "efi"]),
    ("type/@vhdfixedtag", ["0123abcd-0123-0123-0123-0123456789ab", "0123abcd-0123-0123-0123-0123456789ac"]),
    ("type/@hybridpersistent_filesystem", ["ext4", "xfs"]),
    ("bootloader/@output_console", ["console", "serial"]),
    ("bootloader/@input_console", ["console", "serial"]),
    ("partition/@number", ["2", "3"]),
    ("type/@boot", ["isoboot/debian-12", "isoboot/debian-13"]),
    ("type/@fscreateoptions", ["-m 1", "-m 2"]),
    ("type/@erofscompression", ["lz4", "lz4hc"]),
    ("type/@formatoptions", ["compat=0.10", "compat=1.1"]),
    ("type/@efipartsize", ["64", "96"]),
    ("machine/@guestOS", ["pv", "pvh"]),
    ("type/size", ["1024", "2048"]),
    ("type/size/@unpartitioned", ["1", "2"]),
    ("preferences/locale", ["en_US", "de_DE"]),
    ("preferences/keytable", ["us", "de"]),
    ("preferences/timezone", ["UTC", "Europe/Berlin"]),
    ("partitions/partition/@mountpoint", ["/srv", "/opt"]),
    ("profiles/profile/@name", ["one", "two"]),
    ("profile/requires/@profile", ["one", "two"]),
    ("repository/source/@path", ["http://example.org/debian", "http://example.org/other"]),
    ("source/signing/@key", ["https://example.org/a.asc", "https://example.org/b.asc"]),
    ("repository/@type", ["apt-deb", "deb-dir"]),
    ("packages/@type", ["image", "bootstrap"]),
    ("users/user/@password", ["$6$a$b", "$6$c$d"]),
    ("users/user/@groups", ["users", "video"]),
    ("partition/@size", ["100", "200"]),
    ("partitions/@device", ["/dev/sda", "/dev/sdb"]),
    ("vmdisk/@device", ["/dev/sda", "/dev/sdb"]),
    ("union/@rw", ["/dev/ram1", "/dev/ram2"]),
    ("union/@ro", ["/dev/ram3", "/dev/ram4"]),
];

/// Texts for forms.
const TEXTS: [&str; 20] = [
    "a",
    "b",
    "one",
    "/srv/a",
    "/srv/b",
    "1",
    "2",
    "1.0.0",
    "2.0.0",
    "1G",
    "2G",
    "80/tcp",
    "81/tcp",
    "52:54:00:12:34:56",
    "52:54:00:12:34:57",
    "file:///a",
    "file:///b",
    "0123abcd-0123-0123-0123-0123456789ab",
    "1.0.0.0",
    "all",
];

/// Returns values of a word, at least two unless it has only one.
pub(super) fn values(word: &Word) -> Vec<String> {
    let name = word.name();
    let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    if let Some((_, values)) = VALUES.iter().find(|(known, _)| is_named(&name, known)) {
        return owned(values);
    }
    match word.form() {
        None => vec![String::new()],
        Some(Value::Boolean) => owned(&["false", "true"]),
        Some(Value::Number(least, most)) => numbers(least, most),
        Some(Value::Count(most)) => numbers(1, most),
        Some(Value::Integer) => owned(&["1", "2"]),
        Some(Value::Text) => owned(&["a", "b"]),
        Some(Value::OneOf(known) | Value::ListOf(known)) => {
            let covered = known.iter().filter(|keyword| keyword.life.covers(SchemaVersion::NEWEST));
            covered.map(|keyword| keyword.keyword.to_owned()).collect()
        }
        Some(Value::Form(_, valid)) => {
            TEXTS.iter().filter(|text| valid(text)).take(2).map(|text| (*text).to_owned()).collect()
        }
    }
}

/// Returns two numbers in these bounds.
fn numbers(least: u64, most: u64) -> Vec<String> {
    let inside = |number: u64| number.clamp(least, most).to_string();
    let (one, other) = (inside(64), inside(96));
    if one == other { vec![least.to_string(), most.to_string()] } else { vec![one, other] }
}

/// Returns whether a name is, or ends with, a known one.
fn is_named(name: &str, known: &str) -> bool {
    let before = name.strip_suffix(known);
    before.is_some_and(|before| before.is_empty() || before.ends_with('/') || known.starts_with('@'))
}

/// Returns what a word needs beside it.
pub(super) fn companions(word: &Word, image_type: &str) -> impl Iterator<Item = (Path, &'static str)> {
    let name = word.name();
    let concerned =
        move |known: &str| is_named(&name, known) || (known.ends_with(['/', '@']) && name.contains(known));
    let (of_client, of_guest) = (image_type == "pxe", image_type == "xen");
    COMPANIONS
        .iter()
        .filter(move |(known, _)| concerned(known))
        .flat_map(|(_, needed)| needed.iter().copied())
        .filter(move |(path, _)| of_client || !path.starts_with("deploy"))
        .filter(move |(path, _)| !of_guest || *path != "preferences/type/@format")
}

impl Word {
    /// Returns whether its values are keywords.
    pub(super) fn is_enumeration(&self) -> bool {
        matches!(self.form(), Some(Value::OneOf(_) | Value::ListOf(_)))
    }

    fn form(&self) -> Option<Value> {
        match self.attribute {
            Some(attribute) => Some(attribute.value),
            None => self.path.last().and_then(|keyword| keyword.text),
        }
    }
}

impl Sample {
    fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), text: None, children: Vec::new() }
    }

    /// Returns the smallest description with that image type.
    pub(super) fn description(image_type: &str) -> Self {
        let mut sample = Self::new("image");
        for (path, value) in SMALLEST {
            sample.set(path, value);
        }
        sample.set("preferences/type/@image", image_type);
        let takes = |feature| type_row(image_type).is_some_and(|row| row.takes(feature));
        if takes(Feature::TwoFilesystems) {
            sample.set("preferences/type/@fsreadwrite", "ext4");
            sample.set("preferences/type/@fsreadonly", "squashfs");
        } else if takes(Feature::Filesystem) && !takes(Feature::Live) {
            sample.set("preferences/type/@filesystem", "ext4");
        }
        if image_type == "xen" {
            sample.set("preferences/type/@boot", "xenboot/debian-12");
        }
        sample
    }

    /// Sets the text or attribute at a path.
    pub(super) fn set(&mut self, path: Path, value: &str) {
        let (elements, attribute) = match path.split_once('@') {
            Some((elements, attribute)) => (elements, Some(attribute)),
            None => (path, None),
        };
        let names = elements.split('/').filter(|name| !name.is_empty());
        let mut keyword = &IMAGE;
        let mut keywords = Vec::new();
        for name in names {
            let Some(child) = keyword.child_schema(name, SchemaVersion::NEWEST) else { return };
            keyword = child.element;
            keywords.push(keyword);
        }
        let attribute = attribute.and_then(|name| keyword.attribute_schema(name, SchemaVersion::NEWEST));
        self.put(&keywords, attribute, value);
    }

    /// Sets the text or attribute of an element, which is made with all that it requires.
    pub(super) fn put(
        &mut self,
        path: &[&'static ElementSchema],
        attribute: Option<&'static AttributeSchema>,
        value: &str,
    ) {
        let Some((first, rest)) = path.split_first() else {
            match attribute {
                Some(known) => self.set_attribute(known.name, value),
                None if value.is_empty() => {}
                None => self.text = Some(value.to_owned()),
            }
            return;
        };
        if !self.children.iter().any(|child| child.name == first.name) {
            self.children.push(Self::required(first));
        }
        if let Some(child) = self.children.iter_mut().find(|child| child.name == first.name) {
            child.put(rest, attribute, value);
        }
    }

    fn set_attribute(&mut self, name: &'static str, value: &str) {
        self.attributes.retain(|(known, _)| *known != name);
        self.attributes.push((name, value.to_owned()));
    }

    /// Returns an element with everything that its schema requires.
    fn required(keyword: &'static ElementSchema) -> Self {
        let schema = SchemaVersion::NEWEST;
        let mut sample = Self::new(keyword.name);
        for attribute in keyword.attributes.iter().filter(|known| known.life.covers(schema)) {
            // A user needs a password unless it is an old one.
            if attribute.required || attribute.name == "password" && keyword.name == "user" {
                let word = Word { path: vec![keyword], attribute: Some(attribute) };
                let value = values(&word).into_iter().next().unwrap_or_default();
                sample.attributes.push((attribute.name, value));
            }
        }
        if keyword.text.is_some() && !keyword.text_optional && keyword.text_life.covers(schema) {
            let word = Word { path: vec![keyword], attribute: None };
            sample.text = Some(values(&word).into_iter().next().unwrap_or_default());
        }
        for child in keyword.child_schemas().iter().filter(|child| child.life.covers(schema)) {
            if child.required.is_some_and(|required| required.covers(schema)) {
                sample.children.push(Self::required(child.element));
            }
        }
        sample
    }

    pub(super) fn to_xml(&self) -> String {
        let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
        let attributes =
            self.attributes.iter().map(|(name, value)| format!(" {name}=\"{}\"", escaped(value)));
        let children = self.children.iter().map(Self::to_xml);
        let text = self.text.as_deref().map(escaped).unwrap_or_default();
        let name = self.name;
        format!("<{name}{}>{text}{}</{name}>\n", attributes.collect::<String>(), children.collect::<String>())
    }
}
