//! A branch of statements in a git repository, and a signed tag for each release (FORMATS 9).
//!
//! Objects are made first, then the branch and the tag appear in one transaction, then both go to
//! the remote in one. No work tree and no index is touched.

mod program;
mod state;

use super::amount::Amount;
use super::context::TargetContext;
use super::follow::check_follows;
use super::place::TargetPlace;
use super::publication::Publication;
use super::published_release::PublishedRelease;
use super::target::{Done, Plan, ReadBack, Report, Step, Target, Work};
use crate::foundation::failure::Failure;
use crate::release::names::STATEMENT;
use crate::release::signature::SigningKey;
use crate::release::statement::SignedStatement;
use crate::set::repository::GitTarget;
use program::Program;
use state::{Reference, short};

/// The branch and the tag where none are named. What is tagged is a commit of the statement: the
/// name `release-N` is a forge's, for the commit that was built.
const BRANCH: &str = "releases";
const TAG: &str = "statement-{sequence}";
/// What takes the place of the sequence in the name of a tag.
const SEQUENCE: &str = "{sequence}";

/// A target of the kind `git`.
#[derive(Debug)]
pub(super) struct Git {
    program: Program,
    branch: String,
    tag: String,
    remote: Option<String>,
    /// Looking needs none.
    key: Option<SigningKey>,
    found: Option<Found>,
}

/// What a look has found.
#[derive(Debug)]
struct Found {
    branch: Reference,
    tag: Reference,
    /// The commit to go on from.
    base: Option<String>,
    /// The folder at the top of that commit.
    entries: Vec<Vec<u8>>,
    /// The statement with all signatures, those that the commit has already among them.
    files: SignedStatement,
    /// Whether that commit has the statement and all signatures.
    is_committed: bool,
}

impl Found {
    /// Whether the remote has both.
    fn is_done_there(&self) -> bool {
        self.is_committed && self.branch.there == self.base && self.tag.there.is_some()
    }
}

impl Git {
    pub(super) fn new(settings: &GitTarget, context: TargetContext) -> Self {
        let folder = match &settings.repository {
            Some(path) => context.folder.join(path),
            None => context.folder,
        };
        Self {
            program: Program {
                folder,
                is_named: settings.repository.is_some(),
                variables: context.variables,
            },
            branch: settings.branch.clone().unwrap_or_else(|| BRANCH.to_owned()),
            tag: settings.tag.clone().unwrap_or_else(|| TAG.to_owned()),
            remote: settings.remote.clone(),
            key: context.signing_key,
            found: None,
        }
    }

    fn key(&self) -> Result<&SigningKey, Failure> {
        self.key
            .as_ref()
            .ok_or_else(|| Failure::world("there is no key to sign a tag with"))
    }

    fn tag(&self, vouched: &SignedStatement) -> String {
        let sequence = vouched.statement.sequence.to_string();
        self.tag.replace(SEQUENCE, &sequence)
    }

    /// The remote as it is called in sentences.
    fn there(&self) -> String {
        let remote = self.remote.as_deref();
        remote.map_or_else(|| "the remote".to_owned(), |remote| format!("`{remote}`"))
    }

