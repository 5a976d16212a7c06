//! Reads a release to publish from its folder, and verifies its archive and its statement.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipwhl_unixfs::Cid;

use super::history::History;
use super::publication::{Publication, Sample};
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::random_seed;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::archive::{
    ArchiveKind, ReleaseArchive, archive_failure, car_name, open_archive,
};
use crate::release::names::{CAR, STATEMENT};
use crate::release::signature::{FoundKey, existing_key, verify};
use crate::release::statement::folder::kept_statements;
use crate::release::statement::{
    SignedStatement, Statement, read_statement, unfinished_build_help,
};
use crate::release::trust::{
    BESIDE, TrustPolicy, Verdict, expired, policy_or_own, refusal, stranger,
};
use crate::set::repository::{Configuration, Repository};
use crate::source::{Session, redacted};

/// The release to publish, and the repository with the keys that must have signed it.
#[derive(Debug, Clone, Copy)]
pub struct PublicationRequest<'r> {
    /// The repository.
    pub repository: &'r Repository,
    /// The folder of the archive and the statement.
    pub folder: &'r Path,
    /// The key named on the command line; without one, the user's own key is used.
    pub key: Option<&'r Path>,
    /// Whether to publish without a statement.
    pub is_unsigned: bool,
    /// Files of statements between the release that a target holds and this one.
    pub follow: &'r [PathBuf],
    /// The repository's folder as named on the command line, for proposed commands.
    pub named_repository: Option<&'r Path>,
}

/// A notice about a release that is published nevertheless.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicationNotice {
    /// The repository trusts no key, so readers cannot check the signature.
    NobodyTrusted,
    /// A signature is invalid, but enough others are valid.
    InvalidSignature {
        /// Its file.
        file: String,
        /// The reason why it is invalid.
        reason: String,
    },
}

impl fmt::Display for PublicationNotice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NobodyTrusted => formatter.write_str(
                "`ipwhl.toml` has no key in `trusted`, so readers cannot tell this signature from \
                 a stranger's",
            ),
            Self::InvalidSignature { file, reason } => {
                write!(formatter, "`{file}` is invalid and is left out: {reason}")
            }
        }
    }
}

/// Receives the notices.
type Tell<'t> = &'t mut dyn FnMut(PublicationNotice);

