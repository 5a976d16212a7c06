//! A signed IPNS record, as a file and at a node (FORMATS 6 and 9).
//!
//! The record depends only on the statement and the key, so an existing record is recognised as the
//! same. A sequence is used only once: readers with two records of one sequence would disagree.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};

use super::context::TargetContext;
use super::follow::check_follows;
use super::kubo::{ROUTING, Rpc};
use super::place::TargetPlace;
use super::publication::Publication;
use super::published_release::PublishedRelease;
use super::target::{Done, Plan, ReadBack, Report, Step, Target, Work};
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::Failure;
use crate::release::signature::{
    DEFAULT_RECORD_LIFETIME, DEFAULT_RECORD_TTL, IpnsContent, IpnsName, IpnsRecord,
    MAXIMUM_RECORD_SIZE, SigningKey,
};
use crate::set::repository::IpnsTarget;

/// Nodes forget records of others after two days, and renew only records of their own keys.
const AGAIN: &str = " again, so that others keep it";

/// A target of the kind `ipns`.
pub(super) struct Ipns {
    /// Not needed for the plan.
    key: Option<SigningKey>,
    name: IpnsName,
    file: Option<PathBuf>,
    rpc: Option<Rpc>,
    lifetime: SignedDuration,
    ttl: SignedDuration,
    now: Timestamp,
    /// The record to put, and the places that lack it.
    planned: Option<Planned>,
}

/// The result of the inspection.
struct Planned {
    record: IpnsRecord,
    is_in_file: bool,
    is_at_node: bool,
}

impl Ipns {
    pub(super) fn new(settings: &IpnsTarget, context: &TargetContext) -> Result<Self, Failure> {
        let key = context.signing_key.clone();
        let public = key.as_ref().map(SigningKey::public);
        let public = public
            .or_else(|| context.public_key.clone())
            .ok_or_else(|| {
                Failure::world("the key of the IPNS name is unknown")
                    .help("name it with `--key`; a plan needs only its public half")
            })?;
        let name = IpnsName::of(&public).ok_or_else(|| {
            Failure::refused(format!(
                "the key {} is in hardware, which cannot sign IPNS records",
                public.fingerprint()
            ))
            .help("name a key of the type `ssh-ed25519` with `--key`, in a file or in an agent")
        })?;
        let rpc = settings.api.as_ref().map(|api| Rpc::new(api, context));
        let span = |given: Option<std::time::Duration>, default: SignedDuration| {
            given.map_or(default, |given| {
                SignedDuration::try_from(given).unwrap_or(SignedDuration::MAX)
            })
        };
        Ok(Self {
            key,
            name,
            file: settings.file.as_ref().map(|file| context.folder.join(file)),
            rpc: rpc.transpose()?,
            lifetime: span(settings.lifetime, DEFAULT_RECORD_LIFETIME),
            ttl: span(settings.ttl, DEFAULT_RECORD_TTL),
            now: context.now,
            planned: None,
        })
    }

