//! `SUPPORTED`: the platforms of the layout `ipwhl-1`, with a line `<interpreter> <platform tag>`
//! for each.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ipwhl_packaging::Platform;

use crate::foundation::diagnostic::{Code, Finding};

/// The file that names the supported platforms in the layout `ipwhl-1`.
pub const SUPPORTED_FILE: &str = "SUPPORTED";

/// The newest glibc that the original's tools knew: 2.24. They read every manylinux line as the
/// whole family up to this version, and ignored the version in its tag.
const NEWEST_MANYLINUX: u64 = 24;

/// The platforms that the text names, each with its place.
pub(super) fn parse(
    file: &Arc<str>,
    text: &str,
) -> (BTreeMap<Platform, Range<usize>>, Vec<Finding>) {
    let mut findings = Vec::new();
    let mut refuse = |message: String, span: Range<usize>, help: &str| {
        let finding = Finding::new(Code::InvalidValue, message).at(file, span, "");
        findings.push(finding.help(help));
    };
    let mut seen: BTreeMap<Platform, Range<usize>> = BTreeMap::new();
    let mut twins = Vec::new();
    let mut is_sound = true;
    for (start, line) in lines(text) {
        let start = start + (line.len() - line.trim_start().len());
        let line = line.trim();
        let span = start..start + line.len();
        let words: Vec<&str> = line.split_whitespace().collect();
        let platform = match words.as_slice() {
            [] => continue,
            [python, system] => {
                Platform::parse(python, &of_original(system)).map_err(|error| error.to_string())
            }
            _ => Err(format!(
                "the line has {} words instead of two: an interpreter and a platform tag",
                words.len()
            )),
        };
        match platform {
            Ok(platform) => match seen.get(&platform) {
                Some(first) => twins.push((platform, span, first.clone())),
                None => drop(seen.insert(platform, span)),
            },
            Err(message) => {
                is_sound = false;
                refuse(message, span, "write a line as in `cp39 win_amd64`");
            }
        }
    }
    if seen.is_empty() && is_sound {
        refuse(
            format!("`{SUPPORTED_FILE}` names no platform"),
            0..0,
            "write a line for each platform: `cp39 win_amd64`",
        );
    }
    findings.extend(twins.into_iter().map(|(platform, span, first)| {
        Finding::new(
            Code::InvalidValue,
            format!("the platform {platform} is named twice"),
        )
        .at(file, span, "again here")
        .at(file, first, "first here")
        .help("remove one of the lines")
    }));
    (seen, findings)
}

/// Each line without its end, with the byte that it begins at.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let place = start;
        start += line.len();
        (place, line.trim_end())
    })
}

/// The platform that the original's tools meant by a tag.
fn of_original(system: &str) -> String {
    let legacy = ["manylinux1_", "manylinux2010_", "manylinux2014_"]
        .iter()
        .find_map(|prefix| system.strip_prefix(prefix));
    let architecture = legacy.or_else(|| {
        let (version, architecture) = system.strip_prefix("manylinux_2_")?.split_once('_')?;
        let version: u64 = version.parse().ok()?;
        (version < NEWEST_MANYLINUX).then_some(architecture)
    });
    match architecture {
        Some(architecture) => format!("manylinux_2_{NEWEST_MANYLINUX}_{architecture}"),
        None => system.to_owned(),
    }
}
