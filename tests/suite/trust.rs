//! Engines of keys, statements and trust, used as a library: nothing here starts the program.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use ipwhl::foundation::environment::{Clock, Environment};
use ipwhl::foundation::failure::{Failure, FailureKind};
use ipwhl::release::names::STATEMENT;
use ipwhl::release::signature::{
    FoundKey, PassphraseQuestion, existing_key, make_key, named_key, new_passphrase, sign,
    signing_key,
};
use ipwhl::release::statement::folder::{keep_statement, kept_statements};
use ipwhl::release::statement::{
    Draft, Next, OpenSite, SignatureFile, SignedStatement, Statement, is_site, located,
    read_statement,
};
use ipwhl::release::trust::{
    Countersigning, NextRequest, NextStatement, RepositoryAround, SignedNext, Start, TrustBasis,
    TrustFailure, TrustNote, TrustOutcome, VouchedBy, carried_settings, check_unsigned,
    count_signatures, newest_by_own_keys, policy, policy_or_own, repository_trust, start, vouch,
};
use ipwhl::set::repository::{CONFIGURATION_FILE, Configuration};
use ipwhl::source::Session;
use ipwhl_unixfs::{Cid, Codec, Sha256Digest};
use tempfile::TempDir;

use crate::reuse::key;
use crate::support::loopback_index::LoopbackIndex;

const NAME: &str = "floating-cheeses";
const NOW: &str = "2026-11-20T12:00:00Z";

/// A folder with a home, and a session in it.
struct Place {
    folder: TempDir,
    environment: Environment,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut environment = Environment::of_process();
        environment.current_directory = folder.path().to_owned();
        environment.variables.clear();
        environment.cache_home = Some(folder.path().join("cache"));
        environment.configuration_home = Some(folder.path().join("settings"));
        environment.home = Some(folder.path().to_owned());
        environment.clock = Clock::Fixed(NOW.parse().unwrap());
        Self {
            folder,
            environment,
        }
    }

    fn with(mut self, variable: &str, value: &str) -> Self {
        let variables = &mut self.environment.variables;
        variables.insert(variable.into(), value.into());
        self
    }

    fn session(&self) -> Session {
        Session::new(self.environment.clone())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    /// Writes a statement and its signatures.
    fn put(&self, name: &str, signed: &SignedStatement) -> PathBuf {
        for (file, text) in signed.files(name) {
            self.write(&file, text);
        }
        self.path(name)
    }

    /// A repository that trusts these keys.
    fn repository(&self, seeds: &[u8]) -> RepositoryAround {
        let lines: Vec<String> = seeds
            .iter()
            .map(|seed| format!("{:?}", line(*seed)))
            .collect();
        self.write(
            &format!("set/{CONFIGURATION_FILE}"),
            &format!(
                "[repository]\nformat = 1\nname = {NAME:?}\n\n[signing]\ntrusted = [{}]\n",
                lines.join(", ")
            ),
        );
        RepositoryAround {
            directory: Some(self.path("set")),
            is_foreign: false,
        }
    }
}

fn line(seed: u8) -> String {
    key(seed).public().line(&format!("key-{seed}"))
}

fn root(sequence: u64) -> Cid {
    Cid::v1(Codec::Raw, Sha256Digest::of(&sequence.to_be_bytes()))
}

fn configuration(seeds: &[u8]) -> Configuration {
    Configuration {
        name: NAME.to_owned(),
        trusted: seeds.iter().map(|seed| line(*seed)).collect(),
        ..Configuration::default()
    }
}

fn nobody_around() -> RepositoryAround {
    RepositoryAround::default()
}

/// The statement after `previous`, which names the keys `next` and is signed by the keys `by`.
fn statement(previous: Option<&SignedStatement>, next: &[u8], by: &[u8]) -> SignedStatement {
    let sequence = previous.map_or(1, |previous| previous.statement.sequence + 1);
    let draft = Draft {
        name: NAME.to_owned(),
        root: root(sequence),
        created: "2026-11-20T00:00:00Z".parse().unwrap(),
        expires: None,
        checks: None,
        trusted: next
            .iter()
            .map(|seed| line(*seed).parse().unwrap())
            .collect(),
        threshold: 1,
        withdrawn: Vec::new(),
        renew: false,
        renew_by: None,
    };
    let previous = previous.map(|signed| &signed.statement);
    signed(Statement::following(previous, draft).unwrap().unwrap(), by)
}

