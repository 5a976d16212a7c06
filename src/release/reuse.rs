//! Reuses the facts about wheels and the repository in a signed release, so that neither is fetched
//! again.

mod releases;
mod repository;
mod wheels;

pub use releases::{ReusableRelease, ReuseNotice, reuse};
pub use repository::EmbeddedRepository;
pub use wheels::WheelKey;
