//! `conflicting-digest`: a content-id that contradicts `sha256` or `size` beside it, or a digest
//! that two wheels share.
//!
//! Only certain contradictions are reported: the CID of one raw block is the SHA-256 of the file,
//! and a size gives the number of blocks under each profile. One copy mistake is one finding: if
//! the content-id belongs to another wheel, the finding says so.

use std::collections::BTreeMap;

use ipwhl_unixfs::{Cid, Codec, Profile, Sha256Digest};

use super::about::about;
use crate::foundation::diagnostic::{Code, Finding, Note, Stage};
use crate::set::declaration::DeclaredWheel;
use crate::set::repository::Repository;

/// The wheels of a set by their digests.
struct Owners<'r> {
    of_content: BTreeMap<Cid, &'r DeclaredWheel>,
    of_sha256: BTreeMap<Sha256Digest, &'r DeclaredWheel>,
}

pub(super) fn check(repository: &Repository, findings: &mut Vec<Finding>) {
    let wheels = || {
        let declarations = repository.declarations.values();
        declarations.flat_map(|declaration| &declaration.wheels)
    };
    let mut owners = Owners {
        of_content: BTreeMap::new(),
        of_sha256: BTreeMap::new(),
    };
    for wheel in wheels() {
        let owner = owners.of_content.entry(wheel.content_id.value);
        let owner = owner.or_insert(wheel);
        if certainty(wheel) < certainty(owner) {
            *owner = wheel;
        }
        if let Some(sha256) = &wheel.sha256 {
            owners.of_sha256.entry(sha256.value).or_insert(wheel);
        }
    }
    findings.extend(wheels().filter_map(|wheel| owners.finding(wheel)));
}

/// The likelihood that the content-id of a wheel is its own; a smaller number is more likely.
fn certainty(wheel: &DeclaredWheel) -> u8 {
    match (contradiction(wheel), is_proven(wheel)) {
        (None, true) => 0,
        (None, false) => 1,
        (Some(_), _) => 2,
    }
}

/// Whether the SHA-256 beside the content-id proves that it is this wheel's own.
fn is_proven(wheel: &DeclaredWheel) -> bool {
    let cid = wheel.content_id.value;
    let sha256 = wheel.sha256.as_ref().map(|sha256| sha256.value);
    cid.codec() == Codec::Raw && sha256 == Some(cid.digest())
}

/// The reason why the content-id cannot belong to the file, as a clause, with the key that it
/// contradicts.
fn contradiction(wheel: &DeclaredWheel) -> Option<(&'static str, String)> {
    let cid = wheel.content_id.value;
    if let Some(sha256) = &wheel.sha256 {
        let is_same = sha256.value == cid.digest();
        match (cid.codec(), is_same) {
            (Codec::Raw, false) => {
                let clause = format!(
                    "a file with this content-id has the SHA-256 {}",
                    cid.digest()
                );
                return Some(("sha256", clause));
            }
            (Codec::DagPb, true) => {
                let clause = "the SHA-256 in this content-id is that of its root block, not that of the file";
                return Some(("sha256", clause.to_owned()));
            }
            _ => {}
        }
    }
    let size = wheel.size.as_ref()?.value;
    let is_possible = !Profile::fitting(&cid, Profile::default(), Some(size)).is_empty();
    let clause = match cid.codec() {
        _ if is_possible => return None,
        Codec::Raw => "a file with this content-id is one block, of at most",
        Codec::DagPb => "a file with this content-id has several blocks and more than",
    };
    let sizes = Profile::ALL
        .into_iter()
        .filter(|profile| profile.raw_leaves())
        .map(Profile::chunk_size);
    let bound = match cid.codec() {
        Codec::Raw => sizes.max(),
        Codec::DagPb => sizes.min(),
    };
    let bound = bound.unwrap_or_default();
    Some(("size", format!("{clause} {bound} bytes")))
}

/// Whether two declarations declare the same wheel file; that is a finding of another kind.
fn is_same_file(one: &DeclaredWheel, other: &DeclaredWheel) -> bool {
    one.file_name.as_str() == other.file_name.as_str()
}

impl<'r> Owners<'r> {
    fn finding(&self, wheel: &'r DeclaredWheel) -> Option<Finding> {
        let contradiction = contradiction(wheel);
        let other_than = |owner: Option<&&'r DeclaredWheel>| {
            owner.copied().filter(|owner| !is_same_file(owner, wheel))
        };
        let owner = other_than(self.of_content.get(&wheel.content_id.value));
        if let Some(owner) = owner {
            return Some(same_content(wheel, owner, contradiction));
        }
        if let Some((key, clause)) = contradiction {
            let owner = other_than(self.of_sha256.get(&wheel.content_id.value.digest()));
            return Some(contradicted(wheel, key, clause, owner));
        }
        let sha256 = wheel.sha256.as_ref()?;
        let owner = other_than(self.of_sha256.get(&sha256.value))?;
        Some(same_sha256(wheel, owner))
    }
}

