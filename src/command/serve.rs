//! `ipwhl serve`: a read-only path gateway over a release.

use std::fs::File;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;

use super::context::Context;
use super::exit::{ExitStatus, Failure};
use super::network::runtime;
use crate::car::CarReader;
use crate::gateway::Gateway;

/// Serve a release to pip, uv and poetry
///
/// Each block is hashed before it is sent.
///
/// Example: ipwhl serve release/release.car
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The release's archive
    #[arg(value_name = "RELEASE")]
    release: PathBuf,
    /// The address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8503")]
    listen: SocketAddr,
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Result<ExitStatus, Failure> {
    let path = context.absolute(&arguments.release);
    let file = File::open(&path)
        .map_err(|error| Failure::world(format!("`{}` cannot be read: {error}", path.display())))?;
    let reader = CarReader::open(file).map_err(|error| {
        Failure::finding(format!(
            "`{}` is not a release: {}",
            path.display(),
            super::exit::chain(&error)
        ))
    })?;
    let root = reader.root();
    let environment = context.environment;
    let log = (context.verbose > 0).then(|| environment.error.clone());
    runtime()?.block_on(async {
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
        let mut gateway = Gateway::new(Arc::new(reader), root);
        if let Some(log) = log {
            gateway = gateway.on_request(move |request| {
                // Targets are whatever a client wrote.
                let target = request.target.escape_debug();
                let _ = log.line(&format!("{} {target} {}", request.method, request.status));
            });
        }
        gateway
            .serve(listener, interrupted)
            .await
            .map_err(|error| Failure::world(format!("the gateway stopped: {error}")))
    })?;
    Ok(ExitStatus::Clean)
}

/// Ready when the user or the system wants an end. Signals are heard from this call on, and not only when somebody
/// waits for them: until then they would kill the program.
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
