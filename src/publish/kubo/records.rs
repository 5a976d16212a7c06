//! IPNS records at a node, through its routing system.

use std::time::Duration;

use data_encoding::BASE64;
use ipwhl_unixfs::Sha256Digest;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::rpc::Rpc;
use crate::source::service::RequestError;

/// The maximum time for a node to find a record, or nodes that keep it. It asks other nodes, which
/// may be slow.
const LONGEST_SEARCH: Duration = Duration::from_mins(3);
/// The help for a node that keeps no records.
pub(in crate::publish) const ROUTING: &str = "only nodes that take part in routing keep records: \
                                              run `ipfs daemon` without `--offline`, and with a \
                                              `Routing.Type` other than `none`";
/// The kind of event that has a value (libp2p's `routing.Value`).
const VALUE: u64 = 5;

impl Rpc {
    /// The best record of a name that the node finds, up to this size; it is not verified. `None`
    /// if it finds none.
    pub(in crate::publish) async fn record(
        &self,
        name: &str,
        largest: usize,
    ) -> Result<Option<Vec<u8>>, RequestError> {
        let arguments = [("arg", name.to_owned())];
        let request = self
            .service
            .request(Method::POST, &["routing", "get"], arguments);
        let mut best = None;
        let outcome = async {
            let reply = self.service.ask_within(request, LONGEST_SEARCH).await?;
            let mut reply = reply.patient(LONGEST_SEARCH);
            while let Some(event) = reply.line::<Value>().await? {
                if event["Type"] == VALUE
                    && let Some(text) = event["Extra"].as_str()
                    && text.len() <= largest.div_ceil(3) * 4
                {
                    best = BASE64.decode(text.as_bytes()).ok().or(best.take());
                }
            }
            Ok(())
        };
        match outcome.await {
            Ok(()) => Ok(best),
            // Kubo has one status for every error, so its message distinguishes them.
            Err(error) if is_absence(&error) => Ok(None),
            Err(error) => Err(with_help(error)),
        }
    }

    /// Puts a record, which the node verifies and distributes.
    pub(in crate::publish) async fn put_record(
        &self,
        name: &str,
        record: &[u8],
    ) -> Result<(), RequestError> {
        // A form that can be sent again. Its boundary is the digest of the record, so the record
        // cannot contain it.
        let boundary = Sha256Digest::of(record).to_string();
        let mut form = format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"record\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n"
        )
        .into_bytes();
        form.extend_from_slice(record);
        form.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
        let arguments = [("arg", name.to_owned())];
        let request = self
            .service
            .request(Method::POST, &["routing", "put"], arguments)
            .header(
                CONTENT_TYPE,
                format!("multipart/form-data; boundary={boundary}"),
            )
            .body(form);
        let outcome = async {
            let reply = self.service.ask_within(request, LONGEST_SEARCH).await?;
            reply.patient(LONGEST_SEARCH).finish().await
        };
        outcome.await.map_err(with_help)
    }
}

fn is_absence(error: &RequestError) -> bool {
    error.message.contains("routing: not found")
}

fn with_help(mut error: RequestError) -> RequestError {
    if error.message.contains("online mode") || error.message.contains("not supported") {
        error.help = Some(ROUTING.to_owned());
    }
    error
}
