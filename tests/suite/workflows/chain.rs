//! What keeps the releases of a forge one chain: each sequence is signed once, of the newest
//! commit, and what is public stays as it is.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;

use super::github;
use super::publish::{Event, FAILED, Forge, NONE, Run, WELL};
use super::site::Change;

/// The files of the release of a sequence, but for what the forge itself keeps there.
fn files(forge: &Forge, sequence: u64) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(forge.kept(sequence))
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "release.json")
        .collect();
    names.sort();
    names
}

#[track_caller]
fn assert_kept(forge: &Forge, sequence: u64) {
    let names = ["release.car", "release.toml", "release.toml.sig"];
    assert_eq!(files(forge, sequence), names, "{}", forge.name);
    if forge.name == "forgejo" {
        let text = fs::read_to_string(forge.kept(sequence).join("release.json")).unwrap();
        let release: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(release["draft"], false);
        let root = forge.statement(sequence).root;
        assert_eq!(release["body"], format!("The root CID is {root}."));
    }
}

#[track_caller]
fn assert_release(forge: &Forge, run: &Run, end: super::publish::End) {
    assert_eq!(run.release, end, "{}: {:#?}", forge.name, run.said);
}

#[test]
fn a_chain_begins_by_hand() {
    for forge in Forge::all() {
        let run = forge.run(Event::Schedule, true);
        assert_release(&forge, &run, FAILED);
        run.said(0, "no release to follow");
        assert_eq!(forge.count(), 0);
        let run = forge.run(Event::ByHand("first-release"), true);
        assert_release(&forge, &run, WELL);
        assert_kept(&forge, 1);
        // Said again, it begins no second one.
        forge.site.land(Change::Clean);
        let run = forge.run(Event::ByHand("first-release"), true);
        assert_release(&forge, &run, WELL);
        let first = forge.statement(1);
        forge.statement(2).check_successor_of(&first).unwrap();
    }
}

/// The newest release has no files, or only some: nothing is known of what to follow.
#[test]
fn a_release_without_its_statement_is_not_passed_over() {
    for forge in Forge::all() {
        forge.run(Event::Push, true);
        forge.site.land(Change::Clean);
        forge.run(Event::Push, true);
        let (lost, words) = match forge.name {
            // There the newest one without it is an upload that was cut.
            "gitlab" => (1, "release 1 has no release.toml"),
            "github" => (2, "the statement of release-2 could not be downloaded"),
            _ => (2, "release-2 has no release.toml"),
        };
        forge.site.publish_to_a_folder();
        for name in ["release.toml", "release.toml.sig", "release.car"] {
            fs::remove_file(forge.kept(lost).join(name)).unwrap();
            let run = forge.run(Event::Push, true);
            let ends = (run.release, run.ends()[1]);
            assert_eq!(ends, (FAILED, FAILED), "{}: {:#?}", forge.name, run.said);
            run.said(0, words);
        }
        assert_eq!(
            (forge.count(), files(&forge, lost).len()),
            (2, 0),
            "{}",
            forge.name
        );
    }
}

/// A run that is cut leaves a part of a release, which was never public: another run puts a whole
/// one in its place.
#[test]
fn an_upload_that_was_cut_is_made_anew() {
    for forge in Forge::all() {
        forge.run(Event::Push, true);
        let first = forge.statement(1);
        forge.site.land(Change::Clean);
        if forge.name == "gitlab" {
            let part = forge.kept(2);
            fs::create_dir(&part).unwrap();
            fs::write(part.join("release.car"), "a part").unwrap();
        } else {
            forge.site.keep("cut", "");
            let run = forge.run(Event::Push, true);
            assert_release(&forge, &run, FAILED);
            fs::remove_file(forge.site.path("state/cut")).unwrap();
        }
        if forge.name == "github" {
            assert!(forge.site.path("state/drafts/release-2").exists());
            // What is signed already is kept by its own run, and no other one signs the sequence
            // again.
            let run = forge.run(Event::Push, true);
            assert_release(&forge, &run, FAILED);
            run.said(0, "release 2 was signed by run 7");
            github::keep_again(&forge.site, 2).expect_success();
        } else {
            let run = forge.run(Event::Push, true);
            assert_release(&forge, &run, WELL);
        }
        assert_kept(&forge, 2);
        forge.statement(2).check_successor_of(&first).unwrap();
        let run = forge.run(Event::Push, true);
        assert_release(&forge, &run, WELL);
        assert_eq!(forge.count(), 2);
    }
}

/// Two runs at once, on a forge that lets them: the second one knows nothing of what the first one
/// keeps meanwhile.
#[test]
fn what_is_public_is_not_taken_for_another_release() {
    for forge in Forge::all() {
        forge.run(Event::Push, true);
        let first = forge.statement(1);
        let _ = fs::remove_dir_all(forge.site.path("state/artifacts/release-1"));
        forge.site.land(Change::Clean);
        forge.site.keep("late", "");
        let run = forge.run(Event::ByHand("first-release"), true);
        assert_release(&forge, &run, FAILED);
        run.said(0, "with another statement than the one signed here");
        assert_eq!((forge.count(), forge.statement(1)), (1, first));
        assert_kept(&forge, 1);
        if forge.name != "gitlab" {
            let _ = fs::remove_dir_all(forge.site.path("state/artifacts/release-1"));
            fs::remove_file(forge.kept(1).join("release.toml")).unwrap();
            let run = forge.run(Event::ByHand("first-release"), true);
            assert_release(&forge, &run, FAILED);
            run.said(0, "or with none");
        }
    }
}

