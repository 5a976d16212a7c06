//! CycloneDX documents.
//!
//! Specification: CycloneDX 1.6 (ECMA-424), JSON.

use std::collections::BTreeMap;

use ipwhl_packaging::ProjectName;
use serde::Serialize;

use super::embedded::{EmbeddedLicence, EmbeddedSbom, HASHES};
use super::identifier;
use super::inventory::{Inventory, ListedLicence, ListedProject, ListedWheel};
use super::people::Supplier;
use super::purl;
use crate::foundation::diagnostic::json_pretty;

/// The reference of the set itself.
const SET: &str = "set";

/// The whole document. The order of the keys is that of the specification.
#[derive(Serialize)]
struct Document<'i> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    #[serde(rename = "bomFormat")]
    format: &'static str,
    #[serde(rename = "specVersion")]
    specification: &'static str,
    #[serde(rename = "serialNumber", skip_serializing_if = "Option::is_none")]
    serial: Option<String>,
    version: u64,
    metadata: Metadata<'i>,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
}

#[derive(Serialize)]
struct Metadata<'i> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    tools: Tools,
    component: Whole<'i>,
}

#[derive(Serialize)]
struct Tools {
    components: [Tool; 1],
}

#[derive(Serialize)]
struct Tool {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
}

#[derive(Serialize)]
struct Whole<'i> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: &'static str,
    name: &'i str,
}

#[derive(Serialize)]
struct Component {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "bom-ref")]
    reference: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<Organization>,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    licenses: Vec<LicenceChoice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    purl: Option<String>,
    #[serde(rename = "externalReferences", skip_serializing_if = "Vec::is_empty")]
    references: Vec<ExternalReference>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<Property>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<Component>,
}

#[derive(Serialize)]
struct Organization {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    contact: Vec<Person>,
}

#[derive(Serialize)]
struct Person {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    email: String,
}

#[derive(Serialize)]
struct Hash {
    alg: &'static str,
    content: String,
}

/// An expression, or one of several licences by name. Identifiers are not used: the schema lists those
/// of its own time only.
#[derive(Serialize)]
#[serde(untagged)]
enum LicenceChoice {
    Expression {
        expression: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        acknowledgement: Option<&'static str>,
    },
    Named {
        license: NamedLicence,
    },
}

#[derive(Serialize)]
struct NamedLicence {
    name: String,
}

#[derive(Serialize)]
struct ExternalReference {
    #[serde(rename = "type")]
    kind: &'static str,
    url: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hashes: Vec<Hash>,
}

#[derive(Serialize)]
struct Property {
    name: &'static str,
    value: String,
}

#[derive(Serialize)]
struct Dependency {
    #[serde(rename = "ref")]
    reference: String,
    #[serde(rename = "dependsOn", skip_serializing_if = "Vec::is_empty")]
    on: Vec<String>,
}

/// The document of an inventory.
///
/// # Errors
/// As `serde_json`.
pub fn cyclonedx(inventory: &Inventory<'_>) -> serde_json::Result<String> {
    let mut document = Document {
        schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
        format: "CycloneDX",
        specification: "1.6",
        serial: None,
        version: 1,
        metadata: Metadata {
            timestamp: inventory.newest.map(|time| time.to_string()),
            tools: Tools {
                components: [Tool {
                    kind: "application",
                    name: "ipwhl",
                }],
            },
            component: Whole {
                kind: "application",
                reference: SET,
                name: inventory.name,
            },
        },
        components: inventory.projects.iter().map(project).collect(),
        dependencies: dependencies(inventory),
    };
    document.serial = Some(identifier::urn(&serde_json::to_vec(&document)?));
    json_pretty(&document)
}

fn project_reference(project: &ListedProject<'_>) -> String {
    let declaration = project.declaration;
    purl::of_project(&declaration.project, declaration.version())
}

fn project(project: &ListedProject<'_>) -> Component {
    let declaration = project.declaration;
    let reference = project_reference(project);
    let is_shared = project.licence.is_some();
    Component {
        kind: "library",
        purl: Some(reference.clone()),
        reference,
        supplier: project.supplier.as_ref().map(organization),
        name: declaration.project.to_string(),
        version: Some(declaration.version().to_string()),
        hashes: Vec::new(),
        licenses: licences(project.licence.as_ref()),
        references: Vec::new(),
        properties: Vec::new(),
        components: project
            .wheels
            .iter()
            .map(|one| wheel(one, is_shared))
            .collect(),
    }
}

fn organization(supplier: &Supplier) -> Organization {
    let contacts = supplier.contacts.iter();
    let contacts = contacts.map(|contact| Person {
        name: contact.name.clone(),
        email: contact.email.clone(),
    });
    Organization {
        name: supplier.name.clone(),
        contact: contacts.collect(),
    }
}

fn licences(licence: Option<&ListedLicence>) -> Vec<LicenceChoice> {
    let choice = |licence: &ListedLicence| LicenceChoice::Expression {
        expression: licence.expression().to_string(),
        acknowledgement: Some(match licence {
            ListedLicence::Declared(_) => "declared",
            ListedLicence::Concluded(_) => "concluded",
        }),
    };
    licence.into_iter().map(choice).collect()
}

