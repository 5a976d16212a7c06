//! A path in the node's MFS that shows the newest release.

use ipwhl_unixfs::Cid;

use super::rpc::Rpc;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;

/// The state of the path before it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The path does not exist.
    Free,
    /// A release of this repository.
    Taken,
}

/// The change to make; `None` if the path shows the release already. A path with anything else than
/// a release of this repository is refused.
pub(super) async fn plan<'c>(
    rpc: &Rpc,
    path: &str,
    root: Cid,
    mut known: impl Iterator<Item = &'c Cid>,
) -> Result<Option<Place>, Failure> {
    match current_root(rpc, path).await? {
        None => Ok(Some(Place::Free)),
        Some(there) if there == root => Ok(None),
        Some(there) if known.any(|cid| *cid == there) => Ok(Some(Place::Taken)),
        Some(there) => Err(Failure::refused(format!(
            "`{path}` in the MFS is {there}, which is not a pinned release of this repository, so \
             it is not replaced"
        ))
        .help(format!(
            "name another path with `mfs`; if it shows a release of this repository whose pin was \
             removed, run `ipfs files rm -r {}`; if blocks of it are damaged, run `ipwhl publish \
             --check --repair`",
            shell_word(path)
        ))),
    }
}

/// The CID at the path.
async fn current_root(rpc: &Rpc, path: &str) -> Result<Option<Cid>, Failure> {
    rpc.mfs_root(path).await.map_err(|error| {
        Failure::world(format!("`{path}` in the MFS cannot be read: {error}"))
            .help("`ipwhl publish --check --repair` repairs missing or altered blocks")
    })
}

/// Refuses a path that does not show the newest release.
pub(super) async fn check(rpc: &Rpc, path: &str, newest: Cid) -> Result<(), Failure> {
    let words = match current_root(rpc, path).await? {
        Some(there) if there == newest => return Ok(()),
        Some(there) => format!("shows {there}"),
        None => "is missing".to_owned(),
    };
    Err(Failure::refused(format!(
        "`{path}` in the MFS {words}, but the newest release is {newest}"
    ))
    .help("`ipwhl publish` sets it"))
}

/// Sets the path. The node cannot replace a folder in one step, so the new one is made beside it
/// first. Between two calls the path does not exist; the pin does not depend on it.
pub(super) async fn set(rpc: &Rpc, path: &str, place: Place, root: Cid) -> Result<(), Failure> {
    let beside = format!("{path}.ipwhl-new");
    let force = [("recursive", "true"), ("force", "true")];
    rpc.files("rm", &[&beside], &force).await?;
    let source = format!("/ipfs/{root}");
    rpc.files("cp", &[&source, &beside], &[("parents", "true")])
        .await?;
    if place == Place::Taken {
        rpc.files("rm", &[path], &force).await?;
    }
    rpc.files("mv", &[&beside, path], &[]).await?;
    Ok(())
}