    async fn inspect(&mut self, release: &Publication) -> Result<Plan, Failure> {
        let vouched = release.signed.as_ref().ok_or_else(|| {
            Failure::refused("there is no statement, and a record needs its sequence")
                .help("build with a key, and publish without `--unsigned`")
        })?;
        // Another key on the same machine would silently update another name.
        let key = self
            .key
            .as_ref()
            .ok_or_else(|| Failure::world("there is no key to sign a record with"))?;
        if !vouched.signers().contains(&key.public()) {
            return Err(Failure::refused(format!(
                "the key {} has not signed the statement, so its name, {}, does not belong to this release",
                key.public().fingerprint(),
                self.name
            ))
            .help("name a key that has signed it with `--key`, or sign the statement with this \
                   one: `ipwhl sign`"));
        }
        let content = IpnsContent::of_statement(&vouched.statement, self.lifetime, self.ttl);
        if content.is_expired(self.now) {
            return Err(Failure::refused(format!(
                "the record would have expired on {}",
                content.expires
            ))
            .help(
                "make the next statement of the same release, with this one in `ipwhl build \
                   --renew --previous`, or extend records with `lifetime`",
            ));
        }
        let in_file = match &self.file {
            Some(path) => self.of_file(path)?,
            None => None,
        };
        let at_node = match &self.rpc {
            Some(rpc) => self.of_node(rpc).await?,
            None => None,
        };
        let mut newest = None;
        for (place, record) in [("file", &in_file), ("node", &at_node)] {
            let Some(record) = record else { continue };
            let held = held(&record.content, place)?;
            check_follows(release, &held)?;
            if held.sequence == Some(content.sequence) && record.content != content {
                return Err(Failure::refused(format!(
                    "the {place} has another record of the sequence {}, valid until {} and cached for {} s",
                    content.sequence,
                    record.content.expires,
                    record.content.ttl / 1_000_000_000
                ))
                .help("a sequence is used only once: make the next statement of the same release, \
                       with this one in `ipwhl build --renew --previous`"));
            }
            if newest.is_none_or(|newest: PublishedRelease| newest.sequence < held.sequence) {
                newest = Some(held);
            }
        }
        let is_this = |record: Option<IpnsRecord>| record.is_some_and(|it| it.content == content);
        let (is_in_file, is_at_node) = (is_this(in_file), is_this(at_node));
        let record = IpnsRecord::sign(key, content)
            .map_err(|error| Failure::world(format!("the record cannot be signed: {error}")))?;
        let mut changes = Vec::new();
        let words = format!(
            "the record of {} with the sequence {}",
            self.name, record.content.sequence
        );
        if let Some(path) = self.file.as_ref().filter(|_| !is_in_file) {
            changes.push(format!("write {words} to `{}`", path.display()));
        }
        if let Some(rpc) = &self.rpc {
            let again = if is_at_node { AGAIN } else { "" };
            changes.push(format!("put {words} to {}{again}", rpc.place()));
        }
        self.planned = Some(Planned {
            record,
            is_in_file,
            is_at_node,
        });
        Ok(Plan {
            held: newest,
            changes,
            ..Plan::default()
        })
    }

