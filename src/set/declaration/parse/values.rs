//! Reads the keys of a wheel into their types.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use ipwhl_packaging::{
    ExtraName, Marker, Requirement, VersionSpecifiers, WheelFileName, parse_specifiers,
};
use ipwhl_unixfs::{Cid, Sha256Digest};

use crate::foundation::diagnostic::{Code, Finding, is_hidden};
use crate::foundation::time::UtcTime;
use crate::set::declaration::limits::{MOST_EXTRAS, MOST_SOURCES};
use crate::set::declaration::reader::{Reader, Table};
use crate::set::declaration::{Provenance, Source, Spanned};

pub(super) fn sources(reader: &Reader, table: &Table<'_, '_>) -> Option<Vec<Spanned<Source>>> {
    let Some(written) = table.one_or_several("source") else {
        if !table.has("source") {
            table.missing(
                "source",
                "`ipwhl add NAME` writes a whole declaration; by hand: `source \
                 = \"pkg:pypi/NAME@VERSION?file_name=WHEEL\"`",
            );
        }
        return None;
    };
    if table.is_empty_list("source") {
        reader.report(Code::InvalidValue, "`source` is empty", &written.span);
    }
    if written.value.len() > MOST_SOURCES {
        reader.too_large(
            format!(
                "the wheel has {} sources; at most {MOST_SOURCES} are allowed",
                written.value.len()
            ),
            &written.span,
            "keep the sources that are most likely to last",
        );
        return None;
    }
    let mut sources: Vec<Spanned<Source>> = Vec::new();
    let mut is_whole = !written.value.is_empty();
    for text in written.value {
        match Source::parse(text.value) {
            Ok(source) => {
                if source.is_insecure() {
                    let secure = text.value.replacen("http://", "https://", 1);
                    reader.push(
                        Finding::new(
                            Code::InsecureSource,
                            format!("`{}` is fetched without transport security", text.value),
                        )
                        .at(&reader.file, text.span.clone(), "")
                        .help(format!("write `{secure}`")),
                    );
                }
                if let Some(earlier) = sources.iter().find(|earlier| earlier.value == source) {
                    let message = format!("the source `{}` is listed twice", text.value);
                    reader.push(
                        Finding::new(Code::InvalidValue, message)
                            .at(&reader.file, text.span.clone(), "again here")
                            .at(&reader.file, earlier.span.clone(), "first here"),
                    );
                    is_whole = false;
                }
                sources.push(Spanned::new(source, text.span));
            }
            Err(error) => {
                reader.report(Code::InvalidValue, error.to_string(), &text.span);
                is_whole = false;
            }
        }
    }
    is_whole.then_some(sources)
}

/// The one file name that all sources give; it must be the name of a wheel.
pub(super) fn file_name(reader: &Reader, sources: &[Spanned<Source>]) -> Option<WheelFileName> {
    let first = sources.first()?;
    let text = first.value.file_name();
    for other in &sources[1..] {
        let name = other.value.file_name();
        if name != text {
            reader.push(
                Finding::new(
                    Code::InvalidWheelName,
                    format!(
                        "the sources of one wheel have different file names: `{text}` and `{name}`"
                    ),
                )
                .at(&reader.file, other.span.clone(), format!("`{name}`"))
                .at(&reader.file, first.span.clone(), format!("`{text}`"))
                .help("give each wheel a `[[wheel]]` table of its own"),
            );
            return None;
        }
    }
    let file_name: WheelFileName = match text.parse() {
        Ok(file_name) => file_name,
        Err(error) => {
            reader.push(
                Finding::new(Code::InvalidWheelName, format!("{error}"))
                    .at(&reader.file, first.span.clone(), "")
                    .help("a wheel is named `{name}-{version}-{python}-{abi}-{platform}.whl`"),
            );
            return None;
        }
    };
    for source in sources {
        let Source::Package(package) = &source.value else {
            continue;
        };
        if package.project != *file_name.name() || package.version != *file_name.version() {
            reader.report(
                Code::InvalidValue,
                format!(
                    "the package URL names `{}@{}`, but its wheel is of `{}@{}`",
                    package.project,
                    package.version,
                    file_name.name(),
                    file_name.version()
                ),
                &source.span,
            );
            return None;
        }
    }
    Some(file_name)
}

