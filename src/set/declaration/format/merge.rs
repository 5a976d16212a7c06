//! The declarations of a project's wheels in the layout `ipwhl-1` as the one of the layout
//! `package`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use toml_edit::{ArrayOfTables, Decor, DocumentMut, Item, Table, Value};

use super::comments::{comments, end_comment, end_of_line, prefix};
use super::list::{List, read_list, take_lines, write_list};
use super::{canonical, take_header};
use crate::foundation::diagnostic::Code;
use crate::set::declaration::faithful::{Unformatted, comments as all_comments, syntax};
use crate::set::declaration::{DeclaredWheel, Layout, parse};

/// What wheels may share.
const SHARED: [&str; 3] = ["requires-python", "extras", "dependencies"];

/// One wheel's declaration.
struct Wheel {
    /// The comments that are about the file as a whole, before and after all else.
    header: String,
    trailing: String,
    document: DocumentMut,
}

/// One declaration of all these: what most wheels share is stated once, and by each where it
/// differs. Comments go where what they are about goes; one that several files have is written
/// once. `texts` are those of one project's wheels in the layout `ipwhl-1`, each with its file's
/// name. Of those that declare the same wheel alike the first is taken, with the comments of the
/// others at its end.
///
/// # Errors
/// When a text is not TOML, or the result would say something else.
pub fn merged(texts: &[(Arc<str>, &str)]) -> Result<String, Unformatted> {
    let kept = distinct(texts);
    let mut wheels = Vec::with_capacity(kept.len());
    for (file, text) in &kept {
        // The canonical text has one place for each comment.
        let canonical = canonical(text).ok_or_else(|| syntax(file, text))?;
        let mut document: DocumentMut = canonical.parse().map_err(|_| syntax(file, text))?;
        wheels.push(Wheel {
            header: take_header(&mut document),
            trailing: comments(document.trailing().as_str().unwrap_or_default()),
            document,
        });
    }
    let text = match kept.as_slice() {
        [(file, text)] => canonical(text).ok_or_else(|| syntax(file, text))?,
        _ => write(&mut wheels).ok_or(Unformatted::Unfaithful("a value"))?,
    };
    compare(texts, &text)?;
    Ok(text)
}

