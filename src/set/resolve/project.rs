//! Resolves one project: a version, its wheels, their declaration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::try_join_all;
use ipwhl_packaging::{
    CoreMetadata, ExtraName, MarkerEnvironment, Platform, ProjectName, Requirement, Truth, Version,
    WheelFileName,
};

use super::{Listed, Prefer, ProjectRequest, Selection, Selector};
use crate::foundation::diagnostic::nearest;
use crate::foundation::failure::Failure;
use crate::set::check::{self, can_apply};
use crate::set::declaration::{
    Declaration, DeclaredWheel, Layout, PackageUrl, Provenance, Source, Spanned,
};
use crate::set::gather::keep_facts_of;
use crate::source::{FetchEvent, Fetcher, SourceProblem};

/// The maximum number of unfitting versions that are named with their reasons.
const MAXIMUM_REASONS: usize = 4;

/// A declaration, and the reasons why newer versions were rejected.
pub(super) struct Resolved {
    pub(super) declaration: Declaration,
    pub(super) rejected: Vec<String>,
}

pub(super) struct Resolver<'a> {
    pub(super) fetcher: &'a Fetcher,
    pub(super) platforms: &'a [Platform],
    pub(super) prefer: Prefer,
    pub(super) progress: &'a (dyn Fn(FetchEvent) + Sync),
}

impl Resolver<'_> {
    pub(super) async fn resolve(
        &self,
        number: usize,
        request: &ProjectRequest,
    ) -> Result<Resolved, Failure> {
        let index = self
            .fetcher
            .index()
            .await
            .map_err(|problem| world(&problem))?;
        let page =
            index
                .project(request.project.as_str())
                .await
                .map_err(|problem| match problem {
                    SourceProblem::Missing { .. } => unknown_project(request),
                    other => world(&other),
                })?;
        let selector = Selector {
            platforms: self.platforms,
            prefer: self.prefer,
            refused: &BTreeMap::new(),
        };
        let Selection {
            version,
            wheels: chosen,
            rejected,
        } = selector
            .select(request, &page.files)
            .map_err(|reasons| unfitting(request, reasons))?;
        let fetched = chosen
            .iter()
            .map(|listed| self.wheel(number, request, &version, listed));
        let wheels = try_join_all(fetched).await?;
        let declaration = Declaration {
            project: request.project.clone(),
            file: Arc::from(""),
            automatic: request.automatic,
            automatic_span: None,
            provenance: Provenance::default(),
            wheels,
        };
        Ok(Resolved {
            declaration,
            rejected,
        })
    }

    /// Fetches a wheel and declares it.
    async fn wheel(
        &self,
        number: usize,
        request: &ProjectRequest,
        version: &Version,
        listed: &Listed<'_>,
    ) -> Result<DeclaredWheel, Failure> {
        let fetched = self
            .fetcher
            .fetch_listed(number, listed.file, self.progress)
            .await
            .map_err(|error| Failure::caused(&error))?;
        let cache = self.fetcher.cache().clone();
        let name = listed.file_name.as_str().to_owned();
        let facts = tokio::task::spawn_blocking(move || {
            let cid = fetched.dag.cid();
            keep_facts_of(&cache, &cid, fetched)
        })
        .await
        .map_err(|_| Failure::world(format!("the thread that read `{name}` stopped")))?
        .map_err(|error| {
            Failure::world(format!("`{}` cannot be read: {error}", listed.file_name))
        })?;
        if let Some(problem) = facts.archive.problems.first() {
            return Err(Failure::finding(format!(
                "`{}` is not a valid wheel: {}",
                listed.file_name, problem.message
            ))
            .help(another(request, version)));
        }
        let metadata = CoreMetadata::parse(&facts.archive.metadata).map_err(|reasons| {
            Failure::finding(format!(
                "METADATA of `{}` breaks its specification: {}",
                listed.file_name,
                reasons.join(", ")
            ))
        })?;
        let extras = closed_extras(request, &listed.file_name, &metadata)?;
        let dependencies = dependencies(&metadata, &extras);
        let source = Source::Package(PackageUrl {
            project: request.project.clone(),
            version: version.clone(),
            file_name: listed.file_name.as_str().to_owned(),
        });
        let declared = DeclaredWheel {
            file: Arc::from(""),
            file_name: listed.file_name.clone(),
            sources: vec![nowhere(source)],
            content_id: nowhere(facts.dag.cid()),
            requires_python: metadata
                .requires_python
                .filter(|specifiers| !specifiers.is_empty())
                .map(nowhere),
            extras: extras.into_iter().map(nowhere).collect(),
            extras_span: 0..0,
            dependencies: dependencies.into_iter().map(nowhere).collect(),
            dependencies_span: 0..0,
            sha256: Some(nowhere(facts.sha256)),
            size: Some(nowhere(facts.dag.size())),
            uploaded: listed.file.uploaded.map(nowhere),
            only: None,
            stem: None,
            released: None,
            is_partial: false,
        };
        // Findings that no waiver can cover prevent the declaration; the others are reported when
        // it is written.
        let findings = check::wheel(&declared, &facts.archive, Layout::Package, self.platforms);
        match findings
            .iter()
            .find(|found| !found.code.may_be_overridden())
        {
            Some(found) => Err(Failure::finding(&found.message).help(another(request, version))),
            None => Ok(declared),
        }
    }
}

