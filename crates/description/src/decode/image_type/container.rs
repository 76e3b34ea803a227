//! `<type image="oci">` and `<type image="docker">` with `<containerconfig>`.

use super::{Decoder, boolean, text};
use crate::Diagnostic;
use crate::document::{Element, Text};
use crate::image_type::{Container, ContainerConfig, ContainerKeyword, ContainerName, LayerCompression};
use crate::schema;

/// The name of an image whose description specifies none; KIWI NG's.
const DEFAULT_NAME: &str = "kiwi-container";
/// The command of a container that specifies none; that of KIWI NG.
const DEFAULT_COMMAND: &str = "/bin/bash";

impl Decoder<'_> {
    /// Reads the type; names that no registry takes are errors.
    pub(super) fn container(&mut self, element: &Element, keyword: ContainerKeyword) -> Container {
        if let Some(config) = element.child("containerconfig") {
            let name = "letters in lower case, digits, `.`, `_`, `-`, and `/` between parts";
            let tag = "at most 128 letters, digits, `.`, `_` and `-`";
            let others = |text: &str| {
                schema::list_items(text).all(|other| ContainerName::parse(other, DEFAULT_NAME).is_some())
            };
            self.container_name(
                config.value("name"),
                "the name of a container",
                name,
                ContainerName::is_name,
            );
            self.container_name(config.value("tag"), "the tag of a container", tag, ContainerName::is_tag);
            self.container_name(
                config.value("additionalnames"),
                "a list of names of a container",
                "`NAME:TAG` or `:TAG`, separated by commas",
                others,
            );
        }
        container(element, keyword)
    }

    fn container_name(
        &mut self,
        value: Option<&Text>,
        what: &str,
        expected: &str,
        is_valid: impl Fn(&str) -> bool,
    ) {
        if let Some(value) = value.filter(|value| !is_valid(&value.text)) {
            self.diagnostics.push(
                Diagnostic::error(value.span.clone(), format!("`{}` is not {what}", value.text))
                    .rule("name-of-a-container")
                    .label(format!("expected {expected}"))
                    .help("registries and container programs refuse it"),
            );
        }
    }
}

fn container(element: &Element, keyword: ContainerKeyword) -> Container {
    let compression = match (keyword, text(element, "layer_compression").as_deref()) {
        (ContainerKeyword::Docker, _) => LayerCompression::None,
        (ContainerKeyword::Oci, Some("gzip")) => LayerCompression::Gzip,
        (ContainerKeyword::Oci, _) => LayerCompression::Zstd,
    };
    Container {
        keyword,
        compression,
        empty_temporary: boolean(element, "ensure_empty_tmpdirs").unwrap_or(true),
        config: config(element.child("containerconfig")),
    }
}

fn config(config: Option<&Element>) -> ContainerConfig {
    let of_config = |name: &str| config.and_then(|config| text(config, name));
    let child = |name: &str| config.and_then(|config| config.child(name));
    let list = |list: &str, item: &str, attribute: &str| -> Vec<String> {
        let items = child(list).into_iter().flat_map(|list| list.children(item));
        items.filter_map(|item| text(item, attribute)).collect()
    };
    let pairs = |list: &str, item: &str| -> Vec<(String, String)> {
        let items = child(list).into_iter().flat_map(|list| list.children(item));
        items.filter_map(|item| Some((text(item, "name")?, text(item, "value")?))).collect()
    };
    let history = child("history");
    let of_history = |name: &str| history.and_then(|history| text(history, name));
    let entrypoint = child("entrypoint").map(command);
    let default_command = || entrypoint.is_none().then(|| vec![DEFAULT_COMMAND.to_owned()]);
    let subcommand = child("subcommand").map(command).or_else(default_command);
    let history_author = of_history("author");
    ContainerConfig {
        names: names(config),
        author: of_config("maintainer").or_else(|| history_author.clone()),
        user: of_config("user"),
        working_directory: of_config("workingdir"),
        entrypoint,
        subcommand,
        ports: list("expose", "port", "number"),
        volumes: list("volumes", "volume", "name"),
        stop_signal: config
            .and_then(|config| config.child_text("stopsignal"))
            .map(|signal| signal.text.clone()),
        environment: pairs("environment", "env"),
        labels: pairs("labels", "label"),
        created_by: of_history("created_by"),
        history_author,
        comment: history
            .and_then(|history| history.text.as_ref())
            .map(|comment| comment.text.trim().to_owned()),
    }
}

/// The image's own name, then its other ones.
fn names(config: Option<&Element>) -> Vec<ContainerName> {
    let of_config = |name: &str| config.and_then(|config| text(config, name));
    let name = of_config("name").unwrap_or_else(|| DEFAULT_NAME.to_owned());
    let tag = of_config("tag").unwrap_or_else(|| ContainerName::DEFAULT_TAG.to_owned());
    let others = of_config("additionalnames").unwrap_or_default();
    let others: Vec<ContainerName> =
        schema::list_items(&others).filter_map(|other| ContainerName::parse(other, &name)).collect();
    let mut names = vec![ContainerName { name, tag }];
    for other in others {
        if !names.contains(&other) {
            names.push(other);
        }
    }
    names
}

/// A program and its arguments; nothing with `clear`.
fn command(element: &Element) -> Vec<String> {
    let arguments = element.children("argument").filter_map(|argument| text(argument, "name"));
    text(element, "execute").into_iter().chain(arguments).collect()
}
