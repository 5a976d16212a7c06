//! The contents of a document: projects, their wheels, and how they need each other.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{AboutFields, CoreMetadata, ProjectName};
use ipwhl_unixfs::Sha256Digest;

use super::embedded::EmbeddedSbom;
use super::people::Supplier;
use crate::foundation::time::UtcTime;
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::gather::WheelReport;
use crate::set::graph::Graph;
use crate::set::licences::{Licence, LicenceExpression, LicencePolicy};
use crate::set::lock::{Closures, Part, Root, asked};

/// The input of an inventory.
pub struct InventoryInput<'i, 'r> {
    /// The set.
    pub graph: &'i Graph<'r>,
    /// The part of it; each project for [`Part::Each`].
    pub part: &'i Part<'r>,
    /// The facts of its wheels.
    pub report: &'i WheelReport,
    /// The SBOMs in wheels, by the SHA-256 of the wheel.
    pub embedded: &'i BTreeMap<Sha256Digest, Vec<EmbeddedSbom>>,
}

/// The contents of a document.
#[derive(Debug)]
pub struct Inventory<'r> {
    /// The name of the repository.
    pub name: &'r str,
    /// The projects that the document is about: the named ones, or the wanted ones of a whole set.
    pub requested: BTreeSet<&'r ProjectName>,
    /// The projects, by name.
    pub projects: Vec<ListedProject<'r>>,
    /// The newest time of an upload that the declarations state.
    pub newest: Option<UtcTime>,
}

/// A project of a document.
#[derive(Debug)]
pub struct ListedProject<'r> {
    /// Its declaration.
    pub declaration: &'r Declaration,
    /// The licence of all its wheels, if they have the same.
    pub licence: Option<ListedLicence>,
    /// The supplier, by the first wheel that states one.
    pub supplier: Option<Supplier>,
    /// The projects in the document that it needs on some platform.
    pub needs: BTreeSet<&'r ProjectName>,
    /// Its wheels, by file name.
    pub wheels: Vec<ListedWheel<'r>>,
}

/// A wheel of a document.
#[derive(Debug)]
pub struct ListedWheel<'r> {
    /// The wheel.
    pub wheel: &'r DeclaredWheel,
    /// The SHA-256 of the file.
    pub sha256: Sha256Digest,
    /// Its licence, if it is known.
    pub licence: Option<ListedLicence>,
    /// The SBOMs in it, by path.
    pub embedded: Vec<EmbeddedSbom>,
}

/// A licence, and who says so.
#[derive(Debug, Clone, PartialEq)]
pub enum ListedLicence {
    /// The wheel states it.
    Declared(LicenceExpression),
    /// A clarification of the repository states it.
    Concluded(LicenceExpression),
}

impl ListedLicence {
    fn of(
        wheel: &DeclaredWheel,
        fields: &AboutFields,
        policy: Option<&LicencePolicy>,
    ) -> Option<Self> {
        match Licence::of(fields) {
            Licence::Known(expression, _) => Some(Self::Declared(expression)),
            Licence::Unknown(_) => {
                let name = &wheel.file_name;
                let clarified = policy?.clarified(name.name(), name.version())?;
                Some(Self::Concluded(clarified.expression.clone()))
            }
        }
    }

    /// The expression.
    pub fn expression(&self) -> &LicenceExpression {
        match self {
            Self::Declared(expression) | Self::Concluded(expression) => expression,
        }
    }
}

/// A wheel whose facts are not known.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the facts of `{0}` are not known")]
pub struct UnknownWheel(pub String);

