//! Releases whose word is taken for wheels that nobody looks at again.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use clap::Args;
use indicatif::HumanBytes;
use ipwhl_packaging::wheel::CHECKS_VERSION;
use ipwhl_packaging::{Platform, SystemFamily};
use ipwhl_unixfs::Profile;
use ipwhl_unixfs::car::{Blocks, CarError, FileReader};
use serde::Deserialize;

use super::super::archives::broken;
use super::super::context::Context;
use super::super::network::NetworkArguments;
use super::super::releases::{self, OpenRelease, Place};
use super::super::words::counted;
use crate::foundation::failure::{Failure, error_chain};
use crate::release::names::STATEMENT;
use crate::release::reader::Published;
use crate::release::reuse::{PlatformEntry, Recalled, Sought};
use crate::release::statement::{SignedStatement, located, read_statement};
use crate::release::trust::{policy, refusal};
use crate::set::check::NEED_ARCHIVE;
use crate::set::declaration::{DeclaredWheel, Layout};
use crate::set::repository::Repository;
use crate::source::Cache;

/// Which releases are reused, and who vouches for them.
#[derive(Debug, Args)]
pub(super) struct ReuseArguments {
    /// Take over what a release says of unchanged wheels, several times: an archive, a root CID, an address
    /// `<gateway>/ipfs/<root CID>/`
    #[arg(long = "reuse", value_name = "RELEASE")]
    releases: Vec<String>,
    /// A statement that vouches for such a release, several times: a file or an address [default: `--previous`, or the one
    /// beside the archive]
    #[arg(
        long = "reuse-statement",
        value_name = "STATEMENT",
        requires = "releases"
    )]
    statements: Vec<String>,
    /// Accept releases that no trusted key has signed
    #[arg(long, requires = "releases")]
    reuse_unsigned: bool,
}

/// A release that is reused: somebody vouches for it.
pub(super) struct Reusable {
    pub(super) release: OpenRelease,
    reused: Cell<usize>,
    copied: Cell<usize>,
}

/// What `release.json` says of findings that were let pass.
#[derive(Deserialize)]
struct About {
    #[serde(default)]
    severity: BTreeMap<String, String>,
    #[serde(default)]
    waivers: Vec<Waived>,
    #[serde(default)]
    platforms: Vec<PlatformEntry>,
}

#[derive(Deserialize)]
struct Waived {
    code: String,
    project: String,
}

/// Opens the releases that are to be reused, and finds out who vouches for each.
pub(super) fn reusable(
    context: &Context<'_>,
    repository: &Repository,
    arguments: &ReuseArguments,
    network: &NetworkArguments,
    previous: Option<&SignedStatement>,
) -> Result<Vec<Reusable>, Failure> {
    if arguments.releases.is_empty() {
        return Ok(Vec::new());
    }
    let configuration = &repository.configuration;
    if configuration.layout == Layout::Ipwhl1 {
        return Err(Failure::usage(
            "a release in the layout `ipwhl-1` has no pages, so there is nothing of it to reuse",
        )
        .help("leave `--reuse` out; `ipwhl migrate` makes a repository with pages"));
    }
    let named = arguments
        .statements
        .iter()
        .map(|location| {
            let option = "--reuse-statement";
            located(
                &context.session,
                configuration,
                option,
                location,
                network.offline,
            )
        })
        .collect::<Result<Vec<SignedStatement>, Failure>>()?;
    let known: Vec<&SignedStatement> = previous.into_iter().chain(&named).collect();
    let open = |text: &String| {
        let release = releases::named(context, configuration, network, text)?;
        match vouched(context, repository, &release, &known) {
            Ok(()) => {}
            Err(reason) if arguments.reuse_unsigned => context.warning(&format!(
                "nothing vouches for {}: {reason}; whoever gave `--reuse-unsigned` answers for it",
                release.shown
            )),
            Err(reason) => {
                return Err(Failure::finding(format!(
                    "{} is not reused, since nothing vouches for it: {reason}",
                    release.shown
                ))
                .help("name a statement that `trusted` keys have signed, with `--reuse-statement`, or answer for the release yourself with `--reuse-unsigned`"));
            }
        }
        Ok(Reusable {
            release,
            reused: Cell::new(0),
            copied: Cell::new(0),
        })
    };
    arguments.releases.iter().map(open).collect()
}

