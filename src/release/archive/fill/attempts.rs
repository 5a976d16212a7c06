//! Why blocks were not found.

use std::collections::BTreeMap;

use ipwhl_unixfs::Cid;

/// Why each place did not have a block, as half a sentence each.
pub type Attempts = BTreeMap<Cid, Vec<String>>;

/// Records why a place did not have a block, once.
pub(super) fn record(attempts: &mut Attempts, cid: Cid, reason: String) {
    let reasons = attempts.entry(cid).or_default();
    if !reasons.contains(&reason) {
        reasons.push(reason);
    }
}
