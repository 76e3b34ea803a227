//! A container image with one layer: N.oci.tar or N.docker.tar, and N.md5.
//!
//! ```text
//! oci     blobs/sha256/LAYER, blobs/sha256/CONFIG, blobs/sha256/MANIFEST, index.json, oci-layout
//! docker  LAYER.tar, CONFIG.json, manifest.json
//! ```
//!
//! The layer is written directly into the archive: its member starts the file, and the tar header, which contains the
//! digest and the size, is filled in when both are known.

mod configuration;
mod layer;

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use anyhow::{Context, Result};
use bootconfig::ImageName;
use description::{Container, ContainerKeyword, Selection};
use ondisk::digest::{Digest as _, Sha256};
use tar::{Builder, EntryType, Header};

use self::layer::Layer;
use super::{ImageContext, remove_build_files};
use crate::artifact::{Artifact, Role};
use crate::host::{Host, Meter, StageTask};
use crate::identity::Identity;
use crate::root_tree::RootTree;
use ondisk::digest::hex;

/// Bytes of a tar header; members are padded to a multiple of it.
const RECORD: u64 = 512;

/// The plan of a container image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    name: ImageName,
    image: Container,
    /// The architecture, such as `x86_64`.
    architecture: String,
    epoch: u64,
}

pub(super) fn plan(image: &Container, selection: &Selection, name: ImageName, identity: &Identity) -> Plan {
    let architecture = selection.architecture.machine().to_owned();
    Plan { name, image: image.clone(), architecture, epoch: identity.epoch }
}

pub(super) fn create(plan: &Plan, context: ImageContext<'_>) -> Result<Vec<Artifact>> {
    let ImageContext { tree, workspace, host, .. } = context;
    let mut artifacts = context.package_list(&plan.name)?;
    remove_build_files(tree)?;
    tree.clamp_times(plan.epoch)?;
    let name = format!("{}.{}.tar", plan.name, plan.image.keyword.keyword());
    let path = workspace.unfinished(&name);
    let stage = host.stage(StageTask::WriteContainer, "Writing the container image");
    let file = host.create_file(&path).with_context(|| format!("cannot create {}", path.display()))?;
    let meter = stage.meter(tree.measure()?.bytes);
    archive(plan, tree, file, &meter, host).with_context(|| format!("cannot write {}", path.display()))?;
    stage.finish();
    let stage = host.stage(StageTask::ComputeDigests, "Checking sums");
    let (checksum, sums) = context.checksum(&plan.name, &path)?;
    stage.finish();
    artifacts.push(checksum);
    artifacts.push(Artifact { sha256: Some(sums.sha256), ..Artifact::new(Role::Image, name, path) });
    Ok(artifacts)
}

/// Writes the whole archive into an empty file.
fn archive(plan: &Plan, tree: &RootTree, mut file: File, meter: &Meter<'_>, host: &Host) -> Result<()> {
    file.seek(SeekFrom::Start(RECORD))?;
    let layer = layer::write(&plan.image, tree, &file, meter, host)?;
    let end = RECORD + layer.size.next_multiple_of(RECORD);
    let member = match plan.image.keyword {
        ContainerKeyword::Oci => blob(&layer.digest),
        ContainerKeyword::Docker => format!("{}.tar", layer.digest),
    };
    file.set_len(end)?;
    file.seek(SeekFrom::Start(0))?;
    file.write_all(header(&member, layer.size, plan.epoch)?.as_bytes())?;
    file.seek(SeekFrom::Start(end))?;
    let mut builder = Builder::new(file);
    for (name, content) in documents(plan, &layer)? {
        let size = u64::try_from(content.len())?;
        builder.append(&header(&name, size, plan.epoch)?, content.as_slice())?;
    }
    builder.into_inner()?.flush()?;
    Ok(())
}

/// Returns the members after the layer.
fn documents(plan: &Plan, layer: &Layer) -> Result<Vec<(String, Vec<u8>)>> {
    let Plan { image, architecture, epoch, .. } = plan;
    let config = configuration::image(&image.config, architecture, *epoch, &layer.diff_id)?;
    let config_digest = digest(&config);
    match image.keyword {
        ContainerKeyword::Oci => {
            let config_size = u64::try_from(config.len())?;
            let manifest = configuration::manifest(image.compression, layer, &config_digest, config_size)?;
            let manifest_digest = digest(&manifest);
            let index =
                configuration::index(&image.config.names, &manifest_digest, manifest.len(), architecture)?;
            Ok(vec![
                (blob(&config_digest), config),
                (blob(&manifest_digest), manifest),
                ("index.json".to_owned(), index),
                ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ])
        }
        ContainerKeyword::Docker => {
            let config_name = format!("{config_digest}.json");
            let layer = format!("{}.tar", layer.digest);
            let manifest = configuration::docker_manifest(&image.config.names, &config_name, &layer)?;
            Ok(vec![(config_name, config), ("manifest.json".to_owned(), manifest)])
        }
    }
}

fn header(name: &str, size: u64, epoch: u64) -> Result<Header> {
    let mut header = Header::new_ustar();
    header.set_path(name)?;
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(epoch);
    header.set_size(size);
    header.set_cksum();
    Ok(header)
}

fn digest(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes))
}

fn blob(digest: &str) -> String {
    format!("blobs/sha256/{digest}")
}
