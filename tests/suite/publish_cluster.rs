//! `ipwhl publish` to real peers of IPFS Cluster over real Kubo nodes.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::publish_kubo::{installable_with, moved, second, settings, succeeded};
use crate::support::cluster::Peer;
use crate::support::cutting_proxy::{Cut, CuttingProxy};
use crate::support::http::get;
use crate::support::nodes::Node;
use crate::support::workshop::{Ran, Workshop};

/// What the cluster is told to pin.
fn allocation(peer: &Peer, root: &str) -> Value {
    let (head, body) = get(&format!("{}/allocations/{root}", peer.api), "");
    assert!(head.starts_with("http/1.1 200"), "{head}");
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn a_release_is_pinned_with_name_factors_and_metadata() {
    let node = Node::start();
    let peer = Peer::start("alone", &node, None, &[]);
    let target = format!(
        "[publish.cluster]\nkind = \"cluster\"\napi = \"{}\"\ngateway = \"{}\"\nreplication-min = \
         1\nreplication-max = 1\nmetadata = {{ team = \"packaging\" }}\n",
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
    ran.said("1 of 1 peers report it as pinned: alone");
    let pin = allocation(&peer, &first);
    assert_eq!(pin["name"], "ipwhl/example/1");
    assert_eq!(pin["metadata"]["team"], "packaging");
    assert_eq!(pin["replication_factor_min"], 1);
    node.text(&["--offline", "dag", "stat", "--progress=false", &first]);

    succeeded(workshop.run(&["publish"])).said("already has the whole release");
    let root = second(&workshop, &target);
    let ran = succeeded(workshop.run(&["publish"]));
    assert!(moved(&ran) <= 12 && moved(&ran) * 2 < all + 12, "{ran:?}");
    assert_eq!(allocation(&peer, &root)["name"], "ipwhl/example/2");
}

#[test]
fn a_peer_that_has_not_pinned_is_named() {
    let (one, mut two) = (Node::start(), Node::start());
    one.connect(&two);
    let alpha = Peer::start("alpha", &one, None, &[]);
    let beta = Peer::start("beta", &two, Some(&alpha), &[]);
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    let plain = fs::read_to_string(workshop.repository().join("ipwhl.toml")).unwrap();
    workshop.build(&[]);
    let target = |more: &str| {
        let target = format!(
            "{plain}\n[publish.cluster]\nkind = \"cluster\"\napi = \"{}\"\n{more}\n",
            alpha.api
        );
        fs::write(workshop.repository().join("ipwhl.toml"), target).unwrap();
    };
    target("replication-min = 1\nreplication-max = 2");
    let ran = succeeded(workshop.run(&["publish"]));
    ran.said("2 of 2 peers report it as pinned: alpha, beta");
    ran.said("nothing is read back, because no `gateway`");
    two.stop();
    // Where one is enough, the other one is mentioned.
    let ran = succeeded(workshop.run(&["publish"]));
    ran.said("1 of 2 peers have pinned it, but not: `beta` (");
    target("replication-min = \"all\"\nreplication-max = \"all\"");
    let ran = workshop.run(&["publish"]);
    ran.refused(
        3,
        &[
            "1 of the 2 required peers have ",
            "`beta` (",
            "connection refused",
            "`ipwhl publish cluster` continues this run",
        ],
    );
    drop(beta);
}

#[test]
fn a_peer_that_has_given_up_is_asked_to_try_again() {
    let (one, two) = (Node::start(), Node::start());
    // The second node reaches nobody who has the blocks, and its peer soon gives up.
    let everybody = "/ip4/127.0.0.0/ipcidr/8";
    two.text(&["swarm", "filters", "add", everybody]);
    let alone = [("CLUSTER_IPFSHTTP_PINTIMEOUT", "2s")];
    let alpha = Peer::start("alpha", &one, None, &alone);
    let _beta = Peer::start("beta", &two, Some(&alpha), &alone);
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    settings(
        &workshop,
        &format!(
            "[publish.node]\nkind = \"kubo\"\napi = \"{}\"\n\n[publish.cluster]\nkind \
             = \"cluster\"\napi = \"{}\"\ngateway = \"{}\"\nreplication-min \
             = \"all\"\nreplication-max = \"all\"\n",
            one.api, alpha.api, one.gateway
        ),
    );
    let root = workshop.build(&[]);
    let ran = workshop.run(&["publish"]);
    ran.refused(3, &["1 of the 2 required peers", "`beta` (pin_error: "]);
    two.text(&["swarm", "filters", "rm", everybody]);
    one.connect(&two);
    let ran = succeeded(workshop.run(&["publish"]));
    ran.said("cluster: asked `beta` to try again");
    ran.said("2 of 2 peers report it as pinned");
    two.text(&["--offline", "dag", "stat", "--progress=false", &root]);
}

#[test]
fn a_cluster_lets_in_who_has_its_password_and_nobody_reads_it() {
    let node = Node::start();
    let users = [(
        "CLUSTER_RESTAPI_BASICAUTHCREDENTIALS",
        "publisher:sw0rdfish",
    )];
    let peer = Peer::start("alone", &node, None, &users);
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    settings(
        &workshop,
        &format!(
            "[publish.the-cluster]\nkind = \"cluster\"\napi = \"{}\"",
            peer.api
        ),
    );
    workshop.build(&[]);
    let publish = |pair: Option<&str>| {
        let mut command = workshop.command(&["publish", "-v"]);
        command.envs(pair.map(|pair| ("IPWHL_PUBLISH_THE_CLUSTER_BASIC", pair)));
        let ran = Ran::of(&command.output().unwrap());
        assert!(!format!("{ran:?}").contains("sw0rdfish"), "{ran:?}");
        ran
    };
    publish(None).refused(
        3,
        &["401", "set `IPWHL_PUBLISH_THE_CLUSTER_TOKEN`", "`…_BASIC`"],
    );
    publish(Some("publisher:sw0rdfish-"))
        .refused(3, &["401", "check that the secret in the environment"]);
    succeeded(publish(Some("publisher:sw0rdfish"))).said("1 of 1 peers report");
}

#[test]
fn a_run_that_is_cut_anywhere_is_completed_by_the_next_one() {
    let mut node = Node::start();
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    let path = workshop.repository().join("ipwhl.toml");
    let plain = fs::read_to_string(&path).unwrap();
    let root = workshop.build(&[]);
    // The pins, the upload, the pin, what is wanted of it, the peers.
    for cut in [
        Cut::Before(2),
        Cut::Bytes(2_000_000),
        Cut::After(2),
        Cut::Before(3),
        Cut::After(3),
        Cut::Before(4),
        Cut::After(5),
    ] {
        node.stop();
        node = Node::start();
        let peer = Peer::start("alone", &node, None, &[]);
        let publish = |api: &str| {
            let target =
                format!("{plain}\n[publish.cluster]\nkind = \"cluster\"\napi = \"{api}\"\n");
            fs::write(&path, target).unwrap();
            let mut command = workshop.command(&["publish"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        };
        let proxy = CuttingProxy::start(&peer.api, cut);
        let was_cut = proxy.cuts(publish(&proxy.url));
        assert!(was_cut, "{cut:?}: {} requests", proxy.requests());
        succeeded(Ran::of(&publish(&peer.api).wait_with_output().unwrap()));
        assert_eq!(
            allocation(&peer, &root)["name"],
            "ipwhl/example/1",
            "{cut:?}"
        );
        let (_, pins) = get(
            &format!("{}/allocations?filter=pin", peer.api),
            "Accept: application/json\r\n",
        );
        let pins = String::from_utf8(pins).unwrap();
        assert_eq!(pins.matches("\"cid\"").count(), 1, "{cut:?}: {pins}");
        node.text(&["--offline", "dag", "stat", "--progress=false", &root]);
    }
}

#[test]
fn the_pinning_service_of_a_cluster_is_one() {
    let node = Node::start();
    let peer = Peer::start("alone", &node, None, &[]);
    let target = format!(
        "[publish.node]\nkind = \"kubo\"\napi = \"{}\"\n[publish.service]\nkind \
         = \"pinning-service\"\nholders = []\nendpoint = \"{}\"\ngateway = \"{}\"\n",
        node.api, peer.pinning_service, node.gateway
    );
    let workshop = Workshop::with(&installable_with("2.1.post1"));
    settings(&workshop, &target);
    let first = workshop.build(&[]);
    let ran = succeeded(workshop.run(&["publish"]));
    ran.said("service: asked for a pin of");
    let pin = allocation(&peer, &first);
    assert_eq!(pin["name"], "ipwhl/example");
    assert_eq!(pin["metadata"]["sequence"], "1");
    let root = second(&workshop, &target);
    succeeded(workshop.run(&["publish"]));
    assert_eq!(allocation(&peer, &root)["metadata"]["sequence"], "2");
    let again = succeeded(workshop.run(&["publish"]));
    assert!(!again.error.contains("asked for"), "{}", again.error);
}

/// The old pin goes when the new one is there: what takes a pin's place in one step may end without
/// any.
#[test]
fn a_pin_at_the_cluster_s_pinning_service_is_replaced_at_each_first_try() {
    let (one, two) = (Node::start(), Node::start());
    two.connect(&one);
    let peer = Peer::start("alone", &two, None, &[]);
    let workshop = Workshop::with(&installable_with("2.0"));
    let target = format!(
        "[publish.node]\nkind = \"kubo\"\napi = \"{}\"\n\n[publish.service]\nkind \
         = \"pinning-service\"\nendpoint = \"{}\"\ngateway = \"{}\"\n",
        one.api, peer.pinning_service, two.gateway
    );
    settings(&workshop, &target);
    let configuration = fs::read(workshop.repository().join("ipwhl.toml")).unwrap();
    let pinned = || -> Vec<String> {
        let pins = two.pins().into_iter();
        pins.map(|(cid, _)| cid).collect()
    };
    let mut before: Option<String> = None;
    for round in 0..8 {
        workshop.write_over(&installable_with(&format!("2.{round}")));
        fs::write(workshop.repository().join("ipwhl.toml"), &configuration).unwrap();
        let root = workshop.build(&[]);
        let ran = succeeded(workshop.run(&["publish"]));
        ran.said(&format!("service: {root} is pinned"));
        ran.said("service: read back the root and 3 wheels");
        assert!(pinned().contains(&root), "{round}: {ran:?}");
        if let Some(before) = before.replace(root) {
            ran.said(&format!("service: removed the older pin of {before}"));
            let (_, allocations) = get(&format!("{}/allocations", peer.api), "");
            assert!(!String::from_utf8(allocations).unwrap().contains(&before));
        }
    }
}

#[test]
fn a_cluster_whose_gateway_is_down_is_named_with_its_cause() {
    let node = Node::start();
    let peer = Peer::start("alone", &node, None, &[]);
    let workshop = Workshop::with(&installable_with("2.0"));
    settings(
        &workshop,
        &format!(
            "[publish.cluster]\nkind = \"cluster\"\napi = \"{}\"\ngateway = \"{}\"\n",
            peer.api,
            crate::support::http::closed()
        ),
    );
    workshop.build(&[]);
    workshop.run(&["publish"]).refused(
        3,
        &[
            "cluster: the gateway cannot be asked for blocks: http://127.0.0.1:",
            "no connection: ",
            "refused",
            "check that it is running at this address",
            "`ipwhl publish cluster` continues this run",
        ],
    );
}
