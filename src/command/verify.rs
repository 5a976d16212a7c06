//! `ipwhl verify`: a release held to what it says of itself, and who vouches for it.

mod site;

use std::path::{Path, PathBuf};

use clap::Args;
use ipwhl_unixfs::Cid;

use super::allow::SoftCode;
use super::archives::archive_of;
use super::context::Context;
use super::exit::ExitStatus;
use super::site::is_address;
use super::vouch::{TrustArguments, start, vouch};
use super::words::counted;
use crate::foundation::diagnostic::{Code, shell_word};
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::release::archive::{ArchiveKind, ReleaseName, Survey, archive_failure, open_archive};
use crate::release::names::STATEMENT;
use crate::release::statement::{Next, OpenSite, is_site, read_statement};
use crate::release::verify::{ArchiveReport, VerifyError, verify_archive};
use crate::source::redacted;

/// Verify a release, and who vouches for it
///
/// Every block against its CID, the whole tree, every page and every declaration against the files
/// that it names, every `.whl.metadata` against METADATA in its wheel; with `--statement` also the
/// signatures. Of a hollow archive the blocks that are there are verified, and all that can be
/// compared without wheels; a delta has to be filled first.
///
/// A statement needs the signatures of the keys that are trusted: by the repository around, by
/// `--allowed-signers`, or by the `--trusted-statement` that you verified before. Where keys have
/// changed since, `--follow` names the statements between. Where no key is trusted the exit code is
/// 1, since a signature of any key proves nothing.
///
/// Of a site, which a target of the kind `directory` writes, the newest statement, its signatures
/// and every file of its release are read and verified. No file is kept.
///
/// Example: ipwhl verify release/release.car --statement release/release.toml
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The release's archive, a folder that holds a `release.car`, or a site: its address or its
    /// folder
    #[arg(value_name = "RELEASE")]
    release: PathBuf,
    /// The statement that vouches for it, its signatures beside it
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArguments,
    /// Follow the change of keys through this statement, signatures beside it; several, the oldest
    /// first
    #[arg(
        long,
        value_name = "FILE",
        requires = "statement",
        conflicts_with = "any_signer"
    )]
    follow: Vec<PathBuf>,
    /// Let contradictions of these codes pass, as `--allow` let them pass in the build;
    /// `[severity]` and waivers stand in the release
    #[arg(
        long,
        value_name = "CODE",
        value_delimiter = ',',
        hide_possible_values = true,
        value_parser = SoftCode
    )]
    allow: Vec<Code>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    if let Some(mut site) = site_of(context, arguments)? {
        return site::run(context, &arguments.trust, &arguments.allow, &mut site);
    }
    if let Some(elsewhere) = elsewhere(context, arguments)? {
        return Err(elsewhere);
    }
    let path = archive_of(context, &arguments.release)?;
    if let Some(option) = arguments.trust.given()
        && arguments.statement.is_none()
    {
        return Err(Failure::usage(format!(
            "`{option}` is about who has signed a statement, and none is named"
        ))
        .help("name it: `--statement release.toml`"));
    }
    let reader = open_archive(&path)?;
    let root = reader.root();
    let ArchiveReport {
        survey,
        count,
        contradictions,
    } = verify_archive(&reader, &arguments.allow).map_err(|error| match error {
        VerifyError::Incomplete(survey) => incomplete(&path, &survey),
        VerifyError::Archive(error) => archive_failure(&path, &error),
    })?;
    for contradiction in &contradictions {
        context.error(&contradiction.to_string());
    }
    if !contradictions.is_empty() {
        return Ok(ExitStatus::Findings);
    }
    if survey.kind == ArchiveKind::Hollow {
        context.warning(&format!(
            "`{}` is hollow: its {} blocks are what their CIDs say, and the {} leaves of its wheels, {}, are not there to be looked at",
            context.shown(&path),
            survey.summary.blocks,
            survey.lacking.len(),
            lacking_bytes(&survey)
        ));
        context.help("`ipwhl fill` puts the wheels in, and what is full can be held to its pages");
    } else {
        context.say(&format!(
            "{}: {} blocks, {}, {} projects, {} wheels: all as their hashes and pages say",
            context.shown(&path),
            survey.summary.blocks,
            HumanBytes(survey.summary.bytes),
            count.projects,
            count.wheels
        ));
    }
    match &arguments.statement {
        Some(statement) => vouched(context, &context.absolute(statement), arguments, root)?,
        None => unasked(context, arguments, &path),
    }
    context.result(&root.to_string())?;
    Ok(ExitStatus::Clean)
}

