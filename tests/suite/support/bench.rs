//! A repository, an index that offers wheels, and the program between them.

use std::fs;

use ipwhl::command::ExitStatus;
use ipwhl::set::declaration::canonical;

use super::loopback_index::{Hosted, LoopbackIndex};
use super::program::{Program, Run};
use super::repository_builder::{BuiltRepository, RepositoryBuilder};
use super::wheel_builder::WheelBuilder;

/// A repository, an index and the program between them.
pub struct Bench {
    pub index: LoopbackIndex,
    pub repository: BuiltRepository,
    pub program: Program,
}

impl Bench {
    /// cp312 and cp313 on Linux and Windows.
    pub fn new() -> Self {
        Self::of(&RepositoryBuilder::new())
    }

    pub fn of(builder: &RepositoryBuilder) -> Self {
        let index = LoopbackIndex::start();
        let repository = builder.build();
        let program = Program::new(repository.path()).index(&index.index_url());
        Self {
            index,
            repository,
            program,
        }
    }

    /// Offers a wheel under a project's name.
    pub fn offer(&self, project: &str, wheel: &WheelBuilder) {
        self.offer_as(project, wheel, |_| {});
    }

    pub fn offer_as(&self, project: &str, wheel: &WheelBuilder, change: impl Fn(&mut Hosted)) {
        let mut hosted = Hosted::new(project, &wheel.file_name(), &wheel.build());
        let metadata = String::from_utf8(wheel.metadata_bytes()).unwrap();
        hosted.requires_python = metadata
            .lines()
            .find_map(|line| line.strip_prefix("Requires-Python: "))
            .map(ToOwned::to_owned);
        change(&mut hosted);
        self.index.host(hosted);
    }

    /// Runs `ipwhl add` with these arguments.
    pub fn add(&self, arguments: &[&str]) -> Run {
        let line: Vec<&str> = ["add"].iter().chain(arguments).copied().collect();
        self.program.run(&line)
    }

    /// The names of the wheels of a declaration, in its order.
    pub fn wheels(&self, project: &str) -> Vec<String> {
        self.text(project)
            .lines()
            .filter_map(|line| line.split_once("?file_name="))
            .map(|(_, name)| name.trim_end_matches('"').to_owned())
            .collect()
    }

    pub fn text(&self, project: &str) -> String {
        self.repository
            .read(&format!("declarations/{project}.toml"))
    }

    /// The projects that are declared.
    pub fn declared(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.repository.join("declarations"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// What was written is canonical, has no finding, and was all that had to be fetched.
    #[track_caller]
    pub fn is_sound(&self) {
        for name in self.declared() {
            let text = self.repository.read(&format!("declarations/{name}"));
            assert_eq!(canonical(&text).as_deref(), Some(text.as_str()));
        }
        self.is_clean();
    }

    /// The whole set has no finding, and all that has to be fetched is there.
    #[track_caller]
    pub fn is_clean(&self) {
        self.program
            .run(&["check", "--wheels", "--offline", "--deny", "warnings"])
            .expect(ExitStatus::Clean);
    }
}

pub fn pure(name: &str, version: &str) -> WheelBuilder {
    WheelBuilder::new(name, version).member(&format!("{name}.py"), format!("V = {version:?}\n"))
}

pub fn native(name: &str, version: &str, tag: &str) -> WheelBuilder {
    WheelBuilder::new(name, version)
        .tag(tag)
        .member(&format!("{name}.bin"), format!("{version} {tag}"))
}
