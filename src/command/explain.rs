//! `ipwhl explain`: the meaning of a finding's code.

use clap::{Args, ValueEnum};

use super::context::Context;
use super::draw::to_json;
use super::exit::ExitStatus;
use crate::foundation::diagnostic::{Code, Explanation, Inert, Stage, nearest, wrap};
use crate::foundation::failure::Failure;

/// The maximum width of prose, in columns. Longer lines are hard to read.
const WIDEST: usize = 100;

/// The indent of blocks and lists.
const INDENT: &str = "    ";

/// Explain the code of a finding
///
/// Prints the rule, why it exists, an example that breaks it, and how to fix it. Without a code,
/// lists all codes.
///
/// Example: ipwhl explain unsatisfied-dependency
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The code, as printed in brackets after `error` or `warning`
    #[arg(value_name = "CODE")]
    code: Option<String>,
    /// The output format: text for people, or one JSON object on each line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Text,
    Json,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let codes = match &arguments.code {
        Some(word) => vec![code(word)?],
        None => Code::ALL.to_vec(),
    };
    match (arguments.format, &arguments.code) {
        (Format::Json, _) => {
            for code in codes {
                context.result(&to_json(&Explanation::of(code))?)?;
            }
        }
        (Format::Text, Some(_)) => {
            for code in codes {
                context.result(explained(context, &Explanation::of(code)).trim_end())?;
            }
        }
        (Format::Text, None) => context.result(list(context).trim_end())?,
    }
    Ok(ExitStatus::Clean)
}

/// Parses a code. The error names the nearest one.
fn code(word: &str) -> Result<Code, Failure> {
    word.parse().map_err(|error| {
        let failure = Failure::usage(error);
        match nearest(word, Code::ALL.iter().map(|code| code.as_str())) {
            Some(code) => failure.help(format!("did you mean `{code}`?")),
            None => failure.help("`ipwhl explain` lists the codes"),
        }
    })
}

/// The list of codes, grouped by stage.
fn list(context: &Context<'_>) -> Inert {
    let width = context.style(true).width.min(WIDEST);
    let longest = Code::ALL
        .iter()
        .map(|code| code.as_str().len())
        .max()
        .unwrap_or_default();
    let mut text = Inert::default();
    let mut stage: Option<Stage> = None;
    for code in Code::ALL {
        if stage != Some(code.stage()) {
            let gap = if stage.is_some() { "\n" } else { "" };
            text += gap;
            text += context.heading(code.stage().as_str());
            text += ":\n";
            stage = Some(code.stage());
        }
        let name = format!("{INDENT}{:longest$}  ", code.as_str());
        text += &wrap(code.summary(), width, &name, &" ".repeat(name.len()));
        text += "\n";
    }
    text
}

fn explained(context: &Context<'_>, explanation: &Explanation) -> Inert {
    let width = context.style(true).width.min(WIDEST);
    let mut text = context.heading(explanation.code.as_str());
    text += "\n\n";
    text += &prose(explanation.rule, width);
    text += &prose(explanation.weight(), width);
    for (heading, section) in explanation.sections() {
        text += context.heading(heading);
        text += "\n\n";
        text += &prose(section, width);
    }
    text
}

/// Markdown for a terminal: paragraphs are wrapped to its width, blocks are indented instead of
/// fenced.
fn prose(markdown: &str, width: usize) -> String {
    let mut text = String::new();
    let mut paragraph = String::new();
    let mut in_block = false;
    for line in markdown.lines().chain([""]) {
        if line.starts_with("```") {
            if in_block {
                text.push('\n');
            }
            in_block = !in_block;
        } else if in_block {
            text += &format!("{INDENT}{line}\n");
        } else if !line.is_empty() {
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph += line;
        } else if !paragraph.is_empty() {
            text += &wrap(&paragraph, width, "", "");
            text += "\n\n";
            paragraph.clear();
        }
    }
    text
}
