//! Compiled Python, which runs instead of the source that a reviewer reads.
//!
//! Python runs `__pycache__/m.cpython-312.pyc` instead of `m.py` beside that folder if its header
//! matches. The header has the time and size of the source, or since 3.7 the hash of the source,
//! which the author of the file can choose; or it disables the comparison (PEP 552). pip compiles
//! sources again by default, but not for `-O`; uv does not compile. Both give the sources the time
//! of the installation, so a header with a time matches only by accident.

use std::collections::BTreeSet;

use super::archive::Member;
use super::installed::installed;
use super::problems::{Problems, shown};

/// Refuses bytecode in a `__pycache__` that runs regardless of the source. The source may belong to
/// another project, so it is not looked for. Of 976 wheels of popular projects one has bytecode
/// there, with times; none has this kind.
pub(super) fn check_cached(member: &Member, head: Option<&[u8]>, problems: &mut Problems) {
    const HASH: u8 = 1;
    let flags = head.and_then(|head| head.get(4));
    if flags.is_some_and(|flags| flags & HASH != 0) {
        problems.archive(format!(
            "{} is bytecode that Python runs instead of a source file, whatever that says",
            member.shown()
        ));
    }
}

/// Refuses an `m.pyc` beside `m.py`: which of the two is imported depends on whether they are in a
/// folder or in a ZIP file. Of 976 wheels of popular projects none has it.
pub(super) fn check_sourceless(members: &[Member], problems: &mut Problems) {
    let sourceless = |member: &&Member| is_bytecode_name(&member.name) && !is_cached(&member.name);
    let mut sourceless = members.iter().filter(sourceless).peekable();
    if sourceless.peek().is_none() {
        return;
    }
    // Some file systems ignore case.
    let names: Vec<String> = members
        .iter()
        .map(|member| member.name.to_lowercase())
        .collect();
    let sources: BTreeSet<_> = names
        .iter()
        .filter(|name| name.strip_suffix(".py").is_some())
        .map(|name| installed(name))
        .collect();
    for member in sourceless {
        let (source, name) = (
            &member.name[..member.name.len() - 1],
            member.name.to_lowercase(),
        );
        if sources.contains(&installed(&name[..name.len() - 1])) {
            problems.archive(format!(
                "{} is bytecode that some importers run instead of {}",
                member.shown(),
                shown(source)
            ));
        }
    }
}

/// Whether it is bytecode in a `__pycache__`, in any case.
pub(super) fn is_cached(name: &str) -> bool {
    is_bytecode_name(name)
        && name
            .rsplit('/')
            .nth(1)
            .is_some_and(|folder| folder.eq_ignore_ascii_case("__pycache__"))
}

/// Whether a member of this name is bytecode: `m.pyc`, or `m.pyo` as Python 2 wrote it.
pub fn is_bytecode_name(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, ending)| {
        ["pyc", "pyo"]
            .iter()
            .any(|one| ending.eq_ignore_ascii_case(one))
    })
}

/// Whether a file begins like the bytecode of Python 3.3 and later, under any name: a number that
/// grows with every version, a line end, and since 3.7 flags, two of which are defined.
pub(super) fn is_bytecode(head: &[u8]) -> bool {
    matches!(head, [_, 0x0c..=0x0f, b'\r', b'\n', 0..=3, 0, 0, 0, ..])
}

#[cfg(test)]
mod tests {
    use super::is_bytecode;

    #[test]
    fn bytecode_is_known_by_its_first_bytes() {
        // Of Python 3.8 by time stamp, of 3.12 with an unchecked hash.
        assert!(is_bytecode(b"\x55\x0d\r\n\0\0\0\0\x5f\x5e"));
        assert!(is_bytecode(b"\xcb\x0d\r\n\x01\0\0\0\x5f\x5e"));
        assert!(!is_bytecode(b"\xcb\x0d\r\n"));
        assert!(!is_bytecode(b"a\x0d\r\nabcd"));
        assert!(!is_bytecode(b"import os\n"));
    }
}
