//! The whole test suite as one binary: a module per command and per format.
