//! Lock files of the set (PEP 751), from which installers take exactly what a part of it needs.

mod closures;
mod pylock;

pub use closures::{Closures, Platforms, Root};
pub use pylock::{LockError, Part, Places, Pylock, WheelDigest};
