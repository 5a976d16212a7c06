//! Which index is meant: every place that may name one, in the order of precedence.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::Path;

use ipwhl::source::{DiscoverError, IndexLocation, IndexOrigin, IndexSearch};

/// A home, a virtual environment and variables that nobody but the test has set.
struct World {
    folder: tempfile::TempDir,
    variables: HashMap<String, OsString>,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut world = Self {
            variables: HashMap::new(),
            folder,
        };
        for (name, path) in [
            ("HOME", "home"),
            ("XDG_CONFIG_HOME", "home/config"),
            ("XDG_CONFIG_DIRS", "shared"),
            ("VIRTUAL_ENV", "environment"),
            ("PATH", "bin"),
        ] {
            let path = world.path(path);
            fs::create_dir_all(&path).unwrap();
            world.set(name, path);
        }
        world
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.variables.insert(name.to_owned(), value.into());
    }

    fn configure(&self, file: &str, host: &str) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = format!("[global]\nindex-url = https://{host}.example.org/simple\n");
        fs::write(path, text).unwrap();
    }

    fn find_with(
        &self,
        argument: Option<&str>,
        repository: Option<&str>,
    ) -> Result<IndexLocation, DiscoverError> {
        let variables = |name: &str| self.variables.get(name).cloned();
        let owned = |text: Option<&str>| text.map(str::to_owned);
        IndexSearch::new(owned(argument), owned(repository), &variables).find()
    }

    #[track_caller]
    fn assert_found(&self, host: &str, origin: &IndexOrigin) {
        let found = self.find_with(None, None).unwrap();
        assert_eq!(
            found.url().host_str(),
            Some(format!("{host}.example.org").as_str())
        );
        assert_eq!(found.origin(), origin);
    }
}

#[test]
fn the_order_of_precedence() {
    // From the last to the first, each put on top of the ones before.
    let mut world = World::new();
    assert_eq!(
        world.find_with(None, None).unwrap_err(),
        DiscoverError::Unknown
    );

    let file = |world: &World, name: &str| IndexOrigin::PipConfiguration(world.path(name));
    for (name, host) in [
        ("shared/pip/pip.conf", "machine"),
        ("home/.pip/pip.conf", "legacy"),
        ("home/config/pip/pip.conf", "user"),
        ("environment/pip.conf", "site"),
    ] {
        if cfg!(unix) {
            world.configure(name, host);
            world.assert_found(host, &file(&world, name));
        }
    }
    world.configure("named.conf", "named");
    world.set("PIP_CONFIG_FILE", world.path("named.conf"));
    world.assert_found("named", &file(&world, "named.conf"));
    for (name, host) in [("PIP_INDEX_URL", "pip"), ("UV_DEFAULT_INDEX", "uv")] {
        world.set(name, format!("https://{host}.example.org/simple"));
        world.assert_found(host, &IndexOrigin::Variable(name));
    }
    let repository = Some("https://repository.example.org/simple");
    let found = world.find_with(None, repository).unwrap();
    assert_eq!(found.origin(), &IndexOrigin::Repository);
    world.set("IPWHL_INDEX_URL", "https://own.example.org/simple");
    let found = world.find_with(None, repository).unwrap();
    assert_eq!(found.origin(), &IndexOrigin::Variable("IPWHL_INDEX_URL"));
    let found = world.find_with(Some("https://typed.example.org/"), repository);
    assert_eq!(found.unwrap().origin(), &IndexOrigin::Argument);
}

#[test]
fn an_empty_variable_names_nothing_and_uv_may_name_an_index() {
    let mut world = World::new();
    world.set("IPWHL_INDEX_URL", "");
    world.set("UV_DEFAULT_INDEX", "mine=https://uv.example.org/simple?a=b");
    world.assert_found("uv", &IndexOrigin::Variable("UV_DEFAULT_INDEX"));
}

#[test]
fn the_null_device_switches_configuration_files_off() {
    let mut world = World::new();
    world.configure("environment/pip.conf", "site");
    world.set(
        "PIP_CONFIG_FILE",
        if cfg!(windows) { "nul" } else { "/dev/null" },
    );
    assert_eq!(
        world.find_with(None, None).unwrap_err(),
        DiscoverError::Unknown
    );
}

#[test]
fn what_is_no_address_is_an_error_without_its_credentials() {
    let world = World::new();
    for text in [
        "",
        "me:secret@example.org/simple",
        "ftp://me:secret@example.org/",
        "/secret/../a@b",
    ] {
        let error = world.find_with(Some(text), None).unwrap_err();
        let message = error.to_string();
        assert!(message.starts_with("--index-url names"), "{message}");
        assert!(!message.contains("secret"), "{message}");
    }
    let message = DiscoverError::Unknown.to_string();
    assert!(message.contains("--index-url") && message.contains("ipwhl.toml"));
}

/// A pip that is made up, of three kinds: a script of its Python, a script of a shell, and none.
#[cfg(unix)]
#[test]
fn the_pip_on_path_is_asked_for_what_it_has_built_in() {
    use std::os::unix::fs::PermissionsExt;

    let python = crate::support::tool("python3");
    let script = |path: &Path, text: String| {
        fs::write(path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let found = std::process::Command::new(python)
        .args(["-c", "import sys; print(sys.executable)"])
        .output()
        .unwrap();
    let python = String::from_utf8(found.stdout).unwrap().trim().to_owned();

    let mut world = World::new();
    world.variables.remove("VIRTUAL_ENV");
    let library = world.path("library");
    let models = library.join("pip/_internal/models");
    fs::create_dir_all(&models).unwrap();
    for package in ["pip", "pip/_internal", "pip/_internal/models"] {
        fs::write(library.join(package).join("__init__.py"), "").unwrap();
    }
    let class = "class PyPI: simple_url = 'https://built-in.example.org/simple'\n";
    fs::write(models.join("index.py"), class).unwrap();
    let bin = world.path("bin");
    script(
        &bin.join("python3"),
        format!("#!/bin/sh\nexec '{python}' \"$@\"\n"),
    );

    // A pip that a shell starts, and that tells where it lies.
    let version = format!(
        "echo 'pip 25.0 from {} (python 3.12)'",
        library.join("pip").display()
    );
    script(&bin.join("pip"), format!("#!/bin/sh\n{version}\n"));
    world.assert_found("built-in", &IndexOrigin::Pip);

    // A pip whose first line names its Python.
    let wrapper = bin.join("python-of-pip");
    let run = format!("PYTHONPATH='{}' exec '{python}' \"$@\"", library.display());
    script(&wrapper, format!("#!/bin/sh\n{run}\n"));
    script(&bin.join("pip"), format!("#!{}\n", wrapper.display()));
    world.assert_found("built-in", &IndexOrigin::Pip);

    // The configuration of the user comes before what is built in.
    world.configure("home/config/pip/pip.conf", "user");
    let user = world.path("home/config/pip/pip.conf");
    world.assert_found("user", &IndexOrigin::PipConfiguration(user));
}
