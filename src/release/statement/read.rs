//! Reads existing statements: from a file or an address, with the signatures beside them.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use url::Url;

use super::{MAXIMUM_STATEMENT_SIZE, SignatureFile, SignedStatement, is_signature_of};
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{MAXIMUM_SIGNATURE_SIZE, TrustedKey};
use crate::set::repository::Configuration;
use crate::source::{Client, Limits, Session, SourceProblem, redacted};

/// Reads a statement and the signatures beside it from a file. Signatures are not verified here.
///
/// # Errors
/// When one of the files cannot be read, or the text is not a statement.
pub fn read_statement(path: &Path) -> Result<SignedStatement, Failure> {
    let text =
        read_small(path, MAXIMUM_STATEMENT_SIZE).map_err(|failure| match unfinished_build_help(
            path,
        ) {
            Some(help) => failure.help(help),
            None => failure.help(NAMES),
        })?;
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut names: Vec<String> = fs::read_dir(folder)
        .map_err(|error| Failure::world(format!("`{}` cannot be read: {error}", folder.display())))?
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|other| is_signature_of(other, &name))
        .collect();
    names.sort();
    let signatures = names
        .iter()
        .map(|found| {
            Ok(SignatureFile {
                suffix: found[name.len()..].to_owned(),
                text: read_small(&folder.join(found), MAXIMUM_SIGNATURE_SIZE)?,
            })
        })
        .collect::<Result<Vec<SignatureFile>, Failure>>()?;
    signed(&path.display(), text, signatures)
}

/// The help for a file that is not a statement.
const NAMES: &str = "name a statement, such as `release/release.toml`";

/// The help for a missing statement if a build has not finished.
pub fn unfinished_build_help(statement: &Path) -> Option<&'static str> {
    (!statement.exists() && AtomicFile::is_begun(statement)).then_some(
        "a build that writes a release there is running or was interrupted: run `ipwhl build` to finish it",
    )
}

fn read_small(path: &Path, largest: usize) -> Result<String, Failure> {
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::world(format!("`{}` cannot be read: {reason}", path.display()))
    };
    // In an unknown folder the file may be a pipe, and opening it could wait forever.
    if !fs::metadata(path)
        .map_err(|error| failed(&error))?
        .is_file()
    {
        return Err(failed(&"it is not a regular file"));
    }
    crate::foundation::environment::read_small(path, largest as u64).map_err(|error| {
        match error.kind() {
            ErrorKind::InvalidData => failed(&"it is not text"),
            _ => failed(&error),
        }
    })
}

fn signed(
    place: &dyn std::fmt::Display,
    text: String,
    signatures: Vec<SignatureFile>,
) -> Result<SignedStatement, Failure> {
    SignedStatement::parse(text, signatures).map_err(|error| {
        Failure::finding(format!(
            "`{place}` is not a statement: {}",
            error_chain(&error)
        ))
        .help(
            "name a `release.toml` that `ipwhl build` wrote; if this is one, it is damaged or \
             altered: get it again from its origin",
        )
    })
}

/// Reads the statement that an option names, from a file or the web. Signatures are not verified
/// here.
///
/// # Errors
/// When it cannot be read, is not a statement, or is on the web and this run is `offline`.
pub fn located(
    session: &Session,
    configuration: &Configuration,
    option: &str,
    location: &str,
    offline: bool,
) -> Result<SignedStatement, Failure> {
    match web_address(option, location)? {
        Some(url) if offline => Err(Failure::usage(format!(
            "`{option} {}` is on the web, but `--offline` forbids the network",
            redacted(&url)
        ))
        .help("leave out `--offline`, or name a file")),
        Some(url) => download(session, configuration, option, &url),
        None => {
            let path = session.environment().absolute(Path::new(location));
            read_statement(&path).map_err(|failure| {
                if path.exists() || unfinished_build_help(&path).is_some() {
                    return failure;
                }
                failure.help(named(option))
            })
        }
    }
}

/// The help for an option that names no statement.
fn named(option: &str) -> String {
    format!(
        "name an existing statement with `{option}`: a file such as `release/release.toml`, or \
         its address"
    )
}

/// The address in a location; `None` for a file. An invalid address is not repeated, because it may
/// contain a password.
fn web_address(option: &str, location: &str) -> Result<Option<Url>, Failure> {
    match Url::parse(location) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(Some(url)),
        Ok(url) if location.contains("://") => Err(Failure::usage(format!(
            "`{option} {}` is neither a file nor an address that begins with `https://`",
            redacted(&url)
        ))),
        Err(error) if location.contains("://") => Err(Failure::usage(format!(
            "`{option}` is not an address: {error}"
        ))),
        _ => Ok(None),
    }
}

/// The statement at an address and the signatures beside it: that of the first signer, and those of
/// additional signers whose keys the repository knows, because the web lists no folders.
fn download(
    session: &Session,
    configuration: &Configuration,
    option: &str,
    url: &Url,
) -> Result<SignedStatement, Failure> {
    let client = Client::new(&session.client_settings(Limits::default()))
        .map_err(|error| Failure::caused(&error))?;
    let mut suffixes = vec![".sig".to_owned()];
    for line in &configuration.trusted {
        if let Ok(TrustedKey { key, .. }) = line.parse() {
            suffixes.push(format!(".{}.sig", key.file_digits()));
        }
    }
    let decode = |bytes: Vec<u8>| {
        String::from_utf8(bytes)
            .map_err(|_| Failure::finding(format!("`{}` is not text", redacted(url))))
    };
    let failed = |problem: SourceProblem| {
        Failure::world(format!(
            "the statement of `{option}` cannot be read: {problem}"
        ))
        .help(named(option))
    };
    session.runtime()?.block_on(async {
        let text = client.small_file(url, MAXIMUM_STATEMENT_SIZE as u64).await;
        let text = decode(text.map_err(failed)?)?;
        let mut signatures = Vec::new();
        let mut missing = None;
        for suffix in suffixes {
            let mut beside = url.clone();
            beside.set_path(&format!("{}{suffix}", url.path()));
            match client
                .small_file(&beside, MAXIMUM_SIGNATURE_SIZE as u64)
                .await
            {
                Ok(bytes) => signatures.push(SignatureFile {
                    suffix,
                    text: decode(bytes)?,
                }),
                Err(problem @ SourceProblem::Missing { .. }) => missing = missing.or(Some(problem)),
                Err(problem) => return Err(failed(problem)),
            }
        }
        match missing {
            Some(problem) if signatures.is_empty() => Err(failed(problem)),
            _ => signed(&redacted(url), text, signatures),
        }
    })
}