/// A statement, signed by these keys.
pub fn signed(statement: Statement, by: &[u8]) -> SignedStatement {
    let text = statement.to_toml();
    let signatures = by.iter().enumerate().map(|(place, seed)| SignatureFile {
        suffix: match place {
            0 => ".sig".to_owned(),
            _ => format!(".{}.sig", key(*seed).public().file_digits()),
        },
        text: sign(&key(*seed), text.as_bytes()).unwrap(),
    });
    SignedStatement {
        signatures: signatures.collect(),
        text,
        statement,
    }
}

/// Statements, each of which names the key that signs the next one.
fn chain(seeds: &[u8]) -> Vec<SignedStatement> {
    let mut all: Vec<SignedStatement> = Vec::new();
    for (place, seed) in seeds.iter().enumerate() {
        let next = seeds.get(place + 1).unwrap_or(seed);
        all.push(statement(all.last(), &[*next], &[*seed]));
    }
    all
}

/// Holds the newest statement to a reader, given those between and where one is missing.
fn hold(
    place: &Place,
    around: &RepositoryAround,
    start: Start,
    newest: &SignedStatement,
    between: &[SignedStatement],
    missing: Option<&str>,
) -> Result<TrustOutcome, TrustFailure> {
    let mut between = between.iter();
    vouch(
        &place.session(),
        around,
        "newest",
        newest.clone(),
        start,
        &mut |_| {
            Ok(match (between.next(), missing) {
                (Some(next), _) => Next::Statement("between".to_owned(), Box::new(next.clone())),
                (None, Some(missing)) => Next::Missing(missing.to_owned()),
                (None, None) => Next::Last,
            })
        },
    )
}

#[track_caller]
fn refused(failure: &Failure, kind: FailureKind, words: &str) {
    assert_eq!(failure.kind, kind, "{failure:?}");
    assert!(failure.message.contains(words), "{failure:?}");
}

fn nobody_asks(_: PassphraseQuestion<'_>) -> io::Result<Option<String>> {
    panic!("no passphrase is needed")
}

fn fingerprint(found: &FoundKey) -> String {
    found.public().0.fingerprint()
}

#[test]
fn a_key_is_found_where_it_is_named_or_where_the_users_own_is() {
    let place = Place::new();
    let session = place.session();
    assert!(existing_key(&session, None).unwrap().is_none());
    let own = make_key(&place.path("settings/ipwhl/signing-key"), None).unwrap();
    let found = existing_key(&session, None).unwrap().unwrap();
    assert_eq!(fingerprint(&found), own.public().fingerprint());
    assert!(!found.is_new());
    // A name counts more than the own one, and an argument more than a variable.
    let text = key(1).to_openssh().unwrap();
    let place = place.with("IPWHL_SIGNING_KEY", &text);
    let found = existing_key(&place.session(), None).unwrap().unwrap();
    assert_eq!(fingerprint(&found), key(1).public().fingerprint());
    assert_eq!(found.origin(), "IPWHL_SIGNING_KEY");
    place.write("two", &key(2).to_openssh().unwrap());
    let session = place.session();
    let found = named_key(&session, Some(Path::new("two")))
        .unwrap()
        .unwrap();
    assert_eq!(found.public(), (&key(2).public(), "key-2"));
    let open = found.checked(&session).unwrap();
    let open = open.open(&session, &mut nobody_asks).unwrap();
    assert_eq!(open.key.public(), key(2).public());
    // A part of a key is in no message.
    let part = text.lines().nth(1).unwrap();
    let failure = named_key(&session, Some(Path::new(part))).unwrap_err();
    refused(&failure, FailureKind::Usage, "neither the path of a key");
    assert!(!failure.message.contains(part));
}

