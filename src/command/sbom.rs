//! `ipwhl sbom`: software bills of materials.

use std::collections::BTreeMap;
use std::path::PathBuf;

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
use crate::set::check;
use crate::set::declaration::DeclaredWheel;
use crate::set::gather::{Gathering, Want, WheelReport, sbom_files};
use crate::set::graph::GraphQuery;
use crate::set::lock::Part;
use crate::set::repository::Repository;
use crate::set::sbom::{
    EmbeddedSbom, Inventory, InventoryInput, LARGEST_EMBEDDED, cyclonedx, part_wheels, spdx,
};

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
    let repository = context.repository()?;
    let query = GraphQuery::new(&repository, &[])?;
    let named = named(&query, &arguments.projects)?;
    note_findings(context, &query);
    let part = Part::of(&repository, &named);
    let wheels = part_wheels(&query.graph, &part)
        .map_err(|error| Failure::finding(&error).help("`ipwhl check` shows the mistake"))?;
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
        report.extend(gathering.gather(&with_sboms, Want::Bytes)?);
    }
    show_rejected(context, &report);
    show_failures(context, &report.failures, arguments.network.offline);
    if !report.failures.is_empty() {
        return Ok(ExitStatus::World);
    }
    refuse_wrong_wheels(&repository, &wheels, &report)?;
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

/// A wheel that is not what its declaration says must not be listed as if it were.
fn refuse_wrong_wheels(
    repository: &Repository,
    wheels: &[&DeclaredWheel],
    report: &WheelReport,
) -> Result<(), Failure> {
    let findings = check::wheels(repository, wheels, report);
    let is_wrong = |finding: &&Finding| {
        finding.code.stage() == Stage::Wheel && !finding.code.may_be_overridden()
    };
    match findings.iter().find(is_wrong) {
        Some(finding) => {
            Err(Failure::finding(&finding.message)
                .help("`ipwhl check --wheels` shows all findings"))
        }
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
