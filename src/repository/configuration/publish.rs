//! `[publish.NAME]`: where releases go (FORMATS 9).

mod kinds;
mod settings;

use std::ops::Range;

use crate::declaration::Spanned;
use crate::declaration::reader::{Reader, Table};
use crate::diagnostic::{Code, Finding, nearest};

pub use kinds::{
    ClusterTarget, DirectoryTarget, DnslinkTarget, GitTarget, IpnsTarget, KuboTarget,
    PinningServiceTarget, PublishKind,
};
use settings::Settings;

/// A place that releases go to.
#[derive(Debug, Clone)]
pub struct PublishTarget {
    /// What it is called: lower-case letters, digits and `-`.
    pub name: String,
    /// Where its table stands.
    pub span: Range<usize>,
    /// What it is, with its settings.
    pub kind: PublishKind,
}

impl PublishTarget {
    /// The environment variable that holds its secret of this form, `TOKEN` or `BASIC`.
    pub fn variable(&self, form: &str) -> String {
        let name = self.name.to_uppercase().replace('-', "_");
        format!("IPWHL_PUBLISH_{name}_{form}")
    }
}

/// Reads every `[publish.NAME]`; the targets come in the order in which they stand.
pub(super) fn targets(reader: &Reader, top: &Table<'_, '_>) -> Vec<PublishTarget> {
    let Some(all) = top.table("publish", "`[publish]`") else {
        return Vec::new();
    };
    let mut targets = Vec::new();
    for (name, value, span) in all.entries() {
        let is_named = check_name(reader, &name);
        let Some(entries) = value.as_table() else {
            reader.push(
                Finding::new(
                    Code::InvalidValue,
                    format!("`{}` must be a table of a target", name.value),
                )
                .at(&reader.file, span, "")
                .help("write `[publish.NAME]` and below it `kind = \"…\"`"),
            );
            continue;
        };
        let table = Table::new(reader, entries, span.clone(), "a `[publish.NAME]` table");
        if let Some(kind) = kind(reader, &table)
            && is_named
        {
            targets.push(PublishTarget {
                name: name.value.to_owned(),
                span,
                kind,
            });
        }
    }
    targets.sort_by_key(|target| target.span.start);
    targets
}

/// A name is that of a variable too, so no two of them may differ in what a variable cannot show.
fn check_name(reader: &Reader, name: &Spanned<&str>) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let is_name = name
        .value
        .starts_with(|first: char| first.is_ascii_lowercase())
        && name.value.bytes().all(is_part)
        && !name.value.ends_with('-');
    if !is_name {
        reader.push(
            Finding::new(
                Code::InvalidValue,
                format!("`{}` cannot be the name of a target", name.value),
            )
            .at(&reader.file, name.span.clone(), "")
            .help("a name has lower-case letters, digits and `-`, and begins with a letter"),
        );
    }
    is_name
}

fn kind(reader: &Reader, table: &Table<'_, '_>) -> Option<PublishKind> {
    let Some(word) = table.string("kind") else {
        if !table.has("kind") {
            table.missing("kind", &the_kinds());
        }
        return None;
    };
    if !PublishKind::WORDS.contains(&word.value) {
        let finding = Finding::new(
            Code::InvalidValue,
            format!("`{}` is not a kind of target", word.value),
        )
        .at(&reader.file, word.span, "");
        reader.push(match nearest(word.value, PublishKind::WORDS) {
            Some(near) => finding.help(format!("did you mean `{near}`?")),
            None => finding.help(the_kinds()),
        });
        return None;
    }
    let kind = Settings { reader, table }.read(word.value);
    table.finish();
    kind
}

fn the_kinds() -> String {
    let kinds = PublishKind::WORDS.map(|word| format!("`{word}`"));
    format!("the kinds are {}", kinds.join(", "))
}
