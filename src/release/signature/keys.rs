//! The key that signs: where it is named, its passphrase, the agent that may keep it.
//!
//! A [`FoundKey`] has not been opened, and its public half is known. [`FoundKey::checked`] refuses
//! one that everybody has. [`CheckedKey::open`] asks for its passphrase, or its agent.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fmt, fs};

use super::key_failure::key_failure;
use super::passphrase::{AskPassphrase, unlock};
use super::socket::SocketAgent;
use super::{KeyError, PrivateKeyText, PublicKey, SigningKey, TrustedKey};
use crate::foundation::environment::{AtomicFile, read_small};
use crate::foundation::failure::Failure;
use crate::set::repository::tracked;
use crate::source::Session;

/// The largest file of a key that is read, in bytes.
const MAXIMUM_KEY_SIZE: u64 = 64 * 1024;

/// Why a key is not replaced.
const TAKEN: &str = "a file of this name is there, and a lost key is lost for good";

/// A key that is ready to sign, and words for where it is from.
#[derive(Debug)]
pub struct OpenKey {
    /// The key.
    pub key: SigningKey,
    /// Words for where it is from.
    pub origin: String,
}

impl OpenKey {
    /// Why this key could not make a signature, with the way out.
    pub fn failure(&self, error: &KeyError) -> Failure {
        key_failure(&self.origin, error)
    }
}

/// A key that was found, its private half not yet opened.
#[derive(Debug)]
pub struct FoundKey {
    origin: String,
    /// The file that it was read from.
    file: Option<PathBuf>,
    half: Half,
    is_new: bool,
}

/// A key that was found and may be used.
#[derive(Debug)]
pub struct CheckedKey {
    found: FoundKey,
    is_exposed: bool,
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

impl FoundKey {
    /// The public half and the name that it is known by, without a passphrase.
    pub fn public(&self) -> (&PublicKey, &str) {
        match &self.half {
            Half::Private {
                public, comment, ..
            } => (public, comment),
            Half::Public { key, comment } => (key, comment),
        }
    }

    /// Words for where it is from.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether it was made because there was none.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The key, where it may be used.
    ///
    /// # Errors
    /// When git tracks its file.
    pub fn checked(self, session: &Session) -> Result<CheckedKey, Failure> {
        let environment = session.environment();
        let file = match &self.half {
            Half::Private { .. } => self.file.as_deref(),
            Half::Public { .. } => None,
        };
        if let Some(file) = file
            && let Ok(Some(_)) = tracked(environment, file)
        {
            let file = environment.shown(file);
            return Err(Failure::usage(format!(
                "git tracks the key `{file}`, so everybody has it, or a change has brought it"
            ))
            .help("keep a key outside of the repository; `ipwhl key new --key FILE` makes one"));
        }
        let is_exposed = file.is_some_and(is_open_to_others);
        Ok(CheckedKey {
            found: self,
            is_exposed,
        })
    }

    fn new(origin: String, file: Option<PathBuf>, half: Half) -> Self {
        Self {
            origin,
            file,
            half,
            is_new: false,
        }
    }