/// Whether a statement vouches for a release: one of `known`, or the one beside its archive. If not, why, as half a
/// sentence.
fn vouched(
    context: &Context<'_>,
    repository: &Repository,
    release: &OpenRelease,
    known: &[&SignedStatement],
) -> Result<(), String> {
    let beside = match &release.place {
        Place::Archive { path, .. } => Some(path.with_file_name(STATEMENT)),
        Place::Gateways(_) => None,
    };
    let beside = beside.filter(|path| path.is_file());
    let beside = beside
        .map(|path| read_statement(&path))
        .transpose()
        .map_err(|failure| failure.message)?;
    let mut reason = None;
    let statements = known.iter().copied().chain(&beside);
    for signed in statements.filter(|signed| signed.statement.root == release.root) {
        match holds(context, repository, signed) {
            Ok(()) => return Ok(()),
            Err(other) => reason = reason.or(Some(other)),
        }
    }
    Err(reason.unwrap_or_else(|| format!("there is no statement of the root {}", release.root)))
}

/// Whether the repository's keys stand behind a statement, now, and its checks are as strict as those of today.
fn holds(
    context: &Context<'_>,
    repository: &Repository,
    signed: &SignedStatement,
) -> Result<(), String> {
    let now = context.session.now();
    let statement = &signed.statement;
    let what = format!("its statement, sequence {},", statement.sequence);
    let policy = policy(&repository.configuration).map_err(|failure| failure.message)?;
    let policy = policy.ok_or("`[signing]` of `ipwhl.toml` names no `trusted` key")?;
    let verdict = policy.evaluate(signed.text.as_bytes(), &signed.signatures, now);
    if !verdict.is_reached() {
        return Err(refusal(&what, signed, &verdict).message);
    }
    if statement.is_expired(now) {
        return Err(format!("{what} has expired"));
    }
    match statement.checks {
        Some(checks) if checks >= CHECKS_VERSION => Ok(()),
        Some(checks) => Err(format!(
            "its wheels have passed version {checks} of the checks, and those of this program are version {CHECKS_VERSION}"
        )),
        None => Err(format!(
            "{what} does not say which checks its wheels have passed: an older program made it, or `--allow` let some findings pass"
        )),
    }
}

/// What the releases say of these wheels, a value for each. The first that has a wheel is believed; one that cannot be
/// read is passed over.
pub(super) fn recall(
    context: &Context<'_>,
    releases: &[Reusable],
    wheels: &[&DeclaredWheel],
    profile: Profile,
    platforms: &[Platform],
) -> Result<Vec<Option<Recalled>>, Failure> {
    let mut recalled: Vec<Option<Recalled>> = wheels.iter().map(|_| None).collect();
    for one in releases {
        let left: Vec<usize> = (0..wheels.len())
            .filter(|position| recalled[*position].is_none())
            .collect();
        if left.is_empty() {
            break;
        }
        let before = left.len();
        let mut found = |position: usize, what| recalled[left[position]] = Some(what);
        let looked = one.look(context, wheels, &left, profile, platforms, &mut found);
        let lacking = recalled.iter().filter(|recalled| recalled.is_none());
        one.reused.set(one.reused.get() + before - lacking.count());
        match looked {
            Ok(()) => {}
            Err(error @ (CarError::Tree { .. } | CarError::Node(_))) => {
                return Err(Failure::finding(format!(
                    "{} is no release that can be reused: {}",
                    one.release.shown,
                    error_chain(&error)
                ))
                .help("leave it out of `--reuse`, and tell whoever made it"));
            }
            Err(error) => context.warning(&format!(
                "{} cannot be read, and what it was to say is looked for elsewhere: {}",
                one.release.shown,
                reason(&error)
            )),
        }
    }
    Ok(recalled)
}

/// Why a block cannot be had, in words that fit an archive as well as a gateway.
pub(super) fn reason(error: &CarError) -> String {
    match error {
        CarError::Missing(cid) => format!("block {cid} is not there"),
        CarError::Io(error) => error_chain(error),
        other => error_chain(other),
    }
}

