//! `[platforms]`: the supported platforms.

use std::ops::Range;
use std::sync::Arc;

use ipwhl_packaging::Platform;

use super::{Configuration, Role};
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::reader::{Reader, Table};
use crate::set::declaration::{Layout, Spanned};

/// The most platforms of a repository. Real repositories have some dozen, and each requirement is
/// checked on each platform.
const MOST_PLATFORMS: usize = 300;

pub(super) fn platforms(
    reader: &Reader,
    top: &Table<'_, '_>,
    configuration: &mut Configuration,
    role: Role,
) {
    let Some(table) = top.table("platforms", "`[platforms]`") else {
        let is_needed = role == Role::Set && configuration.layout == Layout::Package;
        if !top.has("platforms") && is_needed {
            top.missing(
                "platforms",
                "name the supported platforms: `[platforms]`, `python = [\"cp312\"]`, `system = \
                 [\"manylinux_2_28_x86_64\"]`",
            );
        }
        return;
    };
    let list = |key: &'static str| table.strings(key).map_or_else(Vec::new, |list| list.value);
    let (pythons, systems, also) = (list("python"), list("system"), list("also"));
    let count = pythons.len() * systems.len() + also.len();
    if count > MOST_PLATFORMS {
        reader.too_large(
            format!("the repository has {count} platforms; at most {MOST_PLATFORMS} are supported"),
            &table.span,
            "keep only the platforms that the index is for",
        );
        return;
    }
    let mut all = Vec::new();
    let refuse = |message: String, span: &Range<usize>| {
        reader.push(
            Finding::new(Code::InvalidValue, message)
                .at(&reader.file, span.clone(), "")
                .help(
                    "write interpreters as `cp312` or `cp311>=3.11.5`, and systems as \
                       `manylinux_2_28_x86_64`, `macosx_12_0_arm64`, `win_amd64`",
                ),
        );
    };
    // One finding for each bad entry, not one for each product: each entry is checked together with
    // one valid entry of the other list.
    let good_system = systems
        .iter()
        .find(|system| Platform::parse("cp312", system.value).is_ok());
    for python in &pythons {
        let partner = good_system.map_or("win_amd64", |system| system.value);
        if let Err(error) = Platform::parse(python.value, partner) {
            refuse(format!("{error}"), &python.span);
        }
    }
    for system in &systems {
        if let Err(error) = Platform::parse("cp312", system.value) {
            refuse(format!("{error}"), &system.span);
        }
    }
    for python in &pythons {
        all.extend(systems.iter().filter_map(|system| {
            let platform = Platform::parse(python.value, system.value).ok()?;
            Some((platform, &system.span))
        }));
    }
    for single in &also {
        match single.value.parse::<Platform>() {
            Ok(platform) => all.push((platform, &single.span)),
            Err(error) => refuse(format!("{error}"), &single.span),
        }
    }
    for (platform, span) in all {
        configuration
            .platform_origins
            .entry(platform)
            .or_insert_with(|| (Arc::clone(&reader.file), span.clone()));
    }
    // A list of another type has been reported already.
    let is_absent = |key: &str, values: &[Spanned<&str>]| {
        values.is_empty() && (!table.has(key) || table.is_empty_list(key))
    };
    match (is_absent("python", &pythons), is_absent("system", &systems)) {
        (true, true) if is_absent("also", &also) => reader.push(
            Finding::new(Code::MissingKey, "`[platforms]` names no platform")
                .at(&reader.file, table.span.clone(), "")
                .help("`python = [\"cp312\"]` and `system = [\"manylinux_2_28_x86_64\"]` make one platform"),
        ),
        (true, false) => table.missing(
            "python",
            "name the interpreters of these systems: `python = [\"cp312\"]`",
        ),
        (false, true) => table.missing(
            "system",
            "name the systems of these interpreters: `system = [\"manylinux_2_28_x86_64\"]`",
        ),
        _ => {}
    }
    configuration.platforms = configuration.platform_origins.keys().cloned().collect();
    table.finish();
}
