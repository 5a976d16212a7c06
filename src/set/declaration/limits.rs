//! Limits for one declaration. Anyone can propose a change, and the work on a declaration grows
//! with its contents, for each of its wheels. The largest real declarations have some hundred
//! wheels, five hundred extras and a thousand dependencies.

use super::DeclaredWheel;
use crate::foundation::diagnostic::{Code, Finding};

/// The largest declaration, in bytes, in a repository and in a release. A parsed declaration takes
/// a hundred times as much memory.
pub const LARGEST_DECLARATION: u64 = 1 << 20;
/// The most wheels of a project.
pub(super) const MOST_WHEELS: usize = 500;
/// The most sources of a wheel.
pub(super) const MOST_SOURCES: usize = 100;
/// The most extras of a wheel.
pub(super) const MOST_EXTRAS: usize = 1_000;
/// The most entries of a list, such as the list of dependencies.
pub(super) const LONGEST_LIST: usize = 10_000;
/// The longest text of one value, in bytes.
pub(super) const LONGEST_TEXT: usize = 16 * 1024;
/// The most extras and dependencies of all wheels of a project; shared ones count for each wheel.
const MOST_ENTRIES: usize = 20_000;
/// The most bytes of these extras and dependencies.
const MOST_BYTES: usize = 4 * 1024 * 1024;
/// The most comparisons in the markers of all wheels, counted for each extra that they are
/// evaluated with.
const MOST_COMPARISONS: usize = 200_000;
/// The most evaluations without a definite result: an extra with a marker that compares `extra` by
/// another operator than `==`. No index uses such markers.
const MOST_OPEN_QUESTIONS: usize = 5_000;
/// The most tags of all wheels of a project.
const MOST_TAGS: usize = 2_000;

/// The counts for the wheels of a project.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    wheels: usize,
    entries: usize,
    bytes: usize,
    comparisons: usize,
    open: usize,
    tags: usize,
}

impl Tally {
    /// Counts a wheel. Returns a finding if its project exceeds a limit now.
    pub(crate) fn add(&mut self, wheel: &DeclaredWheel) -> Option<Finding> {
        self.wheels += 1;
        self.tags += wheel.tags().len();
        self.entries += wheel.extras.len() + wheel.dependencies.len();
        let extras = wheel.extras.iter().map(|extra| &extra.span);
        let dependencies = wheel.dependencies.iter().map(|one| &one.span);
        let spans = extras.chain(dependencies);
        self.bytes += spans.map(ExactSizeIterator::len).sum::<usize>();
        self.comparisons += wheel
            .only
            .as_ref()
            .map_or(0, |only| only.value.comparisons());
        let markers = wheel
            .dependencies
            .iter()
            .filter_map(|one| one.value.marker.as_ref());
        for marker in markers {
            let named = marker.named_extras().map(|named| named.len());
            self.open += named.map_or(wheel.extras.len(), |_| 0);
            self.comparisons += marker.comparisons() * (1 + named.unwrap_or(wheel.extras.len()));
        }
        [
            (self.wheels, MOST_WHEELS, "wheels"),
            (self.tags, MOST_TAGS, "tags of wheels"),
            (
                self.entries,
                MOST_ENTRIES,
                "extras and dependencies, counting shared ones for each wheel",
            ),
            (
                self.bytes,
                MOST_BYTES,
                "bytes of extras and dependencies, counting shared ones for each wheel",
            ),
            (
                self.comparisons,
                MOST_COMPARISONS,
                "comparisons of markers, counting each for every extra that it is evaluated with",
            ),
            (
                self.open,
                MOST_OPEN_QUESTIONS,
                "extras with markers that compare `extra` by another operator than `==`",
            ),
        ]
        .into_iter()
        .find(|(count, most, _)| count > most)
        .map(|(_, most, what)| {
            let project = wheel.file_name.name();
            Finding::new(
                Code::TooLarge,
                format!("`{project}` has more than {most} {what}"),
            )
            .at(&wheel.file, wheel.span(), "too much from here on")
            .project(project)
            .help("declare only the wheels, extras and dependencies that the supported platforms need")
        })
    }
}
