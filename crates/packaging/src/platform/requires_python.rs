//! The Requires-Python of a project that supports some platforms.

use std::collections::BTreeMap;

use super::Platform;

/// The most consecutive versions that are excluded one by one. Python has never had as many patch
/// versions; it bounds the output for tags such as `cp3999`.
const MAXIMUM_EXCLUDED: u64 = 50;

/// The Requires-Python of a project that supports exactly these platforms, such as
/// `>=3.11.5,<3.14`; `None` without a platform.
///
/// uv and poetry resolve for every Python that a project allows, and refuse a package that requires
/// a newer one. Minor versions between the supported ones are excluded, and patch versions below a
/// minimum.
pub fn requires_python<'p>(platforms: impl IntoIterator<Item = &'p Platform>) -> Option<String> {
    // One minor version may have several interpreters, such as `cp313` and `cp313t`.
    let mut floors: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    for platform in platforms {
        floors
            .entry((platform.major, platform.minor))
            .and_modify(|floor| *floor = platform.floor.min(*floor))
            .or_insert(platform.floor);
    }
    let (&(major, oldest), &floor) = floors.first_key_value()?;
    let (&(_, newest), _) = floors.last_key_value()?;
    let mut clauses = vec![match floor {
        0 => format!(">={major}.{oldest}"),
        _ => format!(">={major}.{oldest}.{floor}"),
    }];
    clauses.push(format!("<{major}.{}", newest.saturating_add(1)));
    let supported = floors.keys().zip(floors.keys().skip(1));
    for (&(_, before), &(_, minor)) in supported {
        for excluded in before.saturating_add(1)..minor.min(before.saturating_add(MAXIMUM_EXCLUDED))
        {
            clauses.push(format!("!={major}.{excluded}.*"));
        }
        let floor = floors.get(&(major, minor)).copied().unwrap_or(0);
        for excluded in 0..floor.min(MAXIMUM_EXCLUDED) {
            clauses.push(format!("!={major}.{minor}.{excluded}"));
        }
    }
    Some(clauses.join(","))
}
