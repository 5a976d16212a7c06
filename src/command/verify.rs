//! `ipwhl verify`: a release held to what it says of itself, and who vouches for it.

mod bytes;
mod declared;
mod pages;

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::HumanBytes;
use jiff::SignedDuration;

use super::archives::{broken, open};
use super::context::Context;
use super::exit::{ExitStatus, Failure};
use super::report::{MessageFormat, counted, show};
use super::statement::{policy, read_statement, refusal};
use crate::car::{Extent, Survey};
use crate::check;
use crate::dag::Cid;
use crate::publish::CAR;
use crate::repository::{CONFIGURATION_FILE, Repository};
use crate::signature::{TrustPolicy, verify};

/// How far the clocks of a maintainer and a reader may be apart.
const LARGEST_CLOCK_DIFFERENCE: SignedDuration = SignedDuration::from_hours(24);

/// Verify a release, and who vouches for it
///
/// Every block against its CID, the whole tree, every page against the files that it names, every
/// `.whl.metadata` against METADATA in its wheel; with `--statement` also the signatures. Of a hollow
/// archive the blocks that are there are verified, and a delta has to be filled first.
///
/// Example: ipwhl verify release/release.car --statement release/release.toml
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The release's archive, or a folder that holds a `release.car`
    #[arg(value_name = "RELEASE")]
    release: PathBuf,
    /// The statement that vouches for it, its signatures beside it
    #[arg(long, value_name = "FILE")]
    statement: Option<PathBuf>,
    /// Whose signatures count [default: `trusted` of the repository]
    #[arg(long, value_name = "FILE", requires = "statement")]
    allowed_signers: Option<PathBuf>,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut path = context.absolute(&arguments.release);
    if path.is_dir() {
        path.push(CAR);
    }
    let reader = open(&path)?;
    let survey = reader.survey().map_err(|error| broken(&path, &error))?;
    let root = reader.root();
    match survey.extent {
        Extent::Full => {
            let (count, mismatches) =
                pages::check(&reader, root).map_err(|error| broken(&path, &error))?;
            for mismatch in &mismatches {
                context.error(mismatch);
            }
            if !mismatches.is_empty() {
                return Ok(ExitStatus::Findings);
            }
            context.say(&format!(
                "{}: {} blocks, {}, {} projects, {} wheels: all as their hashes and pages say",
                context.shown(&path),
                survey.summary.blocks,
                HumanBytes(survey.summary.bytes),
                count.projects,
                count.wheels
            ));
        }
        Extent::Hollow => {
            context.warning(&format!(
                "`{}` is hollow: its {} blocks are what their CIDs say, and the {} leaves of its wheels, {}, are not there to be looked at",
                context.shown(&path),
                survey.summary.blocks,
                survey.lacking.len(),
                lacking_bytes(&survey)
            ));
            context
                .help("`ipwhl fill` puts the wheels in, and what is full can be held to its pages");
        }
        // Nobody can tell a delta from a full archive that has lost some blocks.
        Extent::Delta => return Err(incomplete(&path, &survey)),
    }
    if let Some(statement) = &arguments.statement {
        vouch(context, &context.absolute(statement), arguments, root)?;
    }
    context.result(&root.to_string())?;
    Ok(ExitStatus::Clean)
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

