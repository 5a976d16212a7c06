//! Sites: statements as files, at an address or in a folder (FORMATS 9).
//!
//! The layout of a site is a format of releases, so it is read here. [`Site`] fetches the files:
//! this room treats folders and addresses alike.

use std::mem;
use std::path::Path;

use ipwhl_unixfs::Cid;
use tokio::runtime::Handle;
use url::Url;

use super::folder::{STATEMENTS, statement_path};
use super::{MAXIMUM_STATEMENT_SIZE, Next, SignatureFile, SignedStatement, Statement};
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::archive::{ArchiveKind, car_name};
use crate::release::names::STATEMENT;
use crate::release::signature::{MAXIMUM_SIGNATURE_SIZE, PublicKey};
use crate::source::{Client, Limits, Session, Site, SourceProblem, redacted};

/// The first line of a signature in SSH's format.
const SIGNATURE: &str = "-----BEGIN SSH SIGNATURE-----";

/// A site, and the runtime for its requests.
#[derive(Debug)]
pub struct OpenSite {
    /// The site.
    pub site: Site,
    /// The runtime for its requests.
    pub runtime: Handle,
    above: Option<Above>,
}

/// The site that contains a folder for pip: `latest`, or the tree of a release.
#[derive(Debug)]
struct Above {
    site: Site,
    /// The release that was named.
    root: Option<Cid>,
}

impl Above {
    /// The site one level up, if the name of the folder is that of a release; otherwise `None`.
    fn of(name: &str, site: impl FnOnce() -> Site) -> Option<Self> {
        let root = name.parse().ok();
        (name == LATEST || root.is_some()).then(|| Self { site: site(), root })
    }
}

/// The default name of the link to the newest release.
const LATEST: &str = "latest";
/// The help for naming a site.
const NAMES: &str =
    "name the folder that has `release.toml`, as in `https://example.org/`, or that file";

/// The newest statement of a site.
#[derive(Debug, Clone)]
pub struct Newest {
    /// The statement and its signatures, which are not verified.
    pub signed: SignedStatement,
    /// Its name in messages.
    pub place: String,
    /// Whether the site has a folder for each statement.
    pub has_folders: bool,
}

impl OpenSite {
    /// The site with this name: an address, a folder, or the `release.toml` in it. Nothing is
    /// requested yet.
    ///
    /// # Errors
    /// When the folder does not exist, the address is invalid, or `offline` forbids the network.
    pub fn named(session: &Session, location: &str, offline: bool) -> Result<Self, Failure> {
        if location.contains("://") {
            if offline {
                return Err(Failure::usage(
                    "the site is on the web, but `--offline` forbids the network",
                )
                .help("leave out `--offline`, or name a folder"));
            }
            return Self::at(session, location);
        }
        let mut path = session.environment().absolute(Path::new(location));
        if path.file_name().is_some_and(|name| name == STATEMENT) {
            path.pop();
        }
        if !path.is_dir() {
            return Err(absent(location).unwrap_or_else(|| {
                Failure::world(format!("there is no folder `{location}`")).help(NAMES)
            }));
        }
        Self::folder(session, &path)
    }

    /// The site at an address of its folder or of the `release.toml` there.
    ///
    /// # Errors
    /// When it is not the address of a site.
    pub fn at(session: &Session, address: &str) -> Result<Self, Failure> {
        let refused = |reason: &str| {
            // It may contain a password, so it is not repeated.
            Failure::usage(format!("the address {reason}")).help(NAMES)
        };
        let mut url =
            Url::parse(address).map_err(|error| refused(&format!("is invalid: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused("does not begin with `https://`"));
        }
        url.set_query(None);
        url.set_fragment(None);
        let path = url.path().to_owned();
        if path.rsplit('.').next() == Some("car") {
            return Err(refused("is that of an archive"));
        }
        if let Some(folder) = path
            .strip_suffix(STATEMENT)
            .filter(|rest| rest.ends_with('/'))
        {
            url.set_path(folder);
        }
        let settings = session.client_settings(Limits::of_sites());
        let client = Client::new(&settings).map_err(|error| Failure::caused(&error))?;
        let path = url.path().trim_end_matches('/');
        let above = path.rsplit_once('/').and_then(|(folder, name)| {
            let mut above = url.clone();
            above.set_path(&format!("{folder}/"));
            Above::of(name, || Site::web(client.clone(), above))
        });
        Ok(Self {
            site: Site::web(client, url),
            runtime: session.runtime()?.clone(),
            above,
        })
    }

    /// The site in a folder.
    ///
    /// # Errors
    /// When the system cannot start threads.
    pub fn folder(session: &Session, path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            site: Site::folder(path),
            runtime: session.runtime()?.clone(),
            above: above(path),
        })
    }

