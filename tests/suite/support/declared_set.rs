//! Sets of declarations without wheels, for what asks who requires whom: a line a project.

use super::content_id;
use super::repository_builder::{BuiltRepository, RepositoryBuilder};

/// A set to be, for cp312 and cp313 on Linux and Windows.
pub struct DeclaredSet {
    builder: RepositoryBuilder,
}

impl DeclaredSet {
    pub fn new() -> Self {
        Self {
            builder: RepositoryBuilder::new(),
        }
    }

    /// Adds a project that somebody asked for: `name version`, perhaps ` [extra, …]`, and what it
    /// requires.
    pub fn wanted(self, project: &str, requires: &[&str]) -> Self {
        self.project(project, requires, false)
    }

    /// Adds a project that is there because another needs it.
    pub fn automatic(self, project: &str, requires: &[&str]) -> Self {
        self.project(project, requires, true)
    }

    fn project(self, project: &str, requires: &[&str], automatic: bool) -> Self {
        let (project, extras) = project.split_once(" [").unwrap_or((project, "]"));
        let extras: Vec<&str> = extras
            .trim_end_matches(']')
            .split(", ")
            .filter(|extra| !extra.is_empty())
            .collect();
        let (name, version) = project.split_once(' ').unwrap();
        let stem = name.replace('-', "_");
        // What is asked here never reads a byte of a wheel.
        let cid = content_id(name);
        let automatic = if automatic { "automatic = true\n" } else { "" };
        let text = format!(
            "source = \"pkg:pypi/{name}@{version}?file_name={stem}-{version}-py3-none-any.whl\"\n\
             content-id = \"{cid}\"\nextras = {extras:?}\ndependencies = {requires:?}\n\
             size = 1000\n{automatic}"
        );
        self.file(&format!("declarations/{name}.toml"), &text)
    }

    /// Adds a file, perhaps in place of one of the projects.
    pub fn file(self, path: &str, text: &str) -> Self {
        Self {
            builder: self.builder.file(path, text),
        }
    }

    /// Adds text to the end of `ipwhl.toml`.
    pub fn configuration(self, text: &str) -> Self {
        Self {
            builder: self.builder.configuration(text),
        }
    }

    pub fn build(&self) -> BuiltRepository {
        self.builder.build()
    }
}

/// A set in which the wanted `start` reaches `end` over as many levels of two projects, each of
/// which requires both of the next: the paths are two to the power of the levels.
pub fn ladder(levels: usize) -> DeclaredSet {
    let names = |level: usize| {
        if level == levels {
            vec!["end".to_owned()]
        } else {
            vec![format!("left-{level:03}"), format!("right-{level:03}")]
        }
    };
    let mut set = DeclaredSet::new().automatic("end 1.0", &[]);
    for level in 0..levels {
        let next = names(level + 1);
        let next: Vec<&str> = next.iter().map(String::as_str).collect();
        for name in names(level) {
            set = set.automatic(&format!("{name} 1.0"), &next);
        }
    }
    let first = names(0);
    let first: Vec<&str> = first.iter().map(String::as_str).collect();
    set.wanted("start 1.0", &first)
}
