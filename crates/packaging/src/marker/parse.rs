//! The marker grammar: text to an expression in canonical form.

use super::evaluate::mirrors_exactly;
use super::expression::{Comparison, MarkerOperator, Node, Operand, Variable};
use crate::name;
use crate::requirement_error::RequirementError;

/// Parentheses inside parentheses; real markers have two or three.
const MAX_DEPTH: usize = 64;

/// Reads the marker that is in `text` from byte `start` to the end.
pub(super) fn parse(text: &str, start: usize) -> Result<Node, RequirementError> {
    let mut parser = Parser {
        text,
        position: start,
        depth: 0,
    };
    let node = parser.any()?;
    if parser.rest().is_empty() {
        Ok(node)
    } else {
        Err(parser.unexpected("`and`, `or` or the end of the marker"))
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Bytes read so far; always on the boundary of a character.
    position: usize,
    depth: usize,
}

/// Whether a character continues a word, so that `order` is not read as `or`.
fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn skip_whitespace(&mut self) {
        let rest = self.rest();
        self.position += rest.len() - rest.trim_start_matches([' ', '\t']).len();
    }

    fn unexpected(&self, wanted: &str) -> RequirementError {
        let rest = self.rest();
        let length = match rest.chars().next() {
            None => {
                return RequirementError::new(
                    format!("expected {wanted}, found the end of the marker"),
                    self.text.len()..self.text.len(),
                );
            }
            Some(first) if is_word(first) => {
                rest.find(|c| !is_word(c) && c != '.').unwrap_or(rest.len())
            }
            Some(first) => first.len_utf8(),
        };
        RequirementError::new(
            format!(
                "expected {wanted}, found `{}`",
                rest[..length].escape_debug()
            ),
            self.position..self.position + length,
        )
    }

    /// Reads a whole word, or nothing.
    fn eat_word(&mut self, word: &str) -> bool {
        let found = self
            .rest()
            .strip_prefix(word)
            .is_some_and(|after| !after.starts_with(is_word));
        if found {
            self.position += word.len();
        }
        found
    }

    /// The rule `marker_or`.
    fn any(&mut self) -> Result<Node, RequirementError> {
        let mut nodes = Vec::new();
        loop {
            match self.all()? {
                Node::Any(inner) => nodes.extend(inner),
                node => nodes.push(node),
            }
            if !self.eat_word("or") {
                return Ok(single_or(nodes, Node::Any));
            }
        }
    }

    /// The rule `marker_and`.
    fn all(&mut self) -> Result<Node, RequirementError> {
        let mut nodes = Vec::new();
        loop {
            match self.expression()? {
                Node::All(inner) => nodes.extend(inner),
                node => nodes.push(node),
            }
            if !self.eat_word("and") {
                return Ok(single_or(nodes, Node::All));
            }
        }
    }

    /// The rule `marker_expr`, with the white space on both sides of it.
    fn expression(&mut self) -> Result<Node, RequirementError> {
        self.skip_whitespace();
        let open = self.position;
        let node = if self.rest().starts_with('(') {
            if self.depth == MAX_DEPTH {
                return Err(RequirementError::new(
                    format!("the marker has more than {MAX_DEPTH} parentheses inside each other"),
                    open..open + 1,
                ));
            }
            self.depth += 1;
            self.position += 1;
            let node = self.any()?;
            self.depth -= 1;
            if !self.rest().starts_with(')') {
                if self.rest().is_empty() {
                    return Err(RequirementError::new(
                        "the parenthesis in the marker is never closed",
                        open..open + 1,
                    ));
                }
                return Err(self.unexpected("`and`, `or` or `)`"));
            }
            self.position += 1;
            node
        } else {
            let left = self.operand()?;
            self.skip_whitespace();
            let operator = self.operator()?;
            self.skip_whitespace();
            let right = self.operand()?;
            Node::Compare(canonical(left, operator, right))
        };
        self.skip_whitespace();
        Ok(node)
    }

    /// The rule `marker_var`.
    fn operand(&mut self) -> Result<Operand, RequirementError> {
        let rest = self.rest();
        if let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) {
            return self.literal(quote);
        }
        let length = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.')
            .unwrap_or(rest.len());
        match Variable::from_name(&rest[..length]) {
            Some(variable) => {
                self.position += length;
                Ok(Operand::Variable(variable))
            }
            None => Err(self.unexpected("a marker variable or a text in quotes")),
        }
    }

    /// The rule `python_str`. Characters outside ASCII are let through, as installers do; of
    /// escapes the specification says that they are not defined, and two readers could differ about
    /// them.
    fn literal(&mut self, quote: char) -> Result<Operand, RequirementError> {
        let open = self.position;
        let inner = &self.rest()[1..];
        let Some(length) = inner.find(quote) else {
            return Err(RequirementError::new(
                "the quote in the marker is never closed",
                open..open + 1,
            ));
        };
        let text = &inner[..length];
        if let Some((at, bad)) = text
            .char_indices()
            .find(|(_, c)| *c == '\\' || (c.is_control() && *c != '\t'))
        {
            let at = open + 1 + at;
            return Err(RequirementError::new(
                format!("the character {bad:?} is not defined inside the quotes of a marker"),
                at..at + bad.len_utf8(),
            ));
        }
        self.position = open + 1 + length + 1;
        Ok(Operand::Literal(text.to_owned()))
    }

    /// The rule `marker_op`.
    fn operator(&mut self) -> Result<MarkerOperator, RequirementError> {
        // The longer ones first: `===` begins with `==`.
        const SYMBOLS: [MarkerOperator; 8] = [
            MarkerOperator::Identical,
            MarkerOperator::Equal,
            MarkerOperator::Compatible,
            MarkerOperator::NotEqual,
            MarkerOperator::LessOrEqual,
            MarkerOperator::GreaterOrEqual,
            MarkerOperator::Less,
            MarkerOperator::Greater,
        ];
        for operator in SYMBOLS {
            if self.rest().starts_with(operator.as_str()) {
                self.position += operator.as_str().len();
                return Ok(operator);
            }
        }
        if self.eat_word("in") {
            return Ok(MarkerOperator::In);
        }
        if self.eat_word("not") {
            self.skip_whitespace();
            if self.eat_word("in") {
                return Ok(MarkerOperator::NotIn);
            }
            return Err(self.unexpected("`in` after `not`"));
        }
        Err(self.unexpected("an operator such as `==`, `<` or `in`"))
    }
}

