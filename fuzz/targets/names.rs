//! Small texts with a grammar of their own: names of wheels, tags, platforms, CIDs, sources,
//! lifetimes.
#![no_main]

use std::fmt::Display;
use std::str::FromStr;

use ipwhl::release::signature::IpnsName;
use ipwhl::release::statement::parse_lifetime;
use ipwhl::set::declaration::Source;
use ipwhl_packaging::{ExtraName, Platform, ProjectName, Tag, WheelFileName, common_installer};
use ipwhl_unixfs::{Cid, Profile, Sha256Digest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    if let Some(cid) = exact::<Cid>(text) {
        assert_eq!(Cid::from_bytes(&cid.to_bytes()), Ok(cid));
        assert_eq!(cid.to_bytes().len(), cid.byte_length());
    }
    if let Ok((cid, rest)) = Cid::read(bytes) {
        assert!(bytes.starts_with(&cid.to_bytes()) && bytes.ends_with(rest));
        assert_eq!(exact::<Cid>(&cid.to_string()), Some(cid));
    }
    if let Some(digest) = normal::<Sha256Digest>(text) {
        assert!(digest.to_string().eq_ignore_ascii_case(text));
    }
    // It may have `/ipns/` before it.
    normal::<IpnsName>(text);
    exact::<Profile>(text);
    normal::<ProjectName>(text);
    normal::<ExtraName>(text);
    normal::<Tag>(text);
    if let Some(name) = exact::<WheelFileName>(text) {
        assert!(!name.tags().is_empty() && name.tags().len() <= 1_000);
        assert!(name.tags().is_sorted_by(|one, other| one < other));
        assert_eq!(format!("{}.whl", name.stem()), text);
        assert!(
            !text.contains(['/', '\\', '\0', '\n']),
            "a name that is a path"
        );
    }
    if let Ok(tags) = Tag::expand(text) {
        assert!(!tags.is_empty() && tags.len() <= 1_000);
        for pair in tags.windows(2).take(8) {
            assert!(pair[0] < pair[1]);
            let common = common_installer(&pair[0], &pair[1]);
            assert_eq!(
                common.is_some(),
                common_installer(&pair[1], &pair[0]).is_some()
            );
        }
    }
    if let Ok(source) = Source::parse(text) {
        let shown = source.to_string();
        let again = Source::parse(&shown);
        assert_eq!(again.as_ref(), Ok(&source), "{shown}");
        assert_eq!(
            source.file_name(),
            again.expect("just compared").file_name()
        );
        if let Source::File(path) = &source {
            assert!(!path.starts_with('/'));
            assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")));
        }
    }
    if let Some((python, system)) = text.split_once('-')
        && let Ok(platform) = Platform::parse(python, system)
    {
        assert_eq!(platform.system(), system);
        let name = platform.to_string();
        let (python, system) = name.split_once('-').expect("a platform has a dash");
        let floor = Platform::parse(
            &format!(
                "{python}>=3.{}.{}",
                &python[3..].trim_end_matches('t'),
                platform.floor()
            ),
            system,
        );
        assert_eq!(
            floor.as_ref().ok().map(ToString::to_string),
            Some(name.clone())
        );
        for tag in [
            "py3-none-any",
            "cp311-cp311-manylinux_2_17_x86_64",
            "cp38-abi3-win_amd64",
        ] {
            platform.accepts(&tag.parse().expect("a tag"));
        }
    }
    if let Ok(lifetime) = parse_lifetime(text) {
        assert!(lifetime.is_positive());
    }
});

/// A value whose text is the only one that it has.
fn exact<T: FromStr + Display + PartialEq>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    assert_eq!(value.to_string(), text);
    Some(value)
}

/// A value whose text may be spelt in several ways, one of which is its own.
fn normal<T: FromStr + Display + PartialEq + std::fmt::Debug>(text: &str) -> Option<T> {
    let value: T = text.parse().ok()?;
    let again = exact::<T>(&value.to_string());
    assert_eq!(again.as_ref(), Some(&value));
    Some(value)
}
