//! Queries of the index, with a short deadline.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, stream};
use ipwhl_packaging::{
    Constraint, CoreMetadata, ExtraName, ProjectName, Version, specifiers_contain,
};
use tokio::time::{Instant, timeout_at};

use crate::set::check::can_apply;
use crate::set::gather::Network;
use crate::set::repository::Repository;
use crate::set::resolve::{ProjectRequest, Selection, Selector};
use crate::source::{Fetcher, IndexClient, Session, SourceProblem};

/// The deadline for all projects together.
const DEADLINE: Duration = Duration::from_secs(3);
/// The maximum number of unfitting versions that are named with their reasons.
const MAXIMUM_REASONS: usize = 3;
/// The maximum number of versions of a project whose METADATA is read.
const MAXIMUM_READ: usize = 8;

/// The index's answer for a project.
pub(super) enum Answer {
    /// All requirers accept this version.
    Version(Version),
    /// No version is accepted, with the reason.
    Nothing(String),
}

/// A project that requires another version of a project than the set has.
pub(super) struct Pair {
    /// The request for the requiring project, with all its extras.
    pub(super) request: ProjectRequest,
    /// Its declared version, which does not fit.
    pub(super) declared: Version,
    /// The required project.
    pub(super) required: ProjectName,
    /// Its version in the set.
    pub(super) version: Version,
}

/// The answers of the index.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) of_required: BTreeMap<ProjectName, Answer>,
    /// By the requiring and the required project: a version of the first that accepts the set's
    /// version of the second. Present only if no other version of the second satisfies all
    /// requirers.
    pub(super) of_requirers: BTreeMap<(ProjectName, ProjectName), Version>,
    /// The reasons for missing answers.
    pub(super) failed: BTreeSet<String>,
}

/// Asks about the projects of `requests`. For a project in `of_extras` a version fits only if it is
/// known to have the extras.
pub(super) fn ask(
    session: &Session,
    repository: &Repository,
    network: &Network,
    requests: &[ProjectRequest],
    of_extras: &BTreeSet<ProjectName>,
    pairs: &[Pair],
) -> Answers {
    let mut answers = Answers::default();
    let configuration = &repository.configuration;
    let opened = network
        .fetcher(session, configuration, configuration.profile)
        .and_then(|fetcher| Ok((fetcher, session.runtime()?)));
    let (fetcher, runtime) = match opened {
        Ok(opened) => opened,
        Err(failure) => {
            answers.failed.insert(failure.message);
            return answers;
        }
    };
    let selector = Selector::of(configuration, session.now());
    let jobs = network.jobs.get();
    runtime.block_on(async {
        let deadline = Instant::now() + DEADLINE;
        let late = || format!("it took longer than {} seconds", DEADLINE.as_secs());
        let mut required = stream::iter(requests)
            .map(|request| {
                let is_of_extras = of_extras.contains(&request.project);
                let asked = about_required(&fetcher, selector, request, is_of_extras);
                let asked = timeout_at(deadline, asked);
                async move { (request, asked.await) }
            })
            .buffer_unordered(jobs);
        while let Some((request, outcome)) = required.next().await {
            match outcome.unwrap_or_else(|_| Err(late())) {
                Ok(answer) => {
                    answers.of_required.insert(request.project.clone(), answer);
                }
                Err(reason) => {
                    answers.failed.insert(reason);
                }
            }
        }
        let open = pairs.iter().filter(|pair| {
            let answer = answers.of_required.get(&pair.required);
            matches!(answer, Some(Answer::Nothing(_)))
        });
        let mut requirers = stream::iter(open.collect::<Vec<_>>())
            .map(|pair| {
                let asked = timeout_at(deadline, about_requirer(&fetcher, selector, pair));
                async move { (pair, asked.await) }
            })
            .buffer_unordered(jobs);
        // Without an answer the findings stay as they are.
        while let Some((pair, outcome)) = requirers.next().await {
            if let Ok(Some(version)) = outcome {
                let key = (pair.request.project.clone(), pair.required.clone());
                answers.of_requirers.insert(key, version);
            }
        }
    });
    // An unfinished search for the index is abandoned.
    session.leave_work_behind();
    answers
}

