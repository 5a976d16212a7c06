//! WHEEL: the file with the version of the wheel format, and the tags.

use std::collections::BTreeSet;

use super::problems::{Problems, shown};

/// The keys that decide how a wheel is installed.
const DECISIVE: [&str; 2] = ["Wheel-Version", "Root-Is-Purelib"];

/// Reads WHEEL and returns its tags: expanded, lower case, sorted, at most `limit`.
///
/// *Binary distribution format*, "File contents": a known major version in `Wheel-Version`, and
/// `Root-Is-Purelib`. `Generator` and `Build` are ignored. Without a `Tag`, the tags of the file
/// name apply, as in installers. If a tag is invalid, none are returned, because missing ones could
/// not be reported.
pub(super) fn read_wheel_file(bytes: &[u8], limit: usize, problems: &mut Problems) -> Vec<String> {
    let Ok(text) = str::from_utf8(bytes) else {
        problems.metadata("WHEEL is not UTF-8");
        return Vec::new();
    };
    let mut versions = Vec::new();
    let mut pure = Vec::new();
    let mut tags = BTreeSet::new();
    let mut is_understood = true;
    let mut ended = false;
    for line in text.lines() {
        if line.contains('\r') {
            // A parser of headers ends a line there; a parser of lines does not.
            problems.metadata(format!(
                "WHEEL has a carriage return within a line: {}",
                shown(line)
            ));
        }
        if line.trim().is_empty() {
            ended = true;
            continue;
        }
        // A parser of headers stops at an empty line; a parser of lines does not.
        if ended {
            problems.metadata(format!(
                "WHEEL goes on after an empty line: {}",
                shown(line)
            ));
            break;
        }
        let Some((key, value)) = line.split_once(':').filter(|(key, _)| is_key(key)) else {
            problems.metadata(format!(
                "WHEEL has a line that is no header: {}",
                shown(line)
            ));
            continue;
        };
        let value = value.trim();
        // pip reads them in any case, uv in this one only.
        if let Some(known) = DECISIVE
            .iter()
            .find(|known| key.eq_ignore_ascii_case(known))
            && key != *known
        {
            problems.metadata(format!(
                "WHEEL has the key {}, which not every installer takes for {known}",
                shown(key)
            ));
        }
        match key.to_ascii_lowercase().as_str() {
            "wheel-version" => versions.push(value),
            "root-is-purelib" => pure.push(value),
            "tag" => {
                if let Err(reason) = expand(value, limit, &mut tags) {
                    is_understood = false;
                    problems.metadata(format!("WHEEL has the tag {}, {reason}", shown(value)));
                }
            }
            _ => {}
        }
    }
    match versions.as_slice() {
        [version] if is_known_version(version) => {}
        [version] => problems.metadata(format!(
            "WHEEL has the Wheel-Version {}; 1.x and 0.1 are understood",
            shown(version)
        )),
        [] => problems.metadata("WHEEL has no Wheel-Version"),
        _ => problems.metadata("WHEEL has more than one Wheel-Version"),
    }
    match pure.as_slice() {
        // pip reads `True` as true and uv as false. Both read any spelling of false alike.
        [value] if *value == "true" || value.eq_ignore_ascii_case("false") => {}
        [value] => problems.metadata(format!(
            "WHEEL has the Root-Is-Purelib {}, which is neither `true` nor `false`",
            shown(value)
        )),
        [] => problems.metadata("WHEEL has no Root-Is-Purelib"),
        _ => problems.metadata("WHEEL has more than one Root-Is-Purelib"),
    }
    if !is_understood {
        tags.clear();
    }
    tags.into_iter().collect()
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A reader must refuse a greater major version, and may only warn about a greater minor one. Of
/// smaller ones, installers agree about 0.1 only, which tools wrote before the format had a number.
fn is_known_version(version: &str) -> bool {
    version == "0.1"
        || version.strip_prefix("1.").is_some_and(|minor| {
            !minor.is_empty() && minor.bytes().all(|byte| byte.is_ascii_digit())
        })
}

/// Adds the tags of a compressed set, `py2.py3-none-any`.
fn expand(value: &str, limit: usize, tags: &mut BTreeSet<String>) -> Result<(), String> {
    let lower = value.to_ascii_lowercase();
    let parts: Vec<Vec<&str>> = lower
        .split('-')
        .map(|part| part.split('.').collect())
        .collect();
    let [pythons, abis, platforms] = parts.as_slice() else {
        return Err("which has not three parts".to_owned());
    };
    let is_word = |word: &&str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if !parts.iter().flatten().all(is_word) {
        return Err("which has an empty or an odd part".to_owned());
    }
    for python in pythons {
        for abi in abis {
            for platform in platforms {
                tags.insert(format!("{python}-{abi}-{platform}"));
                if tags.len() > limit {
                    tags.pop_last();
                    return Err(format!("which makes more than the limit of {limit} tags"));
                }
            }
        }
    }
    Ok(())
}
