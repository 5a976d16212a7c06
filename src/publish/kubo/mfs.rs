//! A path in the node's MFS that shows the newest release.

use ipwhl_unixfs::Cid;

use super::rpc::Rpc;
use crate::foundation::diagnostic::shell_word;
use crate::foundation::failure::Failure;

/// What stands at the path before it is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing.
    Free,
    /// A release of this repository.
    Taken,
}

/// What has to be done; `None` where the path shows the release already. What is at the path and is
/// no release of this repository is somebody's own.
pub(super) async fn look<'c>(
    rpc: &Rpc,
    path: &str,
    root: Cid,
    mut known: impl Iterator<Item = &'c Cid>,
) -> Result<Option<Place>, Failure> {
    match shown(rpc, path).await? {
        None => Ok(Some(Place::Free)),
        Some(there) if there == root => Ok(None),
        Some(there) if known.any(|cid| *cid == there) => Ok(Some(Place::Taken)),
        Some(there) => Err(Failure::refused(format!(
            "`{path}` in the MFS is {there}, which is no release of this repository that the node has pinned, so it is not replaced"
        ))
        .help(format!(
            "name another path with `mfs`; where it shows a release of this repository whose pin was removed: `ipfs files rm -r {}`; \
             where blocks of it are damaged: `ipwhl publish --check --repair`",
            shell_word(path)
        ))),
    }
}

/// What the path shows.
async fn shown(rpc: &Rpc, path: &str) -> Result<Option<Cid>, Failure> {
    rpc.mfs_root(path).await.map_err(|error| {
        Failure::world(format!("`{path}` in the MFS cannot be read: {error}"))
            .help("`ipwhl publish --check --repair` mends blocks that are missing or altered")
    })
}

/// Refuses a path that does not show the newest release.
pub(super) async fn check(rpc: &Rpc, path: &str, newest: Cid) -> Result<(), Failure> {
    let words = match shown(rpc, path).await? {
        Some(there) if there == newest => return Ok(()),
        Some(there) => format!("shows {there}"),
        None => "is not there".to_owned(),
    };
    Err(Failure::refused(format!(
        "`{path}` in the MFS {words}, and the newest release is {newest}"
    ))
    .help("`ipwhl publish` sets it"))
}

/// Sets the path. The node cannot replace a folder in one step, so what is new stands beside it
/// first, and between two calls the path shows nothing; the pin does not depend on it.
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