#[test]
fn the_first_key_is_made_and_none_in_ci() {
    let place = Place::new();
    let found = signing_key(&place.session(), None).unwrap();
    assert!(found.is_new());
    let again = signing_key(&place.session(), None).unwrap();
    assert!(!again.is_new());
    assert_eq!(fingerprint(&again), fingerprint(&found));
    let place = Place::new().with("CI", "true");
    let failure = signing_key(&place.session(), None).unwrap_err();
    refused(&failure, FailureKind::World, "CI does not create one");
}

#[test]
fn a_passphrase_is_asked_for_three_times_at_most() {
    let place = Place::new();
    let file = place.write("key", &key(1).to_protected("secret").unwrap());
    let session = place.session();
    let open = |answers: &[&str]| {
        let mut asked = Vec::new();
        let mut answers = answers.iter();
        let found = named_key(&session, Some(&file)).unwrap().unwrap();
        let key = found.checked(&session).unwrap();
        let opened = key.open(&session, &mut |question| {
            asked.push(matches!(question, PassphraseQuestion::UnlockAgain(_)));
            Ok(answers.next().map(|answer| (*answer).to_owned()))
        });
        (opened, asked)
    };
    let (opened, asked) = open(&["wrong", "secret"]);
    assert_eq!(opened.unwrap().key.public(), key(1).public());
    assert_eq!(asked, [false, true]);
    let (opened, asked) = open(&["1", "2", "3", "secret"]);
    refused(&opened.unwrap_err(), FailureKind::World, "cannot sign");
    assert_eq!(asked, [false, true, true]);
    let (opened, _) = open(&[]);
    let failure = opened.unwrap_err();
    assert!(
        failure
            .help
            .unwrap()
            .contains("IPWHL_SIGNING_KEY_PASSPHRASE")
    );
    // What the environment gives goes first, and for new keys, too.
    let place = place.with("IPWHL_SIGNING_KEY_PASSPHRASE", "secret\n");
    let session = place.session();
    let found = named_key(&session, Some(&file)).unwrap().unwrap();
    let checked = found.checked(&session).unwrap();
    assert!(checked.open(&session, &mut nobody_asks).is_ok());
    assert_eq!(
        new_passphrase(&session, &mut nobody_asks).unwrap(),
        "secret"
    );
}

#[test]
fn a_new_passphrase_is_typed_twice() {
    let place = Place::new();
    let session = place.session();
    let ask = |answers: [&str; 2]| {
        new_passphrase(&session, &mut |question| {
            let second = question == PassphraseQuestion::Repeat;
            Ok(Some(answers[usize::from(second)].to_owned()))
        })
    };
    assert_eq!(ask(["same", "same"]).unwrap(), "same");
    refused(
        &ask(["one", "other"]).unwrap_err(),
        FailureKind::Usage,
        "differ",
    );
    refused(&ask(["", ""]).unwrap_err(), FailureKind::Usage, "is empty");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_told_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let session = place.session();
    let file = place.write("key", &key(1).to_openssh().unwrap());
    for (mode, is_told) in [(0o644, true), (0o600, false)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let found = named_key(&session, Some(&file)).unwrap().unwrap();
        let checked = found.checked(&session).unwrap();
        assert_eq!(checked.exposed_file().is_some(), is_told, "{mode:o}");
    }
}

#[cfg(unix)]
#[test]
fn the_public_half_of_a_key_leads_to_the_agent() {
    use crate::support::agent::WrittenAgent;
    let place = Place::new();
    let agent = WrittenAgent::start(place.folder.path(), 1, None);
    let public = place.write("key.pub", &line(1));
    let session = place.session();
    let found = named_key(&session, Some(&public)).unwrap().unwrap();
    let failure = found.checked(&session).unwrap();
    let failure = failure.open(&session, &mut nobody_asks).unwrap_err();
    refused(&failure, FailureKind::World, "SSH_AUTH_SOCK is not set");
    let place = place.with("SSH_AUTH_SOCK", agent.socket.to_str().unwrap());
    let session = place.session();
    let found = named_key(&session, Some(&public)).unwrap().unwrap();
    let open = found.checked(&session).unwrap();
    let open = open.open(&session, &mut nobody_asks).unwrap();
    assert!(open.key.is_kept_by_agent());
}

