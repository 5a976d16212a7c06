//! A place that may have a wheel.

use std::fmt;

use crate::source::address::Address;
use crate::source::request::SourceLocation;

/// A source to try.
pub(super) enum Place<'a> {
    Source(&'a SourceLocation),
    Mirror(Address),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Source(source) => source.fmt(formatter),
            Self::Mirror(address) => address.fmt(formatter),
        }
    }
}
