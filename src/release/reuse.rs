//! What a release that somebody vouches for says of wheels and of its repository, so that neither
//! is fetched again.

mod releases;
mod repository;
mod wheels;

pub use releases::{ReusableRelease, ReuseNotice, reuse};
pub use repository::EmbeddedRepository;
pub use wheels::WheelKey;
