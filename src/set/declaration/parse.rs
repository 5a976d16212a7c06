//! From the text of a declaration to wheels and findings.

mod values;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use ipwhl_packaging::{ExtraName, Marker, Requirement, VersionSpecifiers, WheelFileName};
use ipwhl_unixfs::Version;

use super::limits::{MOST_WHEELS, Tally};
use super::reader::{Reader, Table};
use super::{DeclaredWheel, FormatVersion, Provenance, Spanned};
use crate::foundation::diagnostic::{Code, Finding, Severity};
use values::{
    content_id, dependencies, extras, file_name, only, provenance, requires_python, sha256, size,
    sources, uploaded,
};

/// The layout of a repository's declarations (FORMATS 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// One file for each project: `declarations/<project>.toml`.
    #[default]
    Package,
    /// The original's layout, with one file for each wheel:
    /// `pkgs/<prefix>/<Project>/<wheel stem>.toml`.
    Ipwhl1,
}

/// The contents of one file.
#[derive(Debug, Default)]
pub struct Parsed {
    /// Its wheels, in the file's order. Empty if an error hides the wheels. If only a requirement
    /// is invalid, the wheels are partial; invalid extras are left out.
    pub wheels: Vec<DeclaredWheel>,
    /// Whether the project is in the set only because another project needs it.
    pub automatic: bool,
    /// The place of `automatic`.
    pub automatic_span: Option<Range<usize>>,
    /// The publisher, and whether a person has reviewed the project.
    pub provenance: Provenance,
    /// The findings about the text.
    pub findings: Vec<Finding>,
}

/// The values that the wheels of a file can share.
#[derive(Clone, Default)]
struct Shared {
    requires_python: Option<Spanned<VersionSpecifiers>>,
    extras: Option<Spanned<Vec<Spanned<ExtraName>>>>,
    dependencies: Option<Spanned<Vec<Spanned<Requirement>>>>,
    only: Option<Spanned<Marker>>,
}

/// Keys of a declaration that only format 2 has.
const KEYS_OF_FORMAT_2: [&str; 4] = ["uploaded", "only", "publisher", "reviewed"];
/// Those of them that a wheel can have.
const KEYS_OF_WHEELS_OF_FORMAT_2: [&str; 2] = ["uploaded", "only"];

/// Reads the text of one declaration, in the newest format. `file` is its name for findings.
pub fn parse(file: &Arc<str>, text: &str, layout: Layout) -> Parsed {
    parse_in(file, text, layout, FormatVersion::NEWEST)
}

/// Like [`parse`], for a repository of this format. Keys of a later format are findings.
pub fn parse_in(file: &Arc<str>, text: &str, layout: Layout, format: FormatVersion) -> Parsed {
    let reader = Reader::new(file);
    let (document, is_toml) = reader.parse_document(text);
    let mut wheels = Vec::new();
    let mut automatic = None;
    let mut provenance_of_project = Provenance::default();
    if is_toml {
        let top = Table::new(&reader, document.get_ref(), 0..0, "a declaration");
        match layout {
            Layout::Package => {
                let shared = Shared::default();
                automatic = top.boolean("automatic");
                if format == FormatVersion::V1 {
                    top.refuse_later(&KEYS_OF_FORMAT_2);
                } else {
                    provenance_of_project = provenance(&reader, &top);
                }
                if top.value("wheel").is_some() {
                    wheels = several(&reader, &top, format);
                } else {
                    wheels.extend(wheel(&reader, &top, &shared, Some(format)));
                }
            }
            Layout::Ipwhl1 => {
                let mut one = wheel(&reader, &top, &Shared::default(), None);
                if let Some(wheel) = &mut one {
                    let name = file.rsplit('/').next().unwrap_or_default();
                    let stem = name.strip_suffix(".toml").unwrap_or(name);
                    let released = format!("{stem}.whl").parse::<WheelFileName>().ok();
                    wheel.stem = Some(stem.to_owned());
                    wheel.released = released;
                }
                wheels.extend(one);
            }
        }
        top.finish();
    }
    let mut findings = reader.into_findings();
    let is_known = !findings.iter().any(hides_a_wheel);
    if !is_known {
        wheels.clear();
    }
    let is_partial = findings
        .iter()
        .any(|finding| finding.code.hides_requirements());
    for wheel in &mut wheels {
        wheel.is_partial = is_partial;
        if layout == Layout::Ipwhl1 {
            findings.extend(not_of_the_original(wheel));
        }
    }
    Parsed {
        wheels,
        automatic: automatic.as_ref().is_some_and(|automatic| automatic.value),
        automatic_span: automatic.map(|automatic| automatic.span),
        provenance: provenance_of_project,
        findings,
    }
}

/// Whether a finding leaves the identity of a wheel unknown, so that nothing else can be checked.
/// With an invalid requirement the rest of the set is still checked.
fn hides_a_wheel(finding: &Finding) -> bool {
    finding.severity == Severity::Error && !finding.code.may_be_overridden()
}

