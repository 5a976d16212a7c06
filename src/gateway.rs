//! A read-only HTTP path gateway over a block store.
