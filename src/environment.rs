//! Everything ambient: directories, streams, clock, variables, and files that appear whole or not at all.
