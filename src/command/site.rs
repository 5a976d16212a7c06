//! Sites: statements and releases as files, at an address or in a folder (FORMATS 9).

use std::path::Path;

use tokio::runtime::Runtime;
use url::Url;

use super::context::Context;
use super::exit::{Failure, chain};
use super::network::runtime;
use super::releases;
use crate::car::Extent;
use crate::publish::{HollowError, STATEMENT, STATEMENTS, car_name, statement_path};
use crate::signature::{
    MAXIMUM_SIGNATURE_SIZE, MAXIMUM_STATEMENT_SIZE, PublicKey, SignatureFile, SignedStatement,
    Statement,
};
use crate::source::{Client, ClientSettings, Limits, Site, SourceProblem};

/// A site, and what asks it.
pub(super) struct OpenSite {
    pub(super) site: Site,
    pub(super) runtime: Runtime,
}

/// The newest statement of a site.
pub(super) struct Newest {
    pub(super) signed: SignedStatement,
    /// What it is called.
    pub(super) place: String,
    /// Whether the site has a folder for each statement.
    pub(super) has_folders: bool,
}

impl OpenSite {
    /// The site at an address, which is that of its folder or of the `release.toml` there.
    pub(super) fn at(context: &Context<'_>, address: &str) -> Result<Self, Failure> {
        let refused = |reason: &str| {
            // It may hold a password, so it is not repeated.
            Failure::usage(format!("the address {reason}")).help(
                "name the folder that has `release.toml`, as in `https://example.org/`, or that file",
            )
        };
        let mut url = Url::parse(address).map_err(|error| refused(&format!("is none: {error}")))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(refused("does not begin with `https://`"));
        }
        url.set_query(None);
        url.set_fragment(None);
        let path = url.path().to_owned();
        if path.rsplit('.').next() == Some("car") {
            return Err(refused("is an archive's"));
        }
        if let Some(folder) = path
            .strip_suffix(STATEMENT)
            .filter(|rest| rest.ends_with('/'))
        {
            url.set_path(folder);
        }
        let variables = |name: &str| context.environment.variable(name).map(ToOwned::to_owned);
        let settings = ClientSettings::from_variables(&variables, Limits::of_sites());
        let client = Client::new(&settings).map_err(|error| Failure::caused(&error))?;
        Ok(Self {
            site: Site::web(client, url),
            runtime: runtime()?,
        })
    }

    /// The site in a folder.
    pub(super) fn folder(path: &Path) -> Result<Self, Failure> {
        Ok(Self {
            site: Site::folder(path),
            runtime: runtime()?,
        })
    }

    /// The newest statement. Its signatures are those in its own folder, which does not change, where the site has folders;
    /// beside further signers, whose keys are `keys` or those that it names, the first signer's is asked for.
    pub(super) fn newest(&self, keys: &[PublicKey]) -> Result<Newest, Failure> {
        self.runtime.block_on(async {
            let place = self.site.shown(STATEMENT);
            let text = self.text(STATEMENT, MAXIMUM_STATEMENT_SIZE).await;
            let text = text?.map_err(|problem| unreachable(&problem))?;
            let statement = parse(&place, &text)?;
            let own = statement_path(statement.sequence, STATEMENT);
            let (beside, has_folders) = match self.text(&own, MAXIMUM_STATEMENT_SIZE).await? {
                Ok(same) if same == text => (own, true),
                Ok(_) => {
                    return Err(Failure::finding(format!(
                        "`{}` is another statement than `{place}`, of the same sequence",
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
    pub(super) fn after(
        &self,
        known: Option<&Statement>,
        last: &Statement,
    ) -> Result<Option<(String, SignedStatement)>, Failure> {
        let Some(known) = known else { return Ok(None) };
        let sequence = known.sequence.saturating_add(1);
        if sequence >= last.sequence {
            return Ok(None);
        }
        let path = statement_path(sequence, STATEMENT);
        let place = self.site.shown(&path);
        let keys: Vec<PublicKey> = known.trusted.iter().map(|one| one.key.clone()).collect();
        self.runtime.block_on(async {
            let text = match self.text(&path, MAXIMUM_STATEMENT_SIZE).await? {
                Ok(text) => text,
                Err(SourceProblem::Missing { .. }) => {
                    return Err(Failure::finding(format!(
                        "sequence {} cannot be followed to {}: `{place}` is not there",
                        known.sequence, last.sequence
                    ))
                    .help("name whom you trust yourself: `--allowed-signers FILE`"));
                }
                Err(problem) => return Err(unreachable(&problem)),
            };
            let signed = self.signed(&path, &place, text, &keys).await?;
            Ok(Some((place, signed)))
        })
    }

    /// A statement with the signatures beside a file.
    async fn signed(
        &self,
        beside: &str,
        place: &str,
        text: String,
        keys: &[PublicKey],
    ) -> Result<SignedStatement, Failure> {
        let statement = parse(place, &text)?;
        // A site lists no folders. Who signs one statement has mostly signed the one before.
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

    /// A small text; in the inner result why there is none.
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
        Failure::finding(format!("`{place}` is not a statement: {}", chain(&error)))
    })
}

/// That a file of a site is not there, or cannot be had.
pub(super) fn unreachable(problem: &SourceProblem) -> Failure {
    if problem.is_finding() {
        Failure::finding(problem)
    } else {
        Failure::world(problem)
    }
}

/// That the hollow archive of a site's release was not had.
pub(super) fn no_hollow(error: &HollowError) -> Failure {
    match error {
        HollowError::Source(problem) => unreachable(problem),
        HollowError::Refused { .. } => Failure::finding(error),
    }
}

/// Whether a text is an address, and none of a release on a gateway.
pub(super) fn is_address(context: &Context<'_>, text: &str) -> bool {
    text.contains("://") && !matches!(releases::name(context, text), Ok(Some(_)))
}

/// Whether a folder is a site: it has folders of statements, and no archive at its top.
pub(super) fn is_site(folder: &Path) -> bool {
    let has_archive = Extent::ALL
        .into_iter()
        .any(|extent| folder.join(car_name(extent)).exists());
    folder.join(STATEMENTS).is_dir() && !has_archive
}
