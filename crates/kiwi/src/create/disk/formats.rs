//! The files in which a finished disk is published: its format, what describes its machine, and the archives of both.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use bootconfig::ImageName;
use description::{Adapter, Disk, DiskFormat, DiskMode, Machine, Selection, VagrantBox, VagrantProvider};
use ondisk::digest::{Digest as _, Sha256, hex};
use ondisk::{Bytes, Mebibytes};

use super::ovf::{self, Family, Files};
use super::{ImageContext, vagrant, vmx};
use crate::artifact::{Artifact, Role, Sums};
use crate::disk_format::{self, Target, vmdk};
use crate::failure::fail;
use crate::file_archive::{self, Member, Packing};
use crate::host::{Host, RunningStage, StageTask};
use crate::identity::Identity;
use crate::root_tree::{DESCRIPTION, RootTree};
use crate::workspace::Workspace;

/// Mebibytes of a gibibyte.
const GIB: u64 = 1024;

/// What is made from the plain disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    name: ImageName,
    version: String,
    epoch: u64,
    /// Archives first: the VMDK of an OVA has the name of one that is published.
    formats: Vec<DiskFormat>,
    /// The seed of the identifiers in the files.
    id: [u8; 16],
    /// The format of the description, and its options.
    described: (DiskFormat, Vec<String>),
    machine: Option<Machine>,
    /// Whether the system runs on processors with 64 bits.
    wide: bool,
    gce_license: Option<String>,
    boxes: Vec<VagrantBox>,
}

pub(super) fn plan(disk: &Disk, name: &ImageName, selection: &Selection, identity: &Identity) -> Plan {
    let mut formats = disk.formats();
    formats.sort_by_key(|format| !matches!(format, DiskFormat::Ova | DiskFormat::Vagrant | DiskFormat::Gce));
    Plan {
        name: name.clone(),
        version: selection.version.to_string(),
        epoch: identity.epoch,
        formats,
        id: identity.uuid("disk file"),
        described: (disk.format, disk.format_options.clone()),
        machine: disk.machine.clone(),
        wide: !selection.architecture.machine().ends_with("86"),
        gce_license: disk.gce_license.clone(),
        boxes: disk.boxes.clone(),
    }
}

impl Plan {
    /// Returns how many mebibytes more than `size` the disk must have.
    pub(super) fn more(&self, size: Bytes) -> Result<Mebibytes> {
        let needed = size.0.div_ceil(1 << 20);
        // Google accepts whole gibibytes only.
        let least = if self.contains(DiskFormat::Gce) { needed.next_multiple_of(GIB) } else { needed };
        let boxes = self.boxes.iter().map(|of| of.size * GIB).max();
        let wanted = boxes.filter(|_| self.contains(DiskFormat::Vagrant)).unwrap_or(least);
        if wanted < least {
            fail!(
                InvalidDescription,
                "the disk needs {} GiB, but the virtualsize of its Vagrant box is {} GiB; raise virtualsize",
                least.div_ceil(GIB),
                wanted / GIB
            );
        }
        Ok(Mebibytes(wanted - needed))
    }

    /// Returns whether a file has this format.
    pub(super) fn contains(&self, format: DiskFormat) -> bool {
        self.formats.contains(&format)
    }

    /// Returns the machine, or one without settings.
    fn machine(&self) -> Machine {
        let default = Machine { disk: "ide0".to_owned(), ..Machine::default() };
        self.machine.clone().unwrap_or(default)
    }

    /// Returns the options for the file: those of the machine's disk, unless the description sets them, then its own.
    fn options(&self, format: DiskFormat) -> Vec<String> {
        let (described, options) = &self.described;
        let options: &[String] = if *described == format { options } else { &[] };
        let disk = self.machine.as_ref().filter(|_| format == DiskFormat::Vmdk);
        let mode = disk.and_then(|machine| machine.mode).filter(|mode| *mode != DiskMode::MonolithicSparse);
        let adapter = disk.and_then(|machine| machine.adapter).map(Adapter::in_vmdk);
        let of_machine = [("subformat", mode.map(DiskMode::keyword)), ("adapter_type", adapter)];
        let is_set = |key: &str| options.iter().any(|option| option.split('=').next() == Some(key));
        let set = of_machine.into_iter().filter(|(key, _)| !is_set(key));
        let set = set.filter_map(|(key, value)| Some(format!("{key}={}", value?)));
        set.chain(options.iter().cloned()).collect()
    }
}

/// The texts of the tree that boxes contain, which are read before the description is removed from it.
pub(super) fn vagrantfiles(plan: &Plan, tree: &RootTree) -> Result<Vec<Option<Vec<u8>>>> {
    if !plan.contains(DiskFormat::Vagrant) {
        return Ok(Vec::new());
    }
    let read = |name: &String| {
        let path = format!("{DESCRIPTION}/{name}");
        if !tree.exists(&path) {
            fail!(
                InvalidDescription,
                "the Vagrant box contains the file {name}, which is not in the description; create it"
            );
        }
        tree.read(path)
    };
    plan.boxes.iter().map(|of| of.vagrantfile.as_ref().map(read).transpose()).collect()
}

