//! Markers for a fixed choice of extras and dependency groups.

use std::collections::BTreeSet;

use super::Marker;
use super::expression::{Comparison, MarkerOperator, Node, Operand, Variable};
use crate::name::{self, ExtraName, GroupName};

/// What remains of a marker after its comparisons with extras and groups are decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectedMarker {
    /// It holds everywhere.
    Always,
    /// It holds nowhere.
    Never,
    /// It holds where this marker holds, which names no extra and no group.
    Where(Marker),
}

impl SelectedMarker {
    /// The marker of a requirement; `None` if the requirement never applies.
    pub fn into_requirement_marker(self) -> Option<Option<Marker>> {
        match self {
            Self::Always => Some(None),
            Self::Never => None,
            Self::Where(marker) => Some(Some(marker)),
        }
    }

    pub(super) fn of(node: Result<bool, Node>) -> Self {
        match node {
            Ok(true) => Self::Always,
            Ok(false) => Self::Never,
            Err(node) => Self::Where(Marker(node)),
        }
    }
}

impl Marker {
    /// The marker for these extras and dependency groups together. `extra` is compared with each of
    /// them and with none, as installers do; `extras` and `dependency_groups` are the whole sets.
    pub fn select(
        &self,
        extras: &BTreeSet<ExtraName>,
        groups: &BTreeSet<GroupName>,
    ) -> SelectedMarker {
        let each = std::iter::once(None).chain(extras.iter().map(Some));
        let mut alternatives: Vec<Result<bool, Node>> = Vec::new();
        for extra in each {
            let decided = reduce(&self.0, &|one| decide(one, extra, extras, groups));
            if !alternatives.contains(&decided) {
                alternatives.push(decided);
            }
        }
        SelectedMarker::of(join(alternatives, false))
    }

    /// The marker that holds where both hold.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.joined(other, true)
    }

    /// The marker that holds where one of both holds.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.joined(other, false)
    }

    fn joined(&self, other: &Self, by_and: bool) -> Self {
        if self == other {
            return self.clone();
        }
        match join(vec![Err(self.0.clone()), Err(other.0.clone())], by_and) {
            Err(node) => Self(node),
            Ok(_) => self.clone(),
        }
    }
}

/// An expression after some of its comparisons are decided: a truth value or the rest.
fn reduce(node: &Node, decide: &impl Fn(&Comparison) -> Option<bool>) -> Result<bool, Node> {
    match node {
        Node::Compare(comparison) => decide(comparison).ok_or_else(|| node.clone()),
        Node::All(nodes) => join(nodes.iter().map(|one| reduce(one, decide)), true),
        Node::Any(nodes) => join(nodes.iter().map(|one| reduce(one, decide)), false),
    }
}

/// The conjunction (`is_all`) or disjunction of expressions.
pub(super) fn join(
    members: impl IntoIterator<Item = Result<bool, Node>>,
    is_all: bool,
) -> Result<bool, Node> {
    let mut rest = Vec::new();
    for member in members {
        match member {
            // True changes no conjunction, and false no disjunction.
            Ok(truth) if truth == is_all => {}
            Ok(truth) => return Ok(truth),
            // No member may be of the same kind.
            Err(Node::All(nodes)) if is_all => rest.extend(nodes),
            Err(Node::Any(nodes)) if !is_all => rest.extend(nodes),
            Err(node) => rest.push(node),
        }
    }
    match (rest.len(), rest.pop()) {
        (1, Some(only)) => Err(only),
        (_, Some(last)) => {
            rest.push(last);
            Err(if is_all {
                Node::All(rest)
            } else {
                Node::Any(rest)
            })
        }
        (_, None) => Ok(is_all),
    }
}

/// Whether a comparison with extras or groups holds; `None` if it compares something else.
fn decide(
    comparison: &Comparison,
    extra: Option<&ExtraName>,
    extras: &BTreeSet<ExtraName>,
    groups: &BTreeSet<GroupName>,
) -> Option<bool> {
    let (variable, literal) = match (&comparison.left, &comparison.right) {
        (Operand::Variable(variable), Operand::Literal(literal))
        | (Operand::Literal(literal), Operand::Variable(variable)) => (*variable, literal),
        _ => return None,
    };
    let name = name::normalise(literal);
    let holds = match variable {
        Variable::Extra => extra.map_or("", ExtraName::as_str) == name,
        Variable::Extras => extras.iter().any(|one| one.as_str() == name),
        Variable::DependencyGroups => groups.iter().any(|one| one.as_str() == name),
        _ => return None,
    };
    let is_set = variable != Variable::Extra;
    match comparison.operator {
        MarkerOperator::Equal if !is_set => Some(holds),
        MarkerOperator::NotEqual if !is_set => Some(!holds),
        MarkerOperator::In if is_set => Some(holds),
        MarkerOperator::NotIn if is_set => Some(!holds),
        // Any other comparison has no meaning, and so does not hold.
        _ => Some(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(marker: &str, extras: &[&str], groups: &[&str]) -> String {
        let marker: Marker = marker.parse().expect("a marker");
        let extras = extras.iter().map(|one| one.parse().expect("an extra"));
        let groups = groups.iter().map(|one| one.parse().expect("a group"));
        match marker.select(&extras.collect(), &groups.collect()) {
            SelectedMarker::Always => "always".to_owned(),
            SelectedMarker::Never => "never".to_owned(),
            SelectedMarker::Where(marker) => {
                let again: Marker = marker.to_string().parse().expect("a marker");
                assert_eq!(again, marker);
                marker.to_string()
            }
        }
    }

    #[test]
    fn comparisons_with_extras_are_decided() {
        for (marker, extras, groups, expected) in [
            ("extra == 'a'", &["a"][..], &[][..], "always"),
            ("extra == 'A_b'", &["a-b"], &[], "always"),
            ("extra == 'a'", &[], &[], "never"),
            ("extra == 'a'", &["b"], &[], "never"),
            ("extra != 'a'", &["a"], &[], "always"),
            ("os_name == 'nt'", &["a"], &[], "os_name == \"nt\""),
            (
                "os_name == 'nt' and extra == 'a'",
                &["a", "b"],
                &[],
                "os_name == \"nt\"",
            ),
            (
                "(os_name == 'nt' or python_version < '3') and extra == 'a'",
                &["a"],
                &[],
                "os_name == \"nt\" or python_version < \"3\"",
            ),
            (
                "os_name == 'nt' and extra == 'a' or python_version < '3' and extra == 'b'",
                &["a", "b"],
                &[],
                "os_name == \"nt\" or python_version < \"3\"",
            ),
            ("'a' in extras", &["a"], &[], "always"),
            ("'a' not in extras", &["a"], &[], "never"),
            ("'dev' in dependency_groups", &[], &["dev"], "always"),
            (
                "os_name == 'nt' and ('dev' in dependency_groups or 'x' in extras)",
                &[],
                &["dev"],
                "os_name == \"nt\"",
            ),
            ("'dev' in dependency_groups", &["dev"], &[], "never"),
        ] {
            assert_eq!(selected(marker, extras, groups), expected, "{marker}");
        }
    }

    #[test]
    fn both_markers_are_joined() {
        let marker = |text: &str| text.parse::<Marker>().expect("a marker");
        let both = marker("os_name == 'nt' or os_name == 'posix'").and(&marker("extra == 'a'"));
        assert_eq!(
            both,
            marker("(os_name == 'nt' or os_name == 'posix') and extra == 'a'")
        );
        assert_eq!(both.and(&both), both);
    }
}