#[test]
fn a_repository_trusts_its_keys_or_its_user() {
    let place = Place::new();
    let session = place.session();
    let none = configuration(&[]);
    assert!(policy(&none).unwrap().is_none());
    assert!(policy_or_own(&session, &none, None).unwrap().is_none());
    let file = place.write("key", &key(2).to_openssh().unwrap());
    let own = policy_or_own(&session, &none, Some(&file))
        .unwrap()
        .unwrap();
    assert!(own.keys().eq([&key(2).public()]));
    let trusting = policy_or_own(&session, &configuration(&[1]), Some(&file));
    assert!(trusting.unwrap().unwrap().keys().eq([&key(1).public()]));
    let mut wrong = configuration(&[1]);
    wrong.threshold = 2;
    refused(
        &policy(&wrong).unwrap_err(),
        FailureKind::Finding,
        "`trusted`",
    );
}

#[test]
fn mistakes_in_settings_are_told_and_nobody_is_trusted() {
    let place = Place::new();
    let around = place.repository(&[1]);
    let directory = around.directory.as_deref().unwrap();
    let (trust, configuration) = repository_trust(directory).unwrap();
    assert!(trust.policy.unwrap().keys().eq([&key(1).public()]));
    assert_eq!(trust.name.as_deref(), Some(NAME));
    assert_eq!(configuration.name, NAME);
    let file = place.path("set").join(CONFIGURATION_FILE);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text + "trusts = []\n").unwrap();
    let error = repository_trust(directory).unwrap_err();
    refused(&error.failure, FailureKind::Finding, "contains mistakes");
    let [TrustNote::Mistakes { findings, .. }] = &error.notes[..] else {
        panic!("{:?}", error.notes);
    };
    assert_eq!(findings.len(), 1, "{findings:?}");
    // Whoever verifies is told of another way.
    let basis = TrustBasis::Repository { any_signer: false };
    let error = start(&place.session(), &basis, &around).unwrap_err();
    assert!(error.failure.help.unwrap().contains("--allowed-signers"));
}

#[test]
fn another_users_repository_says_nothing_of_whom_a_reader_trusts() {
    let place = Place::new();
    let around = RepositoryAround {
        is_foreign: true,
        ..place.repository(&[1])
    };
    let basis = TrustBasis::Repository { any_signer: false };
    let error = start(&place.session(), &basis, &around).unwrap_err();
    refused(
        &error.failure,
        FailureKind::Finding,
        "`set/ipwhl.toml` belongs",
    );
}

/// Where a reader begins who trusts the key 1.
fn begin(place: &Place) -> Start {
    let list = key(1).public().allowed_signers_line("one").unwrap();
    let basis = TrustBasis::AllowedSigners(place.write("signers", &(list + "\n")));
    start(&place.session(), &basis, &nobody_around()).unwrap()
}

#[test]
fn a_chain_is_followed_from_key_to_key() {
    let place = Place::new();
    let chain = chain(&[1, 2, 3]);
    let (newest, between) = chain.split_last().unwrap();
    let vouched = hold(
        &place,
        &nobody_around(),
        begin(&place),
        newest,
        between,
        None,
    );
    let vouched = vouched.unwrap();
    assert_eq!((vouched.name.as_str(), vouched.sequence), (NAME, 3));
    let VouchedBy::Signers(signers) = &vouched.by else {
        panic!("{:?}", vouched.by);
    };
    assert_eq!(signers[0].key, key(3).public());
    assert!(vouched.notes.is_empty());
    // The one that a reader has verified before is believed again.
    let basis = TrustBasis::TrustedStatement(place.put("verified.toml", newest));
    let start = start(&place.session(), &basis, &nobody_around()).unwrap();
    let vouched = hold(&place, &nobody_around(), start, newest, &[], None).unwrap();
    assert_eq!(vouched.by, VouchedBy::Itself);
}