/// A wheel of a project. Its licence is written once if all wheels of the project share it.
fn wheel(listed: &ListedWheel<'_>, is_shared: bool) -> Component {
    let name = &listed.wheel.file_name;
    let sources = listed.wheel.sources.iter();
    let sources = sources.map(|source| ExternalReference {
        kind: "distribution",
        url: source.value.to_string(),
        hashes: Vec::new(),
    });
    let embedded = listed.embedded.iter().map(|sbom| ExternalReference {
        kind: "bom",
        url: purl::encode_path(&sbom.path),
        hashes: vec![sha256(sbom.sha256.to_string())],
    });
    let inner = listed.embedded.iter();
    Component {
        kind: "file",
        reference: purl::of_wheel(name),
        supplier: None,
        name: name.to_string(),
        version: Some(name.version().to_string()),
        hashes: vec![sha256(listed.sha256.to_string())],
        licenses: if is_shared {
            Vec::new()
        } else {
            licences(listed.licence.as_ref())
        },
        purl: Some(purl::of_wheel(name)),
        references: sources.chain(embedded).collect(),
        properties: vec![Property {
            name: "ipwhl:content-id",
            value: listed.wheel.content_id.value.to_string(),
        }],
        components: inner
            .flat_map(|sbom| inner_components(listed, sbom, &children(sbom), None))
            .collect(),
    }
}

fn sha256(content: String) -> Hash {
    Hash {
        alg: "SHA-256",
        content,
    }
}

/// The reference of a component in an SBOM of a wheel.
fn inner_reference(wheel: &ListedWheel<'_>, sbom: &EmbeddedSbom, position: usize) -> String {
    let wheel = purl::of_wheel(&wheel.wheel.file_name);
    let path = purl::encode_path(&sbom.path);
    format!("{wheel}#{path}:{}", position + 1)
}

/// The positions of components, by that of the component that has them inside.
type Children = BTreeMap<Option<usize>, Vec<usize>>;

fn children(sbom: &EmbeddedSbom) -> Children {
    let mut children = Children::new();
    for (position, component) in sbom.components.iter().enumerate() {
        children.entry(component.parent).or_default().push(position);
    }
    children
}

/// The components of an SBOM in a wheel that are directly inside this one.
fn inner_components(
    wheel: &ListedWheel<'_>,
    sbom: &EmbeddedSbom,
    children: &Children,
    parent: Option<usize>,
) -> Vec<Component> {
    let own = children.get(&parent).into_iter().flatten();
    let own = own.map(|position| (*position, &sbom.components[*position]));
    let component = own.map(|(position, component)| Component {
        kind: component.kind,
        reference: inner_reference(wheel, sbom, position),
        supplier: component.supplier.clone().map(|name| Organization {
            name,
            contact: Vec::new(),
        }),
        name: component.name.clone(),
        version: component.version.clone(),
        hashes: component
            .hashes
            .iter()
            .map(|(algorithm, content)| Hash {
                alg: HASHES[*algorithm].0,
                content: content.clone(),
            })
            .collect(),
        licenses: match &component.licence {
            None => Vec::new(),
            Some(EmbeddedLicence::Expression(expression)) => vec![LicenceChoice::Expression {
                expression: expression.to_string(),
                acknowledgement: None,
            }],
            Some(EmbeddedLicence::Names(names)) => names
                .iter()
                .map(|name| LicenceChoice::Named {
                    license: NamedLicence { name: name.clone() },
                })
                .collect(),
        },
        purl: component.purl.clone(),
        references: Vec::new(),
        properties: Vec::new(),
        components: inner_components(wheel, sbom, children, Some(position)),
    });
    component.collect()
}

/// Who needs whom: the set, its projects, and what SBOMs in wheels say.
fn dependencies(inventory: &Inventory<'_>) -> Vec<Dependency> {
    let projects = inventory.projects.iter();
    let references: BTreeMap<&ProjectName, String> = projects
        .map(|project| (&project.declaration.project, project_reference(project)))
        .collect();
    let reference = |name: &ProjectName| references.get(name).cloned();
    let requested = inventory.requested.iter();
    let mut dependencies = vec![Dependency {
        reference: SET.to_owned(),
        on: requested.filter_map(|name| reference(name)).collect(),
    }];
    for project in &inventory.projects {
        let needs = project.needs.iter();
        dependencies.push(Dependency {
            reference: project_reference(project),
            on: needs.filter_map(|name| reference(name)).collect(),
        });
        for wheel in &project.wheels {
            dependencies.extend(inner_dependencies(wheel));
        }
    }
    dependencies
}

/// Each reference has one entry, though a wheel may have several SBOMs.
fn inner_dependencies(wheel: &ListedWheel<'_>) -> Vec<Dependency> {
    let mut own = Vec::new();
    let mut inner = Vec::new();
    for sbom in &wheel.embedded {
        for (from, on) in &sbom.needs {
            let on = on.iter().map(|one| inner_reference(wheel, sbom, *one));
            match from {
                None => own.extend(on),
                Some(from) => inner.push(Dependency {
                    reference: inner_reference(wheel, sbom, *from),
                    on: on.collect(),
                }),
            }
        }
    }
    let whole = (!own.is_empty()).then(|| Dependency {
        reference: purl::of_wheel(&wheel.wheel.file_name),
        on: own,
    });
    whole.into_iter().chain(inner).collect()
}
