//! Selects the targets of a run and opens each with its HTTP client, its secret from the
//! environment, and its key.

use std::ffi::OsStr;
use std::path::PathBuf;

use super::cluster::Cluster;
use super::cluster::nearby::NearbyCluster;
use super::context::TargetContext;
use super::directory::Directory;
use super::dnslink::Dnslink;
use super::git::Git;
use super::ipns::Ipns;
use super::kubo::Kubo;
use super::pinning_service::PinningService;
use super::target::Target;
use crate::foundation::diagnostic::nearest;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::signature::{PublicKey, SigningKey, TrustedKey, named_key, own_key};
use crate::set::repository::{CONFIGURATION_FILE, PublishKind, PublishTarget, Repository};
use crate::source::Secret;
use crate::source::{Client, Limits, Session};

/// The prefix of this program's environment variables.
const OWN_VARIABLES: &str = "IPWHL_";

/// The targets with these names, in the order of the configuration; all targets if there is no
/// name.
///
/// # Errors
/// When the configuration has no target, or none with one of these names.
pub fn chosen_targets<'c>(
    configured: &'c [PublishTarget],
    names: &[String],
) -> Result<Vec<&'c PublishTarget>, Failure> {
    if configured.is_empty() {
        return Err(
            Failure::usage(format!("`{CONFIGURATION_FILE}` has no targets")).help(format!(
                "add a table `[publish.NAME]` with the `kind` of the target, one of: {}",
                PublishKind::WORDS.join(", ")
            )),
        );
    }
    for name in names {
        if configured.iter().any(|target| target.name == *name) {
            continue;
        }
        let known = configured.iter().map(|target| target.name.as_str());
        let failure = Failure::usage(format!("there is no target `{name}`"));
        return Err(match nearest(name, known.clone()) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => {
                let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
                failure.help(format!("the targets are {}", known.join(", ")))
            }
        });
    }
    let is_named = |target: &&PublishTarget| names.is_empty() || names.contains(&target.name);
    Ok(configured.iter().filter(is_named).collect())
}

/// The inputs for opening targets.
pub struct Opening<'o> {
    /// The session.
    pub session: &'o Session,
    /// The repository.
    pub repository: &'o Repository,
    /// The signing key, if one of the chosen targets needs one.
    pub signing_key: Option<Result<SigningKey, Failure>>,
    /// The key named on the command line.
    pub named_key: Option<PathBuf>,
}

impl Opening<'_> {
    /// Opens a target. No request is sent.
    ///
    /// # Errors
    /// When a required setting, secret or key is missing or invalid.
    pub fn open(&self, target: &PublishTarget) -> Result<Box<dyn Target>, Failure> {
        let mut context = self.target_context(target)?;
        if let PublishKind::Ipns(_) = target.kind
            && context.signing_key.is_none()
        {
            context.public_key = self.public_key().map_err(Failure::into_refusal)?;
        }
        open_target(target, context)
    }

    /// The named key, or the only key that the repository trusts, or the user's own. To inspect a
    /// target, the public half is enough.
    fn public_key(&self) -> Result<Option<PublicKey>, Failure> {
        if let Some(found) = named_key(self.session, self.named_key.as_deref())? {
            return Ok(Some(found.public().0.clone()));
        }
        if let [line] = &self.repository.configuration.trusted[..]
            && let Ok(TrustedKey { key, .. }) = line.parse()
        {
            return Ok(Some(key));
        }
        Ok(own_key(self.session)?.map(|found| found.public().0.clone()))
    }

    /// The context of a target: its HTTP client, its secret from the environment, and its key if it
    /// needs one.
    fn target_context(&self, target: &PublishTarget) -> Result<TargetContext, Failure> {
        let signing_key = self
            .signing_key
            .as_ref()
            .filter(|_| target.kind.needs_key())
            .cloned()
            .transpose()?;
        let is_own = |name: &OsStr| name.to_string_lossy().starts_with(OWN_VARIABLES);
        let client = client(self.session, Limits::default())?;
        // A node may belong to one of the clusters.
        let mut clusters = Vec::new();
        if let PublishKind::Kubo(_) = target.kind {
            for other in &self.repository.configuration.publish {
                if let PublishKind::Cluster(settings) = &other.kind {
                    clusters.push(NearbyCluster {
                        name: other.name.clone(),
                        api: settings.api.clone(),
                        secret: self.secret(other)?,
                        variable: other.variable("TOKEN"),
                        client: client.clone(),
                    });
                }
            }
        }
        Ok(TargetContext {
            client,
            gateway_client: self::client(self.session, Limits::of_gateways())?,
            clusters,
            folder: self.repository.directory.clone(),
            secret: self.secret(target)?,
            variable: target.variable("TOKEN"),
            now: self.session.now(),
            variables: self
                .session
                .environment()
                .variables
                .iter()
                .filter(|(name, _)| !is_own(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            public_key: None,
            signing_key,
        })
    }

    /// The secret of a target, if set in the environment.
    fn secret(&self, target: &PublishTarget) -> Result<Option<Secret>, Failure> {
        let (token, basic) = (target.variable("TOKEN"), target.variable("BASIC"));
        let value = |name: &str| self.session.environment().variable(name);
        let made = match (value(&token), value(&basic)) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                return Err(
                    Failure::usage(format!("both `{token}` and `{basic}` are set"))
                        .help("set only the one that the target needs"),
                );
            }
            (Some(text), None) => text.to_str().map(|text| (&token, Secret::bearer(text))),
            (None, Some(text)) => text.to_str().map(|text| (&basic, Secret::basic(text))),
        };
        match made {
            Some((_, Ok(secret))) => Ok(Some(secret)),
            // The message must not contain the value.
            Some((name, Err(_))) if *name == basic => Err(Failure::usage(format!(
                "`{basic}` does not have the form `user:password`, or it has a control character"
            ))),
            _ => Err(Failure::usage(format!(
                "`{token}` or `{basic}` cannot be sent in an HTTP header: does it contain a line feed?"
            ))),
        }
    }
}

/// The target with these settings. Nothing is requested or opened yet.
///
/// # Errors
/// When a required setting or key is missing.
fn open_target(
    configured: &PublishTarget,
    context: TargetContext,
) -> Result<Box<dyn Target>, Failure> {
    match &configured.kind {
        PublishKind::Kubo(settings) => Ok(Box::new(Kubo::new(settings, context)?)),
        PublishKind::Cluster(settings) => Ok(Box::new(Cluster::new(settings, context)?)),
        PublishKind::PinningService(settings) => {
            Ok(Box::new(PinningService::new(settings, context)?))
        }
        PublishKind::Directory(settings) => Ok(Box::new(Directory::new(settings, &context)?)),
        PublishKind::Ipns(settings) => Ok(Box::new(Ipns::new(settings, &context)?)),
        PublishKind::Git(settings) => Ok(Box::new(Git::new(settings, context))),
        PublishKind::Dnslink(settings) => Ok(Box::new(Dnslink::new(settings, &context))),
    }
}

/// An HTTP client for targets and their gateways, which connects to loopback addresses without a
/// proxy.
pub(super) fn client(session: &Session, limits: Limits) -> Result<Client, Failure> {
    let settings = session.client_settings(limits).direct_on_loopback();
    Client::new(&settings).map_err(|error| Failure::world(error_chain(&error)))
}
