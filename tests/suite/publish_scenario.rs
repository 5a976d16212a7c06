//! A year of an operator in one run: three nodes, a cluster over two of them, a web server, a name.
//! A node is stopped, garbage is collected, a run is killed, a gateway lies, a set is rolled back;
//! a stranger installs, and a carrier carries on.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::clients::Pip;
use crate::publish_directory::serve_with_nginx;
use crate::publish_kubo::{installable_with, moved, settings, succeeded};
use crate::reuse::{key, trusted};
use crate::support::cluster::Peer;
use crate::support::cutting_proxy::{Cut, CuttingProxy};
use crate::support::http;
use crate::support::nodes::Node;
use crate::support::tool;
use crate::support::workshop::{Ran, Workshop};

/// The maintainers' folder.
struct Maintainer {
    workshop: Workshop,
    targets: String,
}

impl Maintainer {
    /// The declarations with this version of `library`, built on top of the release before.
    fn build(&self, version: &str) -> String {
        let set = installable_with(version).configuration(&trusted());
        self.workshop.write_over(&set);
        settings(&self.workshop, &self.targets);
        self.workshop.build(&[
            "--key",
            "../key",
            "--expires",
            "90d",
            "--renew-within",
            "30d",
        ])
    }

    fn publish(&self, arguments: &[&str]) -> Ran {
        self.workshop
            .run(&[&["publish", "--key", "../key"], arguments].concat())
    }

    fn states(&self) -> String {
        self.workshop.run(&["publish", "--status"]).output
    }
}

/// Sends other bytes than it is asked for, of the right length.
fn liar(gateway: &str) -> String {
    let gateway = gateway.to_owned();
    http::respond(move |request| {
        let accepts = format!("Accept: {}\r\n", request.header("accept"));
        let (head, mut body) = http::get(&format!("{gateway}{}", request.path), &accepts);
        if head.starts_with("http/1.1 200") && !body.is_empty() {
            let middle = body.len() / 2;
            body[middle] ^= 1;
            return http::whole("200 OK", &[], &body);
        }
        http::whole("404 Not Found", &[], b"")
    })
}

fn installs(pip: &Pip, index: &str, version: &str) {
    pip.install(index, &["--force-reinstall", "application", "library"]);
    assert_eq!(
        pip.python("import library; print(library.version)"),
        version
    );
}

