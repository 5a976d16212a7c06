//! The state of the branch and the tag of a release, here and at the remote.

use crate::foundation::environment::GitProgram;
use crate::foundation::failure::Failure;
use crate::publish::published_release::PublishedRelease;
use crate::release::names::STATEMENT;
use crate::release::signature::{MAXIMUM_SIGNATURE_SIZE, verify_for};
use crate::release::statement::{
    MAXIMUM_STATEMENT_SIZE, SignatureFile, SignedStatement, Statement, is_signature_of,
};

/// The start of a signature in a tag (gpg.format=ssh).
const SIGNATURE: &str = "-----BEGIN SSH SIGNATURE-----";
/// The maximum number of commits of the branch to read.
const LONGEST_HISTORY: usize = 200;
/// The namespace of git's signatures.
pub(super) const NAMESPACE: &str = "git";

/// A reference here and at the remote, by its objects.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Reference {
    /// Its full name.
    pub(super) name: String,
    pub(super) here: Option<String>,
    /// Also `None` without a remote.
    pub(super) there: Option<String>,
}

/// Inspects both references. Objects of the remote are fetched, but no reference is changed.
pub(super) fn inspect(
    git: &GitProgram,
    names: [String; 2],
    remote: Option<&str>,
) -> Result<[Reference; 2], Failure> {
    let mut there = [None, None];
    if let Some(remote) = remote {
        let listing = git
            .text(&["ls-remote", "--", remote, &names[0], &names[1]], b"")
            .map_err(|error| {
                error.help(format!(
                    "check the name of the remote `{remote}`, and whether you may read it"
                ))
            })?;
        for line in listing.lines() {
            // `<object>TAB<name>`; a pattern also matches longer names with the same end.
            if let Some((object, name)) = line.split_once('\t')
                && let Some(place) = names.iter().position(|wanted| wanted == name)
            {
                there[place] = Some(object.to_owned());
            }
        }
        let mut lacking = Vec::new();
        for (name, object) in names.iter().zip(&there) {
            if let Some(object) = object
                && !git.has(object)?
            {
                lacking.push(name.as_str());
            }
        }
        if !lacking.is_empty() {
            let options = [
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--refmap=",
            ];
            let end = ["--no-recurse-submodules", "--", remote];
            git.bytes(&[&options[..], &end[..], &lacking[..]].concat(), b"")?;
        }
    }
    let [branch, tag] = names;
    let [branch_there, tag_there] = there;
    Ok([
        Reference {
            here: git.object(&branch)?,
            name: branch,
            there: branch_there,
        },
        Reference {
            here: git.object(&tag)?,
            name: tag,
            there: tag_there,
        },
    ])
}

impl Reference {
    /// The commit that the next one follows: the newer of the two tips.
    pub(super) fn newer(&self, git: &GitProgram, remote: &str) -> Result<Option<String>, Failure> {
        let (Some(here), Some(there)) = (&self.here, &self.there) else {
            return Ok(self.here.clone().or_else(|| self.there.clone()));
        };
        let follows = |older: &str, newer: &str| {
            let asked = git.ask(&["merge-base", "--is-ancestor", older, newer], b"")?;
            Ok::<_, Failure>(asked.is_ok())
        };
        if follows(here, there)? {
            return Ok(Some(there.clone()));
        }
        if follows(there, here)? {
            return Ok(Some(here.clone()));
        }
        Err(Failure::refused(format!(
            "`{}` has diverged here and at {remote}: {} and {}",
            self.name,
            short(here),
            short(there)
        ))
        .help(
            "keep the remote's branch, which others use: `git fetch` it, and point the branch \
               here at it with `git branch --force`",
        ))
    }
}

/// A printable form of an object.
pub(super) fn short(object: &str) -> &str {
    object.get(..12).unwrap_or(object)
}

/// The statement at a commit.
pub(super) fn held(
    git: &GitProgram,
    commit: &str,
    branch: &str,
    name: &str,
) -> Result<Option<PublishedRelease>, Failure> {
    let Some(bytes) = git.content("blob", &format!("{commit}:{STATEMENT}"))? else {
        return Ok(None);
    };
    let damaged = |reason: String| {
        Failure::refused(format!("`{STATEMENT}` on the branch `{branch}` {reason}"))
            .help("name another branch, or remove that file from this one")
    };
    let text = String::from_utf8(bytes)
        .ok()
        .filter(|text| text.len() <= MAXIMUM_STATEMENT_SIZE)
        .ok_or_else(|| damaged("is not a statement".to_owned()))?;
    let statement =
        Statement::parse(&text).map_err(|error| damaged(format!("is not a statement: {error}")))?;
    if statement.name != name {
        return Err(damaged(format!(
            "is of the repository {:?}",
            statement.name
        )));
    }
    Ok(Some(PublishedRelease {
        root: statement.root,
        sequence: Some(statement.sequence),
    }))
}

