//! `ipwhl build`: makes a signed release with one root CID from declarations.

// An import circle: the parts of a build read its arguments, which stand beside its run.
mod folder;
mod part;
mod reuse;
mod vouch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use ipwhl_unixfs::{Cid, Profile};

use super::allow::{AllowArguments, warn_unrecorded};
use super::context::Context;
use super::exit::ExitStatus;
use super::network::NetworkArguments;
use super::report::{MessageFormat, count, show, show_failures, show_rejected};
use super::values::profiles;
use super::words::counted;
use crate::foundation::environment::AtomicFile;
use crate::foundation::failure::Failure;
use crate::foundation::size::HumanBytes;
use crate::publish::{
    ArchiveContents, PublishError, check_place, commit, statement_in, tree_place, write_car,
    write_tree,
};
use crate::release::archive::ArchiveKind;
use crate::release::archive::car_name;
use crate::release::names::STATEMENT;
use crate::release::reuse::{ReusableRelease, reuse as reuse_facts};
use crate::release::tree::{Release, ReleaseInput};
use crate::release::trust::check_unsigned;
use crate::set::check;
use crate::set::declaration::DeclaredWheel;
use crate::set::gather::{Gathering, ReleaseFacts, Want, WheelReport, all_wheels};
use crate::set::judgement::{has_errors, judge};
use crate::set::repository::Repository;
use crate::source::Cache;
use folder::output_folder;
use part::{check_kind, part};
use reuse::{ReuseArguments, reusable};
use vouch::{Preparation, finish_cut_run, prepare, vouch};

/// What finds out what is known of a declared wheel.
type Known<'f> = dyn Fn(&DeclaredWheel) -> Option<ReleaseFacts<'f>> + Sync + 'f;

/// Build a signed release with one root CID
///
/// Fetches and verifies every declared wheel, checks the set, and writes `release.car`,
/// `release.toml` and `release.toml.sig`. The root CID is the only line on standard output. `--car
/// delta` and `--car hollow` write `release.delta.car` or `release.hollow.car` instead of the full
/// archive. `--reuse` skips wheels that an earlier release has with the same file name and
/// content-id.
///
/// The new statement follows the one in the output folder, or that of `--previous`, and has the
/// next sequence number. If the root is unchanged, no new statement is signed.
///
/// Example: ipwhl build --expires 180d
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The folder to write the release to
    #[arg(long, value_name = "DIR", default_value = "release")]
    output: PathBuf,
    /// Also write the tree as files
    #[arg(long, value_name = "DIR")]
    tree: Option<PathBuf>,
    /// Which blocks the archive contains; `ipwhl fill` completes a delta or a hollow archive
    #[arg(long, value_name = "EXTENT", default_value = "full")]
    car: ArchiveKind,
    /// The previous release, for `--car delta`: an archive, a root CID or a URL [default: the
    /// archive beside the previous statement, else the release of `--reuse`]
    #[arg(long, value_name = "RELEASE")]
    previous_car: Option<String>,
    #[command(flatten)]
    reuse: ReuseArguments,
    /// The UnixFS import parameters [default: the repository's]
    #[arg(long, value_name = "PROFILE", value_parser = profiles())]
    profile: Option<Profile>,
    /// The key to sign with: its file, or its public key if an agent has the private key [default:
    /// `IPWHL_SIGNING_KEY`, else your own key]
    #[arg(long, value_name = "KEY", conflicts_with = "unsigned")]
    key: Option<PathBuf>,
    /// Write no statement; refused in the folder of a signed release
    #[arg(long, conflicts_with_all = ["expires", "previous", "renew", "after_expiry"])]
    unsigned: bool,
    /// How long the statement is valid, as in `180d`
    #[arg(long, value_name = "TIME")]
    expires: Option<String>,
    /// If the root is unchanged, sign a new statement only if the previous one expires within this
    /// time, as in `30d`
    #[arg(
        long,
        value_name = "TIME",
        requires = "expires",
        conflicts_with = "renew"
    )]
    renew_within: Option<String>,
    /// The previous statement: a file or a URL [default: `release.toml` in the output folder, which
    /// must be signed with a trusted key or your own]
    #[arg(long, value_name = "STATEMENT")]
    previous: Option<String>,
    /// Sign a new statement even if the root is unchanged
    #[arg(long)]
    renew: bool,
    /// Follow the previous statement even if it has expired
    #[arg(long)]
    after_expiry: bool,
    /// Print the root CID and write nothing
    #[arg(long, conflicts_with_all = ["tree", "car", "previous_car", "key", "unsigned", "expires", "previous", "renew", "after_expiry"])]
    root_only: bool,
    /// The output format of findings; formats for programs use standard output, and the root CID
    /// then goes to standard error
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    message_format: MessageFormat,
    #[command(flatten)]
    allow: AllowArguments,
    #[command(flatten)]
    network: NetworkArguments,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let mut repository = context.repository()?;
    arguments.allow.apply(&mut repository);
    let folder = output_folder(context, &repository, &arguments.output)?;
    let tree = arguments
        .tree
        .as_ref()
        .map(|tree| tree_place(&context.absolute(tree), &[&repository.directory, &folder]))
        .transpose()
        .map_err(|error| unpublished(&error))?;
    // Mistakes in texts and in the graph are told before a byte is fetched.
    let mut findings = check::repository(&repository);
    let today = context.session.today();
    let judged = |findings, report: &_| judge(&repository, findings, report, today, "");
    let early = judged(findings.clone(), &WheelReport::default());
    if has_errors(&early) {
        show(context, &repository, &early, arguments.message_format)?;
        return Ok(refuse(context, &early));
    }
    if !arguments.root_only {
        finish_cut_run(context, arguments, &folder)?;
        check_kind(&repository, arguments.car, &folder)?;
    }
    let before = statement_in(&folder);
    if arguments.unsigned {
        check_unsigned(&context.session, &folder)?;
    }
    let mut preparation = if arguments.unsigned || arguments.root_only {
        None
    } else {
        Some(prepare(context, &repository, arguments, &folder)?)
    };
    let previous = preparation.as_ref().and_then(Preparation::previous);
    let reusable = reusable(
        context,
        &repository,
        &arguments.reuse,
        &arguments.network,
        previous,
    )?;
    let previous = previous.map(|signed| signed.statement.root);
    let part = part(
        context,
        &repository,
        arguments,
        &folder,
        previous,
        &reusable,
    )?;
    let build = Build {
        context,
        repository: &repository,
        arguments,
        profile: arguments
            .profile
            .unwrap_or(repository.configuration.profile),
        part,
        reusable,
        folder,
        before,
        tree,
    };
    let gathered = build.gather()?;
    findings.extend(check::wheels(
        &repository,
        &all_wheels(&repository),
        &gathered,
    ));
    let findings = judged(findings, &gathered);
    show(context, &repository, &findings, arguments.message_format)?;
    show_failures(context, &gathered.failures);
    if !gathered.failures.is_empty() {
        return Ok(ExitStatus::World);
    }
    if has_errors(&findings) {
        return Ok(refuse(context, &findings));
    }
    warn_unrecorded(context, &repository, &findings);
    if let Some(preparation) = &mut preparation {
        preparation.note(&repository, &findings);
    }
    let root = if arguments.root_only {
        build
            .release(&|wheel| gathered.release_facts(wheel))?
            .link()
            .cid
    } else {
        build.write(gathered, preparation)?
    };
    for release in &build.reusable {
        reuse::tell(context, release);
    }
    if arguments.message_format == MessageFormat::Text {
        context.result(&root.to_string())?;
    } else {
        context.tell(&format!("the root CID is {root}"));
    }
    Ok(ExitStatus::Clean)
}

