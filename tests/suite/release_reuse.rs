//! What is taken over from a release, without the program: of wheels, and of its repository.

use ipwhl::release::reader::ReleaseReader;
use ipwhl::release::reuse::WheelKey;
use ipwhl_unixfs::{Cid, Codec, Sha256Digest};

use crate::dag::file_dag;
use crate::support::in_process::{BuiltRelease, open};
use crate::support::workshop::small;

/// A hollow archive says as much of a wheel as the wheel does, and of no wheel that is missing.
#[test]
fn the_facts_of_wheels() {
    let release = BuiltRelease::of(&small());
    let archive = open(&release.hollow);
    let published = ReleaseReader::open(&archive, &release.root).unwrap();
    let profile = release.repository.configuration.profile;
    let declared: Vec<_> = release
        .repository
        .declarations
        .values()
        .flat_map(|declaration| &declaration.wheels)
        .collect();
    let mut sought: Vec<WheelKey<'_>> = declared
        .iter()
        .map(|wheel| WheelKey {
            project: wheel.file_name.name().as_str(),
            file_name: wheel.file_name.as_str(),
            content_id: wheel.content_id.value,
        })
        .collect();
    // One that has other bytes, and one of a project that is missing.
    let other = Cid::v1(Codec::Raw, Sha256Digest::of(b"other"));
    let first = sought[0];
    sought.push(WheelKey {
        content_id: other,
        ..first
    });
    sought.push(WheelKey {
        project: "nowhere",
        ..first
    });
    let mut found = Vec::new();
    published
        .reuse(&sought, profile, &mut |position, facts| {
            found.push((position, facts));
        })
        .unwrap();
    let positions: Vec<usize> = found.iter().map(|(position, _)| *position).collect();
    assert_eq!(positions, (0..declared.len()).collect::<Vec<_>>());
    for (position, facts) in &found {
        let wheel = declared[*position];
        let path = format!("{}/{}", wheel.file_name.name(), wheel.file_name);
        let bytes = &release.files[&path];
        let release_facts = facts.release_facts();
        assert_eq!(release_facts.sha256, Sha256Digest::of(bytes));
        assert_eq!(release_facts.dag, &file_dag(profile, bytes));
        assert_eq!(
            release_facts.metadata,
            release.files[&format!("{path}.metadata")]
        );
    }
}

/// The repository that a release has in it is the one that it was made of.
#[test]
fn the_repository_of_a_release() {
    let settings = "\n[severity]\nrequires-python-mismatch = \"warning\"\n\n[[waiver]]\n\
        code = \"dependencies-mismatch\"\nproject = \"large\"\nwheel = \"large-1.0-py3-none-any.whl\"\n\
        requirement = \"library>=1\"\nplatforms = [\"win_amd64\"]\n\
        reason = \"tried \\\"twice\\\"\"\nexpires = 2999-01-01\n";
    let release = BuiltRelease::of(&small().configuration(settings));
    let archive = open(&release.hollow);
    let published = ReleaseReader::open(&archive, &release.root).unwrap();
    let folder = release.repository.directory.clone();
    let carried = published
        .embedded_repository(&folder, "declarations")
        .unwrap();
    let repository = carried.repository.unwrap();
    assert_eq!(repository.findings, []);
    let (one, other) = (&repository.configuration, &release.repository.configuration);
    assert_eq!(one.name, other.name);
    assert_eq!(one.profile, other.profile);
    assert_eq!(one.platforms, other.platforms);
    assert_eq!(one.severity, other.severity);
    let waivers = |all: &[ipwhl::set::repository::Waiver]| -> Vec<String> {
        all.iter()
            .map(|waiver| {
                let platforms: Vec<&str> = waiver.platforms.iter().map(|one| &*one.value).collect();
                format!(
                    "{} {} {:?} {:?} {:?} {platforms:?} {} {}",
                    waiver.code,
                    waiver.project,
                    waiver.requirement.as_ref().map(ToString::to_string),
                    waiver.wheel,
                    waiver.extra.as_ref().map(ToString::to_string),
                    waiver.reason,
                    waiver.expires.value
                )
            })
            .collect()
    };
    assert_eq!(waivers(&one.waivers), waivers(&other.waivers));
    assert_eq!(one.waivers.len(), 1);
    let names = |repository: &ipwhl::set::repository::Repository| -> Vec<String> {
        repository
            .declarations
            .keys()
            .map(ToString::to_string)
            .collect()
    };
    assert_eq!(names(&repository), names(&release.repository));
    let projects: Vec<String> = carried.projects.keys().map(ToString::to_string).collect();
    assert_eq!(projects, names(&release.repository));
}