impl<'r> Inventory<'r> {
    /// The inventory of a part of a set.
    ///
    /// # Errors
    /// When the facts of a wheel are not known.
    pub fn of(input: &InventoryInput<'_, 'r>) -> Result<Self, UnknownWheel> {
        let configuration = &input.graph.repository.configuration;
        let declarations = part_declarations(input.graph, input.part);
        let listed: BTreeSet<&ProjectName> = declarations.iter().map(|one| &one.project).collect();
        let needs = needs(input.graph, input.part, &listed);
        let mut projects = Vec::new();
        for declaration in &declarations {
            let mut supplier = None;
            let mut wheels = Vec::new();
            for wheel in &declaration.wheels {
                let unknown = || UnknownWheel(wheel.file_name.to_string());
                let facts = input.report.facts(wheel).ok_or_else(unknown)?;
                let metadata = CoreMetadata::parse_with_legacy(&facts.archive.metadata);
                let about = metadata.map(|(metadata, _)| metadata.about);
                let about = about.unwrap_or_default();
                supplier = supplier.or_else(|| Supplier::of(&about));
                wheels.push(ListedWheel {
                    wheel,
                    sha256: facts.sha256,
                    licence: ListedLicence::of(wheel, &about, configuration.licences.as_ref()),
                    embedded: input
                        .embedded
                        .get(&facts.sha256)
                        .cloned()
                        .unwrap_or_default(),
                });
            }
            wheels.sort_by_key(|listed| listed.wheel.file_name.as_str());
            let first = wheels.first().and_then(|listed| listed.licence.clone());
            let is_same = wheels.iter().all(|listed| listed.licence == first);
            projects.push(ListedProject {
                declaration,
                licence: first.filter(|_| is_same),
                supplier,
                needs: needs.get(&declaration.project).cloned().unwrap_or_default(),
                wheels,
            });
        }
        let wheels = projects.iter().flat_map(|project| &project.wheels);
        let times = wheels.filter_map(|listed| listed.wheel.uploaded.as_ref());
        let newest = times.map(|uploaded| uploaded.value).max();
        let requested = match input.part.roots(input.graph) {
            None => declarations
                .iter()
                .filter(|declaration| !declaration.automatic)
                .map(|declaration| &declaration.project)
                .collect(),
            Some(roots) => roots.iter().map(|root| root.project).collect(),
        };
        Ok(Self {
            name: &configuration.name,
            requested,
            projects,
            newest,
        })
    }
}

/// A project of the part whose declaration cannot be read. A list without it would look complete.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the declaration of `{0}` cannot be read")]
pub struct UnreadableProject(pub ProjectName);

/// The wheels of a part of a set.
///
/// # Errors
/// When the part has a project whose declaration cannot be read.
pub fn part_wheels<'r>(
    graph: &Graph<'r>,
    part: &Part<'r>,
) -> Result<Vec<&'r DeclaredWheel>, UnreadableProject> {
    let unreadable = &graph.repository.unreadable;
    let missing = match part.roots(graph) {
        None => unreadable.first(),
        Some(roots) => {
            let asked = asked(graph, &roots);
            let mut asked = asked.iter().map(|root| root.project);
            asked.find(|project| unreadable.contains(*project))
        }
    };
    if let Some(project) = missing {
        return Err(UnreadableProject(project.clone()));
    }
    let declarations = part_declarations(graph, part).into_iter();
    let wheels = declarations.flat_map(|declaration| &declaration.wheels);
    Ok(wheels.collect())
}

/// The declarations of a part of a set, by project. A project belongs to it if it is needed on any
/// platform.
fn part_declarations<'r>(graph: &Graph<'r>, part: &Part<'r>) -> Vec<&'r Declaration> {
    let declarations = &graph.repository.declarations;
    match part.roots(graph) {
        None => declarations.values().collect(),
        Some(roots) => {
            let named = roots.iter().map(|root| root.project);
            let brought = Closures::of(graph).brought_by(&roots);
            let projects: BTreeSet<&ProjectName> = brought.into_iter().chain(named).collect();
            let found = projects.into_iter().map(|name| declarations.get(name));
            found.flatten().collect()
        }
    }
}

/// The needs of each project, on any platform. In a part of a set, only the extras that are asked for
/// bring requirements.
fn needs<'r>(
    graph: &Graph<'r>,
    part: &Part<'r>,
    listed: &BTreeSet<&ProjectName>,
) -> BTreeMap<&'r ProjectName, BTreeSet<&'r ProjectName>> {
    let asked = part.roots(graph).map(|roots| asked(graph, &roots));
    let mut needs: BTreeMap<&ProjectName, BTreeSet<&ProjectName>> = BTreeMap::new();
    for relation in graph.relations() {
        let from = &relation.from.project;
        let (project, extra) = (from, relation.extra);
        let applies = asked
            .as_ref()
            .is_none_or(|asked| asked.contains(&Root { project, extra }));
        let to = relation.to();
        if applies && !relation.is_own() && listed.contains(from) && listed.contains(to) {
            needs.entry(from).or_default().insert(to);
        }
    }
    needs
}
