//! `ipwhl bundle`: a part of a release as one folder, for machines without a network.

use std::path::{Path, PathBuf};

use clap::Args;

use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::report::{show_failures, show_rejected};
use super::words::counted;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::publish::{
    BundleDescription, BundleError, BundlePlan, WrittenBundle, bundle_place, write_bundle,
};
use crate::release::archive::{OpenRelease, ReleaseLocation};
use crate::release::names::{LOCK, STATEMENT};
use crate::release::statement::{SignedStatement, read_statement};
use crate::set::gather::{Gathering, Want};
use crate::set::lock::LockError;
use crate::set::repository::Repository;

/// The folder of a release in a repository.
const DEFAULT_RELEASE: &str = "release";

/// Write a part of a release as a folder for machines without a network
///
/// The folder has the named projects with all that they need, or the whole set: wheels, a lock file,
/// pages for `pip install --find-links` and `--index-url`, and the statement. It can be copied and
/// moved. `ipwhl verify` proves without a network that each of its files belongs to the signed
/// release.
///
/// Wheels come from the release. Those that it does not have, as a hollow archive, come from the
/// cache and the sources of their declarations. An earlier bundle in the place is replaced.
///
/// Example: ipwhl bundle 'httpx[http2]' --platform cp312 --output /media/stick/httpx
#[expect(
    rustdoc::broken_intra_doc_links,
    reason = "the brackets around an extra are no link, and clap shows the text as it stands"
)]
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The projects that are installed from the bundle: `NAME` or `NAME[EXTRA,…]` [default: the
    /// whole set]
    #[arg(value_name = "NAME")]
    projects: Vec<String>,
    /// The release: an archive, a folder with one, a root CID, or a URL `<gateway>/ipfs/<root
    /// CID>/` [default: `release` in the repository, else in the current folder]
    #[arg(long, value_name = "RELEASE")]
    release: Option<String>,
    /// The statement that vouches for the release; its signatures are beside it [default: the one
    /// beside the archive]
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    /// Only wheels for these platforms: an interpreter, a system or both
    #[arg(long, value_name = "PLATFORM", value_delimiter = ',')]
    platform: Vec<String>,
    /// The folder to write
    #[arg(long, short, value_name = "DIR", default_value = "bundle")]
    output: PathBuf,
    #[command(flatten)]
    network: NetworkArguments,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let place = bundle_place(&context.absolute(&arguments.output))?;
    let around = context.own_repository_directory().ok();
    let settings = around
        .as_deref()
        .and_then(|folder| Repository::load_configuration(folder).ok());
    let release = open(context, arguments, around.as_deref(), settings.as_ref())?;
    let statement = statement(context, arguments, &release)?;
    let asked = BundleDescription {
        projects: arguments.projects.clone(),
        platforms: arguments.platform.clone(),
    };
    let folder = around.unwrap_or_else(|| context.environment.current_directory.clone());
    let mut plan = BundlePlan::of(release.blocks(), release.root, &asked, &folder)
        .map_err(|error| explained(&release, error))?;
    // A release says neither the index nor the mirrors of its repository.
    if let Some(settings) = settings
        && settings.configuration.name == plan.repository.configuration.name
    {
        plan.repository.configuration.index_url = settings.configuration.index_url;
        plan.repository.configuration.gateways = settings.configuration.gateways;
    }
    if !fetch_lacking(context, arguments, &release, &plan)? {
        return Ok(ExitStatus::World);
    }
    let cache = context.session.cache().ok();
    let written = write_bundle(&release, cache.as_ref(), &plan, statement.as_ref(), &place)?;
    tell(context, arguments, &plan, statement.as_ref(), written);
    context.result(&release.root.to_string())?;
    Ok(ExitStatus::Clean)
}

fn open(
    context: &Context<'_>,
    arguments: &Arguments,
    around: Option<&Path>,
    settings: Option<&Repository>,
) -> Result<OpenRelease, Failure> {
    let gateways = settings.map(|repository| repository.configuration.gateways.as_slice());
    let default = around.map_or_else(
        || PathBuf::from(DEFAULT_RELEASE),
        |folder| folder.join(DEFAULT_RELEASE),
    );
    let default = context.shown(&default);
    let named = arguments.release.as_deref();
    if named.is_none() && !context.absolute(Path::new(&default)).exists() {
        let message = format!("there is no release in `{default}`");
        return Err(Failure::usage(message)
            .help("make one with `ipwhl build` or `ipwhl fetch`, or name one with `--release`"));
    }
    OpenRelease::named(
        &context.session,
        &arguments.network.network(),
        gateways.unwrap_or_default(),
        named.unwrap_or(&default),
    )
}

