//! Licence expressions, and the terms that they consist of.
//!
//! Specification: SPDX 2.3, annex D, with the changes of PEP 639: identifiers and operators in upper or
//! lower case, `LicenseRef-` as the only reference. The crate `spdx` parses and evaluates; neither is
//! recursive.

use std::fmt;

use spdx::expression::{ExprNode, Operator};
use spdx::identifiers::{EXCEPTIONS, LICENSES};
use spdx::{Expression, LicenseId, LicenseItem, LicenseReq, ParseMode, license_id};

/// The most bytes of an expression. The longest one seen has some 300; more would only cost those who
/// read an SBOM.
const MAXIMUM_LENGTH: usize = 4_096;

/// Deprecated identifiers are those of older lists, and still mean one licence.
const MODE: ParseMode = ParseMode {
    allow_slash_as_or_operator: false,
    allow_imprecise_license_names: false,
    allow_postfix_plus_on_gpl: true,
    allow_deprecated: true,
    allow_unknown: false,
};

/// The prefix of licences outside of the SPDX list.
const REFERENCE: &str = "LicenseRef-";

/// A valid licence expression. Its text is canonical: the spelling of the SPDX list, operators in upper
/// case, no more parentheses than needed.
#[derive(Debug, Clone, PartialEq)]
pub struct LicenceExpression {
    parsed: Expression,
}

/// One licence of an expression, perhaps with an exception: `Apache-2.0 WITH LLVM-exception`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct LicenceTerm {
    requirement: LicenseReq,
}

/// The reason why a text is no licence expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpressionError {
    /// It is longer than any expression needs to be.
    #[error("it has {0} bytes; at most {MAXIMUM_LENGTH} are read")]
    TooLong(usize),
    /// A word is neither an identifier of the SPDX list nor `LicenseRef-` with a name.
    #[error("`{0}` is not an SPDX licence identifier")]
    UnknownWord(String),
    /// The words are in the wrong order: what is wrong, as half a sentence.
    #[error("it is not an SPDX licence expression: {0}")]
    Syntax(String),
    /// One licence was expected, and this is an expression of several, or of later versions.
    #[error("it is not a single licence")]
    NotOneLicence,
}

impl LicenceExpression {
    /// Reads an expression.
    ///
    /// # Errors
    /// When the text is no expression, or is too long.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        if text.len() > MAXIMUM_LENGTH {
            return Err(ExpressionError::TooLong(text.len()));
        }
        let spelled = spelled(text)?;
        let parsed = Expression::parse_mode(&spelled, MODE)
            .map_err(|error| ExpressionError::Syntax(error.reason.to_string()))?;
        Ok(Self { parsed })
    }

    /// Whether the expression is satisfied if its licences are accepted by a rule.
    pub fn is_satisfied(&self, mut accepts: impl FnMut(&LicenceTerm) -> bool) -> bool {
        self.parsed
            .evaluate(|requirement| accepts(&LicenceTerm::of(requirement)))
    }

    /// Its licences, sorted, each once.
    pub fn terms(&self) -> Vec<LicenceTerm> {
        let requirements = self.parsed.requirements();
        let mut terms: Vec<LicenceTerm> = requirements
            .map(|requirement| LicenceTerm::of(&requirement.req))
            .collect();
        terms.sort();
        terms.dedup();
        terms
    }

    /// Its references, `LicenseRef-` with a name, sorted, each once.
    pub fn references(&self) -> Vec<String> {
        let terms = self.terms();
        let mut references: Vec<String> = terms
            .iter()
            .filter(|term| matches!(term.requirement.license, LicenseItem::Other(_)))
            .map(|term| term.requirement.license.to_string())
            .collect();
        references.sort();
        references.dedup();
        references
    }

    /// The identifier, if the expression is one licence of the SPDX list and nothing else.
    pub fn single_id(&self) -> Option<String> {
        let mut nodes = self.parsed.iter();
        match (nodes.next(), nodes.next()) {
            (Some(ExprNode::Req(one)), None) => {
                let term = LicenceTerm::of(&one.req);
                let is_plain = match &term.requirement.license {
                    LicenseItem::Spdx { or_later, .. } => !or_later,
                    LicenseItem::Other(_) => false,
                };
                (is_plain && term.requirement.addition.is_none()).then(|| term.to_string())
            }
            _ => None,
        }
    }
}

impl fmt::Display for LicenceExpression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The nodes come in postfix order. A finished part is its text, and whether it is an `OR`.
        let mut parts: Vec<(String, bool)> = Vec::new();
        for node in self.parsed.iter() {
            let part = match node {
                ExprNode::Req(one) => (LicenceTerm::of(&one.req).to_string(), false),
                ExprNode::Op(operator) => {
                    let (Some(right), Some(left)) = (parts.pop(), parts.pop()) else {
                        return Err(fmt::Error);
                    };
                    match operator {
                        Operator::Or => (format!("{} OR {}", left.0, right.0), true),
                        Operator::And => {
                            (format!("{} AND {}", operand(left), operand(right)), false)
                        }
                    }
                }
            };
            parts.push(part);
        }
        let whole = parts.pop().map(|(text, _)| text);
        formatter.write_str(&whole.unwrap_or_default())
    }
}

/// A part as an operand of `AND`.
fn operand((text, is_or): (String, bool)) -> String {
    if is_or { format!("({text})") } else { text }
}

