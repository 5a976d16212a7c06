//! `ipwhl publish` to targets that lead to a release, or fetch it by themselves: they follow when
//! another one holds it.

use std::fs;

use crate::publish_kubo::{installable_with, settings, succeeded};
use crate::reuse::{key, trusted};
use crate::support::cluster::Peer;
use crate::support::http;
use crate::support::nodes::Node;
use crate::support::pinning_service::PinningService;
use crate::support::workshop::{Ran, Workshop};

const TOKEN: &str = "t0ken";

fn workshop(targets: &str) -> Workshop {
    let workshop = Workshop::with(&installable_with("2.0").configuration(&trusted()));
    fs::write(workshop.path("key"), key(1).to_openssh().unwrap()).unwrap();
    settings(&workshop, targets);
    workshop.build(&["--key", "../key"]);
    workshop
}

fn publish(workshop: &Workshop, arguments: &[&str]) -> Ran {
    let mut command = workshop.command(&[&["publish", "--key", "../key"], arguments].concat());
    command.env("IPWHL_PUBLISH_SERVICE_TOKEN", TOKEN);
    Ran::of(&command.output().unwrap())
}

fn pointers(service: &PinningService) -> String {
    format!(
        "[publish.name]\nkind = \"ipns\"\nfile = \"../record\"\n\n[publish.service]\nkind \
         = \"pinning-service\"\nendpoint = \"{}\"\n",
        service.url
    )
}

#[test]
fn nothing_leads_to_a_release_whose_blocks_have_not_arrived() {
    let service = PinningService::start(TOKEN);
    // What should not be asked for would be there at once.
    service.becomes(&[("pinned", ""); 4]);
    // The node is down. Its table stands last, and its turn is first.
    let node = format!(
        "[publish.node]\nkind = \"kubo\"\napi = \"{}\"\n",
        http::closed()
    );
    let workshop = workshop(&format!("{}\n{node}", pointers(&service)));
    let ran = publish(&workshop, &[]);
    ran.refused(
        3,
        &[
            "node: no connection to ",
            "service: it is not changed, because no other target is proved to hold the release: \
             `node` has failed",
            "name: it is not changed",
            "3 targets failed: `ipwhl publish --key ../key node name service` continues this run",
        ],
    );
    assert!(service.pins().is_empty());
    assert!(!workshop.path("record").exists());
    // A part of them leads to nothing either.
    let ran = publish(&workshop, &["name"]);
    ran.refused(3, &["name: it is not changed", "`node`: no connection to"]);
    assert!(!workshop.path("record").exists());
}

#[test]
fn names_and_services_follow_a_node_that_has_it() {
    let service = PinningService::start(TOKEN);
    let node = Node::start();
    let target = format!("[publish.node]\nkind = \"kubo\"\napi = \"{}\"\n", node.api);
    let workshop = workshop(&format!("{}\n{target}", pointers(&service)));
    service.becomes(&[("pinned", "")]);
    // Before the node has it, the name alone is not set; afterwards it is, though the node is not
    // named.
    publish(&workshop, &["name"]).refused(3, &["`node`: it does not have the release yet"]);
    succeeded(publish(&workshop, &["node"]));
    let ran = succeeded(publish(&workshop, &["name"]));
    assert!(ran.output.contains("/ipns/k51"), "{ran:?}");
    let ran = succeeded(publish(&workshop, &[]));
    let turns = |word: &str| {
        ran.error
            .find(word)
            .unwrap_or_else(|| panic!("no `{word}` in {ran:?}"))
    };
    assert!(turns("node: ") < turns("service: asked for a pin"));
    assert_eq!(service.pins().len(), 1);
    assert!(workshop.path("record").exists());
}

