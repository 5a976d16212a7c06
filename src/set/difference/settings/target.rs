//! A target of `[publish]` in one line, like its table with all defaults written out.

use toml_edit::Value;

use crate::set::repository::{
    ClusterTarget, DirectoryTarget, DnslinkTarget, GitTarget, IpnsTarget, KuboTarget,
    PinningServiceTarget, PublishKind, PublishTarget,
};

/// `NAME: kind = "kubo", api = "http://127.0.0.1:5001/"`.
pub(super) fn target(target: &PublishTarget) -> String {
    let mut line = Line::new(target);
    // The pattern names every field, so that a new setting must be handled here.
    match &target.kind {
        PublishKind::Kubo(KuboTarget {
            api,
            gateway,
            keep,
            pinned_by,
            mfs,
        }) => {
            line.text("api", Some(api));
            line.text("gateway", gateway.as_ref());
            line.word("keep", keep.as_ref());
            line.text("pinned-by", pinned_by.as_ref());
            line.text("mfs", mfs.as_ref());
        }
        PublishKind::Cluster(ClusterTarget {
            api,
            gateway,
            replication_min,
            replication_max,
            keep,
            metadata,
        }) => {
            line.text("api", Some(api));
            line.text("gateway", gateway.as_ref());
            line.word("replication-min", Some(replication_min));
            line.word("replication-max", Some(replication_max));
            line.word("keep", keep.as_ref());
            for (key, value) in metadata {
                line.text(&format!("metadata.{}", quoted(key)), Some(value));
            }
        }
        PublishKind::PinningService(PinningServiceTarget {
            endpoint,
            origins,
            gateway,
        }) => {
            line.text("endpoint", Some(endpoint));
            for origin in origins {
                line.text("origin", Some(origin));
            }
            line.text("gateway", gateway.as_ref());
        }
        PublishKind::Directory(DirectoryTarget {
            path,
            links,
            url,
            latest,
            keep,
        }) => {
            line.text("path", Some(path));
            line.word("links", Some(links));
            line.text("url", url.as_ref());
            line.text("latest", latest.as_ref());
            line.word("keep", keep.as_ref());
        }
        PublishKind::Ipns(IpnsTarget {
            file,
            api,
            lifetime,
            ttl,
        }) => {
            let seconds = |span: &std::time::Duration| format!("{}s", span.as_secs());
            line.text("file", file.as_ref());
            line.text("api", api.as_ref());
            line.text("lifetime", lifetime.as_ref().map(seconds).as_ref());
            line.text("ttl", ttl.as_ref().map(seconds).as_ref());
        }
        PublishKind::Git(GitTarget {
            repository,
            branch,
            tag,
            remote,
        }) => {
            line.text("repository", repository.as_ref());
            line.text("branch", branch.as_ref());
            line.text("tag", tag.as_ref());
            line.text("remote", remote.as_ref());
        }
        PublishKind::Dnslink(DnslinkTarget {
            domain,
            name,
            resolver,
        }) => {
            line.text("domain", Some(domain));
            line.text("name", name.as_ref());
            line.text("resolver", resolver.as_ref());
        }
    }
    if let Some(holders) = &target.holders {
        let holders: Vec<String> = holders.iter().map(|holder| quoted(holder)).collect();
        line.word("holders", Some(&format!("[{}]", holders.join(", "))));
    }
    line.0
}

struct Line(String);

impl Line {
    fn new(target: &PublishTarget) -> Self {
        let kind = quoted(target.kind.as_str());
        Self(format!("{}: kind = {kind}", target.name))
    }

    fn text(&mut self, key: &str, value: Option<&impl ToString>) {
        self.word(key, value.map(|value| quoted(&value.to_string())).as_ref());
    }

    fn word(&mut self, key: &str, value: Option<&impl ToString>) {
        if let Some(value) = value {
            self.0 += &format!(", {key} = {}", value.to_string());
        }
    }
}

/// A text as TOML writes it, so that one value cannot look like two.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}
