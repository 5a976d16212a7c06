//! The commands of Kubo's RPC API that publishing needs.

use std::time::Duration;

use ipwhl_unixfs::Cid;
use ipwhl_unixfs::car::MAX_BLOCK;
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use crate::foundation::failure::Failure;
use crate::publish::check::Read;
use crate::publish::context::TargetContext;
use crate::publish::target::Report;
use crate::publish::upload::Upload;
use crate::source::service::{Reply, RequestError, Service};

/// The most recursive pins of a node that are read.
const MAXIMUM_PINS: usize = 2_000_000;

/// The RPC API of a node.
pub(in crate::publish) struct Rpc {
    pub(super) service: Service,
}

/// A recursive pin.
pub(super) struct Pin {
    pub(super) cid: Cid,
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[serde(expecting = "an object")]
struct PinLine {
    cid: String,
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[serde(expecting = "an object")]
struct Reference {
    #[serde(rename = "Ref")]
    reference: String,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Identity {
    #[serde(rename = "ID")]
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
#[serde(expecting = "an object")]
struct Stat {
    hash: Cid,
}

impl Rpc {
    pub(in crate::publish) fn new(api: &Url, context: &TargetContext) -> Result<Self, Failure> {
        let mut api = api.clone();
        if let Ok(mut segments) = api.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v0"]);
        }
        let service = Service::new(
            context.client.clone(),
            api,
            context.secret.clone(),
            context.variable.clone(),
        )?;
        Ok(Self { service })
    }

    /// A message of the node, in printable form.
    pub(super) fn printable(&self, text: &str) -> String {
        self.service.printable(text)
    }

    pub(in crate::publish) fn place(&self) -> String {
        let place = self.service.place();
        place.trim_end_matches("/api/v0").to_owned()
    }

    /// A command. Every command is a `POST` with the option not to use the network.
    fn command<'q>(
        &self,
        path: &str,
        arguments: impl IntoIterator<Item = (&'q str, String)>,
    ) -> RequestBuilder {
        let path: Vec<&str> = path.split('/').collect();
        let offline = [("offline", "true".to_owned())];
        self.service
            .request(Method::POST, &path, arguments.into_iter().chain(offline))
    }

    async fn run<'q>(
        &self,
        path: &str,
        arguments: impl IntoIterator<Item = (&'q str, String)>,
    ) -> Result<Reply<'_>, RequestError> {
        self.service.ask(self.command(path, arguments)).await
    }

    /// Every recursive pin with its name.
    pub(super) async fn pins(&self, silence: Duration) -> Result<Vec<Pin>, RequestError> {
        let arguments = [("type", "recursive"), ("names", "true"), ("stream", "true")];
        let arguments = arguments.map(|(key, value)| (key, value.to_owned()));
        let mut reply = self.run("pin/ls", arguments).await?.patient(silence);
        let mut pins = Vec::new();
        while let Some(line) = reply.line::<PinLine>().await? {
            // Other pins, such as a CID of another hash, are not releases of this program.
            if let Ok(cid) = line.cid.parse()
                && pins.len() < MAXIMUM_PINS
            {
                pins.push(Pin {
                    cid,
                    name: line.name,
                });
            }
        }
        Ok(pins)
    }

    /// Visits everything below a root without using the network; a missing block is an error.
    pub(super) async fn has_all(&self, root: &Cid, silence: Duration) -> Result<(), RequestError> {
        let arguments = [("arg", root.to_string()), ("progress", "true".to_owned())];
        let reply = self.run("dag/stat", arguments).await?;
        let mut reply = reply.patient(silence);
        while reply.line::<Value>().await?.is_some() {}
        Ok(())
    }

    /// Pins everything below a root. Kubo fetches missing blocks over its network, even if
    /// `offline` is set.
    pub(super) async fn pin(
        &self,
        root: &Cid,
        name: &str,
        silence: Duration,
    ) -> Result<(), RequestError> {
        let arguments = [
            ("arg", root.to_string()),
            ("name", name.to_owned()),
            ("recursive", "true".to_owned()),
            ("progress", "true".to_owned()),
        ];
        let reply = self.run("pin/add", arguments).await?;
        let mut reply = reply.patient(silence);
        let mut is_pinned = false;
        while let Some(line) = reply.line::<Value>().await? {
            is_pinned |= line["Pins"]
                .as_array()
                .is_some_and(|pins| pins.iter().any(|pin| *pin == root.to_string().as_str()));
        }
        if is_pinned {
            return Ok(());
        }
        Err(RequestError::new(format!(
            "{} does not confirm that it has pinned {root}",
            self.place()
        )))
    }

