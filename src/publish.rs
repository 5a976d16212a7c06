//! Publishes a release: as files, as a tree of files, and to the targets of `[publish.NAME]`.
//!
//! Files appear atomically; see [`crate::foundation::environment::AtomicFile`]. A [`Target`]
//! reports the release that it holds (`plan`), receives the missing blocks (`carry_out`), and is
//! read back (`read_back`).

mod amount;
mod build;
mod bundle;
mod check;
mod cluster;
mod commit;
mod contents;
mod context;
mod cut_run;
mod directory;
mod dnslink;
mod error;
mod files;
mod follow;
mod git;
mod history;
mod ipns;
mod kubo;
mod opening;
mod output;
mod pinning_service;
mod pins;
mod place;
mod publication;
mod published_release;
mod rate_limit;
mod read;
mod repair;
mod request;
mod run;
mod site;
mod status;
mod target;
mod tree;
mod upload;
mod whole_folder;

pub use amount::Amount;
pub use build::{Build, BuildEvent, WrittenRelease};
pub use bundle::{
    BundleContradiction, BundleDescription, BundleError, BundleFile, BundlePlan, BundleReport,
    DescriptionError, WrittenBundle, bundle_place, bundle_statement, is_bundle, verify_bundle,
    write_bundle,
};
pub use commit::{commit, statement_in};
pub use contents::{ContentsRequest, check_kind};
pub use cut_run::Writer;
pub use error::PublishError;
pub use files::{ArchiveContents, write_car};
pub use history::History;
pub use opening::{Opening, chosen_targets};
pub use output::{build_folder, fetch_folder};
pub use place::TargetPlace;
pub use publication::{Publication, Sample};
pub use published_release::PublishedRelease;
pub use rate_limit::RateLimit;
pub use repair::RepairBlocks;
pub use request::{PublicationNotice, PublicationRequest};
pub use run::{Event, Observer, Open, PublishRun, TargetOutcome, TargetState, gather_history};
pub use site::{
    ALTERED, AssembledBlocks, FetchedArchive, FileCheck, FileList, FoundWheel, HollowArchive,
    HollowError, ListError, ListedFile, ReleaseFile, SiteContradiction, SiteFetch, SiteFetchEvent,
    SiteReport, begin_archive, check_file, forget_wheels, has_release, read_hollow, release_files,
    verify_site,
};
pub use status::{HoldingState, ReleaseStatus, TargetStatus, status};
pub use target::{
    CheckOrder, Checked, Damage, DamageKind, Done, Plan, ReadBack, Report, Step, Target, Work,
};
pub use tree::tree_place;
