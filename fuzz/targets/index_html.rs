//! An index page in HTML.
#![no_main]

use ipwhl_fuzz::page;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| page::check(body, "text/html"));