    /// What a text says: a private key, a public one, or a failure that does not quote it.
    fn of_text(text: &str, origin: String, file: Option<PathBuf>) -> Result<Self, Failure> {
        if let Ok(TrustedKey { key, name }) = text.trim().parse::<TrustedKey>() {
            let half = Half::Public { key, comment: name };
            return Ok(Self::new(origin, file, half));
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
        Ok(Self::new(origin, file, half))
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

impl CheckedKey {
    /// The file that it is in, where other users can read or write it.
    pub fn exposed_file(&self) -> Option<&Path> {
        self.found.file.as_deref().filter(|_| self.is_exposed)
    }

    /// The key, ready to sign: its passphrase asked for, or its agent.
    ///
    /// # Errors
    /// When the passphrase is not to be had, or no agent has the key.
    pub fn open(self, session: &Session, ask: &mut AskPassphrase<'_>) -> Result<OpenKey, Failure> {
        let origin = self.found.origin;
        let key = match self.found.half {
            Half::Private { text, .. } => match SigningKey::from_openssh(&text) {
                Err(KeyError::Protected) => unlock(session, ask, &origin, &text)?,
                read => read.map_err(|error| key_failure(&origin, &error))?,
            },
            Half::Public { key, comment } => {
                let agent = SocketAgent::of(session.environment())
                    .map_err(|error| key_failure(&origin, &error.into()))?;
                SigningKey::of_agent(key, &comment, Arc::new(agent))
                    .map_err(|error| key_failure(&origin, &error))?
            }
        };
        Ok(OpenKey { key, origin })
    }
}

impl fmt::Debug for Half {
    /// The public half only: a private key must not end up in a log.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Private { public: key, .. } | Self::Public { key, .. }) = self;
        write!(formatter, "Half({})", key.fingerprint())
    }
}

/// Whether a file's mode lets others than its owner use it, as ssh looks at a key. Of what root
/// owns somebody has decided that, as in a mounted secret.
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
///
/// # Errors
/// When there is no home folder.
pub fn own_key_path(session: &Session) -> Result<PathBuf, Failure> {
    let home = session.environment().configuration_home.as_ref();
    home.map(|home| home.join("ipwhl").join("signing-key"))
        .ok_or_else(|| {
            Failure::world("there is no home folder to keep a key in")
                .help("name a key with `--key FILE` or `IPWHL_SIGNING_KEY`")
        })
}

/// The key that is named by `--key` or `IPWHL_SIGNING_KEY`, if one is: a file, or the key itself.
///
/// # Errors
/// When what is named is no key.
pub fn named_key(session: &Session, argument: Option<&Path>) -> Result<Option<FoundKey>, Failure> {
    let environment = session.environment();
    let (value, origin) = match argument {
        Some(path) => (path.as_os_str(), "--key"),
        None => match environment.variable("IPWHL_SIGNING_KEY") {
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
        Some(text) => FoundKey::of_text(text, origin.to_owned(), None),
        // A part of a key, such as one without its first line, is in no message.
        None if is_part_of_key(value) => Err(Failure::usage(format!(
            "what `{origin}` gives is neither the path of a key nor a whole key"
        ))
        .help("give all lines of the key's file, from `-----BEGIN OPENSSH PRIVATE KEY-----` on, or its path")),
        None => FoundKey::of_file(&environment.absolute(Path::new(value))),
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
///
/// # Errors
/// When there is no home folder, or its file is no key.
pub fn own_key(session: &Session) -> Result<Option<FoundKey>, Failure> {
    let path = own_key_path(session)?;
    path.exists().then(|| FoundKey::of_file(&path)).transpose()
}

/// The key that is named, or the user's own, where there is one. None is made.
///
/// # Errors
/// Those of [`named_key`] and [`own_key`].
pub fn existing_key(
    session: &Session,
    argument: Option<&Path>,
) -> Result<Option<FoundKey>, Failure> {
    match named_key(session, argument)? {
        None => own_key(session),
        found => Ok(found),
    }
}

/// The key that signs, not opened yet: the named one, or the user's own, which is made where there
/// is none.
///
/// # Errors
/// Those of [`existing_key`]; and in CI, when there is none.
pub fn signing_key(session: &Session, argument: Option<&Path>) -> Result<FoundKey, Failure> {
    if let Some(found) = named_key(session, argument)? {
        return Ok(found);
    }
    let in_ci = session.environment().is_continuous_integration();
    let no_key = || {
        Failure::world("there is no key to sign the release with, and none is made in CI").help(
            "give the key in `IPWHL_SIGNING_KEY` or with `--key FILE`, or build with `--unsigned`",
        )
    };
    let path = match own_key_path(session) {
        Ok(path) => path,
        Err(_) if in_ci => return Err(no_key()),
        Err(failure) => return Err(failure),
    };
    if let Some(found) = own_key(session)? {
        return Ok(found);
    }
    if in_ci {
        return Err(no_key());
    }
    let is_new = match make_key(&path, None) {
        Ok(_) => true,
        // Another first build was faster; its key is as much the user's own.
        Err(_) if path.exists() => false,
        Err(failure) => return Err(failure),
    };
    Ok(FoundKey {
        is_new,
        ..FoundKey::of_file(&path)?
    })
}

/// Makes a new key and keeps it in `path`, readable by its owner only, under a passphrase where
/// there is one. Never replaces one.
///
/// # Errors
/// When a file of that name is there, or cannot be written.
pub fn make_key(path: &Path, passphrase: Option<&str>) -> Result<SigningKey, Failure> {
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