#[test]
fn a_year_of_an_operator() {
    let (one, two, mut three) = (Node::start(), Node::start(), Node::start());
    one.connect(&two);
    let alpha = Peer::start("alpha", &one, None, &[]);
    let beta = Peer::start("beta", &two, Some(&alpha), &[]);
    let pip = Pip::new();
    let workshop = Workshop::with(&installable_with("2.0").configuration(&trusted()));
    fs::write(workshop.path("key"), key(1).to_openssh().unwrap()).unwrap();
    fs::create_dir(workshop.path("site")).unwrap();
    let nginx = tool("nginx");
    let (_nginx, site) = serve_with_nginx(&nginx, &workshop.path("site"), &workshop.path("nginx"));
    let targets = |third: &str| {
        format!(
            "[publish.name]\nkind = \"ipns\"\nfile = \"../record\"\n\n\
             [publish.node]\nkind = \"kubo\"\napi = \"{}\"\ngateway = \"{}\"\n\n\
             [publish.cluster]\nkind = \"cluster\"\napi = \"{}\"\ngateway \
             = \"{}\"\nreplication-min = 2\nreplication-max = 2\nkeep = 3\n\n\
             [publish.third]\nkind = \"kubo\"\napi = \"{third}\"\npinned-by = \"\"\nkeep = 3\n\n\
             [publish.site]\nkind = \"directory\"\npath = \"../site\"\nurl = \"{site}\"\nkeep = 3\n",
            one.api, one.gateway, alpha.api, two.gateway
        )
    };
    let mut maintainer = Maintainer {
        workshop,
        targets: targets(&three.api),
    };

    // The first release goes everywhere, and pip installs from what is printed.
    let first = maintainer.build("2.0");
    let ran = succeeded(maintainer.publish(&[]));
    for index in [
        format!("{}/ipfs/{first}/", one.gateway),
        format!("{site}/latest/"),
    ] {
        assert!(
            ran.output.contains(&format!("--index-url {index} NAME")),
            "{ran:?}"
        );
        installs(&pip, &index, "2.0");
    }

    // A node is stopped. The others get the second release, and the name leads to it.
    let repository = three.stopped();
    let second = maintainer.build("2.1");
    let ran = maintainer.publish(&[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    ran.said("third: no connection to");
    ran.said("1 target failed: `ipwhl publish --key ../key third` continues this run");
    ran.said(&format!("refers to /ipfs/{second}"));
    // Garbage is collected meanwhile, and the node comes back.
    for node in [&one, &two] {
        node.text(&["repo", "gc", "--quiet"]);
    }
    three = Node::over(repository, &[]);
    maintainer.targets = targets(&three.api);
    let again = maintainer.build("2.1");
    assert_eq!(again, second);
    assert!(maintainer.states().contains("third: behind: sequence 1"));
    let ran = succeeded(maintainer.publish(&[]));
    assert!(
        moved(&ran) > 0 && !ran.error.contains("site: moved"),
        "{ran:?}"
    );
    assert!(!maintainer.states().contains("behind"));

    // A run is killed in the middle of an upload, and the next one goes on.
    let proxy = CuttingProxy::start(&three.api, Cut::BeforeLine("/pin/add"));
    maintainer.targets = targets(&proxy.url);
    let third = maintainer.build("2.2");
    let mut command = maintainer.workshop.command(&["publish", "--key", "../key"]);
    let child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    assert!(proxy.cuts(child));
    maintainer.targets = targets(&three.api);
    assert_eq!(maintainer.build("2.2"), third);
    let ran = succeeded(maintainer.publish(&[]));
    assert!(
        !ran.error.contains("third: moved"),
        "what had come was sent again: {ran:?}"
    );
    ran.said(&format!("third: pinned {third}"));

    // Someone fills a hollow archive, from a liar and an honest gateway.
    maintainer.workshop.run(&["hollow", "release"]).line();
    let hollow = maintainer.workshop.release("release.hollow.car");
    let aside = maintainer.workshop.path("aside.hollow.car");
    fs::rename(hollow, &aside).unwrap();
    let filled = maintainer.workshop.path("filled.car");
    let lying = liar(&two.gateway);
    let mut fill = maintainer.workshop.command(&[
        "fill",
        aside.to_str().unwrap(),
        "--from",
        &lying,
        "--from",
        &two.gateway,
        "--output",
        filled.to_str().unwrap(),
    ]);
    let empty = maintainer.workshop.path("empty-cache");
    let ran = succeeded(Ran::of(
        &fill.env("IPWHL_CACHE_DIR", empty).output().unwrap(),
    ));
    ran.said(lying.trim_start_matches("http://"));
    let whole = fs::read(maintainer.workshop.release("release.car")).unwrap();
    assert!(fs::read(&filled).unwrap() == whole);

    // Back to the second set: its root under the fourth statement, and no block is moved.
    let back = maintainer.build("2.1");
    assert_eq!(back, second);
    let ran = succeeded(maintainer.publish(&[]));
    assert!(!ran.error.contains("transferred "), "{ran:?}");
    let states = maintainer.states();
    for name in ["node", "cluster", "third", "site", "name"] {
        let line = format!("{name}: current: sequence 4, {second}");
        assert!(states.contains(&line), "{states}");
    }
    installs(&pip, &format!("{site}/latest/"), "2.1");
    let ran = succeeded(maintainer.publish(&["--check"]));
    assert!(
        !ran.error.contains("missing") && !ran.error.contains("altered"),
        "{ran:?}"
    );

    // A stranger has the address and the key's line, and no gateway.
    let stranger = Workshop::empty();
    let line = format!("maintainer {}\n", key(1).public().line(""));
    fs::write(stranger.path("signers"), line).unwrap();
    let trust = ["--allowed-signers", "signers"];
    let address = format!("{site}/");
    succeeded(stranger.run(&[&["verify", &address], &trust[..]].concat()));
    let statement = format!("{site}/release.toml");
    let ran = succeeded(stranger.run(&[&["fetch", &statement], &trust[..]].concat()));
    assert_eq!(ran.output.trim(), second);
    assert_eq!(
        fs::read(stranger.path("release/release.car")).unwrap(),
        fs::read(maintainer.workshop.release("release.car")).unwrap()
    );

    // A carrier brings it to a node of their own, and the maintainers' machines go.
    let carrier = Workshop::empty();
    let own = Node::start();
    succeeded(carrier.run(&["init", "--carry", &statement, "repository"]));
    settings(
        &carrier,
        &format!(
            "[publish.own]\nkind = \"kubo\"\napi = \"{}\"\ngateway = \"{}\"\n",
            own.api, own.gateway
        ),
    );
    succeeded(carrier.run(&["fetch", &address]));
    let ran = succeeded(carrier.run(&["publish"]));
    let index = format!("{}/ipfs/{second}/", own.gateway);
    assert!(ran.output.contains(&index), "{ran:?}");
    drop((alpha, beta, one, two, three));
    installs(&pip, &index, "2.1");
    let pinned = own.pins();
    assert!(
        pinned.contains(&(second, "ipwhl/example/4".to_owned())),
        "{pinned:?}"
    );
    assert!(Path::new(&carrier.repository().join("release/release.car")).is_file());
}