/// The original uses CIDs of version 0 only, and compares them as text.
fn not_of_the_original(wheel: &DeclaredWheel) -> Option<Finding> {
    let content_id = &wheel.content_id;
    (content_id.value.version() != Version::V0).then(|| {
        Finding::new(
            Code::InvalidContentId,
            format!(
                "`{}` is a CID of version 1, but the layout `ipwhl-1` uses version 0 only",
                content_id.value
            ),
        )
        .at(&wheel.file, content_id.span.clone(), "")
        .help("`ipwhl cid --profile unixfs-v0-2015 FILE` prints the CID of version 0")
    })
}

/// The many-wheels form: shared values at the top, `[[wheel]]` tables below.
fn several(reader: &Reader, top: &Table<'_, '_>, format: FormatVersion) -> Vec<DeclaredWheel> {
    let mut shared = shared(reader, top);
    let mut of_wheels = vec!["source", "content-id", "sha256", "size"];
    if format >= FormatVersion::V2 {
        shared.only = only(reader, top);
        of_wheels.push("uploaded");
    }
    for key in of_wheels {
        if let Some((_, span)) = top.value(key) {
            let span = top.key_span(key).unwrap_or(span);
            reader.push(
                Finding::new(
                    Code::UnknownKey,
                    format!(
                        "`{key}` is at the top beside `[[wheel]]` tables, where it belongs to no wheel"
                    ),
                )
                .at(&reader.file, span, "")
                .help(format!(
                    "move `{key}` into the `[[wheel]]` table of its wheel"
                )),
            );
        }
    }
    let tables = top.tables("wheel", "a `[[wheel]]` table");
    if tables.len() > MOST_WHEELS {
        reader.too_large(
            format!(
                "the project has {} wheels; at most {MOST_WHEELS} are allowed",
                tables.len()
            ),
            &tables[MOST_WHEELS].span,
            "declare only the wheels that the supported platforms need",
        );
        return Vec::new();
    }
    let mut tally = Tally::default();
    let mut wheels: Vec<DeclaredWheel> = Vec::with_capacity(tables.len());
    for table in &tables {
        if let Some(wheel) = wheel(reader, table, &shared, Some(format)) {
            // The shared values are not copied to more wheels.
            if let Some(finding) = tally.add(&wheel) {
                reader.push(finding);
                return Vec::new();
            }
            wheels.push(wheel);
        }
        table.finish();
    }
    if top.is_empty_list("wheel") {
        top.missing("wheel", "a declaration has at least one wheel");
    }
    let mut known: BTreeMap<&str, &DeclaredWheel> = BTreeMap::new();
    for wheel in &wheels {
        let twin = *known.entry(wheel.file_name.as_str()).or_insert(wheel);
        if !std::ptr::eq(twin, wheel) {
            reader.push(
                Finding::new(
                    Code::InvalidValue,
                    format!("`{}` is declared twice", wheel.file_name),
                )
                .at(&reader.file, wheel.span(), "again here")
                .at(&reader.file, twin.span(), "first here")
                .help("keep one of them; write several sources of one wheel as a list"),
            );
        }
    }
    wheels
}

fn shared(reader: &Reader, table: &Table<'_, '_>) -> Shared {
    Shared {
        requires_python: requires_python(reader, table),
        extras: extras(reader, table),
        dependencies: dependencies(reader, table),
        only: None,
    }
}

/// Reads the keys of one wheel; without a format, only the five keys of the layout `ipwhl-1`.
/// `None` if a required key is absent or invalid.
fn wheel(
    reader: &Reader,
    table: &Table<'_, '_>,
    above: &Shared,
    format: Option<FormatVersion>,
) -> Option<DeclaredWheel> {
    let sources = sources(reader, table);
    let content_id = content_id(reader, table);
    let own = shared(reader, table);
    let (sha256, size) = match format {
        Some(_) => (sha256(reader, table), size(reader, table)),
        None => (None, None),
    };
    let (uploaded, own_only) = match format {
        Some(FormatVersion::V2) => (uploaded(reader, table), only(reader, table)),
        Some(FormatVersion::V1) => {
            table.refuse_later(&KEYS_OF_WHEELS_OF_FORMAT_2);
            (None, None)
        }
        None => (None, None),
    };
    let extras = own.extras.or_else(|| above.extras.clone());
    let dependencies = own.dependencies.or_else(|| above.dependencies.clone());
    if extras.is_none() && !table.has("extras") {
        table.missing(
            "extras",
            "write `extras = []` if you declare none of the wheel's extras",
        );
    }
    if dependencies.is_none() && !table.has("dependencies") {
        table.missing(
            "dependencies",
            "write `dependencies = []` if the wheel has none",
        );
    }
    let (sources, content_id) = (sources?, content_id?);
    let (extras, dependencies) = (extras?, dependencies?);
    let file_name = file_name(reader, &sources)?;
    Some(DeclaredWheel {
        file: Arc::clone(&reader.file),
        file_name,
        sources,
        content_id,
        requires_python: own
            .requires_python
            // An invalid value still overrides the shared one.
            .or_else(|| {
                let shared = above.requires_python.clone();
                shared.filter(|_| !table.has("requires-python"))
            }),
        extras: extras.value,
        extras_span: extras.span,
        dependencies: dependencies.value,
        dependencies_span: dependencies.span,
        sha256,
        size,
        uploaded,
        // An invalid value still overrides the shared one.
        only: own_only.or_else(|| above.only.clone().filter(|_| !table.has("only"))),
        stem: None,
        released: None,
        is_partial: false,
    })
}
