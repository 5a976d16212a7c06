//! A set, or a part of it, as requirements, as constraints and as settings of uv.

use std::fmt::Write as _;

use super::closures::Closures;
use super::packages::{LockError, LockedProjects, Part};
use super::pylock::WheelDigest;
use crate::set::declaration::{Declaration, DeclaredWheel};
use crate::set::graph::Graph;
use crate::set::repository::Repository;

/// A `requirements.txt` of a part of a set, with the SHA-256 of each wheel.
///
/// # Errors
/// When no marker tells where a project is needed, or a digest is not known.
pub fn requirements<'r>(
    graph: &Graph<'r>,
    closures: &Closures<'r>,
    part: &Part<'r>,
    digest: &dyn Fn(&DeclaredWheel) -> Option<WheelDigest>,
) -> Result<String, LockError> {
    let mut text = String::new();
    for locked in LockedProjects::of(graph, closures, part)?.projects {
        text += &pinned(locked.declaration);
        if let Some(marker) = locked.marker {
            let _ = write!(text, " ; {marker}");
        }
        for wheel in &locked.declaration.wheels {
            let (_, sha256) = digest(wheel)
                .ok_or_else(|| LockError::UnknownDigest(wheel.file_name.as_str().to_owned()))?;
            let _ = write!(text, " \\\n    --hash=sha256:{sha256}");
        }
        text += "\n";
    }
    Ok(text)
}

/// Every version of a set, as constraints of pip and uv.
pub fn constraints(repository: &Repository) -> String {
    let declarations = repository.declarations.values();
    declarations.map(|one| pinned(one) + "\n").collect()
}

/// The settings of a project of uv: the index at this address and no other, and every version of a
/// set as a constraint.
pub fn uv_settings(repository: &Repository, index: &str) -> String {
    let index = toml_edit::Value::from(index);
    let mut text = "constraint-dependencies = [\n".to_owned();
    for declaration in repository.declarations.values() {
        let _ = writeln!(text, "    \"{}\",", pinned(declaration));
    }
    let _ = write!(text, "]\n\n[[index]]\nurl = {index}\ndefault = true\n");
    text
}

fn pinned(declaration: &Declaration) -> String {
    format!("{}=={}", declaration.project, declaration.version())
}
