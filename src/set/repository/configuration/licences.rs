//! `[licenses]`: the licences that the set accepts (format 2).

use std::ops::Range;

use ipwhl_packaging::{ProjectName, Version};

use super::Configuration;
use crate::foundation::diagnostic::{Code, Finding, Help, is_hidden, nearest};
use crate::set::declaration::reader::{Reader, Table};
use crate::set::declaration::{FormatVersion, Spanned};
use crate::set::licences::{
    Clarification, ExpressionError, LicenceException, LicenceExpression, LicencePolicy,
    LicenceTerm, UnknownLicences,
};

/// Reads `[licenses]`, if the settings have it.
pub(super) fn licences(reader: &Reader, top: &Table<'_, '_>, configuration: &mut Configuration) {
    if configuration.format < FormatVersion::V2 {
        return top.refuse_later(&["licenses"]);
    }
    let Some(table) = top.table("licenses", "`[licenses]`") else {
        return;
    };
    let before = reader.count();
    let allow = terms(reader, &table, "allow");
    let deny = terms(reader, &table, "deny").unwrap_or_default();
    for term in &deny {
        let mut allowed = allow.iter().flatten();
        if let Some(first) = allowed.find(|other| other.value.names(&term.value)) {
            reader.push(
                Finding::new(
                    Code::InvalidValue,
                    format!("`{}` is both allowed and denied", term.value),
                )
                .at(&reader.file, term.span.clone(), "denied here")
                .at(&reader.file, first.span.clone(), "allowed here")
                .help("keep one; an exception allows a denied licence for one project"),
            );
        }
    }
    let values = |terms: Vec<Spanned<LicenceTerm>>| -> Vec<LicenceTerm> {
        terms.into_iter().map(|term| term.value).collect()
    };
    let mut policy = LicencePolicy {
        allow: allow.map(values),
        deny: values(deny),
        unknown: unknown(reader, &table),
        ..LicencePolicy::default()
    };
    for entry in table.tables("exception", "a `[[licenses.exception]]` table") {
        let exception = exception(reader, &entry);
        entry.finish();
        policy.exceptions.extend(exception);
    }
    for entry in table.tables("clarify", "a `[[licenses.clarify]]` table") {
        let clarification = clarification(reader, &entry);
        entry.finish();
        let Some(clarification) = clarification else {
            continue;
        };
        let mut known = policy.clarifications.iter();
        let is_same = |one: &Clarification| {
            one.project == clarification.project
                && (one.version.is_none()
                    || clarification.version.is_none()
                    || one.version == clarification.version)
        };
        if known.any(is_same) {
            let message = format!("`{}` is clarified twice", clarification.project);
            reader.report(Code::InvalidValue, message, &entry.span);
        } else {
            policy.clarifications.push(clarification);
        }
    }
    table.finish();
    policy.is_broken = reader.count() > before;
    configuration.licences = Some(policy);
}

fn unknown(reader: &Reader, table: &Table<'_, '_>) -> UnknownLicences {
    let Some(text) = table.string("unknown") else {
        return UnknownLicences::default();
    };
    match text.value {
        "deny" => UnknownLicences::Deny,
        "allow" => UnknownLicences::Allow,
        _ => {
            let message = "`unknown` is `deny` or `allow`";
            reader.report(Code::InvalidValue, message, &text.span);
            UnknownLicences::default()
        }
    }
}

/// A list of licences, each once. A list that cannot be read allows nothing.
fn terms(
    reader: &Reader,
    table: &Table<'_, '_>,
    key: &'static str,
) -> Option<Vec<Spanned<LicenceTerm>>> {
    let mut terms: Vec<Spanned<LicenceTerm>> = Vec::new();
    let Some(list) = table.strings(key) else {
        return table.has(key).then_some(terms);
    };
    for text in list.value {
        match LicenceTerm::parse(text.value) {
            Ok(term) if terms.iter().any(|other| other.value == term) => {
                let message = format!("`{term}` is listed twice");
                reader.report(Code::InvalidValue, message, &text.span);
            }
            Ok(term) => terms.push(Spanned::new(term, text.span)),
            Err(error) => reader.push(no_licence(reader, text.value, &error, text.span)),
        }
    }
    Some(terms)
}

