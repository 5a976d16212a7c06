//! The last use of a file, stored as its modification time.

use std::fs::File;
use std::io;
use std::time::{Duration, SystemTime};

/// The age at which the record of the last use is renewed. Once a day is precise enough, and in
/// between a use writes nothing.
const FRESH: Duration = Duration::from_hours(24);

/// Sets the modification time of a file to now, unless it is less than a day old.
pub(super) fn touch(file: &File, modified: io::Result<SystemTime>) {
    let is_fresh =
        modified.is_ok_and(|modified| modified.elapsed().map_or(true, |age| age < FRESH));
    if !is_fresh {
        // If it cannot be set, the file counts as older.
        let _ = file.set_modified(SystemTime::now());
    }
}
