//! Python packaging, as its specifications have it: names, versions, requirements, markers, tags,
//! platforms, core metadata and the archives of wheels.
//!
//! Pure: text and bytes in, values out. The crate uses no network, no clock and no interpreter. A
//! marker is evaluated for any [`Platform`], not only the current one, and may stay
//! [`Truth::Unknown`]. `pep440_rs` parses and orders versions; the semantics of requirements and
//! markers are implemented here.
//!
//! # A marker on a platform
//!
//! ```
//! use ipwhl_packaging::{Marker, MarkerEnvironment, Platform, Requirement, Truth};
//!
//! let platform: Platform = "cp312-manylinux_2_28_x86_64".parse()?;
//! let environment = MarkerEnvironment::for_platform(&platform);
//!
//! let requirement: Requirement = "colorama>=0.4; sys_platform == 'win32'".parse()?;
//! let marker = requirement.marker.expect("there is one");
//! assert_eq!(marker.evaluate(&environment, None), Truth::False);
//!
//! // A platform does not say which kernel runs.
//! let marker: Marker = "platform_release >= '6.1'".parse()?;
//! assert_eq!(marker.evaluate(&environment, None), Truth::Unknown);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Whether a wheel fits a platform
//!
//! ```
//! use ipwhl_packaging::{Platform, WheelFileName};
//!
//! let wheel: WheelFileName = "numpy-2.1.0-cp312-cp312-manylinux_2_17_x86_64.whl".parse()?;
//! let fits = |platform: &str| -> Result<bool, Box<dyn std::error::Error>> {
//!     let platform: Platform = platform.parse()?;
//!     Ok(wheel.tags().iter().any(|tag| platform.accepts(tag)))
//! };
//! assert!(fits("cp312-manylinux_2_28_x86_64")?);
//! assert!(!fits("cp311-manylinux_2_28_x86_64")?);
//! assert!(!fits("cp312-win_amd64")?);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # METADATA
//!
//! ```
//! use ipwhl_packaging::{CoreMetadata, specifiers_contain};
//!
//! let metadata = CoreMetadata::parse(
//!     b"Metadata-Version: 2.1\nName: Zope.Interface\nVersion: 7.0\n\
//!       Requires-Python: >=3.9\nRequires-Dist: colorama>=0.4\n",
//! )
//! .expect("nothing is wrong with it");
//! assert_eq!(metadata.project.as_str(), "zope-interface");
//! assert_eq!(metadata.requires_dist[0].name.as_str(), "colorama");
//! let supported = metadata.requires_python.expect("it is given");
//! assert!(specifiers_contain(&supported, &"3.12.1".parse()?));
//!
//! // All that is wrong is said, a sentence each.
//! let errors = CoreMetadata::parse(b"Name: -\n").unwrap_err();
//! assert!(errors.len() > 1);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The archive of a wheel
//!
//! [`wheel::inspect()`](wheel::inspect()) reads every byte of a wheel once. Problems are returned
//! as values.
//!
//! ```
//! use std::io::{Cursor, Write as _};
//!
//! use ipwhl_packaging::wheel::{Limits, ProblemKind, inspect};
//! use zip::write::{SimpleFileOptions, ZipWriter};
//!
//! let metadata = "Metadata-Version: 2.1\nName: example\nVersion: 1.0\n";
//! let wheel_file = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
//! // It should list every file.
//! let record = "example-1.0.dist-info/RECORD,,\n";
//!
//! let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
//! for (name, text) in [
//!     ("example.py", "x = 1\n"),
//!     ("example-1.0.dist-info/METADATA", metadata),
//!     ("example-1.0.dist-info/WHEEL", wheel_file),
//!     ("example-1.0.dist-info/RECORD", record),
//! ] {
//!     archive.start_file(name, SimpleFileOptions::default())?;
//!     archive.write_all(text.as_bytes())?;
//! }
//! let mut wheel = archive.finish()?;
//!
//! let facts = inspect(&mut wheel, &Limits::default())?;
//! assert_eq!(facts.dist_info, "example-1.0");
//! assert_eq!(facts.wheel_tags, ["py3-none-any"]);
//! assert_eq!(facts.names.packages, ["example"]);
//! assert_eq!(facts.problems.len(), 3);
//! for problem in &facts.problems {
//!     assert_eq!(problem.kind, ProblemKind::RecordMismatch);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

// Bottom up: names and versions, types made of them, metadata, wheels.
mod name;
mod specifier;
mod tag;
mod wheel_file_name;

mod compatibility;
mod platform;

mod marker;
mod requirement;
mod requirement_error;

mod core_metadata;
pub mod wheel;

pub use compatibility::{InstallerClass, common_installer};
pub use core_metadata::{AboutFields, CoreMetadata, LegacyField};
pub use marker::{Marker, MarkerEnvironment, SelectedMarker, Truth, Variable};
pub use name::{ExtraName, GroupName, InvalidName, ProjectName};
pub use pep440_rs::Version;
pub use platform::{Platform, PlatformError, SystemFamily, requires_python};
pub use requirement::{Constraint, Requirement};
pub use requirement_error::RequirementError;
pub use specifier::{
    SpecifierError, VersionSpecifiers, parse_specifiers, same_specifiers, specifiers_contain,
    specifiers_text,
};
pub use tag::{Tag, TagError};
pub use wheel_file_name::{WheelFileName, WheelFileNameError};

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