/// The one node, or all of them under `join`.
fn single_or(mut nodes: Vec<Node>, join: fn(Vec<Node>) -> Node) -> Node {
    match nodes.pop() {
        Some(only) if nodes.is_empty() => only,
        Some(last) => {
            nodes.push(last);
            join(nodes)
        }
        None => join(nodes),
    }
}

/// The comparison with its variable on the left where that means the same, and extras normalised.
fn canonical(left: Operand, operator: MarkerOperator, right: Operand) -> Comparison {
    let (left, right) = match (left, right) {
        (Operand::Variable(variable), Operand::Literal(text)) if names_extras(variable) => (
            Operand::Variable(variable),
            Operand::Literal(name::normalise(&text)),
        ),
        (Operand::Literal(text), Operand::Variable(variable)) if names_extras(variable) => (
            Operand::Literal(name::normalise(&text)),
            Operand::Variable(variable),
        ),
        sides => sides,
    };
    match (left, operator.mirrored(), right) {
        (Operand::Literal(text), Some(mirrored), Operand::Variable(variable))
            if mirrors_exactly(variable, operator, &text) =>
        {
            Comparison {
                left: Operand::Variable(variable),
                operator: mirrored,
                right: Operand::Literal(text),
            }
        }
        (left, _, right) => Comparison {
            left,
            operator,
            right,
        },
    }
}

/// Whether the variable holds names of extras or groups, which are compared normalised.
fn names_extras(variable: Variable) -> bool {
    matches!(
        variable,
        Variable::Extra | Variable::Extras | Variable::DependencyGroups
    )
}
