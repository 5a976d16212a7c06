//! Little-endian numbers from a slice that may be too short.

/// A cursor over a record; `None` if the bytes end first.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl<'a> Fields<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }
}

/// The first signature of a record in these bytes, in printable form; all are `PK` and two small
/// numbers.
pub(super) fn signature_in(bytes: &[u8]) -> Option<String> {
    let signature = bytes
        .windows(4)
        .find(|four| four.starts_with(b"PK") && four[2..].iter().all(|byte| *byte < 0x10))?;
    let [.., third, fourth] = signature else {
        return None;
    };
    Some(format!("`PK\\x{third:02x}\\x{fourth:02x}`"))
}
