//! Who vouches for a build: what is found out before anything takes long, and the statement.

use std::path::Path;

use super::super::context::Context;
use super::super::exit::Failure;
use super::super::statement::{Signed, Signer, policy, previous, read_statement, signing_key};
use super::Arguments;
use crate::dag::Cid;
use crate::publish::{STATEMENT, SignatureFile, Vouching};
use crate::repository::Repository;
use crate::signature::{Draft, KeyError, PublicKey, Statement, TrustedKey, parse_lifetime, sign};

/// What is needed to vouch for a release, found out before anything takes long.
pub(super) struct Preparation {
    signer: Signer,
    previous: Option<Signed>,
    expires: Option<jiff::Timestamp>,
    now: jiff::Timestamp,
}

impl Preparation {
    /// The root that the statement before vouches for.
    pub(super) fn previous_root(&self) -> Option<Cid> {
        self.previous.as_ref().map(|signed| signed.statement.root)
    }
}

/// Finds the key and the statement before, and whether the one may follow the other.
pub(super) fn prepare(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &Arguments,
    folder: &Path,
) -> Result<Preparation, Failure> {
    let now = context.environment.clock.now();
    let expires = match &arguments.expires {
        None => None,
        Some(text) => {
            let lifetime = parse_lifetime(text).map_err(|error| Failure::usage(&error))?;
            Some(
                now.checked_add(lifetime)
                    .map_err(|_| Failure::usage(format!("`--expires {text}` is too far away")))?,
            )
        }
    };
    let configuration = &repository.configuration;
    let previous = arguments
        .previous
        .as_ref()
        .map(|location| previous(context, configuration, location, arguments.network.offline))
        .transpose()?;
    if let Some(previous) = &previous
        && previous.statement.name != configuration.name
    {
        return Err(Failure::finding(format!(
            "the previous statement is of {:?}, and this repository is {:?}",
            previous.statement.name, configuration.name
        ))
        .help(
            "name this repository's own last statement, or leave `--previous` out for a first one",
        ));
    }
    if previous.is_none() {
        mention_replaced(context, folder);
    }
    let signer = signing_key(context, arguments.key.as_deref())?;
    let public = signer.key.public();
    if let Some(policy) = policy(configuration)?
        && !policy.trusts(&public, now)
    {
        return Err(Failure::finding(format!(
            "the key {} from {} is not one of the repository's `trusted` keys",
            public.fingerprint(),
            signer.origin
        ))
        .help(format!(
            "sign with a trusted key, or add to `trusted`: \"{}\"",
            public.line(signer.key.comment())
        )));
    }
    if let Some(previous) = &previous
        && let Some(policy) = previous
            .statement
            .successor_policy()
            .map_err(|error| Failure::caused(&error))?
        && !policy.trusts(&public, now)
    {
        return Err(Failure::finding(format!(
            "the previous statement does not let the key {} sign the next one",
            public.fingerprint()
        ))
        .help("sign with one of the keys in its `trusted`"));
    }
    Ok(Preparation {
        signer,
        previous,
        expires,
        now,
    })
}

/// A statement that is about to be replaced by a first one is no reason to stop, but worth a word.
fn mention_replaced(context: &Context<'_>, folder: &Path) {
    let path = folder.join(STATEMENT);
    if let Ok(signed) = read_statement(&path) {
        let shown = context.shown(&path);
        context.say(&format!(
            "{shown}, sequence {}, gives way to a first statement; `--previous {shown}` would follow it",
            signed.statement.sequence
        ));
    }
}

/// Who else has to sign where one signature is not enough, and where each signature belongs. The
/// repository asks for its own keys; whoever follows the statement before, for those that it names.
fn mention_further_signers(
    context: &Context<'_>,
    statement: &Statement,
    before: Option<&(Vec<TrustedKey>, u32)>,
    own: &PublicKey,
) {
    let asked = [(&statement.trusted, statement.threshold)]
        .into_iter()
        .chain(before.map(|(trusted, threshold)| (trusted, *threshold)))
        .filter(|(trusted, _)| !trusted.is_empty());
    let Some((_, needed)) = asked
        .clone()
        .max_by_key(|(_, threshold)| *threshold)
        .filter(|(_, threshold)| *threshold > 1)
    else {
        return;
    };
    context.say(&format!(
        "1 of the {needed} signatures that it needs is there; a further one goes beside it:"
    ));
    let mut seen = vec![own.clone()];
    for other in asked.flat_map(|(trusted, _)| trusted) {
        if !seen.contains(&other.key) {
            seen.push(other.key.clone());
            context.say(&format!(
                "  {STATEMENT}.{}.sig by {} ({})",
                other.key.file_digits(),
                other.name,
                other.key.fingerprint()
            ));
        }
    }
    context.help(&format!(
        "`ssh-keygen -Y sign -n ipwhl-release -f KEY < {STATEMENT} > {STATEMENT}.<digits>.sig` signs it too"
    ));
}

/// The statement of this root and its signatures.
pub(super) fn vouch(
    context: &Context<'_>,
    repository: &Repository,
    preparation: Preparation,
    root: Cid,
    renew: bool,
) -> Result<Option<Vouching>, Failure> {
    let configuration = &repository.configuration;
    let trusted = configuration
        .trusted
        .iter()
        .map(|line| line.parse())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error: KeyError| Failure::caused(&error))?;
    let draft = Draft {
        name: configuration.name.clone(),
        root,
        created: preparation.now,
        expires: preparation.expires,
        trusted,
        threshold: u32::try_from(configuration.threshold).unwrap_or(u32::MAX),
        renew,
    };
    let before = preparation
        .previous
        .as_ref()
        .map(|signed| &signed.statement);
    let before_policy = before.map(|before| (before.trusted.clone(), before.threshold));
    let following = Statement::following(before, draft)
        .map_err(|error| Failure::finding(super::super::exit::chain(&error)))?;
    match (following, preparation.previous) {
        (Some(statement), _) => {
            let text = statement.to_toml();
            let signature = sign(&preparation.signer.key, text.as_bytes())
                .map_err(|error| Failure::caused(&error))?;
            context.say(&format!(
                "signed {STATEMENT}: sequence {}, by {}",
                statement.sequence,
                preparation.signer.key.public().fingerprint()
            ));
            mention_further_signers(
                context,
                &statement,
                before_policy.as_ref(),
                &preparation.signer.key.public(),
            );
            Ok(Some(Vouching {
                statement: text,
                signatures: vec![SignatureFile {
                    suffix: ".sig".to_owned(),
                    text: signature,
                }],
            }))
        }
        (None, Some(previous)) => {
            context.say(&format!(
                "the previous statement, sequence {}, says the same already: nothing new is signed (`--renew` would)",
                previous.statement.sequence
            ));
            Ok(Some(Vouching {
                statement: previous.text,
                signatures: previous.signatures,
            }))
        }
        (None, None) => Ok(None),
    }
}
