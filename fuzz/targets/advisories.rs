//! An entry of a database of advisories, in JSON or YAML.
#![no_main]

use std::io::Cursor;

use ipwhl::set::advisories::{DatabaseBuilder, Entry, StoredIndex, vulnerabilities, write_index};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, text)) = bytes.split_first() else {
        return;
    };
    let name = ["entry.json", "entry.yaml"][usize::from(choice % 2)];
    let mut builder = DatabaseBuilder::new(Timestamp::UNIX_EPOCH);
    builder.extend([Entry::read(name, text), Entry::read("other.json", text)]);
    let database = builder.build();
    for broken in &database.facts.broken {
        assert!(!broken.reason.is_empty() && broken.reason.len() < 1_000);
    }
    for (project, advisories) in &database.projects {
        for version in ["0", "1.0", "2.0rc1", "1.0+local", "9!9"] {
            let version = version.parse().unwrap();
            for known in vulnerabilities(advisories, &version) {
                assert!(!known.aliases.contains(&known.id), "{project}");
                assert!(known.fixed.iter().all(|fixed| *fixed > version), "{project}");
            }
        }
    }
    let mut index = Vec::new();
    write_index(&database, "state", &mut index).unwrap();
    let again = StoredIndex::open(Cursor::new(index), "state").unwrap();
    let again = again.database(database.projects.keys()).unwrap();
    assert_eq!(again, database, "another database when read again");
});
