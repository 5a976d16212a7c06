# What people type often. `just` lists it; each recipe is a line that works without `just`, too.

_default:
    @just --list --unsorted

# Check formatting and lints, as CI does
lint:
    cargo fmt --check
    cargo clippy --locked --all-targets -- -D warnings

# Run the tests; words select some of them
test *words:
    cargo test {{ words }}

# Build the project's own set into `release/`
build:
    cargo run -- build

# Write generated files anew: schemas, docs/findings.md, snapshots of messages and help
regenerate:
    IPWHL_REGENERATE=1 INSTA_UPDATE=always cargo test --test suite

# Measure against the peers
bench *rows:
    ci/bench {{ rows }}

# Fuzz one target for some seconds
fuzz target seconds="60":
    ci/fuzz {{ seconds }} {{ target }}

# Make what is released: archive, wheel, image
dist:
    ci/dist

# Everything that CI does
ci:
    .ci/run
