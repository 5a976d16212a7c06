//! Declarations: TOML with spans to a valid declaration and findings, and back.
