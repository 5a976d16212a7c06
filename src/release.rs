//! The release tree as named entries: index pages in both formats, metadata files. Pure.
