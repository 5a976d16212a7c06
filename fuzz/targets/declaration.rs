//! A declaration: its findings lie in the text and can be shown, its canonical form says the same.
#![no_main]

use std::sync::Arc;

use ipwhl::set::declaration::{
    Declaration, Layout, Unformatted, canonical_in, formatted, parse, write_declaration,
};
use ipwhl_fuzz::findings;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    check(text, Layout::Package, "declarations/x.toml");
    check(text, Layout::Ipwhl1, "pkgs/x/x/x-1.0-py3-none-any.toml");
});

fn check(text: &str, layout: Layout, file: &str) {
    let file: Arc<str> = file.into();
    let parsed = parse(&file, text, layout);
    findings::check(&parsed.findings, &file, text);
    let has_errors = parsed
        .findings
        .iter()
        .any(|finding| finding.code.as_str() == "syntax");

    match formatted(&file, text, layout) {
        Err(Unformatted::Unfaithful(what)) => panic!("the canonical form would lose {what}"),
        Err(Unformatted::Syntax(found)) => findings::check(&found, &file, text),
        Ok(canonical) => {
            let again = canonical_in(&canonical, layout);
            assert_eq!(
                again.as_deref(),
                Some(canonical.as_str()),
                "a canonical form of another form"
            );
            assert!(!canonical.contains('\r') || text.contains('\r'));
            let reparsed = parse(&file, &canonical, layout);
            if !has_errors {
                let mut wheels: Vec<_> = parsed.wheels.iter().collect();
                let mut others: Vec<_> = reparsed.wheels.iter().collect();
                assert_eq!(wheels.len(), others.len());
                wheels.sort_by_key(|wheel| wheel.file_name.as_str());
                others.sort_by_key(|wheel| wheel.file_name.as_str());
                let same = wheels
                    .iter()
                    .zip(&others)
                    .all(|(one, other)| one.says_the_same(other));
                assert!(
                    same || has_twins(&wheels),
                    "a canonical form that says something else"
                );
            }
        }
    }

    let is_clean = parsed.findings.is_empty() && !parsed.wheels.is_empty();
    if is_clean && layout == Layout::Package {
        let mut wheels = parsed.wheels;
        wheels.sort_by(|one, other| one.file_name.cmp(&other.file_name));
        let declaration = Declaration {
            project: wheels[0].file_name.name().clone(),
            file: Arc::clone(&file),
            automatic: parsed.automatic,
            automatic_span: None,
            provenance: parsed.provenance.clone(),
            wheels,
        };
        let written = write_declaration(&declaration);
        let reparsed = parse(&file, &written, layout);
        assert!(
            reparsed.findings.is_empty(),
            "{written}\n{:?}",
            reparsed.findings
        );
        assert_eq!(reparsed.automatic, declaration.automatic);
        let mut others: Vec<_> = reparsed.wheels.iter().collect();
        others.sort_by(|one, other| one.file_name.cmp(&other.file_name));
        let same = declaration
            .wheels
            .iter()
            .zip(others)
            .all(|(one, other)| one.says_the_same(other));
        assert!(same || has_twins(&declaration.wheels.iter().collect::<Vec<_>>()));
        assert_eq!(
            canonical_in(&written, layout).as_deref(),
            Some(written.as_str())
        );
    }
}

/// Whether two wheels have one file name, so that their order says nothing.
fn has_twins(wheels: &[&ipwhl::set::declaration::DeclaredWheel]) -> bool {
    let mut names: Vec<_> = wheels
        .iter()
        .map(|wheel| wheel.file_name.as_str())
        .collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}