    /// Removes a pin; returns whether it still existed, because another run may remove it too.
    pub(super) async fn unpin(&self, root: &Cid) -> Result<bool, RequestError> {
        match self.run("pin/rm", [("arg", root.to_string())]).await {
            Ok(reply) => reply.finish().await.map(|()| true),
            // Kubo has one status for every error, so its message distinguishes them.
            Err(error) if error.message.contains("not pinned or pinned indirectly") => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Imports some blocks, and pins nothing.
    pub(in crate::publish) async fn import(
        &self,
        upload: &Upload,
        report: Report<'_>,
    ) -> Result<(), RequestError> {
        let arguments = [
            ("pin-roots", "false"),
            ("silent", "false"),
            ("stats", "true"),
        ];
        let arguments = arguments.map(|(key, value)| (key, value.to_owned()));
        let request = self.command("dag/import", arguments);
        let mut reply = upload.send(&self.service, request, report).await?;
        let mut imported = None;
        while let Some(line) = reply.line::<Value>().await? {
            imported = line["Stats"]["BlockCount"].as_u64().or(imported);
        }
        let count = upload.count();
        match imported {
            Some(imported) if imported != count => Err(RequestError::new(format!(
                "{} has imported {imported} of {count} blocks",
                self.place()
            ))),
            _ => Ok(()),
        }
    }

    /// The node's own peer ID.
    pub(in crate::publish) async fn id(&self) -> Result<String, RequestError> {
        let identity: Identity = self.run("id", []).await?.json().await?;
        Ok(identity.id)
    }

    /// Removes every block of the node's whole store whose bytes do not match its CID. A node
    /// replaces no existing block, and deletes no pinned one.
    pub(super) async fn drop_altered(&self, silence: Duration) -> Result<(), RequestError> {
        let arguments = [("drop", "true".to_owned())];
        let reply = self.run("repo/verify", arguments).await?;
        let mut reply = reply.patient(silence);
        while reply.line::<Value>().await?.is_some() {}
        Ok(())
    }

    /// Passes every block of the node to `each`, until it has enough. The node sends one line for
    /// each block.
    pub(super) async fn local(
        &self,
        silence: Duration,
        mut each: impl FnMut(Cid) -> bool,
    ) -> Result<(), RequestError> {
        let mut reply = self.run("refs/local", []).await?.patient(silence);
        while let Some(line) = reply.line::<Reference>().await? {
            if let Ok(cid) = line.reference.parse()
                && !each(cid)
            {
                break;
            }
        }
        Ok(())
    }

    /// Whether the node has a block.
    pub(super) async fn has(&self, cid: &Cid) -> Result<bool, RequestError> {
        match self.run("block/stat", [("arg", cid.to_string())]).await {
            Ok(reply) => reply.finish().await.map(|()| true),
            Err(error) if is_absent(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A block from the node's own store; its bytes are not hashed yet.
    pub(super) async fn block(&self, cid: Cid) -> Result<Vec<u8>, RequestError> {
        let mut reply = self.run("block/get", [("arg", cid.to_string())]).await?;
        reply.all(MAX_BLOCK).await
    }

    /// The same for a check.
    pub(super) async fn read(&self, cid: Cid) -> Result<Read, Failure> {
        match self.block(cid).await {
            Ok(block) => Ok(Read::Block(block)),
            Err(error) if is_absent(&error) => Ok(Read::Missing),
            // The node answers, but cannot read this block from its disk.
            Err(error) if error.status == Some(StatusCode::INTERNAL_SERVER_ERROR) => {
                Ok(Read::Unreadable)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The CID of a path in the MFS.
    pub(super) async fn mfs_root(&self, path: &str) -> Result<Option<Cid>, RequestError> {
        match self.run("files/stat", [("arg", path.to_owned())]).await {
            Ok(reply) => reply.json::<Stat>().await.map(|stat| Some(stat.hash)),
            Err(error) if error.message.contains("does not exist") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A command of the MFS.
    pub(super) async fn files(
        &self,
        command: &str,
        paths: &[&str],
        options: &[(&'static str, &str)],
    ) -> Result<(), RequestError> {
        let paths = paths.iter().map(|path| ("arg", (*path).to_owned()));
        let options = options
            .iter()
            .map(|(key, value)| (*key, (*value).to_owned()));
        self.run(&format!("files/{command}"), paths.chain(options))
            .await?
            .finish()
            .await
    }
}

/// Whether a node reports that it lacks a block. Kubo has one status for every error, so its
/// message distinguishes them.
pub(super) fn is_absent(error: &RequestError) -> bool {
    error.status == Some(StatusCode::INTERNAL_SERVER_ERROR)
        && (error.message.contains("not found") || error.message.contains("could not find"))
}
