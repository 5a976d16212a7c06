//! `ipwhl serve`: a read-only path gateway for one release.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use clap::Args;
use ipnet::IpNet;
use ipwhl_unixfs::car::CarReader;

use super::archives::archive_of;
use super::context::Context;
use super::exit::ExitStatus;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::environment::raise_open_files;
use crate::foundation::failure::{Failure, error_chain};
use crate::gateway::{Gateway, HostName, Limits};
use crate::release::archive::{ArchiveKind, ReleaseArchive, sibling_archive};

/// The number of open files besides connections: the archive, the listener, streams, the files of
/// the runtime, and connections that are being closed.
const OTHER_FILES: usize = 64;

/// The maximum number of refused host names that are logged: clients can send any name.
const LOGGED_HOSTS: usize = 8;

/// Serve a release to pip, uv and poetry
///
/// Each block is verified against its CID before it is sent. A hollow archive is served with a
/// warning, because it has no wheels. A delta is refused. `ipwhl fill` completes both.
///
/// The limit is 512 connections. When it is reached, the connection that has been idle longest is
/// closed. One address may use a fifth of the connections, except this machine and the proxies of
/// `--trusted-proxy`. A client that is too slow is disconnected: one that receives nothing for 90
/// seconds, or that falls 90 seconds behind a rate of 1 KiB per second.
///
/// Example: ipwhl serve release/release.car
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The release's archive, or a folder with a `release.car`
    #[arg(value_name = "RELEASE")]
    release: PathBuf,
    /// The address and port to listen on; port 0 selects a free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8503")]
    listen: SocketAddr,
    /// A host name that clients use for this server, besides `localhost` and addresses; repeatable.
    /// Requests for other names get 421: otherwise a foreign web page could read the release
    /// through a visitor's browser
    #[arg(long, value_name = "NAME")]
    host: Vec<HostName>,
    /// A reverse proxy that may use more than one address's share of the connections: an address,
    /// or a network such as `192.0.2.0/24`; repeatable
    #[arg(long, value_name = "ADDRESS", value_parser = network)]
    trusted_proxy: Vec<IpNet>,
}

/// Parses a network. An address means the network with that address only.
fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse().or_else(|_| {
        let address: Result<IpAddr, _> = text.parse();
        address.map(|address| IpNet::from(address.to_canonical()))
    });
    network.map_err(|_| "write an address, or a network such as `192.0.2.0/24`".to_owned())
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let path = archive_of(context, &arguments.release)?;
    let file = File::open(&path)
        .map_err(|error| Failure::world(format!("`{}` cannot be read: {error}", path.display())))?;
    let reader = CarReader::open(file).map_err(|error| {
        Failure::finding(format!(
            "`{}` is not a release: {}",
            path.display(),
            error_chain(&error)
        ))
    })?;
    check_kind(context, &path, &reader)?;
    let root = reader.root();
    let environment = context.environment;
    let log = environment.error.clone();
    let is_verbose = context.verbose > 0;
    context.session.runtime()?.block_on(async {
        let listener = tokio::net::TcpListener::bind(arguments.listen)
            .await
            .map_err(|error| {
                Failure::world(format!("cannot listen on {}: {error}", arguments.listen))
                    .help("name another port: `--listen 127.0.0.1:0` selects a free one")
            })?;
        let interrupted = interrupted();
        let address = listener
            .local_addr()
            .map_err(|error| Failure::world(&error))?;
        // A server that listens on all addresses is reached at the loopback address, too.
        let host = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let reached = SocketAddr::new(host, address.port());
        let url = format!("http://{reached}/ipfs/{root}/");
        context.say(&format!("serving {} on {url}", context.shown(&path)));
        context.result(&format!("pip install --index-url {url} NAME"))?;
        let logged: Mutex<BTreeSet<String>> = Mutex::default();
        Gateway::new(Arc::new(reader), root)
            .with_limits(limits(arguments))
            .with_hosts(arguments.host.iter().cloned())
            .on_request(move |request| {
                // Targets and hosts are text from the client.
                if is_verbose {
                    let target = request.target.escape_debug();
                    let _ = log.line(&format!("{} {target} {}", request.method, request.status));
                }
                if let Some(host) = &request.unknown_host
                    && let Ok(host) = host.parse::<HostName>()
                {
                    let mut logged = logged.lock().unwrap_or_else(PoisonError::into_inner);
                    if logged.len() < LOGGED_HOSTS && logged.insert(host.to_string()) {
                        let _ = log.line(&format!(
                            "note: refused a request for the host name `{host}`; if this name \
                             belongs to this server, start it with `--host {host}`"
                        ));
                    }
                }
            })
            .serve(listener, interrupted)
            .await
            .map_err(|error| Failure::world(format!("the gateway stopped: {error}")))
    })?;
    Ok(ExitStatus::Clean)
}

/// Warns of a hollow archive, which has pages but no wheels, and refuses an archive that lacks
/// more: for pip, a project without a page does not exist.
fn check_kind(context: &Context<'_>, path: &Path, reader: &CarReader<File>) -> Result<(), Failure> {
    // A client that requests a damaged block gets an error; other blocks are served.
    let Ok(kind) = reader.kind() else {
        return Ok(());
    };
    let archive = context.shown(path);
    let full = sibling_archive(path, ArchiveKind::Full);
    let output = match &full {
        Some(_) => "",
        None => " --output full.car",
    };
    let full = full.map_or_else(|| "full.car".to_owned(), |full| context.shown(&full));
    let help = format!(
        "`ipwhl fill {}{output}` completes it; then `ipwhl serve {}`",
        shell_word(&archive),
        shell_word(&full)
    );
    match kind {
        ArchiveKind::Full => {}
        ArchiveKind::Hollow => {
            context.warning(&format!(
                "`{archive}` is hollow: it has the index but no wheels, so nothing can be installed from it"
            ));
            context.help(&help);
        }
        ArchiveKind::Delta => {
            return Err(Failure::finding(format!(
                "`{archive}` is a delta: pip would not find the projects that it leaves out"
            ))
            .help(format!(
                "{help}; the blocks that it leaves out are in the previous release: add `--from \
                 ARCHIVE` if sources and mirrors do not have them"
            )));
        }
    }
    Ok(())
}

/// The default limits, lowered to the system's limit of open files, with the trusted proxies.
fn limits(arguments: &Arguments) -> Limits {
    let mut limits = Limits::default();
    let files = raise_open_files(limits.connections + OTHER_FILES);
    let connections = files.saturating_sub(OTHER_FILES).max(1);
    limits.connections = limits.connections.min(connections);
    limits.exempt.extend(&arguments.trusted_proxy);
    limits
}

/// Becomes ready when the user or the system ends the program. The handlers are installed by this
/// call and not at the first await: before that, a signal would kill the program.
fn interrupted() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let signals = {
        use tokio::signal::unix::{SignalKind, signal};
        signal(SignalKind::terminate()).and_then(|terminate| {
            let interrupt = signal(SignalKind::interrupt())?;
            Ok((terminate, interrupt))
        })
    };
    async move {
        #[cfg(unix)]
        if let Ok((mut terminate, mut interrupt)) = signals {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            return;
        }
        // Without signals, the server runs until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
