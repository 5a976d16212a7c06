//! `ipwhl.toml`, the declarations beside it, platforms and waivers.

mod canonical;
mod configuration;
mod files;
mod folders;
mod load;
mod load_error;
mod names;
mod offered;
mod own_folder;
mod owner;
mod platforms;
mod revision;
mod schema;
mod supported;
mod texts;
mod walk;

pub use canonical::{CanonicalForm, DeclarationFile};
pub use configuration::{
    AuditSettings, ClusterTarget, Configuration, DatabasePlace, DirectoryTarget, DnslinkTarget,
    GitTarget, IpnsTarget, KuboTarget, PinningServiceTarget, PublishKind, PublishTarget,
    SeverityRule, Waiver, Withdrawal, Withdrawn,
};
pub use folders::Folders;
pub use load::{Repository, find, presumed_project};
pub use load_error::LoadError;
pub use names::{CONFIGURATION_FILE, ORIGINAL_FOLDER};
pub use own_folder::OwnFolder;
pub(crate) use platforms::covers_name;
pub use platforms::{covers_platform, summarize_platforms};
pub use revision::{Changes, Revision, RevisionError, disguises, tracked};
pub use schema::{CONFIGURATION_SCHEMA_FILE, configuration_schema};
pub(crate) use schema::{SeverityRules, WaivableCode};
pub use supported::SUPPORTED_FILE;
