//! The known word that is most similar to a mistyped one.

/// The word of `known` that is most similar to `written`, if one is similar enough.
pub fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase().replace('_', "-");
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(&written, word), word))
        .filter(|(similarity, _)| *similarity > 0.75)
        .max_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, word)| word)
}
