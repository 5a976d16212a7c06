//! The marker of some of a set's platforms.

use std::collections::{BTreeMap, BTreeSet};

use super::Marker;
use super::expression::{Comparison, MarkerOperator, Node, Operand, Variable};
use super::selection::{SelectedMarker, join};
use crate::platform::Platform;

/// The variables that tell platforms apart, in the order in which they are asked.
const VARIABLES: [Variable; 4] = [
    Variable::SysPlatform,
    Variable::PlatformMachine,
    Variable::PlatformPythonImplementation,
    Variable::PythonVersion,
];

/// The variables of a system and an implementation of Python. Of those with the same meaning, PDM
/// reads only these in the environments of a lock file.
const SYSTEM: [Variable; 3] = [
    Variable::PlatformSystem,
    Variable::PlatformMachine,
    Variable::ImplementationName,
];

/// A platform, and whether it is one of those to find a marker for.
type Choice<'p> = (&'p Platform, bool);

impl SelectedMarker {
    /// The marker that holds on the chosen platforms, and not on the others; elsewhere it may be
    /// either. `None` if the variables of markers do not tell them apart, as with `cp313` and
    /// `cp313t`.
    pub fn of_platforms<'p>(platforms: impl IntoIterator<Item = Choice<'p>>) -> Option<Self> {
        let choices: Vec<Choice<'p>> = platforms.into_iter().collect();
        Some(Self::of(decide(&choices, &VARIABLES)?))
    }
}

impl Marker {
    /// Whether [`SelectedMarker::of_platforms`] can tell two platforms apart. It cannot with `cp313`
    /// and `cp313t`, or with two C libraries of one system.
    pub fn tells_apart(one: &Platform, other: &Platform) -> bool {
        let mut variables = VARIABLES.into_iter();
        variables.any(|variable| Value::of(one, variable) != Value::of(other, variable))
    }

    /// The markers of the environments of some platforms, one for each system and implementation of
    /// Python. The versions of Python are left out, unless a system does not have all of them.
    pub fn of_environments(platforms: &[Platform]) -> Vec<Self> {
        let mut pythons: BTreeMap<Vec<Option<Value>>, BTreeSet<Value>> = BTreeMap::new();
        let mut all: BTreeSet<Value> = BTreeSet::new();
        for platform in platforms {
            let values = SYSTEM.map(|variable| Value::of(platform, variable));
            let python = Value::of(platform, Variable::PythonVersion);
            all.extend(python.clone());
            pythons.entry(values.to_vec()).or_default().extend(python);
        }
        let all: Vec<Option<Value>> = all.into_iter().map(Some).collect();
        let markers = pythons.into_iter().filter_map(|(values, pythons)| {
            let mut parts: Vec<Result<bool, Node>> = Vec::new();
            for (variable, value) in SYSTEM.into_iter().zip(values) {
                if value.is_some() {
                    parts.push(Err(condition(variable, &[value], &[0])?));
                }
            }
            let numbered = all.iter().enumerate();
            let own = numbered
                .filter(|(_, python)| python.as_ref().is_some_and(|one| pythons.contains(one)));
            let numbers: Vec<usize> = own.map(|(number, _)| number).collect();
            if numbers.len() < all.len() {
                parts.push(Err(condition(Variable::PythonVersion, &all, &numbers)?));
            }
            join(parts, true).err().map(Self)
        });
        markers.collect()
    }
}

