//! Archives with damaged or missing blocks.

use ipwhl::gateway::Limits;
use ipwhl_unixfs::car::CarWriter;

use super::{Server, Tree, WHEEL, WHEEL_SIZE, noise, release};

/// The archive with one bit changed in the first place where these bytes are.
fn damaged(tree: &Tree, at: &[u8]) -> Vec<u8> {
    let mut car = tree.car();
    let place = car
        .windows(at.len())
        .position(|window| window == at)
        .unwrap();
    car[place + at.len() / 2] ^= 1;
    car
}

#[test]
fn a_changed_byte_in_a_later_block_cuts_the_body() {
    let bytes = noise(WHEEL_SIZE);
    let third_leaf = 2 * 256 * 1024;
    let car = damaged(&release(), &bytes[third_leaf + 1000..third_leaf + 1064]);
    let server = Server::with(car, Limits::default());
    let reply = server.get(&server.path(WHEEL));
    assert_eq!(
        (reply.status, reply.header("content-length")),
        (200, WHEEL_SIZE.to_string().as_str())
    );
    assert_eq!(reply.body.len(), third_leaf, "nothing of the damaged block");
    assert!(bytes.starts_with(&reply.body));
    // A range that starts there is refused in words.
    let start = format!("bytes={}-", third_leaf + 200_000);
    let reply = server.ask("GET", &server.path(WHEEL), &[("Range", &start)]);
    assert_eq!(reply.status, 500);
    assert!(
        reply.text().contains("do not match its CID"),
        "{}",
        reply.text()
    );
    // One that does not touch it is served.
    let reply = server.ask("GET", &server.path(WHEEL), &[("Range", "bytes=-1000")]);
    assert_eq!(
        (reply.status, reply.body.as_slice()),
        (206, &bytes[WHEEL_SIZE - 1000..])
    );
}

#[test]
fn a_changed_byte_in_the_first_block_is_said() {
    let tree = release();
    for (at, path) in [
        (noise(64), WHEEL),
        (
            b"Metadata-Version".to_vec(),
            "click/click-8.1.7-py3-none-any.whl.metadata",
        ),
        (b"href=\"click\"".to_vec(), "click/"),
        // A name in a folder's block.
        (b"declaration.toml".to_vec(), "click/declaration.toml"),
        (b"_ipwhl".to_vec(), ""),
    ] {
        let server = Server::with(damaged(&tree, &at), Limits::default());
        let reply = server.get(&server.path(path));
        assert_eq!(
            (reply.status, reply.header("cache-control")),
            (500, "no-store"),
            "{path}"
        );
        assert!(
            reply.text().contains("do not match its CID"),
            "{}",
            reply.text()
        );
        assert_eq!(reply.header("etag"), "", "{path}");
    }
}

#[test]
fn a_block_that_is_missing_is_said() {
    let tree = release();
    let Tree::Folder(folder, _) = &tree else {
        unreachable!()
    };
    // The root's own block and nothing below it.
    let mut writer = CarWriter::new(Vec::new(), folder.cid()).unwrap();
    folder.emit(&mut writer, &mut |_, _| Ok(())).unwrap();
    let server = Server::with(writer.finish().unwrap().0, Limits::default());
    let reply = server.get(&server.path("click/"));
    assert_eq!(reply.status, 500);
    assert!(
        reply.text().contains("does not have block"),
        "{}",
        reply.text()
    );
}