fn same_content(
    wheel: &DeclaredWheel,
    owner: &DeclaredWheel,
    contradiction: Option<(&str, String)>,
) -> Finding {
    let message = if is_proven(owner) {
        format!(
            "`{}` has the content-id of `{}`",
            wheel.file_name, owner.file_name
        )
    } else {
        format!(
            "`{}` and `{}` have the same content-id",
            wheel.file_name, owner.file_name
        )
    };
    let mut finding = new(wheel, message, "declared here").at(
        &owner.file,
        owner.content_id.span.clone(),
        format!("the content-id of `{}`", owner.file_name.name()),
    );
    if let Some((key, clause)) = contradiction {
        finding = finding.note(format!("`{key}` beside it describes other bytes: {clause}"));
    }
    finding.help(
        "two wheels never have the same bytes: `ipwhl cid FILE` prints the content-id of each",
    )
}

fn contradicted(
    wheel: &DeclaredWheel,
    key: &str,
    clause: String,
    owner: Option<&DeclaredWheel>,
) -> Finding {
    let message = match owner {
        Some(owner) => format!(
            "`{}` has the content-id of `{}`",
            wheel.file_name, owner.file_name
        ),
        None => format!(
            "the content-id of `{}` contradicts its `{key}`",
            wheel.file_name
        ),
    };
    let beside = match key {
        "sha256" => wheel.sha256.as_ref().map(|sha256| sha256.span.clone()),
        _ => wheel.size.as_ref().map(|size| size.span.clone()),
    };
    let mut finding = new(wheel, message, "");
    if let Some(span) = beside {
        finding = finding.at(&wheel.file, span, "describes another file");
    }
    if let Some(owner) = owner {
        let span = owner.sha256.as_ref().map(|sha256| sha256.span.clone());
        let words = format!("the same bytes as `{}`", owner.file_name.name());
        finding = finding.at(&owner.file, span.unwrap_or_else(|| owner.span()), words);
    }
    finding.note(clause).help(
        "find out which of them is right: `ipwhl cid FILE` prints the content-id of the \
               wheel, `sha256sum FILE` its SHA-256",
    )
}

/// The content-ids differ, perhaps because they belong to two profiles.
fn same_sha256(wheel: &DeclaredWheel, owner: &DeclaredWheel) -> Finding {
    let message = format!(
        "`{}` and `{}` have the same SHA-256",
        wheel.file_name, owner.file_name
    );
    let place = |wheel: &DeclaredWheel| wheel.sha256.as_ref().map(|sha256| sha256.span.clone());
    let finding = Finding::new(Code::ConflictingDigest, message);
    let span = place(wheel).unwrap_or_else(|| wheel.span());
    about(wheel, finding, span, "declared here")
        .at(
            &owner.file,
            place(owner).unwrap_or_else(|| owner.span()),
            format!("the SHA-256 of `{}`", owner.file_name.name()),
        )
        .help("two wheels never have the same bytes: `sha256sum FILE` prints the SHA-256 of each")
}

fn new(wheel: &DeclaredWheel, message: String, label: &str) -> Finding {
    let finding = Finding::new(Code::ConflictingDigest, message);
    about(wheel, finding, wheel.content_id.span.clone(), label)
}

/// Merges findings about the bytes of a wheel into the finding that its declaration contradicts
/// itself. Bytes that cannot match are not a second mistake.
pub(crate) fn take_in_mismatches(findings: &mut Vec<Finding>) {
    let is_about = |one: &Finding, other: &Finding| {
        one.subject.wheel == other.subject.wheel
            && one.labels.first().map(|label| &label.file)
                == other.labels.first().map(|label| &label.file)
    };
    // A missing source is a finding even if the content-id is wrong.
    let (of_bytes, mut others): (Vec<Finding>, Vec<Finding>) =
        std::mem::take(findings).into_iter().partition(|finding| {
            finding.code.stage() == Stage::Wheel && finding.code != Code::MissingSource
        });
    let mut conflicts: Vec<&mut Finding> = others
        .iter_mut()
        .filter(|finding| finding.code == Code::ConflictingDigest)
        .collect();
    for finding in of_bytes {
        let is_mismatch = matches!(
            finding.code,
            Code::ContentIdMismatch | Code::Sha256Mismatch | Code::SizeMismatch
        );
        match conflicts.iter_mut().find(|one| is_about(one, &finding)) {
            Some(conflict) if is_mismatch => {
                let said = std::iter::once(finding.message.into()).chain(finding.notes);
                let new: Vec<Note> = said.filter(|note| !conflict.notes.contains(note)).collect();
                conflict.notes.extend(new);
            }
            Some(_) => {}
            None => findings.push(finding),
        }
    }
    findings.append(&mut others);
}
