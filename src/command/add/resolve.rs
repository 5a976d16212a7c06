//! One project: a version, its wheels, their declaration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::try_join_all;

use super::super::exit::Failure;
use super::super::facts::keep;
use super::super::select::{Candidate, Prefer, choose};
use crate::check::can_apply;
use crate::declaration::{Declaration, DeclaredWheel, PackageUrl, Source, Spanned};
use crate::python::{
    CoreMetadata, ExtraName, MarkerEnvironment, Platform, ProjectName, Requirement, Truth, Version,
    VersionSpecifiers, WheelFileName, parse_specifiers, specifiers_contain,
};
use crate::source::{FetchEvent, Fetcher, IndexFile, SourceProblem};

/// How many of the versions that do not fit are named with their reasons.
const MAXIMUM_REASONS: usize = 4;

/// A project that is to be declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) project: ProjectName,
    pub(super) extras: BTreeSet<ExtraName>,
    /// The declared projects that require it.
    pub(super) by: BTreeSet<ProjectName>,
    /// What its version has to satisfy, and who says so.
    pub(super) constraints: Vec<(String, VersionSpecifiers)>,
    /// Where it has to be had, as indices into the platforms.
    pub(super) platforms: BTreeSet<usize>,
    pub(super) automatic: bool,
    /// The version that is declared now, which is kept where it fits.
    pub(super) keep: Option<Version>,
}

/// A declaration, and why newer versions were not taken.
pub(super) struct Resolved {
    pub(super) declaration: Declaration,
    pub(super) passed_over: Vec<String>,
}

pub(super) struct Resolver<'a> {
    pub(super) fetcher: &'a Fetcher,
    pub(super) platforms: &'a [Platform],
    pub(super) prefer: Prefer,
    pub(super) progress: &'a (dyn Fn(FetchEvent) + Sync),
}

/// A wheel of a version, as the index lists it.
struct Listed<'p> {
    file: &'p IndexFile,
    file_name: WheelFileName,
}

impl Resolver<'_> {
    pub(super) async fn resolve(&self, number: usize, wish: &Wish) -> Result<Resolved, Failure> {
        let index = self
            .fetcher
            .index()
            .await
            .map_err(|problem| world(&problem))?;
        let page = index
            .project(wish.project.as_str())
            .await
            .map_err(|problem| match problem {
                SourceProblem::Missing { .. } => unknown_project(wish),
                other => world(&other),
            })?;
        let (version, chosen, passed_over) = self.pick(wish, &page.files)?;
        let fetched = chosen
            .iter()
            .map(|listed| self.wheel(number, wish, &version, listed));
        let wheels = try_join_all(fetched).await?;
        let declaration = Declaration {
            project: wish.project.clone(),
            file: Arc::from(""),
            automatic: wish.automatic,
            automatic_span: None,
            wheels,
        };
        Ok(Resolved {
            declaration,
            passed_over,
        })
    }

    /// The newest version that fits, and its wheels.
    fn pick<'p>(
        &self,
        wish: &Wish,
        files: &'p [IndexFile],
    ) -> Result<(Version, Vec<Listed<'p>>, Vec<String>), Failure> {
        let mut versions: BTreeMap<Version, Vec<Listed<'p>>> = BTreeMap::new();
        for file in files {
            // What is no wheel, or no wheel's name, is not for us.
            let Ok(file_name) = file.file_name.parse::<WheelFileName>() else {
                continue;
            };
            if *file_name.name() == wish.project {
                let version = file_name.version().clone();
                let listed = Listed { file, file_name };
                versions.entry(version).or_default().push(listed);
            }
        }
        let mut order: Vec<Version> = versions.keys().rev().cloned().collect();
        if let Some(keep) = &wish.keep {
            // A stable sort: the version that is there first, then the newest.
            order.sort_by_key(|version| version != keep);
        }
        let mut reasons = Vec::new();
        for version in order {
            let Some(listed) = versions.remove(&version) else {
                continue;
            };
            match self.fits(wish, &version, listed) {
                Ok(chosen) => return Ok((version, chosen, reasons)),
                Err(reason) => reasons.push(format!("{} {version}: {reason}", wish.project)),
            }
        }
        let failure = Failure::finding(format!(
            "no version of `{}` in the index fits{}",
            wish.project,
            asked(wish)
        ));
        let unnamed = reasons.len().saturating_sub(MAXIMUM_REASONS);
        reasons.truncate(MAXIMUM_REASONS);
        if unnamed > 0 {
            reasons.push(format!("and {unnamed} older"));
        }
        Err(if reasons.is_empty() {
            failure.help("the index has no wheel of it")
        } else {
            failure.help(format!(
                "the newest were not taken because: {}",
                reasons.join("; ")
            ))
        })
    }

    /// The wheels to take of one version, or why it is not to be taken.
    fn fits<'p>(
        &self,
        wish: &Wish,
        version: &Version,
        listed: Vec<Listed<'p>>,
    ) -> Result<Vec<Listed<'p>>, String> {
        let is_named = wish.constraints.iter().any(|(_, specifiers)| {
            specifiers
                .iter()
                .any(pep440_rs::VersionSpecifier::any_prerelease)
        });
        if version.any_prerelease() && !is_named {
            return Err("it is not final".to_owned());
        }
        for (origin, specifiers) in &wish.constraints {
            if !specifiers_contain(specifiers, version) {
                return Err(format!("{origin} asks for {specifiers}"));
            }
        }
        let listed: Vec<Listed<'p>> = listed
            .into_iter()
            .filter(|listed| listed.file.yanked.is_none())
            .collect();
        if listed.is_empty() {
            return Err("it was yanked".to_owned());
        }
        let everywhere: BTreeSet<usize> = (0..self.platforms.len()).collect();
        let mut reason = String::new();
        for wanted in [&everywhere, &wish.platforms] {
            match self.cover(wanted, &listed) {
                Ok(chosen) => {
                    let mut listed: Vec<Option<Listed<'p>>> =
                        listed.into_iter().map(Some).collect();
                    return Ok(chosen
                        .into_iter()
                        .filter_map(|index| listed[index].take())
                        .collect());
                }
                Err(why) => reason = why,
            }
        }
        Err(reason)
    }

    fn cover(&self, wanted: &BTreeSet<usize>, listed: &[Listed<'_>]) -> Result<Vec<usize>, String> {
        let platforms: Vec<&Platform> =
            wanted.iter().map(|index| &self.platforms[*index]).collect();
        let mut candidates = Vec::new();
        let mut positions = Vec::new();
        let mut excluding = None;
        for (position, one) in listed.iter().enumerate() {
            let specifiers = match &one.file.requires_python {
                None => None,
                Some(text) => match parse_specifiers(text) {
                    Ok(specifiers) => Some(specifiers),
                    Err(_) => continue,
                },
            };
            let excluded = specifiers.as_ref().is_some_and(|specifiers| {
                platforms
                    .iter()
                    .filter(|platform| one.file_name.tags().iter().any(|tag| platform.accepts(tag)))
                    .any(|platform| !platform.satisfies(specifiers))
            });
            if excluded {
                excluding = specifiers;
                continue;
            }
            candidates.push(Candidate {
                file_name: one.file_name.clone(),
                size: one.file.size.unwrap_or(0),
            });
            positions.push(position);
        }
        let chosen = choose(&candidates, &platforms, self.prefer).ok_or_else(|| {
            if let Some(specifiers) = excluding {
                format!("it needs Python {specifiers}")
            } else {
                let bare = platforms.iter().find(|platform| {
                    !candidates.iter().any(|candidate| {
                        candidate
                            .file_name
                            .tags()
                            .iter()
                            .any(|tag| platform.accepts(tag))
                    })
                });
                match bare {
                    Some(platform) => format!("it has no wheel for {platform}"),
                    None => "its wheels overlap on every way to cover the platforms".to_owned(),
                }
            }
        })?;
        Ok(chosen.into_iter().map(|index| positions[index]).collect())
    }

    /// Fetches a wheel and declares it.
    async fn wheel(
        &self,
        number: usize,
        wish: &Wish,
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
        let facts = tokio::task::spawn_blocking(move || keep(&cache, fetched))
            .await
            .map_err(|_| Failure::world(format!("reading `{name}` stopped")))?
            .map_err(|error| {
                Failure::world(format!("`{}` cannot be read: {error}", listed.file_name))
            })?;
        if let Some(problem) = facts.archive.problems.first() {
            return Err(Failure::finding(format!(
                "`{}` is not a sound wheel: {}",
                listed.file_name, problem.message
            ))
            .help(format!(
                "take another version: `ipwhl add '{}<{version}'`",
                wish.project
            )));
        }
        let metadata = CoreMetadata::parse(&facts.archive.metadata).map_err(|reasons| {
            Failure::finding(format!(
                "METADATA of `{}` breaks its specification: {}",
                listed.file_name,
                reasons.join(", ")
            ))
        })?;
        let extras = closed_extras(wish, &listed.file_name, &metadata)?;
        let dependencies = dependencies(&metadata, &extras);
        let source = Source::Package(PackageUrl {
            project: wish.project.clone(),
            version: version.clone(),
            file_name: listed.file_name.as_str().to_owned(),
        });
        Ok(DeclaredWheel {
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
            stem: None,
            stem_tags: None,
            is_partial: false,
        })
    }
}