fn refuse(
    context: &Context<'_>,
    findings: &[crate::foundation::diagnostic::Finding],
) -> ExitStatus {
    let words = count(findings).unwrap_or_default();
    context.error(&format!("nothing was built: {words}"));
    ExitStatus::Findings
}

/// Why a release was not written, with the way out.
fn unpublished(error: &PublishError) -> Failure {
    match error {
        PublishError::Occupied(..) => Failure::usage(error)
            .help("name a folder that does not exist, is empty, or contains an earlier tree"),
        _ if error.is_full_disk() => {
            Failure::caused(error).help("make room and run the same command again")
        }
        _ => Failure::caused(error),
    }
}

/// Why a release does not get its name.
fn uncommitted(error: &PublishError, folder: &Path) -> Failure {
    let statement = folder.join(STATEMENT);
    match error {
        PublishError::Occupied(..) => Failure::usage(error)
            .help("name another folder with `--output`, or move that archive away"),
        PublishError::Changed(_) => Failure::caused(error).help("run the same command again"),
        _ if !statement.exists() && AtomicFile::is_begun(&statement) => {
            Failure::caused(error).help("run the same command again: it finishes this build")
        }
        _ => unpublished(error),
    }
}

/// One build, as it was asked for.
struct Build<'b> {
    context: &'b Context<'b>,
    repository: &'b Repository,
    arguments: &'b Arguments,
    profile: Profile,
    /// What of the release goes into its archive.
    part: ArchiveContents,
    /// The releases whose word is taken for wheels.
    reusable: Vec<ReusableRelease>,
    /// Where the release goes.
    folder: PathBuf,
    /// The statement that was there when this build began.
    before: Option<Vec<u8>>,
    /// Where its tree goes, if it is wanted.
    tree: Option<PathBuf>,
}

