//! Symbolic links.

use super::{Link, Profile, Sha256Digest, encode};

/// A symbolic link as `ipfs add -r` keeps it: its link and its block.
pub fn symlink(profile: Profile, target: &str) -> (Link, Vec<u8>) {
    let block = encode::symlink_node(target);
    let link = Link {
        cid: profile.node_cid(Sha256Digest::of(&block)),
        cumulative_size: block.len() as u64,
    };
    (link, block)
}
