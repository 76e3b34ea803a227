//! `N.ovf`: the machine of a disk in the Open Virtualization Format (DMTF DSP0243 1.1; docs/formats/image-files.md).

use std::fmt::Write;

use description::{Adapter, Machine, Range};

/// Namespaces of the format, of its settings, and of VMware.
const NAMESPACES: [(&str, &str); 5] = [
    ("xmlns", "http://schemas.dmtf.org/ovf/envelope/1"),
    ("xmlns:ovf", "http://schemas.dmtf.org/ovf/envelope/1"),
    ("xmlns:rasd", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData"),
    ("xmlns:vssd", "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData"),
    ("xmlns:vmw", "http://www.vmware.com/schema/ovf"),
];
/// The format of the disk.
const STREAM_OPTIMIZED: &str = "http://www.vmware.com/interfaces/specifications/vmdk.html#streamOptimized";
/// Hardware of a machine whose description specifies none: that of ESXi 5.5, which later versions also run.
const HARDWARE: i64 = 10;
const MEMORY: u64 = 1024;
/// The network of a card without a name.
const NETWORK: &str = "VM Network";

/// The programs that run the machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Family {
    /// VMware's.
    Vmware,
    /// VirtualBox, with the hardware address of its network card.
    VirtualBox {
        /// Twelve hexadecimal digits.
        mac: String,
    },
}

/// The disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Files<'a> {
    /// The name of its file.
    pub(super) vmdk: &'a str,
    /// The size of the file in bytes.
    pub(super) bytes: u64,
    /// The size of the disk in bytes.
    pub(super) capacity: u64,
}

/// Types of resources (CIM_ResourceAllocationSettingData.ResourceType).
const PROCESSOR: u8 = 3;
const MEMORY_TYPE: u8 = 4;
const IDE: u8 = 5;
const SCSI: u8 = 6;
const NETWORK_CARD: u8 = 10;
const CD: u8 = 15;
const DISK: u8 = 17;

/// A device: its type, a name, and further elements, which the schema requires in the order of their names.
struct Item {
    name: String,
    resource: u8,
    more: Vec<(&'static str, String)>,
    /// Whether the value is the least (`min`) or the most (`max`) of a range.
    bound: Option<&'static str>,
}

impl Item {
    fn new(name: impl Into<String>, resource: u8) -> Self {
        Self { name: name.into(), resource, more: Vec::new(), bound: None }
    }