/// The statement for the bundle; `None` if the release has none. Its signatures are verified by the
/// reader of the bundle, who knows the keys that he trusts.
fn statement(
    context: &Context<'_>,
    arguments: &Arguments,
    release: &OpenRelease,
) -> Result<Option<SignedStatement>, Failure> {
    let beside = match &release.location {
        ReleaseLocation::Archive { path, .. } => Some(path.with_file_name(STATEMENT)),
        ReleaseLocation::Gateways(_) => None,
    };
    let path = match (&arguments.statement, beside) {
        (Some(named), _) => context.absolute(named),
        (None, Some(beside)) if beside.exists() => beside,
        (None, _) => {
            context.warning(&format!(
                "{} has no statement, so nothing will vouch for the bundle",
                release.shown
            ));
            context.help("name the statement: `--statement FILE`");
            return Ok(None);
        }
    };
    let signed = read_statement(&path)?;
    if signed.statement.root != release.root {
        return Err(Failure::finding(format!(
            "`{}` vouches for {}, and the release is {}",
            context.shown(&path),
            signed.statement.root,
            release.root
        )));
    }
    Ok(Some(signed))
}

/// Fetches the wheels that the release does not have. Returns whether all are in the cache.
fn fetch_lacking(
    context: &Context<'_>,
    arguments: &Arguments,
    release: &OpenRelease,
    plan: &BundlePlan,
) -> Result<bool, Failure> {
    let lacking = plan
        .lacking(release.blocks())
        .map_err(|error| release.unreadable(&error))?;
    if lacking.is_empty() {
        return Ok(true);
    }
    let network = &arguments.network.network();
    let gathering = Gathering {
        session: &context.session,
        repository: &plan.repository,
        network,
        profile: plan.repository.configuration.profile,
        reuse: None,
    };
    let report = gathering.gather(&lacking, Want::Bytes)?;
    show_rejected(context, &report);
    for one in &report.problems {
        let (file, name) = (&one.wheel.file, &one.wheel.file_name);
        context.error(&format!("{file}: {name}: {}", one.problem));
    }
    show_failures(context, &report.failures, arguments.network.offline);
    let is_whole = report.problems.is_empty() && report.failures.is_empty();
    if !is_whole {
        context.error("no bundle was written: the release does not have all wheels");
    }
    Ok(is_whole)
}

/// The failure of a release that does not have what was asked for.
fn explained(release: &OpenRelease, error: BundleError) -> Failure {
    match error {
        BundleError::Release(error) => release.unreadable(&error),
        BundleError::Query(error) => error.into(),
        BundleError::NotOffered(_) => {
            Failure::usage(&error).help("`ipwhl show NAME` lists the platforms of its wheels")
        }
        BundleError::Lock(LockError::NoMarker(_)) => Failure::finding(&error)
            .help("name the platforms that the bundle is for with `--platform`"),
        error => Failure::finding(&error),
    }
}

fn tell(
    context: &Context<'_>,
    arguments: &Arguments,
    plan: &BundlePlan,
    statement: Option<&SignedStatement>,
    written: WrittenBundle,
) {
    context.say(&format!(
        "wrote {}: {}, {}, {}, {}",
        arguments.output.display(),
        counted(plan.projects, "project"),
        counted(plan.wheels.len(), "wheel"),
        counted(written.files, "file"),
        HumanBytes(written.bytes)
    ));
    if let Some(expires) = statement.and_then(|signed| signed.statement.expires) {
        context.say(&format!(
            "`ipwhl verify` accepts it until its statement expires: {expires}"
        ));
    }
    let lock = arguments.output.join(LOCK).display().to_string();
    let install = if plan.description.projects.is_empty() {
        let first = plan.repository.declarations.keys().next();
        let first = first.map_or("NAME", |project| project.as_str());
        format!(
            "`pip install --no-index -r {}`, or `uv pip install --no-index -r {} --extra {first}`",
            shell_word(&format!("{lock}[{first}]")),
            shell_word(&lock)
        )
    } else {
        let lock = shell_word(&lock);
        format!("`pip install --no-index -r {lock}`, or `uv pip install --no-index -r {lock}`")
    };
    context.hint(&format!("to install from it: {install}"));
    let output = shell_word(&arguments.output.to_string_lossy());
    if statement.is_some() {
        context.hint(&format!(
            "to verify it on another machine: `ipwhl verify {output} --allowed-signers FILE`"
        ));
    }
}
