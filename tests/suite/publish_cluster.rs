//! `ipwhl publish` to real peers of IPFS Cluster over real Kubo nodes.

use serde_json::Value;

use crate::publish_kubo::{installable_with, moved, second, settings, succeeded};
use crate::support::cluster::Peer;
use crate::support::nodes::Node;
use crate::support::serving::get;
use crate::support::workshop::Workshop;

/// What the cluster is told to pin.
fn allocation(peer: &Peer, root: &str) -> Value {
    let (head, body) = get(&format!("{}/allocations/{root}", peer.api), "");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn a_release_is_pinned_with_name_factors_and_metadata() {
    let Some(node) = Node::start() else {
        return;
    };
    let Some(peer) = Peer::start("alone", &node, None, &[]) else {
        return;
    };
    let target = format!(
        "[publish.cluster]\nkind = \"cluster\"\napi = \"{}\"\ngateway = \"{}\"\nreplication-min = 1\nreplication-max = 1\nmetadata = {{ team = \"packaging\" }}\n",
        peer.api, node.gateway
    );
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    settings(&workshop, &target);
    let first = workshop.build(&[]);
    let dry = succeeded(workshop.run(&["publish", "--dry-run"]));
    assert!(
        dry.output
            .contains(&format!("would pin {first} as `ipwhl/example/1`")),
        "{dry:?}"
    );
    let ran = succeeded(workshop.run(&["publish"]));
    let all = moved(&ran);
    ran.said("read back the root and 3 wheels");
    ran.said("1 of 1 peers say that they have it pinned: alone");
    let pin = allocation(&peer, &first);
    assert_eq!(pin["name"], "ipwhl/example/1");
    assert_eq!(pin["metadata"]["team"], "packaging");
    assert_eq!(pin["replication_factor_min"], 1);
    node.text(&["--offline", "dag", "stat", "--progress=false", &first]);

    succeeded(workshop.run(&["publish"])).said("had all of it");
    let root = second(&workshop, &target);
    let ran = succeeded(workshop.run(&["publish"]));
    assert!(moved(&ran) <= 12 && moved(&ran) * 2 < all + 12, "{ran:?}");
    assert_eq!(allocation(&peer, &root)["name"], "ipwhl/example/2");
}
