//! `ambiguous-wheels`: some interpreter on some system accepts several wheels of the project.
//!
//! Each installer would choose one of them by its own rules. The check covers all interpreters and
//! systems, not only the supported ones. Wheels that overlap with one another are one finding: a
//! pure wheel beside thirty native ones is one mistake.

use std::collections::BTreeMap;

use ipwhl_packaging::{InstallerClass, Platform, Tag, common_installer};

use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::{Declaration, DeclaredWheel, Layout};
use crate::set::repository::summarize_platforms;

/// The maximum number of wheels of a group in the message. The finding has the places of all of
/// them.
const MOST_NAMED: usize = 10;

pub(super) fn check(
    declaration: &Declaration,
    layout: Layout,
    platforms: &[Platform],
    findings: &mut Vec<Finding>,
) {
    let wheels = &declaration.wheels;
    if wheels.len() < 2 {
        return;
    }
    for group in groups(wheels, layout) {
        let (earlier, later) = (&wheels[group.earlier], &wheels[group.later]);
        let is_twice = earlier.file_name.as_str() == later.file_name.as_str();
        let (mut message, help) = if is_twice {
            (
                format!("`{}` is declared in two files", later.file_name),
                "keep one of the two declarations",
            )
        } else {
            (
                format!(
                    "{} accepts both `{}` and `{}`",
                    group.installer, earlier.file_name, later.file_name
                ),
                "keep the one that the supported platforms need: native wheels, or the pure one",
            )
        };
        let more = group.members.len() - 2;
        if more > 0 {
            let (wheels, overlap) = if more == 1 {
                ("wheel", "overlaps")
            } else {
                ("wheels", "overlap")
            };
            message += &format!(
                ", and {more} more {wheels} of `{}` {overlap} with them",
                declaration.project
            );
        }
        let mut finding = Finding::new(Code::AmbiguousWheels, message)
            .at(&later.file, later.span(), "this wheel")
            .at(&earlier.file, earlier.span(), "and this one")
            .help(help)
            .project(&declaration.project);
        if more == 0 {
            finding = finding.wheel(&later.file_name);
        } else {
            let others = group.members.iter().copied();
            let others = others.filter(|index| ![group.earlier, group.later].contains(index));
            for index in others {
                finding = finding.at(&wheels[index].file, wheels[index].span(), "and this one");
            }
            finding = finding.note(list_names(wheels, &group.members));
        }
        let several = platforms.iter().filter(|platform| {
            let accepts =
                |wheel: &DeclaredWheel| wheel.tags().iter().any(|tag| platform.accepts(tag));
            let mut accepted = group
                .members
                .iter()
                .filter(|index| accepts(&wheels[**index]));
            accepted.nth(1).is_some()
        });
        let several: Vec<&Platform> = several.collect();
        if more > 0
            && let Some(place) = summarize_platforms(&several, platforms)
        {
            finding = finding.note(format!("on the supported platforms: {place}"));
        }
        findings.push(finding);
    }
}

/// The names of the wheels of a group, for a note.
fn list_names(wheels: &[DeclaredWheel], members: &[usize]) -> String {
    let names = members.iter().take(MOST_NAMED);
    let names: Vec<String> = names
        .map(|index| format!("`{}`", wheels[*index].file_name))
        .collect();
    let more = members.len().saturating_sub(MOST_NAMED);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("the wheels are {}{more}", names.join(", "))
}

/// Wheels that overlap, with an example for two of them.
struct Group {
    members: Vec<usize>,
    earlier: usize,
    later: usize,
    installer: String,
}

/// Disjoint sets of wheels.
struct Sets {
    parents: Vec<usize>,
}

impl Sets {
    fn find(&mut self, mut one: usize) -> usize {
        while self.parents[one] != one {
            self.parents[one] = self.parents[self.parents[one]];
            one = self.parents[one];
        }
        one
    }
}

fn groups(wheels: &[DeclaredWheel], layout: Layout) -> Vec<Group> {
    let tags: Vec<Vec<(&Tag, InstallerClass)>> = wheels
        .iter()
        .map(|wheel| {
            let tags = wheel.tags().iter();
            tags.map(|tag| (tag, InstallerClass::new(tag))).collect()
        })
        .collect();
    let mut sets = Sets {
        parents: (0..wheels.len()).collect(),
    };
    let mut joints: Vec<(usize, usize, String)> = Vec::new();
    for later in 0..wheels.len() {
        for earlier in 0..later {
            let (one, other) = (&wheels[earlier], &wheels[later]);
            // Two versions are a finding of another kind, and each pair of them would repeat it
            // here.
            if one.file_name.version() != other.file_name.version() {
                continue;
            }
            // One of the two files is a `misplaced-declaration`.
            if layout == Layout::Package && one.file != other.file {
                continue;
            }
            let (earlier_set, later_set) = (sets.find(earlier), sets.find(later));
            if earlier_set == later_set {
                continue;
            }
            if let Some(installer) = witness(&tags[earlier], &tags[later]) {
                sets.parents[later_set] = earlier_set;
                joints.push((earlier, later, installer));
            }
        }
    }
    let mut groups: BTreeMap<usize, Group> = BTreeMap::new();
    for (earlier, later, installer) in joints {
        groups.entry(sets.find(earlier)).or_insert(Group {
            members: Vec::new(),
            earlier,
            later,
            installer,
        });
    }
    for wheel in 0..wheels.len() {
        if let Some(group) = groups.get_mut(&sets.find(wheel)) {
            group.members.push(wheel);
        }
    }
    groups.into_values().collect()
}

fn witness(one: &[(&Tag, InstallerClass)], other: &[(&Tag, InstallerClass)]) -> Option<String> {
    one.iter().find_map(|(tag, class)| {
        let others = other.iter().filter(|(_, other)| class.may_meet(other));
        others
            .into_iter()
            .find_map(|(second, _)| common_installer(tag, second))
    })
}
