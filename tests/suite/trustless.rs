//! Gateways that are asked for blocks and DAGs: whatever they do costs time and never a wrong byte.

use std::time::Duration;

use ipwhl::source::{Client, ClientSettings, Limits, SourceProblem};
use ipwhl_unixfs::car::CarWriter;
use ipwhl_unixfs::{BlockSink, Cid, Codec, Profile, Sha256Digest};

use crate::dag::{Blocks, Seeded, file_dag};
use crate::support::loopback_index::{Answer, LoopbackIndex, message};

fn client() -> Client {
    let limits = Limits {
        attempts: 2,
        idle_timeout: Duration::from_millis(300),
        first_delay: Duration::from_millis(1),
        longest_delay: Duration::from_millis(2),
        ..Limits::default()
    };
    Client::new(&ClientSettings::from_variables(&|_| None, limits)).unwrap()
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_all().build().unwrap().block_on(work)
}

fn raw(bytes: &[u8]) -> Cid {
    Cid::v1(Codec::Raw, Sha256Digest::of(bytes))
}

#[test]
fn a_block_is_the_right_one_or_none() {
    let block = Seeded::bytes("block", 100_000);
    let cid = raw(&block);
    let path = format!("/ipfs/{cid}?format=raw");
    let ask = |answers: Vec<Answer>| {
        let gateway = LoopbackIndex::start();
        gateway.put(&path, &block);
        gateway.queue(&path, answers);
        let url = gateway.url("").parse().unwrap();
        let had = run(client().block(&url, &cid));
        if let Ok(had) = &had {
            assert!(*had == block, "other bytes");
        }
        (had.map(|_| ()), gateway.requests().len())
    };
    let head = message("200 OK", &[("Content-Length", "100000")], &block[..10]);
    let open = message("200 OK", &[], b"");
    assert_eq!(ask(Vec::new()), (Ok(()), 1));
    // What may go better next time is tried again.
    assert_eq!(ask(vec![Answer::Stall(head.clone())]), (Ok(()), 2));
    assert_eq!(ask(vec![Answer::cut(&block, 99_999, &[])]), (Ok(()), 2));
    assert_eq!(
        ask(vec![Answer::status("504 Gateway Timeout")]),
        (Ok(()), 2)
    );
    let failed = |answers: Vec<Answer>| match ask(answers) {
        (Err(SourceProblem::Failed { reason, place }), _) => {
            assert!(place.ends_with(&format!("/ipfs/{cid}")), "{place}");
            reason
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(
        failed(vec![Answer::Stall(head.clone()), Answer::Stall(head)]),
        "no byte came within 300 ms"
    );
    assert_eq!(
        failed(vec![Answer::Endless(open)]),
        "its answer is larger than 2097152 bytes"
    );
    // What is wrong is wrong: cut without a word, longer, other.
    let mut other = block.clone();
    other[99_999] ^= 1;
    for bytes in [&block[..99_999], &[&block[..], b"x"].concat(), &other, b""] {
        match ask(vec![Answer::whole("200 OK", &[], bytes)]) {
            (Err(SourceProblem::Mismatch { mismatches, .. }), 1) => {
                assert_eq!(mismatches[0].declared, cid.to_string());
                assert_eq!(mismatches[0].found, raw(bytes).to_string());
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(
        ask(vec![Answer::status("404 Not Found")]),
        (Err(SourceProblem::Missing { .. }), 1)
    ));
}

#[test]
fn of_a_dag_only_what_was_asked_for_is_kept() {
    let bytes = Seeded::bytes("file", 3_000_000);
    for profile in Profile::ALL {
        let dag = file_dag(profile, &bytes);
        let mut blocks = Blocks::default();
        dag.emit(&mut blocks, &mut &bytes[..]).unwrap();
        let size = dag.link().cumulative_size;
        let path = format!("/ipfs/{}?format=car&dag-scope=all", dag.cid());
        let ask = |answer: Answer| {
            let gateway = LoopbackIndex::start();
            gateway.always(&path, answer);
            let url = gateway.url("").parse().unwrap();
            let mut kept = Vec::new();
            let outcome = run(client().dag(&url, &dag.cid(), size, &mut |cid, block| {
                assert!(cid.matches(&block));
                kept.push(*cid);
            }));
            let asked = gateway.requests();
            assert_eq!(asked.len(), 1);
            assert!(asked[0].headers["accept"].starts_with("application/vnd.ipld.car;"));
            (outcome, kept)
        };
        let car = |blocks: &[(Cid, Vec<u8>)]| {
            let mut writer = CarWriter::new(Vec::new(), blocks[0].0).unwrap();
            for (cid, block) in blocks {
                writer.put(cid, block).unwrap();
            }
            writer.finish().unwrap().0
        };
        let in_order = blocks.0.clone();
        let cids: Vec<Cid> = in_order.iter().map(|(cid, _)| *cid).collect();
        let whole = car(&in_order);
        let proper = |bytes: &[u8]| Answer::whole("200 OK", &[], bytes);
        assert_eq!(ask(proper(&whole)), (Ok(cids.len()), cids.clone()));
        // Leaves in another order, and blocks that nobody asked for.
        let mut mixed = in_order.clone();
        mixed[1..].reverse();
        mixed.insert(1, (raw(b"unasked"), b"unasked".to_vec()));
        let (outcome, mut kept) = ask(proper(&car(&mixed)));
        assert_eq!(outcome, Ok(cids.len()));
        kept.sort();
        let mut sorted = cids.clone();
        sorted.sort();
        assert_eq!(kept, sorted);
        // Cut, stalled, endless, damaged: what came before is kept.
        let cut = whole.len() - 10;
        let failed = |answer: Answer, words: &str| {
            let (outcome, kept) = ask(answer);
            let SourceProblem::Failed { reason, .. } = outcome.unwrap_err() else {
                panic!("not a failure");
            };
            assert!(reason.contains(words), "{reason}");
            assert_eq!(kept, cids[..kept.len()]);
            kept.len()
        };
        let before = cids.len() - 1;
        assert_eq!(
            failed(proper(&whole[..cut]), "in the middle of the section"),
            before
        );
        let stalled = Answer::Stall(message("200 OK", &[], &whole[..cut]));
        assert_eq!(failed(stalled, "no byte came within 300 ms"), before);
        let endless = Answer::Endless(message("200 OK", &[], &whole));
        assert_eq!(
            failed(endless, "is empty; padding is not accepted"),
            cids.len()
        );
        let mut damaged = whole.clone();
        damaged[cut] ^= 1;
        let (outcome, kept) = ask(proper(&damaged));
        let SourceProblem::Mismatch { mismatches, .. } = outcome.unwrap_err() else {
            panic!("not a mismatch");
        };
        assert_eq!(mismatches[0].declared, cids[before].to_string());
        assert_eq!(kept, cids[..before]);
        let flood: Vec<(Cid, Vec<u8>)> = (0..8_000_u32)
            .map(|number| {
                let block = [&number.to_le_bytes()[..], &[0; 1020]].concat();
                (raw(&block), block)
            })
            .collect();
        assert_eq!(failed(proper(&car(&flood)), "is larger than the "), 0);
        assert_eq!(failed(proper(b""), "in the middle of the section"), 0);
        assert_eq!(failed(proper(&b"<html>".repeat(20)), "CAR"), 0);
    }
}
