//! SPDX documents.
//!
//! Specification: SPDX 2.3 (ISO/IEC 5962), JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::embedded::{EmbeddedComponent, EmbeddedLicence, EmbeddedSbom, HASHES};
use super::identifier;
use super::inventory::{Inventory, ListedLicence, ListedProject, ListedWheel};
use super::people::Supplier;
use super::purl;
use crate::foundation::diagnostic::json_pretty;
use crate::set::declaration::Source;
use crate::set::licences::LicenceExpression;

const DOCUMENT: &str = "SPDXRef-DOCUMENT";
const SET: &str = "SPDXRef-Set";
const NOT_SAID: &str = "NOASSERTION";

/// The time of a document whose wheels have no time: the format requires one.
const NO_TIME: &str = "1970-01-01T00:00:00Z";

#[derive(Serialize)]
struct Document<'i> {
    #[serde(rename = "spdxVersion")]
    specification: &'static str,
    #[serde(rename = "dataLicense")]
    data_licence: &'static str,
    #[serde(rename = "SPDXID")]
    id: &'static str,
    name: &'i str,
    #[serde(rename = "documentNamespace")]
    namespace: String,
    #[serde(rename = "creationInfo")]
    creation: Creation,
    packages: Vec<Package>,
    relationships: Vec<Relationship>,
    #[serde(
        rename = "hasExtractedLicensingInfos",
        skip_serializing_if = "Vec::is_empty"
    )]
    other_licences: Vec<OtherLicence>,
}

#[derive(Serialize)]
struct Creation {
    created: String,
    creators: [&'static str; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    #[serde(rename = "SPDXID")]
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    version_info: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "packageFileName")]
    file_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supplier: Option<String>,
    download_location: String,
    files_analyzed: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    checksums: Vec<Checksum>,
    license_concluded: String,
    license_declared: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    external_refs: Vec<ExternalReference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    primary_package_purpose: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Checksum {
    algorithm: &'static str,
    checksum_value: String,
}

#[derive(Serialize)]
struct ExternalReference {
    #[serde(rename = "referenceCategory")]
    category: &'static str,
    #[serde(rename = "referenceType")]
    kind: &'static str,
    #[serde(rename = "referenceLocator")]
    locator: String,
}

#[derive(Serialize)]
struct Relationship {
    #[serde(rename = "spdxElementId")]
    from: String,
    #[serde(rename = "relationshipType")]
    kind: &'static str,
    #[serde(rename = "relatedSpdxElement")]
    to: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct OtherLicence {
    license_id: String,
    extracted_text: String,
}

/// The document of an inventory.
///
/// # Errors
/// As `serde_json`.
pub fn spdx(inventory: &Inventory<'_>) -> serde_json::Result<String> {
    let mut contents = Contents::default();
    contents.relate(DOCUMENT, "DESCRIBES", SET);
    contents.packages.push(Package {
        primary_package_purpose: None,
        ..package(SET, inventory.name)
    });
    for name in &inventory.requested {
        contents.relate(SET, "DEPENDS_ON", &project_id(name));
    }
    for project in &inventory.projects {
        contents.project(project);
    }
    let created = inventory.newest.map(|time| time.whole_second().to_string());
    let mut document = Document {
        specification: "SPDX-2.3",
        data_licence: "CC0-1.0",
        id: DOCUMENT,
        name: inventory.name,
        namespace: String::new(),
        creation: Creation {
            created: created.unwrap_or_else(|| NO_TIME.to_owned()),
            creators: ["Tool: ipwhl"],
        },
        packages: contents.packages,
        relationships: contents.relationships,
        other_licences: other_licences(contents.references),
    };
    document.namespace = identifier::urn(&serde_json::to_vec(&document)?);
    json_pretty(&document)
}

/// The packages and relations of a document, as they are collected.
#[derive(Default)]
struct Contents {
    packages: Vec<Package>,
    relationships: Vec<Relationship>,
    /// The licences outside of the SPDX list, each with the packages that it is the licence of.
    references: BTreeMap<String, BTreeSet<String>>,
}

impl Contents {
    fn relate(&mut self, from: &str, kind: &'static str, to: &str) {
        self.relationships.push(Relationship {
            from: from.to_owned(),
            kind,
            to: to.to_owned(),
        });
    }

    fn project(&mut self, project: &ListedProject<'_>) {
        let declaration = project.declaration;
        let id = project_id(&declaration.project);
        let version = declaration.version();
        let (license_concluded, license_declared) =
            self.licences(project.licence.as_ref(), declaration.project.as_str());
        self.packages.push(Package {
            version_info: Some(version.to_string()),
            supplier: project.supplier.as_ref().map(person),
            license_concluded,
            license_declared,
            external_refs: vec![package_url(purl::of_project(&declaration.project, version))],
            ..package(&id, declaration.project.as_str())
        });
        for name in &project.needs {
            self.relate(&id, "DEPENDS_ON", &project_id(name));
        }
        for wheel in &project.wheels {
            self.wheel(wheel, &id);
        }
    }

