//! `[severity]` and `[[waiver]]`: the severities of findings, and accepted findings.

use std::ops::Range;

use ipwhl_packaging::{ExtraName, Platform, ProjectName, Requirement};

use super::{Configuration, SeverityRule, Waiver};
use crate::foundation::diagnostic::{Code, Finding, Help, Severity, nearest};
use crate::set::declaration::reader::{Reader, Table};
use crate::set::declaration::{FormatVersion, Spanned};
use crate::set::repository::covers_platform;

pub(super) fn severities(
    reader: &Reader,
    table: &Table<'_, '_>,
    configuration: &mut Configuration,
) {
    for (key, value, span) in table.entries() {
        let Some(code) = code(reader, key.value, &key.span) else {
            continue;
        };
        let rule = match value.as_str() {
            Some("error") => SeverityRule::Weighs(Severity::Error),
            Some("warning") => SeverityRule::Weighs(Severity::Warning),
            Some("off") => SeverityRule::Off,
            _ => {
                reader.report(
                    Code::InvalidValue,
                    "a severity is `error`, `warning` or `off`",
                    &span,
                );
                continue;
            }
        };
        if rule != SeverityRule::Weighs(Severity::Error)
            && let Err(hard) = code.allow_override()
        {
            let finding = Finding::new(Code::InvalidValue, hard.to_string());
            reader.push(finding.at(&reader.file, key.span, "").note(hard.reason()));
            continue;
        }
        configuration.severity.insert(code, rule);
    }
}

fn code(reader: &Reader, text: &str, span: &Range<usize>) -> Option<Code> {
    match text.parse::<Code>() {
        Ok(code) => Some(code),
        Err(error) => {
            let mut finding = Finding::new(Code::InvalidValue, error.to_string()).at(
                &reader.file,
                span.clone(),
                "",
            );
            if let Some(word) = nearest(text, Code::ALL.iter().map(|code| code.as_str())) {
                finding = finding.help(Help::DidYouMean(word.to_owned()));
            }
            reader.push(finding);
            None
        }
    }
}

pub(super) fn waiver(
    reader: &Reader,
    table: &Table<'_, '_>,
    format: FormatVersion,
) -> Option<Waiver> {
    let required = |key: &'static str, help: &str| {
        let text = table.string(key);
        if text.is_none() && !table.has(key) {
            table.missing(key, help);
        }
        text
    };
    let invalid = |message: String, span: &Range<usize>| {
        reader.report(Code::InvalidValue, message, span);
    };
    let code = required("code", "name the finding that it covers").and_then(|text| {
        let code = code(reader, text.value, &text.span)?;
        if !code.may_be_overridden() {
            invalid(format!("`{code}` cannot be waived"), &text.span);
            return None;
        }
        Some(code)
    });
    let project =
        required("project", "name the project that would have to change").and_then(|text| {
            text.value
                .parse::<ProjectName>()
                .map_err(|error| invalid(format!("{error}"), &text.span))
                .ok()
        });
    let requirement = table.string("requirement").and_then(|text| {
        text.value
            .parse::<Requirement>()
            .map_err(|error| {
                reader.report(
                    Code::InvalidRequirement,
                    format!("`{}` is not a requirement: {}", text.value, error.message),
                    &text.span,
                );
            })
            .ok()
    });
    let extra = table.string("extra").and_then(|text| {
        text.value
            .parse::<ExtraName>()
            .map_err(|error| invalid(format!("{error}"), &text.span))
            .ok()
    });
    let wheel = table.string("wheel").map(|text| text.value.to_owned());
    let advisory = if format < FormatVersion::V2 {
        table.refuse_later(&["advisory"]);
        None
    } else {
        table.string("advisory").map(|text| text.value.to_owned())
    };
    let platforms = table.strings("platforms").map_or_else(Vec::new, |list| {
        list.value
            .into_iter()
            .map(|text| Spanned::new(text.value.to_owned(), text.span))
            .collect()
    });
    let reason = required("reason", "give the reason why it is acceptable");
    if let Some(reason) = &reason
        && reason.value.trim().is_empty()
    {
        invalid("a waiver needs a reason".to_owned(), &reason.span);
    }
    let expires = table.date("expires");
    if !table.has("expires") {
        table.missing("expires", "set the last day: `expires = 2027-03-01`");
    }
    Some(Waiver {
        span: table.span.clone(),
        code: code?,
        project: project?,
        requirement,
        wheel,
        extra,
        advisory,
        platforms,
        reason: reason?.value.to_owned(),
        expires: expires?,
    })
}

/// Reports entries of a waiver's `platforms` that match no supported platform.
pub(super) fn waived_platforms(reader: &Reader, waiver: &Waiver, supported: &[Platform]) {
    for word in &waiver.platforms {
        if supported.is_empty()
            || supported
                .iter()
                .any(|one| covers_platform(&word.value, one))
        {
            continue;
        }
        let mut known: Vec<String> = supported
            .iter()
            .flat_map(|one| [one.system().to_owned(), one.python_tag(), one.to_string()])
            .collect();
        known.sort();
        known.dedup();
        let finding = Finding::new(
            Code::InvalidValue,
            format!("`{}` does not name a supported platform", word.value),
        )
        .at(&reader.file, word.span.clone(), "");
        reader.push(
            match nearest(&word.value, known.iter().map(String::as_str)) {
                Some(nearest) => finding.help(Help::DidYouMean(nearest.to_owned())),
                None => finding.help(
                    "write a system, an interpreter, or both: `win_amd64`, `cp312`, \
                                  `cp312-win_amd64`",
                ),
            },
        );
    }
}
