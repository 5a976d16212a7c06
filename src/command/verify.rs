//! `ipwhl verify`: verifies a release and its signatures.

mod bundle;
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
use crate::publish::{bundle_statement, is_bundle};
use crate::release::archive::{ArchiveKind, ReleaseName, Survey, archive_failure, open_archive};
use crate::release::names::STATEMENT;
use crate::release::statement::{Next, OpenSite, SignedStatement, is_site, read_statement};
use crate::release::verify::{ArchiveReport, VerifyError, verify_archive};
use crate::source::redacted;

/// Verify a release and its signatures
///
/// Verifies every block against its CID, the whole tree, every page and every declaration against
/// the files that they name, and every `.whl.metadata` against METADATA in its wheel. With
/// `--statement`, also verifies the signatures. Of a hollow archive, only the blocks that it has
/// are verified, and the checks that need wheels are skipped. Complete a delta with `ipwhl fill`
/// first.
///
/// A statement needs signatures of trusted keys. Keys are trusted by the repository that you are
/// in, by `--allowed-signers`, or by the `--trusted-statement` that you verified before. If the
/// keys have changed since then, name the statements in between with `--follow`. If no key is
/// trusted, the exit code is 1: a signature with an unknown key proves nothing.
///
/// A site is a folder or a web server with releases, as a target of the kind `directory` writes
/// them. Of a site, the newest statement, its signatures and every file of its release are
/// verified. No file is kept.
///
/// A bundle is a folder that `ipwhl bundle` writes. Every file of it is compared with the release in
/// it, and the signatures of its own statement are verified. The network is not used. A bundle with a
/// missing or a foreign file is refused.
///
/// Example: ipwhl verify release/release.car --statement release/release.toml
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The release: its archive, a folder with a `release.car`, the URL or folder of a site, or a
    /// bundle
    #[arg(value_name = "RELEASE")]
    release: PathBuf,
    /// The statement that vouches for the release; its signatures are beside it
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    #[command(flatten)]
    trust: TrustArguments,
    /// An intermediate statement with a change of keys; its signatures are beside it; repeatable,
    /// the oldest first
    #[arg(
        long,
        value_name = "FILE",
        requires = "statement",
        conflicts_with = "any_signer"
    )]
    follow: Vec<PathBuf>,
    /// Accept findings of these codes in the declarations of the release. Use it for codes that the
    /// maintainers accepted with `ipwhl build --allow`: a release records their `[severity]` and
    /// waivers, but no options; repeatable
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
    let folder = context.absolute(&arguments.release);
    // First of all: nothing that is put into a bundle may make something else of it.
    if is_bundle(&folder) {
        return of_bundle(context, arguments, &folder);
    }
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
        return Err(
            Failure::usage(format!("`{option}` needs a statement, and none is named")).help(
                format!(
                    "name the statement: `--statement {}`",
                    statement_beside(context, &path).unwrap_or_else(|| STATEMENT.to_owned())
                ),
            ),
        );
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
            "`{}` is hollow: its {} blocks match their CIDs; the {} leaf blocks of its wheels ({}) \
             are missing and not verified",
            context.shown(&path),
            survey.summary.blocks,
            survey.lacking.len(),
            lacking_bytes(&survey)
        ));
        context.help("`ipwhl fill` adds the wheels; then the wheels can be verified, too");
    } else {
        context.say(&format!(
            "{}: {} blocks, {}, {} projects, {} wheels: all match their hashes and pages",
            context.shown(&path),
            survey.summary.blocks,
            HumanBytes(survey.summary.bytes),
            count.projects,
            count.wheels
        ));
    }
    match &arguments.statement {
        Some(statement) => vouched(context, &context.absolute(statement), arguments, root)?,
        None => note_unverified(context, arguments, &path),
    }
    context.result(&root.to_string())?;
    Ok(ExitStatus::Clean)
}

/// Verifies a bundle without the network: its files, and its own statement or the named one.
fn of_bundle(
    context: &Context<'_>,
    arguments: &Arguments,
    folder: &Path,
) -> Result<ExitStatus, Failure> {
    let Some(root) = bundle::compare(context, &arguments.allow, folder)? else {
        return Ok(ExitStatus::Findings);
    };
    let own = bundle_statement(folder);
    if let Some(own) = &own {
        statement_of(own, root)?;
    }
    let named = arguments.statement.as_ref();
    let statement = named.map(|named| context.absolute(named)).or(own);
    // Without this, a bundle could be changed together with its release if its statement is removed.
    let statement = statement.ok_or_else(|| {
        Failure::finding(format!(
            "the bundle has no `{STATEMENT}`: its files belong to one release, but nothing shows \
             who made it"
        ))
        .help("name the statement of this release: `--statement FILE`")
    })?;
    vouched(context, &statement, arguments, root)?;
    context.result(&root.to_string())?;
    Ok(ExitStatus::Clean)
}

