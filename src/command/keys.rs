//! The key that signs: where it is named, its passphrase, the agent that may keep it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::agent::SocketAgent;
use super::context::Context;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::{AtomicFile, read_small};
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{KeyError, PrivateKeyText, PublicKey, SigningKey, TrustedKey};
use crate::set::repository::tracked;

/// The largest file of a key that is read, in bytes.
const MAXIMUM_KEY_SIZE: u64 = 64 * 1024;

/// How often a passphrase is asked for.
const TRIES: u32 = 3;

/// Where a passphrase can be given without a terminal.
const PASSPHRASE: &str = "IPWHL_SIGNING_KEY_PASSPHRASE";

/// Why a key is not replaced.
const TAKEN: &str = "a file of this name is there, and a lost key is lost for good";

/// A key, and words for where it is from.
pub(super) struct Signer {
    pub(super) key: SigningKey,
    pub(super) origin: String,
}

/// A key that was found, its private half not yet opened.
pub(super) struct Found {
    origin: String,
    /// The file that it was read from.
    file: Option<PathBuf>,
    half: Half,
}

/// What a key was named by.
enum Half {
    /// The text of its private half, and its comment where that is known.
    Private {
        text: String,
        public: PublicKey,
        comment: String,
    },
    /// Its public half: the private one is with an agent.
    Public { key: PublicKey, comment: String },
}

impl Found {
    /// The public half and the name that it is known by, without a passphrase.
    pub(super) fn public(&self) -> (&PublicKey, &str) {
        match &self.half {
            Half::Private {
                public, comment, ..
            } => (public, comment),
            Half::Public { key, comment } => (key, comment),
        }
    }

    /// Words for where it is from.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// The key, ready to sign: its passphrase asked for, or its agent.
    pub(super) fn open(self, context: &Context<'_>) -> Result<Signer, Failure> {
        let origin = self.origin;
        if let (Some(file), Half::Private { .. }) = (&self.file, &self.half)
            && let Ok(Some(_)) = tracked(context.environment, file)
        {
            let file = context.shown(file);
            return Err(Failure::usage(format!(
                "git tracks the key `{file}`, so everybody has it, or a change has brought it"
            ))
            .help("keep a key outside of the repository; `ipwhl key new --key FILE` makes one"));
        }
        if let (Some(file), Half::Private { .. }) = (&self.file, &self.half)
            && is_open_to_others(file)
        {
            let file = context.shown(file);
            let words = shell_word(&file);
            context.warning(&format!("other users can read or write the key `{file}`"));
            context.help(&format!("`chmod 600 {words}` takes that from them"));
        }
        let key = match self.half {
            Half::Private { text, .. } => match SigningKey::from_openssh(&text) {
                Err(KeyError::Protected) => unlock(context, &origin, &text)?,
                read => read.map_err(|error| key_failure(&origin, &error))?,
            },
            Half::Public { key, comment } => {
                let agent = SocketAgent::of(context.environment)
                    .map_err(|error| key_failure(&origin, &error.into()))?;
                SigningKey::of_agent(key, &comment, Arc::new(agent))
                    .map_err(|error| key_failure(&origin, &error))?
            }
        };
        Ok(Signer { key, origin })
    }

    /// What a text says: a private key, a public one, or a failure that does not quote it.
    fn of_text(text: &str, origin: String, file: Option<PathBuf>) -> Result<Self, Failure> {
        if let Ok(TrustedKey { key, name }) = text.trim().parse::<TrustedKey>() {
            let half = Half::Public { key, comment: name };
            return Ok(Self { origin, file, half });
        }
        let read = PrivateKeyText::parse(text).map_err(|error| key_failure(&origin, &error))?;
        let beside = file.as_deref();
        let beside = beside.and_then(|path| comment_beside(path, &read.public));
        let half = if read.public.ed25519().is_none() {
            // Such a file is a handle, which only an agent can use.
            Half::Public {
                key: read.public,
                comment: beside.unwrap_or_default(),
            }
        } else {
            // What a passphrase protects has its comment within.
            let comment = if read.is_protected {
                beside.unwrap_or_default()
            } else {
                let key =
                    SigningKey::from_openssh(text).map_err(|error| key_failure(&origin, &error))?;
                key.comment().to_owned()
            };
            Half::Private {
                text: text.to_owned(),
                public: read.public,
                comment,
            }
        };
        Ok(Self { origin, file, half })
    }

