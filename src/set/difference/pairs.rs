//! Pairs the wheels of an old and a new state of a project.

use std::collections::BTreeMap;

use super::snapshot::WheelState;

/// A wheel and its name.
pub(super) type Named<'s> = (&'s String, &'s WheelState);

/// Pairs the wheels of two states, each wheel once: by name, then by bytes, by tags, by platforms,
/// and finally the last two if one of each state is left over.
pub(super) fn pairs<'s>(
    old: &'s BTreeMap<String, WheelState>,
    new: &'s BTreeMap<String, WheelState>,
) -> Vec<(Option<Named<'s>>, Option<Named<'s>>)> {
    let mut before: Vec<Named<'s>> = old.iter().collect();
    let mut after: Vec<Named<'s>> = new.iter().collect();
    let mut pairs = Vec::new();
    let alike: [fn(Named<'_>, Named<'_>) -> bool; 4] = [
        |old, new| old.0 == new.0,
        |old, new| old.1.content_id == new.1.content_id,
        |old, new| old.1.tags == new.1.tags,
        |old, new| {
            let platforms = |wheel: Named<'_>| {
                let declared = wheel.1.declared.as_ref();
                declared
                    .map(|declared| declared.platforms.clone())
                    .unwrap_or_default()
            };
            let platforms = [platforms(old), platforms(new)];
            !platforms[0].is_empty() && platforms[0] == platforms[1]
        },
    ];
    for is_alike in alike {
        after.retain(|wheel| {
            let found = before.iter().position(|other| is_alike(*other, *wheel));
            if let Some(found) = found {
                pairs.push((Some(before.remove(found)), Some(*wheel)));
            }
            found.is_none()
        });
    }
    if before.len() == 1 && after.len() == 1 {
        pairs.push((before.pop(), after.pop()));
    }
    pairs.extend(after.into_iter().map(|wheel| (None, Some(wheel))));
    pairs.extend(before.into_iter().map(|wheel| (Some(wheel), None)));
    // Wheels of the new state by name, then removed ones.
    pairs.sort_by_key(|(old, new)| (new.is_none(), new.or(*old).map(|wheel| wheel.0)));
    pairs
}
