//! `ipwhl.toml`, the declarations beside it, platforms and waivers.
