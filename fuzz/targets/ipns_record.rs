//! IPNS records. The first byte chooses: the record as it comes, or its CBOR, signed so that it is
//! read in earnest.
#![no_main]

use ipwhl::release::signature::{IpnsName, IpnsRecord, MAXIMUM_RECORD_SIZE, SigningKey};
use ipwhl_fuzz::node::{put_bytes, put_number};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let key = SigningKey::from_seed(&[7; 32]).expect("32 bytes are a seed");
    let name = IpnsName::of(&key.public()).expect("a key that is here has a name");
    let record = if first & 1 == 0 {
        rest.to_vec()
    } else {
        signed(&key, rest)
    };
    let Ok(read) = IpnsRecord::verify(&name, &record) else {
        return;
    };
    assert!(record.len() <= MAXIMUM_RECORD_SIZE);
    assert_eq!(read.bytes(), record);
    assert_eq!(read.name, name);
    let other = SigningKey::from_seed(&[8; 32]).expect("32 bytes are a seed");
    let other = IpnsName::of(&other.public()).expect("a key that is here has a name");
    assert!(
        IpnsRecord::verify(&other, &record).is_err(),
        "a record of two names"
    );
    assert_eq!(name.to_string().parse::<IpnsName>().as_ref(), Ok(&name));

    // What was read says the same when it is written again.
    let again = IpnsRecord::sign(&key, read.content.clone()).expect("the key is here");
    let again = IpnsRecord::verify(&name, again.bytes()).expect("it was signed here");
    assert_eq!(again.content, read.content);
    assert!(!again.content.supersedes(&read.content));
    let _ = read
        .content
        .root()
        .map(|root| assert!(read.content.value.contains(&root.to_string())));
});

/// A record with this data and its signature, as the newest writers make it: no other field.
fn signed(key: &SigningKey, data: &[u8]) -> Vec<u8> {
    let message = [b"ipns-signature:", data].concat();
    let signature = key.sign_ed25519(&message).expect("the key is here");
    let mut record = Vec::new();
    put_bytes(&mut record, 8, &signature);
    put_bytes(&mut record, 9, data);
    put_number(&mut record, 15, 1);
    record
}
