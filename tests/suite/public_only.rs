//! `--public-only`, and what a check of a stranger's change asks: real servers that must not be
//! reached.

use ipwhl::command::ExitStatus;

use crate::support::history::History;
use crate::support::loopback_index::{Answer, Hosted, LoopbackIndex};
use crate::support::program::{Program, Run};
use crate::support::repository_builder::{BuiltRepository, Project, RepositoryBuilder};
use crate::support::wheel_builder::WheelBuilder;
use crate::support::workshop::pure;

fn cherry() -> WheelBuilder {
    pure("cherry", "0.3")
}

/// A set of one wheel that comes from these places.
fn set(sources: &[&str]) -> RepositoryBuilder {
    RepositoryBuilder::new()
        .project(Project::wanted(cherry()).set("source", &format!("{sources:?}")))
}

fn program(repository: &BuiltRepository) -> Program {
    let path = |name: &str| std::env::var_os(name).unwrap_or_default();
    Program::new(repository.path())
        .variable("PATH", path("PATH"))
        .variable("GIT_CONFIG_GLOBAL", "/dev/null")
        .variable("SSL_CERT_FILE", LoopbackIndex::certificate())
}

const CHECK: [&str; 3] = ["check", "--sources", "--public-only"];

/// Each problem is the world's: the source may be right, and nobody has looked.
#[track_caller]
fn not_asked(run: &Run, words: &str) {
    assert_eq!(run.status, ExitStatus::World, "{run:?}");
    let words =
        format!("it is not used: `--public-only` allows https to public addresses only, {words}");
    assert!(run.stderr.contains(&words), "{words}: {run:?}");
}

#[test]
fn no_connection_is_made_to_an_address_that_is_not_public() {
    let plain = LoopbackIndex::start();
    let secure = LoopbackIndex::start_tls();
    let name = cherry().file_name();
    let port = |server: &LoopbackIndex| server.url("").rsplit(':').next().unwrap().to_owned();
    let (http, https) = (port(&plain), port(&secure));
    for (source, words) in [
        (
            format!("http://127.0.0.1:{http}/{name}"),
            "and this is not https",
        ),
        (
            format!("http://localhost:{http}/{name}"),
            "and this is not https",
        ),
        (
            format!("https://127.0.0.1:{https}/{name}"),
            "on port 443 or that of the configured index, and this is port",
        ),
        (
            format!("https://127.0.0.1:{http}/{name}"),
            "on port 443 or that of the configured index, and this is port",
        ),
        (
            format!("https://localhost:{https}/{name}"),
            "on port 443 or that of the configured index, and this is port",
        ),
        (
            format!("https://127.0.0.1/{name}"),
            "and `127.0.0.1` has none",
        ),
        (
            format!("https://2130706433/{name}"),
            "and `127.0.0.1` has none",
        ),
        (format!("https://0.0.0.0/{name}"), "and `0.0.0.0` has none"),
        (
            format!("https://169.254.169.254/{name}"),
            "and `169.254.169.254` has none",
        ),
        (
            format!("https://10.1.2.3/{name}"),
            "and `10.1.2.3` has none",
        ),
        (format!("https://[::1]/{name}"), "and `::1` has none"),
        (
            format!("https://[::ffff:127.0.0.1]/{name}"),
            "and `::ffff:127.0.0.1` has none",
        ),
        // Names are held to it by what they lead to.
        (
            format!("https://localhost/{name}"),
            "and `localhost` has none",
        ),
    ] {
        let repository = set(&[&source]).build();
        let run = program(&repository).run(&CHECK);
        not_asked(&run, words);
    }
    assert_eq!([plain.connections(), secure.connections()], [0, 0]);
    // Without the option it would have been asked.
    secure.put(&format!("/{name}"), &cherry().build());
    let source = secure.url(&format!("/{name}"));
    let repository = set(&[&source]).build();
    program(&repository)
        .run(&CHECK[..2])
        .expect(ExitStatus::Clean);
    assert_eq!(secure.connections(), 1);
}

