//! `ipwhl serve`: a read-only path gateway over a release.

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

/// Files that are open beside connections: the archive, the listener, streams, what the runtime
/// needs, and connections that are just being closed.
const OTHER_FILES: usize = 64;

/// How many host names that are not answered to are told: strangers send any.
const TOLD_HOSTS: usize = 8;

/// Serve a release to pip, uv and poetry
///
/// Each block is hashed before it is sent. A hollow archive is served with a warning, since it has
/// no wheels, and a delta is refused: `ipwhl fill` makes both full.
///
/// It has room for 512 connections. When all places are taken, the connection that has been idle
/// longest is closed. One address has a fifth of the places at most, except this machine and the
/// proxies of `--trusted-proxy`. A client that falls 90 seconds behind 1 KiB a second is cut.
///
/// Example: ipwhl serve release/release.car
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The release's archive, or a folder that holds a `release.car`
    #[arg(value_name = "RELEASE")]
    release: PathBuf,
    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8503")]
    listen: SocketAddr,
    /// A name under which clients reach it, beside `localhost` and addresses; several. Requests for
    /// other names get 421: a page of a stranger could read the release through its visitor's
    /// browser
    #[arg(long, value_name = "NAME")]
    host: Vec<HostName>,
    /// A reverse proxy whose connections are not limited to one address's share: an address, or a
    /// network such as `192.0.2.0/24`; several
    #[arg(long, value_name = "ADDRESS", value_parser = network)]
    trusted_proxy: Vec<IpNet>,
}

/// A network, or the one that has this address only.
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
                Failure::world(format!(
                    "nothing can listen on {}: {error}",
                    arguments.listen
                ))
                .help("name another port: `--listen 127.0.0.1:0` takes a free one")
            })?;
        let interrupted = interrupted();
        let address = listener
            .local_addr()
            .map_err(|error| Failure::world(&error))?;
        // Whoever listens everywhere is reached here, too; nobody is reached at "everywhere".
        let host = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::from(Ipv4Addr::LOCALHOST),
            IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::from(Ipv6Addr::LOCALHOST),
            ip => ip,
        };
        let reached = SocketAddr::new(host, address.port());
        let url = format!("http://{reached}/ipfs/{root}/");
        context.say(&format!("serving {} on {url}", context.shown(&path)));
        context.result(&format!("pip install --index-url {url} NAME"))?;
        let told: Mutex<BTreeSet<String>> = Mutex::default();
        Gateway::new(Arc::new(reader), root)
            .with_limits(limits(arguments))
            .with_hosts(arguments.host.iter().cloned())
            .on_request(move |request| {
                // Targets and hosts are whatever a client wrote.
                if is_verbose {
                    let target = request.target.escape_debug();
                    let _ = log.line(&format!("{} {target} {}", request.method, request.status));
                }
                if let Some(host) = &request.unknown_host
                    && let Ok(host) = host.parse::<HostName>()
                {
                    let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                    if told.len() < TOLD_HOSTS && told.insert(host.to_string()) {
                        let _ = log.line(&format!(
                            "note: a request for the host name `{host}` was refused; if this server is meant by it, start it with `--host {host}`"
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

/// Warns of a hollow archive, which has pages and no wheels, and refuses one that lacks more: to
/// pip, a project whose page is missing does not exist.
fn check_kind(context: &Context<'_>, path: &Path, reader: &CarReader<File>) -> Result<(), Failure> {
    // A damaged block is told to the client that asks for it; the others are served.
    let Ok(kind) = reader.kind() else {
        return Ok(());
    };
    let place = context.shown(path);
    let full = sibling_archive(path, ArchiveKind::Full);
    let output = match &full {
        Some(_) => "",
        None => " --output full.car",
    };
    let full = full.map_or_else(|| "full.car".to_owned(), |full| context.shown(&full));
    let help = format!(
        "`ipwhl fill {}{output}` makes it full; then `ipwhl serve {}`",
        shell_word(&place),
        shell_word(&full)
    );
    match kind {
        ArchiveKind::Full => {}
        ArchiveKind::Hollow => {
            context.warning(&format!(
                "`{place}` is hollow: it has the index and no wheels, so nothing can be installed from it"
            ));
            context.help(&help);
        }
        ArchiveKind::Delta => {
            return Err(Failure::finding(format!(
                "`{place}` has only a part of its release, and to pip the rest would not exist"
            ))
            .help(format!(
                "{help}; what a delta leaves out is in the release before: add `--from` and its archive where sources and mirrors do not have it"
            )));
        }
    }
    Ok(())
}

/// The default limits, as far as the system lets files be open, and with the trusted proxies.
fn limits(arguments: &Arguments) -> Limits {
    let mut limits = Limits::default();
    let files = raise_open_files(limits.connections + OTHER_FILES);
    let connections = files.saturating_sub(OTHER_FILES).max(1);
    limits.connections = limits.connections.min(connections);
    limits.exempt.extend(&arguments.trusted_proxy);
    limits
}

/// Ready when the user or the system wants an end. Signals are heard from this call on, and not
/// only when somebody waits for them: until then they would kill the program.
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
        // Where no signal can be heard, it serves until it is killed.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