    fn of_file(path: &Path) -> Result<Self, Failure> {
        let text = read_small(path, MAXIMUM_KEY_SIZE).map_err(|reason| {
            Failure::world(format!(
                "the key `{}` cannot be read: {reason}",
                path.display()
            ))
        })?;
        Self::of_text(&text, path.display().to_string(), Some(path.to_owned()))
    }
}

/// Whether a file's mode lets others than its owner use it, as ssh looks at a key. Of what root owns
/// somebody has decided that, as in a mounted secret.
#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = rustix::process::geteuid().as_raw();
    fs::metadata(file).is_ok_and(|there| there.uid() == own && there.mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// The comment in the `.pub` file beside a private key, where it is that key's.
fn comment_beside(path: &Path, public: &PublicKey) -> Option<String> {
    let mut name = path.file_name()?.to_owned();
    name.push(".pub");
    let line = read_small(&path.with_file_name(name), MAXIMUM_KEY_SIZE).ok()?;
    let beside: TrustedKey = line.trim().parse().ok()?;
    (beside.key == *public).then_some(beside.name)
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

fn key_failure(origin: &dyn std::fmt::Display, error: &KeyError) -> Failure {
    let failure = Failure::world(format!(
        "the key in {origin} cannot sign: {}",
        error_chain(error)
    ));
    match error {
        KeyError::Agent(error) => failure.help(error.help()),
        KeyError::Protected => failure.help(format!(
            "give the passphrase in `{PASSPHRASE}` or on a terminal, or give the key to an agent with `ssh-add` and \
             name its `.pub` file"
        )),
        KeyError::WrongPassphrase => failure.help(format!(
            "`ssh-keygen -y -f FILE` tells whether a passphrase is the key's; `{PASSPHRASE}` goes before the terminal"
        )),
        _ => failure.help(
            "`ipwhl key new --key FILE` makes one, and so does `ssh-keygen -t ed25519 -f FILE`",
        ),
    }
}

/// Why a signature could not be made, with the way out.
pub(super) fn unsigned(signer: &Signer, error: &KeyError) -> Failure {
    key_failure(&signer.origin, error)
}

/// The key that is named by `--key` or `IPWHL_SIGNING_KEY`, if one is: a file, or the key itself.
pub(super) fn named_key(
    context: &Context<'_>,
    argument: Option<&Path>,
) -> Result<Option<Found>, Failure> {
    let (value, origin) = match argument {
        Some(path) => (path.as_os_str(), "--key"),
        None => match context.environment.variable("IPWHL_SIGNING_KEY") {
            Some(value) => (value, "IPWHL_SIGNING_KEY"),
            None => return Ok(None),
        },
    };
    // The key itself has words in it that no path has.
    let itself = value.to_str().filter(|text| {
        text.contains("-----BEGIN")
            || ["ssh-", "sk-ssh-", "ecdsa-", "sk-ecdsa-"]
                .iter()
                .any(|start| text.starts_with(start) && text.contains(" AAAA"))
    });
    match itself {
        Some(text) => Found::of_text(text, origin.to_owned(), None),
        // A part of a key, such as one without its first line, is in no message.
        None if is_part_of_key(value) => Err(Failure::usage(format!(
            "what `{origin}` gives is neither the path of a key nor a whole key"
        ))
        .help("give all lines of the key's file, from `-----BEGIN OPENSSH PRIVATE KEY-----` on, or its path")),
        None => Found::of_file(&context.absolute(Path::new(value))),
    }
    .map(Some)
}

/// Whether a text has what only a private key has: lines, the words around one, or how its body
/// begins.
fn is_part_of_key(value: &OsStr) -> bool {
    let text = value.to_string_lossy();
    text.contains(['\n', '\r']) || text.contains("PRIVATE KEY") || text.contains("b3BlbnNzaC1rZXkt")
}

/// The user's own key, where there is one.
pub(super) fn own_key(context: &Context<'_>) -> Result<Option<Found>, Failure> {
    let path = own_key_path(context)?;
    path.exists().then(|| Found::of_file(&path)).transpose()
}

/// The key that is named, or the user's own, where there is one. None is made.
pub(super) fn existing_key(
    context: &Context<'_>,
    argument: Option<&Path>,
) -> Result<Option<Found>, Failure> {
    match named_key(context, argument)? {
        None => own_key(context),
        found => Ok(found),
    }
}

/// The key that signs, not opened yet: the named one, or the user's own, which is made where there is none.
pub(super) fn signing_key(
    context: &Context<'_>,
    argument: Option<&Path>,
) -> Result<Found, Failure> {
    if let Some(found) = named_key(context, argument)? {
        return Ok(found);
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
    if let Some(found) = own_key(context)? {
        return Ok(found);
    }
    if in_ci {
        return Err(no_key());
    }
    match make_key(&path, None) {
        Ok(key) => context.say(&format!(
            "made a signing key of your own, {}, with the fingerprint {}",
            path.display(),
            key.public().fingerprint()
        )),
        // Another first build was faster; its key is as much the user's own.
        Err(_) if path.exists() => {}
        Err(failure) => return Err(failure),
    }
    Found::of_file(&path)
}

/// The passphrase that the environment gives, without the end of a line that a secret may carry.
fn given_passphrase(context: &Context<'_>) -> Result<Option<String>, Failure> {
    let Some(value) = context.environment.variable(PASSPHRASE) else {
        return Ok(None);
    };
    match value.to_str() {
        Some(text) => Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned())),
        None => Err(Failure::world(format!("`{PASSPHRASE}` is not UTF-8"))),
    }
}

fn ask(context: &Context<'_>, question: &str) -> Result<Option<String>, Failure> {
    context
        .environment
        .ask_secretly(question)
        .map_err(|error| Failure::world(format!("no passphrase could be read: {error}")))
}

/// Opens a private key with its passphrase: the given one, or what is typed, three times at most.
fn unlock(context: &Context<'_>, origin: &str, text: &str) -> Result<SigningKey, Failure> {
    if let Some(passphrase) = given_passphrase(context)? {
        return SigningKey::from_protected(text, &passphrase)
            .map_err(|error| key_failure(&origin, &error));
    }
    let question = format!("passphrase of the key {origin}: ");
    for left in (0..TRIES).rev() {
        let Some(passphrase) = ask(context, &question)? else {
            return Err(key_failure(&origin, &KeyError::Protected));
        };
        match SigningKey::from_protected(text, &passphrase) {
            Err(KeyError::WrongPassphrase) if left > 0 => {
                context.warning("that is not its passphrase; try again");
            }
            read => return read.map_err(|error| key_failure(&origin, &error)),
        }
    }
    Err(key_failure(&origin, &KeyError::WrongPassphrase))
}

/// A passphrase for a new key: the given one, or what is typed twice.
pub(super) fn new_passphrase(context: &Context<'_>) -> Result<String, Failure> {
    if let Some(passphrase) = given_passphrase(context)? {
        return Ok(passphrase);
    }
    let Some(first) = ask(context, "passphrase of the new key: ")? else {
        return Err(
            Failure::usage("`--passphrase` asks on a terminal, and there is none")
                .help(format!("give the passphrase in `{PASSPHRASE}`")),
        );
    };
    if first.is_empty() {
        return Err(Failure::usage("the passphrase is empty")
            .help("leave `--passphrase` out for a key without one"));
    }
    if ask(context, "the same again: ")?.as_deref() != Some(&first) {
        return Err(Failure::usage("the passphrases differ").help("run it again"));
    }
    Ok(first)
}

/// Makes a new key and keeps it in `path`, readable by its owner only, under a passphrase where there is one. Never
/// replaces one.
pub(super) fn make_key(path: &Path, passphrase: Option<&str>) -> Result<SigningKey, Failure> {
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
    let text = match passphrase {
        Some(passphrase) => key.to_protected(passphrase),
        None => key.to_openssh(),
    }
    .map_err(|error| Failure::caused(&error))?;
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