#[test]
fn a_key_that_nobody_vouches_for_ends_the_chain() {
    let place = Place::new();
    let chain = chain(&[1, 2]);
    let stranger = signed(chain[1].statement.clone(), &[4]);
    let error = hold(
        &place,
        &nobody_around(),
        begin(&place),
        &stranger,
        &chain[..1],
        None,
    );
    let failure = error.unwrap_err().failure;
    let words = format!("the key {} is not trusted", key(4).public().fingerprint());
    refused(&failure, FailureKind::Finding, &words);
    // Without anybody who is trusted it needs a word of the reader.
    for (any_signer, is_enough) in [(false, false), (true, true)] {
        let basis = TrustBasis::Repository { any_signer };
        let start = start(&place.session(), &basis, &nobody_around()).unwrap();
        let held = hold(&place, &nobody_around(), start, &stranger, &[], None);
        assert_eq!(held.is_ok(), is_enough);
        match held {
            Ok(vouched) => {
                assert_eq!(vouched.by, VouchedBy::Anybody);
                let [TrustNote::AnySigner { keys, .. }] = &vouched.notes[..] else {
                    panic!("{:?}", vouched.notes);
                };
                assert_eq!(*keys, [key(4).public()]);
            }
            Err(error) => refused(
                &error.failure,
                FailureKind::Finding,
                "no key is trusted here",
            ),
        }
    }
}

#[test]
fn a_gap_is_passed_over_by_keys_that_the_repository_trusts_alone() {
    let place = Place::new();
    let chain = chain(&[1, 1, 1, 3]);
    let basis = TrustBasis::Repository { any_signer: false };
    let start = |around: &RepositoryAround| {
        Start::following(&place.session(), &basis, around, Some(chain[0].clone())).unwrap()
    };
    let newest = &chain[3];
    // Said by a file, a gap is one.
    let error = hold(
        &place,
        &nobody_around(),
        begin(&place),
        newest,
        &[],
        Some("2"),
    );
    refused(
        &error.unwrap_err().failure,
        FailureKind::Finding,
        "cannot be followed",
    );
    for (seed, words) in [(None, "some of the sequences"), (Some(2), "is not trusted")] {
        let around = seed.map_or_else(nobody_around, |seed| place.repository(&[seed]));
        let error = hold(&place, &around, start(&around), newest, &[], Some("2"));
        let failure = error.unwrap_err().failure;
        refused(&failure, FailureKind::Finding, words);
        assert!(failure.help.unwrap().contains("fetch from a site"));
    }
    let around = place.repository(&[3]);
    let vouched = hold(&place, &around, start(&around), newest, &[], Some("2")).unwrap();
    let [TrustNote::Skipped(gap)] = &vouched.notes[..] else {
        panic!("{:?}", vouched.notes);
    };
    assert_eq!((gap.known, gap.sequence, gap.missing.as_str()), (1, 4, "2"));
    assert_eq!(
        vouched.file,
        Some(place.path("set").join(CONFIGURATION_FILE))
    );
}

#[test]
fn what_goes_back_is_refused_whoever_has_signed_it() {
    let place = Place::new();
    let chain = chain(&[1, 1, 1]);
    let basis = TrustBasis::Repository { any_signer: false };
    for around in [nobody_around(), place.repository(&[1])] {
        let held = Some(chain[2].clone());
        let start = Start::following(&place.session(), &basis, &around, held).unwrap();
        let error = hold(&place, &around, start, &chain[1], &[], None).unwrap_err();
        refused(&error.failure, FailureKind::Finding, "it is older");
        assert!(error.failure.help.unwrap().contains("rollback attack"));
    }
    // Where an option says whose signatures count, the one in place only holds back.
    let list = key(1).public().allowed_signers_line("one").unwrap();
    let basis = TrustBasis::AllowedSigners(place.write("signers", &(list + "\n")));
    let held = Some(chain[2].clone());
    let start = Start::following(&place.session(), &basis, &nobody_around(), held).unwrap();
    let error = hold(&place, &nobody_around(), start, &chain[1], &[], None).unwrap_err();
    refused(&error.failure, FailureKind::Finding, "it is older");
}

