//! Signatures: the text of a `.sig` file, and the same bytes in their armour.
#![no_main]

use data_encoding::BASE64;
use ipwhl::release::signature::{
    MAXIMUM_SIGNATURE_SIZE, NAMESPACE, SignatureError, SigningKey, sign, verify, verify_for,
};
use libfuzzer_sys::fuzz_target;

const MESSAGE: &[u8] = b"format = 1\n";

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        check(text);
    }
    let armoured = format!(
        "-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n",
        BASE64.encode(bytes)
    );
    check(&armoured);
});

fn check(text: &str) {
    let verdict = verify(text, MESSAGE);
    assert_eq!(verdict, verify_for(NAMESPACE, text, MESSAGE));
    if text.len() > MAXIMUM_SIGNATURE_SIZE {
        assert_eq!(verdict, Err(SignatureError::TooLarge(text.len())));
        return;
    }
    if let Err(error) = &verdict {
        assert!(!error.to_string().contains('\n'));
    }
    if let Ok(key) = verdict {
        // Ed25519 has one signature of a message by a key: it is the one that the seeds have.
        let seed = SigningKey::from_seed(&[7; 32]).expect("32 bytes are a seed");
        assert_eq!(
            key,
            seed.public(),
            "a signature by a key whose private half is not known here"
        );
        let own = sign(&seed, MESSAGE).expect("the key is here");
        let blob = |text: &str| {
            let lines = text.lines().filter(|line| !line.starts_with("-----"));
            BASE64
                .decode(lines.collect::<String>().trim().as_bytes())
                .ok()
        };
        assert_eq!(blob(text), blob(&own), "two signatures of one message");
        assert!(verify(text, b"something else").is_err());
        assert!(verify_for("git", text, MESSAGE).is_err());
    }
}
