//! The formats that findings are written in.

use super::{Report, github, gitlab, json, markdown, sarif};

/// The output format of findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MessageFormat {
    /// Text for people.
    #[default]
    Text,
    /// One JSON object on each line.
    Json,
    /// SARIF 2.1.0, the format of code scanners.
    Sarif,
    /// Workflow commands of GitHub Actions, which become annotations.
    Github,
    /// A code quality report of GitLab.
    Gitlab,
    /// A checklist for a comment on a pull request.
    Markdown,
}

impl MessageFormat {
    /// Every format.
    pub const ALL: &[Self] = &[
        Self::Text,
        Self::Json,
        Self::Sarif,
        Self::Github,
        Self::Gitlab,
        Self::Markdown,
    ];

    /// The format's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Markdown => "markdown",
        }
    }

    /// A short description.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Text => "text for people, on standard error",
            Self::Json => "one JSON object on each line",
            Self::Sarif => "SARIF 2.1.0, for code scanners",
            Self::Github => "workflow commands, which GitHub shows on the lines",
            Self::Gitlab => "a code quality report, which GitLab shows on the lines",
            Self::Markdown => "a checklist for a comment on a pull request",
        }
    }
}

impl Report<'_> {
    /// The report in a format for programs, with a line feed at the end unless it is empty. The
    /// result is empty for [`MessageFormat::Text`]: [`super::render()`] formats single findings for
    /// people.
    pub fn write(&self, format: MessageFormat) -> String {
        match format {
            MessageFormat::Text => String::new(),
            MessageFormat::Json => json::json(self),
            MessageFormat::Sarif => sarif::sarif(self),
            MessageFormat::Github => github::github(self),
            MessageFormat::Gitlab => gitlab::gitlab(self),
            MessageFormat::Markdown => markdown::markdown(self),
        }
    }
}