/// Who vouches for the root; a failure where nobody who may does.
fn vouch(
    context: &Context<'_>,
    path: &Path,
    arguments: &Arguments,
    root: Cid,
) -> Result<(), Failure> {
    let signed = read_statement(path)?;
    let statement = &signed.statement;
    let place = path.display();
    if statement.root != root {
        return Err(Failure::finding(format!(
            "`{place}` vouches for {}, and the release is {root}",
            statement.root
        )));
    }
    let now = context.environment.clock.now();
    if statement.is_expired(now) {
        let expires = statement
            .expires
            .map(|at| at.to_string())
            .unwrap_or_default();
        return Err(Failure::finding(format!("`{place}` expired on {expires}"))
            .help("get the maintainers' newer statement"));
    }
    let trust = trust(context, arguments)?;
    if let Some(name) = &trust.name
        && *name != statement.name
    {
        return Err(Failure::finding(format!(
            "`{place}` is of {:?}, and this repository is {name:?}",
            statement.name
        ))
        .help("name whom you trust for another repository's release: `--allowed-signers FILE`"));
    }
    if statement.created.duration_since(now) > LARGEST_CLOCK_DIFFERENCE {
        context.warning(&format!(
            "`{place}` was made on {}, which is in the future",
            statement.created
        ));
    }
    let Some(policy) = trust.policy else {
        let mut keys = Vec::new();
        for signature in &signed.signatures {
            let key = verify(&signature.text, signed.text.as_bytes()).map_err(|error| {
                Failure::finding(format!(
                    "a signature of `{place}` does not hold: {}",
                    super::exit::chain(&error)
                ))
            })?;
            keys.push(key.fingerprint());
        }
        if keys.is_empty() {
            return Err(Failure::finding(format!(
                "`{place}` has no signature beside it"
            )));
        }
        context.warning(&format!(
            "sequence {} is signed by {}, and nothing here vouches for that key",
            statement.sequence,
            keys.join(" and ")
        ));
        context.help("name whom you trust: `--allowed-signers FILE`, or `trusted` in `ipwhl.toml`");
        return Ok(());
    };
    let verdict = policy.evaluate(signed.text.as_bytes(), &signed.signatures, now);
    if !verdict.is_reached() {
        return Err(refusal(&format!("`{place}`"), &signed, &verdict));
    }
    let names: Vec<String> = verdict
        .signers
        .iter()
        .map(|signer| format!("{} ({})", signer.name, signer.key.fingerprint()))
        .collect();
    context.say(&format!(
        "{}, sequence {}, is vouched for by {}",
        statement.name,
        statement.sequence,
        names.join(" and ")
    ));
    Ok(())
}

/// Whom a statement is held to.
struct Trust {
    /// Whose signatures count; `None` where nobody's do.
    policy: Option<TrustPolicy>,
    /// The name that the statement has to have.
    name: Option<String>,
}

/// Whose signatures count: those of the file that was named, else of the repository around.
fn trust(context: &Context<'_>, arguments: &Arguments) -> Result<Trust, Failure> {
    if let Some(file) = &arguments.allowed_signers {
        let path = context.absolute(file);
        let text = fs::read_to_string(&path).map_err(|error| {
            Failure::world(format!("`{}` cannot be read: {error}", path.display()))
        })?;
        return TrustPolicy::from_allowed_signers(&text, 1)
            .map(|policy| Trust {
                policy: Some(policy),
                name: None,
            })
            .map_err(|error| {
                Failure::finding(format!(
                    "`{}` cannot be used: {}",
                    path.display(),
                    super::exit::chain(&error)
                ))
            });
    }
    match context.repository_directory() {
        Ok(directory) => {
            let repository = Repository::load_configuration(&directory)
                .map_err(|error| Failure::world(&error))?;
            // A mistake may hide whom the repository trusts: then nobody is, and nothing is waved through.
            if repository.has_errors() {
                let findings = check::finish(&repository, repository.findings.clone());
                show(context, &repository, &findings, MessageFormat::Text)?;
                return Err(Failure::finding(format!(
                    "`{CONFIGURATION_FILE}` has mistakes, and so nobody can tell whom the repository trusts"
                ))
                .help("mend it, or name whom you trust: `--allowed-signers FILE`"));
            }
            let policy = policy(&repository.configuration)?;
            let name = policy.is_some().then_some(repository.configuration.name);
            Ok(Trust { policy, name })
        }
        // A release can be verified where there is no repository.
        Err(_) => Ok(Trust {
            policy: None,
            name: None,
        }),
    }
}