impl Reusable {
    fn look(
        &self,
        context: &Context<'_>,
        wheels: &[&DeclaredWheel],
        left: &[usize],
        profile: Profile,
        platforms: &[Platform],
        found: &mut dyn FnMut(usize, Recalled),
    ) -> Result<(), CarError> {
        let release = &self.release;
        let published = Published::open(release.blocks(), &release.root)?;
        let Some(about) = published.about()? else {
            return Err(CarError::Tree {
                cid: release.root,
                reason: "has no pages to read".to_owned(),
            });
        };
        let about: About = serde_json::from_slice(&about).map_err(|error| CarError::Tree {
            cid: release.root,
            reason: format!("has no `release.json` that can be read: {error}"),
        })?;
        let needs_archive = |code: &str| NEED_ARCHIVE.iter().any(|other| other.as_str() == code);
        let softened = about.severity.iter();
        let mut softened = softened.filter(|(code, rule)| needs_archive(code) && *rule != "error");
        if let Some((code, _)) = softened.next() {
            context.warning(&format!(
                "{} does not count `{code}` as an error, and only the wheels can tell: nothing of it is reused",
                release.shown
            ));
            return Ok(());
        }
        // What somebody answered for then, nobody may answer for now: such a wheel is looked at.
        let is_waived = |project: &str| {
            let mut waivers = about.waivers.iter();
            waivers.any(|waiver| needs_archive(&waiver.code) && waiver.project == project)
        };
        // Names that are one place on some systems were looked for on the release's platforms only.
        let checked: Vec<Platform> = about
            .platforms
            .iter()
            .filter_map(PlatformEntry::platform)
            .collect();
        let kept: Vec<usize> = (0..left.len())
            .filter(|position| {
                let wheel = wheels[left[*position]];
                !is_waived(wheel.file_name.name().as_str())
                    && families(wheel, platforms).is_subset(&families(wheel, &checked))
            })
            .collect();
        let sought: Vec<Sought<'_>> = kept
            .iter()
            .map(|position| wheels[left[*position]])
            .map(|wheel| Sought {
                project: wheel.file_name.name().as_str(),
                file_name: wheel.file_name.as_str(),
                content_id: wheel.content_id.value,
            })
            .collect();
        published.recall(&sought, profile, &mut |position, recalled| {
            found(kept[position], recalled);
        })
    }

    /// Puts those of these wheels into the cache that are whole in the release's archive: there they are nearest. They
    /// are looked at like any other wheel.
    pub(super) fn supply(&self, cache: &Cache, wheels: &[&DeclaredWheel]) -> Result<(), Failure> {
        let Place::Archive { reader, .. } = &self.release.place else {
            return Ok(());
        };
        for wheel in wheels {
            let cid = wheel.content_id.value;
            if !reader.contains(&cid) || cache.open_wheel(&cid).is_some() {
                continue;
            }
            // A hollow archive has the root of a wheel and no more; what is damaged is had elsewhere.
            let Ok(mut bytes) = FileReader::open(&**reader, &cid) else {
                continue;
            };
            let taken = cache.take_wheel(&cid, bytes.size(), &mut bytes);
            if taken.map_err(|error| Failure::caused(&error))? {
                self.copied.set(self.copied.get() + 1);
            }
        }
        Ok(())
    }

    /// Says what was reused, and what it cost.
    pub(super) fn tell(&self, context: &Context<'_>) {
        let transferred = self.release.transferred();
        let network = match &self.release.place {
            Place::Archive { .. } => String::new(),
            Place::Gateways(_) => format!(
                ": {}, {} over the network",
                counted(
                    usize::try_from(transferred.blocks).unwrap_or(usize::MAX),
                    "block"
                ),
                HumanBytes(transferred.bytes)
            ),
        };
        context.say(&format!(
            "reused {} of {}{network}",
            counted(self.reused.get(), "wheel"),
            self.release.shown
        ));
        if self.copied.get() > 0 {
            context.say(&format!(
                "copied {} out of {}",
                counted(self.copied.get(), "wheel"),
                self.release.shown
            ));
        }
    }
}

/// The kinds of systems, among these platforms, on which a wheel is installed and names are not
/// compared byte by byte.
fn families(wheel: &DeclaredWheel, platforms: &[Platform]) -> BTreeSet<SystemFamily> {
    platforms
        .iter()
        .filter(|platform| platform.family() != SystemFamily::Linux && wheel.fits(platform))
        .map(Platform::family)
        .collect()
}

/// What is wrong with a release that has to be read.
pub(super) fn unreadable(release: &OpenRelease, error: &CarError) -> Failure {
    match &release.place {
        Place::Archive { path, .. } => broken(path, error),
        Place::Gateways(_) => Failure::world(format!(
            "{} cannot be read: {}",
            release.shown,
            reason(error)
        ))
        .help("run the same command again, or name an archive"),
    }
}

/// The archive of a release beside a file, if there is one.
pub(super) fn archive_beside(file: &Path) -> Option<std::path::PathBuf> {
    use crate::release::archive::Extent;
    let extents = [Extent::Full, Extent::Hollow].into_iter();
    extents
        .map(|extent| file.with_file_name(crate::release::archive::car_name(extent)))
        .find(|path| path.is_file())
}
