//! The names under which Python finds the installed packages and modules of a wheel.

use std::collections::{BTreeSet, HashSet};

use super::installed::{Installed, installed};

/// The endings of a module's file: source, bytecode, native code.
const MODULES: [&str; 5] = [".py", ".pyc", ".pyw", ".so", ".pyd"];

/// The names of the packages and modules with these members, sorted: `requests` for
/// `requests/__init__.py` and everything below that folder, `six` for `six.py`. Several projects
/// may share a folder without `__init__.py`, so each file in it has its own name,
/// `google/cloud/version`. The metadata of projects has none.
pub(super) fn packages<'m>(members: impl Iterator<Item = &'m str> + Clone) -> Vec<String> {
    let paths = members.filter_map(|member| match installed(member) {
        Installed::Packages(path) if !path.ends_with('/') && !is_metadata(path) => Some(path),
        _ => None,
    });
    let regular: HashSet<&str> = paths
        .clone()
        .filter_map(|path| module(path).strip_suffix("/__init__"))
        .collect();
    let name = |path: &'m str| {
        let mut folders = path.match_indices('/').map(|(end, _)| &path[..end]);
        let package = folders.find(|folder| regular.contains(folder));
        package.unwrap_or_else(|| module(path))
    };
    let names: BTreeSet<&str> = paths.map(name).collect();
    names.into_iter().map(str::to_owned).collect()
}

/// The path of a module without its ending; of another file, the whole path. A module can have
/// several endings, as in `m.cpython-312-x86_64-linux-gnu.so`.
pub fn module(path: &str) -> &str {
    let file = path.rfind('/').map_or(0, |slash| slash + 1);
    let dot = path[file..].find('.').filter(|dot| *dot > 0);
    match dot {
        Some(dot) if MODULES.iter().any(|ending| path.ends_with(ending)) => &path[..file + dot],
        _ => path,
    }
}

fn is_metadata(path: &str) -> bool {
    let top = path.split('/').next().unwrap_or_default();
    top.ends_with(".dist-info")
}

#[cfg(test)]
mod tests {
    use super::packages;

    #[test]
    fn a_package_has_one_name_and_what_lies_in_none_its_own() {
        let names = packages(
            [
                "requests/__init__.py",
                "requests/api.py",
                "requests/packages/__init__.py",
                "a-1.data/purelib/requests/cacert.pem",
                "six.py",
                "native.cpython-312-x86_64-linux-gnu.so",
                "google/cloud/storage/__init__.py",
                "google/cloud/storage/blob.py",
                "google/cloud/version.py",
                "google/cloud/version.txt",
                "compiled/__init__.abi3.so",
                "compiled/data.bin",
                "a.pth",
                ".hidden.py",
                "a-1.dist-info/METADATA",
                "a-1.data/scripts/tool.py",
                "a-1.data/data/share/tool.py",
            ]
            .into_iter(),
        );
        assert_eq!(
            names,
            [
                ".hidden.py",
                "a.pth",
                "compiled",
                "google/cloud/storage",
                "google/cloud/version",
                "google/cloud/version.txt",
                "native",
                "requests",
                "six",
            ]
        );
    }
}
