//! Python packaging, pure: names, versions, requirements, markers, tags, platforms, wheel file names, core metadata.
//!
//! Everything here is text in and values out; nothing can fail for a reason outside its arguments.
//! What a requirement or a marker *means* is decided here; of `pep440_rs` only the parsing and the
//! ordering of versions are used.

mod compatibility;
mod core_metadata;
mod marker;
mod name;
mod platform;
mod requirement;
mod specifier;
mod tag;
pub mod wheel;
mod wheel_file_name;

pub use compatibility::{InstallerClass, common_installer};
pub use core_metadata::{CoreMetadata, LegacyField};
pub use marker::{Marker, MarkerEnvironment, Truth, Variable};
pub use name::{ExtraName, InvalidName, ProjectName};
pub use pep440_rs::Version;
pub use platform::{Platform, PlatformError, SystemFamily, requires_python};
pub use requirement::{Constraint, Requirement, RequirementError};
pub use specifier::{
    SpecifierError, VersionSpecifiers, parse_specifiers, same_specifiers, specifiers_contain,
    specifiers_text,
};
pub use tag::{Tag, TagError};
pub use wheel_file_name::{WheelFileName, WheelFileNameError};
