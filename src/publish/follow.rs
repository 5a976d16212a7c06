//! Checks that a release follows the one that a target holds, by the statements in between (FORMATS
//! 6 and 9).

use ipwhl_unixfs::Cid;

use super::Publication;
use super::history::Absence;
use super::published_release::PublishedRelease;
use crate::foundation::failure::Failure;
use crate::release::statement::SignedStatement;

/// Checks a release against the one that a target holds: it must be the same, or follow it,
/// directly or by known statements.
///
/// # Errors
/// The refusal, with help; a gap if statements in between are unknown.
pub(super) fn check_follows(release: &Publication, held: &PublishedRelease) -> Result<(), Failure> {
    let root = release.root();
    let Some(signed) = &release.signed else {
        return match held.sequence {
            None => Ok(()),
            Some(held) => Err(Failure::refused(format!(
                "it has sequence {held}, which is signed, but this release has no statement"
            ))
            .help("build with a key, and follow the statement of the existing release with `--previous`")),
        };
    };
    let sequence = signed.statement.sequence;
    // No statement has the sequence 0: an older naming scheme used it.
    let Some(known) = held.sequence.filter(|known| *known > 0) else {
        return Ok(());
    };
    if known > sequence {
        return Err(Failure::refused(format!(
            "it has sequence {known} ({}), but this statement has the sequence {sequence}",
            held.root
        ))
        .help("build on the existing release: pass its statement to `ipwhl build --previous`"));
    }
    if known == sequence {
        return if held.root == root {
            Ok(())
        } else {
            Err(Failure::refused(format!(
                "it has another release with the sequence {sequence}, {}, but this one is {root}",
                held.root
            ))
            .help(
                "two releases follow the same one: build on the existing one, with its statement \
                   in `--previous`",
            ))
        };
    }
    let mut newer = signed;
    while newer.statement.sequence > known + 1 {
        newer = release
            .history
            .before(newer)
            .map_err(|absence| gap(held, known, newer, &absence))?;
    }
    if newer.statement.previous == Some(held.root) {
        return Ok(());
    }
    Err(fork(held, known, newer))
}

fn gap(held: &PublishedRelease, known: u64, newer: &SignedStatement, absence: &Absence) -> Failure {
    let lacking = newer.statement.sequence - 1;
    let which = if known + 1 == lacking {
        format!("the statement of sequence {lacking}")
    } else {
        format!("those of sequence {} to {lacking}", known + 1)
    };
    let reason = match absence {
        Absence::Unknown => "available",
        Absence::Unsigned => "signed by keys that the next one trusts",
    };
    Failure::gap(format!(
        "it has sequence {known} ({}), and this release is not known to follow it: {which} in \
         between would show that, but sequence {lacking} is not {reason}",
        held.root
    ))
    .help(
        "name the statements in between with `--follow FILE`, several times; they are in \
         `statements` beside the archive of a build, and in folders and git branches with \
         published releases",
    )
}

fn fork(held: &PublishedRelease, known: u64, newer: &SignedStatement) -> Failure {
    let root = |root: Option<Cid>| root.map_or_else(|| "none".to_owned(), |root| root.to_string());
    Failure::refused(format!(
        "it has {} as sequence {known}, but this release follows another one of that sequence, {}",
        held.root,
        root(newer.statement.previous)
    ))
    .help(
        "two releases were built on the same one: build on the existing one, with its statement \
           in `--previous`",
    )
}
