//! Requirements and, in them, markers and specifiers: the canonical text is read as the same, and
//! markers are decided the same.
#![no_main]

use ipwhl_packaging::{
    Constraint, Marker, MarkerEnvironment, Platform, Requirement, Truth, Version, parse_specifiers,
    same_specifiers, specifiers_contain, specifiers_text,
};
use libfuzzer_sys::fuzz_target;

const VERSIONS: [&str; 12] = [
    "0",
    "1",
    "1.0.post1",
    "1.0a1",
    "1.0.dev0",
    "1!1",
    "2.0+local.1",
    "1.2.3",
    "3.11.5",
    "9999999999999999999",
    "1.1.1",
    "3.12",
];

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    match text.parse::<Requirement>() {
        Ok(requirement) => check_requirement(&requirement),
        Err(error) => {
            assert!(text.get(error.span.clone()).is_some(), "{error:?}");
            assert!(!error.message.contains('\n'));
        }
    }
    match text.parse::<Marker>() {
        Ok(marker) => check_marker(&marker),
        Err(error) => assert!(text.get(error.span.clone()).is_some(), "{error:?}"),
    }
    match parse_specifiers(text) {
        Ok(specifiers) => {
            let canonical = specifiers_text(&specifiers);
            let again = parse_specifiers(&canonical).expect("a canonical text is one");
            assert!(same_specifiers(&specifiers, &again), "{canonical}");
            assert_eq!(specifiers_text(&again), canonical);
            for version in VERSIONS {
                let version: Version = version.parse().expect("a version");
                assert_eq!(
                    specifiers_contain(&specifiers, &version),
                    specifiers_contain(&again, &version),
                    "{canonical} and {version}"
                );
            }
        }
        Err(error) => assert!(text.get(error.span.clone()).is_some(), "{error:?}"),
    }
});

fn check_requirement(requirement: &Requirement) {
    let canonical = requirement.to_string();
    let again: Requirement = canonical.parse().expect("a canonical text is one");
    assert_eq!(*requirement, again, "{canonical}");
    assert_eq!(requirement.cmp(&again), std::cmp::Ordering::Equal);
    assert_eq!(again.to_string(), canonical);
    if let Constraint::Url(url) = &requirement.constraint {
        assert!(!url.contains(char::is_whitespace));
    }
    if let Some(marker) = &requirement.marker {
        check_marker(marker);
    }
}

fn check_marker(marker: &Marker) {
    let canonical = marker.to_string();
    let again: Marker = canonical.parse().expect("a canonical text is one");
    assert_eq!(*marker, again, "{canonical}");
    assert_eq!(again.to_string(), canonical);
    assert_eq!(
        marker.undefined_comparisons(),
        again.undefined_comparisons()
    );
    let extra = "b".parse().expect("a name");
    let unknown = MarkerEnvironment::unknown();
    let anywhere = marker.evaluate(&unknown, None);
    for (python, system) in [
        ("cp311>=3.11.5", "manylinux_2_28_x86_64"),
        ("cp313t", "win_amd64"),
        ("pp311", "macosx_12_0_arm64"),
    ] {
        let platform = Platform::parse(python, system).expect("a platform");
        let environment = MarkerEnvironment::for_platform(&platform);
        for extra in [None, Some(&extra)] {
            let truth = marker.evaluate(&environment, extra);
            assert_eq!(truth, again.evaluate(&environment, extra), "{canonical}");
            if extra.is_none() && anywhere != Truth::Unknown {
                assert_eq!(
                    truth, anywhere,
                    "{canonical}: what is known of every platform holds on each"
                );
            }
        }
    }
}
