//! Puts releases where they are wanted: files.
