//! A branch of statements in a git repository, and a signed tag for each release (FORMATS 9).
//!
//! Objects are written first, then the branch and the tag are updated in one transaction, then both
//! are pushed in one. No work tree and no index is touched.

mod state;

use super::amount::Amount;
use super::context::TargetContext;
use super::follow::check_follows;
use super::place::TargetPlace;
use super::publication::Publication;
use super::published_release::PublishedRelease;
use super::target::{Done, Plan, ReadBack, Report, Step, Target, Work};
use crate::foundation::environment::GitProgram;
use crate::foundation::failure::Failure;
use crate::release::names::STATEMENT;
use crate::release::signature::SigningKey;
use crate::release::statement::SignedStatement;
use crate::set::repository::GitTarget;
use state::{Reference, short};

/// The default branch and tag. The tagged commit contains the statement; forges use the name
/// `release-N` for the commit that was built.
const BRANCH: &str = "releases";
const TAG: &str = "statement-{sequence}";
/// The placeholder for the sequence in the name of a tag.
const SEQUENCE: &str = "{sequence}";

/// A target of the kind `git`.
#[derive(Debug)]
pub(super) struct Git {
    program: GitProgram,
    branch: String,
    tag: String,
    remote: Option<String>,
    /// Not needed for the plan.
    key: Option<SigningKey>,
    found: Option<Found>,
}

/// The result of the inspection.
#[derive(Debug)]
struct Found {
    branch: Reference,
    tag: Reference,
    /// The parent of the next commit.
    base: Option<String>,
    /// The entries at the top of that commit.
    entries: Vec<Vec<u8>>,
    /// The statement with all signatures, including those in the commit.
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
            program: GitProgram {
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

    /// The remote, for use in sentences.
    fn there(&self) -> String {
        let remote = self.remote.as_deref();
        remote.map_or_else(|| "the remote".to_owned(), |remote| format!("`{remote}`"))
    }

    fn inspect(&mut self, release: &Publication) -> Result<Plan, Failure> {
        let vouched = vouched(release)?;
        let git = &self.program;
        if let Err(words) = git.ask(&["rev-parse", "--git-dir"], b"")? {
            return Err(Failure::world(format!(
                "`{}` is not in a usable git repository: {words}",
                git.folder.display()
            ))
            .help("set `repository` to the folder of one; `git init` makes one"));
        }
        let key = self.key()?;
        if !vouched.signers().contains(&key.public()) {
            return Err(Failure::refused(format!(
                "the key {} has not signed the statement, so its tag would vouch for nothing",
                key.public().fingerprint()
            ))
            .help(
                "name a key that has signed it with `--key`, or sign the statement with this \
                   one: `ipwhl sign`",
            ));
        }
        let tag_name = self.tag(vouched);
        let names = [
            format!("refs/heads/{}", self.branch),
            format!("refs/tags/{tag_name}"),
        ];
        let [branch, tag] = state::inspect(git, names, self.remote.as_deref())?;
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
                "the tag `{tag_name}` differs here and at {}",
                self.there()
            ))
            .help(format!(
                "keep the remote's tag, which others use: run `git tag -d {tag_name}` \
                           here, and publish again"
            )));
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

    /// The files of the statement with their objects, which are written unless this is a plan.
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

    /// If the branch were checked out, its work tree would show the release as reverted.
    fn check_not_checked_out(&self, name: &str) -> Result<(), Failure> {
        let listing = self
            .program
            .text(&["worktree", "list", "--porcelain"], b"")?;
        let line = format!("branch {name}");
        if listing.lines().any(|other| other == line) {
            return Err(Failure::refused(format!(
                "the branch `{}` is checked out, and its work tree would not be updated",
                self.branch
            ))
            .help("check out another branch, or name a branch only for releases with `branch`"));
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
            .map_err(|error| {
                error.help(
                    "another process has changed the branch or the tag in the \
                                         meantime: run the same command again",
                )
            })?;
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
                error.help(
                    "both are here; if the remote has changed in the meantime, run the same \
                            command again",
                )
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

    /// The tag's object, with a signature like that of `git tag -s` with `gpg.format=ssh`.
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
        let [branch, tag] = state::inspect(git, names, self.remote.as_deref())?;
        let lacks = |what: &str, place: &str| {
            Failure::world(format!(
                "`{what}` at {place} has changed since it was written"
            ))
            .help("another program writes there too: run the same command again")
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
        // Existing signatures of other keys are read back with the new ones.
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
        let [branch, _] = state::inspect(&self.program, names, self.remote.as_deref())?;
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

/// The statement, which is all that this target stores.
fn vouched(release: &Publication) -> Result<&SignedStatement, Failure> {
    release.signed.as_ref().ok_or_else(|| {
        Failure::refused("there is no statement, and this target stores only statements")
            .help("build with a key, and publish without `--unsigned`")
    })
}

/// Adds help to an error about a missing committer.
fn who(error: Failure) -> Failure {
    error.help(
        "git needs the name of the committer: set `git config user.name` and `user.email`, \
                or GIT_COMMITTER_NAME and GIT_COMMITTER_EMAIL with GIT_AUTHOR_NAME and \
                GIT_AUTHOR_EMAIL",
    )
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