    fn with(mut self, element: &'static str, value: impl ToString) -> Self {
        self.more.push((element, value.to_string()));
        self
    }
}

/// Returns the description of a machine with the disk in `files`; `wide` is whether the system has 64 bits.
pub(super) fn description(
    name: &str,
    machine: &Machine,
    files: &Files<'_>,
    wide: bool,
    family: &Family,
) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Envelope");
    for (key, value) in NAMESPACES {
        let _ = write!(text, " {key}=\"{value}\"");
    }
    let Files { vmdk, bytes, capacity } = files;
    let networks: Vec<String> = networks(machine);
    let _ = write!(
        text,
        r#">
  <References>
    <File ovf:href="{vmdk}" ovf:id="file1" ovf:size="{bytes}"/>
  </References>
  <DiskSection>
    <Info>Virtual disks</Info>
    <Disk ovf:capacity="{capacity}" ovf:capacityAllocationUnits="byte" ovf:diskId="vmdisk1" ovf:fileRef="file1" ovf:format="{STREAM_OPTIMIZED}"/>
  </DiskSection>
  <NetworkSection>
    <Info>Networks</Info>
"#,
        vmdk = escaped(vmdk)
    );
    for network in &networks {
        let network = escaped(network);
        let _ = writeln!(
            text,
            "    <Network ovf:name=\"{network}\">\n      <Description>{network}</Description>\n    </Network>"
        );
    }
    let name = escaped(name);
    let (number, system) = if wide { (101, "otherLinux64Guest") } else { (36, "otherLinuxGuest") };
    let system = machine.guest.as_deref().map_or_else(|| system.to_owned(), guest);
    let hardware = match family {
        Family::Vmware => format!("vmx-{:02}", machine.hardware.unwrap_or(HARDWARE)),
        Family::VirtualBox { .. } => "virtualbox-2.2".to_owned(),
    };
    let _ = write!(
        text,
        r#"  </NetworkSection>
  <VirtualSystem ovf:id="{name}">
    <Info>A virtual machine</Info>
    <Name>{name}</Name>
    <OperatingSystemSection ovf:id="{number}" vmw:osType="{system}">
      <Info>The operating system</Info>
    </OperatingSystemSection>
    <VirtualHardwareSection>
      <Info>The hardware</Info>
      <System>
        <vssd:ElementName>Virtual Hardware Family</vssd:ElementName>
        <vssd:InstanceID>0</vssd:InstanceID>
        <vssd:VirtualSystemIdentifier>{name}</vssd:VirtualSystemIdentifier>
        <vssd:VirtualSystemType>{hardware}</vssd:VirtualSystemType>
      </System>
"#,
        system = escaped(&system)
    );
    for (number, item) in items(machine, family).iter().enumerate() {
        write_item(&mut text, number + 1, item);
    }
    for (key, value) in entries(machine) {
        let (key, value) = (escaped(key), escaped(value));
        let _ = writeln!(
            text,
            "      <vmw:ExtraConfig ovf:required=\"false\" vmw:key=\"{key}\" vmw:value=\"{value}\"/>"
        );
    }
    text + "    </VirtualHardwareSection>\n  </VirtualSystem>\n</Envelope>\n"
}

fn write_item(text: &mut String, number: usize, item: &Item) {
    let mut elements = item.more.clone();
    elements.push(("ElementName", item.name.clone()));
    elements.push(("InstanceID", number.to_string()));
    elements.push(("ResourceType", item.resource.to_string()));
    elements.sort();
    let bound = item.bound.map(|bound| format!(" ovf:bound=\"{bound}\"")).unwrap_or_default();
    let _ = writeln!(text, "      <Item{bound}>");
    for (element, value) in elements {
        let _ = writeln!(text, "        <rasd:{element}>{}</rasd:{element}>", escaped(&value));
    }
    text.push_str("      </Item>\n");
}

/// Returns the devices. The number of a device is its position, from one.
fn items(machine: &Machine, family: &Family) -> Vec<Item> {
    let mut items = Vec::new();
    let processors = machine.processors.unwrap_or(1);
    let processor = |count: u64| {
        Item::new(format!("{count} virtual CPU"), PROCESSOR)
            .with("AllocationUnits", "hertz * 10^6")
            .with("VirtualQuantity", count)
    };
    let memory = |size: u64| {
        Item::new(format!("{size} MB of memory"), MEMORY_TYPE)
            .with("AllocationUnits", "byte * 2^20")
            .with("VirtualQuantity", size)
    };
    items.push(processor(processors));
    items.extend(bounds(machine.processor_range, processor));
    items.push(memory(machine.memory.unwrap_or(MEMORY)));
    items.extend(bounds(machine.memory_range, memory));
    let controller = items.len() + 1;
    let bus = machine.disk.trim_start_matches(|c: char| !c.is_ascii_digit());
    let bus = if bus.is_empty() { "0" } else { bus };
    items.push(if machine.disk.starts_with("scsi") {
        let adapter = machine.adapter.unwrap_or(Adapter::LsiLogic);
        Item::new("SCSI controller", SCSI).with("Address", bus).with("ResourceSubType", subtype(adapter))
    } else {
        Item::new("IDE controller", IDE).with("Address", bus)
    });
    items.push(
        Item::new("Hard disk", DISK)
            .with("AddressOnParent", 0)
            .with("HostResource", "ovf:/disk/vmdisk1")
            .with("Parent", controller),
    );
    if let Some(drive) = &machine.dvd {
        let (parent, address) = if *drive == machine.disk {
            (controller, 1)
        } else {
            let bus = drive.trim_start_matches(|c: char| !c.is_ascii_digit());
            let kind =
                if drive.starts_with("scsi") { ("SCSI controller", SCSI) } else { ("IDE controller", IDE) };
            items.push(Item::new(kind.0, kind.1).with("Address", bus));
            (items.len(), 0)
        };
        items.push(
            Item::new("CD drive", CD)
                .with("AddressOnParent", address)
                .with("AutomaticAllocation", true)
                .with("Parent", parent),
        );
    }
    items.extend(cards(machine, family));
    items
}

