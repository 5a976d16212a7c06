//! Whether a release follows the one that a target holds, by the statements between the two
//! (FORMATS 6 and 9).

use ipwhl_unixfs::Cid;

use super::Publication;
use super::history::Absence;
use super::published_release::PublishedRelease;
use crate::foundation::failure::Failure;
use crate::release::statement::SignedStatement;

/// Holds a release to what a target holds: it is the very same, or it follows it, directly or by
/// statements that are known.
///
/// # Errors
/// A refusal, with the way out; a gap where statements between the two are not known.
pub fn check_follows(release: &Publication, held: &PublishedRelease) -> Result<(), Failure> {
    let root = release.root();
    let Some(signed) = &release.signed else {
        return match held.sequence {
            None => Ok(()),
            Some(held) => Err(Failure::refused(format!(
                "it holds sequence {held}, which is signed, and this release has no statement"
            ))
            .help("build with a key, and with `--previous` the statement of the release that is there")),
        };
    };
    let sequence = signed.statement.sequence;
    // No statement has the sequence 0: a name that was used before has one.
    let Some(known) = held.sequence.filter(|known| *known > 0) else {
        return Ok(());
    };
    if known > sequence {
        return Err(Failure::refused(format!(
            "it holds sequence {known} ({}), and this statement has the sequence {sequence}",
            held.root
        ))
        .help(
            "build on top of the release that is there: `ipwhl build --previous` its statement",
        ));
    }
    if known == sequence {
        return if held.root == root {
            Ok(())
        } else {
            Err(Failure::refused(format!(
                "it holds another release with the sequence {sequence}, {}, and this one is {root}",
                held.root
            ))
            .help("two releases follow the same one: build on top of the one that is there, with `--previous` its statement"))
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
        Absence::Unknown => "at hand",
        Absence::Unsigned => "signed by keys that the next one trusts",
    };
    Failure::gap(format!(
        "it holds sequence {known} ({}), and nothing shows that this release follows it: {which} in between would, and \
         sequence {lacking} is not {reason}",
        held.root
    ))
    .help(
        "name the statements in between with `--follow FILE`, several times; builds keep them in `statements` beside the \
         archive, and folders and git branches that releases were published to have them, too",
    )
}

fn fork(held: &PublishedRelease, known: u64, newer: &SignedStatement) -> Failure {
    let root = |root: Option<Cid>| root.map_or_else(|| "none".to_owned(), |root| root.to_string());
    Failure::refused(format!(
        "it holds {} as sequence {known}, and this release goes back to another one of that sequence, {}",
        held.root,
        root(newer.statement.previous)
    ))
    .help("two releases were built on the same one: build on top of the one that is there, with `--previous` its statement")
}
