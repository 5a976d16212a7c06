//! The TXT record of a domain that refers to the release (<https://dnslink.dev/>, FORMATS 9).
//!
//! No zone is changed: the record is printed, and DNS is queried for it.

use std::net::SocketAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use ipwhl_unixfs::Cid;

use super::context::TargetContext;
use super::place::TargetPlace;
use super::publication::Publication;
use super::published_release::PublishedRelease;
use super::target::{Done, Plan, ReadBack, Report, Target, Work};
use crate::foundation::failure::Failure;
use crate::set::repository::DnslinkTarget;

/// The start of a record's text.
const PREFIX: &str = "dnslink=";
/// The label of the records.
const LABEL: &str = "_dnslink";
/// The most records of one name that are read.
const MAXIMUM_RECORDS: usize = 100;
/// The longest record that is read, in bytes.
const LONGEST_RECORD: usize = 4096;
/// The number of repetitions of a query to a silent server, if the server is named.
const RETRIES: usize = 1;
/// The longest text of a single string of a record, in bytes (RFC 1035, section 3.3).
const LONGEST_STRING: usize = 255;

/// A target of the kind `dnslink`.
#[derive(Debug)]
pub(super) struct Dnslink {
    domain: String,
    name: Option<String>,
    server: Option<SocketAddr>,
    /// Whether DNS had the record before.
    is_there: bool,
}

impl Dnslink {
    pub(super) fn new(settings: &DnslinkTarget, _: &TargetContext) -> Self {
        Self {
            domain: settings.domain.clone(),
            name: settings.name.clone(),
            server: settings.resolver,
            is_there: false,
        }
    }

    /// The path in the record.
    fn path(&self, release: &Publication) -> String {
        match &self.name {
            Some(name) => format!("/ipns/{name}"),
            None => format!("/ipfs/{}", release.root()),
        }
    }

    /// The record as a line of a zone.
    fn line(&self, release: &Publication) -> String {
        let text = format!("{PREFIX}{}", self.path(release));
        // A domain can have 253 bytes, so a path may not fit into one string.
        let strings: Vec<String> = text
            .as_bytes()
            .chunks(LONGEST_STRING)
            .map(|part| format!("\"{}\"", String::from_utf8_lossy(part)))
            .collect();
        format!("{LABEL}.{}. IN TXT {}", self.domain, strings.join(" "))
    }

    async fn inspect(&mut self, release: &Publication) -> Result<Plan, Failure> {
        let there = match self.ask().await {
            Ok(there) => there,
            // The record is printed even if DNS cannot be queried.
            Err(error) if !error.is_refusal() => {
                return Ok(Plan {
                    changes: vec![format!("print `{}`; {error}", self.line(release))],
                    ..Plan::default()
                });
            }
            Err(error) => return Err(error),
        };
        let mut plan = Plan {
            held: held(there.as_deref()),
            ..Plan::default()
        };
        self.is_there = there
            .as_deref()
            .is_some_and(|there| self.is_this(there, release));
        if !self.is_there {
            plan.changes.push(format!(
                "print `{}`, for {}",
                self.line(release),
                self.says(there.as_deref())
            ));
        }
        Ok(plan)
    }

    fn says(&self, there: Option<&str>) -> String {
        match there {
            None => format!("there is no such record at {LABEL}.{} yet", self.domain),
            Some(path) => format!("{LABEL}.{} refers to `{path}`", self.domain),
        }
    }

    /// Whether a path is that of the release, in any spelling of its CID.
    fn is_this(&self, path: &str, release: &Publication) -> bool {
        path.trim_end_matches('/') == self.path(release)
            || (self.name.is_none() && root(path) == Some(release.root()))
    }

    /// The path in DNS; `None` if there is no record.
    async fn ask(&self) -> Result<Option<String>, Failure> {
        let mut found = Vec::new();
        for text in self.texts().await? {
            if let Some(path) = text.strip_prefix(PREFIX) {
                found.push(path.trim().to_owned());
            }
        }
        found.sort();
        found.dedup();
        if found.len() > 1 {
            let found: Vec<String> = found.iter().map(|path| format!("`{path}`")).collect();
            return Err(Failure::refused(format!(
                "{LABEL}.{} refers to several paths, {}, and readers may use any of them",
                self.domain,
                found.join(", ")
            ))
            .help("keep one TXT record that begins with `dnslink=`"));
        }
        Ok(found.pop())
    }