/// The site that is to be verified, where it is one.
fn site_of(context: &Context<'_>, arguments: &Arguments) -> Result<Option<OpenSite>, Failure> {
    let path = context.absolute(&arguments.release);
    let site = match arguments.release.to_str() {
        Some(text) if is_address(context, text) => OpenSite::at(&context.session, text)?,
        _ if is_site(&path) => OpenSite::folder(&context.session, &path)?,
        _ => return Ok(None),
    };
    if arguments.statement.is_some() {
        return Err(Failure::usage(
            "a site has its own statement, and `--statement` names another one",
        )
        .help("leave it out, or name an archive"));
    }
    Ok(Some(site))
}

/// Who vouches for the root; a failure where nobody who may does.
fn vouched(
    context: &Context<'_>,
    path: &Path,
    arguments: &Arguments,
    root: Cid,
) -> Result<(), Failure> {
    let signed = read_statement(path)?;
    let place = path.display().to_string();
    if signed.statement.root != root {
        return Err(Failure::finding(format!(
            "`{place}` vouches for {}, and the release is {root}",
            signed.statement.root
        )));
    }
    let mut follow = arguments.follow.iter();
    let start = start(context, &arguments.trust)?;
    vouch(context, &place, signed, start, &mut |_| {
        let Some(between) = follow.next() else {
            return Ok(Next::Last);
        };
        let between = context.absolute(between);
        let signed = read_statement(&between)?;
        Ok(Next::Statement(
            between.display().to_string(),
            Box::new(signed),
        ))
    })
}

/// What helps where the name is that of a release on a gateway: any gateway gives it as an archive.
fn elsewhere(context: &Context<'_>, arguments: &Arguments) -> Result<Option<Failure>, Failure> {
    let Some(text) = arguments.release.to_str() else {
        return Ok(None);
    };
    if [".toml", ".toml.sig"].iter().any(|end| text.ends_with(end)) {
        let failure = Failure::usage(format!(
            "`{text}` says who vouches for a release, and `verify` reads the release"
        ));
        return Ok(Some(failure.help(
            "name the archive first: `ipwhl verify release.car --statement release.toml`",
        )));
    }
    let (gateway, root) = match ReleaseName::parse(context.environment, text)? {
        None | Some(ReleaseName::Archive(_)) => return Ok(None),
        Some(ReleaseName::Root(root)) => ("https://gateway.example.org".to_owned(), root),
        Some(ReleaseName::At(gateway, root)) => (redacted(&gateway), root),
    };
    let gateway = gateway.trim_end_matches('/');
    let failure =
        Failure::usage("`verify` reads a release as an archive, and this is one on a gateway");
    Ok(Some(failure.help(format!(
        "fetch it, from whichever gateway you like: `curl --fail -o release.car '{gateway}/ipfs/{root}?format=car'`"
    ))))
}

/// What is said where no statement was named: that a release is whole is no more than its maker can
/// do.
fn unasked(context: &Context<'_>, arguments: &Arguments, archive: &Path) {
    context.say(
        "note: the release is whole, which says nothing of who made it: no signature was verified",
    );
    let beside = archive.with_file_name(STATEMENT);
    let statement = if beside.is_file() {
        shell_word(&context.shown(&beside))
    } else {
        "FILE".to_owned()
    };
    let release = shell_word(&arguments.release.to_string_lossy());
    context.hint(&format!(
        "`ipwhl verify {release} --statement {statement}` verifies who vouches for it"
    ));
}

fn lacking_bytes(survey: &Survey) -> HumanBytes {
    HumanBytes(survey.lacking.iter().map(|one| one.cumulative_size).sum())
}

/// What is said of a delta: what is there, and what is not.
fn incomplete(path: &Path, survey: &Survey) -> Failure {
    let first = survey.lacking.first();
    let first = first.map(|one| one.cid.to_string()).unwrap_or_default();
    Failure::finding(format!(
        "`{}` is a delta, or has lost blocks: its {} blocks are what their CIDs say, and it lacks {} and what is below them, {} in all; block {first} is the first",
        path.display(),
        survey.summary.blocks,
        counted(survey.lacking.len(), "block"),
        lacking_bytes(survey)
    ))
    .help("`ipwhl fill ARCHIVE --from PREVIOUS` makes a delta full; what is full can be verified")
}
