//! The documents of a container image: configuration, manifest, index, and Docker's list of images.
//!
//! Values of maps are sorted by [`serde_json::Value`], so that the same image has the same bytes.

use std::collections::HashMap;

use anyhow::Result;
use description::{ContainerConfig, ContainerName, LayerCompression};
use oci_spec::image::{
    ANNOTATION_REF_NAME, Arch, Config, ConfigBuilder, Descriptor, HistoryBuilder, ImageConfigurationBuilder,
    ImageIndexBuilder, ImageManifestBuilder, MediaType, Os, PlatformBuilder, RootFsBuilder, Sha256Digest,
};
use serde::Serialize;
use serde_json::json;

use super::layer::Layer;
use crate::identity::rfc3339;

/// The annotation from which container programs take the full name of an image.
const WHOLE_NAME: &str = "io.containerd.image.name";

/// Returns the configuration of an image, which is the same in both formats.
pub(super) fn image(config: &ContainerConfig, machine: &str, epoch: u64, diff_id: &str) -> Result<Vec<u8>> {
    let created = rfc3339(epoch);
    let mut history = HistoryBuilder::default()
        .created(created.clone())
        .created_by(config.created_by.clone().unwrap_or_else(|| "kiwi".to_owned()));
    if let Some(author) = &config.history_author {
        history = history.author(author.clone());
    }
    if let Some(comment) = &config.comment {
        history = history.comment(comment.clone());
    }
    let layers =
        RootFsBuilder::default().typ("layers").diff_ids(vec![format!("sha256:{diff_id}")]).build()?;
    let (architecture, variant) = architecture(machine);
    let mut image = ImageConfigurationBuilder::default()
        .created(created)
        .architecture(architecture)
        .os(Os::Linux)
        .config(runtime(config)?)
        .rootfs(layers)
        .history(vec![history.build()?]);
    if let Some(author) = &config.author {
        image = image.author(author.clone());
    }
    if let Some(variant) = variant {
        image = image.variant(variant);
    }
    bytes(&image.build()?)
}

/// Returns the settings for the start of a container.
fn runtime(config: &ContainerConfig) -> Result<Config> {
    let mut runtime = ConfigBuilder::default();
    if let Some(user) = &config.user {
        runtime = runtime.user(user.clone());
    }
    if let Some(directory) = &config.working_directory {
        runtime = runtime.working_dir(directory.clone());
    }
    if let Some(program) = config.entrypoint.as_ref().filter(|program| !program.is_empty()) {
        runtime = runtime.entrypoint(program.clone());
    }
    if let Some(program) = config.subcommand.as_ref().filter(|program| !program.is_empty()) {
        runtime = runtime.cmd(program.clone());
    }
    if let Some(signal) = &config.stop_signal {
        runtime = runtime.stop_signal(signal.clone());
    }
    if !config.ports.is_empty() {
        let port = |port: &String| if port.contains('/') { port.clone() } else { format!("{port}/tcp") };
        runtime = runtime.exposed_ports(config.ports.iter().map(port).collect::<Vec<_>>());
    }
    if !config.volumes.is_empty() {
        runtime = runtime.volumes(config.volumes.clone());
    }
    if !config.environment.is_empty() {
        let variables = config.environment.iter().map(|(name, value)| format!("{name}={value}"));
        runtime = runtime.env(variables.collect::<Vec<_>>());
    }
    if !config.labels.is_empty() {
        runtime = runtime.labels(config.labels.iter().cloned().collect::<HashMap<_, _>>());
    }
    Ok(runtime.build()?)
}

/// Returns the manifest of an OCI image.
pub(super) fn manifest(
    compression: LayerCompression,
    layer: &Layer,
    config_digest: &str,
    config_size: u64,
) -> Result<Vec<u8>> {
    let media_type = match compression {
        LayerCompression::None => MediaType::ImageLayer,
        LayerCompression::Zstd => MediaType::ImageLayerZstd,
        LayerCompression::Gzip => MediaType::ImageLayerGzip,
    };
    let manifest = ImageManifestBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageManifest)
        .config(Descriptor::new(MediaType::ImageConfig, config_size, config_digest.parse::<Sha256Digest>()?))
        .layers(vec![Descriptor::new(media_type, layer.size, layer.digest.parse::<Sha256Digest>()?)])
        .build()?;
    bytes(&manifest)
}

/// Returns the index of an OCI layout, which lists the image once for each of its names.
pub(super) fn index(
    names: &[ContainerName],
    manifest_digest: &str,
    manifest_size: usize,
    machine: &str,
) -> Result<Vec<u8>> {
    let (architecture, variant) = architecture(machine);
    let mut platform = PlatformBuilder::default().architecture(architecture).os(Os::Linux);
    if let Some(variant) = variant {
        platform = platform.variant(variant);
    }
    let platform = platform.build()?;
    let manifest_size = u64::try_from(manifest_size)?;
    let digest: Sha256Digest = manifest_digest.parse()?;
    let descriptor = |name: &ContainerName| {
        let mut descriptor = Descriptor::new(MediaType::ImageManifest, manifest_size, digest.clone());
        descriptor.set_platform(Some(platform.clone()));
        descriptor.set_annotations(Some(HashMap::from([
            (ANNOTATION_REF_NAME.to_owned(), name.tag.clone()),
            (WHOLE_NAME.to_owned(), format!("{}:{}", with_registry(&name.name), name.tag)),
        ])));
        descriptor
    };
    let index = ImageIndexBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageIndex)
        .manifests(names.iter().map(descriptor).collect::<Vec<_>>())
        .build()?;
    bytes(&index)
}

/// Returns Docker's `manifest.json`.
pub(super) fn docker_manifest(names: &[ContainerName], config: &str, layer: &str) -> Result<Vec<u8>> {
    let names: Vec<String> = names.iter().map(|name| format!("{}:{}", name.name, name.tag)).collect();
    bytes(&json!([{ "Config": config, "RepoTags": names, "Layers": [layer] }]))
}

/// Returns a name with its registry; `localhost` when the name has none.
fn with_registry(name: &str) -> String {
    match name.split_once('/') {
        Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => name.to_owned(),
        Some(_) | None => format!("localhost/{name}"),
    }
}

/// Returns the architecture and its variant in the notation of OCI.
fn architecture(machine: &str) -> (Arch, Option<&'static str>) {
    match machine {
        "x86_64" => (Arch::Amd64, None),
        "i686" => (Arch::i386, None),
        "aarch64" => (Arch::ARM64, Some("v8")),
        "armhf" | "armv7l" => (Arch::ARM, Some("v7")),
        other => (Arch::from(other), None),
    }
}

/// Serialises a document. The keys of every map are sorted.
fn bytes(document: &impl Serialize) -> Result<Vec<u8>> {
    Ok(serde_json::to_vec(&serde_json::to_value(document)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_without_a_registry_are_local() {
        for (name, whole) in
            [("web", "localhost/web"), ("a/web", "localhost/a/web"), ("x.org/web", "x.org/web")]
        {
            assert_eq!(with_registry(name), whole);
        }
    }
}
