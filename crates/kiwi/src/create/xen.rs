//! A guest of Xen: the tree in one file system, and `N.xenconfig`, with which xl starts it (docs/formats/image-files.md).

use std::fmt::Write;

use anyhow::{Context as _, Result};
use bootconfig::ImageName;
use description::{Machine, Selection, Xen};
use ondisk::command_line::split;

use super::{ImageContext, TreeFacts, filesystem};
use crate::artifact::{Artifact, Role};
use crate::identity::Identity;

/// Mebibytes of a guest whose description specifies none.
const MEMORY: u64 = 1024;
/// The disk of a guest whose description names none.
const DISK: &str = "xvda1";

/// The plan of a guest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub(super) name: ImageName,
    system: filesystem::Plan,
    /// The text of `N.xenconfig`.
    config: String,
}

pub(super) fn plan(
    xen: &Xen,
    selection: &Selection,
    name: ImageName,
    facts: &TreeFacts,
    identity: &Identity,
) -> Result<Plan> {
    let boot = facts.boot.as_ref().context("a guest of Xen needs a boot image")?;
    let initrd = boot.initrd.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let kernel = format!("{}.kernel.{}", initrd.strip_suffix(".gz").unwrap_or(&initrd), boot.kernel_version);
    let default = Machine::default();
    let guest = Guest {
        name: &name.to_string(),
        kernel: &kernel,
        initrd: &initrd,
        root: xen.image.filesystem.has_chosen_uuid().then(|| identity.uuid_text("root filesystem")),
        parameters: xen.kernel_command_line.as_deref().unwrap_or_default(),
        machine: xen.machine.as_ref().unwrap_or(&default),
    };
    let config = guest.config();
    let system = filesystem::plan(&xen.image, None, selection, name.clone(), facts, identity)?;
    Ok(Plan { name, system, config })
}

pub(super) fn create(plan: &Plan, context: ImageContext<'_>) -> Result<Vec<Artifact>> {
    let ImageContext { workspace, host, .. } = context;
    let file = format!("{}.xenconfig", plan.name);
    let path = workspace.unfinished(&file);
    host.write_file(&path, &plan.config).with_context(|| format!("cannot write {}", path.display()))?;
    let mut artifacts = vec![Artifact::new(Role::MachineSettings, file, path)];
    artifacts.extend(filesystem::create(&plan.system, context)?);
    Ok(artifacts)
}

/// What decides the settings of a guest.
struct Guest<'a> {
    /// The name of the guest, and of the file with its system.
    name: &'a str,
    /// The files of the boot image.
    kernel: &'a str,
    initrd: &'a str,
    /// The UUID of the system; none: its file system has none, and the boot image takes the disk.
    root: Option<String>,
    parameters: &'a str,
    machine: &'a Machine,
}

impl Guest<'_> {
    /// Returns the settings in the syntax of xl.cfg(5). Files have no directory, so that the result does not depend on where
    /// it is written and can be moved.
    fn config(&self) -> String {
        let Self { name, kernel, initrd, root, parameters, machine } = self;
        let device = device(&machine.disk);
        let mut text = format!(
            "# The guest {name}. Start it in the directory of these files: xl create -c {name}.xenconfig\n"
        );
        let mut set = |key: &str, value: String| {
            let _ = writeln!(text, "{key} = {value}");
        };
        set("name", quoted(name));
        let kind = machine.guest.as_deref().filter(|guest| *guest == "pvh").unwrap_or("pv");
        set("type", quoted(kind));
        set("kernel", quoted(kernel));
        set("ramdisk", quoted(initrd));
        set("memory", machine.memory.unwrap_or(MEMORY).to_string());
        if let Some(most) = machine.memory_range.max {
            set("maxmem", most.to_string());
        }
        if let Some(processors) = machine.processors {
            set("vcpus", processors.to_string());
        }
        if let Some(most) = machine.processor_range.max {
            set("maxvcpus", most.to_string());
        }
        set(
            "disk",
            format!("[ {} ]", quoted(&format!("format=raw, vdev={device}, access=rw, target={name}"))),
        );
        let cards: Vec<String> = machine.cards.iter().map(|card| quoted(&network_card(card))).collect();
        if !cards.is_empty() {
            set("vif", format!("[ {} ]", cards.join(", ")));
        }
        let root = match root {
            Some(uuid) => format!("UUID={uuid}"),
            None => format!("/dev/{device}"),
        };
        set("root", quoted(&format!("{root} rw")));
        let console = match split(parameters).iter().any(|parameter| parameter.starts_with("console=")) {
            true => "",
            false => "console=hvc0 ",
        };
        set("extra", quoted(format!("{console}{parameters}").trim_end()));
        for entry in &machine.entries {
            text += &format!("{entry}\n");
        }
        text
    }
}