pub(super) fn content_id(reader: &Reader, table: &Table<'_, '_>) -> Option<Spanned<Cid>> {
    let Some(text) = table.string("content-id") else {
        if !table.has("content-id") {
            table.missing("content-id", "`ipwhl cid FILE` prints the CID of a wheel");
        }
        return None;
    };
    match text.value.parse() {
        Ok(cid) => Some(Spanned::new(cid, text.span)),
        Err(error) => {
            reader.push(
                Finding::new(
                    Code::InvalidContentId,
                    format!("`{}` is not a content-id: {error}", text.value),
                )
                .at(&reader.file, text.span, "")
                .help("`ipwhl cid FILE` prints the CID of a wheel"),
            );
            None
        }
    }
}

pub(super) fn requires_python(
    reader: &Reader,
    table: &Table<'_, '_>,
) -> Option<Spanned<VersionSpecifiers>> {
    let text = table.string("requires-python")?;
    match parse_specifiers(text.value) {
        Ok(specifiers) if specifiers.is_empty() => {
            reader.push(
                Finding::new(Code::InvalidSpecifier, "`requires-python` is empty")
                    .at(&reader.file, text.span, "")
                    .help("remove `requires-python` if the wheel has none"),
            );
            None
        }
        Ok(specifiers) => Some(Spanned::new(specifiers, text.span)),
        Err(error) => {
            reader.push(
                Finding::new(
                    Code::InvalidSpecifier,
                    format!("`requires-python`: {}", error.message),
                )
                .at(&reader.file, inside(&text, &error.span), "")
                .help("write it as in `>=3.9, <4`"),
            );
            None
        }
    }
}

/// The place of a part of a string's value. A string without escapes appears in the file unchanged
/// after its quote; for any other string the whole string is the place.
fn inside(text: &Spanned<&str>, part: &Range<usize>) -> Range<usize> {
    let length = text.value.len();
    let part = part.start.min(length)..part.end.min(length);
    if text.span.len() == length + 2 && !part.is_empty() {
        let start = text.span.start + 1;
        start + part.start..start + part.end
    } else {
        text.span.clone()
    }
}

pub(super) fn extras(
    reader: &Reader,
    table: &Table<'_, '_>,
) -> Option<Spanned<Vec<Spanned<ExtraName>>>> {
    let list = table.strings("extras")?;
    if list.value.len() > MOST_EXTRAS {
        reader.too_large(
            format!(
                "the wheel has {} extras; at most {MOST_EXTRAS} are allowed",
                list.value.len()
            ),
            &list.span,
            "declare only the extras that are needed",
        );
        return None;
    }
    let mut known: BTreeMap<ExtraName, Range<usize>> = BTreeMap::new();
    let mut extras: Vec<Spanned<ExtraName>> = Vec::with_capacity(list.value.len());
    for text in list.value {
        match text.value.parse::<ExtraName>() {
            Ok(extra) => {
                if let Some(earlier) = known.get(&extra) {
                    let message = format!("the extra `{extra}` is listed twice");
                    reader.push(
                        Finding::new(Code::InvalidExtra, message)
                            .at(&reader.file, text.span.clone(), "again here")
                            .at(&reader.file, earlier.clone(), "first here")
                            .help("remove one of them"),
                    );
                    continue;
                }
                known.insert(extra.clone(), text.span.clone());
                extras.push(Spanned::new(extra, text.span));
            }
            Err(error) => reader.push(
                Finding::new(Code::InvalidExtra, format!("{error}"))
                    .at(&reader.file, text.span, "")
                    .help("remove it: users cannot request an extra without a valid name"),
            ),
        }
    }
    Some(Spanned::new(extras, list.span))
}

pub(super) fn dependencies(
    reader: &Reader,
    table: &Table<'_, '_>,
) -> Option<Spanned<Vec<Spanned<Requirement>>>> {
    let list = table.strings("dependencies")?;
    let mut dependencies = Vec::with_capacity(list.value.len());
    for text in list.value {
        match text.value.parse::<Requirement>() {
            Ok(requirement) => dependencies.push(Spanned::new(requirement, text.span)),
            Err(error) => {
                let span = inside(&text, &error.span);
                let message = format!("`{}` is not a requirement: {}", text.value, error.message);
                let finding = Finding::new(Code::InvalidRequirement, message);
                reader.push(with_way_out(finding.at(&reader.file, span, ""), text.value));
            }
        }
    }
    Some(Spanned::new(dependencies, list.span))
}