#[test]
fn a_statement_of_tomorrow_is_told_of_before_anything_else() {
    let place = Place::new();
    let mut statement = statement(None, &[1], &[1]).statement;
    statement.created = "2026-11-22T00:00:00Z".parse().unwrap();
    let is_told = |notes: &[TrustNote]| matches!(notes, [TrustNote::FromTheFuture { .. }]);
    let vouched = hold(
        &place,
        &nobody_around(),
        begin(&place),
        &signed(statement.clone(), &[1]),
        &[],
        None,
    );
    assert!(is_told(&vouched.unwrap().notes));
    let error = hold(
        &place,
        &nobody_around(),
        begin(&place),
        &signed(statement, &[2]),
        &[],
        None,
    );
    assert!(is_told(&error.unwrap_err().notes));
}

#[test]
fn one_key_under_several_names_is_told_of() {
    let place = Place::new();
    let list = ["one", "two"].map(|name| key(1).public().allowed_signers_line(name).unwrap());
    let basis = TrustBasis::AllowedSigners(place.write("signers", &list.join("\n")));
    let start = start(&place.session(), &basis, &nobody_around()).unwrap();
    let [TrustNote::SeveralNames { names, .. }] = start.notes() else {
        panic!("{:?}", start.notes());
    };
    assert_eq!(*names, ["one", "two"]);
}

#[test]
fn a_statement_is_read_with_the_signatures_beside_it() {
    let place = Place::new();
    let both = statement(None, &[1], &[1, 2]);
    let path = place.put(STATEMENT, &both);
    place.write(&format!("{STATEMENT}.other.sig"), "no signature of it");
    let read = read_statement(&path).unwrap();
    let mut expected = both.clone();
    expected
        .signatures
        .sort_by(|one, other| one.suffix.cmp(&other.suffix));
    assert_eq!(read.text, expected.text);
    assert_eq!(read.signers().len(), 2);
    let session = place.session();
    let located = located(&session, &configuration(&[]), "--previous", STATEMENT, true);
    assert_eq!(located.unwrap(), read);
    let failure = read_statement(&place.write("empty.toml", "")).unwrap_err();
    refused(&failure, FailureKind::Finding, "is not a statement");
    let failure = read_statement(&place.path("nowhere.toml")).unwrap_err();
    refused(&failure, FailureKind::World, "cannot be read");
    // Those that a folder keeps, the newest first.
    let next = statement(Some(&both), &[1], &[1]);
    for one in [&both, &next] {
        keep_statement(place.folder.path(), one).unwrap();
    }
    let kept = kept_statements(place.folder.path());
    let kept: Vec<SignedStatement> = kept
        .iter()
        .map(|path| read_statement(path).unwrap())
        .collect();
    let sequences: Vec<u64> = kept.iter().map(|one| one.statement.sequence).collect();
    assert_eq!(sequences, [1, 2, 1]);
}

#[test]
fn a_statement_at_an_address_comes_with_the_signatures_of_keys_that_are_known() {
    let server = LoopbackIndex::start();
    let both = statement(None, &[1], &[1, 2]);
    for (name, text) in both.files(STATEMENT) {
        server.put(&format!("/{name}"), text.as_bytes());
    }
    let place = Place::new();
    let session = place.session();
    let url = server.url(&format!("/{STATEMENT}"));
    let get = |seeds: &[u8], offline| {
        located(&session, &configuration(seeds), "--previous", &url, offline)
    };
    assert_eq!(get(&[], false).unwrap().signers(), [key(1).public()]);
    assert_eq!(get(&[2], false).unwrap().signers().len(), 2);
    refused(
        &get(&[], true).unwrap_err(),
        FailureKind::Usage,
        "`--offline`",
    );
}

