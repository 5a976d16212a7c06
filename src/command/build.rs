//! `ipwhl build`: declarations to a signed release with one root CID.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::HumanBytes;

use super::context::Context;
use super::exit::{ExitStatus, Failure};
use super::facts::{Gathered, Want, gather};
use super::network::NetworkArguments;
use super::output::{
    CAR, STATEMENT, Vouching, WriteError, commit, tree_place, write_car, write_tree,
};
use super::report::{MessageFormat, count, has_errors, judge, show, show_failures};
use super::statement::{Signature, Signed, Signer, policy, previous, signing_key};
use crate::check;
use crate::dag::{Cid, Profile};
use crate::declaration::DeclaredWheel;
use crate::release::{Release, ReleaseInput};
use crate::repository::Repository;
use crate::signature::{Draft, Statement, parse_lifetime, sign};

/// Build a signed release with one root CID
///
/// Fetches and verifies every declared wheel, checks the set, and writes `release.car`,
/// `release.toml` and `release.toml.sig`. The root CID is the only line on standard output.
///
/// Example: ipwhl build --previous release/release.toml
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder to write the release to
    #[arg(long, value_name = "DIR", default_value = "release")]
    output: PathBuf,
    /// Also write the tree as files
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// The UnixFS import parameters [default: the repository's]
    #[arg(long, value_name = "PROFILE")]
    profile: Option<Profile>,
    /// The OpenSSH Ed25519 key to sign with [default: `IPWHL_SIGNING_KEY`, else your own]
    #[arg(long, value_name = "FILE", conflicts_with = "unsigned")]
    key: Option<PathBuf>,
    /// Write no statement
    #[arg(long, conflicts_with_all = ["expires", "previous", "renew"])]
    unsigned: bool,
    /// How long the statement holds, as in `180d`
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// The statement that this one follows: a file or an address
    #[arg(long, value_name = "STATEMENT")]
    previous: Option<String>,
    /// Make a statement even of the root that the previous one has
    #[arg(long, requires = "previous")]
    renew: bool,
    /// Compute the root and write nothing
    #[arg(long, conflicts_with_all = ["tree", "key", "unsigned", "expires", "previous", "renew"])]
    root_only: bool,
    #[command(flatten)]
    network: NetworkArguments,
}

/// What is needed to vouch for a release, found out before anything takes long.
struct Preparation {
    signer: Signer,
    previous: Option<Signed>,
    expires: Option<jiff::Timestamp>,
    now: jiff::Timestamp,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let repository = context.repository()?;
    let profile = arguments
        .profile
        .unwrap_or(repository.configuration.profile);
    let folder = output_folder(context, &repository, &arguments.output);
    let tree = arguments
        .tree
        .as_ref()
        .map(|tree| tree_place(&context.absolute(tree), &[&repository.directory, &folder]))
        .transpose()?;
    // Mistakes in texts and in the graph are told before a byte is fetched.
    let mut findings = repository.findings.clone();
    findings.extend(check::set(&repository));
    let early = judge(context, &repository, findings.clone(), false);
    if has_errors(&early) {
        show(context, &repository, &early, MessageFormat::Text)?;
        return Ok(refuse(context, &early));
    }
    let preparation = if arguments.unsigned || arguments.root_only {
        None
    } else {
        Some(prepare(context, &repository, arguments)?)
    };
    let want = if arguments.root_only {
        Want::Facts
    } else {
        Want::Bytes
    };
    let gathered = gather(context, &repository, &arguments.network, profile, want)?;
    findings.extend(gathered.findings.clone());
    let findings = judge(context, &repository, findings, true);
    show(context, &repository, &findings, MessageFormat::Text)?;
    show_failures(context, &gathered.failures);
    if !gathered.failures.is_empty() {
        context.help("what was verified stays in the cache: run the same command again");
        return Ok(ExitStatus::World);
    }
    if has_errors(&findings) {
        return Ok(refuse(context, &findings));
    }
    let root = if arguments.root_only {
        root_of(&repository, &gathered, profile)?
    } else {
        write(
            context,
            &repository,
            gathered,
            arguments,
            profile,
            &folder,
            tree.as_deref(),
            preparation,
        )?
    };
    context.result(&root.to_string())?;
    Ok(ExitStatus::Clean)
}

fn refuse(context: &Context<'_>, findings: &[crate::diagnostic::Finding]) -> ExitStatus {
    let words = count(findings).unwrap_or_default();
    context.error(&format!("nothing was built: {words}"));
    ExitStatus::Findings
}

/// `release` belongs to the repository; a folder that was named, to whoever named it.
fn output_folder(context: &Context<'_>, repository: &Repository, output: &Path) -> PathBuf {
    if output == Path::new("release") {
        repository.directory.join(output)
    } else {
        context.absolute(output)
    }
}

fn prepare(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &Arguments,
) -> Result<Preparation, Failure> {
    let now = context.environment.clock.now();
    let expires = match &arguments.expires {
        None => None,
        Some(text) => {
            let lifetime = parse_lifetime(text).map_err(|error| Failure::usage(&error))?;
            Some(
                now.checked_add(lifetime)
                    .map_err(|_| Failure::usage(format!("`--expires {text}` is too far away")))?,
            )
        }
    };
    let configuration = &repository.configuration;
    let previous = arguments
        .previous
        .as_ref()
        .map(|location| previous(context, configuration, location, arguments.network.offline))
        .transpose()?;
    let signer = signing_key(context, arguments.key.as_deref())?;
    let public = signer.key.public();
    if let Some(policy) = policy(configuration)?
        && !policy.trusts(&public, now)
    {
        return Err(Failure::finding(format!(
            "the key {} from {} is not one of the repository's `trusted` keys",
            public.fingerprint(),
            signer.origin
        ))
        .help(format!(
            "sign with a trusted key, or add to `trusted`: \"{}\"",
            public.line(signer.key.comment())
        )));
    }
    if let Some(previous) = &previous
        && let Some(policy) = previous
            .statement
            .successor_policy()
            .map_err(|error| Failure::caused(&error))?
        && !policy.trusts(&public, now)
    {
        return Err(Failure::finding(format!(
            "the previous statement does not let the key {} sign the next one",
            public.fingerprint()
        ))
        .help("sign with one of the keys in its `trusted`"));
    }
    Ok(Preparation {
        signer,
        previous,
        expires,
        now,
    })
}

