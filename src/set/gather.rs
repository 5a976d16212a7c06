//! From declared wheels to what is known of them.

mod facts;

pub use facts::{Essentials, Facts};
