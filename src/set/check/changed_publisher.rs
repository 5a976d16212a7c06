//! `changed-publisher`: the publisher of a project is another one than before, or gone.

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::Declaration;

/// Compares a declaration with an earlier one of the same project. A project that had no publisher
/// may get one.
pub(super) fn check(before: &Declaration, now: &Declaration) -> Option<Finding> {
    let earlier = &before.provenance.publisher.as_ref()?.value;
    let publisher = now.provenance.publisher.as_ref();
    if publisher.is_some_and(|publisher| publisher.value == *earlier) {
        return None;
    }
    let (project, old, new) = (&now.project, before.version(), now.version());
    let is_other_version = old != new;
    let what = if publisher.is_some() {
        "has another publisher than"
    } else {
        "has no publisher, unlike"
    };
    let message = if is_other_version {
        format!("`{project}` {new} {what} {old}")
    } else {
        format!("`{project}` {new} {what} before")
    };
    let (file, span, text) = match publisher {
        Some(publisher) => (&now.file, publisher.span.clone(), "the publisher now"),
        None => (
            &now.wheels[0].file,
            now.wheels[0].span(),
            "without a publisher",
        ),
    };
    let finding = Finding::new(Code::ChangedPublisher, message)
        .at(file, span, text)
        .note(format!("before: {earlier}"))
        .note(match publisher {
            Some(publisher) => format!("now: {}", publisher.value),
            None => "now: none".to_owned(),
        })
        .note("a stolen account publishes without the project's own workflow, or with another one")
        .help(
            "ask the project whether it publishes in another way now: its repository and its \
             release notes say so",
        );
    let finding = if is_other_version {
        finding.help(format!("until then, stay at {old}"))
    } else {
        finding
    };
    Some(finding.project(project))
}