#[test]
fn a_site_gives_its_newest_statement_and_those_between() {
    let place = Place::new();
    let chain = chain(&[1, 2, 3]);
    let newest = &chain[2];
    let site = place.path("site");
    for one in &chain {
        keep_statement(&site, one).unwrap();
    }
    place.put(&format!("site/{STATEMENT}"), newest);
    assert!(is_site(&site));
    let server = LoopbackIndex::start();
    crate::site::put(&server, &site);
    let session = place.session();
    for location in [
        site.to_str().unwrap(),
        &server.url("/"),
        &server.url("/release.toml"),
    ] {
        let mut open = OpenSite::named(&session, location, false).unwrap();
        let found = open.newest(&[]).unwrap();
        assert_eq!(found.signed, *newest, "{location}");
        assert!(found.has_folders);
        let last = &newest.statement;
        let Next::Statement(_, next) = open.after(Some(&chain[0].statement), last).unwrap() else {
            panic!("{location}");
        };
        assert_eq!(*next, chain[1]);
        let next = open.after(Some(&chain[1].statement), last).unwrap();
        assert!(matches!(next, Next::Last));
        // It is what a chain is followed by.
        let vouched = vouch(
            &session,
            &nobody_around(),
            &found.place,
            found.signed,
            begin(&place),
            &mut |known| match known {
                None => Ok(Next::Statement(
                    "first".to_owned(),
                    Box::new(chain[0].clone()),
                )),
                known => open.after(known, last),
            },
        );
        assert_eq!(vouched.unwrap().sequence, 3);
    }
    let failure = OpenSite::named(&session, &server.url("/"), true).unwrap_err();
    refused(&failure, FailureKind::Usage, "`--offline`");
    fs::remove_dir_all(site.join("statements/2")).unwrap();
    let open = OpenSite::folder(&session, &site).unwrap();
    let next = open.after(Some(&chain[0].statement), &newest.statement);
    assert!(matches!(next.unwrap(), Next::Missing(_)));
}

/// Prepares the next statement, and signs it with the key of a file.
fn next(
    place: &Place,
    configuration: &Configuration,
    request: &NextRequest,
    of: u64,
) -> Result<Option<SignedNext>, Failure> {
    let session = place.session();
    let folder = place.path("release");
    let next = NextStatement::prepare(&session, configuration, request, &folder)?;
    let found = signing_key(&session, request.key.as_deref())?;
    next.check_key(configuration, &found)?;
    let key = found.checked(&session)?.open(&session, &mut nobody_asks)?;
    next.sign(configuration, root(of), &key, &folder)
}

#[test]
fn the_next_statement_follows_the_one_in_its_place() {
    let place = Place::new();
    let settings = configuration(&[1]);
    let request = NextRequest {
        key: Some(place.write("key", &key(1).to_openssh().unwrap())),
        expires: Some("90d".to_owned()),
        renew_within: Some("30d".to_owned()),
        ..NextRequest::default()
    };
    fs::create_dir(place.path("release")).unwrap();
    let first = next(&place, &settings, &request, 1).unwrap();
    let Some(SignedNext::New { signed, quorums }) = first else {
        panic!("{first:?}");
    };
    assert_eq!(signed.statement.sequence, 1);
    assert_eq!(signed.signers(), [key(1).public()]);
    let count = count_signatures(&signed, &quorums).unwrap();
    assert!(count.is_complete() && count.further.is_empty());
    place.put(&format!("release/{STATEMENT}"), &signed);
    // Nothing has changed, and the one before holds long enough.
    let same = next(&place, &settings, &request, 1).unwrap();
    assert!(matches!(same, Some(SignedNext::Unchanged(one)) if one == signed));
    let second = next(&place, &settings, &request, 2).unwrap();
    let Some(SignedNext::New { signed: second, .. }) = second else {
        panic!("{second:?}");
    };
    second
        .statement
        .check_successor_of(&signed.statement)
        .unwrap();
    // The one before is kept for targets that hold an older one.
    let kept = place.path("release/statements/1").join(STATEMENT);
    assert_eq!(read_statement(&kept).unwrap(), signed);
    let failure = check_unsigned(&place.session(), &place.path("release")).unwrap_err();
    refused(&failure, FailureKind::Usage, "`release/release.toml`");
}

