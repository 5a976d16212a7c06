//! `ipwhl publish --check [--repair]`, and publishing to a node that has lost or altered what it
//! has pinned.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use ipwhl_unixfs::car::CarReader;
use ipwhl_unixfs::{Cid, Codec};

use crate::publish_kubo::{installable_with, moved, settings, succeeded};
use crate::reuse::{key, trusted};
use crate::support::cluster::Peer;
use crate::support::cutting_proxy::{Cut, CuttingProxy};
use crate::support::nodes::Node;
use crate::support::workshop::Workshop;

fn workshop(targets: &str) -> Workshop {
    let workshop = Workshop::with(&installable_with("2.0").configuration(&trusted()));
    fs::write(workshop.path("key"), key(1).to_openssh().unwrap()).unwrap();
    settings(&workshop, targets);
    workshop.build(&["--key", "../key"]);
    workshop
}

fn target(node: &Node) -> String {
    format!(
        "[publish.node]\nkind = \"kubo\"\napi = \"{}\"\ngateway = \"{}\"\n",
        node.api, node.gateway
    )
}

/// The file that a node keeps a block in.
fn block_file(node: &Node, block: &[u8]) -> PathBuf {
    fn find(folder: &Path, block: &[u8]) -> Option<PathBuf> {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                if let Some(found) = find(&path, block) {
                    return Some(found);
                }
            } else if path.extension().is_some_and(|ending| ending == "data")
                && fs::read(&path).unwrap() == block
            {
                return Some(path);
            }
        }
        None
    }
    find(&node.kubo.repository().join("blocks"), block).expect("a block's file")
}

/// Blocks of the wheel of several blocks: one of its leaves, another one, and a page.
fn victims(workshop: &Workshop) -> Vec<(Cid, Vec<u8>)> {
    let file = fs::File::open(workshop.release("release.car")).unwrap();
    let reader = CarReader::open(file).unwrap();
    let blocks = reader.cids().into_iter().map(|cid| {
        use ipwhl_unixfs::car::Blocks as _;
        (cid, reader.require(&cid).unwrap())
    });
    let mut large: Vec<(Cid, Vec<u8>)> = blocks
        .filter(|(cid, block)| cid.codec() == Codec::Raw && block.len() > 100_000)
        .collect();
    large.truncate(2);
    assert_eq!(large.len(), 2);
    large
}

