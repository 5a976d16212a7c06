//! `ipwhl fmt`, and that the canonical form is faithful whatever the text.

use std::sync::Arc;

use ipwhl::declaration::{Layout, Unformatted, formatted};

use crate::declarations::{Numbers, WORDS, shapes};

/// Words of TOML that the other mutations seldom make.
const SIGNS: &[&str] = &[
    "# note\n",
    " # end\n",
    "\n\n",
    ",",
    "\n#\n",
    "[ # a\n",
    "# b\n]",
    "\n[other] # c\n",
    "\na.b = 1 # d\n",
    "{ x = [1, # e\n 2] }",
    "\n[[wheel]] # f\n",
    "\n[wheel.inner]\n",
    "# g\r\n",
    "''",
    "\"\"\"\n# no comment\n\"\"\"",
    "\nextras.a = 1\n",
    "\n[[other]]\n# h\nx = 1\n",
    "\"dependencies\"",
    "\u{feff}",
    "{ # i\n}",
    "\n'wheel' = 3\n",
];

/// No text makes it panic, and none loses a comment or a value on the way to its canonical form,
/// which is its own.
#[test]
fn no_text_is_formatted_into_something_else() {
    let mut numbers = Numbers(0x1234_5678_9abc_def1);
    let shapes = shapes();
    let words: Vec<&str> = WORDS.iter().chain(SIGNS).copied().collect();
    let file: Arc<str> = Arc::from("declarations/plum.toml");
    let (mut done, mut refused) = (0, 0);
    for round in 0..20_000_usize {
        let words: &[&str] = if round % 2 == 0 { SIGNS } else { &words };
        let text = numbers.mutate(&shapes[round % shapes.len()], words);
        for layout in [Layout::Package, Layout::Ipwhl1] {
            match formatted(&file, &text, layout) {
                Ok(once) => {
                    done += 1;
                    let twice = formatted(&file, &once, layout);
                    assert_eq!(twice.ok(), Some(once), "from {text:?}");
                }
                Err(Unformatted::Syntax(findings)) => {
                    refused += 1;
                    assert!(!findings.is_empty(), "{text:?}");
                }
                Err(Unformatted::Unfaithful(what)) => panic!("{what} of {text:?} in {layout:?}"),
            }
        }
    }
    assert!(done > 4_000 && refused > 4_000, "{done} {refused}");
}
