//! Numbers of bytes as text.

use std::fmt;

use unit_prefix::NumberPrefix;

/// A number of bytes for people, as in `15 B` and `1.46 KiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanBytes(pub u64);

impl fmt::Display for HumanBytes {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
        let number = self.0 as f64;
        match NumberPrefix::binary(number) {
            NumberPrefix::Standalone(number) => write!(formatter, "{number:.0} B"),
            NumberPrefix::Prefixed(prefix, number) => write!(formatter, "{number:.2} {prefix}B"),
        }
    }
}
