//! Directives for editors, such as `#:schema ../schemas/declaration.schema.json`: comments at the
//! top of a text that refer to another file of the repository.

use super::DECLARATION_SCHEMA_FILE;

/// Whether a comment is a directive for editors.
pub(super) fn is_directive(comment: &str) -> bool {
    comment.starts_with("#:")
}

/// The directive that refers from a declaration to its schema, without its line feed.
/// `declarations` is the path of their folder from the repository's folder, with `/`.
pub fn schema_directive(declarations: &str) -> String {
    let upwards = "../".repeat(declarations.split('/').count());
    format!("#:schema {upwards}{DECLARATION_SCHEMA_FILE}")
}

/// A canonical text without the directives at its top. Outside of the repository they would refer
/// to nothing.
pub(crate) fn without_directives(canonical: &str) -> &str {
    let mut rest = canonical;
    while is_directive(rest) {
        rest = rest.split_once('\n').map_or("", |(_, rest)| rest);
    }
    if rest.len() == canonical.len() {
        return canonical;
    }
    rest.trim_start_matches('\n')
}
