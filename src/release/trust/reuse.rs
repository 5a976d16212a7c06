//! Opens the releases to reuse, and checks that trusted statements vouch for them.

use ipwhl_packaging::wheel::CHECKS_VERSION;
use ipwhl_unixfs::Cid;
use jiff::Timestamp;
use thiserror::Error;

use super::{Verdict, policy, refusal};
use crate::foundation::failure::Failure;
use crate::release::archive::{OpenRelease, ReleaseLocation};
use crate::release::names::STATEMENT;
use crate::release::reuse::ReusableRelease;
use crate::release::statement::{SignedStatement, located, read_statement};
use crate::set::declaration::Layout;
use crate::set::gather::Network;
use crate::set::repository::Configuration;
use crate::source::Session;

/// The releases to reuse.
#[derive(Debug, Clone, Copy)]
pub struct ReuseRequest<'r> {
    /// The releases: archives, root CIDs or addresses.
    pub releases: &'r [String],
    /// Statements that vouch for them: files or addresses.
    pub statements: &'r [String],
    /// Whether to accept releases that no trusted key has signed.
    pub accepts_unsigned: bool,
}

/// The reason why no statement vouches for a release, as a clause for a message.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UnvouchedReason {
    /// The statement beside the archive, or the configured keys, cannot be read.
    #[error("{0}")]
    Unusable(Failure),
    /// No statement of its root is known.
    #[error("there is no statement of the root {0}")]
    NoStatement(Cid),
    /// The repository trusts no key.
    #[error("`[signing]` of `ipwhl.toml` names no `trusted` key")]
    NobodyTrusted,
    /// Too few trusted keys have signed its statement.
    #[error("{0}")]
    Distrusted(Failure),
    /// The statement of this sequence has expired.
    #[error("{} has expired", its_statement(*.0))]
    Expired(u64),
    /// Its wheels have passed an older version of the checks.
    #[error(
        "its wheels have passed version {0} of the checks, and this program has version {CHECKS_VERSION}"
    )]
    OldChecks(u32),
    /// The statement of this sequence does not record checks.
    #[error(
        "{} does not record which checks its wheels have passed: an older program made it, or \
         `--allow` accepted some findings",
        its_statement(*.0)
    )]
    UnknownChecks(u64),
}

fn its_statement(sequence: u64) -> String {
    format!("its statement, sequence {sequence},")
}

impl ReuseRequest<'_> {
    /// Opens the releases. Each needs a statement: `previous`, a named one, or the one beside its
    /// archive. `tell` receives the releases that are accepted without one.
    ///
    /// # Errors
    /// When a release or a statement cannot be read, or no statement vouches for a release.
    pub fn open(
        &self,
        session: &Session,
        configuration: &Configuration,
        network: &Network,
        previous: Option<&SignedStatement>,
        tell: &mut dyn FnMut(&OpenRelease, UnvouchedReason),
    ) -> Result<Vec<ReusableRelease>, Failure> {
        if self.releases.is_empty() {
            return Ok(Vec::new());
        }
        if configuration.layout == Layout::Ipwhl1 {
            return Err(Failure::usage(
                "a release of the layout `ipwhl-1` has no index pages, so it cannot be reused",
            )
            .help("leave out `--reuse`; `ipwhl migrate` converts the repository to a layout with pages"));
        }
        let named = self
            .statements
            .iter()
            .map(|location| {
                let option = "--reuse-statement";
                located(session, configuration, option, location, network.offline)
            })
            .collect::<Result<Vec<SignedStatement>, Failure>>()?;
        let known: Vec<&SignedStatement> = previous.into_iter().chain(&named).collect();
        let now = session.now();
        let mut open =
            |text: &String| {
                let release = OpenRelease::named(session, network, &configuration.gateways, text)?;
                match vouched(configuration, &release, &known, now) {
                    Ok(()) => {}
                    Err(reason) if self.accepts_unsigned => tell(&release, reason),
                    Err(reason) => {
                        return Err(Failure::finding(format!(
                        "{} is not reused, because no statement vouches for it: {reason}",
                        release.shown
                    ))
                    .help("name a statement that is signed with `trusted` keys: `--reuse-statement \
                           STATEMENT`; `--reuse-unsigned` accepts the release without one"));
                    }
                }
                Ok(ReusableRelease::new(release))
            };
        self.releases.iter().map(&mut open).collect()
    }
}

/// Checks that a statement vouches for a release: one of `known`, or the one beside its archive.
fn vouched(
    configuration: &Configuration,
    release: &OpenRelease,
    known: &[&SignedStatement],
    now: Timestamp,
) -> Result<(), UnvouchedReason> {
    let beside = match &release.location {
        ReleaseLocation::Archive { path, .. } => Some(path.with_file_name(STATEMENT)),
        ReleaseLocation::Gateways(_) => None,
    };
    let beside = beside.filter(|path| path.is_file());
    let beside = beside
        .map(|path| read_statement(&path))
        .transpose()
        .map_err(UnvouchedReason::Unusable)?;
    let mut reason = None;
    let statements = known.iter().copied().chain(&beside);
    for signed in statements.filter(|signed| signed.statement.root == release.root) {
        match holds(configuration, signed, now) {
            Ok(()) => return Ok(()),
            Err(other) => reason = reason.or(Some(other)),
        }
    }
    Err(reason.unwrap_or(UnvouchedReason::NoStatement(release.root)))
}

/// Checks that enough trusted keys have signed a statement, that it has not expired, and that its
/// checks are not older than those of this program.
fn holds(
    configuration: &Configuration,
    signed: &SignedStatement,
    now: Timestamp,
) -> Result<(), UnvouchedReason> {
    let statement = &signed.statement;
    let policy = policy(configuration).map_err(UnvouchedReason::Unusable)?;
    let policy = policy.ok_or(UnvouchedReason::NobodyTrusted)?;
    let verdict: Verdict = policy.evaluate(signed.text.as_bytes(), &signed.signatures, now);
    if !verdict.is_reached() {
        let what = its_statement(statement.sequence);
        let refusal = refusal(&what, signed, &verdict);
        return Err(UnvouchedReason::Distrusted(refusal));
    }
    if statement.is_expired(now) {
        return Err(UnvouchedReason::Expired(statement.sequence));
    }
    match statement.checks {
        Some(checks) if checks >= CHECKS_VERSION => Ok(()),
        Some(checks) => Err(UnvouchedReason::OldChecks(checks)),
        None => Err(UnvouchedReason::UnknownChecks(statement.sequence)),
    }
}