/// Returns the device of the file system in the guest. The machine of a description names a disk, such as `/dev/xvda`;
/// names of VMware's controllers are not names of disks.
fn device(disk: &str) -> String {
    let Some(name) = disk.strip_prefix("/dev/").or_else(|| Some(disk).filter(|disk| disk.starts_with("xvd")))
    else {
        return DISK.to_owned();
    };
    if name.ends_with(|c: char| c.is_ascii_digit()) { name.to_owned() } else { format!("{name}1") }
}

/// Returns a card: its bridge, unless it has a number only, and its hardware address.
fn network_card(card: &description::NetworkCard) -> String {
    let parts = [
        card.bridge().map(|bridge| format!("bridge={bridge}")),
        card.mac.as_ref().map(|mac| format!("mac={mac}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// Returns a string of xl.cfg, which has no escapes: quotes inside are of the other kind.
fn quoted(text: &str) -> String {
    if text.contains('"') { format!("'{}'", text.replace('\'', "")) } else { format!("\"{text}\"") }
}

#[cfg(test)]
mod tests {
    use description::{NetworkCard, Range};

    use super::*;

    fn config(machine: &Machine, parameters: &str) -> String {
        let guest = Guest {
            name: "n",
            kernel: "initrd-xenboot.kernel.6.1",
            initrd: "initrd-xenboot.gz",
            root: Some("aaaa".to_owned()),
            parameters,
            machine,
        };
        guest.config()
    }

    #[test]
    fn a_guest_has_the_settings_of_its_machine() {
        let machine = Machine {
            memory: Some(256),
            disk: "/dev/xvdb".to_owned(),
            guest: Some("pvh".to_owned()),
            processors: Some(2),
            memory_range: Range { min: None, max: Some(512) },
            cards: vec![
                NetworkCard {
                    interface: "xenbr1".to_owned(),
                    driver: None,
                    mode: None,
                    mac: Some("00:16:3e:00:00:01".to_owned()),
                },
                NetworkCard { interface: "0".to_owned(), driver: None, mode: None, mac: None },
            ],
            entries: vec!["on_crash = \"destroy\"".to_owned()],
            ..Machine::default()
        };
        let text = config(&machine, "quiet");
        let expected = "type = \"pvh\"\nkernel = \"initrd-xenboot.kernel.6.1\"\nramdisk = \"initrd-xenboot.gz\"\nmemory = 256\n\
                        maxmem = 512\nvcpus = 2\ndisk = [ \"format=raw, vdev=xvdb1, access=rw, target=n\" ]\n\
                        vif = [ \"bridge=xenbr1, mac=00:16:3e:00:00:01\", \"\" ]\nroot = \"UUID=aaaa rw\"\n\
                        extra = \"console=hvc0 quiet\"\non_crash = \"destroy\"\n";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn the_disks_of_kiwi_1x_are_partitions() {
        for (disk, device) in
            [("/dev/sda", "sda1"), ("/dev/hda2", "hda2"), ("xvdc", "xvdc1"), ("ide0", "xvda1"), ("", "xvda1")]
        {
            assert_eq!(super::device(disk), device);
        }
        let text = config(&Machine::default(), "console=tty0 name=\"a b\"");
        assert!(text.contains("type = \"pv\"\n") && text.contains("memory = 1024\n"), "{text}");
        assert!(text.ends_with("extra = 'console=tty0 name=\"a b\"'\n"), "{text}");
    }
}
