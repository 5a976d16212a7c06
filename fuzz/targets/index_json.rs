//! An index page in JSON.
#![no_main]

use ipwhl_fuzz::page;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| page::check(body, "application/vnd.pypi.simple.v1+json"));