/// Publishes the disk `raw` in the formats of the plan, a raw one first. `texts` is what [`vagrantfiles`] returned.
pub(super) fn create(
    plan: &Plan,
    raw: PathBuf,
    texts: &[Option<Vec<u8>>],
    context: ImageContext<'_>,
) -> Result<Vec<Artifact>> {
    let ImageContext { workspace, host, .. } = context;
    let mut artifacts = Vec::new();
    for format in &plan.formats {
        if *format == DiskFormat::Raw {
            continue;
        }
        let ending = disk_format::ending(*format);
        let stage = host.stage(StageTask::ConvertDisk, format!("Converting to {ending}"));
        artifacts.extend(match format {
            DiskFormat::Gce => vec![gce(plan, &raw, &stage, workspace, host)?],
            DiskFormat::Ova => vec![ova(plan, &raw, &stage, workspace, host)?],
            DiskFormat::Vagrant => boxes(plan, &raw, texts, &stage, workspace, host)?,
            DiskFormat::Raw
            | DiskFormat::Qcow2
            | DiskFormat::Qcow
            | DiskFormat::Vmdk
            | DiskFormat::Vdi
            | DiskFormat::Vpc
            | DiskFormat::VhdFixed
            | DiskFormat::Vhdx
            | DiskFormat::Parallels => one_file(plan, *format, &raw, &stage, workspace, host)?,
        });
        stage.finish();
    }
    if plan.contains(DiskFormat::Raw) {
        artifacts.insert(0, Artifact::new(Role::Image, format!("{}.raw", plan.name), raw));
    } else {
        host.remove_file(&raw).context("cannot remove the raw disk")?;
    }
    Ok(artifacts)
}

/// Converts the disk, and writes the settings of its machine if it has one.
fn one_file(
    plan: &Plan,
    format: DiskFormat,
    raw: &Path,
    stage: &RunningStage<'_>,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Artifact>> {
    let file = format!("{}.{}", plan.name, disk_format::ending(format));
    let converted = workspace.unfinished(&file);
    let earlier = workspace.earlier(&file);
    let target = Target { output: &converted, earlier: earlier.as_deref(), stage };
    disk_format::convert(raw, format, &plan.options(format), plan.id, target, host)?;
    let mut artifacts = Vec::new();
    if format == DiskFormat::Vmdk {
        for extent in vmdk::extents(&converted)? {
            let path = workspace.unfinished(&extent);
            artifacts.push(Artifact::new(Role::DiskExtent, extent, path));
        }
        if let Some(machine) = &plan.machine {
            let settings = format!("{}.vmx", plan.name);
            let path = workspace.unfinished(&settings);
            host.write_file(&path, vmx::settings(&plan.name, machine, &file))
                .context("cannot write the settings of the machine")?;
            artifacts.push(Artifact::new(Role::MachineSettings, settings, path));
        }
    }
    artifacts.push(Artifact::new(Role::Image, file, converted));
    Ok(artifacts)
}

/// Writes the archive for Google Compute Engine: the plain disk, and the licence.
fn gce(
    plan: &Plan,
    raw: &Path,
    stage: &RunningStage<'_>,
    workspace: &Workspace,
    host: &Host,
) -> Result<Artifact> {
    let mut members = vec![Member { name: "disk.raw".to_owned(), path: raw.to_owned() }];
    if let Some(license) = &plan.gce_license {
        let text = serde_json::json!({ "licenses": [license] }).to_string();
        members.push(text_member("manifest.json", &text, workspace, host)?);
    }
    archive(plan, format!("{}.tar.gz", plan.name), &members, Packing::SparseGzip, stage, workspace, host)
}

/// Writes an OVA: the description of the machine first, then the digests, then the disk.
fn ova(
    plan: &Plan,
    raw: &Path,
    stage: &RunningStage<'_>,
    workspace: &Workspace,
    host: &Host,
) -> Result<Artifact> {
    let options = plan.options(DiskFormat::Ova);
    let (vmdk, digest) =
        stream_optimized(plan, &options, &format!("{}.vmdk", plan.name), raw, stage, workspace, host)?;
    let description = format!("{}.ovf", plan.name);
    let text = machine_description(plan, &vmdk, raw, Family::Vmware)?;
    let of_text = hex(Sha256::digest(text.as_bytes()));
    let digests = format!("SHA256({description})= {of_text}\nSHA256({})= {digest}\n", vmdk.name);
    let members = [
        text_member(&description, &text, workspace, host)?,
        text_member(&format!("{}.mf", plan.name), &digests, workspace, host)?,
        vmdk,
    ];
    let artifact =
        archive(plan, format!("{}.ova", plan.name), &members, Packing::Ustar, stage, workspace, host)?;
    remove(&members, host)?;
    Ok(artifact)
}