    fn inspect(&mut self, release: &Publication) -> Result<Plan, Failure> {
        let vouched = vouched(release)?;
        let git = &self.program;
        if let Err(words) = git.ask(&["rev-parse", "--git-dir"], b"")? {
            return Err(Failure::world(format!(
                "`{}` is in no git repository that can be used: {words}",
                git.folder.display()
            ))
            .help("`repository` names the folder of one; `git init` makes one"));
        }
        let key = self.key()?;
        if !vouched.signers().contains(&key.public()) {
            return Err(Failure::refused(format!(
                "the key {} has not signed the statement, and so its tag would vouch for nothing",
                key.public().fingerprint()
            ))
            .help("name a key that has with `--key`, or sign the statement with this one: `ipwhl sign`"));
        }
        let tag_name = self.tag(vouched);
        let names = [
            format!("refs/heads/{}", self.branch),
            format!("refs/tags/{tag_name}"),
        ];
        let [branch, tag] = state::look(git, names, self.remote.as_deref())?;
        let base = branch.newer(git, &self.there())?;
        let held = match &base {
            Some(base) => state::held(git, base, &self.branch, &release.name)?,
            None => None,
        };
        if let Some(held) = &held {
            check_follows(release, held)?;
        }
        let entries = match &base {
            Some(base) => state::entries(git, base)?,
            None => Vec::new(),
        };
        let files = match &base {
            Some(base) => state::with_held(git, base, &entries, vouched)?,
            None => vouched.united_with(Vec::new()),
        };
        for object in [&tag.here, &tag.there].into_iter().flatten() {
            state::check_tag(git, &tag_name, object, &files)?;
        }
        if let (Some(here), Some(there)) = (&tag.here, &tag.there)
            && here != there
        {
            return Err(Failure::refused(format!(
                "the tag `{tag_name}` here is another one than at {}",
                self.there()
            ))
            .help(format!("keep the remote's, which others have: `git tag -d {tag_name}` here, and publish again")));
        }
        let mut wanted = state::with_files(&entries, self.blobs(&files, false)?.into_iter());
        wanted.sort();
        let mut sorted = entries.clone();
        sorted.sort();
        let is_committed = base.is_some() && wanted == sorted;
        let found = Found {
            branch,
            tag,
            base,
            entries,
            files,
            is_committed,
        };
        let changes = self.changes(vouched, &found);
        if !found.is_committed || found.branch.here != found.base {
            self.check_not_checked_out(&found.branch.name)?;
        }
        self.found = Some(found);
        Ok(Plan {
            held,
            moved: Amount::default(),
            changes,
            ..Plan::default()
        })
    }

    fn changes(&self, vouched: &SignedStatement, found: &Found) -> Vec<String> {
        let mut changes = Vec::new();
        let tag = self.tag(vouched);
        if !found.is_committed {
            changes.push(format!(
                "commit the statement of sequence {} to `{}`",
                vouched.statement.sequence, self.branch
            ));
        } else if let Some(base) = found
            .base
            .as_ref()
            .filter(|_| found.branch.here != found.base)
        {
            changes.push(format!("point `{}` at {}", self.branch, short(base)));
        }
        match (&found.tag.here, &found.tag.there) {
            (Some(_), _) => {}
            (None, Some(_)) => changes.push(format!("take the tag `{tag}` from {}", self.there())),
            (None, None) => changes.push(format!("sign the tag `{tag}`")),
        }
        if let Some(remote) = self.remote.as_ref().filter(|_| !found.is_done_there()) {
            changes.push(format!("push `{}` and `{tag}` to `{remote}`", self.branch));
        }
        changes
    }

    /// The files of the statement with their objects, which are made where they are to be written.
    fn blobs(
        &self,
        files: &SignedStatement,
        is_written: bool,
    ) -> Result<Vec<(String, String)>, Failure> {
        let arguments: &[&str] = if is_written {
            &["hash-object", "-w", "--stdin"]
        } else {
            &["hash-object", "--stdin"]
        };
        let files = files.files(STATEMENT).into_iter();
        let blobs =
            files.map(|(name, text)| Ok((name, self.program.text(arguments, text.as_bytes())?)));
        blobs.collect()
    }

    /// A branch that somebody works on would look as if they had taken the release back.
    fn check_not_checked_out(&self, name: &str) -> Result<(), Failure> {
        let listing = self
            .program
            .text(&["worktree", "list", "--porcelain"], b"")?;
        let line = format!("branch {name}");
        if listing.lines().any(|other| other == line) {
            return Err(Failure::refused(format!(
                "the branch `{}` is checked out, and its work tree would not follow",
                self.branch
            ))
            .help("check out another branch, or name one for releases alone with `branch`"));
        }
        Ok(())
    }

