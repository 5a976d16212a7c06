//! Parses the text of `ipwhl.toml`.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipwhl_unixfs::Profile;

use super::audit::audit;
use super::judgement::{severities, waived_platforms, waiver};
use super::licences::licences;
use super::platforms::platforms;
use super::withdrawn::withdrawal;
use super::{Configuration, Role, publish};
use crate::foundation::diagnostic::{Code, Finding};
use crate::set::declaration::reader::{Reader, Table};
use crate::set::declaration::{FormatVersion, Layout, Spanned, is_git_folder};
use crate::set::repository::ORIGINAL_FOLDER;

/// The most waivers of a repository.
const MOST_WAIVERS: usize = 5_000;

/// Reads the text of `ipwhl.toml`.
pub(in crate::set::repository) fn parse(
    file: &Arc<str>,
    text: &str,
    role: Role,
) -> (Configuration, Vec<Finding>) {
    let reader = Reader::new(file);
    let (document, is_toml) = reader.parse_document(text);
    let mut configuration = Configuration::default();
    if is_toml {
        let top = Table::new(&reader, document.get_ref(), 0..0, "`ipwhl.toml`");
        repository(&reader, &top, &mut configuration);
        platforms(&reader, &top, &mut configuration, role);
        if let Some(index) = top.table("index", "`[index]`") {
            if let Some(url) = index.string("url")
                && is_web_address(&reader, &url, "an index")
            {
                configuration.index_url = Some(url.value.to_owned());
            }
            cooldown(&reader, &index, &mut configuration);
            index.finish();
        }
        licences(&reader, &top, &mut configuration);
        if let Some(mirrors) = top.table("mirrors", "`[mirrors]`") {
            gateways(&reader, &mirrors, &mut configuration);
            mirrors.finish();
        }
        if let Some(signing) = top.table("signing", "`[signing]`") {
            signing_keys(&reader, &signing, &mut configuration);
            signing.finish();
        }
        configuration.publish = publish::targets(&reader, &top);
        if let Some(severity) = top.table("severity", "`[severity]`") {
            severities(&reader, &severity, &mut configuration);
        }
        let mut tables = top.tables("waiver", "a `[[waiver]]` table");
        if let Some(first) = tables.get(MOST_WAIVERS) {
            reader.too_large(
                format!(
                    "the repository has {} waivers; at most {MOST_WAIVERS} are allowed",
                    tables.len()
                ),
                &first.span,
                "one waiver without `requirement` or `wheel` covers all of its project",
            );
            tables.clear();
        }
        for table in tables {
            let waiver = waiver(&reader, &table, configuration.format);
            table.finish();
            if let Some(waiver) = &waiver {
                waived_platforms(&reader, waiver, &configuration.platforms);
            }
            configuration.waivers.extend(waiver);
        }
        withdrawals(&reader, &top, &mut configuration);
        configuration.audit = audit(&reader, &top, configuration.format);
        top.finish();
    }
    (configuration, reader.into_findings())
}

fn repository(reader: &Reader, top: &Table<'_, '_>, configuration: &mut Configuration) {
    let Some(table) = top.table("repository", "`[repository]`") else {
        if !top.has("repository") {
            top.missing(
                "repository",
                "it begins with `[repository]`, `format = 1` and `name = \"…\"`",
            );
        }
        return;
    };
    match table.number("format") {
        Some(format) => match FormatVersion::from_number(format.value) {
            Some(version) => configuration.format = version,
            None => reader.push(
                Finding::new(
                    Code::InvalidValue,
                    format!("the format {} is unknown", format.value),
                )
                .at(&reader.file, format.span, "")
                .help("write `format = 1` or `format = 2`, or use a newer ipwhl"),
            ),
        },
        None if table.has("format") => {}
        None => table.missing("format", "write `format = 1`"),
    }
    match table.string("name") {
        Some(name) if !name.value.trim().is_empty() && !name.value.contains(char::is_control) => {
            name.value.clone_into(&mut configuration.name);
        }
        Some(name) => reader.report(
            Code::InvalidValue,
            "the repository's name must be one line of text, and not empty",
            &name.span,
        ),
        None if table.has("name") => {}
        None => table.missing(
            "name",
            "write `name = \"…\"`; each signed statement contains it",
        ),
    }
    if let Some(folder) = table.string("declarations") {
        let is_inside = !folder.value.is_empty()
            && !folder.value.contains(['\\', '\0'])
            && folder
                .value
                .split('/')
                .all(|part| !part.is_empty() && part != "." && part != "..");
        if folder.value.split('/').any(is_git_folder) {
            reader.report(
                Code::InvalidValue,
                format!("`{}` is git's own folder, or in it", folder.value),
                &folder.span,
            );
        } else if is_inside {
            folder.value.clone_into(&mut configuration.declarations);
        } else {
            reader.report(
                Code::InvalidValue,
                format!("`{}` is not a folder inside the repository", folder.value),
                &folder.span,
            );
        }
    } else if table
        .string("layout")
        .is_some_and(|layout| layout.value == "ipwhl-1")
    {
        ORIGINAL_FOLDER.clone_into(&mut configuration.declarations);
    }
    if let Some(layout) = table.string("layout") {
        match layout.value {
            "package" => configuration.layout = Layout::Package,
            "ipwhl-1" => configuration.layout = Layout::Ipwhl1,
            other => reader.push(
                Finding::new(Code::InvalidValue, format!("`{other}` is not a layout"))
                    .at(&reader.file, layout.span, "")
                    .help("the layouts are `package` and `ipwhl-1`"),
            ),
        }
    }
    if configuration.layout == Layout::Ipwhl1 {
        // The original uses CIDs of version 0 only.
        configuration.profile = Profile::UnixfsV0_2015;
    }
    if let Some(profile) = table.string("profile") {
        if let Ok(profile) = profile.value.parse() {
            configuration.profile = profile;
        } else {
            let names: Vec<String> = Profile::ALL
                .iter()
                .map(|profile| format!("`{profile}`"))
                .collect();
            reader.push(
                Finding::new(
                    Code::InvalidValue,
                    format!("`{}` is not a profile", profile.value),
                )
                .at(&reader.file, profile.span, "")
                .help(format!("the profiles are {}", names.join(", "))),
            );
        }
    }
    table.finish();
}

