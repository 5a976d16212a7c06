//! A declaration's text to a declaration and findings.

use std::ops::Range;
use std::sync::Arc;

use crate::dag::{Cid, Sha256Digest};
use crate::diagnostic::{Code, Finding, Severity};
use crate::python::{
    ExtraName, ProjectName, Requirement, VersionSpecifiers, WheelFileName, parse_specifiers,
};

use super::reader::{Reader, Table};
use super::{DeclaredWheel, Source, Spanned};

/// How the declarations of a repository are laid out (FORMATS 1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// One file a project: `declarations/<project>.toml`.
    #[default]
    Package,
    /// The original's: `pkgs/<prefix>/<Project>/<wheel stem>.toml`, one file a wheel.
    Ipwhl1,
}

/// What one file says.
#[derive(Debug)]
pub struct Parsed {
    /// Its wheels, in the file's order. Empty when the text has errors: what is only half
    /// understood is not checked further.
    pub wheels: Vec<DeclaredWheel>,
    /// Whether the project is here only because another needs it.
    pub automatic: bool,
    /// Where `automatic` stands.
    pub automatic_span: Option<Range<usize>>,
    /// What is wrong with the text.
    pub findings: Vec<Finding>,
}

/// The values that the wheels of a file may share.
#[derive(Clone, Default)]
struct Shared {
    requires_python: Option<Spanned<VersionSpecifiers>>,
    extras: Option<Spanned<Vec<Spanned<ExtraName>>>>,
    dependencies: Option<Spanned<Vec<Spanned<Requirement>>>>,
}

/// Reads the text of one declaration. `file` is its name for findings.
pub fn parse(file: &Arc<str>, text: &str, layout: Layout) -> Parsed {
    let reader = Reader::new(file);
    let (document, is_toml) = reader.parse_document(text);
    let mut wheels = Vec::new();
    let mut automatic = None;
    if is_toml {
        let top = Table::new(&reader, document.get_ref(), 0..0, "a declaration");
        match layout {
            Layout::Package => {
                let shared = Shared::default();
                automatic = top.boolean("automatic");
                if top.has("wheel") {
                    wheels = several(&reader, &top);
                } else {
                    wheels.extend(wheel(&reader, &top, &shared, true));
                }
            }
            Layout::Ipwhl1 => {
                let mut one = wheel(&reader, &top, &Shared::default(), false);
                if let Some(wheel) = &mut one {
                    let name = file.rsplit('/').next().unwrap_or_default();
                    wheel.stem = Some(name.strip_suffix(".toml").unwrap_or(name).to_owned());
                }
                wheels.extend(one);
            }
        }
        top.finish();
    }
    let findings = reader.into_findings();
    let is_sound = !findings
        .iter()
        .any(|finding| finding.severity == Severity::Error && !finding.code.may_be_softened());
    if !is_sound {
        wheels.clear();
    }
    Parsed {
        wheels,
        automatic: automatic.as_ref().is_some_and(|automatic| automatic.value),
        automatic_span: automatic.map(|automatic| automatic.span),
        findings,
    }
}

