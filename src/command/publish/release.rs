//! The release to publish, with its verification.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipwhl_unixfs::Cid;

use super::Arguments;
use crate::command::context::Context;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::random_seed;
use crate::foundation::failure::{Failure, error_chain};
use crate::publish::{History, Publication, Sample};
use crate::release::archive::{
    ArchiveKind, ReleaseArchive, archive_failure, car_name, open_archive,
};
use crate::release::names::{CAR, STATEMENT};
use crate::release::signature::verify;
use crate::release::statement::folder::kept_statements;
use crate::release::statement::{SignedStatement, Statement};
use crate::release::statement::{read_statement, unfinished_build_help};
use crate::release::trust::{expired, policy_or_own, refusal, stranger};
use crate::set::repository::{Configuration, Repository};
use crate::source::redacted;

/// Reads and verifies the release in a folder.
pub(super) fn read(
    context: &Context<'_>,
    repository: &Repository,
    folder: &Path,
    arguments: &Arguments,
) -> Result<Publication, Failure> {
    let key = arguments.key.as_deref();
    let delta = folder.join(car_name(ArchiveKind::Delta));
    let path = folder.join(CAR);
    let is_delta = !path.is_file() && delta.is_file();
    let path = if is_delta { delta } else { path };
    if !path.is_file() {
        return Err(absent(context, folder));
    }
    let archive = open_archive(&path)?;
    let survey = archive
        .survey()
        .map_err(|error| archive_failure(&path, &error))?;
    // Nobody can tell a full archive that has lost some blocks from a delta, but by its name.
    if !is_delta && survey.kind != ArchiveKind::Full {
        return Err(Failure::finding(format!(
            "`{}` lacks {} of its blocks, and only `release.delta.car` may be incomplete",
            path.display(),
            survey.lacking.len()
        ))
        .help(format!("`{}` completes it", fill_command(context, &path))));
    }
    let history = history(context, repository, folder, &arguments.follow)?;
    let signed = if arguments.unsigned {
        None
    } else {
        Some(signed(
            context,
            repository,
            &folder.join(STATEMENT),
            archive.root(),
            key,
            &history,
        )?)
    };
    let left_out: Vec<Cid> = survey.lacking.iter().map(|one| one.cid).collect();
    let sample = Sample::of(&archive, &left_out, random_seed())
        .map_err(|error| archive_failure(&path, &error))?;
    Ok(Publication {
        name: repository.configuration.name.clone(),
        folder: folder.to_path_buf(),
        archive: Arc::new(archive),
        left_out,
        signed,
        history,
        sample,
        fill_command: fill_command(context, &path),
        fill_places: fill_places(&repository.configuration),
    })
}

/// Where what a delta leaves out may be: its pages and nodes are in no source of a declaration.
fn fill_places(configuration: &Configuration) -> Vec<String> {
    let gateways = configuration.publish.iter();
    let gateways = gateways.filter_map(|target| target.kind.gateway());
    let mut places: Vec<String> = gateways.map(redacted).collect();
    places.sort();
    places.dedup();
    if !configuration.gateways.is_empty() {
        places.push("mirrors".to_owned());
    }
    places
}

/// The whole command that makes an archive full.
fn fill_command(context: &Context<'_>, archive: &Path) -> String {
    let archive = shell_word(&context.shown(archive));
    match context.named_repository() {
        Some(directory) => {
            let directory = shell_word(&directory.to_string_lossy());
            format!("ipwhl --repository {directory} fill {archive}")
        }
        None => format!("ipwhl fill {archive}"),
    }
}

/// The statements that earlier builds have left beside the archive, that of the archive among them,
/// and those that are named.
pub(super) fn history(
    context: &Context<'_>,
    repository: &Repository,
    folder: &Path,
    named: &[PathBuf],
) -> Result<History, Failure> {
    let mut history = History::default();
    let name = &repository.configuration.name;
    for path in named {
        let signed = read_statement(&context.absolute(path))?;
        if signed.statement.name != *name {
            return Err(Failure::finding(format!(
                "`{}` is a statement of {:?}, and this repository is {name:?}",
                context.shown(path),
                signed.statement.name
            )));
        }
        history.add(signed);
    }
    for place in kept_statements(folder) {
        // What cannot be read there leads nowhere.
        if let Ok(signed) = read_statement(&place)
            && signed.statement.name == *name
        {
            history.add(signed);
        }
    }
    Ok(history)
}