impl LicenceTerm {
    fn of(requirement: &LicenseReq) -> Self {
        let mut requirement = requirement.clone();
        // `GPL-3.0` of older lists is `GPL-3.0-only` in the newer ones.
        if let LicenseItem::Spdx {
            id,
            or_later: false,
        } = &mut requirement.license
            && id.is_gnu()
            && id.is_deprecated()
            && let Some(current) = license_id(&format!("{}-only", id.name))
        {
            *id = current;
        }
        Self { requirement }
    }

    /// Reads one licence, perhaps with an exception, as lists of licences have them.
    ///
    /// # Errors
    /// When the text is no expression, or more than one licence.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        let expression = LicenceExpression::parse(text)?;
        let mut terms = expression.terms().into_iter();
        match (terms.next(), terms.next()) {
            (Some(term), None) if !term.is_or_later_by_sign() => Ok(term),
            _ => Err(ExpressionError::NotOneLicence),
        }
    }

    fn is_or_later_by_sign(&self) -> bool {
        matches!(
            self.requirement.license,
            LicenseItem::Spdx { or_later: true, .. }
        )
    }

    /// Whether this entry of a list covers a licence of a wheel: it is the same licence with the same
    /// exception; or the wheel may be used under later versions, too, and this is one. Whether an entry
    /// ends with `-only` or `-or-later` makes no difference, because only the wheel's author chooses.
    pub fn allows(&self, licence: &Self) -> bool {
        self.is_of_family(licence, |own, other, or_later| {
            own == other || or_later && own > other
        })
    }

    /// Whether this entry of a list names a licence of a wheel, in the same version and with the same
    /// exception.
    pub fn names(&self, licence: &Self) -> bool {
        self.is_of_family(licence, |own, other, _| own == other)
    }

    fn is_of_family(
        &self,
        licence: &Self,
        versions: impl FnOnce(&[u64], &[u64], bool) -> bool,
    ) -> bool {
        let (own, other) = (&self.requirement, &licence.requirement);
        if own.addition != other.addition {
            return false;
        }
        match (&own.license, &other.license) {
            (
                LicenseItem::Spdx { id: own, .. },
                LicenseItem::Spdx {
                    id: other,
                    or_later,
                },
            ) => {
                let (own, other) = (Family::of(*own), Family::of(*other));
                let or_later = *or_later || other.or_later;
                own.name == other.name && versions(&own.version, &other.version, or_later)
            }
            (own, other) => own == other,
        }
    }
}

impl fmt::Display for LicenceTerm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.requirement.fmt(formatter)
    }
}

/// An identifier, taken apart: `GPL-3.0-or-later` is version 3.0 of `GPL-*`, or a later one.
struct Family {
    /// The identifier with `*` for its version, without `-only` and `-or-later`.
    name: String,
    /// The numbers of the version; empty if there is none.
    version: Vec<u64>,
    or_later: bool,
}

impl Family {
    fn of(id: LicenseId) -> Self {
        let or_later = id.is_gnu() && id.name.ends_with("-or-later");
        let mut name = id.name;
        if id.is_gnu() {
            name = name.strip_suffix("-or-later").unwrap_or(name);
            name = name.strip_suffix("-only").unwrap_or(name);
        }
        let mut version = Vec::new();
        let mut parts: Vec<&str> = name.split('-').collect();
        // Only a part with a point is a version: the number in `BSD-3-Clause` is none.
        let number = |part: &&str| {
            part.contains('.')
                && part
                    .chars()
                    .all(|sign| sign == '.' || sign.is_ascii_digit())
        };
        if let Some(part) = parts.iter_mut().find(|part| number(part)) {
            version = part.split('.').filter_map(|one| one.parse().ok()).collect();
            *part = "*";
        }
        Self {
            name: parts.join("-"),
            version,
            or_later,
        }
    }
}

/// The text with each word in the spelling of the SPDX list.
fn spelled(text: &str) -> Result<String, ExpressionError> {
    let mut spelled = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let is_end = |sign: char| sign.is_whitespace() || sign == '(' || sign == ')';
        let (word, after) = rest.split_at(rest.find(is_end).unwrap_or(rest.len()));
        if !word.is_empty() {
            spelled.push_str(&spelled_word(word)?);
        }
        let mut signs = after.chars();
        match signs.next() {
            Some(sign) if sign.is_whitespace() => spelled.push(' '),
            sign => spelled.extend(sign),
        }
        rest = signs.as_str();
    }
    Ok(spelled)
}

fn spelled_word(word: &str) -> Result<String, ExpressionError> {
    for operator in ["AND", "OR", "WITH"] {
        if word.eq_ignore_ascii_case(operator) {
            return Ok(operator.to_owned());
        }
    }
    let unknown = || ExpressionError::UnknownWord(shortened(word));
    if let Some((prefix, name)) = word.split_at_checked(REFERENCE.len())
        && prefix.eq_ignore_ascii_case(REFERENCE)
    {
        let is_name = |sign: char| sign.is_ascii_alphanumeric() || sign == '-' || sign == '.';
        return if !name.is_empty() && name.chars().all(is_name) {
            Ok(format!("{REFERENCE}{name}"))
        } else {
            Err(unknown())
        };
    }
    let (id, plus) = match word.strip_suffix('+') {
        Some(id) => (id, "+"),
        None => (word, ""),
    };
    let licences = LICENSES.iter().map(|one| one.name);
    let exceptions = EXCEPTIONS.iter().map(|one| one.name);
    let known = licences
        .chain(exceptions)
        .find(|name| name.eq_ignore_ascii_case(id));
    Ok(format!("{}{plus}", known.ok_or_else(unknown)?))
}

/// A word of a stranger in a message.
pub(super) fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