    fn upload(&mut self, release: &Publication, report: Report<'_>) -> Result<Done, Failure> {
        let vouched = vouched(release)?;
        let Some(found) = self.found.take() else {
            return Err(Failure::world("nothing is planned"));
        };
        let git = &self.program;
        let mut done = Done::default();
        let tag_name = self.tag(vouched);
        let message = format!(
            "{} {}\n\nRoot: {}\n",
            release.name,
            vouched.statement.sequence,
            release.root()
        );
        let commit = match found.base.as_ref().filter(|_| found.is_committed) {
            Some(base) => base.clone(),
            None => self.commit(&found, &message)?,
        };
        let tag = match found.tag.here.as_ref().or(found.tag.there.as_ref()) {
            Some(tag) => tag.clone(),
            None => self.signed_tag(&tag_name, &commit, &message)?,
        };
        let mut orders = String::from("start\n");
        for (reference, object) in [(&found.branch, &commit), (&found.tag, &tag)] {
            let name = &reference.name;
            match &reference.here {
                Some(here) if here == object => {}
                Some(here) => orders += &format!("update {name} {object} {here}\n"),
                None => orders += &format!("create {name} {object}\n"),
            }
        }
        orders += "prepare\ncommit\n";
        let why = format!("ipwhl: {} {}", release.name, vouched.statement.sequence);
        git.bytes(&["update-ref", "-m", &why, "--stdin"], orders.as_bytes())
            .map_err(|error| error.help("somebody else has changed the branch or the tag in between: run the same command again"))?;
        if found.branch.here.as_ref() != Some(&commit) {
            done.changes
                .push(format!("`{}` is {}", self.branch, short(&commit)));
        }
        if found.tag.here.as_ref() != Some(&tag) {
            done.changes
                .push(format!("`{tag_name}` is {}", short(&tag)));
        }
        if let Some(remote) = &self.remote
            && (found.branch.there.as_ref() != Some(&commit)
                || found.tag.there.as_ref() != Some(&tag))
        {
            report(Step::Waiting(format!("pushing to {remote}")));
            let (branch, tag) = (&found.branch.name, &found.tag.name);
            let arguments = ["push", "--quiet", "--atomic", "--", remote, branch, tag];
            git.bytes(&arguments, b"").map_err(|error| {
                error.help("both are here; where the remote has gone on in between, run the same command again")
            })?;
            done.changes.push(format!("pushed both to `{remote}`"));
        }
        Ok(done)
    }

    fn commit(&self, found: &Found, message: &str) -> Result<String, Failure> {
        let blobs = self.blobs(&found.files, true)?;
        let mut entries = state::with_files(&found.entries, blobs.into_iter()).join(&0);
        entries.push(0);
        let tree = self.program.text(&["mktree", "-z"], &entries)?;
        let mut arguments = vec!["commit-tree", "-F", "-"];
        if let Some(base) = &found.base {
            arguments.extend(["-p", base]);
        }
        arguments.push(&tree);
        self.program
            .text(&arguments, message.as_bytes())
            .map_err(who)
    }

    /// The tag's object, with a signature as `git tag -s` makes it with `gpg.format=ssh`.
    fn signed_tag(&self, name: &str, commit: &str, message: &str) -> Result<String, Failure> {
        let tagger = self
            .program
            .text(&["var", "GIT_COMMITTER_IDENT"], b"")
            .map_err(who)?;
        let text =
            format!("object {commit}\ntype commit\ntag {name}\ntagger {tagger}\n\n{message}");
        let signature = self
            .key()?
            .sign(state::NAMESPACE, text.as_bytes())
            .map_err(|error| Failure::world(format!("the tag cannot be signed: {error}")))?;
        self.program
            .text(&["mktag"], format!("{text}{signature}").as_bytes())
    }