#[test]
fn who_holds_a_release_can_be_named_and_be_elsewhere() {
    let workshop = workshop("[publish.name]\nkind = \"ipns\"\nfile = \"../record\"\n");
    let configuration = workshop.repository().join("ipwhl.toml");
    let plain = fs::read_to_string(&configuration).unwrap();
    publish(&workshop, &[]).refused(
        1,
        &[
            "no target of this repository could hold the release for a `ipns` target",
            "`holders = []` means that the release is held elsewhere",
        ],
    );
    // A folder has no blocks, unless somebody says that it is enough.
    let site = "[publish.site]\nkind = \"directory\"\npath = \"../site\"\n";
    fs::write(&configuration, format!("{plain}\n{site}")).unwrap();
    publish(&workshop, &[]).refused(1, &["no target of this repository could hold"]);
    assert!(!workshop.path("site").exists());
    fs::write(
        &configuration,
        format!("{plain}holders = [\"site\"]\n{site}"),
    )
    .unwrap();
    let ran = succeeded(publish(&workshop, &[]));
    assert!(ran.output.contains("/ipns/k51"), "{ran:?}");
    fs::remove_file(workshop.path("record")).unwrap();
    fs::write(&configuration, format!("{plain}holders = []\n")).unwrap();
    succeeded(publish(&workshop, &[]));

    // Names of nothing, and of what holds nothing.
    for (holders, words) in [
        (
            "[\"sit\"]",
            &["no target is called `sit`", "did you mean `site`?"][..],
        ),
        (
            "[\"name\"]",
            &[
                "`name` is of the kind `ipns`, and a holder must have the blocks or files of a release",
            ],
        ),
        ("\"site\"", &["holders"]),
    ] {
        fs::write(
            &configuration,
            format!("{plain}holders = {holders}\n{site}"),
        )
        .unwrap();
        let ran = publish(&workshop, &[]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        for word in words {
            ran.said(word);
        }
    }
}

/// A node of a cluster is given blocks, and the cluster pins and unpins there.
#[test]
fn a_node_of_a_cluster_is_pinned_by_the_cluster_alone() {
    let node = Node::start();
    let peer = Peer::start("alone", &node, None, &[]);
    let cluster = |keep: &str| {
        format!(
            "[publish.cluster]\nkind = \"cluster\"\napi = \"{}\"\ngateway = \"{}\"\n{keep}",
            peer.api, node.gateway
        )
    };
    // Both would keep two, each on its own.
    let target = format!(
        "[publish.node]\nkind = \"kubo\"\napi = \"{}\"\ngateway = \"{0}\"\nmfs \
         = \"/releases/latest\"\nkeep = 2\n\n{}",
        node.api,
        cluster("keep = 2\n")
    );
    let target = target.replace(&format!("gateway = \"{}\"\nmfs", node.api), "mfs");
    let workshop = workshop(&target);
    let configuration = fs::read_to_string(workshop.repository().join("ipwhl.toml")).unwrap();
    let shown = || node.text(&["files", "stat", "--hash", "/releases/latest"]);
    let mut roots = Vec::new();
    for version in ["2.0", "2.1", "2.2", "2.3"] {
        if version != "2.0" {
            workshop.write_over(&installable_with(version));
            fs::write(workshop.repository().join("ipwhl.toml"), &configuration).unwrap();
        }
        roots.push(workshop.build(&["--key", "../key"]));
        let ran = succeeded(publish(&workshop, &[]));
        ran.said("node: the node belongs to `cluster`, which pins and unpins there");
        assert!(!ran.error.contains("node: pinned"), "{ran:?}");
        ran.said("`keep` is not used here; that of `cluster` applies");
        assert_eq!(&shown(), roots.last().unwrap());
    }
    // What is kept is what the cluster keeps, on the node as in the cluster.
    let pinned: Vec<String> = node.pins().into_iter().map(|(cid, _)| cid).collect();
    for (index, root) in roots.iter().enumerate() {
        assert_eq!(pinned.contains(root), index >= 2, "{index}: {pinned:?}");
    }
    let (_, allocations) = http::get(&format!("{}/allocations", peer.api), "");
    let allocations = String::from_utf8(allocations).unwrap();
    assert!(!allocations.contains(&roots[1]) && allocations.contains(&roots[2]));
    // Recovery has nothing to bring back.
    let recovered = http::post(&format!("{}/pins/recover", peer.api));
    let pinned: Vec<String> = node.pins().into_iter().map(|(cid, _)| cid).collect();
    assert!(!pinned.contains(&roots[1]), "{recovered}: {pinned:?}");
    // A run over the node alone unpins nothing.
    let pins = node.pins();
    succeeded(publish(&workshop, &["node"]));
    assert_eq!(node.pins(), pins);
    // Said in the settings, the cluster need not be asked.
    let said = configuration
        .replace(
            "keep = 2\n\n[publish.cluster]",
            "pinned-by = \"cluster\"\n\n[publish.cluster]",
        )
        .replace(&peer.api, &http::closed());
    fs::write(workshop.repository().join("ipwhl.toml"), said).unwrap();
    succeeded(publish(&workshop, &["node"])).said("belongs to `cluster`");
    assert_eq!(node.pins(), pins);
    // Where nobody can say, nothing is unpinned.
    let unknown = configuration
        .replace(&peer.api, &http::closed())
        .replace("keep = 2\n\n", "keep = 1\n\n");
    fs::write(workshop.repository().join("ipwhl.toml"), unknown).unwrap();
    succeeded(publish(&workshop, &["node"]))
        .said("nothing is unpinned, because it is unknown whether");
    let still: Vec<String> = node.pins().into_iter().map(|(cid, _)| cid).collect();
    assert!(
        still.contains(&roots[2]) && still.contains(&roots[3]),
        "{still:?}"
    );
    // What was pinned meanwhile goes when the cluster can be asked again, and does not pin it.
    assert_eq!(publish(&workshop, &["--status", "node"]).code, Some(0));
    workshop.write_over(&installable_with("2.4"));
    let without = configuration.replace(&peer.api, &http::closed());
    fs::write(workshop.repository().join("ipwhl.toml"), without).unwrap();
    let missed = workshop.build(&["--key", "../key"]);
    succeeded(publish(&workshop, &["node"])).said(&format!("pinned {missed}"));
    let next = |version: &str, arguments: &[&str]| {
        workshop.write_over(&installable_with(version));
        fs::write(workshop.repository().join("ipwhl.toml"), &configuration).unwrap();
        workshop.build(&[&["--key", "../key"], arguments].concat())
    };
    next("2.5", &[]);
    let ran = succeeded(publish(&workshop, &[]));
    ran.said(&format!("node: unpinned `ipwhl/example/5`, {missed}"));
    // A fork is one at the node, too, which has no pins of its own.
    let previous = "release/statements/5/release.toml";
    next("2.6", &["--previous", previous, "--output", "../fork"]);
    publish(&workshop, &["--release", "../fork", "node"])
        .refused(1, &["it has another release with the sequence 6"]);
}

/// Whoever reads through a node that has the blocks by chance loses them with the next garbage
/// collection.
#[test]
fn a_gateway_of_a_peer_that_does_not_keep_it_is_not_enough() {
    let (one, two) = (Node::start(), Node::start());
    one.connect(&two);
    let alpha = Peer::start("alpha", &one, None, &[]);
    let _beta = Peer::start("beta", &two, Some(&alpha), &[]);
    let target = format!(
        "[publish.cluster]\nkind = \"cluster\"\napi = \"{}\"\ngateway = \"{}\"\nreplication-min = \
         1\nreplication-max = 1\n\n[publish.node]\nkind = \"kubo\"\napi \
         = \"{}\"\n\n[publish.name]\nkind = \"ipns\"\nfile = \"../record\"\n",
        alpha.api, one.gateway, one.api
    );
    let workshop = workshop(&target);
    let ran = publish(&workshop, &[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    ran.said("cluster: not every peer keeps it, so the peer of the `gateway` may lose it");
    ran.said("name: it is not changed");
    assert_eq!(ran.output, "");
    assert!(!workshop.path("record").exists());
    // Somebody's word is enough where it is asked for.
    let configuration = workshop.repository().join("ipwhl.toml");
    let text = fs::read_to_string(&configuration).unwrap();
    let named = text.replace(
        "kind = \"ipns\"\n",
        "kind = \"ipns\"\nholders = [\"cluster\"]\n",
    );
    fs::write(&configuration, named).unwrap();
    succeeded(publish(&workshop, &["name"]));
    assert!(workshop.path("record").exists());
}
