//! A repository's texts: `ipwhl.toml`, SUPPORTED and declarations, parted by zero bytes.
#![no_main]

use std::collections::BTreeMap;
use std::path::Path;

use ipwhl::set::check;
use ipwhl::set::judgement;
use ipwhl::set::repository::Repository;
use libfuzzer_sys::fuzz_target;

const FILES: [&str; 5] = [
    "ipwhl.toml",
    "declarations/x.toml",
    "declarations/y.toml",
    "SUPPORTED",
    "pkgs/x/x/x-1.0-py3-none-any.toml",
];

fuzz_target!(|bytes: &[u8]| {
    let texts = bytes.split(|byte| *byte == 0).map(<[u8]>::to_vec);
    let files: BTreeMap<String, Vec<u8>> = FILES
        .iter()
        .map(|file| (*file).to_owned())
        .zip(texts)
        .collect();
    let Ok(repository) = Repository::load_texts(Path::new("/nowhere"), files.clone()) else {
        return;
    };
    let again = Repository::load_texts(Path::new("/nowhere"), files).expect("it was read once");
    assert_eq!(again.findings, repository.findings);
    for finding in &repository.findings {
        for label in &finding.labels {
            let text = repository.texts.get(&label.file);
            let is_in = text.is_some_and(|text| text.as_str().get(label.span.clone()).is_some());
            assert!(is_in, "{finding:?}");
        }
    }
    for declaration in repository.declarations.values() {
        assert!(!declaration.wheels.is_empty());
        assert!(
            declaration
                .wheels
                .is_sorted_by(|one, other| one.file_name <= other.file_name)
        );
    }
    let findings = judgement::finish(&repository, check::set(&repository));
    assert_eq!(judgement::finish(&again, check::set(&again)), findings);
});