/// The shortest expression that decides these choices by the values of these variables.
fn decide(choices: &[Choice<'_>], variables: &[Variable]) -> Option<Result<bool, Node>> {
    let is_any = choices.iter().any(|(_, is_chosen)| *is_chosen);
    if choices.iter().all(|(_, is_chosen)| *is_chosen == is_any) {
        return Some(Ok(is_any));
    }
    let (variable, others) = variables.split_first()?;
    let without = decide(choices, others);
    let with = divide(choices, *variable, others);
    let number = |decided: &Result<bool, Node>| match decided {
        Ok(_) => 0,
        Err(node) => {
            let mut count = 0;
            node.each(&mut |_| count += 1);
            count
        }
    };
    [with, without].into_iter().flatten().min_by_key(number)
}

/// The expression that decides these choices by the value of one variable, and then by others.
fn divide(
    choices: &[Choice<'_>],
    variable: Variable,
    others: &[Variable],
) -> Option<Result<bool, Node>> {
    let mut by_value: BTreeMap<Option<Value>, Vec<Choice<'_>>> = BTreeMap::new();
    for (platform, is_chosen) in choices {
        let value = Value::of(platform, variable);
        by_value
            .entry(value)
            .or_default()
            .push((platform, *is_chosen));
    }
    let values: Vec<Option<Value>> = by_value.keys().cloned().collect();
    // The values after which the same expression is left to decide.
    let mut branches: Vec<(Result<bool, Node>, Vec<usize>)> = Vec::new();
    for (number, choices) in by_value.values().enumerate() {
        let left = decide(choices, others)?;
        match branches.iter_mut().find(|(other, _)| *other == left) {
            Some((_, numbers)) => numbers.push(number),
            None => branches.push((left, vec![number])),
        }
    }
    if let [(left, _)] = branches.as_slice() {
        return Some(left.clone());
    }
    branches.retain(|(left, _)| *left != Ok(false));
    // What is left to decide elsewhere needs no condition if the marker holds everywhere else.
    let mut rest = (0..values.len()).collect::<Vec<_>>();
    let always = branches.iter().find(|(left, _)| *left == Ok(true));
    let always: Vec<usize> = always.map_or_else(Vec::new, |(_, numbers)| numbers.clone());
    rest.retain(|number| !always.contains(number));
    let parts = branches.into_iter().map(|(left, numbers)| {
        if left != Ok(true) && numbers == rest {
            return Some(left);
        }
        let condition = condition(variable, &values, &numbers)?;
        Some(join([Err(condition), left], true))
    });
    let parts: Option<Vec<Result<bool, Node>>> = parts.collect();
    Some(join(parts?, false))
}

/// The condition that a variable has one of the values with these numbers. `None` if one of them is
/// not known.
fn condition(variable: Variable, values: &[Option<Value>], numbers: &[usize]) -> Option<Node> {
    let known: Option<Vec<&Value>> = values.iter().map(Option::as_ref).collect();
    let known = known?;
    let compare = |operator, number: usize| {
        Node::Compare(Comparison {
            left: Operand::Variable(variable),
            operator,
            right: Operand::Literal(known[number].text.clone()),
        })
    };
    let (first, last) = (*numbers.first()?, *numbers.last()?);
    let is_run = last - first + 1 == numbers.len();
    let others: Vec<usize> = (0..known.len())
        .filter(|number| !numbers.contains(number))
        .collect();
    let node = if numbers.len() == 1 {
        compare(MarkerOperator::Equal, first)
    } else if variable == Variable::PythonVersion && is_run {
        let after = (first > 0).then(|| Err(compare(MarkerOperator::GreaterOrEqual, first)));
        let before = (last + 1 < known.len()).then(|| Err(compare(MarkerOperator::Less, last + 1)));
        join(after.into_iter().chain(before), true).err()?
    } else if let [other] = others.as_slice() {
        compare(MarkerOperator::NotEqual, *other)
    } else {
        let each = numbers
            .iter()
            .map(|number| Err(compare(MarkerOperator::Equal, *number)));
        join(each, false).err()?
    };
    Some(node)
}

/// The value of a variable, sorted by its numbers.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Value {
    release: Vec<u64>,
    text: String,
}

impl Value {
    /// The value that each machine of a platform has, if it is known.
    fn of(platform: &Platform, variable: Variable) -> Option<Self> {
        let mut values = platform.marker_values().into_iter();
        let (_, text) = values.find(|(other, _)| *other == variable)?;
        let release = text.split('.').map_while(|part| part.parse().ok());
        Some(Self {
            release: release.collect(),
            text,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marker::{MarkerEnvironment, Truth};

    const PYTHONS: [&str; 4] = ["cp39", "cp310", "cp311", "pp311"];
    const SYSTEMS: [&str; 5] = [
        "manylinux_2_28_x86_64",
        "manylinux_2_28_aarch64",
        "macosx_12_0_arm64",
        "win_amd64",
        "win32",
    ];

    fn platforms(systems: &[&str]) -> Vec<Platform> {
        let each = PYTHONS
            .iter()
            .flat_map(|python| systems.iter().map(move |system| (python, system)));
        each.map(|(python, system)| Platform::parse(python, system).expect("a platform"))
            .collect()
    }

    fn marker(systems: &[&str], is_chosen: impl Fn(&str) -> bool) -> Option<String> {
        let platforms = platforms(systems);
        let choices = platforms
            .iter()
            .map(|one| (one, is_chosen(&one.to_string())));
        Some(match SelectedMarker::of_platforms(choices)? {
            SelectedMarker::Always => "always".to_owned(),
            SelectedMarker::Never => "never".to_owned(),
            SelectedMarker::Where(marker) => marker.to_string(),
        })
    }

    #[test]
    fn markers_are_short() {
        let has = |part: &'static str| move |name: &str| name.contains(part);
        let all = |is_chosen: &dyn Fn(&str) -> bool| marker(&SYSTEMS[..4], is_chosen).expect("one");
        for (is_chosen, expected) in [
            (&(|_: &str| true) as &dyn Fn(&str) -> bool, "always"),
            (&|_| false, "never"),
            (&has("win"), "sys_platform == \"win32\""),
            (&|name| !name.contains("win"), "sys_platform != \"win32\""),
            (&has("cp39"), "python_version == \"3.9\""),
            (&|name| !name.contains("311"), "python_version < \"3.11\""),
            (&|name| !name.contains("39"), "python_version >= \"3.10\""),
            (&has("pp311"), "platform_python_implementation == \"PyPy\""),
            (&has("aarch64"), "platform_machine == \"aarch64\""),
            (
                &|name| name.contains("win") || name.contains("cp39"),
                "python_version == \"3.9\" or sys_platform == \"win32\"",
            ),
            (
                &has("cp39-macosx"),
                "sys_platform == \"darwin\" and python_version == \"3.9\"",
            ),
        ] {
            assert_eq!(all(is_chosen), expected);
        }
        // Which kernel a 32-bit system has is not known.
        assert_eq!(marker(&SYSTEMS, |name| name.ends_with("win32")), None);
    }

    #[test]
    fn environments_are_those_of_the_systems() {
        let mut platforms = platforms(&["manylinux_2_28_x86_64", "win_amd64"]);
        platforms.retain(|one| one.to_string() != "cp39-win_amd64");
        let markers: Vec<String> = Marker::of_environments(&platforms)
            .iter()
            .map(ToString::to_string)
            .collect();
        let on = |system: &str, machine: &str, python: &str| {
            format!(
                "platform_system == \"{system}\" and platform_machine == \"{machine}\" and \
                 implementation_name == \"{python}"
            )
        };
        assert_eq!(
            markers,
            [
                on("Linux", "x86_64", "cpython\""),
                on("Linux", "x86_64", "pypy\" and python_version == \"3.11\""),
                on(
                    "Windows",
                    "AMD64",
                    "cpython\" and python_version >= \"3.10\""
                ),
                on("Windows", "AMD64", "pypy\" and python_version == \"3.11\""),
            ]
        );
    }

    /// Each choice that a marker can express is expressed exactly.
    #[test]
    fn markers_hold_where_they_should() {
        let platforms = platforms(&SYSTEMS[..4]);
        // Numbers that look random, and are the same in each run.
        let mut state: u64 = 1;
        for _ in 0..2_000 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let bits = state >> 40;
            let chosen = |index: usize| bits >> index & 1 == 1;
            let choices = platforms
                .iter()
                .enumerate()
                .map(|(index, one)| (one, chosen(index)));
            let marker = SelectedMarker::of_platforms(choices).expect("a marker");
            for (index, platform) in platforms.iter().enumerate() {
                let holds = match &marker {
                    SelectedMarker::Always => Truth::True,
                    SelectedMarker::Never => Truth::False,
                    SelectedMarker::Where(marker) => {
                        let again: Marker = marker.to_string().parse().expect("a marker");
                        again.evaluate(&MarkerEnvironment::for_platform(platform), None)
                    }
                };
                let expected = if chosen(index) {
                    Truth::True
                } else {
                    Truth::False
                };
                assert_eq!(holds, expected, "{marker:?} on {platform}");
            }
        }
    }
}
