//! What of the cache is removed, without the program.

use std::fs;

use ipwhl::set::gather::{Gathering, Network, Want, all_wheels, kept_versions, wheels_of_projects};
use ipwhl::set::repository::Repository;
use ipwhl::source::{CACHE_LIMIT_VARIABLE, Pruned, configured_limit};
use ipwhl_packaging::ProjectName;

use crate::support::in_process::{environment, session};
use crate::support::workshop::installable_from;

#[test]
fn wheels_are_chosen_by_project_and_by_limit() {
    let folder = installable_from(None).build();
    let repository = Repository::load(folder.path()).unwrap();
    let other = tempfile::tempdir().unwrap();
    let first = session(other.path());
    let gathering = Gathering {
        session: &first,
        repository: &repository,
        network: &Network::default(),
        profile: repository.configuration.profile,
        reuse: None,
    };
    let wheels = all_wheels(&repository);
    let report = gathering.gather(&wheels, Want::Bytes).unwrap();
    assert!(report.failures.is_empty());
    let versions = kept_versions();
    let cache = first.cache().unwrap();
    // What a run has used stays.
    assert!(matches!(
        cache.keep_to(u64::MAX, &versions),
        Ok(Pruned::Small)
    ));
    let Ok(Pruned::Removed(removed)) = cache.keep_to(0, &versions) else {
        panic!("nothing is pruned");
    };
    assert_eq!(removed.files, 0, "{removed:?}");
    // Another run does not wait for one that uses the cache.
    let second = session(other.path());
    assert!(matches!(
        second.cache().unwrap().keep_to(0, &versions),
        Ok(Pruned::InUse)
    ));
    drop((first, cache));

    let cache = second.cache().unwrap();
    let projects: Vec<ProjectName> = ["library", "nowhere"]
        .iter()
        .map(|name| name.parse().unwrap())
        .collect();
    let claimed = cache.claim(&|| false).unwrap().unwrap();
    let (chosen, unknown) = wheels_of_projects(&cache, &claimed, &projects).unwrap();
    assert_eq!(unknown, [&projects[1]]);
    let library = wheels
        .iter()
        .find(|wheel| wheel.file_name.name() == &projects[0]);
    assert_eq!(chosen, [library.unwrap().content_id.value]);
    let removed = claimed.clean_wheels(&chosen, &versions);
    assert!(removed.files >= 2, "{removed:?}");
    assert!(cache.open_wheel(&chosen[0]).is_none());
}

#[test]
fn the_variable_goes_before_the_settings() {
    let folder = tempfile::tempdir().unwrap();
    let mut environment = environment(folder.path());
    assert_eq!(configured_limit(&environment), Ok(None));
    let settings = environment
        .configuration_home
        .clone()
        .unwrap()
        .join("ipwhl");
    fs::create_dir_all(&settings).unwrap();
    fs::write(settings.join("config.toml"), "[cache]\nlimit = \"2 KiB\"\n").unwrap();
    assert_eq!(configured_limit(&environment), Ok(Some(2048)));
    let variables = &mut environment.variables;
    variables.insert(CACHE_LIMIT_VARIABLE.into(), "1 MB".into());
    assert_eq!(configured_limit(&environment), Ok(Some(1_000_000)));
    let variables = &mut environment.variables;
    variables.insert(CACHE_LIMIT_VARIABLE.into(), "much".into());
    let failure = configured_limit(&environment).unwrap_err();
    assert!(
        failure.message.contains(CACHE_LIMIT_VARIABLE),
        "{failure:?}"
    );
}
