//! The bytes of the archive, read one after another.

use std::io::{self, BufReader, Read, Seek, SeekFrom};

/// The size of reads from the file, in bytes.
const READ_SIZE: usize = 256 << 10;

/// The number of bytes to read of a member to find its kind.
pub(super) const HEAD: usize = 64;

/// The file, read in large pieces. It tracks its position, so that sequential reads need no seek.
pub(super) struct Source<'a, R> {
    inner: BufReader<&'a mut R>,
    position: u64,
}

impl<'a, R: Read + Seek> Source<'a, R> {
    pub(super) fn new(reader: &'a mut R) -> io::Result<Self> {
        reader.seek(SeekFrom::Start(0))?;
        Ok(Self {
            inner: BufReader::with_capacity(READ_SIZE, reader),
            position: 0,
        })
    }

    pub(super) fn go_to(&mut self, place: u64) -> io::Result<()> {
        if place != self.position {
            let ahead = place.checked_sub(self.position);
            match ahead.and_then(|ahead| i64::try_from(ahead).ok()) {
                Some(ahead) => self.inner.seek_relative(ahead)?,
                None => {
                    self.inner.seek(SeekFrom::Start(place))?;
                }
            }
            self.position = place;
        }
        Ok(())
    }

    pub(super) fn next_bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

impl<R: Read> Read for Source<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}
