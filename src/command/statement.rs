//! The statement of a build: the key that signs it, and the one that it follows.

use std::fs;
use std::path::{Path, PathBuf};

use url::Url;

use super::context::Context;
use super::exit::Failure;
use super::network::runtime;
use crate::environment::AtomicFile;
use crate::publish::{SignatureFile, is_signature_of};
use crate::repository::Configuration;
use crate::signature::{
    KeyError, MAXIMUM_SIGNATURE_SIZE, MAXIMUM_STATEMENT_SIZE, SigningKey, Statement, TrustPolicy,
    TrustedKey, Verdict, verify,
};
use crate::source::{Client, ClientSettings, Limits, SourceProblem, redacted};

/// The largest private key that is read, in bytes.
const MAXIMUM_KEY_SIZE: u64 = 64 * 1024;

/// Why a key is not replaced.
const TAKEN: &str = "a file of this name is there, and a lost key is lost for good";

/// A key, and words for where it is from.
pub(super) struct Signer {
    pub(super) key: SigningKey,
    pub(super) origin: String,
}

/// Where the user's own key is.
pub(super) fn own_key_path(context: &Context<'_>) -> Result<PathBuf, Failure> {
    let home = context.environment.configuration_home.as_ref();
    home.map(|home| home.join("ipwhl").join("signing-key"))
        .ok_or_else(|| {
            Failure::world("there is no home folder to keep a key in")
                .help("name a key with `--key FILE` or `IPWHL_SIGNING_KEY`")
        })
}

pub(super) fn read_key(path: &Path) -> Result<SigningKey, Failure> {
    let unreadable = |reason: &dyn std::fmt::Display| {
        Failure::world(format!(
            "the key `{}` cannot be read: {reason}",
            path.display()
        ))
    };
    let size = fs::metadata(path)
        .map_err(|error| unreadable(&error))?
        .len();
    if size > MAXIMUM_KEY_SIZE {
        return Err(unreadable(&format_args!("it has {size} bytes")));
    }
    let text = fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    SigningKey::from_openssh(&text).map_err(|error| key_failure(&path.display(), &error))
}

fn key_failure(origin: &dyn std::fmt::Display, error: &KeyError) -> Failure {
    Failure::world(format!(
        "the key in {origin} cannot sign: {}",
        super::exit::chain(error)
    ))
    .help("`ipwhl key new --key FILE` makes one, and so does `ssh-keygen -t ed25519 -N '' -f FILE`")
}

/// The key that is named by `--key` or `IPWHL_SIGNING_KEY`, if one is.
pub(super) fn named_key(
    context: &Context<'_>,
    argument: Option<&Path>,
) -> Result<Option<Signer>, Failure> {
    if let Some(path) = argument {
        let path = context.absolute(path);
        return Ok(Some(Signer {
            key: read_key(&path)?,
            origin: path.display().to_string(),
        }));
    }
    let Some(value) = context.environment.variable("IPWHL_SIGNING_KEY") else {
        return Ok(None);
    };
    // The key itself, or a path.
    if let Some(text) = value.to_str().filter(|text| text.contains("-----BEGIN")) {
        let origin = "IPWHL_SIGNING_KEY".to_owned();
        let key = SigningKey::from_openssh(text).map_err(|error| key_failure(&origin, &error))?;
        return Ok(Some(Signer { key, origin }));
    }
    let path = context.absolute(Path::new(value));
    Ok(Some(Signer {
        key: read_key(&path)?,
        origin: path.display().to_string(),
    }))
}

/// The key that signs a build: the named one, or the user's own, which is made where there is none.
pub(super) fn signing_key(
    context: &Context<'_>,
    argument: Option<&Path>,
) -> Result<Signer, Failure> {
    if let Some(signer) = named_key(context, argument)? {
        return Ok(signer);
    }
    let in_ci = context.environment.is_continuous_integration();
    let no_key = || {
        Failure::world("there is no key to sign the release with, and none is made in CI").help(
            "give the key in `IPWHL_SIGNING_KEY` or with `--key FILE`, or build with `--unsigned`",
        )
    };
    let path = match own_key_path(context) {
        Ok(path) => path,
        Err(_) if in_ci => return Err(no_key()),
        Err(failure) => return Err(failure),
    };
    let origin = path.display().to_string();
    if path.exists() {
        return Ok(Signer {
            key: read_key(&path)?,
            origin,
        });
    }
    if in_ci {
        return Err(no_key());
    }
    let key = match make_key(&path) {
        // Another first build was faster; its key is as much the user's own.
        Err(_) if path.exists() => {
            return Ok(Signer {
                key: read_key(&path)?,
                origin,
            });
        }
        made => made?,
    };
    context.say(&format!(
        "made a signing key of your own, {origin}, with the fingerprint {}",
        key.public().fingerprint()
    ));
    Ok(Signer { key, origin })
}

/// Makes a new key and keeps it in `path`, readable by its owner only. Never replaces one.
pub(super) fn make_key(path: &Path) -> Result<SigningKey, Failure> {
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::world(format!(
            "the key `{}` cannot be written: {reason}",
            path.display()
        ))
    };
    if path.exists() {
        return Err(failed(&TAKEN));
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let key = SigningKey::generate()
        .map_err(|error| Failure::caused(&error))?
        .with_comment("ipwhl");
    let text = key.to_openssh().map_err(|error| Failure::caused(&error))?;
    let mut file = AtomicFile::create_private(path).map_err(|error| failed(&error))?;
    // Another first build may have made one while nobody held the lock.
    if path.exists() {
        return Err(failed(&TAKEN));
    }
    std::io::Write::write_all(&mut file, text.as_bytes())
        .and_then(|()| file.commit())
        .map_err(|error| failed(&error))?;
    Ok(key)
}

