//! Whether an update without a vulnerability fits the set: the answer of the solver, and the command.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ProjectName, Version, parse_specifiers};

use crate::foundation::diagnostic::{Finding, Help, UpdateAnswer, shell_word};
use crate::foundation::failure::{Failure, FailureKind};
use crate::set::advisories::{Advisory, vulnerabilities};
use crate::set::gather::Network;
use crate::set::repository::Repository;
use crate::set::resolve::{Projects, Update, Wish};
use crate::source::Session;

/// The most projects that the index is asked about.
const MAXIMUM_PROJECTS: usize = 32;

/// The most versions of a project that are tried: each one that fits is compared with the
/// advisories.
const MAXIMUM_VERSIONS: usize = 8;

/// What requires a newer version, in the reasons why none fits.
const AUDIT: &str = "the audit";

/// What asks the index.
pub(super) struct Question<'q> {
    pub(super) session: &'q Session,
    pub(super) network: &'q Network,
    pub(super) repository: &'q Repository,
    pub(super) advisories: &'q BTreeMap<ProjectName, Vec<Advisory>>,
}

impl Question<'_> {
    /// Adds to findings about versions whether an update fits, with its command. Returns the
    /// reasons why the index was not asked about some.
    pub(super) fn answer(&self, findings: &mut [Finding]) -> Vec<String> {
        let concerned = |finding: &Finding| -> Option<ProjectName> {
            finding.subject.advisory.as_ref()?;
            finding.subject.project.clone()
        };
        let mut projects: BTreeSet<ProjectName> = findings.iter().filter_map(concerned).collect();
        if projects.is_empty() {
            return Vec::new();
        }
        if self.network.offline {
            return vec!["`--offline` does not use the network".to_owned()];
        }
        if self.repository.configuration.platforms.is_empty() {
            return vec!["no supported platform is known".to_owned()];
        }
        let mut unasked = Vec::new();
        let declared = &self.repository.declarations;
        let elsewhere: Vec<ProjectName> = projects
            .extract_if(.., |name| {
                declared.get(name).is_none_or(|one| !one.is_from_index())
            })
            .collect();
        for name in elsewhere {
            unasked.push(format!("`{name}` has no `pkg:` source"));
        }
        if projects.len() > MAXIMUM_PROJECTS {
            let count = projects.len();
            unasked.push(format!("{count} projects are more than one run asks about"));
        }
        let mut answers: BTreeMap<ProjectName, UpdateAnswer> = BTreeMap::new();
        for project in projects.into_iter().take(MAXIMUM_PROJECTS) {
            match self.of_project(&project) {
                Ok(answer) => drop(answers.insert(project, answer)),
                // An index that failed once would fail for each project, after its time-outs.
                Err(failure) => {
                    unasked.push(failure.message);
                    break;
                }
            }
        }
        for finding in findings {
            let answer = concerned(finding).and_then(|project| answers.get(&project));
            if let Some(answer) = answer {
                add(finding, answer);
            }
        }
        unasked
    }

    /// The newest version without a known vulnerability that fits, at first with all other projects
    /// as they are.
    fn of_project(&self, project: &ProjectName) -> Result<UpdateAnswer, Failure> {
        let mut reason = None;
        for (may_move, options) in [
            (Projects::none(), ""),
            (Projects::All, "--allow-update all "),
        ] {
            match self.newest(project, &may_move)? {
                Ok(version) => {
                    let wish = shell_word(&format!("{project}=={version}"));
                    return Ok(UpdateAnswer::Fits {
                        command: format!("ipwhl update {options}{wish}"),
                        version,
                    });
                }
                Err(why) => drop(reason.get_or_insert(why)),
            }
        }
        let reason = reason.unwrap_or_default();
        Ok(UpdateAnswer::None { reason })
    }

    /// The newest version that fits and has no known vulnerability, or the reason why there is none.
    fn newest(
        &self,
        project: &ProjectName,
        may_move: &Projects,
    ) -> Result<Result<Version, String>, Failure> {
        let no_newer = || "the index has no newer version without a known vulnerability".to_owned();
        let Some(declaration) = self.repository.declarations.get(project) else {
            return Ok(Err(no_newer()));
        };
        let mut limit = format!(">{}", declaration.version());
        let none = Vec::new();
        let advisories = self.advisories.get(project).unwrap_or(&none);
        for _ in 0..MAXIMUM_VERSIONS {
            let Ok(specifiers) = parse_specifiers(&limit) else {
                break;
            };
            let update = Update {
                projects: Projects::Named([project.clone()].into()),
                may_move: may_move.clone(),
                limits: [(project.clone(), vec![Wish::new(AUDIT, specifiers)])].into(),
                ..Update::all(self.session, self.network)
            };
            let plan = match update.plan(self.repository) {
                Ok(plan) => plan,
                Err(failure) if failure.kind == FailureKind::Finding => {
                    return Ok(Err(first_line(&failure.message)));
                }
                Err(failure) => return Err(failure),
            };
            let Some((_, version)) = plan.moves.get(project) else {
                return Ok(Err(plan.reason(project).unwrap_or_else(no_newer)));
            };
            if vulnerabilities(advisories, version).is_empty() {
                return Ok(Ok(version.clone()));
            }
            limit += &format!(",!={version}");
        }
        Ok(Err(no_newer()))
    }
}

fn first_line(text: &str) -> String {
    text.lines()
        .next()
        .unwrap_or_default()
        .trim_end_matches(':')
        .to_owned()
}

/// Puts an answer in the place of the help without one.
fn add(finding: &mut Finding, answer: &UpdateAnswer) {
    if let Some(advisory) = &mut finding.subject.advisory {
        advisory.update = Some(answer.clone());
    }
    match answer {
        UpdateAnswer::Fits { version, command } => {
            finding.help.retain(|help| matches!(help, Help::Waiver(_)));
            let help = Help::Run {
                message: format!(
                    "update to {version}, which fits the set and has no known \
                                  vulnerability"
                ),
                command: command.clone(),
            };
            finding.help.insert(0, help);
        }
        UpdateAnswer::None { reason } => {
            finding
                .help
                .retain(|help| !matches!(help, Help::Run { .. }));
            *finding = finding
                .clone()
                .note(format!("no update fits the set: {reason}"));
            if finding
                .help
                .iter()
                .all(|help| matches!(help, Help::Waiver(_)))
            {
                let help = "change what holds it back, or waive the finding with a reason";
                finding.help.insert(0, help.into());
            }
        }
    }
}