impl Build<'_> {
    /// The facts of all wheels, and the bytes of those whose leaves are written somewhere.
    fn gather(&self) -> Result<WheelReport, Failure> {
        let (written, others): (Vec<_>, Vec<_>) = all_wheels(self.repository)
            .into_iter()
            .partition(|wheel| self.needs_bytes(wheel));
        let platforms = &self.repository.configuration.platforms;
        let reused = |wheels: &[&DeclaredWheel]| {
            reuse_facts(
                &self.reusable,
                wheels,
                self.profile,
                platforms,
                &mut |notice| self.context.warning(&notice.to_string()),
            )
        };
        let gathering = Gathering {
            session: &self.context.session,
            repository: self.repository,
            network: &self.arguments.network.network(),
            profile: self.profile,
            reuse: Some(&reused),
        };
        let gather = |wheels: &[&DeclaredWheel], want| {
            let report = gathering.gather(wheels, want)?;
            show_rejected(self.context, &report);
            Ok::<_, Failure>(report)
        };
        for release in &self.reusable {
            release.supply(&self.context.session.cache()?, &written)?;
        }
        let mut gathered = gather(&written, Want::Bytes)?;
        if !others.is_empty() {
            gathered.extend(gather(&others, Want::Facts)?);
        }
        Ok(gathered)
    }

    fn needs_bytes(&self, wheel: &DeclaredWheel) -> bool {
        if self.arguments.root_only {
            return false;
        }
        self.tree.is_some()
            || match &self.part {
                ArchiveContents::Full => true,
                ArchiveContents::Delta(known) => !known.contains(&wheel.content_id.value),
                ArchiveContents::Hollow => false,
            }
    }

    fn release<'f>(&'f self, facts: &'f Known<'f>) -> Result<Release<'f>, Failure> {
        Release::new(ReleaseInput {
            repository: self.repository,
            profile: self.profile,
            facts,
        })
        .map_err(|error| Failure::caused(&error))
    }

    /// Writes the release; wheels that turn out to be damaged in the cache are fetched again.
    fn write(
        &self,
        mut gathered: WheelReport,
        preparation: Option<Preparation>,
    ) -> Result<Cid, Failure> {
        let cache = self.context.session.cache()?;
        let mut damaged = BTreeSet::new();
        loop {
            let facts = |wheel: &DeclaredWheel| gathered.release_facts(wheel);
            let release = self.release(&facts)?;
            let written = write_car(&release, &self.part, &cache, &self.folder).and_then(|car| {
                if let Some(tree) = &self.tree {
                    write_tree(&release, &cache, tree)?;
                }
                Ok(car)
            });
            match written {
                Ok((car, summary)) => {
                    let root = release.link().cid;
                    let kind = self.part.kind();
                    let before = self.before.as_deref();
                    // Nothing is signed that could not be put there.
                    check_place(kind, root, &self.folder, before)
                        .map_err(|error| uncommitted(&error, &self.folder))?;
                    let vouching = match preparation {
                        Some(preparation) => vouch(
                            self.context,
                            self.repository,
                            preparation,
                            root,
                            &self.folder,
                        )?,
                        None => None,
                    };
                    commit(car, kind, root, &self.folder, before, vouching.as_ref())
                        .map_err(|error| uncommitted(&error, &self.folder))?;
                    self.context.say(&format!(
                        "wrote {}: {}, {} blocks, {}",
                        self.context.shown(&self.folder.join(car_name(kind))),
                        counted(self.repository.declarations.len(), "project"),
                        summary.blocks,
                        HumanBytes(summary.bytes)
                    ));
                    return Ok(root);
                }
                Err(PublishError::DamagedWheel(wheel)) => {
                    let damage = PublishError::DamagedWheel(wheel.clone());
                    cache.forget(&wheel.content_id.value);
                    if !damaged.insert(wheel.content_id.value) {
                        return Err(Failure::caused(&damage).help("run the same command again"));
                    }
                    self.context
                        .warning(&format!("{damage}; fetching it again"));
                    gathered = self.gather_again(&cache)?;
                }
                Err(error) => return Err(unpublished(&error)),
            }
        }
    }

    /// One damaged file is seldom alone: each that has changed is hashed again, and forgotten where
    /// it is not the wheel any more.
    fn gather_again(&self, cache: &Cache) -> Result<WheelReport, Failure> {
        let wheels = self.repository.declarations.values();
        for declared in wheels.flat_map(|declaration| &declaration.wheels) {
            cache.wheel(&declared.content_id.value);
        }
        let gathered = self.gather()?;
        show_failures(self.context, &gathered.failures);
        let wheels = all_wheels(self.repository);
        let findings = check::wheels(self.repository, &wheels, &gathered);
        if gathered.failures.is_empty() && findings.is_empty() {
            Ok(gathered)
        } else {
            Err(
                Failure::world("wheels that were damaged in the cache could not be fetched again")
                    .help("`ipwhl check --wheels` shows the reasons"),
            )
        }
    }
}