/// The statement with its signatures, and with additional ones from a commit with the same
/// statement.
///
/// # Errors
/// When the commit has another statement of the same sequence.
pub(super) fn with_held(
    git: &GitProgram,
    commit: &str,
    entries: &[Vec<u8>],
    vouched: &SignedStatement,
) -> Result<SignedStatement, Failure> {
    let there = git.content("blob", &format!("{commit}:{STATEMENT}"))?;
    let there = there.and_then(|bytes| String::from_utf8(bytes).ok());
    if there.as_ref() != Some(&vouched.text) {
        let sequence = vouched.statement.sequence;
        let parsed = there.and_then(|text| Statement::parse(&text).ok());
        if parsed.is_some_and(|statement| statement.sequence == sequence) {
            return Err(Failure::refused(format!(
                "it has another statement with the sequence {sequence}, of the same release"
            ))
            .help(
                "a sequence is used only once: `ipwhl build --renew --previous` with the \
                   existing statement makes the next one",
            ));
        }
        return Ok(vouched.united_with(Vec::new()));
    }
    let held = signatures(git, commit, entries)?;
    Ok(vouched.united_with(held))
}

/// The signatures at a commit.
fn signatures(
    git: &GitProgram,
    commit: &str,
    entries: &[Vec<u8>],
) -> Result<Vec<SignatureFile>, Failure> {
    let mut held = Vec::new();
    for name in entries.iter().filter_map(|entry| name(entry)) {
        if is_signature_of(name, STATEMENT)
            && let Some(bytes) = git.content("blob", &format!("{commit}:{name}"))?
            && bytes.len() <= MAXIMUM_SIGNATURE_SIZE
            && let Ok(text) = String::from_utf8(bytes)
        {
            let suffix = name[STATEMENT.len()..].to_owned();
            held.push(SignatureFile { suffix, text });
        }
    }
    Ok(held)
}

/// The statements of a commit and its ancestors, the newest first.
pub(super) fn committed(
    git: &GitProgram,
    tip: &str,
    repository: &str,
) -> Result<Vec<SignedStatement>, Failure> {
    let limit = format!("--max-count={LONGEST_HISTORY}");
    let arguments = ["rev-list", "--first-parent", &limit, tip, "--", STATEMENT];
    let mut statements = Vec::new();
    for commit in git.text(&arguments, b"")?.lines() {
        let Some(bytes) = git.content("blob", &format!("{commit}:{STATEMENT}"))? else {
            continue;
        };
        let signatures = signatures(git, commit, &entries(git, commit)?)?;
        // Files that are not statements of this repository are ignored.
        if let Ok(text) = String::from_utf8(bytes)
            && let Ok(signed) = SignedStatement::parse(text, signatures)
            && signed.statement.name == repository
        {
            statements.push(signed);
        }
    }
    Ok(statements)
}

/// The name of an entry, if it is text.
fn name(entry: &[u8]) -> Option<&str> {
    std::str::from_utf8(entry.split(|byte| *byte == b'\t').nth(1)?).ok()
}

/// The entries at the top of a commit, in the format of `git mktree -z`.
pub(super) fn entries(git: &GitProgram, commit: &str) -> Result<Vec<Vec<u8>>, Failure> {
    let listing = git.bytes(&["ls-tree", "-z", "--full-tree", commit], b"")?;
    let entries = listing.split(|byte| *byte == 0);
    Ok(entries
        .filter(|entry| !entry.is_empty())
        .map(<[u8]>::to_vec)
        .collect())
}

/// The same entries, with this statement and these signatures in place of the old ones.
pub(super) fn with_files(
    entries: &[Vec<u8>],
    blobs: impl Iterator<Item = (String, String)>,
) -> Vec<Vec<u8>> {
    let is_ours = |entry: &Vec<u8>| {
        name(entry).is_some_and(|name| name == STATEMENT || is_signature_of(name, STATEMENT))
    };
    let mut with: Vec<Vec<u8>> = entries
        .iter()
        .filter(|entry| !is_ours(entry))
        .cloned()
        .collect();
    with.extend(blobs.map(|(name, blob)| format!("100644 blob {blob}\t{name}").into_bytes()));
    with
}

/// Checks that a tag belongs to this statement: it is signed by one of its signers, and its commit
/// contains the statement.
pub(super) fn check_tag(
    git: &GitProgram,
    name: &str,
    object: &str,
    files: &SignedStatement,
) -> Result<(), Failure> {
    let refused = |reason: &str| {
        Failure::refused(format!("the tag `{name}` exists, and {reason}")).help(
            "existing tags are not moved: choose other names with `tag`, or find out who made this one",
        )
    };
    let text = git
        .content("tag", object)?
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| refused("has no message and no signature"))?;
    let at = text
        .find(SIGNATURE)
        .ok_or_else(|| refused("has no signature in SSH's format"))?;
    let (signed, signature) = text.split_at(at);
    let by = verify_for(NAMESPACE, signature, signed.as_bytes())
        .map_err(|error| refused(&format!("its signature is invalid: {error}")))?;
    if !files.signers().contains(&by) {
        return Err(refused(
            "is signed by a key that has not signed the statement",
        ));
    }
    let commit = signed
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("object "));
    let commit = commit.ok_or_else(|| refused("has no object"))?;
    let there = git.content("blob", &format!("{commit}:{STATEMENT}"))?;
    if there.as_deref() != Some(files.text.as_bytes()) {
        return Err(refused("is of another statement"));
    }
    Ok(())
}