    fn wheel(&mut self, listed: &ListedWheel<'_>, project: &str) {
        let name = &listed.wheel.file_name;
        let id = format!("SPDXRef-Wheel-{}", listed.sha256);
        let (license_concluded, license_declared) =
            self.licences(listed.licence.as_ref(), name.as_str());
        let embedded = listed.embedded.iter().map(|sbom| ExternalReference {
            category: "OTHER",
            kind: "sbom",
            locator: format!("{}#sha256={}", purl::encode_path(&sbom.path), sbom.sha256),
        });
        let own = package_url(purl::of_wheel(name));
        let mut sources = listed.wheel.sources.iter();
        let address = sources.find_map(|source| match &source.value {
            Source::Web(url) => Some(url.to_string()),
            Source::Package(_) | Source::File(_) => None,
        });
        self.packages.push(Package {
            version_info: Some(name.version().to_string()),
            file_name: Some(name.to_string()),
            download_location: address.unwrap_or_else(|| NOT_SAID.to_owned()),
            checksums: vec![Checksum {
                algorithm: "SHA256",
                checksum_value: listed.sha256.to_string(),
            }],
            license_concluded,
            license_declared,
            external_refs: std::iter::once(own).chain(embedded).collect(),
            primary_package_purpose: Some("ARCHIVE"),
            ..package(&id, name.as_str())
        });
        self.relate(project, "CONTAINS", &id);
        for (number, sbom) in (1..).zip(&listed.embedded) {
            self.embedded(sbom, &id, number);
        }
    }

    fn embedded(&mut self, sbom: &EmbeddedSbom, wheel: &str, number: usize) {
        let id = |position: Option<usize>| match position {
            Some(position) => format!("{wheel}-{number}-{}", position + 1),
            None => wheel.to_owned(),
        };
        for (position, component) in sbom.components.iter().enumerate() {
            let own = id(Some(position));
            let package = self.component(component, &own);
            self.packages.push(package);
            self.relate(&id(component.parent), "CONTAINS", &own);
        }
        for (from, on) in &sbom.needs {
            for to in on {
                self.relate(&id(*from), "DEPENDS_ON", &id(Some(*to)));
            }
        }
    }

    fn component(&mut self, component: &EmbeddedComponent, id: &str) -> Package {
        let license_declared = match &component.licence {
            Some(EmbeddedLicence::Expression(expression)) => {
                self.note_references(expression, &component.name);
                expression.to_string()
            }
            Some(EmbeddedLicence::Names(_)) | None => NOT_SAID.to_owned(),
        };
        let hashes = component.hashes.iter();
        let checksums = hashes.map(|(algorithm, value)| Checksum {
            algorithm: HASHES[*algorithm].2,
            checksum_value: value.clone(),
        });
        Package {
            version_info: component.version.clone(),
            checksums: checksums.collect(),
            license_declared,
            external_refs: component.purl.iter().cloned().map(package_url).collect(),
            primary_package_purpose: None,
            ..package(id, &component.name)
        }
    }

    /// The concluded and the declared licence of a package.
    fn licences(&mut self, licence: Option<&ListedLicence>, package: &str) -> (String, String) {
        let not_said = || NOT_SAID.to_owned();
        if let Some(licence) = licence {
            self.note_references(licence.expression(), package);
        }
        match licence {
            None => (not_said(), not_said()),
            Some(ListedLicence::Declared(expression)) => (not_said(), expression.to_string()),
            Some(ListedLicence::Concluded(expression)) => (expression.to_string(), not_said()),
        }
    }

    fn note_references(&mut self, expression: &LicenceExpression, package: &str) {
        for reference in expression.references() {
            let packages = self.references.entry(reference).or_default();
            packages.insert(package.to_owned());
        }
    }
}

fn project_id(project: &ipwhl_packaging::ProjectName) -> String {
    format!("SPDXRef-Project-{project}")
}

/// A package about which nothing but its name is said.
fn package(id: &str, name: &str) -> Package {
    Package {
        id: id.to_owned(),
        name: name.to_owned(),
        version_info: None,
        file_name: None,
        supplier: None,
        download_location: NOT_SAID.to_owned(),
        files_analyzed: false,
        checksums: Vec::new(),
        license_concluded: NOT_SAID.to_owned(),
        license_declared: NOT_SAID.to_owned(),
        external_refs: Vec::new(),
        primary_package_purpose: Some("LIBRARY"),
    }
}

fn package_url(locator: String) -> ExternalReference {
    ExternalReference {
        category: "PACKAGE-MANAGER",
        kind: "purl",
        locator,
    }
}

/// A supplier: `Person: Name (address)`. Parentheses would be read as an address. Whether it is an
/// organization is not in METADATA.
fn person(supplier: &Supplier) -> String {
    let name = supplier.name.replace(['(', ')'], " ");
    let name = name.trim();
    match (name, supplier.contacts.first()) {
        ("", None) => NOT_SAID.to_owned(),
        ("", Some(contact)) => format!("Person: {}", contact.email),
        (name, Some(contact)) if contact.email != name => {
            format!("Person: {name} ({})", contact.email)
        }
        (name, _) => format!("Person: {name}"),
    }
}

/// The format requires a text for each licence that is not in its list.
fn other_licences(references: BTreeMap<String, BTreeSet<String>>) -> Vec<OtherLicence> {
    let other = |(license_id, packages): (String, BTreeSet<String>)| {
        let packages: Vec<String> = packages.into_iter().collect();
        OtherLicence {
            license_id,
            extracted_text: format!("Named in the metadata of {}.", packages.join(", ")),
        }
    };
    references.into_iter().map(other).collect()
}
