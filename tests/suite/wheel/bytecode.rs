//! Bytecode in wheels: what real Pythons run, and what is refused.

use std::path::Path;
use std::process::Command;

use ipwhl::set::difference::{Risk, member_changes};
use ipwhl_packaging::wheel::{Limits, members};

use super::{click, problems};
use crate::support::installers::{INSTALLERS, install};
use crate::support::tool;
use crate::support::wheel_builder::WheelBuilder;

const SOURCE: &str = "text = 'source'\n";

/// What a line of Python prints.
#[track_caller]
fn python(arguments: &[&str], line: &str) -> String {
    let mut command = Command::new(tool("python3"));
    // It writes no bytecode of its own.
    command
        .args(["-I", "-B"])
        .args(arguments)
        .args(["-c", line]);
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Bytecode with other contents than [`SOURCE`] has, with the header that `header` makes of `code`
/// and `source`.
fn bytecode(header: &str) -> Vec<u8> {
    let program = format!(
        "import importlib._bootstrap_external as b, importlib.util as u; source = {SOURCE:?}.encode(); \
         code = compile('text = \\'bytecode\\'', 'plum.py', 'exec'); print(({header}).hex())"
    );
    data_encoding::HEXLOWER
        .decode(python(&[], &program).as_bytes())
        .unwrap()
}

fn unchecked() -> Vec<u8> {
    bytecode("b._code_to_hash_pyc(code, bytes(8), False)")
}

/// What `plum.text` is to a Python that imports from this folder or archive.
fn imported(path: &Path, flags: &[&str]) -> String {
    let line = "import sys; sys.path.insert(0, sys.argv[1]); import plum; print(plum.text)";
    let line = line.replace("sys.argv[1]", &format!("{:?}", path.to_str().unwrap()));
    python(flags, &line)
}

#[test]
fn bytecode_that_runs_instead_of_its_source_is_refused() {
    let tag = python(&[], "import sys; print(sys.implementation.cache_tag)");
    let fitting = bytecode("b._code_to_hash_pyc(code, u.source_hash(source), True)");
    let timed = bytecode("b._code_to_timestamp_pyc(code, 315532800, len(source))");
    let [plain, optimized] =
        ["", ".opt-1"].map(|level| format!("__pycache__/plum.{tag}{level}.pyc"));
    let no_compile = &["--no-compile"][..];
    for (name, bytes, flags, more, runs) in [
        (&plain, unchecked(), &[][..], no_compile, true),
        (&plain, fitting, &[], no_compile, true),
        // pip compiles, but not for `-O`.
        (&optimized, unchecked(), &["-O"], &[], true),
        // Of the time when the archive was made; the source has the time of the installation.
        (&plain, timed, &[], no_compile, false),
    ] {
        let builder = WheelBuilder::new("plum", "1.0")
            .member("plum.py", SOURCE)
            .member(name, bytes);
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join(builder.file_name());
        std::fs::write(&wheel, builder.build()).unwrap();
        for installer in INSTALLERS {
            let target = folder.path().join(installer);
            let output = install(installer, &wheel, &target, more);
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{error}");
            let expected = if runs { "bytecode" } else { "source" };
            assert_eq!(imported(&target, flags), expected, "{installer} {name}");
        }
        let refused = format!(
            "archive: `{name}` is bytecode that Python runs instead of a source file, whatever that says"
        );
        let expected = if runs { vec![refused] } else { Vec::new() };
        assert_eq!(problems(&builder), expected, "{name}");
    }
}

#[test]
fn bytecode_beside_its_source_runs_out_of_an_archive_and_is_refused() {
    let builder = WheelBuilder::new("plum", "1.0")
        .member("plum.py", SOURCE)
        .member("plum.pyc", unchecked());
    let folder = tempfile::tempdir().unwrap();
    let wheel = folder.path().join(builder.file_name());
    std::fs::write(&wheel, builder.build()).unwrap();
    assert_eq!(imported(&wheel, &[]), "bytecode");
    assert_eq!(
        problems(&builder),
        ["archive: `plum.pyc` is bytecode that some importers run instead of `plum.py`"]
    );
}

#[test]
fn bytecode_is_looked_for_where_it_is_installed() {
    let cached = "is bytecode that Python runs instead of a source file, whatever that says";
    for path in [
        "click-8.1.7.data/purelib/click/__pycache__/core.cpython-312.pyc",
        "click-8.1.7.data/data/lib/python3.12/site-packages/click/__pycache__/core.cpython-312.opt-2.pyc",
        "click/__PyCache__/CORE.cpython-312.PYC",
        // The source is another project's.
        "requests/__pycache__/api.cpython-312.pyc",
    ] {
        for flags in [1, 3] {
            let bytes = [b"\xcb\x0d\r\n", &[flags, 0, 0, 0][..], &[0; 8]].concat();
            assert_eq!(
                problems(&click().member(path, bytes)),
                [format!("archive: `{path}` {cached}")]
            );
        }
        let timed = [b"\xcb\x0d\r\n", &[0; 12][..]].concat();
        assert_eq!(problems(&click().member(path, timed)), [""; 0], "{path}");
    }
    for path in [
        "click/core.pyc",
        "click/Core.PYC",
        "click-8.1.7.data/platlib/click/core.pyc",
        "click-8.1.7.data/data/Lib/site-packages/click/core.pyo",
    ] {
        let source = &path[..path.len() - 1];
        assert_eq!(
            problems(&click().member(path, b"")),
            [format!(
                "archive: `{path}` is bytecode that some importers run instead of `{source}`"
            )]
        );
    }
    // Bytecode without its source runs, and is for `diff` to mark.
    for path in [
        "click/other.pyc",
        "core.pyc",
        "click-8.1.7.data/data/click/core.pyc",
    ] {
        assert_eq!(problems(&click().member(path, b"")), [""; 0], "{path}");
    }
}

#[test]
fn bytecode_is_a_risk_of_its_own_under_whatever_name() {
    let bytes = click()
        .member("click/other.pyc", b"")
        .member("click/data.bin", b"\xcb\x0d\r\n\x01\0\0\0\0\0\0\0")
        .build();
    let read = members(&mut std::io::Cursor::new(&bytes), &Limits::default());
    let changes = member_changes(None, &read.unwrap().unwrap());
    let paths: Vec<&str> = changes
        .of(Risk::Bytecode)
        .map(|one| one.path.as_str())
        .collect();
    assert_eq!(paths, ["click/data.bin", "click/other.pyc"]);
}
