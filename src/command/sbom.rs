//! `ipwhl sbom`: software bills of materials.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use ipwhl_unixfs::Sha256Digest;

use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::part::{named, write_or_print};
use super::query::note_findings;
use super::report::{show_failures, show_rejected};
use crate::foundation::diagnostic::{Finding, Stage};
use crate::foundation::failure::Failure;
use crate::release::archive::OpenRelease;
use crate::release::reader::ReleaseReader;
use crate::release::reuse::ReusableRelease;
use crate::set::check;
use crate::set::declaration::DeclaredWheel;
use crate::set::gather::{Gathering, Want, WheelReport, known_wheels, sbom_files};
use crate::set::graph::GraphQuery;
use crate::set::lock::Part;
use crate::set::repository::Repository;
use crate::set::sbom::{
    EmbeddedSbom, Inventory, InventoryInput, LARGEST_EMBEDDED, cyclonedx, part_wheels, spdx,
};

/// The way out if a release does not have its wheels.
const WITHOUT_WHEELS: &str = "name an archive with all wheels: `ipwhl fill` makes one of a hollow \
                              archive and wheels";

/// The formats of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SbomFormat {
    /// CycloneDX 1.6, as JSON
    Cyclonedx,
    /// SPDX 2.3, as JSON
    Spdx,
}

/// Write a software bill of materials (SBOM) of the set or a part of it
///
/// Lists the projects with their versions, licences, suppliers and dependencies, and each wheel with
/// its SHA-256 and the SBOMs in it. Without names, it is about the whole set; with names, about these
/// projects and all that they need on any platform. Wheels that no earlier run has verified are
/// fetched. The same declarations give the same bytes on every machine.
///
/// With `--release`, it is about a release, whose declarations it reads. A release does not contain
/// `[licenses]`, so its clarifications do not apply: the licences are those that the wheels state.
/// Wheels that the release does not have, as a hollow archive, come from the cache and the sources of
/// their declarations.
///
/// Example: ipwhl sbom 'httpx[http2]' --output sbom.cdx.json
#[expect(
    rustdoc::broken_intra_doc_links,
    reason = "the brackets around an extra are no link, and clap shows the text as it stands"
)]
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects to list, with all that they need: `NAME` or `NAME[EXTRA,…]`
    #[arg(value_name = "NAME")]
    projects: Vec<String>,
    /// The release to list, instead of the set here: an archive, a folder with one, a root CID, or a
    /// URL `<gateway>/ipfs/<root CID>/`
    #[arg(long, value_name = "RELEASE")]
    release: Option<String>,
    /// The format of the document
    #[arg(long, value_name = "FORMAT", default_value = "cyclonedx")]
    format: SbomFormat,
    /// Write the file here, instead of to standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    network: NetworkArguments,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let (repository, release) = match &arguments.release {
        None => (context.repository()?, None),
        Some(release) => {
            let (repository, release) = released(context, arguments, release)?;
            (repository, Some(ReusableRelease::new(release)))
        }
    };
    let query = GraphQuery::new(&repository, &[])?;
    let named = named(&query, &arguments.projects)?;
    if release.is_none() {
        note_findings(context, &query);
    }
    let part = Part::of(&repository, &named);
    let wheels = part_wheels(&query.graph, &part)
        .map_err(|error| Failure::finding(&error).help("`ipwhl check` shows the mistake"))?;
    if let Some(release) = &release {
        let cache = context.session.cache()?;
        let known = known_wheels(Some(&cache), &repository, &wheels);
        let mut unknown = wheels.clone();
        unknown.retain(|wheel| known.facts(wheel).is_none());
        release.supply(&cache, &unknown)?;
    }
    let network = &arguments.network.network();
    let gathering = Gathering {
        session: &context.session,
        repository: &repository,
        network,
        profile: repository.configuration.profile,
        reuse: None,
    };
    let mut report = gathering.gather(&wheels, Want::Facts)?;
    let has_sboms = |wheel: &&DeclaredWheel| {
        let facts = report.facts(wheel);
        facts.is_some_and(|facts| !facts.archive.sboms.is_empty())
    };
    let with_sboms: Vec<&DeclaredWheel> = wheels.iter().copied().filter(has_sboms).collect();
    if !with_sboms.is_empty() {
        if let Some(release) = &release {
            release.supply(&context.session.cache()?, &with_sboms)?;
        }
        report.extend(gathering.gather(&with_sboms, Want::Bytes)?);
    }
    show_rejected(context, &report);
    show_failures(context, &report.failures, arguments.network.offline);
    if !report.failures.is_empty() {
        if release.is_some() {
            context.help(WITHOUT_WHEELS);
        }
        return Ok(ExitStatus::World);
    }
    refuse_wrong_wheels(&repository, &wheels, &report, release.is_some())?;
    let embedded = embedded(context, &with_sboms, &report)?;
    let input = InventoryInput {
        graph: &query.graph,
        part: &part,
        report: &report,
        embedded: &embedded,
    };
    let inventory = Inventory::of(&input).map_err(|error| Failure::world(&error))?;
    let text = match arguments.format {
        SbomFormat::Cyclonedx => cyclonedx(&inventory),
        SbomFormat::Spdx => spdx(&inventory),
    };
    let text = text.map_err(|error| Failure::world(&error))?;
    write_or_print(context, arguments.output.as_deref(), &text)?;
    Ok(ExitStatus::Clean)
}

