//! Connections: accepted, limited, served, and closed properly.

use std::convert::Infallible;
use std::future::Future;
use std::io::{self, Write as _};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{CONNECTION, CONTENT_LENGTH, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::CarError;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use super::answer::Site;
use super::hosts::{HostName, Hosts};
use super::limits::Limits;
use super::message::{Answer, Asked, Content, text_answer};
use super::places::{Place, Places};
use super::request::fault;
use super::store::FileRange;
use super::timed_stream::TimedStream;
use crate::release::archive::BlockStore;

/// The most bytes of a request's first line and headers; hyper answers 431 to more.
const MAXIMUM_HEADER_SIZE: usize = 32 * 1024;

/// The pause after a failure to accept a connection, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The maximum number of connections in the system's queue; the system may have a lower limit.
const BACKLOG: i32 = 4096;

/// The answer to a connection beyond its address's share, sent without reading a request.
const REFUSED: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n\
    Cache-Control: no-store\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

type Body = UnsyncBoxBody<Bytes, CarError>;

/// A request and its result, recorded before its headers are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestRecord {
    /// The method, as the client wrote it.
    pub method: String,
    /// Path and query, as the client wrote them: printable ASCII, or unchecked UTF-8.
    pub target: String,
    /// The status.
    pub status: u16,
    /// The size of the body in bytes, if the answer states it.
    pub length: Option<u64>,
    /// The host name of the request, if the gateway refuses it.
    pub unknown_host: Option<String>,
}

type Observer = Arc<dyn Fn(&RequestRecord) + Send + Sync>;

/// A gateway that is not listening yet.
#[derive(Clone)]
pub struct Gateway {
    site: Site,
    limits: Limits,
    hosts: Arc<Hosts>,
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
    /// A gateway to a store. `/` redirects to `root`; every other CID in the store is served, too.
    pub fn new(store: Arc<BlockStore>, root: Cid) -> Self {
        Self {
            site: Site { store, root },
            limits: Limits::default(),
            hosts: Arc::default(),
            observer: None,
        }
    }

    /// The same gateway with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same gateway, which answers to these host names, too. For names other than these,
    /// addresses and the names of the loopback interface the answer is 421.
    #[must_use]
    pub fn with_hosts(mut self, names: impl IntoIterator<Item = HostName>) -> Self {
        self.hosts = Arc::new(Hosts {
            named: names.into_iter().collect(),
        });
        self
    }

    /// The same gateway with an observer of requests. The function is called on the threads that
    /// serve, so it should return soon.
    #[must_use]
    pub fn on_request(mut self, observer: impl Fn(&RequestRecord) + Send + Sync + 'static) -> Self {
        self.observer = Some(Arc::new(observer));
        self
    }

    /// Serves until `shutdown` is ready. Then no connection is accepted, and running responses have
    /// [`Limits::shutdown_time`] to end. An error is one of the listener's own.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        // A listener is bound with a short queue; a second call lengthens it.
        SockRef::from(&listener).listen(BACKLOG)?;
        let places = Places::new(&self.limits);
        let (stop, stopped) = watch::channel(false);
        let mut connections = JoinSet::new();
        let accepting = async {
            loop {
                let Ok((stream, address)) = listener.accept().await else {
                    places.make_room();
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                let Some((place, leave)) = places.enter(address.ip()).await else {
                    refuse(stream);
                    continue;
                };
                let (gateway, stopped) = (self.clone(), stopped.clone());
                connections.spawn(gateway.connection(stream, place, leave, stopped));
                // Removes finished connections, so that the set does not grow.
                while connections.try_join_next().is_some() {}
            }
        };
        tokio::select! {
            () = shutdown => {}
            () = accepting => {}
        }
        drop(listener);
        // If every connection has ended, there are no receivers.
        let _ = stop.send(true);
        let ended = async { while connections.join_next().await.is_some() {} };
        // Connections that are still open are closed when the set is dropped.
        let _ = timeout(self.limits.shutdown_time, ended).await;
        Ok(())
    }

    async fn connection(
        self,
        stream: TcpStream,
        place: Place,
        leave: oneshot::Receiver<()>,
        mut stopped: watch::Receiver<bool>,
    ) {
        // Small answers should not wait for the acknowledgement of others.
        let _ = stream.set_nodelay(true);
        let place = Arc::new(place);
        let stream = TimedStream::new(stream, Arc::clone(&place), &self.limits);
        let stream = TokioIo::new(stream);
        let header_time = self.limits.header_time;
        let service = service_fn(move |request| {
            let answering = place.answering();
            let gateway = self.clone();
            async move {
                let response = gateway.respond(request).await;
                // The connection is busy while it has the body.
                let held = response.map(|body| {
                    let held = body.map_err(move |error| {
                        let _ = &answering;
                        error
                    });
                    held.boxed_unsync()
                });
                Ok::<_, Infallible>(held)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(header_time)
            .max_buf_size(MAXIMUM_HEADER_SIZE)
            .serve_connection(stream, service);
        let mut connection = pin!(connection);
        // An error on a connection is the client's, or a damaged block that ended the response: in
        // both cases it has ended.
        tokio::select! {
            _ = connection.as_mut() => return,
            // Dropped directly: no request is running.
            _ = leave => return,
            _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, _) = request.into_parts();
        let fault = fault(&head);
        let unknown_host = match fault {
            Some(_) => None,
            None => self.hosts.unknown(&head),
        };
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
        let answer = match (fault, &unknown_host) {
            (Some(fault), _) => {
                let mut answer = text_answer(StatusCode::BAD_REQUEST, fault);
                // The end of the request is uncertain, so nothing is read after it.
                let close = HeaderValue::from_static("close");
                answer.headers.insert(CONNECTION, close);
                answer
            }
            (None, Some(host)) => text_answer(
                StatusCode::MISDIRECTED_REQUEST,
                &format!(
                    "this server does not answer to the name {host:?}: add it with `ipwhl serve --host NAME`"
                ),
            ),
            (None, None) => self.answer(asked).await,
        };
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
                unknown_host,
            });
        }
        response(&method, answer)
    }

    async fn answer(&self, asked: Asked) -> Answer {
        let site = self.site.clone();
        let answer = spawn_blocking(move || site.answer(&asked)).await;
        answer.unwrap_or_else(|_| {
            text_answer(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the request could not be answered",
            )
        })
    }
}

/// Tells a client that it has too many connections. Sends only the bytes that the socket accepts
/// immediately.
fn refuse(stream: TcpStream) {
    if let Ok(mut stream) = stream.into_std() {
        let _ = stream.write(REFUSED);
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

/// The first block and the rest, each read after the previous one was sent. An error ends the
/// connection before the length in the headers is reached.
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