impl PublicationRequest<'_> {
    /// Reads and verifies the release.
    ///
    /// # Errors
    /// When there is no release; when its archive is damaged, or incomplete without being a delta;
    /// when its statement is of another repository or another release, has expired, or lacks
    /// signatures that the repository requires.
    pub fn read(&self, session: &Session, tell: Tell<'_>) -> Result<Publication, Failure> {
        let (path, is_delta) = self.archive_path();
        if !path.is_file() {
            return Err(self.absent(session));
        }
        let archive = open_archive(&path)?;
        let survey = archive
            .survey()
            .map_err(|error| archive_failure(&path, &error))?;
        // Only its name distinguishes a full archive that has lost some blocks from a delta.
        if !is_delta && survey.kind != ArchiveKind::Full {
            return Err(Failure::finding(format!(
                "`{}` lacks {} of its blocks, and only `release.delta.car` may be incomplete",
                path.display(),
                survey.lacking.len()
            ))
            .help(format!(
                "`{}` completes it",
                self.fill_command(session, &path)
            )));
        }
        let history = self.history(session)?;
        let signed = if self.is_unsigned {
            None
        } else {
            Some(self.signed(session, archive.root(), &history, tell)?)
        };
        let excluded_roots: Vec<Cid> = survey.lacking.iter().map(|one| one.cid).collect();
        let sample = Sample::of(&archive, &excluded_roots, random_seed())
            .map_err(|error| archive_failure(&path, &error))?;
        Ok(Publication {
            name: self.repository.configuration.name.clone(),
            folder: self.folder.to_path_buf(),
            archive: Arc::new(archive),
            excluded_roots,
            signed,
            history,
            sample,
            fill_command: self.fill_command(session, &path),
            fill_places: fill_places(&self.repository.configuration),
        })
    }

    /// The path of the full archive, or of the delta if there is no full one; and whether it is the
    /// delta.
    fn archive_path(&self) -> (PathBuf, bool) {
        let delta = self.folder.join(car_name(ArchiveKind::Delta));
        let path = self.folder.join(CAR);
        if !path.is_file() && delta.is_file() {
            (delta, true)
        } else {
            (path, false)
        }
    }

    /// The named statements, and those beside the archive: its own, and those kept by earlier
    /// builds.
    ///
    /// # Errors
    /// When a named statement cannot be read, or is of another repository.
    pub fn history(&self, session: &Session) -> Result<History, Failure> {
        let environment = session.environment();
        let mut history = History::default();
        let name = &self.repository.configuration.name;
        for path in self.follow {
            let signed = read_statement(&environment.absolute(path))?;
            if signed.statement.name != *name {
                return Err(Failure::finding(format!(
                    "`{}` is a statement of {:?}, and this repository is {name:?}",
                    environment.shown(path),
                    signed.statement.name
                )));
            }
            history.add(signed);
        }
        for place in kept_statements(self.folder) {
            // An unreadable kept statement is skipped: it cannot link two releases.
            if let Ok(signed) = read_statement(&place)
                && signed.statement.name == *name
            {
                history.add(signed);
            }
        }
        Ok(history)
    }

    /// The complete command that makes an archive full.
    fn fill_command(&self, session: &Session, archive: &Path) -> String {
        let archive = shell_word(&session.environment().shown(archive));
        match self.named_repository {
            Some(directory) => {
                let directory = shell_word(&directory.to_string_lossy());
                format!("ipwhl --repository {directory} fill {archive}")
            }
            None => format!("ipwhl fill {archive}"),
        }
    }

    /// The failure for a folder without an archive that can be published. A hollow archive is
    /// mentioned.
    fn absent(&self, session: &Session) -> Failure {
        let failure = Failure::world(format!("`{}` has no `{CAR}`", self.folder.display()));
        let hollow = self.folder.join(car_name(ArchiveKind::Hollow));
        if hollow.is_file() {
            return failure.help(format!(
                "a hollow archive has no wheels; `{}` completes it",
                self.fill_command(session, &hollow)
            ));
        }
        failure.help("`ipwhl build` builds a release; `--release DIR` names another folder")
    }

    /// The statement beside the archive, checked against the archive, the repository and its
    /// trusted keys. Invalid signatures are left out.
    fn signed(
        &self,
        session: &Session,
        root: Cid,
        history: &History,
        tell: Tell<'_>,
    ) -> Result<SignedStatement, Failure> {
        let path = &self.folder.join(STATEMENT);
        let configuration = &self.repository.configuration;
        if !path.is_file() {
            return Err(Failure::finding(format!(
                "the release has no statement: `{}` does not exist",
                path.display()
            ))
            .help(unfinished_build_help(path).unwrap_or(
                "build the release with a key, or publish it without a statement: `--unsigned`",
            )));
        }
        let mut signed = read_statement(path)?;
        let statement = &signed.statement;
        let place = path.display();
        if statement.root != root {
            return Err(Failure::finding(format!(
                "`{place}` vouches for {}, and the release is {root}",
                statement.root
            )));
        }
        if statement.name != configuration.name {
            return Err(Failure::finding(format!(
                "`{place}` is a statement of {:?}, and this repository is {:?}",
                statement.name, configuration.name
            )));
        }
        let now = session.now();
        if statement.is_expired(now) {
            return Err(self.expired_failure(session, path, statement));
        }
        let policy = policy_or_own(session, configuration, self.key)?;
        let verdict = policy
            .as_ref()
            .map(|policy| policy.evaluate(signed.text.as_bytes(), &signed.signatures, now));
        if configuration.trusted.is_empty() {
            let own = existing_key(session, self.key)?;
            check_own(&place.to_string(), &signed, verdict.as_ref(), own.as_ref())?;
            tell(PublicationNotice::NobodyTrusted);
        } else if let (Some(policy), Some(verdict)) = (&policy, &verdict)
            && !verdict.is_reached()
        {
            return Err(distrusted(
                &place.to_string(),
                &signed,
                policy,
                verdict,
                history,
            ));
        }
        // Enough signatures are valid. Invalid ones are not published.
        let text = signed.text.as_bytes();
        signed.signatures.retain(|file| {
            let checked = verify(&file.text, text);
            if let Err(error) = &checked {
                tell(PublicationNotice::InvalidSignature {
                    file: format!("{}{}", path.display(), file.suffix),
                    reason: error_chain(error),
                });
            }
            checked.is_ok()
        });
        Ok(signed)
    }

    /// The failure for an expired statement, with help.
    fn expired_failure(&self, session: &Session, path: &Path, statement: &Statement) -> Failure {
        let failure = expired(&path.display().to_string(), statement);
        // Without platforms this folder builds no set: it carries the set of another repository.
        if self.repository.configuration.platforms.is_empty() {
            return failure.help(
                "fetch the maintainers' next statement with `ipwhl fetch`; if there is none, ask \
                 them for one",
            );
        }
        let shown = |path: &Path| shell_word(&session.environment().shown(path));
        let usual = self.repository.directory.join("release");
        let output = match path.parent() {
            Some(folder) if folder != usual => format!(" --output {}", shown(folder)),
            _ => String::new(),
        };
        failure.help(format!(
            "make sure that it is the last one that was made; then make the next one of the same release: \
             `ipwhl build --renew --after-expiry --previous {}{output}`",
            shown(path)
        ))
    }
}

