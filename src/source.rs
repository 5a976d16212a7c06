//! The only reader of the network and of wheel files: transports, index client, cache, limits.