/// The index is where who runs this says; what its pages and redirects lead to is not.
#[test]
fn a_configured_index_may_be_anywhere_and_leads_nowhere_else() {
    let index = LoopbackIndex::start_tls();
    let inside = LoopbackIndex::start_tls();
    let wheel = cherry();
    let name = wheel.file_name();
    index.host(Hosted::new("cherry", &name, &wheel.build()));
    let package = format!("pkg:pypi/cherry@0.3?file_name={name}");
    let repository = set(&[&package]).build();
    let program = || program(&repository).index(&index.index_url());
    program().run(&CHECK).expect(ExitStatus::Clean);
    // A redirect to another port of the same host, to a name of this machine at the index's own
    // port, to plain http.
    let file = index
        .paths()
        .into_iter()
        .find(|path| path.ends_with(&name))
        .unwrap();
    let by_name = index.url("").replace("127.0.0.1", "localhost");
    for (target, words) in [
        (
            inside.url("/secret.whl"),
            "on port 443 or that of the configured index",
        ),
        (format!("{by_name}/secret.whl"), "and `localhost` has none"),
        (
            "https://192.168.0.1/secret.whl".to_owned(),
            "and `192.168.0.1` has none",
        ),
    ] {
        index.always(&file, Answer::redirect(&target));
        let run = program().run(&CHECK);
        not_asked(&run, words);
        assert!(
            !index.paths().iter().any(|path| path.contains("secret")),
            "{target}"
        );
    }
    assert_eq!(inside.connections(), 0);
    // A page of the index that leads into the network is no better.
    let other = LoopbackIndex::start_tls();
    let page = format!("<a href=\"{}\">{name}</a>", inside.url(&format!("/{name}")));
    other.put("/simple/cherry/", page.as_bytes());
    let run = self::program(&repository)
        .index(&other.index_url())
        .run(&CHECK);
    assert_ne!(run.status, ExitStatus::Clean, "{run:?}");
    assert_eq!(inside.connections(), 0);
}

/// The index of `ipwhl.toml` is the change's own word unless the check knows the revision before.
#[test]
fn the_index_of_a_change_is_none_that_is_configured() {
    let inside = LoopbackIndex::start_tls();
    let wheel = cherry();
    let name = wheel.file_name();
    inside.host(Hosted::new("cherry", &name, &wheel.build()));
    let package = format!("pkg:pypi/cherry@0.3?file_name={name}");
    let index = format!("\n[index]\nurl = \"{}\"\n", inside.index_url());
    let repository = set(&[&package]).configuration(&index).build();
    let run = program(&repository).run(&CHECK);
    not_asked(&run, "on port 443 or that of the configured index");
    assert_eq!(inside.connections(), 0);
}

#[test]
fn a_check_of_a_change_asks_the_places_of_before() {
    let reviewed = LoopbackIndex::start_tls();
    let own = LoopbackIndex::start_tls();
    let wheel = cherry();
    let name = wheel.file_name();
    for server in [&reviewed, &own] {
        server.host(Hosted::new("cherry", &name, &wheel.build()));
    }
    let package = format!("pkg:pypi/cherry@0.3?file_name={name}");
    let settings = |server: &LoopbackIndex, target: &str| {
        format!(
            "\n[index]\nurl = \"{}\"\n[mirrors]\ngateways = [\"{}\"]\n[publish.node]\nkind \
             = \"kubo\"\napi = \"{target}\"\n",
            server.index_url(),
            server.url(""),
        )
    };
    let before =
        RepositoryBuilder::new().configuration(&settings(&reviewed, "http://127.0.0.1:5001"));
    let repository = before.build();
    let history = History::begin(repository.path());
    history.run(&["tag", "reviewed"]);
    set(&[&package])
        .configuration(&settings(&own, "http://127.0.0.1:5002"))
        .write_to(repository.path());
    history.commit("a change");
    for arguments in [
        &["check", "--since", "reviewed", "--public-only"][..],
        &["check", "--since", "reviewed"],
    ] {
        let run = program(&repository)
            .run(arguments)
            .expect(ExitStatus::Clean);
        let words = "note: this change has a different `[publish]` and a different `[index]` and a \
                     different `[mirrors]`; the check uses the one of `reviewed`";
        assert!(run.stderr.contains(words), "{run:?}");
    }
    assert_eq!(own.connections(), 0);
    assert!(reviewed.connections() > 0);
    // A change that begins long ago does not bring back what was reviewed then.
    let lapsed = LoopbackIndex::start_tls();
    lapsed.host(Hosted::new("cherry", &name, &wheel.build()));
    let text = repository.read("ipwhl.toml");
    repository.write("ipwhl.toml", text.replace(&own.url(""), &lapsed.url("")));
    history.commit("as it once was");
    let begun = history.run(&["rev-parse", "HEAD"]);
    repository.write("ipwhl.toml", text.replace(&own.url(""), &reviewed.url("")));
    history.commit("as it is");
    history.run(&["branch", "is-reviewed"]);
    history.run(&["checkout", "--quiet", "-b", "late", &begun]);
    let cherry = repository.read("declarations/cherry.toml");
    repository.write("declarations/cherry.toml", format!("# late\n{cherry}"));
    history.commit("a late change");
    program(&repository)
        .run(&["check", "--since", "is-reviewed", "--wheels"])
        .expect(ExitStatus::Clean);
    assert_eq!(lapsed.connections(), 0);
    history.run(&["checkout", "--quiet", "main"]);
    // The same without a repository before: nobody has reviewed the change's own.
    history.run(&["checkout", "--quiet", "--orphan", "nothing"]);
    history.run(&["rm", "--quiet", "-r", "--cached", "."]);
    history.run(&["commit", "--quiet", "--allow-empty", "--message", "nothing"]);
    history.run(&["tag", "nothing-before"]);
    let run = program(&repository)
        .without("PATH")
        .variable("PATH", std::env::var_os("PATH").unwrap_or_default())
        .variable("PIP_CONFIG_FILE", "/dev/null")
        .variable("PIP_INDEX_URL", reviewed.index_url())
        .run(&["check", "--since", "nothing-before"]);
    assert!(
        run.stderr.contains("note: this change has a different"),
        "{run:?}"
    );
    assert_eq!(own.connections(), 0);
    // Who may sign is worth a word, too.
    history.run(&["checkout", "--quiet", "--force", "main"]);
    let text = repository.read("ipwhl.toml");
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKStranger stranger";
    repository.write(
        "ipwhl.toml",
        format!("{text}\n[signing]\ntrusted = [\"{key}\"]\n"),
    );
    let run = program(&repository).run(&["check", "--since", "main"]);
    let words = "warning: this change sets who may sign releases: `trusted` in `[signing]`; `ipwhl \
                 diff` shows the values";
    assert!(run.stderr.contains(words), "{run:?}");
}