/// Writes the Vagrant boxes, and the catalogue that names them.
fn boxes(
    plan: &Plan,
    raw: &Path,
    texts: &[Option<Vec<u8>>],
    stage: &RunningStage<'_>,
    workspace: &Workspace,
    host: &Host,
) -> Result<Vec<Artifact>> {
    let mut artifacts = Vec::new();
    let mut listed = Vec::new();
    for (of, text) in plan.boxes.iter().zip(texts) {
        let mut members = Vec::new();
        let mut add = |name: &str, text: &str| -> Result<()> {
            members.push(text_member(name, text, workspace, host)?);
            Ok(())
        };
        add("metadata.json", &vagrant::metadata(of))?;
        add("Vagrantfile", &vagrant::vagrantfile(of, plan.id))?;
        if let Some(text) = text {
            add(vagrant::INCLUDED, &String::from_utf8_lossy(text))?;
        }
        members.extend(match of.provider {
            VagrantProvider::Libvirt => {
                let path = workspace.passing_file("box.img", Bytes(size_of(raw)?));
                let format = DiskFormat::Qcow2;
                let options = plan.options(DiskFormat::Vagrant);
                let target = Target { output: &path, earlier: None, stage };
                disk_format::convert(raw, format, &options, plan.id, target, host)?;
                vec![Member { name: "box.img".to_owned(), path }]
            }
            VagrantProvider::VirtualBox => {
                let (vmdk, _) = stream_optimized(plan, &[], "box-disk1.vmdk", raw, stage, workspace, host)?;
                let family = Family::VirtualBox { mac: vagrant::mac(plan.id) };
                let text = machine_description(plan, &vmdk, raw, family)?;
                vec![text_member("box.ovf", &text, workspace, host)?, vmdk]
            }
        });
        let name = format!("{}.vagrant.{}.box", plan.name, of.provider.keyword());
        let artifact = archive(plan, name, &members, Packing::Gzip, stage, workspace, host)?;
        remove(&members, host)?;
        listed.push((of, artifact.name.clone(), Sums::of(&artifact.path, host)?.sha256));
        artifacts.push(artifact);
    }
    let name = format!("{}.vagrant.json", plan.name);
    let path = workspace.unfinished(&name);
    host.write_file(&path, vagrant::catalogue(&plan.name.to_string(), &plan.version, &listed))
        .context("cannot write the catalogue of the Vagrant boxes")?;
    artifacts.insert(0, Artifact::new(Role::MachineSettings, name, path));
    Ok(artifacts)
}

/// Writes the disk as a compressed VMDK; returns it with its SHA-256.
fn stream_optimized(
    plan: &Plan,
    options: &[String],
    name: &str,
    raw: &Path,
    stage: &RunningStage<'_>,
    workspace: &Workspace,
    host: &Host,
) -> Result<(Member, String)> {
    // A VMDK contains its own file name.
    let path = workspace.passing_file(name, Bytes(size_of(raw)?));
    let target = Target { output: &path, earlier: None, stage };
    disk_format::convert(raw, DiskFormat::Ova, options, plan.id, target, host)?;
    let sha256 = Sums::of(&path, host)?.sha256;
    Ok((Member { name: name.to_owned(), path }, sha256))
}

fn machine_description(plan: &Plan, vmdk: &Member, raw: &Path, family: Family) -> Result<String> {
    let files = Files { vmdk: &vmdk.name, bytes: size_of(&vmdk.path)?, capacity: size_of(raw)? };
    Ok(ovf::description(&plan.name.to_string(), &plan.machine(), &files, plan.wide, &family))
}

fn size_of(path: &Path) -> Result<u64> {
    let metadata = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(metadata.len())
}

fn text_member(name: &str, text: &str, workspace: &Workspace, host: &Host) -> Result<Member> {
    let path = workspace.scratch_file(&name.replace('/', "-"));
    host.write_file(&path, text).with_context(|| format!("cannot write {name}"))?;
    Ok(Member { name: name.to_owned(), path })
}

/// Removes the files of an archive.
fn remove(members: &[Member], host: &Host) -> Result<()> {
    members.iter().try_for_each(|member| {
        host.remove_file(&member.path).with_context(|| format!("cannot remove {}", member.path.display()))
    })
}

fn archive(
    plan: &Plan,
    name: String,
    members: &[Member],
    packing: Packing,
    stage: &RunningStage<'_>,
    workspace: &Workspace,
    host: &Host,
) -> Result<Artifact> {
    let path = workspace.unfinished(&name);
    file_archive::create_in_order(members, packing, plan.epoch, &path, stage, host)?;
    Ok(Artifact::new(Role::Image, name, path))
}

#[cfg(test)]
mod tests;
