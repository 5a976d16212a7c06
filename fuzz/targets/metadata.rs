//! METADATA.
#![no_main]

use std::fmt::Write as _;

use ipwhl_packaging::{AboutFields, CoreMetadata};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let strict = CoreMetadata::parse(bytes);
    match CoreMetadata::parse_with_legacy(bytes) {
        Ok((metadata, legacy)) => {
            assert_eq!(strict.is_ok(), legacy.is_empty());
            if let Ok(strict) = strict {
                assert_eq!(strict, metadata);
            }
            let again = CoreMetadata::parse(written(&metadata).as_bytes());
            // Fields for people may hold any text, also line breaks, and are not written.
            let checked = CoreMetadata {
                about: AboutFields::default(),
                ..metadata.clone()
            };
            assert_eq!(
                again.as_ref(),
                Ok(&checked),
                "other metadata when written again"
            );
        }
        Err(errors) => {
            assert!(!errors.is_empty());
            assert!(strict.is_err());
        }
    }
    for error in CoreMetadata::parse(bytes).err().unwrap_or_default() {
        assert!(!error.is_empty() && !error.contains('\n'), "{error:?}");
    }
});

/// The same, in the newest form.
fn written(metadata: &CoreMetadata) -> String {
    let mut text = format!(
        "Metadata-Version: {}\nName: {}\nVersion: {}\n",
        metadata.metadata_version, metadata.name, metadata.version
    );
    if let Some(python) = &metadata.requires_python {
        let _ = writeln!(text, "Requires-Python: {python}");
    }
    for requirement in &metadata.requires_dist {
        let _ = writeln!(text, "Requires-Dist: {requirement}");
    }
    for extra in &metadata.provides_extra {
        let _ = writeln!(text, "Provides-Extra: {extra}");
    }
    text
}