/// The finding about a text that is no licence.
fn no_licence(reader: &Reader, text: &str, error: &ExpressionError, span: Range<usize>) -> Finding {
    let message = match error {
        ExpressionError::UnknownWord(word) if word == text => error.to_string(),
        _ => format!("`{text}`: {error}"),
    };
    let finding = Finding::new(Code::InvalidValue, message).at(&reader.file, span, "");
    let ids = spdx::identifiers::LICENSES.iter().map(|one| one.name);
    let lower: Vec<(String, &str)> = ids.map(|id| (id.to_lowercase(), id)).collect();
    let nearest = nearest(text, lower.iter().map(|(lower, _)| lower.as_str()));
    let id = nearest.and_then(|word| lower.iter().find(|(lower, _)| lower == word));
    match (error, id) {
        (ExpressionError::UnknownWord(_), Some((_, id))) => {
            finding.help(Help::DidYouMean((*id).to_owned()))
        }
        (ExpressionError::NotOneLicence, _) => finding.help("write one licence for each entry"),
        _ => {
            finding.help("write it as the SPDX list does, as in `MIT` or `LicenseRef-Proprietary`")
        }
    }
}

fn exception(reader: &Reader, table: &Table<'_, '_>) -> Option<LicenceException> {
    let project = project(reader, table);
    let allow = terms(reader, table, "allow").unwrap_or_default();
    if !table.has("allow") {
        table.missing(
            "allow",
            "list the licences that are allowed for the project",
        );
    }
    let reason = reason(reader, table, "give the reason why they are acceptable");
    Some(LicenceException {
        project: project?,
        allow: allow.into_iter().map(|term| term.value).collect(),
        reason: reason?,
        span: table.span.clone(),
    })
}

fn clarification(reader: &Reader, table: &Table<'_, '_>) -> Option<Clarification> {
    let project = project(reader, table);
    let version = table.string("version").map(|text| {
        let version = text.value.parse::<Version>();
        if version.is_err() {
            let message = format!("`{}` is not a version", text.value);
            reader.report(Code::InvalidValue, message, &text.span);
        }
        version.ok()
    });
    let expression = table.string("expression").and_then(|text| {
        let expression = LicenceExpression::parse(text.value);
        expression
            .map_err(|error| reader.push(no_licence(reader, text.value, &error, text.span)))
            .ok()
    });
    if !table.has("expression") {
        table.missing(
            "expression",
            "write the licence, as in `expression = \"MIT\"`",
        );
    }
    let reason = reason(reader, table, "say where the licence is stated");
    // A version that cannot be read must not become all versions.
    let version = match version {
        Some(version) => Some(version?),
        None if table.has("version") => return None,
        None => None,
    };
    Some(Clarification {
        project: project?,
        version,
        expression: expression?,
        reason: reason?,
        span: table.span.clone(),
    })
}

fn project(reader: &Reader, table: &Table<'_, '_>) -> Option<ProjectName> {
    if !table.has("project") {
        table.missing("project", "name the project");
    }
    let text = table.string("project")?;
    text.value
        .parse()
        .map_err(|error| reader.report(Code::InvalidValue, format!("{error}"), &text.span))
        .ok()
}

/// One line of visible text.
fn reason(reader: &Reader, table: &Table<'_, '_>, help: &str) -> Option<String> {
    if !table.has("reason") {
        table.missing("reason", help);
    }
    let text = table.string("reason")?;
    if text.value.trim().is_empty() || text.value.contains(is_hidden) {
        let message = "`reason` must be one line of visible text, and not empty";
        reader.report(Code::InvalidValue, message, &text.span);
        return None;
    }
    Some(text.value.to_owned())
}