async fn about_required(
    fetcher: &Fetcher,
    selector: Selector<'_>,
    request: &ProjectRequest,
    is_of_extras: bool,
) -> Result<Answer, String> {
    let index = fetcher
        .index()
        .await
        .map_err(|problem| problem.to_string())?;
    let project = &request.project;
    // An index without METADATA does not show extras. `ipwhl add` reads the wheel, and may fail.
    let objection = |metadata: Option<&CoreMetadata>| {
        let Some(metadata) = metadata else {
            return is_of_extras.then(|| "the index does not list its extras".to_owned());
        };
        let known = &metadata.provides_extra;
        let lacking = request.extras.iter().find(|extra| !known.contains(extra))?;
        Some(format!("it has no extra `{lacking}`"))
    };
    match search(index, selector, request, BTreeMap::new(), objection).await {
        Ok(Ok(version)) => Ok(Answer::Version(version)),
        Ok(Err(reasons)) if reasons.is_empty() => {
            let words = format!("the index has no wheel of `{project}`");
            Ok(Answer::Nothing(words))
        }
        Ok(Err(mut reasons)) => {
            let unnamed = reasons.len().saturating_sub(MAXIMUM_REASONS);
            reasons.truncate(MAXIMUM_REASONS);
            if unnamed > 0 {
                reasons.push(format!("and {unnamed} more"));
            }
            Ok(Answer::Nothing(format!(
                "no version of `{project}` in the index satisfies all projects that require it: \
                 {}",
                reasons.join("; ")
            )))
        }
        Err(SourceProblem::Missing { .. }) => {
            let words = format!("the index has no project `{project}`");
            Ok(Answer::Nothing(words))
        }
        Err(problem) => Err(problem.to_string()),
    }
}

/// The newest version of the requiring project whose METADATA accepts the set's version.
async fn about_requirer(fetcher: &Fetcher, selector: Selector<'_>, pair: &Pair) -> Option<Version> {
    let index = fetcher.index().await.ok()?;
    let refused = BTreeMap::from([(
        pair.declared.clone(),
        "it is the declared version".to_owned(),
    )]);
    let extras: Vec<&ExtraName> = pair.request.extras.iter().collect();
    let objection = |metadata: Option<&CoreMetadata>| {
        let Some(metadata) = metadata else {
            return Some("the index does not list its requirements".to_owned());
        };
        let has_extras = extras
            .iter()
            .all(|extra| metadata.provides_extra.contains(*extra));
        let is_accepting = metadata
            .requires_dist
            .iter()
            .filter(|requirement| requirement.name == pair.required)
            .filter(|requirement| can_apply(requirement, &extras))
            .all(|requirement| match &requirement.constraint {
                Constraint::Specifiers(specifiers) => specifiers_contain(specifiers, &pair.version),
                Constraint::Url(_) => false,
            });
        (!has_extras || !is_accepting).then(|| "it requires another version".to_owned())
    };
    let found = search(index, selector, &pair.request, refused, objection).await;
    found.ok()?.ok()
}

/// The version that fits a request and that `objection` accepts for its METADATA, which is `None`
/// if the index serves none; otherwise the reasons why each version was rejected.
async fn search(
    index: &IndexClient,
    selector: Selector<'_>,
    request: &ProjectRequest,
    mut refused: BTreeMap<Version, String>,
    objection: impl Fn(Option<&CoreMetadata>) -> Option<String>,
) -> Result<Result<Version, Vec<String>>, SourceProblem> {
    let page = index.project(request.project.as_str()).await?;
    let mut reasons = Vec::new();
    for _ in 0..MAXIMUM_READ {
        let Selection {
            version, wheels, ..
        } = match selector.select(request, &page.files, &refused) {
            Ok(found) => found,
            Err(all) => return Ok(Err(all)),
        };
        let bytes = match wheels.first() {
            Some(wheel) => index.metadata(wheel.file).await?,
            None => None,
        };
        let metadata = bytes.and_then(|bytes| CoreMetadata::parse(&bytes).ok());
        let Some(reason) = objection(metadata.as_ref()) else {
            return Ok(Ok(version));
        };
        reasons.push(format!("{} {version}: {reason}", request.project));
        refused.insert(version, reason);
    }
    Ok(Err(reasons))
}