fn bounds(range: Range, item: impl Fn(u64) -> Item) -> impl Iterator<Item = Item> {
    let bound = |value: Option<u64>, bound: &'static str| {
        value.map(|value| Item { bound: Some(bound), ..item(value) })
    };
    [bound(range.min, "min"), bound(range.max, "max")].into_iter().flatten()
}

fn cards(machine: &Machine, family: &Family) -> Vec<Item> {
    let card = |number: usize, driver: Option<&str>, network: &str, mac: Option<&str>| {
        let card = Item::new(format!("Network card {number}"), NETWORK_CARD)
            .with("AutomaticAllocation", true)
            .with("Connection", network)
            .with("ResourceSubType", model(driver.unwrap_or("e1000")));
        match (mac, family) {
            (Some(mac), _) => card.with("Address", mac),
            (None, Family::VirtualBox { mac }) if number == 0 => card.with("Address", mac),
            (None, Family::Vmware | Family::VirtualBox { .. }) => card,
        }
    };
    if machine.cards.is_empty() {
        return vec![card(0, None, NETWORK, None)];
    }
    let of = |(number, of): (usize, &description::NetworkCard)| {
        card(number, of.driver.as_deref(), &network(of), of.mac.as_deref())
    };
    machine.cards.iter().enumerate().map(of).collect()
}

/// Returns the network of a card: the name of its bridge or mode; a card with a number only has the usual network.
fn network(card: &description::NetworkCard) -> String {
    card.mode.as_deref().or(card.bridge()).unwrap_or(NETWORK).to_owned()
}

fn networks(machine: &Machine) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in machine.cards.iter().map(network) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    if names.is_empty() { vec![NETWORK.to_owned()] } else { names }
}

/// Returns the name of a network card in the format, by its name in VMware's settings.
fn model(driver: &str) -> &str {
    match driver {
        "e1000" => "E1000",
        "e1000e" => "E1000e",
        "vlance" | "pcnet32" => "PCNet32",
        "vmxnet3" => "VmxNet3",
        other => other,
    }
}

fn subtype(adapter: Adapter) -> &'static str {
    match adapter {
        Adapter::BusLogic => "buslogic",
        Adapter::LsiLogic | Adapter::LegacyEsx => "lsilogic",
        Adapter::LsiSas => "lsilogicsas",
        Adapter::Pvscsi => "VirtualSCSI",
    }
}

/// Returns VMware's name of a system in the format, by its name in VMware's settings: `debian12-64` is `debian12_64Guest`.
fn guest(name: &str) -> String {
    if name == "Linux" {
        return "otherLinuxGuest".to_owned();
    }
    if name.ends_with("Guest") { name.to_owned() } else { format!("{}Guest", name.replace('-', "_")) }
}

/// Returns the lines `key = "value"` for the settings of the machine.
fn entries(machine: &Machine) -> impl Iterator<Item = (&str, &str)> {
    machine.entries.iter().filter_map(|line| {
        let (key, value) = line.split_once('=')?;
        Some((key.trim(), value.trim().trim_matches('"')))
    })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
pub(super) mod tests;
