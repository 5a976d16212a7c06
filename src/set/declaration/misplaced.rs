//! `misplaced-declaration`: a declaration whose file is not named for its project, or in the layout
//! `ipwhl-1` not for its wheel. `noncanonical-place`: a declaration of that layout whose path names
//! the right wheel in another spelling.

use std::collections::BTreeSet;
use std::sync::Arc;

use ipwhl_packaging::ProjectName;

use super::{DeclaredWheel, Layout};
use crate::foundation::diagnostic::{Code, Finding};

/// Returns a finding if a declaration is not in the file of its project. `taken` are the paths that
/// have a declaration already or are proposed for another one.
pub(crate) fn misplaced(
    file: &Arc<str>,
    declarations: &str,
    wheels: &[DeclaredWheel],
    layout: Layout,
    taken: &mut BTreeSet<String>,
) -> Option<Finding> {
    let wheel = wheels.first()?;
    let project: &ProjectName = wheel.file_name.name();
    let belongs = match layout {
        Layout::Package => format!("{declarations}/{project}.toml"),
        Layout::Ipwhl1 => place_of_original(file, declarations, wheel),
    };
    let other = wheels
        .iter()
        .find(|other| other.file_name.name() != project);
    if belongs == **file && other.is_none() {
        return None;
    }
    let finding = match other {
        Some(other) => Finding::new(
            Code::MisplacedDeclaration,
            format!(
                "`{}` is declared in the file of `{project}`",
                other.file_name
            ),
        )
        .at(file, other.span(), "")
        .help(format!(
            "declare it in the file of `{}`",
            other.file_name.name()
        )),
        None => {
            let what = match layout {
                Layout::Package => project.as_str(),
                Layout::Ipwhl1 => wheel.file_name.as_str(),
            };
            // The release uses the stem as written, so a path with the right stem is unambiguous.
            let code = if layout == Layout::Ipwhl1 && says_the_same(file, declarations, wheel) {
                Code::NoncanonicalPlace
            } else {
                Code::MisplacedDeclaration
            };
            let finding = Finding::new(code, format!("`{what}` is declared in `{file}`")).at(
                file,
                wheel.span(),
                format!("a wheel of `{project}`"),
            );
            let finding = finding.help(if taken.insert(belongs.clone()) {
                format!("move the file to `{belongs}`")
            } else {
                format!(
                    "`{belongs}` has another declaration: move the needed parts of this one into \
                     it, and remove this file"
                )
            });
            with_reason(finding, file, &belongs)
        }
    };
    Some(finding.project(project))
}

/// In the layout `ipwhl-1`: whether the original's tools read the path as a declaration of this
/// project in this version: `<declarations>/<any folder>/<Project>/<wheel name>.toml`.
fn says_the_same(file: &str, declarations: &str, wheel: &DeclaredWheel) -> bool {
    let below = file
        .strip_prefix(declarations)
        .and_then(|below| below.strip_prefix('/'));
    let parts: Vec<&str> = below.unwrap_or_default().split('/').collect();
    let [_, folder, _] = parts[..] else {
        return false;
    };
    let (name, version) = (wheel.file_name.name(), wheel.file_name.version());
    let released = wheel.released.as_ref();
    folder.parse::<ProjectName>().ok().as_ref() == Some(name)
        && released.is_some_and(|one| one.name() == name && one.version() == version)
}

/// In the layout `ipwhl-1`: adds the wrong part of the path, and the reason.
fn with_reason(mut finding: Finding, written: &str, belongs: &str) -> Finding {
    let parts = |path: &str| -> Vec<String> { path.rsplit('/').map(str::to_owned).collect() };
    let (written, belongs) = (parts(written), parts(belongs));
    if belongs.len() < 4 {
        return finding;
    }
    for (index, reason) in [
        (
            2,
            "is the low byte of the sum of the code points of the project's name, in hexadecimal",
        ),
        (1, "is the project's name as it is written"),
        (
            0,
            "is the normalised name with `_`, the version, and the sorted sets of tags that WHEEL has",
        ),
    ] {
        if written.get(index) != Some(&belongs[index]) {
            finding = finding.note(format!("`{}` {reason}", belongs[index]));
        }
    }
    finding
}

/// `<declarations>/<prefix>/<Project>/<stem>.toml`.
fn place_of_original(file: &str, declarations: &str, wheel: &DeclaredWheel) -> String {
    let project = wheel.file_name.name();
    let mut parts = file.rsplit('/').skip(1);
    let folder = parts.next().unwrap_or_default();
    let is_its_own = folder.parse::<ProjectName>().ok().as_ref() == Some(project);
    let folder = if is_its_own { folder } else { project.as_str() };
    // The prefix is the low 8 bits of the sum of the code points of the name as written.
    let sum = folder
        .chars()
        .fold(0_u32, |sum, character| sum.wrapping_add(character.into()));
    let stem = stem_of_original(wheel);
    format!("{declarations}/{:02x}/{folder}/{stem}.toml", sum & 0xff)
}

/// `<name>-<version>-<tags>`. The tags should be those in WHEEL, which only the wheel itself shows,
/// so the tags of the stem are kept.
fn stem_of_original(wheel: &DeclaredWheel) -> String {
    let stem = wheel.stem.as_deref().unwrap_or_default();
    let declared = wheel.file_name.version();
    // One version has several spellings: the spelling in METADATA is not known here.
    let version = match &wheel.released {
        Some(released) if released.version() == declared => released.version(),
        _ => declared,
    };
    let tagged = match wheel.released {
        Some(_) => stem,
        None => wheel.file_name.stem(),
    };
    let mut tags: Vec<String> = tagged.rsplit('-').take(3).map(sorted).collect();
    tags.reverse();
    let name = wheel.file_name.name().as_str().replace('-', "_");
    format!("{name}-{version}-{}", tags.join("-"))
}

/// A compressed component with its members sorted and without repetitions.
fn sorted(component: &str) -> String {
    let members: BTreeSet<&str> = component.split('.').collect();
    members.into_iter().collect::<Vec<_>>().join(".")
}
