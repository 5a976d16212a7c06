//! The only reader of the network and of wheel files: transports, index client, cache, limits.
//!
//! ```text
//! WheelRequest ─► cache ─► sources, in order of preference ─► mirrors, by content-id
//!                   │              │ index (simple API) ─► URL      │
//!                   ▼              ▼                                ▼
//!              FetchedWheel ◄── verified ◄── one pass: file, SHA-256, UnixFS leaves
//! ```
//!
//! [`Fetcher`] is the entry point: it takes [`WheelRequest`]s and returns [`FetchedWheel`]s. Their
//! bytes agree with the declaration and are in the [`Cache`]. [`IndexClient`] reads the pages of an
//! index. [`IndexSearch`] finds the index to use.
//!
//! A source that lacks the bytes ([`SourceProblem::Missing`]) or has other bytes
//! ([`SourceProblem::Mismatch`]) is distinguished from one that failed to answer
//! ([`SourceProblem::Failed`]). The first two concern the declaration, the last one does not.
//!
//! Addresses are printed without credentials; see [`redacted`].

mod accounts;
mod address;
mod backoff;
mod blocks;
mod cache;
mod cache_error;
mod client;
mod client_error;
mod database;
mod discover;
mod download;
mod event;
mod facts;
mod fetch;
mod hosts;
mod index;
mod keyring;
mod limits;
mod local;
mod local_files;
mod metadata;
mod netrc;
mod once;
mod pace;
mod pip;
mod problem;
mod provenance;
mod ranges;
mod reach;
mod remote;
mod request;
mod secret;
pub(crate) mod service;
mod session;
mod sink;
mod site;
mod small;
mod touch;
mod transport;
mod user_settings;
mod verify;
mod workspace;

pub use address::redacted;
pub use blocks::dag_of_file;
pub use cache::{
    CACHE_LIMIT_VARIABLE, Cache, CachePart, CachedWheel, ClaimError, ClaimedCache, Pruned, Removed,
    configured_limit,
};
pub use cache_error::CacheError;
pub use client::{Client, ClientSettings};
pub use client_error::ClientError;
pub use database::{DatabaseError, DatabaseFiles};
pub use discover::{DiscoverError, IndexLocation, IndexOrigin, IndexSearch};
pub use event::{Event, FetchEvent, Observer, Work};
pub use fetch::{FetchSettings, Fetcher};
pub use index::{
    CoreMetadataFile, IndexClient, IndexFile, ProjectPage, ProjectStatus, StatusMarker,
};
pub use keyring::KeyringProvider;
pub use limits::{LARGEST_PAGE, LARGEST_WHEEL, Limits};
pub use local_files::LocalFiles;
pub use metadata::{MetadataError, MetadataOrigin, OtherMetadata, WheelMetadata};
pub use pace::{Pace, Received};
pub use problem::{FetchError, Mismatch, MismatchKind, SourceProblem};
pub use provenance::{NO_PUBLISHER, Provenance, Publisher, VERIFIER};
pub use remote::{GatewayBlocks, Transferred};
pub use request::{FetchedWheel, SourceLocation, SourceOutcome, WheelRequest};
pub use secret::{Secret, UnusableSecret};
pub use session::{Progress, Session, processors};
pub use site::{Receiver, Site};
pub use user_settings::{KEYRING_VARIABLE, configured_keyring};
