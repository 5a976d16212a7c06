//! Private keys in files, and what an agent answers. The first byte chooses.
#![no_main]

use std::sync::Arc;
use std::sync::Mutex;

use data_encoding::BASE64;
use ipwhl::release::signature::{
    Agent, AgentError, Awaited, PrivateKeyText, SigningKey, verify_for,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    match first % 3 {
        0 => {
            if let Ok(text) = std::str::from_utf8(rest) {
                file(text);
            }
        }
        1 => file(&format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
            BASE64
                .encode(rest)
                .as_bytes()
                .chunks(70)
                .map(|line| String::from_utf8_lossy(line).into_owned() + "\n")
                .collect::<String>()
                .trim_end()
        )),
        _ => agent(rest),
    }
});

fn file(text: &str) {
    // The reader of the header, which the program asks first, is stricter than the one of the
    // whole.
    let Ok(public) = PrivateKeyText::parse(text) else {
        return;
    };
    let Ok(key) = SigningKey::from_openssh(text) else {
        return;
    };
    assert!(!public.is_protected);
    assert_eq!(public.public, key.public());
    let signature = key.sign("test", b"message").expect("the key is here");
    assert_eq!(
        verify_for("test", &signature, b"message").as_ref(),
        Ok(&key.public())
    );
    let written = key.to_openssh().expect("the key is here");
    let again = SigningKey::from_openssh(&written).expect("it was written here");
    assert_eq!(again.public(), key.public());
    assert_eq!(again.comment(), key.comment());
}

/// Answers that were made up, one after the other.
struct Answers(Mutex<Vec<Vec<u8>>>);

impl Agent for Answers {
    fn ask(&self, _: &[u8], _: Awaited) -> Result<Vec<u8>, AgentError> {
        let mut answers = self.0.lock().expect("no thread panics");
        Ok(answers.pop().unwrap_or_default())
    }
}

fn agent(bytes: &[u8]) {
    let at = usize::from(bytes.first().copied().unwrap_or_default());
    let (one, other) = bytes.split_at(at.min(bytes.len()));
    let answers = Answers(Mutex::new(vec![
        other.to_vec(),
        one.get(1..).unwrap_or_default().to_vec(),
    ]));
    let public = SigningKey::from_seed(&[7; 32])
        .expect("32 bytes are a seed")
        .public();
    let Ok(key) = SigningKey::of_agent(public.clone(), "", Arc::new(answers)) else {
        return;
    };
    assert!(!key.comment().contains(char::is_control));
    if let Ok(signature) = key.sign("test", b"message") {
        assert_eq!(
            verify_for("test", &signature, b"message").as_ref(),
            Ok(&public)
        );
    }
}
