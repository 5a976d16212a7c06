//! What each code means: the rule, why it exists, an example that raises it, the way out.
//!
//! The texts are markdown, `explain/<code>.md`, one file a code. `ipwhl explain` prints them,
//! docs/findings.md holds them all, and SARIF carries those of the codes that occur.

use serde::Serialize;

use super::{Code, Severity, Stage};

/// What a code means. The texts are markdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// The code.
    pub code: Code,
    /// The stage that raises it.
    pub stage: Stage,
    /// Its weight, unless `[severity]` says otherwise.
    pub severity: Severity,
    /// Whether a waiver or `[severity]` may change what it means.
    #[serde(rename = "may_be_softened")]
    pub may_be_overridden: bool,
    /// The rule in one sentence.
    pub summary: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// Why it exists.
    pub why: &'static str,
    /// Files that break it: each is named in a line of its own, and follows as a block.
    pub example: &'static str,
    /// How to be rid of it.
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

    /// What may be done about its weight, in a sentence.
    pub fn weight(&self) -> &'static str {
        match (self.severity, self.may_be_overridden) {
            (Severity::Error, false) => "An error, which can be neither waived nor softened.",
            (Severity::Error, true) => {
                "An error. A waiver may answer for it, and `[severity]` may change its weight."
            }
            (Severity::Warning, _) => {
                "A warning. A waiver may answer for it, and `[severity]` may make an error of it or turn it off."
            }
        }
    }

    /// The texts under their headings, in their order.
    pub fn sections(&self) -> [(&'static str, &'static str); 3] {
        [
            ("Why", self.why),
            ("Example", self.example),
            ("Way out", self.way_out),
        ]
    }
}

/// The text up to a heading, and what follows it.
fn section(text: &'static str, heading: &str) -> (&'static str, &'static str) {
    let (before, after) = text.split_once(heading).unwrap_or((text, ""));
    (before.trim(), after)
}

/// Every explanation as one page: docs/findings.md.
pub fn findings_page() -> String {
    let mut page = String::from(
        "# ipwhl: what each finding means\n\n\
         `ipwhl explain CODE` prints the text of a code. This page is made from the same texts,\n\
         `src/foundation/diagnostic/explain/<code>.md`; `IPWHL_REGENERATE=1 cargo test explain` writes it anew.\n\n\
         | code | stage | weight | rule |\n|---|---|---|---|\n",
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