/// What is found insecure is not asked all the same, unless somebody answers for it.
#[test]
fn an_insecure_source_is_not_asked() {
    let server = LoopbackIndex::start();
    let name = cherry().file_name();
    server.put(&format!("/{name}"), &cherry().build());
    // Not a loopback address by its looks, and this machine all the same.
    let source = server
        .url(&format!("/{name}"))
        .replace("127.0.0.1", "0.0.0.0");
    for arguments in [
        &["check", "--wheels"][..],
        &["check", "--sources"],
        &["build", "--unsigned"],
    ] {
        let repository = set(&[&source]).build();
        let run = program(&repository)
            .run(arguments)
            .expect(ExitStatus::Findings);
        assert!(run.stderr.contains("error[insecure-source]"), "{run:?}");
    }
    assert_eq!(server.connections(), 0);
    let waiver = "\n[[waiver]]\ncode = \"insecure-source\"\nproject = \"cherry\"\nreason = \"for \
                  now\"\nexpires = 2999-01-01\n";
    for settings in ["\n[severity]\ninsecure-source = \"warning\"\n", waiver] {
        let repository = set(&[&source]).configuration(settings).build();
        program(&repository)
            .run(&["check", "--sources"])
            .expect(ExitStatus::Clean);
    }
    assert!(server.connections() > 0);
}

/// Where a proxy looks names up, what is written out is held to the option all the same, and the
/// rest is said.
#[test]
fn a_proxy_is_asked_for_names_only_and_that_is_said() {
    let proxy = LoopbackIndex::start();
    let name = cherry().file_name();
    let note = "note: a proxy from the environment resolves host names";
    for (host, words) in [
        ("10.1.2.3", "has none"),
        ("[::1]", "has none"),
        ("example.org:8443", "and this is port 8443"),
        // The proxy's own name is looked up, whatever it leads to, so it is no source.
        ("localhost", "has none"),
    ] {
        let repository = set(&[&format!("https://{host}/{name}")]).build();
        let address = proxy.url("").replace("127.0.0.1", "localhost");
        let run = program(&repository)
            .variable("HTTPS_PROXY", address)
            .run(&CHECK);
        assert_eq!(run.status, ExitStatus::World, "{run:?}");
        assert!(run.stderr.contains(words), "{host}: {run:?}");
        assert_eq!(run.stderr.matches(note).count(), 1, "{run:?}");
    }
    assert_eq!(proxy.connections(), 0);
}