pub(super) fn sha256(reader: &Reader, table: &Table<'_, '_>) -> Option<Spanned<Sha256Digest>> {
    let text = table.string("sha256")?;
    let Ok(digest) = text.value.parse() else {
        reader.report(
            Code::InvalidValue,
            format!(
                "`{}` is not a SHA-256, which has 64 hexadecimal digits",
                text.value
            ),
            &text.span,
        );
        return None;
    };
    Some(Spanned::new(digest, text.span))
}

pub(super) fn size(reader: &Reader, table: &Table<'_, '_>) -> Option<Spanned<u64>> {
    let size = table.number("size")?;
    if size.value == 0 {
        reader.report(Code::InvalidValue, "a wheel is not empty", &size.span);
        return None;
    }
    Some(size)
}

pub(super) fn uploaded(reader: &Reader, table: &Table<'_, '_>) -> Option<Spanned<UtcTime>> {
    let (value, span) = table.value("uploaded")?;
    let time = value.as_datetime().map(ToString::to_string);
    let Some(time) = time.and_then(|time| time.parse().ok()) else {
        reader.push(
            Finding::new(
                Code::InvalidValue,
                "`uploaded` must be a time in UTC since 1970, without quotes and with at most 6 \
                 decimals",
            )
            .at(&reader.file, span, "")
            .help("write it as in `uploaded = 2023-08-17T17:29:11Z`"),
        );
        return None;
    };
    Some(Spanned::new(time, span))
}

/// Reads the marker that says on which platforms the set offers a wheel. Whether it is decided on
/// them is checked when the platforms are known.
pub(super) fn only(reader: &Reader, table: &Table<'_, '_>) -> Option<Spanned<Marker>> {
    let text = table.string("only")?;
    let marker: Marker = match text.value.parse() {
        Ok(marker) => marker,
        Err(error) => {
            reader.push(
                Finding::new(
                    Code::InvalidValue,
                    format!("`only` is not a marker: {}", error.message),
                )
                .at(&reader.file, inside(&text, &error.span), "")
                .help("write it as in `only = \"sys_platform != 'win32'\"`"),
            );
            return None;
        }
    };
    if marker.named_extras() != Some(BTreeSet::new()) {
        reader.push(
            Finding::new(
                Code::InvalidValue,
                "`only` names `extra`, but it is about platforms",
            )
            .at(&reader.file, text.span, "")
            .help("compare variables of the platform only, such as `sys_platform`"),
        );
        return None;
    }
    Some(Spanned::new(marker, text.span))
}

/// Reads the origin and the review of a project.
pub(super) fn provenance(reader: &Reader, table: &Table<'_, '_>) -> Provenance {
    let publisher = table.string("publisher").and_then(|text| {
        let is_line = !text.value.trim().is_empty() && !text.value.contains(is_hidden);
        if is_line {
            return Some(Spanned::new(text.value.to_owned(), text.span));
        }
        reader.report(
            Code::InvalidValue,
            "`publisher` must be one line of visible text, and not empty",
            &text.span,
        );
        None
    });
    let reviewed = table.boolean("reviewed");
    let unreviewed = reviewed.filter(|reviewed| !reviewed.value);
    if let Some(unreviewed) = &unreviewed {
        reader.push(
            Finding::new(
                Code::Unreviewed,
                "the declaration was taken in by a machine, and no person has reviewed it",
            )
            .at(&reader.file, unreviewed.span.clone(), "")
            .help("review it, then remove the line `reviewed = false`"),
        );
    }
    Provenance {
        publisher,
        unreviewed: unreviewed.map(|unreviewed| unreviewed.span),
    }
}

/// Old metadata has `>=2.*`, which tools accepted until the specification was enforced.
fn with_way_out(finding: Finding, text: &str) -> Finding {
    let has_wildcard = ["<=", ">=", "~=", "<", ">"].iter().any(|operator| {
        text.split(operator).skip(1).any(|rest| {
            let version: &str = rest.split([',', ';', ')']).next().unwrap_or_default();
            version.trim_end().ends_with(".*")
        })
    });
    if has_wildcard {
        finding.help(
            "only `==` and `!=` accept a version that ends in `.*`: remove the `.*`, as in `>=2`",
        )
    } else {
        finding.help("write a requirement as in `name[extra]>=1.2,<2; python_version < \"3.12\"`")
    }
}
