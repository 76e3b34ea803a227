//! A bill as SPDX 3.0.1 in JSON-LD: a graph of elements, each with an identifier, connected by relationships.
//!
//! Specification: <https://spdx.github.io/spdx-spec/v3.0.1/>.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::licence::{Licence, LicenceText};
use super::{Bill, Component, escaped, is_uri, name_and_address};
use crate::identity::{Identity, rfc3339};
use crate::package_manager::PackageForm;

const CONTEXT: &str = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld";
const VERSION: &str = "3.0.1";
/// The node that every element refers to for time and author of the document.
const CREATION: &str = "_:creation";
/// The element of SPDX for a licence that nobody asserts.
const NO_ASSERTION: &str = "expandedlicensing_NoAssertionLicense";

/// Returns the document.
pub(super) fn document(bill: &Bill, identity: &Identity) -> Value {
    let mut graph = Graph::new(bill, identity);
    let image = graph.image(bill);
    let packages: Vec<String> = bill.components.iter().map(|component| graph.package(component)).collect();
    if !packages.is_empty() {
        graph.relationship("contains", &image, packages);
    }
    graph.finish(bill, &image)
}

struct Graph {
    namespace: String,
    created: String,
    elements: Vec<Value>,
    identifiers: Vec<String>,
    /// Maintainers, and licence expressions, that have an element already.
    known: BTreeMap<String, String>,
    texts: BTreeSet<String>,
}

impl Graph {
    fn new(bill: &Bill, identity: &Identity) -> Self {
        Self {
            namespace: format!("urn:uuid:{}#", identity.uuid_text("SPDX document")),
            created: rfc3339(bill.subject.epoch),
            elements: Vec::new(),
            identifiers: Vec::new(),
            known: BTreeMap::new(),
            texts: BTreeSet::new(),
        }
    }

