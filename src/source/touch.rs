//! The last use of a file, stored as its modification time.

use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime};

/// How old the record of a last use may be before it is renewed. Once a day is precise enough, and
/// costs nothing in between.
const FRESH: Duration = Duration::from_hours(24);

/// Sets the time of the last use in the file itself, unless it is of the last day.
pub(super) fn touch(file: &File, modified: io::Result<SystemTime>) {
    let is_fresh =
        modified.is_ok_and(|modified| modified.elapsed().map_or(true, |age| age < FRESH));
    if !is_fresh {
        // If it cannot be set, the file counts as older.
        let _ = file.set_modified(SystemTime::now());
    }
}