#[test]
fn a_next_statement_is_refused_before_anything_is_signed() {
    let place = Place::new();
    let settings = configuration(&[1]);
    let good = NextRequest {
        key: Some(place.write("key", &key(1).to_openssh().unwrap())),
        ..NextRequest::default()
    };
    let stranger = Some(place.write("other", &key(2).to_openssh().unwrap()));
    let elsewhere = statement(None, &[3], &[1]);
    let named = place.put("previous.toml", &elsewhere).display().to_string();
    let text = |text: &str| Some(text.to_owned());
    for (request, words) in [
        (
            NextRequest {
                key: stranger,
                ..good.clone()
            },
            "is not one of the repository's",
        ),
        (
            NextRequest {
                previous: text(&named),
                ..good.clone()
            },
            "does not allow the key",
        ),
        (
            NextRequest {
                renew: true,
                ..good.clone()
            },
            "`--renew` needs a previous statement",
        ),
        (
            NextRequest {
                after_expiry: true,
                ..good.clone()
            },
            "`--after-expiry` needs a previous statement",
        ),
        (
            NextRequest {
                expires: text("9 moons"),
                ..good.clone()
            },
            "is not a lifetime",
        ),
        (
            NextRequest {
                expires: text("1d"),
                renew_within: text("2d"),
                ..good.clone()
            },
            "is not shorter",
        ),
    ] {
        let failure = next(&place, &settings, &request, 1).unwrap_err();
        assert!(failure.message.contains(words), "{failure:?}");
    }
    // One that this repository's keys have not signed is not gone on from.
    place.put(
        &format!("release/{STATEMENT}"),
        &statement(None, &[1], &[2]),
    );
    let failure = next(&place, &settings, &good, 1).unwrap_err();
    refused(
        &failure,
        FailureKind::Finding,
        "which this build would follow",
    );
    // A signature that has lost its statement is no reason to begin anew.
    fs::remove_file(place.path("release").join(STATEMENT)).unwrap();
    let failure = next(&place, &settings, &good, 1).unwrap_err();
    refused(
        &failure,
        FailureKind::Finding,
        "statement that it signs is missing",
    );
}

#[test]
fn a_further_key_signs_beside_the_first() {
    let place = Place::new();
    let around = place.repository(&[1, 2]);
    let file = place.write("key", &key(2).to_openssh().unwrap());
    let mut two = statement(None, &[1, 2], &[1]).statement;
    two.threshold = 2;
    let path = place.put(STATEMENT, &signed(two, &[1]));
    let session = place.session();
    let mut signing = Countersigning::prepare(&session, &around, path.clone(), None).unwrap();
    let found = named_key(&session, Some(&file)).unwrap().unwrap();
    let quorums = signing.quorums_of(&found).unwrap();
    assert!(signing.signature_by(&key(2).public()).is_none());
    let open = found.checked(&session).unwrap();
    let open = open.open(&session, &mut nobody_asks).unwrap();
    let beside = signing.sign(&open).unwrap();
    assert_eq!(
        beside.suffix,
        format!(".{}.sig", key(2).public().file_digits())
    );
    assert_eq!(signing.signature_by(&key(2).public()), Some(&beside));
    assert_eq!(read_statement(&path).unwrap().signers().len(), 2);
    assert_eq!(
        count_signatures(&signing.signed, &quorums).unwrap().count,
        2
    );
    let other = place.write("other", &key(3).to_openssh().unwrap());
    let found = named_key(&session, Some(&other)).unwrap().unwrap();
    let failure = signing.quorums_of(&found).unwrap_err();
    refused(
        &failure,
        FailureKind::Finding,
        "is not one of the repository's",
    );
}

#[test]
fn a_set_is_carried_by_the_keys_that_its_statement_names() {
    let place = Place::new();
    let site = place.path("site");
    fs::create_dir(&site).unwrap();
    let session = place.session();
    let location = site.to_str().unwrap();
    place.put(
        &format!("site/{STATEMENT}"),
        &statement(None, &[1, 2], &[2]),
    );
    let newest = newest_by_own_keys(&session, location).unwrap();
    let directory = place.path("carried");
    let text = carried_settings(&newest.signed.statement).unwrap();
    place.write(&format!("carried/{CONFIGURATION_FILE}"), &text);
    let (trust, configuration) = repository_trust(&directory).unwrap();
    assert_eq!(configuration.name, NAME);
    assert_eq!(trust.policy.unwrap().keys().count(), 2);
    for (next, by, words) in [
        (&[1][..], 2, "is not trusted"),
        (&[], 1, "names no `trusted` keys"),
    ] {
        place.put(&format!("site/{STATEMENT}"), &statement(None, next, &[by]));
        let failure = newest_by_own_keys(&session, location).unwrap_err();
        refused(&failure, FailureKind::Finding, words);
    }
}
