//! The names of a release's files: in its tree (FORMATS 4), and on disk (FORMATS 7).

/// A page of the tree for people, and for installers that read HTML.
pub const HTML: &str = "index.html";
/// The same page as JSON.
pub const JSON: &str = "index.v1_json";
/// The ending that METADATA beside a wheel adds to the wheel's name.
pub const METADATA: &str = ".metadata";
/// The ending of a wheel's name.
pub const WHEEL: &str = ".whl";
/// A declaration, in the folder of its project.
pub const DECLARATION: &str = "declaration.toml";
/// A lock file of the tree (PEP 751): of the whole set at the top, or of one project in its folder.
pub const LOCK: &str = "pylock.toml";
/// The folder of the tree with facts about the release itself.
pub const RELEASE_FOLDER: &str = "_ipwhl";
/// The description of the release, in that folder.
pub const RELEASE_FILE: &str = "release.json";

/// The full archive.
pub const CAR: &str = "release.car";
/// The archive of the blocks that the previous release lacks.
pub const DELTA_CAR: &str = "release.delta.car";
/// The archive without the leaves of wheels.
pub const HOLLOW_CAR: &str = "release.hollow.car";
/// The statement; the names of its signatures begin with this name.
pub const STATEMENT: &str = "release.toml";
/// The list of the tree's files, with their sizes and digests.
pub const FILE_LIST: &str = "release.files";