/// The site to verify; `None` if the argument is not a site.
fn site_of(context: &Context<'_>, arguments: &Arguments) -> Result<Option<OpenSite>, Failure> {
    let path = context.absolute(&arguments.release);
    let site = match arguments.release.to_str() {
        Some(text) if is_address(context, text) => OpenSite::at(&context.session, text)?,
        _ if is_site(&path) => OpenSite::folder(&context.session, &path)?,
        _ => return Ok(None),
    };
    if arguments.statement.is_some() {
        return Err(Failure::usage(
            "a site has its own statement, so `--statement` cannot be used with it",
        )
        .help("leave out `--statement`, or name an archive"));
    }
    Ok(Some(site))
}

/// Verifies the statement of the root and prints its signers.
fn vouched(
    context: &Context<'_>,
    path: &Path,
    arguments: &Arguments,
    root: Cid,
) -> Result<(), Failure> {
    let signed = statement_of(path, root)?;
    let place = path.display().to_string();
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

/// Reads a statement, which must be of this root. Its signatures are not verified here.
fn statement_of(path: &Path, root: Cid) -> Result<SignedStatement, Failure> {
    let signed = read_statement(path)?;
    if signed.statement.root == root {
        return Ok(signed);
    }
    Err(Failure::finding(format!(
        "`{}` vouches for {}, and the release is {root}",
        path.display(),
        signed.statement.root
    )))
}

/// The failure for a name that is not an archive: a statement, or a release on a gateway. Any
/// gateway provides a release as an archive.
fn elsewhere(context: &Context<'_>, arguments: &Arguments) -> Result<Option<Failure>, Failure> {
    let Some(text) = arguments.release.to_str() else {
        return Ok(None);
    };
    if [".toml", ".toml.sig"].iter().any(|end| text.ends_with(end)) {
        let failure = Failure::usage(format!(
            "`{text}` is a statement, and `ipwhl verify` needs the release itself"
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
        Failure::usage("`ipwhl verify` needs an archive, and this is a release on a gateway");
    Ok(Some(failure.help(format!(
        "download it, from any gateway: `curl --fail -o release.car '{gateway}/ipfs/{root}?format=car'`"
    ))))
}

/// The statement beside an archive, as a word of a command; `None` if there is none.
fn statement_beside(context: &Context<'_>, archive: &Path) -> Option<String> {
    let beside = archive.with_file_name(STATEMENT);
    beside
        .is_file()
        .then(|| shell_word(&context.shown(&beside)))
}

/// Notes that no signature was verified: anyone can make a release that is consistent in itself.
fn note_unverified(context: &Context<'_>, arguments: &Arguments, archive: &Path) {
    context.say(
        "note: the release is consistent, but its author is unknown: no signature was verified",
    );
    let statement = statement_beside(context, archive).unwrap_or_else(|| "FILE".to_owned());
    let release = shell_word(&arguments.release.to_string_lossy());
    context.hint(&format!(
        "`ipwhl verify {release} --statement {statement}` verifies the signatures"
    ));
}

fn lacking_bytes(survey: &Survey) -> HumanBytes {
    HumanBytes(survey.lacking.iter().map(|one| one.cumulative_size).sum())
}

/// The failure for a delta or a damaged archive, with the numbers of its blocks.
fn incomplete(path: &Path, survey: &Survey) -> Failure {
    let first = survey.lacking.first();
    let first = first.map(|one| one.cid.to_string()).unwrap_or_default();
    Failure::finding(format!(
        "`{}` is a delta or has lost blocks: its {} blocks match their CIDs, but it lacks {} with \
         the blocks below, {} in all; the first is {first}",
        path.display(),
        survey.summary.blocks,
        counted(survey.lacking.len(), "block"),
        lacking_bytes(survey)
    ))
    .help("complete it, then verify it: `ipwhl fill ARCHIVE --from PREVIOUS`")
}
