//! A connection that is closed if the client receives too slowly.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

use super::limits::Limits;
use super::places::Place;

/// The most unsent bytes in a socket, if the system allows setting this. Without it Linux buffers
/// up to 4 MiB and reports room only when a third of that is free, which takes 35 seconds for a
/// client at 40 kB/s. Bytes in transit to the client are not limited, so that fast clients stay
/// fast.
#[cfg(any(target_os = "android", target_os = "linux"))]
const UNSENT_BYTES: u32 = 64 * 1024;

/// A TCP connection on which writing fails when the client falls too far behind a minimum rate.
///
/// The client has a time allowance. While bytes wait for it the allowance shrinks; each byte that
/// it receives restores the time that the byte may take, up to the whole allowance.
pub(super) struct TimedStream {
    stream: TcpStream,
    place: Arc<Place>,
    whole_allowance: Duration,
    minimum_rate: u64,
    allowance: Duration,
    timer: Pin<Box<Sleep>>,
    /// The time since which a write has been waiting.
    waiting_since: Option<Instant>,
}

impl TimedStream {
    pub(super) fn new(stream: TcpStream, place: Arc<Place>, limits: &Limits) -> Self {
        #[cfg(any(target_os = "android", target_os = "linux"))]
        // If the system refuses it, a client is still safe if it receives a third of a buffer in
        // time.
        let _ = socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES);
        Self {
            stream,
            place,
            whole_allowance: limits.write_time,
            minimum_rate: limits.minimum_rate.max(1),
            allowance: limits.write_time,
            timer: Box::pin(sleep(limits.write_time)),
            waiting_since: None,
        }
    }

    /// Passes on the result of a write, and updates the client's allowance.
    fn timed(
        &mut self,
        context: &mut Context<'_>,
        poll: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let now = Instant::now();
        if let Poll::Ready(Ok(count)) = poll {
            if let Some(since) = self.waiting_since.take() {
                self.allowance = self.allowance.saturating_sub(now - since);
            }
            // A count that does not fit restores the whole allowance anyway.
            let millis = (count as u64).saturating_mul(1000) / self.minimum_rate;
            let earned = Duration::from_millis(millis);
            self.allowance = self.whole_allowance.min(self.allowance + earned);
        }
        if poll.is_ready() {
            return poll;
        }
        if self.waiting_since.is_none() {
            self.waiting_since = Some(now);
            self.timer.as_mut().reset(now + self.allowance);
        }
        ready!(self.timer.as_mut().poll(context));
        // Otherwise the system would keep the unsent bytes until this client receives them.
        let _ = socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.timed(context, poll)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.timed(context, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    // hyper flushes the layer below after its own bytes are written. A socket has nothing to flush.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.place.flushed();
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
