//! What Kubo's own gateway answers, and what this one does.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use ipwhl::gateway::Limits;
use ipwhl_unixfs::Profile;

use super::{Reply, Server};
use crate::kubo::{Kubo, Tree, file, folder};
use crate::support::nodes::Node;

const BASES: [&str; 17] = [
    "base16",
    "base16upper",
    "base32",
    "base32upper",
    "base32pad",
    "base32padupper",
    "base32hex",
    "base32hexupper",
    "base32hexpad",
    "base36",
    "base36upper",
    "base58btc",
    "base58flickr",
    "base64",
    "base64pad",
    "base64url",
    "base64urlpad",
];

fn ask(host: &str, target: &str) -> Reply {
    let mut stream = TcpStream::connect(host).unwrap();
    let request = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    Reply::parse(&reply)
}

#[cfg(unix)]
#[test]
fn it_answers_as_kubo_does() {
    let kubo = Kubo::new(Profile::UnixfsV1_2025);
    let link = |target: &str| Tree::Symlink(target.to_owned());
    let tree = folder([
        (
            "click",
            folder([("click.whl", file(b"wheel")), ("here", link("click.whl"))]),
        ),
        ("link", link("click")),
        ("page", folder([("index.html", link("../click/click.whl"))])),
        ("up", link("../../etc/passwd")),
    ]);
    let built = tree.build(Profile::UnixfsV1_2025);
    let car = built.car();
    let root = kubo.import(&car);
    let node = Node::over(kubo, &[]);
    let host = node.gateway.strip_prefix("http://").unwrap();
    let server = Server::with(car, Limits::default());

    let mut targets = vec![
        format!("/ipfs/{root}/link"),
        format!("/ipfs/{root}/link/click.whl"),
        format!("/ipfs/{root}/up"),
        format!("/ipfs/{root}/click/here"),
        format!("/ipfs/{root}/click/here?format=raw"),
    ];
    // Kubo takes version 0 with a base, too.
    let v0 = node.text(&["cid", "format", "-v", "0", &root.to_string()]);
    assert_eq!(
        server.get(&format!("/ipfs/z{v0}/click/click.whl")).text(),
        "wheel"
    );
    let wheel = node.text(&["resolve", &format!("/ipfs/{root}/click/click.whl")]);
    let wheel = wheel.strip_prefix("/ipfs/").unwrap();
    for base in BASES {
        let text = node.text(&["cid", "format", "-b", base, &root.to_string()]);
        targets.push(format!("/ipfs/{text}/click/click.whl"));
        targets.push(format!("/ipfs/{text}/click"));
        let text = node.text(&["cid", "format", "-b", base, wheel]);
        if !text.contains('/') {
            targets.push(format!("/ipfs/{text}"));
        }
    }
    for target in &targets {
        let (theirs, own) = (ask(host, target), server.get(target));
        assert_eq!(own.status, theirs.status, "{target}: {own:?} {theirs:?}");
        assert_eq!(
            own.header("location"),
            theirs.header("location"),
            "{target}"
        );
        if own.status == 200 {
            for name in ["content-length", "etag", "x-ipfs-path", "x-ipfs-roots"] {
                assert_eq!(own.header(name), theirs.header(name), "{target}: {name}");
            }
            assert_eq!(own.body, theirs.body, "{target}");
        }
        let is_link = |reply: &Reply| reply.header("content-type") == "inode/symlink";
        assert_eq!(is_link(&own), is_link(&theirs), "{target}");
    }
    // A page that is a link is not followed, and a link is not a folder.
    for path in ["page/", "link/"] {
        assert_eq!(server.get(&server.path(path)).status, 404, "{path}");
    }
}