    fn of_file(&self, path: &Path) -> Result<Option<IpnsRecord>, Failure> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unusable(path, &error)),
        };
        let mut bytes = Vec::new();
        file.take(MAXIMUM_RECORD_SIZE as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| unusable(path, &error))?;
        let record = IpnsRecord::verify(&self.name, &bytes).map_err(|error| {
            Failure::refused(format!(
                "`{}` is not a record of {}, so it is not replaced: {error}",
                path.display(),
                self.name
            ))
            .help("name another file with `file`, or another key with `--key`")
        })?;
        Ok(Some(record))
    }

    async fn of_node(&self, rpc: &Rpc) -> Result<Option<IpnsRecord>, Failure> {
        let Some(bytes) = rpc.record(&self.name.path(), MAXIMUM_RECORD_SIZE).await? else {
            return Ok(None);
        };
        let record = IpnsRecord::verify(&self.name, &bytes).map_err(|error| {
            Failure::world(format!(
                "the record of {1} at {0} is invalid: {error}",
                rpc.place(),
                self.name
            ))
        })?;
        Ok(Some(record))
    }

    async fn upload(&mut self, report: Report<'_>) -> Result<Done, Failure> {
        let Some(planned) = &self.planned else {
            return Err(Failure::world("nothing is planned"));
        };
        let mut done = Done::default();
        let sequence = planned.record.content.sequence;
        // The file first: a record that was put to a node cannot be withdrawn.
        if let Some(path) = self.file.as_ref().filter(|_| !planned.is_in_file) {
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
            }
            AtomicFile::write_whole(path, planned.record.bytes())
                .map_err(|error| unusable(path, &error))?;
            done.changes.push(format!(
                "`{}` is the record with the sequence {sequence}",
                path.display()
            ));
        }
        if let Some(rpc) = &self.rpc {
            let again = if planned.is_at_node { AGAIN } else { "" };
            report(Step::Waiting(format!(
                "putting the record to {}",
                rpc.place()
            )));
            rpc.put_record(&self.name.path(), planned.record.bytes())
                .await?;
            done.changes.push(format!(
                "put the record with the sequence {sequence} to {}{again}",
                rpc.place()
            ));
        }
        done.results.push(self.name.path());
        Ok(done)
    }

    async fn verify(&self) -> Result<ReadBack, Failure> {
        let Some(planned) = &self.planned else {
            return Err(Failure::world("nothing is planned"));
        };
        let expected = &planned.record.content;
        let changed = |place: &str| {
            Failure::world(format!(
                "{place} has another record than the one that was put"
            ))
            .help("does another program use the key, for a newer release?")
        };
        let mut back = ReadBack::default();
        let mut places = Vec::new();
        if let Some(path) = &self.file {
            let place = format!("`{}`", path.display());
            match self.of_file(path)? {
                Some(record) if record.content == *expected => places.push(place),
                _ => return Err(changed(&place)),
            }
        }
        if let Some(rpc) = &self.rpc {
            match self.of_node(rpc).await? {
                Some(record) if record.content == *expected => places.push(rpc.place()),
                Some(_) => return Err(changed(&rpc.place())),
                // A node without routing accepts a record without keeping it.
                None => {
                    return Err(Failure::world(format!(
                        "{} accepted the record, but does not have it",
                        rpc.place()
                    ))
                    .help(ROUTING));
                }
            }
        }
        back.notes.push(format!(
            "read back the record from {}: {} refers to {} until {}",
            places.join(" and "),
            self.name.path(),
            expected.value,
            expected.expires
        ));
        Ok(back)
    }

    /// The newest release that the file or the node refers to.
    async fn holdings(&self) -> Result<Vec<PublishedRelease>, Failure> {
        let in_file = match &self.file {
            Some(path) => self.of_file(path)?,
            None => None,
        };
        let at_node = match &self.rpc {
            Some(rpc) => self.of_node(rpc).await?,
            None => None,
        };
        let mut held = Vec::new();
        for (place, record) in [("file", in_file), ("node", at_node)] {
            if let Some(record) = record {
                held.push(self::held(&record.content, place)?);
            }
        }
        held.sort_unstable_by_key(|held| std::cmp::Reverse(held.sequence));
        held.truncate(1);
        Ok(held)
    }
}

/// The release in a record.
fn held(content: &IpnsContent, place: &str) -> Result<PublishedRelease, Failure> {
    let root = content.root().ok_or_else(|| {
        Failure::refused(format!(
            "the record of the {place} refers to `{}`, which is not a release",
            content.value.escape_debug()
        ))
        .help("if this key is used for something else, name another one with `--key`")
    })?;
    Ok(PublishedRelease {
        root,
        sequence: Some(content.sequence),
    })
}

fn unusable(path: &Path, error: &io::Error) -> Failure {
    Failure::world(format!("`{}`: {error}", path.display()))
}

impl Target for Ipns {
    fn place(&self) -> TargetPlace {
        TargetPlace::Name(self.name.path())
    }

    fn plan<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, Plan> {
        Box::pin(self.inspect(release))
    }

    fn holdings<'a>(&'a mut self, _: &'a str) -> Work<'a, Vec<PublishedRelease>> {
        Box::pin(Self::holdings(self))
    }

    fn carry_out<'a>(&'a mut self, _: &'a Publication, report: Report<'a>) -> Work<'a, Done> {
        Box::pin(self.upload(report))
    }

    fn read_back<'a>(&'a mut self, _: &'a Publication, _: Report<'a>) -> Work<'a, ReadBack> {
        Box::pin(self.verify())
    }
}