    /// The text of the newest statement. If the folder of pip's index was named, it is one level
    /// up.
    fn newest_text(&mut self) -> Result<String, Failure> {
        let read = |open: &Self| {
            open.runtime
                .block_on(open.text(STATEMENT, MAXIMUM_STATEMENT_SIZE))
        };
        let problem = match read(self)? {
            Ok(text) => return Ok(text),
            Err(problem @ SourceProblem::Missing { .. }) => problem,
            Err(problem) => return Err(unreachable(&problem)),
        };
        let absent = unreachable(&problem).help(NAMES);
        let Some(above) = self.above.take() else {
            return Err(absent);
        };
        let named = mem::replace(&mut self.site, above.site).shown("");
        let Ok(text) = read(self)? else {
            return Err(absent);
        };
        let site = self.site.shown("");
        let statement = parse(&self.site.shown(STATEMENT), &text)?;
        match above.root {
            Some(root) if root != statement.root => Err(Failure::usage(format!(
                "`{named}` is not the newest release of its site, which is sequence {}, {}",
                statement.sequence, statement.root
            ))
            .help(format!(
                "name the site for the newest one: {}",
                shell_word(&site)
            ))),
            _ => Ok(text),
        }
    }

    /// The newest statement. If the site has folders for statements, which never change, its
    /// signatures come from there. Besides that of the first signer, the signatures of additional
    /// signers are requested, by the keys in `keys` or those that the statement names.
    ///
    /// # Errors
    /// When there is none, it cannot be read, or the site contradicts itself.
    pub fn newest(&mut self, keys: &[PublicKey]) -> Result<Newest, Failure> {
        let text = self.newest_text()?;
        self.runtime.block_on(async {
            let place = self.site.shown(STATEMENT);
            let statement = parse(&place, &text)?;
            let own = statement_path(statement.sequence, STATEMENT);
            let (beside, has_folders) = match self.text(&own, MAXIMUM_STATEMENT_SIZE).await? {
                Ok(same) if same == text => (own, true),
                Ok(_) => {
                    return Err(Failure::finding(format!(
                        "`{}` differs from `{place}`, which has the same sequence",
                        self.site.shown(&own)
                    ))
                    .help("the site is changing, or damaged: run the same command again"));
                }
                Err(SourceProblem::Missing { .. }) => (STATEMENT.to_owned(), false),
                Err(problem) => return Err(unreachable(&problem)),
            };
            let signed = self.signed(&beside, &place, text, keys).await?;
            Ok(Newest {
                signed,
                place,
                has_folders,
            })
        })
    }

    /// The statement that comes next after `known`, up to the one before `last`.
    ///
    /// # Errors
    /// When the site cannot be reached, or its file is not a statement.
    pub fn after(&self, known: Option<&Statement>, last: &Statement) -> Result<Next, Failure> {
        let Some(known) = known else {
            return Ok(Next::Last);
        };
        let sequence = known.sequence.saturating_add(1);
        if sequence >= last.sequence {
            return Ok(Next::Last);
        }
        let path = statement_path(sequence, STATEMENT);
        let place = self.site.shown(&path);
        let keys: Vec<PublicKey> = known.trusted.iter().map(|one| one.key.clone()).collect();
        self.runtime.block_on(async {
            let text = match self.text(&path, MAXIMUM_STATEMENT_SIZE).await? {
                Ok(text) => text,
                Err(SourceProblem::Missing { .. }) => return Ok(Next::Missing(place)),
                Err(problem) => return Err(unreachable(&problem)),
            };
            let signed = self.signed(&path, &place, text, &keys).await?;
            Ok(Next::Statement(place, Box::new(signed)))
        })
    }

