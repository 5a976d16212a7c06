//! A wheel: whatever is found wrong, it is found within the limits, and an archive with which
//! nothing is wrong means the same to a reader that goes by local headers.
#![no_main]

use std::collections::BTreeMap;
use std::io::Cursor;

use ipwhl_fuzz::zip;
use ipwhl_packaging::wheel::{Limits, ProblemKind, find_metadata, inspect, members};
use libfuzzer_sys::fuzz_target;

/// Small, so that each is met.
const LIMITS: Limits = Limits {
    members: 50,
    central_directory: 8_000,
    member_size: 100_000,
    unpacked_size: 300_000,
    compression_ratio: 200,
    path: 300,
    component: 60,
    metadata: 2_000,
    wheel_file: 1_000,
    record: 4_000,
    wheel_tags: 20,
    problems: 30,
};

fuzz_target!(|bytes: &[u8]| {
    let facts = inspect(&mut Cursor::new(bytes), &LIMITS).expect("memory can be read");
    assert_eq!(
        inspect(&mut Cursor::new(bytes), &LIMITS).ok().as_ref(),
        Some(&facts)
    );
    assert!(facts.problems.len() <= LIMITS.problems + 1);
    assert!(facts.metadata.len() as u64 <= LIMITS.metadata);
    assert!(facts.wheel_tags.len() <= LIMITS.wheel_tags);
    assert!(facts.wheel_tags.is_sorted_by(|one, other| one < other));
    for problem in &facts.problems {
        assert!(!problem.message.contains('\n') && !problem.message.contains('\u{1b}'));
    }
    assert!(facts.name_conflicts.len() <= 3 * LIMITS.problems);
    for conflict in &facts.name_conflicts {
        assert!(!conflict.systems.is_empty() && conflict.systems.is_sorted());
        assert!(!conflict.message.contains('\n') && !conflict.message.contains('\u{1b}'));
    }
    let kept = serde_json::to_string(&facts).expect("facts are plain");
    assert_eq!(
        serde_json::from_str::<ipwhl_packaging::wheel::ArchiveFacts>(&kept)
            .ok()
            .as_ref(),
        Some(&facts)
    );

    // METADATA alone is the same, and can be read from fewer bytes.
    let mut reader = Cursor::new(bytes);
    let metadata = find_metadata(&mut reader, &LIMITS).expect("memory can be read");
    let metadata = metadata.and_then(|member| {
        assert!(member.span().end <= bytes.len() as u64);
        member.read(&mut reader).expect("memory can be read")
    });
    match &metadata {
        Ok(metadata) => assert_eq!(*metadata, facts.metadata),
        Err(_) => assert!(!facts.problems.is_empty()),
    }

    let read = members(&mut Cursor::new(bytes), &LIMITS).expect("memory can be read");
    let is_sound = facts
        .problems
        .iter()
        .all(|problem| problem.kind != ProblemKind::InvalidArchive);
    if !is_sound {
        return;
    }
    // Nothing is wrong with the archive itself: every reader sees the same.
    let read = read.expect("an archive with which nothing is wrong can be read");
    assert!(facts.members <= LIMITS.members && facts.unpacked_size <= LIMITS.unpacked_size);
    let streamed =
        zip::members_by_local_headers(bytes).expect("local headers lie one after another");
    assert_eq!(streamed.len() as u64, facts.members);
    let total: u64 = streamed.iter().map(|(_, bytes)| bytes.len() as u64).sum();
    assert_eq!(total, facts.unpacked_size);
    let files: BTreeMap<_, _> = streamed
        .iter()
        .filter(|(name, _)| !name.ends_with('/'))
        .cloned()
        .collect();
    assert_eq!(files.len(), read.members.len());
    for member in &read.members {
        let bytes = &files[&member.name];
        assert_eq!(bytes.len() as u64, member.size);
        assert_eq!(ipwhl_unixfs::Sha256Digest::of(bytes), member.sha256.into());
    }
    for (name, _) in &streamed {
        let path = name.strip_suffix('/').unwrap_or(name);
        assert!(!path.starts_with('/') && !path.contains('\\'));
        assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")));
    }
    let dist_info = |file: &str| files.get(&format!("{}.dist-info/{file}", facts.dist_info));
    if let Some(metadata) =
        dist_info("METADATA").filter(|bytes| bytes.len() as u64 <= LIMITS.metadata)
    {
        assert_eq!(*metadata, facts.metadata);
    }
    if facts.problems.is_empty() {
        let record = dist_info("RECORD").expect("it is not missing");
        zip::check_record(record, &files, &facts.dist_info);
    }
});
