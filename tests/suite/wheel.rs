//! Wheels: what `ipwhl::wheel::inspect` finds in good and in broken archives.

use crate::support::wheel_builder::{Compression, WheelBuilder};

/// A small wheel of two members that nothing is wrong with.
fn click() -> WheelBuilder {
    WheelBuilder::new("click", "8.1.7")
        .requires("colorama; platform_system == 'Windows'")
        .requires_python(">=3.7")
        .member("click/__init__.py", b"print('hello')\n")
        .member("click/core.py", vec![b'x'; 5000])
}

#[test]
fn the_builder_is_deterministic_and_an_outside_reader_accepts_its_wheels() {
    for builder in [
        click(),
        click().directory_entries(),
        click().data_descriptors(),
        click().compression(Compression::Stored),
    ] {
        assert_eq!(builder.build(), builder.build());
        assert_eq!(builder.file_name(), "click-8.1.7-py3-none-any.whl");
        let Some(unzip) = crate::support::tool("unzip") else {
            return;
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(builder.file_name());
        std::fs::write(&path, builder.build()).unwrap();
        let status = std::process::Command::new(unzip)
            .arg("-tqq")
            .arg(&path)
            .status()
            .unwrap();
        assert!(status.success());
    }
}
