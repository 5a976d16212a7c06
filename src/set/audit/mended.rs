//! The vulnerabilities that an update mends.

use std::collections::{BTreeMap, BTreeSet};

use ipwhl_packaging::{ProjectName, Version};

use super::OpenDatabase;
use crate::set::advisories::vulnerabilities;
use crate::set::repository::Repository;
use crate::set::resolve::UpdatePlan;

impl OpenDatabase {
    /// The identifiers of the vulnerabilities that a plan mends, for each project that it moves or
    /// that leaves: the declared version has them, and the new one has not.
    pub fn mended(
        &self,
        repository: &Repository,
        plan: &UpdatePlan,
    ) -> BTreeMap<ProjectName, BTreeSet<String>> {
        let moves = plan.moves.iter();
        let moves = moves.map(|(project, (_, version))| (project, Some(version)));
        let leaving = plan.leaving().iter().map(|project| (project, None));
        let mended = moves.chain(leaving).filter_map(|(project, new)| {
            let declared = repository.declarations.get(project)?;
            let mut identifiers = self.known(project, declared.version());
            if let Some(new) = new {
                let still = self.known(project, new);
                identifiers.retain(|identifier| !still.contains(identifier));
            }
            (!identifiers.is_empty()).then(|| (project.clone(), identifiers))
        });
        mended.collect()
    }

    fn known(&self, project: &ProjectName, version: &Version) -> BTreeSet<String> {
        let advisories = self.database.projects.get(project);
        let known = advisories.map(|advisories| vulnerabilities(advisories, version));
        known.into_iter().flatten().map(|one| one.id).collect()
    }
}
