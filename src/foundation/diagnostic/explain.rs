//! The explanation of each code: the rule, its reason, an example that breaks it, and the fix.
//!
//! The texts are markdown, in one file for each code, `explain/<code>.md`. `ipwhl explain` prints
//! them. docs/findings.md contains all of them, and SARIF those of the codes that occur.

use serde::Serialize;

use super::{Code, Severity, Stage};

/// The explanation of a code. The texts are markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The code.
    pub code: Code,
    /// The stage that raises it.
    pub stage: Stage,
    /// Its severity, unless `[severity]` changes it.
    pub severity: Severity,
    /// Whether a waiver can cover it and `[severity]` can change it.
    #[serde(rename = "may_be_softened")]
    pub may_be_overridden: bool,
    /// The rule in one sentence.
    pub summary: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// The reason for the rule.
    pub why: &'static str,
    /// Files that break it: the name on one line, then the text as a block.
    pub example: &'static str,
    /// The fix.
    pub way_out: &'static str,
}

impl Explanation {
    /// The explanation of a code.
    pub fn of(code: Code) -> Self {
        let text = code.explanation();
        let (rule, rest) = section(text, "\n## Why\n");
        let (why, rest) = section(rest, "\n## Example\n");
        let (example, way_out) = section(rest, "\n## Way out\n");
        Self {
            code,
            stage: code.stage(),
            severity: code.default_severity(),
            may_be_overridden: code.may_be_overridden(),
            summary: code.summary(),
            rule,
            why,
            example,
            way_out: way_out.trim(),
        }
    }

    /// The severity and how it can be changed, in one or two sentences.
    pub fn weight(&self) -> &'static str {
        match (self.severity, self.may_be_overridden) {
            (Severity::Error, false) => {
                "This is an error. It cannot be waived, and its severity cannot be changed."
            }
            (Severity::Error, true) => {
                "This is an error. A waiver can cover it, and `[severity]` can change its severity."
            }
            // It is about no project.
            (Severity::Warning, _) if self.code == Code::OldDatabase => {
                "This is a warning. `[severity]` can make it an error or turn it off."
            }
            (Severity::Warning, _) => {
                "This is a warning. A waiver can cover it, and `[severity]` can make it an error \
                 or turn it off."
            }
        }
    }

    /// The sections with their headings, in order.
    pub fn sections(&self) -> [(&'static str, &'static str); 3] {
        [
            ("Why", self.why),
            ("Example", self.example),
            ("Way out", self.way_out),
        ]
    }
}

/// The text before a heading, and the text after it.
fn section(text: &'static str, heading: &str) -> (&'static str, &'static str) {
    let (before, after) = text.split_once(heading).unwrap_or((text, ""));
    (before.trim(), after)
}

/// Every explanation as one page: docs/findings.md.
pub fn findings_page() -> String {
    let mut page = String::from(
        "# ipwhl: explanations of findings\n\n\
         `ipwhl explain CODE` prints the explanation of a code. This page is generated from the same texts,\n\
         `src/foundation/diagnostic/explain/<code>.md`, with `IPWHL_REGENERATE=1 cargo test explain`.\n\n\
         | code | stage | severity | rule |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        page += &format!(
            "| [`{code}`](#{code}) | {} | {} | {} |\n",
            code.stage().as_str(),
            code.default_severity(),
            code.summary()
        );
    }
    for code in Code::ALL {
        let explanation = Explanation::of(*code);
        page += &format!(
            "\n## {code}\n\n{}\n\n{}\n",
            explanation.rule,
            explanation.weight()
        );
        for (heading, text) in explanation.sections() {
            page += &format!("\n### {heading}\n\n{text}\n");
        }
    }
    page
}