    fn verify(&self, release: &Publication) -> Result<ReadBack, Failure> {
        let vouched = vouched(release)?;
        let git = &self.program;
        let names = [
            format!("refs/heads/{}", self.branch),
            format!("refs/tags/{}", self.tag(vouched)),
        ];
        let [branch, tag] = state::look(git, names, self.remote.as_deref())?;
        let lacks = |what: &str, place: &str| {
            Failure::world(format!("{place} has another `{what}` than was put there"))
                .help("somebody else writes there too: run the same command again")
        };
        let mut back = ReadBack::default();
        for reference in [&branch, &tag] {
            if reference.here.is_none() {
                return Err(lacks(&reference.name, &self.place().to_string()));
            }
            if self.remote.is_some() && reference.there != reference.here {
                return Err(lacks(&reference.name, &self.there()));
            }
        }
        let mut read = Amount::of_files();
        let tip = branch.here.unwrap_or_default();
        // Other keys' signatures, which were there, are read back with those that came.
        let all = state::with_held(git, &tip, &state::entries(git, &tip)?, vouched)?;
        for (name, text) in all.files(STATEMENT) {
            let there = git.content("blob", &format!("{tip}:{name}"))?;
            if there.as_deref() != Some(text.as_bytes()) {
                return Err(lacks(&name, &self.place().to_string()));
            }
            read.add(text.len());
        }
        let tag = tag.here.unwrap_or_default();
        state::check_tag(git, &self.tag(vouched), &tag, &all)?;
        back.notes.push(format!(
            "read back the statement and its signatures, {read}, and the signed tag"
        ));
        Ok(back)
    }

    /// The newest commit of the branch, here or at the remote.
    fn tip(&self) -> Result<Option<String>, Failure> {
        let names = [format!("refs/heads/{}", self.branch), String::new()];
        let [branch, _] = state::look(&self.program, names, self.remote.as_deref())?;
        branch.newer(&self.program, &self.there())
    }

    fn holdings(&self, repository: &str) -> Result<Vec<PublishedRelease>, Failure> {
        let Some(tip) = self.tip()? else {
            return Ok(Vec::new());
        };
        let held = state::held(&self.program, &tip, &self.branch, repository)?;
        Ok(held.into_iter().collect())
    }

    /// The statements of the branch's commits, the newest first.
    fn committed(&self, repository: &str) -> Result<Vec<SignedStatement>, Failure> {
        match self.tip()? {
            Some(tip) => state::committed(&self.program, &tip, repository),
            None => Ok(Vec::new()),
        }
    }
}

/// The statement, which is all that git is given.
fn vouched(release: &Publication) -> Result<&SignedStatement, Failure> {
    release.signed.as_ref().ok_or_else(|| {
        Failure::refused("there is no statement, and a statement is what is committed")
            .help("build with a key, and publish without `--unsigned`")
    })
}

/// The way out of not knowing who commits.
fn who(error: Failure) -> Failure {
    error.help("git wants to know who commits: `git config user.name` and `user.email`, or GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL with GIT_AUTHOR_NAME and GIT_AUTHOR_EMAIL")
}

impl Target for Git {
    fn place(&self) -> TargetPlace {
        TargetPlace::GitRepository(self.program.folder.clone())
    }

    fn plan<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, Plan> {
        Box::pin(async { self.inspect(release) })
    }

    fn holdings<'a>(&'a mut self, repository: &'a str) -> Work<'a, Vec<PublishedRelease>> {
        Box::pin(async { Self::holdings(self, repository) })
    }

    fn statements<'a>(&'a mut self, repository: &'a str) -> Work<'a, Vec<SignedStatement>> {
        Box::pin(async { self.committed(repository) })
    }

    fn carry_out<'a>(&'a mut self, release: &'a Publication, report: Report<'a>) -> Work<'a, Done> {
        Box::pin(async move { self.upload(release, report) })
    }

    fn read_back<'a>(&'a mut self, release: &'a Publication, _: Report<'a>) -> Work<'a, ReadBack> {
        Box::pin(async { self.verify(release) })
    }
}
