//! `--allow`: codes whose errors are warnings in one run.

use std::collections::BTreeSet;

use clap::Args;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::context::Context;
use crate::foundation::diagnostic::{Code, Finding, Severity, nearest};
use crate::set::declaration::Layout;
use crate::set::repository::Repository;

/// The codes to allow.
#[derive(Debug, Args)]
pub(super) struct AllowArguments {
    /// Report findings of these codes as warnings in this run; to do so always, use `[severity]` in
    /// `ipwhl.toml`
    #[arg(
        long,
        value_name = "CODE",
        value_delimiter = ',',
        hide_possible_values = true,
        value_parser = SoftCode
    )]
    allow: Vec<Code>,
}

impl AllowArguments {
    /// Allows the codes in this repository.
    pub(super) fn apply(&self, repository: &mut Repository) {
        repository.configuration.allowed = self.allow.iter().copied().collect();
    }
}

/// Warns that the release does not record which errors `--allow` turned into warnings. The root
/// must not depend on an option, so the tree cannot hold it.
pub(super) fn warn_unrecorded(
    context: &Context<'_>,
    repository: &Repository,
    findings: &[Finding],
) {
    let configuration = &repository.configuration;
    let codes: BTreeSet<&str> = findings
        .iter()
        .map(|finding| finding.code)
        .filter(|code| {
            configuration.allowed.contains(code)
                && !configuration.severity.contains_key(code)
                && code.default_severity() == Severity::Error
        })
        .map(Code::as_str)
        .collect();
    // A release of the layout `ipwhl-1` records nothing about checks.
    if codes.is_empty() || configuration.layout == Layout::Ipwhl1 {
        return;
    }
    let quoted: Vec<String> = codes.iter().map(|code| format!("`{code}`")).collect();
    context.warning(&format!(
        "the release does not record that findings of {} were allowed: an option does not change the root",
        quoted.join(" and ")
    ));
    let lines: Vec<String> = codes
        .iter()
        .map(|code| format!("`{code} = \"warning\"`"))
        .collect();
    context.help(&format!(
        "to record it in the release, write {} under `[severity]` in `ipwhl.toml`",
        lines.join(" and ")
    ));
}

/// Parses a code whose severity may be changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct SoftCode;

impl TypedValueParser for SoftCode {
    type Value = Code;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> Result<Code, clap::Error> {
        let text = value.to_string_lossy();
        let refused = |tip: String| {
            let mut error = clap::Error::new(ErrorKind::InvalidValue).with_cmd(command);
            let argument = argument.map_or_else(|| "--allow".to_owned(), ToString::to_string);
            error.insert(ContextKind::InvalidArg, ContextValue::String(argument));
            let shown = ContextValue::String(text.clone().into_owned());
            error.insert(ContextKind::InvalidValue, shown);
            error.insert(
                ContextKind::Suggested,
                ContextValue::StyledStrs(vec![tip.into()]),
            );
            error
        };
        match text.parse::<Code>().map(Code::allow_override) {
            Ok(Ok(code)) => Ok(code),
            Ok(Err(hard)) => Err(refused(format!("{hard}: {}", hard.reason()))),
            Err(_) => {
                let soft = Code::ALL.iter().filter(|code| code.may_be_overridden());
                Err(refused(
                    match nearest(&text, soft.map(|code| code.as_str())) {
                        Some(word) => format!("did you mean `{word}`?"),
                        None => "`ipwhl explain` lists the codes".to_owned(),
                    },
                ))
            }
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let soft = Code::ALL.iter().filter(|code| code.may_be_overridden());
        Some(Box::new(soft.map(|code| {
            PossibleValue::new(code.as_str()).help(code.summary())
        })))
    }
}