/// The texts without those that declare a wheel as an earlier one does; comments that only these
/// have come to the end of that one.
fn distinct<'t>(texts: &[(Arc<str>, &'t str)]) -> Vec<(Arc<str>, Cow<'t, str>)> {
    let mut kept: Vec<(Arc<str>, Cow<'t, str>)> = Vec::with_capacity(texts.len());
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for (file, text) in texts {
        let twin = match meanings(file, text, Layout::Ipwhl1).as_slice() {
            [meaning] => *known.entry(meaning.clone()).or_insert(kept.len()),
            _ => kept.len(),
        };
        let Some((_, first)) = kept.get_mut(twin) else {
            kept.push((Arc::clone(file), Cow::Borrowed(*text)));
            continue;
        };
        let mut more = String::new();
        let there = all_comments(first);
        for comment in all_comments(text) {
            if !there.contains(&comment) {
                take_lines(&mut more, comment);
            }
        }
        if !more.is_empty() {
            *first = Cow::Owned(format!("{}\n{more}", first.trim_end_matches('\n')));
        }
    }
    kept
}

fn write(wheels: &mut [Wheel]) -> Option<String> {
    let mut document = DocumentMut::new();
    for key in SHARED {
        hoist(key, wheels, &mut document);
    }
    let common = |part: fn(&Wheel) -> &String| -> Option<String> {
        let first = part(wheels.first()?);
        let is_common = wheels.iter().all(|wheel| part(wheel) == first);
        (is_common && !first.is_empty()).then(|| first.clone())
    };
    let header = common(|wheel| &wheel.header);
    let trailing = common(|wheel| &wheel.trailing);
    let mut tables = ArrayOfTables::new();
    for wheel in wheels.iter_mut() {
        let mut above = String::from("\n");
        if header.is_none() {
            above += &wheel.header;
        }
        if trailing.is_none() {
            above += &wheel.trailing;
        }
        let mut table: Table = wheel.document.as_table().clone();
        table.set_position(None);
        *table.decor_mut() = Decor::new(above, "");
        tables.push(table);
    }
    document.insert("wheel", Item::ArrayOfTables(tables));
    let mut text = header.map_or_else(String::new, |header| header + "\n");
    text += document.to_string().trim_start_matches('\n');
    text += &trailing.unwrap_or_default();
    canonical(&text)
}

/// Moves a value that several wheels share, with its comments, from them to the top.
fn hoist(key: &str, wheels: &mut [Wheel], document: &mut DocumentMut) {
    let said: Vec<Option<Vec<String>>> = wheels.iter().map(|wheel| says(key, wheel)).collect();
    // A wheel cannot take a `requires-python` of the top away.
    if said.iter().any(Option::is_none) {
        return;
    }
    let count = |value: &Option<Vec<String>>| said.iter().filter(|other| *other == value).count();
    // Of those that are equally frequent the first.
    let Some(shared) = said.iter().rev().max_by_key(|value| count(value)).cloned() else {
        return;
    };
    if count(&shared) < 2 {
        return;
    }
    let (mut above, mut after) = (String::new(), String::new());
    let mut value: Option<Value> = None;
    let mut list: Option<List> = None;
    for (wheel, _) in wheels
        .iter_mut()
        .zip(&said)
        .filter(|(_, said)| **said == shared)
    {
        let table = wheel.document.as_table_mut();
        let Some((own_key, Item::Value(own))) = table.remove_entry(key) else {
            continue;
        };
        take_lines(&mut above, &comments(&prefix(own_key.leaf_decor())));
        let comment = end_comment(own.decor()).trim().to_owned();
        if after.is_empty() {
            after = comment;
        } else if comment != after {
            take_lines(&mut above, &comment);
        }
        if let Value::Array(array) = &own {
            let theirs = read_list(key, array, Layout::Package);
            match &mut list {
                Some(list) => list.take_comments(&theirs),
                None => list = Some(theirs),
            }
        }
        value.get_or_insert(own);
    }
    let Some(mut value) = value else { return };
    if let (Value::Array(array), Some(list)) = (&mut value, list) {
        write_list(key, list, array);
    }
    *value.decor_mut() = Decor::new(" ", end_of_line(&after));
    document.insert(key, Item::Value(value));
    if let Some(mut key) = document.as_table_mut().key_mut(key) {
        *key.leaf_decor_mut() = Decor::new(above, " ");
    }
}

/// What a wheel says under a key, without comments; `None` where it has not the key.
fn says(key: &str, wheel: &Wheel) -> Option<Vec<String>> {
    match wheel.document.get(key)?.as_value()? {
        Value::Array(array) => {
            let list = read_list(key, array, Layout::Package);
            Some(list.texts().into_iter().map(str::to_owned).collect())
        }
        other => Some(vec![other.clone().decorated("", "").to_string()]),
    }
}

/// Sees that the same wheels are declared alike, and that no comment is lost.
fn compare(texts: &[(Arc<str>, &str)], text: &str) -> Result<(), Unformatted> {
    let written: BTreeSet<&str> = texts
        .iter()
        .flat_map(|(_, text)| all_comments(text))
        .collect();
    let there: BTreeSet<&str> = all_comments(text).into_iter().collect();
    if written != there {
        return Err(Unformatted::Unfaithful("a comment"));
    }
    let mut before: Vec<String> = Vec::new();
    for (file, text) in texts {
        let [meaning] = meanings(file, text, Layout::Ipwhl1)
            .try_into()
            .map_err(|_| Unformatted::Unfaithful("a value"))?;
        before.push(meaning);
    }
    before.sort();
    before.dedup();
    let mut after = meanings(&Arc::from(""), text, Layout::Package);
    after.sort();
    if before != after {
        return Err(Unformatted::Unfaithful("a value"));
    }
    Ok(())
}

fn meanings(file: &Arc<str>, text: &str, layout: Layout) -> Vec<String> {
    parse(file, text, layout)
        .wheels
        .iter()
        .map(meaning)
        .collect()
}

/// Whether a declaration of the layout `package` says all that these of the layout `ipwhl-1` say,
/// comments too. It may say more. What cannot be understood wholly is not known to be there.
pub fn declares_all_of(text: &str, former: &[(Arc<str>, &str)]) -> bool {
    let there: BTreeSet<&str> = all_comments(text).into_iter().collect();
    let file = Arc::from("");
    let now = parse(&file, text, Layout::Package).wheels;
    let now: BTreeSet<String> = now.iter().map(meaning).collect();
    former.iter().all(|(file, text)| {
        let parsed = parse(file, text, Layout::Ipwhl1);
        let is_whole = parsed
            .findings
            .iter()
            .all(|finding| finding.code == Code::InsecureSource);
        is_whole
            && !parsed.wheels.is_empty()
            && parsed
                .wheels
                .iter()
                .all(|wheel| now.contains(&meaning(wheel)))
            && all_comments(text)
                .iter()
                .all(|comment| there.contains(comment))
    })
}

/// All that a wheel's declaration says, in one text.
fn meaning(wheel: &DeclaredWheel) -> String {
    let values: Vec<String> = values(wheel).into_iter().map(|(_, value)| value).collect();
    format!("{} {values:?}", wheel.file_name)
}

/// What a wheel's declaration says under each key, with all that means the same made alike.
fn values(wheel: &DeclaredWheel) -> [(&'static str, String); 5] {
    let sources: Vec<String> = wheel
        .sources
        .iter()
        .map(|source| source.value.to_string())
        .collect();
    let extras: BTreeSet<_> = wheel.extras.iter().map(|extra| &extra.value).collect();
    let dependencies: BTreeSet<String> = wheel
        .dependencies
        .iter()
        .map(|dependency| dependency.value.to_string())
        .collect();
    let python = wheel
        .requires_python
        .as_ref()
        .map(|specifiers| specifiers.value.to_string());
    [
        ("source", format!("{sources:?}")),
        ("content-id", wheel.content_id.value.to_string()),
        ("requires-python", format!("{python:?}")),
        ("extras", format!("{extras:?}")),
        ("dependencies", format!("{dependencies:?}")),
    ]
}

/// The keys under which two declarations of a wheel say different things.
pub fn differing_keys(left: &DeclaredWheel, right: &DeclaredWheel) -> Vec<&'static str> {
    let both = values(left).into_iter().zip(values(right));
    both.filter(|(left, right)| left.1 != right.1)
        .map(|((key, _), _)| key)
        .collect()
}