    /// Adds an element and returns its identifier.
    fn add(&mut self, kind: &str, name: &str, mut value: Value) -> String {
        let plain = escaped(name, |byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
        let id = format!("{}{plain}", self.namespace);
        value["type"] = json!(kind);
        value["spdxId"] = json!(id);
        value["creationInfo"] = json!(CREATION);
        self.elements.push(value);
        self.identifiers.push(id.clone());
        id
    }

    fn relationship(&mut self, kind: &str, from: &str, to: Vec<String>) {
        let number = self.elements.len();
        let value = json!({ "from": from, "relationshipType": kind, "to": to });
        self.add("Relationship", &format!("relationship-{number}"), value);
    }

    fn image(&mut self, bill: &Bill) -> String {
        let mut image = json!({
            "name": bill.subject.name,
            "software_primaryPurpose": "operatingSystem",
            "builtTime": self.created,
        });
        if !bill.subject.version.is_empty() {
            image["software_packageVersion"] = json!(bill.subject.version);
        }
        let system = bill.distribution.name.as_ref().map(|name| format!("built of packages of {name}"));
        let architecture = Some(&bill.subject.architecture).filter(|name| !name.is_empty());
        let facts = [architecture.map(|name| format!("for {name}")), system];
        let facts: Vec<String> = facts.into_iter().flatten().collect();
        if !facts.is_empty() {
            image["description"] = json!(format!("System image {}", facts.join(", ")));
        }
        self.add("software_Package", "image", image)
    }

    fn package(&mut self, component: &Component) -> String {
        let Component { item, url, licence, origin } = component;
        let mut package = json!({
            "name": item.name,
            "software_packageVersion": item.version,
            "software_packageUrl": url,
            "software_primaryPurpose": "install",
        });
        if let Some(page) = item.homepage.as_ref().filter(|page| is_uri(page)) {
            package["software_homePage"] = json!(page);
        }
        if let Some(maintainer) = &item.maintainer {
            package["suppliedBy"] = json!(self.agent(maintainer));
        }
        let source = item.source.as_ref().map(|source| format!("built from the source package {source}"));
        let repository =
            origin.as_ref().map(|origin| format!("installed from {} of {}", origin.file, origin.repository));
        let facts: Vec<String> = [source, repository].into_iter().flatten().collect();
        if !facts.is_empty() {
            package["software_sourceInfo"] = json!(facts.join("; "));
        }
        if let Some(origin) = origin {
            package["verifiedUsing"] =
                json!([{ "type": "Hash", "algorithm": "sha256", "hashValue": origin.sha256 }]);
            if let Some(uri) = origin.uri() {
                package["software_downloadLocation"] = json!(uri);
            }
        }
        if let Licence::Unknown { file, tag } = licence {
            let file = file.as_ref().map(|(path, digest)| format!("{path} (SHA-256 {digest})"));
            let words = match (file, tag) {
                (Some(file), _) => Some(format!("The licence is described in {file}.")),
                (None, Some(tag)) => Some(format!("The licence tag of the package is: {tag}")),
                (None, None) => None,
            };
            if let Some(words) = words {
                package["comment"] = json!(words);
            }
        }
        let form = match item.form {
            PackageForm::Deb => "deb",
            PackageForm::Rpm => "rpm",
        };
        let name = format!("package-{form}-{}-{}-{}", item.name, item.version, item.architecture);
        let id = self.add("software_Package", &name, package);
        let licence = match licence {
            Licence::Declared { expression, texts } => self.licence(expression, texts),
            Licence::Unknown { .. } => NO_ASSERTION.to_owned(),
        };
        self.relationship("hasDeclaredLicense", &id, vec![licence]);
        id
    }

    /// Returns the element of a maintainer.
    fn agent(&mut self, maintainer: &str) -> String {
        if let Some(id) = self.known.get(maintainer) {
            return id.clone();
        }
        let (name, address) = name_and_address(maintainer);
        let mut agent = json!({ "name": name });
        if let Some(address) = address {
            agent["externalIdentifier"] = json!([{ "type": "ExternalIdentifier", "externalIdentifierType": "email", "identifier": address }]);
        }
        let number = self.known.len();
        let id = self.add("Agent", &format!("agent-{number}"), agent);
        self.known.insert(maintainer.to_owned(), id.clone());
        id
    }

    /// Returns the element of a licence expression.
    fn licence(&mut self, expression: &str, texts: &[LicenceText]) -> String {
        if let Some(id) = self.known.get(expression) {
            return id.clone();
        }
        let mut references = Vec::new();
        for LicenceText { id, name, text } in texts {
            let element = format!("{}{id}", self.namespace);
            if self.texts.insert(id.clone()) {
                let value = json!({ "name": name, "simplelicensing_licenseText": text });
                self.add("simplelicensing_SimpleLicensingText", id, value);
            }
            references.push(json!({ "type": "DictionaryEntry", "key": id, "value": element }));
        }
        let mut value = json!({ "simplelicensing_licenseExpression": expression });
        if !references.is_empty() {
            value["simplelicensing_customIdToUri"] = json!(references);
        }
        let number = self.known.len();
        let id = self.add("simplelicensing_LicenseExpression", &format!("licence-{number}"), value);
        self.known.insert(expression.to_owned(), id.clone());
        id
    }

    fn finish(mut self, bill: &Bill, image: &str) -> Value {
        let contents = std::mem::take(&mut self.identifiers);
        let profiles = ["core", "software", "simpleLicensing"];
        let bill_id = self.add(
            "software_Sbom",
            "bill",
            json!({
                "rootElement": [image],
                "element": contents,
                "profileConformance": profiles,
                "software_sbomType": ["build"],
            }),
        );
        let author = self.add("SoftwareAgent", "kiwi", json!({ "name": "kiwi" }));
        let version = env!("CARGO_PKG_VERSION");
        let tool = self.add("Tool", "tool", json!({ "name": format!("kiwi-{version}") }));
        let title = match bill.subject.version.as_str() {
            "" => bill.subject.name.clone(),
            version => format!("{} {version}", bill.subject.name),
        };
        let document = json!({
            "name": title,
            "rootElement": [bill_id],
            "element": [bill_id, author, tool],
            "profileConformance": profiles,
        });
        self.add("SpdxDocument", "document", document);
        let creation = json!({
            "type": "CreationInfo",
            "@id": CREATION,
            "specVersion": VERSION,
            "created": self.created,
            "createdBy": [author],
            "createdUsing": [tool],
        });
        let graph: Vec<Value> = std::iter::once(creation).chain(self.elements).collect();
        json!({ "@context": CONTEXT, "@graph": graph })
    }
}
