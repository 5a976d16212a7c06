//! Names that conflict on some systems, and names that some systems do not allow.
//!
//! Linux compares names byte by byte. The rules of other systems are approximated here so that they
//! find too many conflicts rather than too few:
//!
//! - Windows (NTFS) compares names after converting each UTF-16 unit to upper case. It reserves
//!   some names for devices, with any ending, and the Win32 interface drops dots and spaces at the
//!   end of a name.
//! - macOS (APFS, in its default setting) compares names after decomposing and case folding.
//!
//! Folders conflict, too: with `Foo/a.py` and `foo/b.py` it depends on the system whether a wheel
//! has the package `foo`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use icu_normalizer::DecomposingNormalizerBorrowed;

use super::NameConflict;
use super::problems::shown;
use crate::SystemFamily;

/// The place of a member after installation.
#[derive(Debug)]
pub(super) struct Place<'m> {
    /// The member's name.
    pub(super) member: &'m str,
    /// Its folder in `*.data`; empty if it is in none.
    pub(super) scheme: &'m str,
    /// The path for comparisons, without `/` at its end.
    pub(super) path: String,
    pub(super) is_folder: bool,
}

/// Two members with the same place.
pub(super) struct Clash<'p> {
    pub(super) one: &'p Place<'p>,
    pub(super) other: &'p Place<'p>,
    kind: ClashKind,
}

#[derive(Clone)]
enum ClashKind {
    File,
    FileAndFolder,
    /// A folder above both with these two spellings.
    Folder([String; 2]),
}

impl Clash<'_> {
    /// The conflict, as a sentence that may continue with a system.
    pub(super) fn message(&self) -> String {
        let (one, other) = (shown(self.one.member), shown(self.other.member));
        match self.kind {
            ClashKind::File => format!("{one} and {other} are one file"),
            ClashKind::FileAndFolder => {
                format!("{one} and {other} are a file and a folder of one name")
            }
            ClashKind::Folder(..) => format!("the folders of {one} and {other} are one"),
        }
    }
}

/// The pairs of members with the same place if names are compared after `fold`. If many members are
/// in two folders with the same place, only two are named.
pub(super) fn clashes<'p>(
    places: &'p [Place<'p>],
    fold: impl Fn(&str) -> Cow<'_, str>,
) -> Vec<Clash<'p>> {
    let mut folded: Vec<(Cow<'_, str>, &Place<'_>)> = places
        .iter()
        .map(|place| (fold(&place.path), place))
        .collect();
    // With `/` sorted before every other byte, a name is followed by its copies and then by the
    // contents of a folder of that name, so it is enough to compare neighbours.
    folded.sort_by(|(left, one), (right, other)| {
        let by_name = in_tree_order(left).cmp(in_tree_order(right));
        by_name.then_with(|| (&one.path, one.scheme).cmp(&(&other.path, other.scheme)))
    });
    let mut folders = BTreeSet::new();
    let mut found = Vec::new();
    for pair in folded.windows(2) {
        let [(left, one), (right, other)] = pair else {
            continue;
        };
        let Some(kind) = clash((left, one), (right, other)) else {
            continue;
        };
        if let ClashKind::Folder(mut spellings) = kind.clone() {
            spellings.sort_unstable();
            if !folders.insert(spellings) {
                continue;
            }
        }
        found.push(Clash { one, other, kind });
    }
    found
}

/// A name's bytes, with `/` sorted before every other one.
pub(super) fn in_tree_order(name: &str) -> impl Iterator<Item = u16> {
    name.bytes().map(|byte| match byte {
        b'/' => 0,
        other => u16::from(other) + 1,
    })
}

fn clash((left, one): (&str, &Place<'_>), (right, other): (&str, &Place<'_>)) -> Option<ClashKind> {
    let mut spelled_one = one.path.split('/');
    let mut spelled_other = other.path.split('/');
    let (mut left, mut right) = (left.split('/').peekable(), right.split('/').peekable());
    let mut above = 0;
    while let (Some(name), Some(same)) = (left.next(), right.next()) {
        if name != same {
            return None;
        }
        let (spelled, otherwise) = (spelled_one.next()?, spelled_other.next()?);
        let is_last = (left.peek().is_none(), right.peek().is_none());
        let folders = (!is_last.0 || one.is_folder, !is_last.1 || other.is_folder);
        match folders {
            (false, false) => return Some(ClashKind::File),
            (true, true) if spelled == otherwise => {}
            (true, true) => {
                let (start, end) = (above + spelled.len(), above + otherwise.len());
                let part = |path: &str, end| path.get(..end).unwrap_or(path).to_owned();
                let (one, other) = (part(&one.path, start), part(&other.path, end));
                return Some(ClashKind::Folder([one, other]));
            }
            _ => return Some(ClashKind::FileAndFolder),
        }
        // Both are equal up to here.
        above += spelled.len() + 1;
    }
    None
}

