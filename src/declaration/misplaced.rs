//! `misplaced-declaration`: a declaration whose file is not named for its project.

use std::sync::Arc;

use super::{DeclaredWheel, Layout};
use crate::diagnostic::{Code, Finding};
use crate::python::ProjectName;

/// Whether a declaration stands where its project belongs; a finding where not.
pub(crate) fn misplaced(
    file: &Arc<str>,
    declarations: &str,
    wheels: &[DeclaredWheel],
    layout: Layout,
) -> Option<Finding> {
    let wheel = wheels.first()?;
    let project: &ProjectName = wheel.file_name.name();
    let (belongs, written) = match layout {
        Layout::Package => (format!("{declarations}/{project}.toml"), file.to_string()),
        Layout::Ipwhl1 => {
            let parts: Vec<&str> = file.rsplit('/').collect();
            let folder = parts.get(1).copied().unwrap_or_default();
            let is_its_own = folder.parse::<ProjectName>().ok().as_ref() == Some(project);
            let folder = if is_its_own { folder } else { project.as_str() };
            // The prefix is the low 8 bits of the sum of the code points of the name as written.
            let sum = folder
                .chars()
                .fold(0_u32, |sum, character| sum.wrapping_add(character.into()));
            let name = parts.first().copied().unwrap_or_default();
            (
                format!("{declarations}/{:02x}/{folder}/{name}", sum & 0xff),
                file.to_string(),
            )
        }
    };
    let other = wheels
        .iter()
        .find(|other| other.file_name.name() != project);
    if belongs == written && other.is_none() {
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
        None => Finding::new(
            Code::MisplacedDeclaration,
            format!("`{project}` is declared in `{written}`"),
        )
        .at(file, wheel.span(), format!("a wheel of `{project}`"))
        .help(format!("move the file to `{belongs}`")),
    };
    Some(finding.project(project))
}