/// Checks that the user's own key has signed a statement, for a repository that trusts no key.
fn check_own(
    place: &str,
    signed: &SignedStatement,
    verdict: Option<&Verdict>,
    own: Option<&FoundKey>,
) -> Result<(), Failure> {
    if signed.signatures.is_empty() {
        return Err(Failure::finding(format!("`{place}` has no signature beside it")).help(BESIDE));
    }
    for signature in &signed.signatures {
        verify(&signature.text, signed.text.as_bytes()).map_err(|error| {
            Failure::finding(format!(
                "a signature of `{place}` is invalid: {}",
                error_chain(&error)
            ))
        })?;
    }
    if verdict.is_some_and(Verdict::is_reached) {
        return Ok(());
    }
    Err(stranger(&format!("`{place}`"), signed, own).help(
        "name the keys that sign this repository's releases in `trusted` below `[signing]` in \
         `ipwhl.toml`; `--unsigned` \
         publishes without a statement",
    ))
}

/// The failure for a statement that too few keys of `trusted` have signed. If an earlier statement
/// allows one of its keys for later statements, the help says how to accept that key.
fn distrusted(
    place: &str,
    signed: &SignedStatement,
    policy: &TrustPolicy,
    verdict: &Verdict,
    history: &History,
) -> Failure {
    let failure = refusal(&format!("`{place}`"), signed, verdict);
    let mut unknown = verdict.unknown.iter();
    let changed = unknown.find_map(|key| Some((key, history.names_successor(policy, key)?)));
    match changed {
        None => failure,
        Some((key, sequence)) => failure.help(format!(
            "the statement of sequence {sequence}, which is signed with `trusted` keys, allows \
             this key for later ones: compare its \
                 fingerprint with the one that the maintainers publish, then add \"{}\" to \
                 `trusted` under `[signing]` in `ipwhl.toml`",
            key.line("")
        )),
    }
}

/// Places that may have the blocks that a delta leaves out. The sources of declarations have only
/// wheels, so pages and nodes need other places.
fn fill_places(configuration: &Configuration) -> Vec<String> {
    let gateways = configuration.publish.iter();
    let gateways = gateways.filter_map(|target| target.kind.gateway());
    let mut places: Vec<String> = gateways.map(redacted).collect();
    places.sort();
    places.dedup();
    if !configuration.gateways.is_empty() {
        places.push("mirrors".to_owned());
    }
    places
}
