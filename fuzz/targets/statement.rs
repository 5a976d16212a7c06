//! Statements, and the lines and files that name keys.
#![no_main]

use ipwhl::release::signature::{PublicKey, TrustedKey};
use ipwhl::release::statement::Statement;
use ipwhl::release::trust::TrustPolicy;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(key) = PublicKey::from_blob(bytes) {
        assert_eq!(key.blob(), bytes);
        check_key(&key);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match Statement::parse(text) {
        Ok(statement) => {
            let written = statement.to_toml();
            assert_eq!(
                Statement::parse(&written).as_ref(),
                Ok(&statement),
                "{written}"
            );
            let again = Statement::parse(&written).expect("just compared");
            assert_eq!(again.to_toml(), written);
            let policy = statement
                .successor_policy()
                .expect("what was read holds together");
            assert_eq!(policy.is_some(), !statement.trusted.is_empty());
            assert!(
                statement.check_successor_of(&statement).is_err(),
                "a statement after itself"
            );
            if let Some(policy) = policy {
                let verdict = policy.evaluate(text.as_bytes(), &[text], statement.created);
                assert!(!verdict.is_reached());
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    for threshold in [1, 2] {
        if let Ok(policy) = TrustPolicy::from_allowed_signers(text, threshold) {
            assert_eq!(policy.threshold(), threshold);
            let verdict = policy.evaluate(b"text", &[text], jiff::Timestamp::UNIX_EPOCH);
            assert!(!verdict.is_reached());
        }
    }
    if let Ok(trusted) = text.parse::<TrustedKey>() {
        assert_eq!(
            trusted.to_string().parse::<TrustedKey>().as_ref(),
            Ok(&trusted)
        );
        check_key(&trusted.key);
    }
});

fn check_key(key: &PublicKey) {
    assert_eq!(PublicKey::from_blob(&key.blob()).as_ref(), Some(key));
    let line = key.line("a comment");
    assert_eq!(
        line.parse::<TrustedKey>()
            .map(|trusted| trusted.key)
            .as_ref(),
        Ok(key)
    );
    let line = key.allowed_signers_line("someone").expect("a plain name");
    let policy = TrustPolicy::from_allowed_signers(&line, 1).expect("it was written here");
    assert!(policy.trusts(key, jiff::Timestamp::UNIX_EPOCH));
}
