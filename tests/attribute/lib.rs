//! The `#[test]` of the suite: it registers a function with the suite's own harness.
//!
//! libtest cannot report a test that skips itself while it runs, so the suite has its own `main`. With
//! `harness = false` the compiler drops functions under its own `#[test]`. The suite therefore takes
//! this attribute in by `#[macro_use] extern crate`, which shadows the compiler's attribute in every
//! module: a test is written as anywhere else, and none can be left out.

use proc_macro::{TokenStream, TokenTree};

/// Registers the function as a test, under its path.
#[proc_macro_attribute]
pub fn test(arguments: TokenStream, function: TokenStream) -> TokenStream {
    let mut words = function
        .clone()
        .into_iter()
        .filter_map(|token| match token {
            TokenTree::Ident(word) => Some(word.to_string()),
            _ => None,
        });
    let name = words.by_ref().skip_while(|word| word != "fn").nth(1);
    let (Some(name), true) = (name, arguments.is_empty()) else {
        return "compile_error!(\"`#[test]` takes no argument and stands before a function\");"
            .parse()
            .unwrap_or_default();
    };
    let registration = format!(
        "::inventory::submit! {{
            crate::harness::Test::new(::core::module_path!(), {name:?}, {name})
        }}"
    );
    let registration: TokenStream = registration.parse().unwrap_or_default();
    [function, registration].into_iter().collect()
}
