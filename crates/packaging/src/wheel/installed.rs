//! The places of a wheel's members after installation.

/// The place of an installed member: a folder of an environment, and the path below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Installed<'p> {
    /// The folder of packages.
    Packages(&'p str),
    /// The folder of programs.
    Scripts(&'p str),
    /// The folder of this project's C headers.
    Headers(&'p str),
    /// Another folder.
    Elsewhere(&'p str),
}

/// The place of a member with this path after installation.
///
/// *Binary distribution format*, "The .data directory". `purelib` and `platlib` are one folder in
/// nearly every environment, and the packages and programs are below the prefix that `data` is
/// unpacked in.
pub fn installed(path: &str) -> Installed<'_> {
    let mut parts = path.splitn(3, '/');
    let (Some(folder), Some(scheme), Some(rest)) = (parts.next(), parts.next(), parts.next())
    else {
        return Installed::Packages(path);
    };
    if folder.strip_suffix(".data").is_none() {
        return Installed::Packages(path);
    }
    match scheme {
        "purelib" | "platlib" => Installed::Packages(rest),
        "scripts" => Installed::Scripts(rest),
        "headers" => Installed::Headers(rest),
        "data" => below_prefix(rest),
        _ => Installed::Elsewhere(rest),
    }
}

/// `lib/python3.12/site-packages`, `Lib/site-packages`, Debian's `dist-packages`, `bin` and
/// `Scripts`, `include/site/python3.12/<project>` and `Include/<project>`, in any case.
fn below_prefix(path: &str) -> Installed<'_> {
    // Lower-casing ASCII keeps the length.
    let lower = path.to_ascii_lowercase();
    for packages in ["/site-packages/", "/dist-packages/"] {
        if let Some(start) = lower.find(packages) {
            return Installed::Packages(&path[start + packages.len()..]);
        }
    }
    for programs in ["bin/", "scripts/"] {
        if lower.starts_with(programs) {
            return Installed::Scripts(&path[programs.len()..]);
        }
    }
    if let Some(below) = lower.strip_prefix("include/") {
        let depth = if below.starts_with("site/python") {
            3
        } else {
            1
        };
        let start = below.match_indices('/').nth(depth - 1);
        if let Some(start) = start.map(|(at, _)| "include/".len() + at + 1) {
            return Installed::Headers(&path[start..]);
        }
    }
    Installed::Elsewhere(path)
}