#[test]
fn an_old_run_that_is_started_again_signs_nothing() {
    for forge in Forge::all() {
        forge.site.publish_to_a_folder();
        let old = forge.site.history.run(&["rev-parse", "main"]);
        forge.run(Event::Push, true);
        forge.site.land(Change::Clean);
        // Overtaken while it waited: the run of the newer commit builds.
        let run = forge.run_of(&old, Event::Push, true);
        assert_eq!(run.ends(), [WELL; 3], "{}: {:#?}", forge.name, run.said);
        run.said(0, "is not released");
        assert_eq!(forge.count(), 1);
        forge.run(Event::Push, true);
        let newest = forge.statement(2);
        for event in [Event::Push, Event::Schedule] {
            let run = forge.run_of(&old, event, true);
            assert_eq!(run.ends(), [WELL; 3], "{}: {:#?}", forge.name, run.said);
            assert_eq!((forge.count(), forge.statement(2)), (2, newest.clone()));
        }
        assert!(!forge.site.path("state/artifacts/release-3").exists());
    }
}

#[test]
fn an_expired_statement_is_followed_by_hand_alone() {
    for forge in Forge::all() {
        forge.keep_first("90d");
        forge.expire();
        for event in [Event::Push, Event::Schedule] {
            let run = forge.run(event, true);
            assert_release(&forge, &run, FAILED);
            run.said(
                0,
                if forge.name == "gitlab" {
                    "IPWHL_AFTER_EXPIRY set to true"
                } else {
                    "after-expiry ticked"
                },
            );
            assert_eq!(forge.count(), 1);
        }
        let run = forge.run(Event::ByHand("after-expiry"), true);
        assert_eq!(
            run.ends(),
            [WELL, NONE, WELL],
            "{}: {:#?}",
            forge.name,
            run.said
        );
        forge
            .statement(2)
            .check_successor_of(&forge.statement(1))
            .unwrap();
    }
}

/// Artifacts of forks, of other branches, of this run and those that are gone stop nobody.
#[test]
fn a_stranger_cannot_stop_releases_with_an_artifact() {
    let forge = Forge::all().next().unwrap();
    let of = |branch: &str, repository: u64, is_expired: bool, run: u64| {
        let run = json!({"id": run, "head_branch": branch, "repository_id": 1, "head_repository_id": repository});
        json!({"name": "release-1", "expired": is_expired, "workflow_run": run})
    };
    let artifacts = [
        of("main", 2, false, 5),
        of("other", 1, false, 5),
        of("main", 1, true, 5),
        of("main", 1, false, 8),
    ];
    forge
        .site
        .keep("artifacts.json", &json!(artifacts).to_string());
    let run = forge.run(Event::Push, true);
    assert_release(&forge, &run, WELL);
    forge.site.land(Change::Clean);
    let unkept = json!([{"name": "release-2", "expired": false, "workflow_run":
        {"id": 5, "head_branch": "main", "repository_id": 1, "head_repository_id": 1}}]);
    forge.site.keep("artifacts.json", &unkept.to_string());
    let run = forge.run(Event::Push, true);
    assert_release(&forge, &run, FAILED);
    run.said(0, "release 2 was signed by run 5");
    assert_eq!(forge.count(), 1);
}

/// A machine of GitHub's own is thrown away, with the folder that was published to.
#[test]
fn a_folder_on_a_runner_that_goes_away_is_warned_about() {
    let forge = Forge::all().next().unwrap();
    forge.site.publish_to_a_folder();
    let run = forge.run(Event::Push, true);
    assert_eq!(run.ends(), [WELL; 3], "{:#?}", run.said);
    run.said(1, "::warning::the target site is a folder on this runner");
}

/// Of GitLab's registry only the files of the releases that count are asked for, and an answer that
/// it is busy is none.
#[test]
fn gitlab_is_asked_for_what_is_needed_until_it_answers() {
    let forge = Forge::all().find(|forge| forge.name == "gitlab").unwrap();
    forge.site.keep("busy", "");
    let run = forge.run(Event::Push, true);
    assert_eq!(run.ends(), [WELL, NONE, WELL], "{:#?}", run.said);
    assert_kept(&forge, 1);
    for sequence in 2..=30 {
        super::site::copy(&forge.kept(1), &forge.kept(sequence));
    }
    let before = forge.requests().len();
    let run = forge.run(Event::Schedule, false);
    assert_eq!(run.ends(), [FAILED, NONE, WELL], "{:#?}", run.said);
    run.said(2, "the statement of sequence");
    let requests = forge.requests();
    // The job that looks at the expiry: pages of one each, of 30 releases and another one, and of
    // 21 releases' files.
    let files: BTreeSet<&String> = requests[before..]
        .iter()
        .filter(|request| request.contains("package_files"))
        .collect();
    let packages = files
        .iter()
        .filter(|request| request.ends_with("&page=1"))
        .count();
    assert_eq!((packages, files.len()), (21, 21 * 3));
    let lists: BTreeSet<&String> = requests[before..]
        .iter()
        .filter(|request| request.contains("package_type"))
        .collect();
    assert_eq!(lists.len(), 31);
}