/// The withdrawn files and releases. Each is named once.
fn withdrawals(reader: &Reader, top: &Table<'_, '_>, configuration: &mut Configuration) {
    if configuration.format < FormatVersion::V2 {
        return top.refuse_later(&["withdrawn"]);
    }
    for table in top.tables("withdrawn", "a `[[withdrawn]]` table") {
        let withdrawal = withdrawal(reader, &table);
        table.finish();
        let Some(withdrawal) = withdrawal else {
            continue;
        };
        let mut known = configuration.withdrawn.iter();
        if known.any(|other| other.subject == withdrawal.subject) {
            let message = format!("{} is withdrawn twice", withdrawal.subject);
            reader.report(Code::InvalidValue, message, &table.span);
        } else {
            configuration.withdrawn.push(withdrawal);
        }
    }
}

/// The age that each wheel needs.
fn cooldown(reader: &Reader, table: &Table<'_, '_>, configuration: &mut Configuration) {
    if configuration.format < FormatVersion::V2 {
        return table.refuse_later(&["cooldown"]);
    }
    let Some(text) = table.string("cooldown") else {
        return;
    };
    match text.value.parse() {
        Ok(cooldown) => configuration.cooldown = Some(cooldown),
        Err(error) => reader.push(
            Finding::new(
                Code::InvalidValue,
                format!("`{}` is not a cooldown: {error}", text.value),
            )
            .at(&reader.file, text.span, "")
            .help("write it as in `cooldown = \"7 days\"`"),
        ),
    }
}

fn gateways(reader: &Reader, table: &Table<'_, '_>, configuration: &mut Configuration) {
    let Some(gateways) = table.strings("gateways") else {
        return;
    };
    for gateway in gateways.value {
        if is_web_address(reader, &gateway, "a gateway") {
            configuration.gateways.push(gateway.value.to_owned());
        }
    }
}

/// Whether a text is a usable address; reports a finding if not.
fn is_web_address(reader: &Reader, text: &Spanned<&str>, of: &str) -> bool {
    let is_web = url::Url::parse(text.value)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if !is_web {
        reader.report(
            Code::InvalidValue,
            format!("`{}` is not the address of {of}", text.value),
            &text.span,
        );
    }
    is_web
}

/// The name that an entry of `trusted` gives to its key.
fn comment(entry: &str) -> String {
    let words: Vec<&str> = entry.split_whitespace().skip(2).collect();
    if words.is_empty() {
        "a key without a name".to_owned()
    } else {
        format!("`{}`", words.join(" "))
    }
}

/// The types of keys that may sign: Ed25519, in a file or in hardware.
const KEY_TYPES: [&str; 2] = ["ssh-ed25519", "sk-ssh-ed25519@openssh.com"];

fn signing_keys(reader: &Reader, table: &Table<'_, '_>, configuration: &mut Configuration) {
    // Each key with the first entry that names it.
    let mut keys: BTreeMap<&str, Spanned<&str>> = BTreeMap::new();
    if let Some(trusted) = table.strings("trusted") {
        for key in trusted.value {
            // The key itself is read when it is used; here only its form is checked.
            let mut words = key.value.split_whitespace();
            let is_known = words.next().is_some_and(|kind| KEY_TYPES.contains(&kind));
            if let Some(bytes) = words.next()
                && is_known
            {
                configuration.trusted.push(key.value.to_owned());
                let Some(first) = keys.insert(bytes, key.clone()) else {
                    continue;
                };
                reader.push(
                    Finding::new(
                        Code::InvalidValue,
                        format!(
                            "one key is listed twice in `trusted`, as {} and as {}",
                            comment(first.value),
                            comment(key.value)
                        ),
                    )
                    .at(&reader.file, key.span, "the same key")
                    .at(&reader.file, first.span, "listed here before")
                    .note("`threshold` counts keys, and one key is one signer, whatever its names")
                    .help("remove one of the two entries, or write the intended key"),
                );
            } else {
                reader.push(
                    Finding::new(
                        Code::InvalidValue,
                        format!("`{}` is not an Ed25519 key in OpenSSH format", key.value),
                    )
                    .at(&reader.file, key.span, "")
                    .help("`ipwhl key show` prints the line to write"),
                );
            }
        }
    }
    if let Some(threshold) = table.number("threshold") {
        let keys = keys.len() as u64;
        let wrong = if threshold.value == 0 {
            Some("the threshold must be at least 1".to_owned())
        } else if keys > 0 && threshold.value > keys {
            Some(format!(
                "the threshold {} cannot be met: the trusted keys are {keys}",
                threshold.value
            ))
        } else if !table.has("trusted") {
            Some("the threshold counts trusted keys, but there is no `trusted`".to_owned())
        } else {
            None
        };
        if let Some(message) = wrong {
            let mut finding =
                Finding::new(Code::InvalidValue, message).at(&reader.file, threshold.span, "");
            if let Some((_, span)) = table.value("trusted") {
                finding = finding.at(&reader.file, span, "the trusted keys");
            }
            reader.push(finding);
        }
        configuration.threshold = threshold.value.max(1);
    }
}