/// A value that stands in no file yet.
fn nowhere<T>(value: T) -> Spanned<T> {
    Spanned::new(value, 0..0)
}

fn world(problem: &SourceProblem) -> Failure {
    Failure::world(problem)
}

fn unknown_project(wish: &Wish) -> Failure {
    let by: Vec<&str> = wish.by.iter().map(ProjectName::as_str).collect();
    let (which, help) = if by.is_empty() {
        (String::new(), "look at how its name is written")
    } else {
        (
            format!(", which {} requires", by.join(", ")),
            "leave out what requires it, or declare it by hand",
        )
    };
    Failure::finding(format!(
        "the index has no project `{}`{which}",
        wish.project
    ))
    .help(help)
}

fn asked(wish: &Wish) -> String {
    let parts: Vec<String> = wish
        .constraints
        .iter()
        .map(|(origin, specifiers)| format!("{origin} asks for {specifiers}"))
        .collect();
    if parts.is_empty() {
        String::new()
    } else {
        format!(": {}", parts.join(", "))
    }
}

/// The extras that are wished for, and those of the project itself that these need.
fn closed_extras(
    wish: &Wish,
    file_name: &WheelFileName,
    metadata: &CoreMetadata,
) -> Result<BTreeSet<ExtraName>, Failure> {
    let mut extras = BTreeSet::new();
    let mut open: Vec<ExtraName> = wish.extras.iter().cloned().collect();
    let nothing_known = MarkerEnvironment::unknown();
    while let Some(extra) = open.pop() {
        if !metadata.provides_extra.contains(&extra) {
            let known: Vec<&str> = metadata
                .provides_extra
                .iter()
                .map(ExtraName::as_str)
                .collect();
            let failure = Failure::finding(format!("`{file_name}` has no extra `{extra}`"));
            return Err(
                match crate::diagnostic::nearest(extra.as_str(), known.iter().copied()) {
                    Some(word) => failure.help(format!("did you mean `{word}`?")),
                    None if known.is_empty() => failure.help("it has no extras at all"),
                    None => failure.help(format!("its extras are {}", known.join(", "))),
                },
            );
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
