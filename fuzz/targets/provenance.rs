//! The provenance of a file in an index: the line of each publisher, and signatures.
#![no_main]

use ipwhl::source::Provenance;
use libfuzzer_sys::fuzz_target;

/// The file that the seeds are about.
const FILE_NAME: &str = "pypi_attestations-0.0.19.tar.gz";
const SHA256: &str = "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3";

fuzz_target!(|bytes: &[u8]| {
    let Ok(provenance) = Provenance::parse(bytes, FILE_NAME, &SHA256.parse().unwrap()) else {
        return;
    };
    for publisher in provenance.publishers() {
        let line = publisher.to_string();
        let is_plain = |byte: u8| (b' '..=b'~').contains(&byte);
        assert!(!line.is_empty() && line.bytes().all(is_plain), "{line:?}");
    }
    if provenance.verify().is_ok() {
        let lines: Vec<String> = provenance.publishers().map(ToString::to_string).collect();
        let ours = "GitHub trailofbits/pypi-attestations release.yml";
        assert!(lines.iter().all(|line| line.starts_with(ours)), "{lines:?}");
    }
});