    /// A statement with the signatures beside it.
    async fn signed(
        &self,
        beside: &str,
        place: &str,
        text: String,
        keys: &[PublicKey],
    ) -> Result<SignedStatement, Failure> {
        let statement = parse(place, &text)?;
        // A site lists no folders. The signers of one statement have usually signed the one before.
        let named = statement.trusted.iter().map(|trusted| &trusted.key);
        let mut suffixes = vec![".sig".to_owned()];
        for key in keys.iter().chain(named) {
            let suffix = format!(".{}.sig", key.file_digits());
            if !suffixes.contains(&suffix) {
                suffixes.push(suffix);
            }
        }
        let mut signatures = Vec::new();
        for suffix in suffixes {
            let path = format!("{beside}{suffix}");
            match self.text(&path, MAXIMUM_SIGNATURE_SIZE).await? {
                // Some servers answer with a page for missing files.
                Ok(text) if suffix != ".sig" && !text.starts_with(SIGNATURE) => {}
                Ok(text) => signatures.push(SignatureFile { suffix, text }),
                Err(SourceProblem::Missing { .. }) => {}
                Err(problem) => return Err(unreachable(&problem)),
            }
        }
        signatures.sort_by(|one, other| one.suffix.cmp(&other.suffix));
        Ok(SignedStatement {
            text,
            statement,
            signatures,
        })
    }

    /// A small text; the inner error is the reason why there is none.
    async fn text(
        &self,
        path: &str,
        largest: usize,
    ) -> Result<Result<String, SourceProblem>, Failure> {
        match self.site.small(path, largest as u64).await {
            Ok(bytes) => String::from_utf8(bytes)
                .map(Ok)
                .map_err(|_| Failure::finding(format!("`{}` is not text", self.site.shown(path)))),
            Err(problem) => Ok(Err(problem)),
        }
    }
}

fn parse(place: &str, text: &str) -> Result<Statement, Failure> {
    Statement::parse(text).map_err(|error| {
        Failure::finding(format!(
            "`{place}` is not a statement: {}",
            error_chain(&error)
        ))
        .help(
            "check the address of the site; if it is right, the site is damaged or altered: tell \
             its maintainers",
        )
    })
}

/// The failure for a missing or unreachable file of a site.
pub fn unreachable(problem: &SourceProblem) -> Failure {
    if problem.is_finding() {
        Failure::finding(absence(problem))
    } else {
        Failure::world(problem).help("run the same command again when the site answers")
    }
}

/// The site that contains a folder for pip.
fn above(folder: &Path) -> Option<Above> {
    let site = folder.parent()?;
    Above::of(folder.file_name()?.to_str()?, || Site::folder(site))
}

/// A problem as a sentence. It is unknown whether the file ever existed.
fn absence(problem: &SourceProblem) -> String {
    match problem {
        SourceProblem::Missing { place, reason } => format!("`{place}` is missing: {reason}"),
        _ => problem.to_string(),
    }
}

/// The failure for an address without a scheme, if no file has that name.
pub fn absent(name: &str) -> Option<Failure> {
    let host = name.split('/').next().unwrap_or_default();
    let has_port = host
        .rsplit_once(':')
        .is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let is_file = [".car", ".toml", ".sig"]
        .iter()
        .any(|end| name.ends_with(end));
    let is_domain =
        host.trim_start_matches('.').contains('.') && !host.starts_with('.') && !is_file;
    let url = (has_port || is_domain).then(|| Url::parse(&format!("https://{name}")).ok());
    let url = redacted(&url??);
    let failure = Failure::usage(
        "no file or folder has that name, and an address begins with `https://` or `http://`",
    );
    Some(failure.help(format!("if it is an address, write `{url}`")))
}

/// Whether a folder is a site, or one for pip in it: a site has folders of statements, and no
/// archive at its top.
pub fn is_site(folder: &Path) -> bool {
    if above(folder).is_some() && folder.is_dir() && folder.parent().is_some_and(is_site) {
        return true;
    }
    let has_archive = ArchiveKind::ALL
        .into_iter()
        .any(|kind| folder.join(car_name(kind)).exists());
    folder.join(STATEMENTS).is_dir() && !has_archive
}
