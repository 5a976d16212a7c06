//! Texts that several commands share.

/// A number with its noun, as in `1 wheel` and `2 wheels`.
pub(super) fn counted(count: usize, word: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} {word}{ending}")
}
