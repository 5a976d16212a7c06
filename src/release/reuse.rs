//! What a release that somebody vouches for says of wheels and of its repository, so that neither
//! is fetched again.

mod carried;
mod recall;

pub use carried::Carried;
pub use recall::{Recalled, Sought};
