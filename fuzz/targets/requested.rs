//! People's project files: the first byte chooses the format, and zero bytes part the file from
//! `pyproject.toml` and `more.txt` beside it.
#![no_main]

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ipwhl::set::requested::{RequestFileError, Selection, read_request_file};
use libfuzzer_sys::fuzz_target;

const NAMES: [&str; 6] = [
    "requirements.txt",
    "pyproject.toml",
    "uv.lock",
    "poetry.lock",
    "pylock.toml",
    "unknown",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let name = NAMES[usize::from(*choice) % NAMES.len()];
    let selection = Selection {
        all: choice & 0x80 == 0,
        ..Selection::default()
    };
    // The file itself comes last: it replaces another one of its name.
    let mut texts = bytes.split(|byte| *byte == 0);
    let own = texts.next().unwrap_or_default();
    let mut files: BTreeMap<&str, &[u8]> = ["pyproject.toml", "more.txt"]
        .into_iter()
        .zip(texts)
        .collect();
    files.insert(name, own);
    let read = |path: &Path, limit: u64| {
        let found = path.to_str().and_then(|path| files.get(path));
        let bytes = found.ok_or(io::Error::from(io::ErrorKind::NotFound))?;
        Ok(bytes[..bytes.len().min(usize::try_from(limit).expect("small"))].to_vec())
    };
    let (places, texts) = match read_request_file(&read, Path::new(name), &selection) {
        Ok(file) => {
            for (requirement, _) in &file.constraints {
                assert!(requirement.extras.is_empty(), "{requirement}");
            }
            let requirements = file.requested.iter().chain(&file.constraints);
            let places = requirements.map(|(_, place)| place);
            let ignored = file.ignored.iter().map(|one| &one.place);
            let places = places.chain(ignored);
            let places: Vec<_> = places
                .map(|place| (place.file.clone(), place.span.clone()))
                .collect();
            (places, file.texts)
        }
        Err(RequestFileError::Mistakes(mistakes)) => {
            assert!(!mistakes.findings.is_empty());
            let labels = mistakes.findings.iter().flat_map(|finding| &finding.labels);
            let places = labels.map(|label| (label.file.clone(), label.span.clone()));
            (places.collect(), mistakes.texts)
        }
        Err(RequestFileError::Failed(_)) => return,
    };
    for (file, span) in places {
        let text = texts.get(&file).map(|text| text.as_str());
        assert!(
            text.is_some_and(|text| text.get(span.clone()).is_some()),
            "{file} {span:?}"
        );
    }
});
