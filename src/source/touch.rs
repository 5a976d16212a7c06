//! The last use of a file, kept as the time of its last change.

use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime};

/// How old the note of a last use may be before it is written anew: once a day is enough to know
/// what was not used for long, and costs the runs between nothing.
const FRESH: Duration = Duration::from_hours(24);

/// Notes in the file itself that it was used now, unless it says so of the last day.
pub(super) fn touch(file: &File, modified: io::Result<SystemTime>) {
    let is_fresh =
        modified.is_ok_and(|modified| modified.elapsed().map_or(true, |age| age < FRESH));
    if !is_fresh {
        // Where it cannot be noted, the file counts as used less lately than it was.
        let _ = file.set_modified(SystemTime::now());
    }
}