#[test]
fn what_a_node_has_lost_is_brought_again_and_what_it_has_altered_is_found() {
    let node = Node::start();
    let workshop = workshop(&target(&node));
    succeeded(workshop.run(&["publish"]));
    let ran = succeeded(workshop.run(&["publish", "--check"]));
    assert!(ran.output.starts_with("node: 1 release, "), "{ran:?}");
    assert!(ran.output.contains("all match their CIDs"), "{ran:?}");

    // One block is gone and another one has other bytes. The pin is as it was.
    let [(lost, lost_block), (altered, altered_block)] = victims(&workshop).try_into().unwrap();
    fs::remove_file(block_file(&node, &lost_block)).unwrap();
    let file = block_file(&node, &altered_block);
    let mut bytes = altered_block.clone();
    bytes[1000] ^= 1;
    fs::remove_file(&file).unwrap();
    fs::write(&file, bytes).unwrap();
    let pins = node.pins();
    // Publishing again brings what is lost, though the node believes that it has it.
    let ran = succeeded_or_altered(&workshop);
    assert_eq!(moved(&ran), 1);
    let file = block_file(&node, &lost_block);
    fs::remove_file(file).unwrap();
    let ran = workshop.run(&["publish", "--check"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    ran.said(&format!("error: node: {lost} of sequence 1, "));
    ran.said(" is missing");
    ran.said(&format!("error: node: {altered} of sequence 1, "));
    ran.said(" is altered");
    ran.said("`ipwhl publish --check --repair`");
    assert!(ran.output.contains("1 missing, 1 altered\n"), "{ran:?}");
    let ran = succeeded(workshop.run(&["publish", "--check", "--repair"]));
    ran.said(&format!("warning: node: {altered} of sequence 1, "));
    ran.said("is altered, and was repaired");
    assert!(
        ran.output.contains("1 missing, 1 altered, 2 repaired"),
        "{ran:?}"
    );
    assert_eq!(node.pins(), pins);
    let whole = node.command(&["dag", "export", "--progress=false", &pin(&workshop)]);
    exported(whole, &workshop);
    let ran = succeeded(workshop.run(&["publish", "--check"]));
    assert!(ran.output.contains("all match their CIDs"), "{ran:?}");
}

/// A run whose sample may have met the block that is altered.
fn succeeded_or_altered(workshop: &Workshop) -> crate::support::workshop::Ran {
    let ran = workshop.run(&["publish"]);
    if ran.code != Some(0) {
        assert_eq!(ran.code, Some(3), "{ran:?}");
        ran.said("has other bytes");
        ran.said("`ipwhl publish --check`");
    }
    ran
}

fn pin(workshop: &Workshop) -> String {
    let file = fs::File::open(workshop.release("release.car")).unwrap();
    CarReader::root_of(file).unwrap().to_string()
}

fn exported(mut command: std::process::Command, workshop: &Workshop) {
    let output = command.stderr(Stdio::null()).output().unwrap();
    assert!(output.status.success());
    assert_eq!(
        output.stdout,
        fs::read(workshop.release("release.car")).unwrap()
    );
}

/// A node with nothing but the pin, and another one that has all of it: there is no archive any
/// more.
#[test]
fn blocks_for_a_repair_come_from_other_targets_too() {
    let (one, two) = (Node::start(), Node::start());
    let targets = format!(
        "{}\n{}",
        target(&one),
        target(&two).replace("publish.node", "publish.other")
    );
    let workshop = workshop(&targets);
    succeeded(workshop.run(&["publish"]));
    let victims = victims(&workshop);
    for (_, block) in &victims {
        fs::remove_file(block_file(&one, block)).unwrap();
    }
    fs::rename(
        workshop.repository().join("release"),
        workshop.path("aside"),
    )
    .unwrap();
    let ran = succeeded(workshop.run(&["publish", "--check", "--repair", "--format", "json"]));
    let value: serde_json::Value = serde_json::from_str(&ran.output).unwrap();
    let damages = value["targets"][0]["damages"].as_array().unwrap();
    assert_eq!(damages.len(), 2, "{ran:?}");
    for damage in damages {
        assert_eq!(damage["kind"], "missing");
        assert_eq!(damage["repaired"], true);
        assert_eq!(damage["release"]["sequence"], 1);
    }
    assert_eq!(value["targets"][1]["damages"], serde_json::json!([]));
    let rate = ["publish", "--check", "node", "--rate", "100GB"];
    succeeded(workshop.run(&rate));
    for (_, block) in &victims {
        block_file(&one, block);
    }
}

#[test]
fn a_cluster_is_read_through_its_gateway() {
    let node = Node::start();
    let peer = Peer::start("alone", &node, None, &[]);
    let workshop = workshop(&format!(
        "[publish.cluster]\nkind = \"cluster\"\napi = \"{}\"\ngateway = \"{}\"\n",
        peer.api, node.gateway
    ));
    succeeded(workshop.run(&["publish"]));
    let (lost, block) = victims(&workshop).remove(0);
    fs::remove_file(block_file(&node, &block)).unwrap();
    let ran = workshop.run(&["publish", "--check"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    ran.said(&format!("{lost} of sequence 1"));
    succeeded(workshop.run(&["publish", "--check", "--repair"])).said("was repaired");
    block_file(&node, &block);
}

/// A garbage collection takes what is imported and not pinned yet.
#[test]
fn what_a_garbage_collection_takes_before_the_pin_is_brought_again() {
    let node = Node::start();
    let proxy = CuttingProxy::start(&node.api, Cut::Meanwhile("/pin/add"));
    let workshop = workshop(&format!(
        "[publish.node]\nkind = \"kubo\"\napi = \"{}\"\n",
        proxy.url
    ));
    let mut command = workshop.command(&["publish"]);
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let child = std::cell::RefCell::new(child);
    let is_over = || child.borrow_mut().try_wait().unwrap().is_some();
    let has_collected = proxy.when_cut(is_over, || {
        node.text(&["repo", "gc", "--quiet"]);
    });
    assert!(has_collected);
    let output = child.into_inner().wait_with_output().unwrap();
    let words = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{words}");
    assert!(words.contains("the node lost "), "{words}");
    let whole = node.command(&["dag", "export", "--progress=false", &pin(&workshop)]);
    exported(whole, &workshop);
    assert!(
        node.pins()
            .iter()
            .any(|(_, name)| name == "ipwhl/example/1")
    );
}

/// A disk that has trouble with one block: the check goes on, and names what else is wrong.
#[test]
fn a_block_that_the_node_cannot_read_does_not_end_the_check() {
    let node = Node::start();
    let workshop = workshop(&target(&node));
    succeeded(workshop.run(&["publish"]));
    let [(unreadable, one), (lost, other)] = victims(&workshop).try_into().unwrap();
    let file = block_file(&node, &one);
    fs::remove_file(&file).unwrap();
    fs::create_dir(&file).unwrap();
    fs::remove_file(block_file(&node, &other)).unwrap();
    let ran = workshop.run(&["publish", "--check", "--repair"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    ran.said(&format!("error: node: {unreadable} of sequence 1, "));
    ran.said(" is unreadable");
    ran.said(&format!("warning: node: {lost} of sequence 1, "));
    ran.said("is missing, and was repaired");
    ran.said("there was no good copy of the other blocks");
    assert!(
        ran.output.contains("1 missing, 1 unreadable, 1 repaired"),
        "{ran:?}"
    );
    // A secret that may not do all that a repair needs does not hide what was found.
    let ran = workshop.run(&["publish", "--check", "--rate", "0"]);
    ran.refused(2, &["the rate must be larger than 0"]);
}
