//! `entry_points.txt`: what installers read alike is accepted, and no other line is.

use std::collections::BTreeMap;

use ipwhl_packaging::wheel::{EntryPoint, entry_points};
use serde_json::json;

use super::{click, facts, problems};
use crate::packaging_library::ask;
use crate::support::installers::{INSTALLERS, commands, install};
use crate::support::wheel_builder::WheelBuilder;

const PATH: &str = "click-8.1.7.dist-info/entry_points.txt";

/// The commands that are read from a text, and the problems without their common beginning.
fn read(text: &str) -> (Vec<String>, Vec<String>) {
    let (found, problems) = entry_points(text);
    let commands = found.into_keys().filter(EntryPoint::is_script);
    (
        commands.map(|one| one.name).collect(),
        problems.into_iter().map(|one| one.message).collect(),
    )
}

#[test]
fn what_installers_read_differently_is_refused() {
    let begin = "[console_scripts]\nplum = plum:main\n";
    // Whether pip and uv make other commands, or one of them refuses the wheel. `@` stands for the
    // beginning.
    for (text, line, differs, clause) in [
        (
            "@# \u{b}evil = plum:main\n",
            3,
            true,
            "has the character U+000B",
        ),
        (
            "@# \u{c}evil = plum:main\n",
            3,
            true,
            "has the character U+000C",
        ),
        (
            "@# \u{85}evil = plum:main\n",
            3,
            true,
            "has the character U+0085",
        ),
        (
            "@# \u{2028}evil = plum:main\n",
            3,
            true,
            "has the character U+2028",
        ),
        (
            "@# \revil = plum:main\n",
            3,
            false,
            "has the character U+000D",
        ),
        ("\u{feff}@", 1, false, "has the character U+FEFF"),
        (
            "[x]\n[console_scripts] and = more\nevil = plum:main\n",
            2,
            true,
            "is a heading that installers read differently",
        ),
        (
            "[[console_scripts]]\nevil = plum:main\n[x]\n",
            1,
            true,
            "is a heading that installers read differently",
        ),
        (
            "[ console_scripts ]\nevil = plum:main\n",
            1,
            false,
            "is a heading that installers read differently",
        ),
        (
            "[DEFAULT]\nevil = plum:main\n@",
            1,
            true,
            "is a heading that installers read differently",
        ),
        (
            "@; evil = plum:main\n",
            3,
            true,
            "is a comment for some installers only",
        ),
        (
            "@evil = plum:main ; x\n",
            3,
            true,
            "has a comment for some installers only",
        ),
        (
            "@evil plum = plum:main\n",
            3,
            true,
            "has a command whose name is no plain file name",
        ),
        (
            "@a/evil = plum:main\n",
            3,
            true,
            "has a command whose name is no plain file name",
        ),
        ("@  evil = plum:main\n", 3, true, "is indented more than"),
        (
            "@evil = plum : main\n",
            3,
            true,
            "has a command whose object is not `module:attribute`",
        ),
        (
            "@evil = plum:system('id')\n",
            3,
            true,
            "has a command whose object is not `module:attribute`",
        ),
        (
            "@evil = plum:main\n[console_scripts]\n",
            4,
            true,
            "repeats the heading of a group",
        ),
        (
            "@evil = plum:main\nevil = plum:other\n",
            4,
            true,
            "repeats the name of an entry point",
        ),
    ] {
        let text = text.replace('@', begin);
        let member = "plum-1.0.dist-info/entry_points.txt";
        let wheel = WheelBuilder::new("plum", "1.0")
            .member("plum.py", "def main(): pass\n")
            .member(member, &text);
        let found = problems(&wheel);
        let expected = format!("metadata: line {line} of entry_points.txt {clause}");
        assert!(
            found.iter().any(|one| one.starts_with(&expected)),
            "{text:?}: {found:#?}"
        );
        if !differs {
            continue;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(wheel.file_name());
        std::fs::write(&path, wheel.build()).unwrap();
        let made = INSTALLERS.map(|installer| {
            let target = folder.path().join(installer);
            let output = install(installer, &path, &target, &["--no-compile"]);
            output.status.success().then(|| commands(&target))
        });
        assert_ne!(made[0], made[1], "{text:?}");
        // What one of them makes is shown.
        let is_shown = entry_points(&text)
            .0
            .into_keys()
            .any(|one| one.name.contains("evil"));
        assert!(is_shown || clause.starts_with("is a comment"), "{text:?}");
    }
}

#[test]
fn each_form_that_is_no_plain_entry_point_is_named() {
    for (text, clause) in [
        ("x = y:z\n", "stands before the first heading"),
        ("[a]\n[a]\n", "repeats the heading of a group"),
        ("[a]\nx = y\nx = z\n", "repeats the name of an entry point"),
        ("[a]\nx\n", "is neither a heading nor an entry point"),
        ("[a]\n= x\n", "has no name"),
        ("[]\n", "is a heading that installers read differently"),
        ("[a\n", "is a heading that installers read differently"),
        ("[a]b]\n", "is a heading that installers read differently"),
        ("[a] # b\n", "has a comment for some installers only"),
        ("[a]\nx = y\n [b]\n", "is indented more than"),
        ("[a]\nx = y\u{a0}\n", "has the character U+00A0"),
        ("[a]\nx = y\u{1c}\n", "has the character U+001C"),
        ("[a]\nx = y\0\n", "has the character U+0000"),
        ("[a]\nx = y\r\r\n", "has the character U+000D"),
        (
            "[console_scripts]\nA = b:c\n[gui_scripts]\na = b:c\n",
            "has a command that is the same file as another one",
        ),
        (
            "[console_scripts]\npip = b:c\npip3 = b:d\n",
            "has a command that pip makes of another one, with another object",
        ),
        (
            "[console_scripts]\neasy_install-3.9 = b:c\neasy_install = b:d\n",
            "has a command that pip makes of another one, with another object",
        ),
        (
            "[console_scripts]\npython = b:c\n",
            "has a command with the name of an interpreter",
        ),
        (
            "[gui_scripts]\nPythonW3.12 = b:c\n",
            "has a command with the name of an interpreter",
        ),
    ] {
        let (_, found) = read(text);
        assert!(
            found.len() == 1 && found[0].contains(clause),
            "{text:?}: {found:#?}"
        );
    }
    for name in [
        "../x",
        "a/b",
        "a\\b",
        "c:x",
        ".",
        "..",
        ".bashrc",
        "-rf",
        "x.",
        "nul",
        "Com1.py",
        "a b",
        "a\u{200b}",
        "caf\u{e9}",
        "a'b",
        "a$b",
        "%x%",
    ] {
        let (_, found) = read(&format!("[console_scripts]\n{name} = a:b\n"));
        assert!(
            found.len() == 1 && found[0].contains("no plain file name"),
            "{name:?}: {found:#?}"
        );
    }
    for object in [
        "",
        "os",
        "os:",
        ":x",
        "os:a:b",
        "os:system('x')",
        "os:system,x",
        "os:a b",
        "os.:x",
        "os:1",
        "a-b:c",
        "a:b-c",
        "os:x [",
        "os:x []",
        "os:x [a] b",
        "os:x [a b]",
        "\u{430}:b",
    ] {
        let (_, found) = read(&format!("[gui_scripts]\nx = {object}\n"));
        assert!(
            found.len() == 1 && found[0].contains("`module:attribute`"),
            "{object:?}: {found:#?}"
        );
    }
    assert_eq!(
        problems(&click().member(PATH, b"\xff")),
        ["metadata: entry_points.txt is not UTF-8"]
    );
    let odd = "click-8.1.7.dist-info/Entry_Points.txt";
    assert_eq!(
        problems(&click().member(odd, "[console_scripts]\nx = y:z\n")),
        [format!(
            "metadata: `{odd}` is entry_points.txt on some systems only"
        )]
    );
}

#[test]
fn what_real_wheels_have_is_accepted_and_gives_the_commands() {
    let text = "# a comment; with [signs] = \u{2026}\r\n\r\n[console_scripts]\r\n  pip3.12 = pip._internal.cli.main:main\r\n  pip = pip._internal.cli.main:main\r\n  c++filt = a.b:c.d[ex-tra]\r\n\
                \t\n[gui_scripts]\nWindow = a:b [x-1, y_z,t ]\n[flake8.extension]\nX = pkg.mod:Class\n: odd = {} \"%\" = x\n[a-b c]\n";
    let wheel = click()
        .member(PATH, text)
        .member("click-8.1.7.data/scripts/other", "#!python\n")
        .member("click-8.1.7.data/data/bin/tool", "")
        .member("click-8.1.7.data/data/bin/deeper/none", "");
    assert_eq!(problems(&wheel), [""; 0]);
    assert_eq!(
        facts(&wheel.build()).names.commands,
        ["Window", "c++filt", "other", "pip", "pip3.12", "tool"]
    );
}

/// What the readers of pip (`importlib.metadata` and `pkg_resources`, each before distlib),
/// `installer` and uv take for commands: of a text each is `null`, or names and objects. uv read as
/// the last one until 2026, and now reads as `configparser` does; the real one is asked above.
const READERS: &str = r#"
import configparser, importlib.metadata, re, warnings
warnings.simplefilter('ignore')
from pip._vendor import pkg_resources
from pip._vendor.distlib.util import get_export_entry
SCRIPTS = ('console_scripts', 'gui_scripts')

def made(pairs):
    found = {}
    for name, value in pairs:
        entry = get_export_entry(f'{name} = {value}')
        if entry is None or entry.suffix is None:
            raise ValueError
        found[entry.name] = f'{entry.prefix}:{entry.suffix}'
    return found

def by_importlib(text):
    points = importlib.metadata.EntryPoints._from_text(text)
    return made([(one.name, one.value) for one in points if one.group in SCRIPTS])

def by_pkg_resources(text):
    groups = pkg_resources.EntryPoint.parse_map(text)
    return made([str(one).split(' = ', 1) for group in SCRIPTS for one in groups.get(group, {}).values()])

OBJECT = re.compile(r'(?P<module>[\w.]+)\s*:\s*(?P<attribute>[\w.]+)\s*(\[.*\])?\s*$')

def by_configparser(text):
    parser = configparser.ConfigParser(delimiters='=')
    parser.optionxform = str
    parser.read_string(text)
    groups = [group for group in parser.sections() if group in SCRIPTS]
    found = [(name, OBJECT.match(value)) for group in groups for name, value in parser.items(group)]
    return {name: f"{object['module']}:{object['attribute']}" for name, object in found}

def by_uv(text):
    groups, group = {}, None
    for line in text.split('\n'):
        line = line.strip()
        if not line or line[0] in ';#':
            continue
        line = re.split('[;#]', line)[0].strip()
        if line.startswith('['):
            group = line[1:line.rindex(']')].strip()
            continue
        name, sign, value = line.partition('=')
        groups.setdefault(group, {})[name.strip()] = value.strip() if sign else None
    found = {}
    for group in SCRIPTS:
        for name, value in groups.get(group, {}).items():
            object = re.match(r'([\w.-]+)\s*:\s*([\w.-]+)(?:\s*\[[^,].*\])?\s*$', value)
            found[name] = f'{object[1]}:{object[2]}'
    return found

def asked(reader, text):
    try:
        return reader(text)
    except Exception:
        return None

readers = [by_importlib, by_pkg_resources, by_configparser, by_uv]
answers = [[asked(reader, text) for reader in readers] for text in cases]
"#;

/// Of every text of three of these parts, in four places: where it is accepted, each reader finds
/// these commands. `pkg_resources`, which pip has on Python before 3.11, refuses some plugins.
#[test]
fn an_accepted_text_gives_the_same_commands_to_every_reader() {
    const PARTS: [&str; 26] = [
        "",
        "[console_scripts]\n",
        "[gui_scripts]",
        "[x]\n",
        "DEFAULT",
        "a = m:f\n",
        "b=m.n:f.g [x, y]\r\n",
        "c = m:f",
        "d",
        " ",
        "\t",
        "\n",
        "\r",
        "\u{b}",
        "\u{1f}",
        "\u{85}",
        "\u{2028}",
        "\u{a0}",
        "\u{feff}",
        "#",
        ";",
        "[",
        "]",
        "=",
        ",",
        "-",
    ];
    let mut texts = Vec::new();
    for one in PARTS {
        for two in PARTS {
            for three in PARTS {
                texts.push(format!("{one}{two}{three}"));
                texts.push(format!("[console_scripts]\n{one}{two}{three}"));
                texts.push(format!(
                    "[console_scripts]\n{one}a = m:f{two}{three}b = m:f"
                ));
                texts.push(format!("[console_scripts]\na = m:f [x{one}{two}{three}y]"));
            }
        }
    }
    let read = texts.into_iter().filter_map(|text| {
        let (found, problems) = entry_points(&text);
        let scripts = found.into_iter().filter(|(one, _)| one.is_script());
        let commands: BTreeMap<String, String> = scripts
            .map(|(one, object)| {
                let path = object.split('[').next().unwrap_or_default();
                (one.name, path.trim().to_owned())
            })
            .collect();
        problems.is_empty().then_some((text, commands))
    });
    let (texts, commands): (Vec<String>, Vec<_>) = read.unzip();
    let answers = ask(READERS, &json!(texts));
    let mut read = 0;
    for (index, answers) in answers.as_array().unwrap().iter().enumerate() {
        for (reader, answer) in answers.as_array().unwrap().iter().enumerate() {
            let is_refused = reader == 1 && answer.is_null();
            let is_same = *answer == json!(commands[index]);
            read += usize::from(is_same && !commands[index].is_empty());
            assert!(is_same || is_refused, "{:?}: {answers}", texts[index]);
        }
    }
    assert!(read > 1000, "{read} of {}", texts.len());
}