/// The help if a version has an invalid wheel.
fn another(request: &ProjectRequest, version: &Version) -> String {
    format!(
        "take another version: `ipwhl add '{}<{version}'`",
        request.project
    )
}

/// A value without a place in a file.
fn nowhere<T>(value: T) -> Spanned<T> {
    Spanned::new(value, 0..0)
}

fn world(problem: &SourceProblem) -> Failure {
    Failure::world(problem)
}

fn unknown_project(request: &ProjectRequest) -> Failure {
    let by: Vec<&str> = request.by.iter().map(ProjectName::as_str).collect();
    let (which, help) = if by.is_empty() {
        (String::new(), "check the spelling of its name")
    } else {
        (
            format!(", which {} requires", by.join(", ")),
            "remove the requiring project or extra, or declare it by hand",
        )
    };
    Failure::finding(format!(
        "the index has no project `{}`{which}",
        request.project
    ))
    .help(help)
}

fn unfitting(request: &ProjectRequest, mut reasons: Vec<String>) -> Failure {
    let asked = match request.asked() {
        nothing if nothing.is_empty() => nothing,
        words => format!(": {words}"),
    };
    let failure = Failure::finding(format!(
        "no version of `{}` in the index fits{asked}",
        request.project
    ));
    let unnamed = reasons.len().saturating_sub(MAXIMUM_REASONS);
    reasons.truncate(MAXIMUM_REASONS);
    if unnamed > 0 {
        reasons.push(format!("and {unnamed} older"));
    }
    if reasons.is_empty() {
        failure.help("the index has no wheel of it")
    } else {
        failure.help(format!(
            "the newest were rejected because: {}",
            reasons.join("; ")
        ))
    }
}

/// The requested extras, and those extras of the project itself that they need.
fn closed_extras(
    request: &ProjectRequest,
    file_name: &WheelFileName,
    metadata: &CoreMetadata,
) -> Result<BTreeSet<ExtraName>, Failure> {
    let mut extras = BTreeSet::new();
    let mut open: Vec<ExtraName> = request.extras.iter().cloned().collect();
    let nothing_known = MarkerEnvironment::unknown();
    while let Some(extra) = open.pop() {
        if !metadata.provides_extra.contains(&extra) {
            let known: Vec<&str> = metadata
                .provides_extra
                .iter()
                .map(ExtraName::as_str)
                .collect();
            let failure = Failure::finding(format!("`{file_name}` has no extra `{extra}`"));
            return Err(match nearest(extra.as_str(), known.iter().copied()) {
                Some(word) => failure.help(format!("did you mean `{word}`?")),
                None if known.is_empty() => failure.help("it has no extras at all"),
                None => failure.help(format!("its extras are {}", known.join(", "))),
            });
        }
        for requirement in &metadata.requires_dist {
            let applies = requirement
                .marker
                .as_ref()
                .is_none_or(|marker| marker.evaluate(&nothing_known, Some(&extra)) != Truth::False);
            if requirement.name == *file_name.name() && applies {
                open.extend(requirement.extras.difference(&extras).cloned());
            }
        }
        extras.insert(extra);
        open.retain(|extra| !extras.contains(extra));
    }
    Ok(extras)
}

/// The wheel's requirements that can apply, each once.
fn dependencies(metadata: &CoreMetadata, extras: &BTreeSet<ExtraName>) -> BTreeSet<Requirement> {
    let extras: Vec<&ExtraName> = extras.iter().collect();
    metadata
        .requires_dist
        .iter()
        .filter(|requirement| can_apply(requirement, &extras))
        .cloned()
        .collect()
}
