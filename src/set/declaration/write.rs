//! The text of a new declaration.

use std::fmt::Write as _;

use ipwhl_packaging::Marker;
use toml_edit::Value;

use super::{Declaration, DeclaredWheel, Spanned, canonical};

/// The canonical text of a new declaration. Values that all wheels share are written once.
pub fn write_declaration(declaration: &Declaration) -> String {
    let mut text = String::new();
    match declaration.wheels.as_slice() {
        [wheel] => {
            write_places(&mut text, wheel);
            write_requirements(&mut text, wheel, None);
            write_digests(&mut text, wheel);
            write_only(&mut text, wheel.only.as_ref());
            write_project(&mut text, declaration);
        }
        wheels => {
            let shared = most_frequent(wheels);
            if let Some(shared) = shared {
                write_requirements(&mut text, shared, None);
            }
            let shared_only = shared_only(wheels);
            write_only(&mut text, shared_only);
            write_project(&mut text, declaration);
            for wheel in wheels {
                text.push_str("\n[[wheel]]\n");
                write_places(&mut text, wheel);
                write_requirements(&mut text, wheel, shared);
                write_digests(&mut text, wheel);
                if shared_only.is_none() {
                    write_only(&mut text, wheel.only.as_ref());
                }
            }
        }
    }
    canonical(&text).unwrap_or(text)
}

/// The wheel whose requirements most wheels have; they are written once. A wheel without
/// `requires-python` cannot override one at the top, so such wheels are not combined with others.
fn most_frequent(wheels: &[DeclaredWheel]) -> Option<&DeclaredWheel> {
    let any_without = wheels.iter().any(|wheel| wheel.requires_python.is_none());
    wheels
        .iter()
        .filter(|wheel| !any_without || wheel.requires_python.is_none())
        .rev()
        .max_by_key(|wheel| {
            wheels
                .iter()
                .filter(|other| requirements(other) == requirements(wheel))
                .count()
        })
}

/// The requirements of a wheel as text, by which wheels are compared.
#[derive(PartialEq, Eq)]
struct Requirements {
    python: Option<String>,
    extras: Vec<String>,
    dependencies: Vec<String>,
}

fn requirements(wheel: &DeclaredWheel) -> Requirements {
    Requirements {
        python: wheel
            .requires_python
            .as_ref()
            .map(|specifiers| specifiers.value.to_string()),
        extras: wheel
            .extras
            .iter()
            .map(|extra| extra.value.to_string())
            .collect(),
        dependencies: wheel
            .dependencies
            .iter()
            .map(|dependency| dependency.value.to_string())
            .collect(),
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn list(texts: &[String]) -> String {
    let texts: Vec<String> = texts.iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

fn write_places(text: &mut String, wheel: &DeclaredWheel) {
    let sources: Vec<String> = wheel
        .sources
        .iter()
        .map(|source| source.value.to_string())
        .collect();
    let source = match sources.as_slice() {
        [one] => quoted(one),
        several => list(several),
    };
    let _ = writeln!(text, "source = {source}");
    let _ = writeln!(
        text,
        "content-id = {}",
        quoted(&wheel.content_id.value.to_string())
    );
}

fn write_requirements(text: &mut String, wheel: &DeclaredWheel, above: Option<&DeclaredWheel>) {
    let own = requirements(wheel);
    let shared = above.map(requirements);
    let differs = |is_other: &dyn Fn(&Requirements) -> bool| shared.as_ref().is_none_or(is_other);
    if let Some(specifiers) = &own.python
        && differs(&|shared| shared.python != own.python)
    {
        let _ = writeln!(text, "requires-python = {}", quoted(specifiers));
    }
    if differs(&|shared| shared.extras != own.extras) {
        let _ = writeln!(text, "extras = {}", list(&own.extras));
    }
    if differs(&|shared| shared.dependencies != own.dependencies) {
        let _ = writeln!(text, "dependencies = {}", list(&own.dependencies));
    }
}

fn write_digests(text: &mut String, wheel: &DeclaredWheel) {
    if let Some(sha256) = &wheel.sha256 {
        let _ = writeln!(text, "sha256 = {}", quoted(&sha256.value.to_string()));
    }
    if let Some(size) = &wheel.size {
        let _ = writeln!(text, "size = {}", size.value);
    }
    if let Some(uploaded) = &wheel.uploaded {
        let _ = writeln!(text, "uploaded = {}", uploaded.value);
    }
}

/// The platforms of all wheels, if each wheel states the same ones.
fn shared_only(wheels: &[DeclaredWheel]) -> Option<&Spanned<Marker>> {
    let first = wheels.first()?.only.as_ref()?;
    let is_same = |wheel: &DeclaredWheel| {
        wheel
            .only
            .as_ref()
            .is_some_and(|only| only.value == first.value)
    };
    wheels.iter().all(is_same).then_some(first)
}

fn write_only(text: &mut String, only: Option<&Spanned<Marker>>) {
    if let Some(only) = only {
        let _ = writeln!(text, "only = {}", quoted(&only.value.to_string()));
    }
}

/// The keys that are about the project as a whole.
fn write_project(text: &mut String, declaration: &Declaration) {
    if let Some(publisher) = &declaration.provenance.publisher {
        let _ = writeln!(text, "publisher = {}", quoted(&publisher.value));
    }
    if declaration.provenance.unreviewed.is_some() {
        text.push_str("reviewed = false\n");
    }
    if declaration.automatic {
        text.push_str("automatic = true\n");
    }
}
