//! Requests to a program on this machine over a socket, such as an SSH agent.

use std::io::{self, Read, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Sends a message to the program that listens at `socket`, and returns its answer. Both begin with
/// their length in four bytes, big-endian.
///
/// # Errors
/// [`io::ErrorKind::TimedOut`] if no whole answer came in time; [`io::ErrorKind::InvalidData`] for
/// an answer of more than `largest` bytes or of none; otherwise the error of the system.
pub fn exchange(
    socket: &Path,
    message: &[u8],
    largest: usize,
    patience: Duration,
) -> io::Result<Vec<u8>> {
    let mut stream = TimedStream {
        stream: connect(socket)?,
        // A deadline that the clock cannot represent never comes.
        end: Instant::now().checked_add(patience),
    };
    let length = u32::try_from(message.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), message].concat())?;
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length == 0 || length > largest {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("an answer of {length} bytes"),
        ));
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

/// A stream with one deadline for all its reads and writes.
struct TimedStream {
    stream: Stream,
    end: Option<Instant>,
}

impl TimedStream {
    fn remaining(&self) -> io::Result<Option<Duration>> {
        let Some(end) = self.end else {
            return Ok(None);
        };
        match end.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            remaining => Ok(Some(remaining)),
        }
    }
}

/// The error of an expired timeout, which differs between systems.
fn timed(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::WouldBlock => io::ErrorKind::TimedOut.into(),
        _ => error,
    }
}

impl Read for TimedStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let remaining = self.remaining()?;
        #[cfg(unix)]
        self.stream.set_read_timeout(remaining)?;
        #[cfg(not(unix))]
        let _ = remaining;
        self.stream.read(buffer).map_err(timed)
    }
}

impl Write for TimedStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let remaining = self.remaining()?;
        #[cfg(unix)]
        self.stream.set_write_timeout(remaining)?;
        #[cfg(not(unix))]
        let _ = remaining;
        self.stream.write(bytes).map_err(timed)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

#[cfg(unix)]
type Stream = std::os::unix::net::UnixStream;

/// On other systems, a named pipe is a file.
#[cfg(not(unix))]
type Stream = std::fs::File;

#[cfg(unix)]
fn connect(socket: &Path) -> io::Result<Stream> {
    Stream::connect(socket)
}

#[cfg(not(unix))]
fn connect(socket: &Path) -> io::Result<Stream> {
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(socket)
}
