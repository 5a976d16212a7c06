//! The names of a release's files: those of its tree (FORMATS 4), and those that it is kept in
//! (FORMATS 7).

/// A page of the tree for people, and for installers that read HTML.
pub const HTML: &str = "index.html";
/// The same page as JSON.
pub const JSON: &str = "index.v1_json";
/// What the name of a wheel's METADATA adds to the wheel's.
pub const METADATA: &str = ".metadata";
/// How a wheel's name ends.
pub const WHEEL: &str = ".whl";
/// A declaration, in the folder of its project.
pub const DECLARATION: &str = "declaration.toml";
/// The folder of the tree that is about the release itself.
pub const RELEASE_FOLDER: &str = "_ipwhl";
/// What the release is, in that folder.
pub const RELEASE_FILE: &str = "release.json";

/// The full archive.
pub const CAR: &str = "release.car";
/// The archive of what the release before lacks.
pub const DELTA_CAR: &str = "release.delta.car";
/// The archive without the leaves of wheels.
pub const HOLLOW_CAR: &str = "release.hollow.car";
/// The statement; the names of its signatures begin with it.
pub const STATEMENT: &str = "release.toml";
/// The list of the tree's files, with their sizes and digests.
pub const FILE_LIST: &str = "release.files";
