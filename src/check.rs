//! One file a check, and the graph that they share.