/// Conflicts and invalid names on some system; at most `limit` of each.
pub(super) fn name_conflicts(places: &[Place<'_>], limit: usize) -> Vec<NameConflict> {
    let mut conflicts: Vec<NameConflict> = Vec::new();
    let mut add = |system: SystemFamily, message: String| match conflicts
        .iter_mut()
        .find(|one| one.message == message)
    {
        Some(same) => same.systems.push(system),
        None => conflicts.push(NameConflict {
            systems: vec![system],
            message,
        }),
    };
    // Conflicts on every system are problems of the wheel itself.
    let is_of_system = |clash: &Clash<'_>| !is_in_or_same(&clash.one.path, &clash.other.path);
    let folded = clashes(places, fold_decomposed);
    for clash in folded.iter().filter(|one| is_of_system(one)).take(limit) {
        add(SystemFamily::MacOs, clash.message());
    }
    let folded = clashes(places, fold_case);
    for clash in folded.iter().filter(|one| is_of_system(one)).take(limit) {
        add(SystemFamily::Windows, clash.message());
    }
    let mut unnameable: BTreeSet<&str> = BTreeSet::new();
    for place in places {
        let mut end = 0;
        for component in place.member.split('/') {
            end += component.len();
            let reason = refused_by_windows(component);
            if let (Some(reason), Some(path)) = (reason, place.member.get(..end))
                && unnameable.len() < limit
                && unnameable.insert(path)
            {
                add(SystemFamily::Windows, format!("{} {reason}", shown(path)));
            }
            end += 1;
        }
    }
    conflicts
}

/// Whether `other` is the path `one`, or below it; of two conflicting ones, the longer is the
/// second.
fn is_in_or_same(one: &str, other: &str) -> bool {
    other
        .strip_prefix(one)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Upper case and back, which unites everything that either conversion does.
fn fold_case(name: &str) -> Cow<'_, str> {
    Cow::Owned(name.to_uppercase().to_lowercase())
}

fn fold_decomposed(name: &str) -> Cow<'_, str> {
    const DECOMPOSED: DecomposingNormalizerBorrowed<'static> =
        DecomposingNormalizerBorrowed::new_nfd();
    let folded = DECOMPOSED.normalize(name).to_uppercase().to_lowercase();
    Cow::Owned(DECOMPOSED.normalize(&folded).into_owned())
}

/// The reason why Windows cannot create a file with this name, or creates another one.
///
/// *Naming Files, Paths, and Namespaces* of the Win32 documentation. Backslashes and control
/// characters are refused on every system.
fn refused_by_windows(component: &str) -> Option<&'static str> {
    if component.contains(['<', '>', ':', '"', '|', '?', '*']) {
        return Some("has a character that no file name has");
    }
    if component.ends_with(['.', ' ']) && !matches!(component, "." | "..") {
        return Some("ends with a dot or a space, which is dropped");
    }
    let stem = component.split('.').next().unwrap_or_default();
    is_device(stem.trim_end_matches(' ')).then_some("is the name of a device")
}

fn is_device(stem: &str) -> bool {
    let stem = stem.to_ascii_uppercase();
    if matches!(
        stem.as_str(),
        "CON" | "PRN" | "AUX" | "NUL" | "CONIN$" | "CONOUT$"
    ) {
        return true;
    }
    let number = stem
        .strip_prefix("COM")
        .or_else(|| stem.strip_prefix("LPT"));
    let mut number = number.unwrap_or_default().chars();
    let digit = number.next();
    digit.is_some_and(|digit| digit.is_ascii_digit() || matches!(digit, '¹' | '²' | '³'))
        && number.next().is_none()
}