/// The trust policy of a repository; `None` where it trusts no key.
pub(super) fn policy(configuration: &Configuration) -> Result<Option<TrustPolicy>, Failure> {
    if configuration.trusted.is_empty() {
        return Ok(None);
    }
    let threshold = u32::try_from(configuration.threshold).unwrap_or(u32::MAX);
    TrustPolicy::from_lines(configuration.trusted.iter().map(String::as_str), threshold)
        .map(Some)
        .map_err(|error| {
            Failure::finding(format!(
                "`trusted` in `ipwhl.toml` cannot be used: {}",
                super::exit::chain(&error)
            ))
        })
}

/// A statement that was read, with its bytes and its signatures.
pub(super) struct Signed {
    pub(super) text: String,
    pub(super) statement: Statement,
    pub(super) signatures: Vec<SignatureFile>,
}

/// Reads a statement and the signatures beside it from a file.
pub(super) fn read_statement(path: &Path) -> Result<Signed, Failure> {
    let text = read_small(path, MAXIMUM_STATEMENT_SIZE)?;
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

fn read_small(path: &Path, largest: usize) -> Result<String, Failure> {
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::world(format!("`{}` cannot be read: {reason}", path.display()))
    };
    let size = fs::metadata(path).map_err(|error| failed(&error))?.len();
    if size > largest as u64 {
        return Err(failed(&format_args!(
            "it has {size} bytes, more than the {largest} that it can have"
        )));
    }
    fs::read_to_string(path).map_err(|error| failed(&error))
}

fn signed(
    place: &dyn std::fmt::Display,
    text: String,
    signatures: Vec<SignatureFile>,
) -> Result<Signed, Failure> {
    let statement = Statement::parse(&text).map_err(|error| {
        Failure::finding(format!(
            "`{place}` is not a statement: {}",
            super::exit::chain(&error)
        ))
    })?;
    Ok(Signed {
        text,
        statement,
        signatures,
    })
}

/// Reads the statement that an option names, from a file or the web. Nobody has been asked who signed it.
pub(super) fn located(
    context: &Context<'_>,
    configuration: &Configuration,
    option: &str,
    location: &str,
    offline: bool,
) -> Result<Signed, Failure> {
    match web_address(option, location)? {
        Some(url) if offline => Err(Failure::usage(format!(
            "`{option} {}` is on the web, and `--offline` leaves the web alone",
            redacted(&url)
        ))),
        Some(url) => download(context, configuration, option, &url),
        None => read_statement(&context.absolute(Path::new(location))),
    }
}

/// Reads the statement that this build follows, from a file or the web, and believes it only where
/// the repository's `trusted` keys, if it names any, have signed it.
pub(super) fn previous(
    context: &Context<'_>,
    configuration: &Configuration,
    location: &str,
    offline: bool,
) -> Result<Signed, Failure> {
    let found = located(context, configuration, "--previous", location, offline)?;
    let now = context.environment.clock.now();
    if let Some(policy) = policy(configuration)? {
        let verdict = policy.evaluate(found.text.as_bytes(), &found.signatures, now);
        if !verdict.is_reached() {
            return Err(refusal("the previous statement", &found, &verdict)
                .help("name a statement that the keys in `trusted` have signed"));
        }
    } else if !found
        .signatures
        .iter()
        .any(|signature| verify(&signature.text, found.text.as_bytes()).is_ok())
    {
        return Err(
            Failure::finding("the previous statement has no valid signature beside it")
                .help("keep `release.toml` and `release.toml.sig` together"),
        );
    }
    if found.statement.is_expired(now) {
        context.warning(&format!(
            "the previous statement, sequence {}, has expired",
            found.statement.sequence
        ));
    }
    Ok(found)
}

/// Why a statement has not enough trusted signatures: who has signed it, and why that does not do.
pub(super) fn refusal(what: &str, signed: &Signed, verdict: &Verdict) -> Failure {
    let mut reasons = Vec::new();
    for signer in &verdict.signers {
        reasons.push(format!(
            "{} ({}) has signed it",
            signer.name,
            signer.key.fingerprint()
        ));
    }
    for (index, error) in &verdict.refused {
        let suffix = signed.signatures.get(*index).map(|file| &file.suffix);
        reasons.push(format!(
            "the signature `…{}` does not count: {}",
            suffix.map_or("", String::as_str),
            super::exit::chain(error)
        ));
    }
    for key in &verdict.unknown {
        reasons.push(format!("nothing vouches for the key {}", key.fingerprint()));
    }
    for signer in &verdict.outside_validity {
        reasons.push(format!("{} may not sign at this time", signer.name));
    }
    if signed.signatures.is_empty() {
        reasons.push("there is no signature beside it".to_owned());
    } else if verdict.signers.len() == signed.signatures.len() {
        reasons.push("there is no further signature beside it".to_owned());
    }
    Failure::finding(format!(
        "{what} has {} of the {} trusted signatures that it needs: {}",
        verdict.signers.len(),
        verdict.threshold,
        reasons.join("; ")
    ))
}

/// The address that a location is; `None` for a file. What it says is not repeated where it cannot
/// be understood, since it may hold a password.
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

/// The statement at an address and the signatures beside it: the first one, and those of further signers
/// whose keys the repository knows, since the web lists no folders.
fn download(
    context: &Context<'_>,
    configuration: &Configuration,
    option: &str,
    url: &Url,
) -> Result<Signed, Failure> {
    let environment = context.environment;
    let variables = |name: &str| environment.variable(name).map(ToOwned::to_owned);
    let client = Client::new(&ClientSettings::from_variables(
        &variables,
        Limits::default(),
    ))
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
            "the statement of `{option}` cannot be had: {problem}"
        ))
    };
    runtime()?.block_on(async {
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