    /// The TXT records, each as one text; records that are not text are left out.
    async fn texts(&self) -> Result<Vec<String>, Failure> {
        let failed = |error: &NetError| {
            Failure::world(format!(
                "cannot query DNS for {LABEL}.{}: {error}",
                self.domain
            ))
            .help("is the name server reachable? `resolver` names another one")
        };
        // A fresh query without a cache.
        let mut options = ResolverOpts::default();
        options.cache_size = 0;
        options.attempts = RETRIES;
        let builder = match self.server {
            Some(server) => {
                let mut connections = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
                for connection in &mut connections {
                    connection.port = server.port();
                }
                let server = NameServerConfig::new(server.ip(), true, connections);
                let configuration = ResolverConfig::from_name_servers(vec![server]);
                TokioResolver::builder_with_config(configuration, TokioRuntimeProvider::default())
                    .with_options(options)
            }
            None => {
                let mut builder = TokioResolver::builder_tokio().map_err(|error| failed(&error))?;
                builder.options_mut().cache_size = 0;
                builder
            }
        };
        let resolver = builder.build().map_err(|error| failed(&error))?;
        // The dot at the end makes the name absolute, so that search lists are not used.
        let name = format!("{LABEL}.{}.", self.domain);
        let lookup = match resolver.txt_lookup(name).await {
            Ok(lookup) => lookup,
            // No such name, or no TXT record. Other errors mean that it is unknown.
            Err(error) if error.is_no_records_found() => return Ok(Vec::new()),
            Err(error) => return Err(failed(&error)),
        };
        let texts = lookup
            .answers()
            .iter()
            .filter_map(|record| match &record.data {
                RData::TXT(text) => Some(text.txt_data.concat()),
                _ => None,
            });
        Ok(texts
            .take(MAXIMUM_RECORDS)
            .filter(|bytes| bytes.len() <= LONGEST_RECORD)
            .filter_map(|bytes| String::from_utf8(bytes).ok())
            .filter(|text| !text.contains(char::is_control))
            .collect())
    }

    async fn verify(&self, release: &Publication) -> Result<ReadBack, Failure> {
        let there = self.ask().await?;
        if there
            .as_deref()
            .is_some_and(|there| self.is_this(there, release))
        {
            return Ok(ReadBack {
                notes: vec![format!("{} in DNS", self.says(there.as_deref()))],
                ..ReadBack::default()
            });
        }
        Err(Failure::world(self.says(there.as_deref())).help(
            "put the printed line into the zone, replacing an older one, and run the same command \
             again; servers may cache an older answer for its time to live",
        ))
    }
}

/// The root in a path.
fn root(path: &str) -> Option<Cid> {
    let cid = path.strip_prefix("/ipfs/")?;
    cid.trim_end_matches('/').parse().ok()
}

/// The release that a record refers to.
fn held(path: Option<&str>) -> Option<PublishedRelease> {
    path.and_then(root).map(|root| PublishedRelease {
        root,
        sequence: None,
    })
}

impl Target for Dnslink {
    fn place(&self) -> TargetPlace {
        TargetPlace::Name(format!("{LABEL}.{}", self.domain))
    }

    fn plan<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, Plan> {
        Box::pin(self.inspect(release))
    }

    fn holdings<'a>(&'a mut self, _: &'a str) -> Work<'a, Vec<PublishedRelease>> {
        Box::pin(async { Ok(held(self.ask().await?.as_deref()).into_iter().collect()) })
    }

    fn carry_out<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, Done> {
        let mut done = Done {
            results: vec![self.line(release)],
            ..Done::default()
        };
        if !self.is_there {
            done.changes
                .push("the record was printed; add it to the zone yourself".to_owned());
        }
        Box::pin(async { Ok(done) })
    }

    fn read_back<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, ReadBack> {
        Box::pin(self.verify(release))
    }
}
