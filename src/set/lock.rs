//! Lock files of the set, from which installers take exactly what a part of it needs: `pylock.toml`
//! (PEP 751), requirements and constraints.

mod asked;
mod closures;
mod comparison;
mod packages;
mod pylock;
mod requirements;

pub use asked::{asked, unmet};
pub use closures::{Closures, Group, Platforms, Root};
pub use comparison::{LockChange, lock_changes};
pub use packages::{LockError, LockedProject, LockedProjects, Part, ambiguous_extras};
pub use pylock::{Places, Pylock, WheelDigest, named};
pub use requirements::{constraints, requirements, uv_settings};
