//! Two releases on two nodes and two peers of a cluster: what is moved, what is stored, what pip
//! installs, and from where.

use std::collections::BTreeSet;
use std::fs::{self, File};

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::CarReader;

use crate::clients::Pip;
use crate::publish_kubo::{installable_with, moved, succeeded};
use crate::reuse::{forget, key, trusted};
use crate::support::cluster::Peer;
use crate::support::cutting_proxy::{Cut, CuttingProxy};
use crate::support::nodes::Node;
use crate::support::workshop::Workshop;

/// What the requests themselves take, besides blocks.
const REQUESTS: usize = 32 << 10;

fn cids(workshop: &Workshop, archive: &str) -> BTreeSet<Cid> {
    let file = File::open(workshop.path(archive)).unwrap();
    CarReader::open(file).unwrap().cids().into_iter().collect()
}

/// How often a node has each block of these.
#[track_caller]
fn has_each_once(node: &Node, cids: &BTreeSet<Cid>) {
    let all = node.text(&["refs", "local"]);
    let digests: Vec<_> = all
        .lines()
        .filter_map(|line| line.parse::<Cid>().ok())
        .map(|cid| *cid.digest().as_bytes())
        .collect();
    for cid in cids {
        let count = digests
            .iter()
            .filter(|digest| **digest == *cid.digest().as_bytes())
            .count();
        assert_eq!(count, 1, "{cid}");
    }
}

#[test]
fn two_releases_share_what_they_have_in_common_and_either_node_is_enough() {
    let (mut one, two) = (Node::start(), Node::start());
    let pip = Pip::new();
    one.connect(&two);
    let alpha = Peer::start("alpha", &one, None, &[]);
    let beta = Peer::start("beta", &two, Some(&alpha), &[]);
    let workshop = Workshop::with(&installable_with("2.1.post1").configuration(&trusted()));
    fs::write(workshop.path("key"), key(1).to_openssh().unwrap()).unwrap();
    let plain = fs::read_to_string(workshop.repository().join("ipwhl.toml")).unwrap();
    let publish = |release: &str| {
        // Every byte to the node and to the cluster is counted on its way.
        let node = CuttingProxy::start(&one.api, Cut::Never);
        let cluster = CuttingProxy::start(&alpha.api, Cut::Never);
        let targets = format!(
            "{plain}\n[publish.node]\nkind = \"kubo\"\napi = \"{}\"\ngateway \
             = \"{}\"\n\n[publish.cluster]\nkind = \"cluster\"\napi = \"{}\"\ngateway \
             = \"{}\"\nreplication-min = 2\nreplication-max = 2\n",
            node.url, one.gateway, cluster.url, one.gateway
        );
        fs::write(workshop.repository().join("ipwhl.toml"), targets).unwrap();
        let ran = succeeded(workshop.run(&["publish", "--release", release]));
        ran.said("cluster: 2 of 2 peers report it as pinned: alpha, beta");
        (ran, node.sent(), cluster.sent())
    };

    let first = workshop.build(&["--key", "../key"]);
    let (ran, sent, to_cluster) = publish("release");
    let all = fs::metadata(workshop.release("release.car")).unwrap().len();
    let blocks = cids(&workshop, "repository/release/release.car");
    assert_eq!(moved(&ran), blocks.len() as u64);
    assert!(
        sent <= usize::try_from(all).unwrap() + REQUESTS,
        "{sent} of {all}"
    );
    assert!(to_cluster <= REQUESTS, "{to_cluster}");

    // One declaration is changed. Nothing is left of the first build but its statement; the rest is
    // read through Kubo.
    for name in ["release.toml", "release.toml.sig"] {
        fs::copy(workshop.release(name), workshop.path(name)).unwrap();
    }
    fs::remove_dir_all(workshop.repository().join("release")).unwrap();
    workshop.write_over(&installable_with("2.2").configuration(&trusted()));
    forget(&workshop, "library-2.2");
    let previous = workshop.path("release.toml");
    let previous = previous.to_str().unwrap();
    let gateway = CuttingProxy::start(&one.gateway, Cut::Never);
    let address = format!("{}/ipfs/{first}/", gateway.url);
    let root = workshop.build(&[
        "--car",
        "delta",
        "--output",
        "../next",
        "--key",
        "../key",
        "--previous",
        previous,
        "--reuse",
        &address,
        "--reuse-statement",
        previous,
    ]);
    // What the runner reads, and then what it publishes: the delta, and nothing of what is there.
    let read = gateway.received();
    assert!(read * 10 < usize::try_from(all).unwrap(), "{read} of {all}");
    let part = workshop.path("next/release.delta.car");
    let part = part.to_str().unwrap();
    let delta = fs::metadata(part).unwrap().len();
    let new = cids(&workshop, "next/release.delta.car");
    let (ran, sent, to_cluster) = publish("../next");
    assert_eq!(moved(&ran), new.len() as u64);
    let delta = usize::try_from(delta).unwrap();
    assert!(sent <= delta + REQUESTS, "{sent} for {delta}");
    assert!(to_cluster <= REQUESTS, "{to_cluster}");
    assert!(sent * 10 < usize::try_from(all).unwrap(), "{sent} of {all}");

    // What both have is stored once, on both nodes.
    succeeded(workshop.run(&["fill", part, "--from", &one.gateway]));
    let mut together = blocks.clone();
    together.extend(&new);
    let shared = cids(&workshop, "next/release.car")
        .intersection(&blocks)
        .count();
    assert!(shared > 10, "{shared}");
    for node in [&one, &two] {
        has_each_once(node, &together);
        for root in [&first, &root] {
            node.text(&["--offline", "dag", "stat", "--progress=false", root]);
        }
    }

    let install = |node: &Node, root: &str, version: &str| {
        let index = format!("{}/ipfs/{root}/", node.gateway);
        pip.install(&index, &["--force-reinstall", "application", "library"]);
        assert_eq!(
            pip.python("import library; print(library.version)"),
            version
        );
    };
    install(&one, &first, "2.1.post1");
    install(&one, &root, "2.2");
    one.stop();
    install(&two, &first, "2.1.post1");
    install(&two, &root, "2.2");
    drop(beta);
}
