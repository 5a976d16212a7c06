//! Connections: accepted, limited, served, and ended in good order.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::CONTENT_LENGTH;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use super::answer::{Answer, Asked, Content, Site, words};
use super::store::{BlockStore, FileRange};
use super::timed_stream::TimedStream;
use crate::car::CarError;
use crate::dag::Cid;

/// The most bytes of a request's first line and headers; hyper answers 431 to more.
const MAXIMUM_HEADER_SIZE: usize = 32 * 1024;

/// How long accepting rests after an error, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

type Body = UnsyncBoxBody<Bytes, CarError>;

/// What a client may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Connections at a time; more of them wait.
    pub connections: usize,
    /// How long the headers of a request may take, and how long a connection may idle between two.
    pub header_time: Duration,
    /// How long a client may take none of the bytes that wait for it.
    pub write_time: Duration,
    /// How long responses may go on after the end was asked for.
    pub shutdown_time: Duration,
}

impl Default for Limits {
    /// 128 connections (an installer opens up to 50), 30 seconds each for headers and for writing,
    /// 5 seconds for the end.
    fn default() -> Self {
        Self {
            connections: 128,
            header_time: Duration::from_secs(30),
            write_time: Duration::from_secs(30),
            shutdown_time: Duration::from_secs(5),
        }
    }
}

/// One request and what became of it, when its headers are about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The method, as the client wrote it.
    pub method: String,
    /// Path and query, as the client wrote them: printable ASCII, or UTF-8 that nobody has checked.
    pub target: String,
    /// The status.
    pub status: u16,
    /// How many bytes the body has, where the answer says so.
    pub length: Option<u64>,
}

type Observer = Arc<dyn Fn(&RequestRecord) + Send + Sync>;

/// A gateway that is not listening yet.
#[derive(Clone)]
pub struct Gateway {
    site: Site,
    limits: Limits,
    observer: Option<Observer>,
}

/// Serves a release on a listener until `shutdown` is ready, with the default limits: see
/// [`Gateway::serve`].
pub async fn serve(
    listener: TcpListener,
    store: Arc<BlockStore>,
    root: Cid,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    Gateway::new(store, root).serve(listener, shutdown).await
}

impl Gateway {
    /// A gateway to a store. `/` leads to `root`; every other CID in the store is served, too.
    pub fn new(store: Arc<BlockStore>, root: Cid) -> Self {
        Self {
            site: Site { store, root },
            limits: Limits::default(),
            observer: None,
        }
    }

    /// The same gateway with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same gateway, which tells of each request. The function is called on the threads that
    /// serve, so it should return soon.
    #[must_use]
    pub fn on_request(mut self, observer: impl Fn(&RequestRecord) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Serves until `shutdown` is ready; then no connection is accepted, and responses that are
    /// under way have [`Limits::shutdown_time`] to end. An error is one of the listener's own.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        listener.local_addr()?;
        let room = Arc::new(Semaphore::new(self.limits.connections));
        let (stop, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            let accepted = async {
                // Closed only by dropping it, and it lives as long as this loop.
                let permit = Arc::clone(&room).acquire_owned().await.ok();
                (listener.accept().await, permit)
            };
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                (accepted, permit) = accepted => match accepted {
                    Ok((stream, _)) => {
                        let (gateway, stopped) = (self.clone(), stopped.clone());
                        connections.spawn(async move {
                            gateway.connection(stream, stopped).await;
                            drop(permit);
                        });
                    }
                    Err(_) => sleep(ACCEPT_PAUSE).await,
                },
            }
        }
        drop(listener);
        // Nobody listens any more where every connection has ended.
        let _ = stop.send(true);
        let ended = async { while connections.join_next().await.is_some() {} };
        // What has not ended by then is cut when the set is dropped.
        let _ = timeout(self.limits.shutdown_time, ended).await;
        Ok(())
    }

    async fn connection(self, stream: TcpStream, mut stopped: watch::Receiver<bool>) {
        // Small answers should not wait for the acknowledgement of others; without it they are late.
        let _ = stream.set_nodelay(true);
        let stream = TokioIo::new(TimedStream::new(stream, self.limits.write_time));
        let header_time = self.limits.header_time;
        let service = service_fn(move |request| {
            let gateway = self.clone();
            async move { Ok::<_, Infallible>(gateway.respond(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(header_time)
            .max_buf_size(MAXIMUM_HEADER_SIZE)
            .serve_connection(stream, service);
        let mut connection = pin!(connection);
        // An error on a connection is the client's, or a damaged block that has been cut off: either
        // way it has ended.
        tokio::select! {
            _ = connection.as_mut() => return,
            _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, _) = request.into_parts();
        let target = head
            .uri
            .path_and_query()
            .map_or_else(String::new, ToString::to_string);
        let asked = Asked {
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            method: head.method,
            headers: head.headers,
        };
        let method = asked.method.clone();
        let site = self.site.clone();
        let answer = spawn_blocking(move || site.answer(&asked))
            .await
            .unwrap_or_else(|_| {
                words(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "the request could not be answered",
                )
            });
        if let Some(observer) = &self.observer {
            let length = answer
                .headers
                .get(CONTENT_LENGTH)
                .and_then(|length| length.to_str().ok());
            observer(&RequestRecord {
                method: method.to_string(),
                target,
                status: answer.status.as_u16(),
                length: length.and_then(|length| length.parse().ok()),
            });
        }
        response(&method, answer)
    }
}

fn response(method: &Method, answer: Answer) -> Response<Body> {
    let body = match answer.content {
        Content::Bytes(_) if method == Method::HEAD => whole(Bytes::new()),
        Content::Bytes(bytes) => whole(bytes),
        Content::File(first, rest) => blocks(first, rest),
    };
    let mut response = Response::new(body);
    *response.status_mut() = answer.status;
    *response.headers_mut() = answer.headers;
    response
}

fn whole(bytes: Bytes) -> Body {
    Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// The first block and the rest, each read when the one before has been taken. An error ends the
/// connection, short of the length that the headers announced.
fn blocks(first: Bytes, rest: FileRange) -> Body {
    let blocks = stream::try_unfold((Some(first), rest), |(first, mut rest)| async move {
        if let Some(first) = first {
            return Ok(Some((Frame::data(first), (None, rest))));
        }
        let (next, rest) = spawn_blocking(move || (rest.next(), rest))
            .await
            .map_err(|error| CarError::Io(io::Error::other(error)))?;
        Ok(next?.map(|bytes| (Frame::data(bytes), (None, rest))))
    });
    StreamBody::new(blocks).boxed_unsync()
}
