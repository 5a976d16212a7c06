//! `[publish.NAME]`: the publish targets (FORMATS 9).

mod kinds;
mod settings;
mod values;

use std::ops::Range;

use crate::foundation::diagnostic::{Code, Finding, Help, nearest};
use crate::set::declaration::Spanned;
use crate::set::declaration::reader::{Reader, Table};

pub use kinds::{
    ClusterTarget, DirectoryTarget, DnslinkTarget, GitTarget, IpnsTarget, KuboTarget,
    PinningServiceTarget, PublishKind,
};
use values::Settings;

/// A publish target.
#[derive(Debug, Clone)]
pub struct PublishTarget {
    /// Its name: lower-case letters, digits and `-`.
    pub name: String,
    /// The place of its table.
    pub span: Range<usize>,
    /// Its kind, with its settings.
    pub kind: PublishKind,
    /// For a kind that needs another target: the targets, one of which must hold the release.
    /// `None` if none are named; empty if the release is held elsewhere, so that no target is
    /// checked.
    pub holders: Option<Vec<String>>,
}

impl PublishTarget {
    /// The environment variable with its secret of this form, `TOKEN` or `BASIC`.
    pub fn variable(&self, form: &str) -> String {
        let name = self.name.to_uppercase().replace('-', "_");
        format!("IPWHL_PUBLISH_{name}_{form}")
    }
}

/// Reads every `[publish.NAME]`; the targets keep the order of the text.
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
        let mut holders = None;
        let kind = kind(reader, &table, &mut holders);
        if let Some(kind) = kind
            && is_named
        {
            let holders = holders.unwrap_or_default();
            targets.push(Read {
                target: PublishTarget {
                    name: name.value.to_owned(),
                    span,
                    holders: table.has("holders").then(|| {
                        let names = holders.iter().map(|holder| holder.value.to_owned());
                        names.collect()
                    }),
                    kind,
                },
                holders,
                pinned_by: table.string("pinned-by"),
            });
        }
    }
    targets.sort_by_key(|read| read.target.span.start);
    check_others(reader, &targets);
    targets.into_iter().map(|read| read.target).collect()
}

/// A target, and the places where it names others.
struct Read<'a> {
    target: PublishTarget,
    holders: Vec<Spanned<&'a str>>,
    pinned_by: Option<Spanned<&'a str>>,
}

/// Reports names of targets that do not exist, or are of the wrong kind.
fn check_others(reader: &Reader, targets: &[Read<'_>]) {
    let refuse = |name: &Spanned<&str>, what: &str, is_meant: &dyn Fn(&PublishKind) -> bool| {
        let mut others = targets.iter().map(|read| &read.target);
        let other = others.find(|other| other.name == name.value);
        if other.is_some_and(|other| is_meant(&other.kind)) {
            return;
        }
        let message = match other {
            Some(other) => format!(
                "`{}` is of the kind `{}`, and {what}",
                name.value,
                other.kind.as_str()
            ),
            None => format!("no target is called `{}`", name.value),
        };
        let finding =
            Finding::new(Code::InvalidValue, message).at(&reader.file, name.span.clone(), "");
        let meant = targets.iter().map(|read| &read.target);
        let meant = meant.filter(|other| is_meant(&other.kind));
        let meant: Vec<&str> = meant.map(|other| other.name.as_str()).collect();
        reader.push(match nearest(name.value, meant) {
            Some(near) => finding.help(Help::DidYouMean(near.to_owned())),
            None => finding,
        });
    };
    for read in targets {
        for name in &read.holders {
            refuse(
                name,
                "a holder must have the blocks or files of a release",
                &|kind| kind.holds_releases(),
            );
        }
        if let Some(name) = read
            .pinned_by
            .as_ref()
            .filter(|name| !name.value.is_empty())
        {
            refuse(name, "only a `cluster` pins for a node", &|kind| {
                matches!(kind, PublishKind::Cluster(_))
            });
        }
    }
}

/// The name is a part of the names of variables, so two names must not be equal there.
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

/// The kind of the target, and the names in `holders`.
fn kind<'t>(
    reader: &Reader,
    table: &Table<'_, 't>,
    holders: &mut Option<Vec<Spanned<&'t str>>>,
) -> Option<PublishKind> {
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
            Some(near) => finding.help(Help::DidYouMean(near.to_owned())),
            None => finding.help(the_kinds()),
        });
        return None;
    }
    if PublishKind::NEEDING_HOLDERS.contains(&word.value) {
        *holders = table.strings("holders").map(|list| list.value);
    }
    let kind = Settings { reader, table }.read(word.value);
    table.finish();
    kind
}

fn the_kinds() -> String {
    let kinds = PublishKind::WORDS.map(|word| format!("`{word}`"));
    format!("the kinds are {}", kinds.join(", "))
}
