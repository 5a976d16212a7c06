//! What the cache keeps of a wheel, as JSON: it is refused, or it is facts that are written again
//! as they were.
#![no_main]

use ipwhl::set::gather::Facts;
use ipwhl_packaging::wheel::WheelMembers;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(facts) = serde_json::from_slice::<Facts>(bytes) {
        let written = serde_json::to_string(&facts).expect("facts are plain");
        assert_eq!(
            serde_json::from_str::<Facts>(&written).ok().as_ref(),
            Some(&facts)
        );
        assert_eq!(
            facts.dag.leaves().len() as u64,
            facts.dag.profile().leaf_count(facts.dag.size())
        );
        assert_eq!(facts.dag.link().cid, facts.dag.cid());
    }
    if let Ok(members) = serde_json::from_slice::<WheelMembers>(bytes) {
        let written = serde_json::to_string(&members).expect("facts are plain");
        assert_eq!(
            serde_json::from_str::<WheelMembers>(&written).ok().as_ref(),
            Some(&members)
        );
    }
});