/// The many-wheels form: shared values at the top, `[[wheel]]` tables below.
fn several(reader: &Reader, top: &Table<'_, '_>) -> Vec<DeclaredWheel> {
    let shared = shared(reader, top);
    for key in ["source", "content-id", "sha256", "size"] {
        if let Some((_, span)) = top.value(key) {
            let span = top.key_span(key).unwrap_or(span);
            reader.push(
                Finding::new(
                    Code::UnknownKey,
                    format!(
                        "`{key}` stands beside `[[wheel]]` tables, where it belongs to no wheel"
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
    let wheels: Vec<DeclaredWheel> = tables
        .iter()
        .filter_map(|table| {
            let wheel = wheel(reader, table, &shared, true);
            table.finish();
            wheel
        })
        .collect();
    if tables.is_empty() {
        top.missing("wheel", "a declaration has at least one wheel");
    }
    for (index, wheel) in wheels.iter().enumerate() {
        let twin = wheels[..index]
            .iter()
            .find(|earlier| earlier.file_name.as_str() == wheel.file_name.as_str());
        if let Some(twin) = twin {
            reader.push(
                Finding::new(
                    Code::InvalidValue,
                    format!("`{}` is declared twice", wheel.file_name),
                )
                .at(&reader.file, wheel.span(), "again here")
                .at(&reader.file, twin.span(), "first here")
                .help("keep one of them; several sources of one wheel are a list"),
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
    }
}

/// One wheel's keys. `None` when one that it cannot do without is absent or wrong.
fn wheel(
    reader: &Reader,
    table: &Table<'_, '_>,
    above: &Shared,
    extended: bool,
) -> Option<DeclaredWheel> {
    let sources = sources(reader, table);
    let content_id = content_id(reader, table);
    let own = shared(reader, table);
    let (sha256, size) = if extended {
        (sha256(reader, table), size(reader, table))
    } else {
        (None, None)
    };
    let extras = own.extras.or_else(|| above.extras.clone());
    let dependencies = own.dependencies.or_else(|| above.dependencies.clone());
    if extras.is_none() && !table.has("extras") {
        table.missing(
            "extras",
            "write `extras = []` where the repository vouches for none",
        );
    }
    if dependencies.is_none() && !table.has("dependencies") {
        table.missing(
            "dependencies",
            "write `dependencies = []` where the wheel has none",
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
            .or_else(|| above.requires_python.clone()),
        extras: extras.value,
        extras_span: extras.span,
        dependencies: dependencies.value,
        dependencies_span: dependencies.span,
        sha256,
        size,
        stem: None,
    })
}

fn sources(reader: &Reader, table: &Table<'_, '_>) -> Option<Vec<Spanned<Source>>> {
    let Some(written) = table.one_or_several("source") else {
        if !table.has("source") {
            table.missing(
                "source",
                "`ipwhl add NAME` writes a whole declaration; by hand: `source = \"pkg:pypi/NAME@VERSION?file_name=WHEEL\"`",
            );
        }
        return None;
    };
    if written.value.is_empty() {
        reader.report(Code::InvalidValue, "`source` names no place", &written.span);
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
                if sources.iter().any(|earlier| earlier.value == source) {
                    reader.report(
                        Code::InvalidValue,
                        format!("the source `{}` is listed twice", text.value),
                        &text.span,
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

/// The one file name that all sources give, which must be a wheel's.
fn file_name(reader: &Reader, sources: &[Spanned<Source>]) -> Option<WheelFileName> {
    let first = sources.first()?;
    let text = first.value.file_name();
    for other in &sources[1..] {
        let name = other.value.file_name();
        if name != text {
            reader.push(
                Finding::new(
                    Code::InvalidWheelName,
                    format!("the sources of one wheel name two: `{text}` and `{name}`"),
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
                    "the package URL is of `{}@{}`, its wheel of `{}@{}`",
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

fn content_id(reader: &Reader, table: &Table<'_, '_>) -> Option<Spanned<Cid>> {
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
                    format!("`{}` is no content-id: {error}", shortened(text.value)),
                )
                .at(&reader.file, text.span, "")
                .help("`ipwhl cid FILE` prints the CID of a wheel"),
            );
            None
        }
    }
}

fn requires_python(reader: &Reader, table: &Table<'_, '_>) -> Option<Spanned<VersionSpecifiers>> {
    let text = table.string("requires-python")?;
    match parse_specifiers(text.value) {
        Ok(specifiers) if specifiers.is_empty() => {
            reader.push(
                Finding::new(Code::InvalidSpecifier, "`requires-python` says nothing")
                    .at(&reader.file, text.span, "")
                    .help("leave `requires-python` out where the wheel has none"),
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
                .help("it is written as in `>=3.9, <4`"),
            );
            None
        }
    }
}

/// The place of a part of a string's value. Only a string without escapes stands in the file as it
/// is, after its quote; of any other the whole is the place.
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

/// A value as a message quotes it: no longer than a line bears.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 80;
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST).chain(['…']).collect()
}

fn extras(reader: &Reader, table: &Table<'_, '_>) -> Option<Spanned<Vec<Spanned<ExtraName>>>> {
    let list = table.strings("extras")?;
    let mut extras: Vec<Spanned<ExtraName>> = Vec::with_capacity(list.value.len());
    for text in list.value {
        match text.value.parse::<ExtraName>() {
            Ok(extra) => {
                if extras.iter().any(|earlier| earlier.value == extra) {
                    reader.report(
                        Code::InvalidValue,
                        format!("the extra `{extra}` is listed twice"),
                        &text.span,
                    );
                }
                extras.push(Spanned::new(extra, text.span));
            }
            Err(error) => reader.report(Code::InvalidValue, format!("{error}"), &text.span),
        }
    }
    Some(Spanned::new(extras, list.span))
}

fn dependencies(
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
                reader.push(Finding::new(Code::InvalidRequirement, message).at(
                    &reader.file,
                    span,
                    "",
                ));
            }
        }
    }
    Some(Spanned::new(dependencies, list.span))
}

fn sha256(reader: &Reader, table: &Table<'_, '_>) -> Option<Spanned<Sha256Digest>> {
    let text = table.string("sha256")?;
    if let Ok(digest) = text.value.parse() {
        Some(Spanned::new(digest, text.span))
    } else {
        reader.report(
            Code::InvalidValue,
            format!(
                "`{}` is not a SHA-256: that has 64 hexadecimal digits",
                text.value
            ),
            &text.span,
        );
        None
    }
}

fn size(reader: &Reader, table: &Table<'_, '_>) -> Option<Spanned<u64>> {
    let size = table.number("size")?;
    if size.value == 0 {
        reader.report(Code::InvalidValue, "a wheel is not empty", &size.span);
        return None;
    }
    Some(size)
}

/// Whether a declaration stands where its project belongs; a finding where not.
pub(crate) fn misplaced(
    file: &Arc<str>,
    declarations: &str,
    wheels: &[DeclaredWheel],
    layout: Layout,
) -> Option<Finding> {
    let wheel = wheels.first()?;
    let project: &ProjectName = wheel.file_name.name();
    let (belongs, written) = match layout {
        Layout::Package => (format!("{declarations}/{project}.toml"), file.to_string()),
        Layout::Ipwhl1 => {
            let parts: Vec<&str> = file.rsplit('/').collect();
            let folder = parts.get(1).copied().unwrap_or_default();
            let is_its_own = folder.parse::<ProjectName>().ok().as_ref() == Some(project);
            let folder = if is_its_own { folder } else { project.as_str() };
            // The prefix is the low 8 bits of the sum of the code points of the name as written.
            let sum = folder
                .chars()
                .fold(0_u32, |sum, character| sum.wrapping_add(character.into()));
            let name = parts.first().copied().unwrap_or_default();
            (
                format!("{declarations}/{:02x}/{folder}/{name}", sum & 0xff),
                file.to_string(),
            )
        }
    };
    let other = wheels
        .iter()
        .find(|other| other.file_name.name() != project);
    if belongs == written && other.is_none() {
        return None;
    }
    let finding = match other {
        Some(other) => Finding::new(
            Code::MisplacedDeclaration,
            format!(
                "`{}` is declared in the file of `{project}`",
                other.file_name
            ),
        )
        .at(file, other.span(), "")
        .help(format!(
            "declare it in the file of `{}`",
            other.file_name.name()
        )),
        None => Finding::new(
            Code::MisplacedDeclaration,
            format!("`{project}` is declared in `{written}`"),
        )
        .at(file, wheel.span(), format!("a wheel of `{project}`"))
        .help(format!("move the file to `{belongs}`")),
    };
    Some(finding.project(project))
}