/// The repository in a release, and the release.
fn released(
    context: &Context<'_>,
    arguments: &Arguments,
    release: &str,
) -> Result<(Repository, OpenRelease), Failure> {
    let around = context.own_repository_directory().ok();
    let settings = around
        .as_deref()
        .and_then(|folder| Repository::load_configuration(folder).ok())
        .map(|repository| repository.configuration);
    let gateways = settings
        .as_ref()
        .map(|settings| settings.gateways.as_slice());
    let release = OpenRelease::named(
        &context.session,
        &arguments.network.network(),
        gateways.unwrap_or_default(),
        release,
    )?;
    let folder: &Path = around
        .as_deref()
        .unwrap_or(&context.environment.current_directory);
    let embedded = ReleaseReader::open(release.blocks(), &release.root)
        .and_then(|reader| reader.embedded_repository(folder, "declarations"))
        .map_err(|error| release.unreadable(&error))?;
    let Some(mut repository) = embedded.repository else {
        return Err(Failure::finding(format!(
            "{} has no declarations, so it does not say what its projects need",
            release.shown
        ))
        .help("run `ipwhl sbom` in the repository that it was built from"));
    };
    // A release says neither the index nor the mirrors of its repository.
    if let Some(settings) = settings
        && settings.name == repository.configuration.name
    {
        repository.configuration.index_url = settings.index_url;
        repository.configuration.gateways = settings.gateways;
    }
    Ok((repository, release))
}

/// A wheel that is not what its declaration says must not be listed as if it were.
fn refuse_wrong_wheels(
    repository: &Repository,
    wheels: &[&DeclaredWheel],
    report: &WheelReport,
    is_release: bool,
) -> Result<(), Failure> {
    let findings = check::wheels(repository, wheels, report);
    let is_wrong = |finding: &&Finding| {
        finding.code.stage() == Stage::Wheel && !finding.code.may_be_overridden()
    };
    match findings.iter().find(is_wrong) {
        Some(finding) => Err(Failure::finding(&finding.message).help(if is_release {
            WITHOUT_WHEELS
        } else {
            "`ipwhl check --wheels` shows all findings"
        })),
        None => Ok(()),
    }
}

/// The SBOMs in wheels, by the SHA-256 of the wheel. One that is broken is named.
fn embedded(
    context: &Context<'_>,
    wheels: &[&DeclaredWheel],
    report: &WheelReport,
) -> Result<BTreeMap<Sha256Digest, Vec<EmbeddedSbom>>, Failure> {
    let cache = context.session.cache()?;
    let mut embedded = BTreeMap::new();
    for wheel in wheels {
        let Some(facts) = report.facts(wheel) else {
            continue;
        };
        let name = &wheel.file_name;
        let files = sbom_files(&cache, wheel, &facts.archive.sboms, LARGEST_EMBEDDED)
            .map_err(|reason| Failure::world(format!("`{name}` {reason}")))?;
        let mut sboms = Vec::new();
        for file in files {
            let (sbom, reason) = EmbeddedSbom::read(file);
            if let Some(reason) = reason {
                context.warning(&format!(
                    "`{}` in `{name}` {reason}; the document only refers to it",
                    sbom.path
                ));
            }
            sboms.push(sbom);
        }
        embedded.insert(facts.sha256, sboms);
    }
    Ok(embedded)
}