/// There is no archive that can be published; perhaps a hollow one.
fn absent(context: &Context<'_>, folder: &Path) -> Failure {
    let failure = Failure::world(format!("`{}` has no `{CAR}`", folder.display()));
    let hollow = folder.join(car_name(ArchiveKind::Hollow));
    if hollow.is_file() {
        return failure.help(format!(
            "a hollow archive has no wheels; `{}` completes it",
            fill_command(context, &hollow)
        ));
    }
    failure.help("`ipwhl build` builds a release; `--release DIR` names another folder")
}

/// The statement beside the archive, held to the repository.
fn signed(
    context: &Context<'_>,
    repository: &Repository,
    path: &Path,
    root: Cid,
    key: Option<&Path>,
    history: &History,
) -> Result<SignedStatement, Failure> {
    if !path.is_file() {
        return Err(Failure::finding(format!(
            "the release has no statement: `{}` does not exist",
            path.display()
        ))
        .help(unfinished_build_help(path).unwrap_or(
            "build the release with a key, or publish it without a statement: `--unsigned`",
        )));
    }
    let mut signed = read_statement(path)?;
    let statement = &signed.statement;
    let place = path.display();
    if statement.root != root {
        return Err(Failure::finding(format!(
            "`{place}` vouches for {}, and the release is {root}",
            statement.root
        )));
    }
    if statement.name != repository.configuration.name {
        return Err(Failure::finding(format!(
            "`{place}` is a statement of {:?}, and this repository is {:?}",
            statement.name, repository.configuration.name
        )));
    }
    let now = context.session.now();
    if statement.is_expired(now) {
        return Err(expired_failure(context, repository, path, statement));
    }
    let policy = policy_or_own(&context.session, &repository.configuration, key)?;
    let verdict = policy
        .as_ref()
        .map(|policy| policy.evaluate(signed.text.as_bytes(), &signed.signatures, now));
    if repository.configuration.trusted.is_empty() {
        if signed.signatures.is_empty() {
            return Err(Failure::finding(format!(
                "`{place}` has no signature beside it"
            )));
        }
        for signature in &signed.signatures {
            verify(&signature.text, signed.text.as_bytes()).map_err(|error| {
                Failure::finding(format!(
                    "a signature of `{place}` is not valid: {}",
                    error_chain(&error)
                ))
            })?;
        }
        if !verdict.is_some_and(|verdict| verdict.is_reached()) {
            return Err(stranger(&format!("`{place}`"), &signed).help(
                "add the keys that sign this repository's releases to `trusted` under `[signing]` in `ipwhl.toml`; `--unsigned` \
                 publishes without a statement",
            ));
        }
        context.warning(
            "`ipwhl.toml` has no key in `trusted`, so readers cannot tell this signature from a stranger's",
        );
    } else if let Some(verdict) = verdict.filter(|verdict| !verdict.is_reached()) {
        let failure = refusal(&format!("`{place}`"), &signed, &verdict);
        let changed = policy.iter().flat_map(|policy| {
            let unknown = verdict.unknown.iter();
            unknown.filter_map(|key| Some((key, history.names_successor(policy, key)?)))
        });
        return Err(match changed.into_iter().next() {
            None => failure,
            Some((key, sequence)) => failure.help(format!(
                "the statement of sequence {sequence}, which is signed with `trusted` keys, allows this key for later ones: compare its \
                 fingerprint with the one that the maintainers publish, then add \"{}\" to `trusted` under `[signing]` in `ipwhl.toml`",
                key.line("")
            )),
        });
    }
    // Enough of them hold; nobody is given those that do not.
    let text = signed.text.as_bytes();
    signed.signatures.retain(|file| {
        let checked = verify(&file.text, text);
        if let Err(error) = &checked {
            let (suffix, reason) = (&file.suffix, error_chain(error));
            context.warning(&format!(
                "`{}{suffix}` is not valid and is left out: {reason}",
                path.display()
            ));
        }
        checked.is_ok()
    });
    Ok(signed)
}

/// That the statement does not hold any longer, with the way out.
fn expired_failure(
    context: &Context<'_>,
    repository: &Repository,
    path: &Path,
    statement: &Statement,
) -> Failure {
    let failure = expired(&path.display().to_string(), statement);
    // Without platforms there is no set to build here: somebody else's is carried.
    if repository.configuration.platforms.is_empty() {
        return failure.help(
            "fetch the maintainers' next statement with `ipwhl fetch`; if there is none, ask them for one",
        );
    }
    let usual = repository.directory.join("release");
    let output = match path.parent() {
        Some(folder) if folder != usual => {
            format!(" --output {}", shell_word(&context.shown(folder)))
        }
        _ => String::new(),
    };
    failure.help(format!(
        "make sure that it is the newest statement; then sign the next one for the same release: \
         `ipwhl build --renew --after-expiry --previous {}{output}`",
        shell_word(&context.shown(path))
    ))
}
