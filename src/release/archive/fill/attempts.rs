//! The reasons why blocks were not found.

use std::collections::BTreeMap;

use ipwhl_unixfs::Cid;

/// For each block, the reasons why the places lacked it, as clauses.
pub type Attempts = BTreeMap<Cid, Vec<String>>;

/// Records the reason why a place lacked a block, once.
pub(super) fn record(attempts: &mut Attempts, cid: Cid, reason: String) {
    let reasons = attempts.entry(cid).or_default();
    if !reasons.contains(&reason) {
        reasons.push(reason);
    }
}
