//! A bill as CycloneDX 1.6 in JSON.
//!
//! Specification: <https://cyclonedx.org/docs/1.6/json/>.

use serde_json::{Value, json};

use super::licence::Licence;
use super::{Bill, Component, is_uri, name_and_address};
use crate::identity::{Identity, rfc3339};

const VERSION: &str = "1.6";
/// The reference of the image.
const IMAGE: &str = "image";

/// Returns the document.
pub(super) fn document(bill: &Bill, identity: &Identity) -> Value {
    let mut image = json!({ "type": "operating-system", "bom-ref": IMAGE, "name": bill.subject.name });
    if !bill.subject.version.is_empty() {
        image["version"] = json!(bill.subject.version);
    }
    if !bill.subject.architecture.is_empty() {
        image["properties"] = json!([property("architecture", &bill.subject.architecture)]);
    }
    let references: Vec<&str> = bill.components.iter().map(|component| component.url.as_str()).collect();
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": VERSION,
        "serialNumber": format!("urn:uuid:{}", identity.uuid_text("CycloneDX document")),
        "version": 1,
        "metadata": {
            "timestamp": rfc3339(bill.subject.epoch),
            "lifecycles": [{ "phase": "build" }],
            "tools": { "components": [{ "type": "application", "name": "kiwi", "version": env!("CARGO_PKG_VERSION") }] },
            "component": image,
        },
        "components": bill.components.iter().map(component).collect::<Vec<_>>(),
        "dependencies": [{ "ref": IMAGE, "dependsOn": references }],
    })
}

fn component(component: &Component) -> Value {
    let Component { item, url, licence, origin } = component;
    let mut value = json!({
        "type": "library",
        "bom-ref": url,
        "name": item.name,
        "version": item.version,
        "purl": url,
    });
    if let Some(maintainer) = &item.maintainer {
        value["supplier"] = supplier(maintainer);
    }
    let mut properties = vec![property("architecture", &item.architecture)];
    let mut references = Vec::new();
    if let Some(page) = item.homepage.as_ref().filter(|page| is_uri(page)) {
        references.push(json!({ "type": "website", "url": page }));
    }
    if let Some(origin) = origin {
        value["hashes"] = json!([{ "alg": "SHA-256", "content": origin.sha256 }]);
        properties.push(property("repository", &origin.repository));
        properties.push(property("repository:file", &origin.file));
        if let Some(uri) = origin.uri() {
            references.push(json!({ "type": "distribution", "url": uri }));
        }
    }
    if let Some(source) = &item.source {
        properties.push(property("source", source));
    }
    match licence {
        Licence::Declared { expression, texts: _ } => {
            value["licenses"] = json!([{ "expression": expression, "acknowledgement": "declared" }]);
        }
        Licence::Unknown { file, tag } => {
            if let Some((path, digest)) = file {
                properties.push(property("licence:file", path));
                properties.push(property("licence:file:sha256", digest));
            }
            if let Some(tag) = tag {
                properties.push(property("licence:tag", tag));
            }
        }
    }
    if !references.is_empty() {
        value["externalReferences"] = json!(references);
    }
    value["properties"] = json!(properties);
    value
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": format!("kiwi:{name}"), "value": value })
}

/// Returns a maintainer as an organisation with its contact.
fn supplier(maintainer: &str) -> Value {
    match name_and_address(maintainer) {
        (name, Some(address)) => json!({ "name": name, "contact": [{ "name": name, "email": address }] }),
        (name, None) => json!({ "name": name }),
    }
}