fn root_of(repository: &Repository, gathered: &Gathered, profile: Profile) -> Result<Cid, Failure> {
    let facts = |wheel: &DeclaredWheel| gathered.facts(wheel);
    let release = Release::new(ReleaseInput {
        repository,
        profile,
        facts: &facts,
    })
    .map_err(|error| Failure::caused(&error))?;
    Ok(release.link().cid)
}

#[expect(
    clippy::too_many_arguments,
    reason = "the end of the pipeline takes what every stage has made"
)]
fn write(
    context: &Context<'_>,
    repository: &Repository,
    mut gathered: Gathered,
    arguments: &Arguments,
    profile: Profile,
    folder: &Path,
    tree: Option<&Path>,
    preparation: Option<Preparation>,
) -> Result<Cid, Failure> {
    let cache = context.cache()?;
    let mut damaged = BTreeSet::new();
    loop {
        let facts = |wheel: &DeclaredWheel| gathered.facts(wheel);
        let release = Release::new(ReleaseInput {
            repository,
            profile,
            facts: &facts,
        })
        .map_err(|error| Failure::caused(&error))?;
        let root = release.link().cid;
        let written = write_car(&release, &cache, folder).and_then(|car| {
            if let Some(tree) = tree {
                write_tree(&release, &cache, tree)?;
            }
            Ok(car)
        });
        match written {
            Ok((car, summary)) => {
                let vouching = vouch(context, repository, preparation, root, arguments)?;
                commit(car, folder, vouching.as_ref())?;
                context.say(&format!(
                    "wrote {}: {} projects, {} blocks, {}",
                    folder.join(CAR).display(),
                    repository.declarations.len(),
                    summary.blocks,
                    HumanBytes(summary.bytes)
                ));
                return Ok(root);
            }
            Err(WriteError::Failure(failure)) => return Err(failure),
            Err(WriteError::DamagedWheel(wheel)) => {
                let damage = format!("the cache's copy of `{}` is damaged", wheel.file_name);
                cache.forget(&wheel.content_id.value);
                if !damaged.insert(wheel.content_id.value) {
                    return Err(Failure::world(damage).help("run the same command again"));
                }
                context.warning(&format!("{damage}; it is fetched again"));
                // One damaged file is seldom alone: each that has changed is hashed again, and
                // forgotten where it is not the wheel any more.
                for declared in repository.declarations.values().flat_map(|one| &one.wheels) {
                    cache.wheel(&declared.content_id.value);
                }
                gathered = gather(
                    context,
                    repository,
                    &arguments.network,
                    profile,
                    Want::Bytes,
                )?;
                if let Some(failure) = gathered.failures.first() {
                    return Err(Failure::world(format!(
                        "{}: {}",
                        failure.what, failure.reason
                    )));
                }
                if !gathered.findings.is_empty() {
                    return Err(Failure::world(damage).help("run the same command again"));
                }
            }
        }
    }
}

/// The statement of this root and its signatures; `None` for an unsigned release.
fn vouch(
    context: &Context<'_>,
    repository: &Repository,
    preparation: Option<Preparation>,
    root: Cid,
    arguments: &Arguments,
) -> Result<Option<Vouching>, Failure> {
    let Some(preparation) = preparation else {
        return Ok(None);
    };
    let configuration = &repository.configuration;
    let trusted = configuration
        .trusted
        .iter()
        .map(|line| line.parse())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error: crate::signature::KeyError| Failure::caused(&error))?;
    let draft = Draft {
        name: configuration.name.clone(),
        root,
        created: preparation.now,
        expires: preparation.expires,
        trusted,
        threshold: u32::try_from(configuration.threshold).unwrap_or(u32::MAX),
        renew: arguments.renew,
    };
    let before = preparation
        .previous
        .as_ref()
        .map(|signed| &signed.statement);
    let following = Statement::following(before, draft).map_err(|error| Failure::caused(&error))?;
    match (following, preparation.previous) {
        (Some(statement), _) => {
            let text = statement.to_toml();
            let signature = sign(&preparation.signer.key, text.as_bytes())
                .map_err(|error| Failure::caused(&error))?;
            context.say(&format!(
                "signed {STATEMENT}: sequence {}, by {}",
                statement.sequence,
                preparation.signer.key.public().fingerprint()
            ));
            Ok(Some(Vouching {
                statement: text,
                signatures: vec![Signature {
                    suffix: ".sig".to_owned(),
                    text: signature,
                }],
            }))
        }
        (None, Some(previous)) => {
            context.say(&format!(
                "the previous statement, sequence {}, has this root already: nothing new is signed (`--renew` would)",
                previous.statement.sequence
            ));
            Ok(Some(Vouching {
                statement: previous.text,
                signatures: previous.signatures,
            }))
        }
        (None, None) => Ok(None),
    }
}
