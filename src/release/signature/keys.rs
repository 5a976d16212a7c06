//! The signing key: its location, its passphrase, and its agent.
//!
//! A [`FoundKey`] has not been opened, but its public half is known. [`FoundKey::checked`] refuses
//! a key that is public. [`CheckedKey::open`] asks for its passphrase, or its agent.

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

/// The reason why an existing key is not replaced.
const TAKEN: &str = "the file exists, and a lost key cannot be recovered";

/// A key that is ready to sign, and its origin as text.
#[derive(Debug)]
pub struct OpenKey {
    /// The key.
    pub key: SigningKey,
    /// Its origin, as text.
    pub origin: String,
}

impl OpenKey {
    /// The failure to sign with this key, with help.
    pub fn failure(&self, error: &KeyError) -> Failure {
        key_failure(&self.origin, error)
    }
}

/// A key that was found but not opened.
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

/// The half of a key that was named.
enum Half {
    /// The text of its private half, and its comment if known.
    Private {
        text: String,
        public: PublicKey,
        comment: String,
    },
    /// Its public half: the private half is in an agent.
    Public { key: PublicKey, comment: String },
}

impl FoundKey {
    /// The public half and the name of the key, which need no passphrase.
    pub fn public(&self) -> (&PublicKey, &str) {
        match &self.half {
            Half::Private {
                public, comment, ..
            } => (public, comment),
            Half::Public { key, comment } => (key, comment),
        }
    }

    /// Its origin, as text.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Whether it was created because there was none.
    pub fn is_new(&self) -> bool {
        self.is_new
    }

    /// The key, if it may be used.
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
                "git tracks the key `{file}`, so the key is public, or a change has added it"
            ))
            .help("keep the key outside of the repository; `ipwhl key new --key FILE` makes one"));
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

    /// Reads a text as a private key or a public one; a failure does not quote it.
    fn of_text(text: &str, origin: String, file: Option<PathBuf>) -> Result<Self, Failure> {
        if let Ok(TrustedKey { key, name }) = text.trim().parse::<TrustedKey>() {
            let half = Half::Public { key, comment: name };
            return Ok(Self::new(origin, file, half));
        }
        let read = PrivateKeyText::parse(text).map_err(|error| key_failure(&origin, &error))?;
        let beside = file.as_deref();
        let beside = beside.and_then(|path| comment_beside(path, &read.public));
        let half = if read.public.ed25519().is_none() {
            // This file is a handle, which only an agent can use.
            Half::Public {
                key: read.public,
                comment: beside.unwrap_or_default(),
            }
        } else {
            // The comment of a protected key is encrypted.
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
    /// Its file, if other users can read or write it.
    pub fn exposed_file(&self) -> Option<&Path> {
        self.found.file.as_deref().filter(|_| self.is_exposed)
    }

    /// The key, ready to sign, after asking for its passphrase or its agent.
    ///
    /// # Errors
    /// When there is no passphrase, or no agent has the key.
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

/// Whether a file's mode lets users other than its owner use it, by the rule of ssh. A file of root
/// counts as intended, as in a mounted secret.
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

/// The comment in the `.pub` file beside a private key, if both are the same key.
fn comment_beside(path: &Path, public: &PublicKey) -> Option<String> {
    let mut name = path.file_name()?.to_owned();
    name.push(".pub");
    let line = read_small(&path.with_file_name(name), MAXIMUM_KEY_SIZE).ok()?;
    let beside: TrustedKey = line.trim().parse().ok()?;
    (beside.key == *public).then_some(beside.name)
}

/// The path of the user's own key.
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
/// When the named value is not a key.
pub fn named_key(session: &Session, argument: Option<&Path>) -> Result<Option<FoundKey>, Failure> {
    let environment = session.environment();
    let (value, origin) = match argument {
        Some(path) => (path.as_os_str(), "--key"),
        None => match environment.variable("IPWHL_SIGNING_KEY") {
            Some(value) => (value, "IPWHL_SIGNING_KEY"),
            None => return Ok(None),
        },
    };
    // A key itself contains words that no path has.
    let itself = value.to_str().filter(|text| {
        text.contains("-----BEGIN")
            || ["ssh-", "sk-ssh-", "ecdsa-", "sk-ecdsa-"]
                .iter()
                .any(|start| text.starts_with(start) && text.contains(" AAAA"))
    });
    match itself {
        Some(text) => FoundKey::of_text(text, origin.to_owned(), None),
        // A part of a key, such as one without its first line, must not appear in a message.
        None if is_part_of_key(value) => Err(Failure::usage(format!(
            "`{origin}` is neither the path of a key nor a complete key"
        ))
        .help(
            "give all lines of the key's file, from `-----BEGIN OPENSSH PRIVATE KEY-----` on, or \
               its path",
        )),
        None => FoundKey::of_file(&environment.absolute(Path::new(value))),
    }
    .map(Some)
}

/// Whether a text contains a part of a private key: several lines, the words around a key, or the
/// start of its body.
fn is_part_of_key(value: &OsStr) -> bool {
    let text = value.to_string_lossy();
    text.contains(['\n', '\r']) || text.contains("PRIVATE KEY") || text.contains("b3BlbnNzaC1rZXkt")
}

/// The user's own key, if it exists.
///
/// # Errors
/// When there is no home folder, or its file is not a key.
pub fn own_key(session: &Session) -> Result<Option<FoundKey>, Failure> {
    let path = own_key_path(session)?;
    path.exists().then(|| FoundKey::of_file(&path)).transpose()
}

/// The named key, or the user's own, if it exists. None is created.
///
/// # Errors
/// The errors of [`named_key`] and [`own_key`].
pub fn existing_key(
    session: &Session,
    argument: Option<&Path>,
) -> Result<Option<FoundKey>, Failure> {
    match named_key(session, argument)? {
        None => own_key(session),
        found => Ok(found),
    }
}

/// The signing key, not opened yet: the named one, or the user's own, which is created if missing.
///
/// # Errors
/// The errors of [`existing_key`]; and in CI, when there is no key.
pub fn signing_key(session: &Session, argument: Option<&Path>) -> Result<FoundKey, Failure> {
    if let Some(found) = named_key(session, argument)? {
        return Ok(found);
    }
    let in_ci = session.environment().is_continuous_integration();
    let no_key = || {
        Failure::world("there is no key to sign the release with, and CI does not create one").help(
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
        // Another first build was faster; its key is the user's own, too.
        Err(_) if path.exists() => false,
        Err(failure) => return Err(failure),
    };
    Ok(FoundKey {
        is_new,
        ..FoundKey::of_file(&path)?
    })
}

/// Creates a new key in the file `path`, readable by its owner only, under a passphrase if one is
/// given. Never replaces a file.
///
/// # Errors
/// When the file exists, or cannot be written.
pub fn make_key(path: &Path, passphrase: Option<&str>) -> Result<SigningKey, Failure> {
    let failed = |reason: &dyn std::fmt::Display| {
        Failure::world(format!(
            "the key `{}` cannot be written: {reason}",
            path.display()
        ))
    };
    let taken = || {
        failed(&TAKEN).help(
            "use the existing key, which `ipwhl key show` prints, or create another one with \
             `ipwhl key new --key FILE`",
        )
    };
    if path.exists() {
        return Err(taken());
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
    // Another first build may have created one before the lock was taken.
    if path.exists() {
        return Err(taken());
    }
    std::io::Write::write_all(&mut file, text.as_bytes())
        .and_then(|()| file.commit())
        .map_err(|error| failed(&error))?;
    Ok(key)
}
