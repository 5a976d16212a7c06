"""The cases of `ci/parity`: each is what one room does with a program, and is run with both."""

import json
import os
import random
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import parity_sets as sets
from parity_room import DAY, FORMATS, NOW, Skipped, commands, help_lines
from parity_sets import Wheel

CASES = {}
PROJECT = Path(__file__).resolve().parent.parent
INVALID = PROJECT / "tests" / "declarations" / "invalid"
assert len(list(INVALID.glob("*.toml"))) >= 19, f"the fixtures are not in {INVALID} any more"
OFFLINE = "--offline"
TREE_FORMATS = ("text", "json", "dot", "mermaid")


def case(name):
    def add(function):
        assert name not in CASES, name
        CASES[name] = function
        return function

    return add


@cache
def defects():
    return sets.defects(INVALID.glob("*.toml"))


@cache
def generated(count, since=0):
    return sets.generated("parity", count, since=since)


# The real set comes first, since it takes longest.


def real_wheels(room):
    """A cache with the wheels of the project's own set, fetched once by the program before."""
    cache_folder = room.world.folder / "cache"
    with room.world.lock:
        if "real" not in room.world.kept:
            cache_folder.mkdir(mode=0o700, exist_ok=True)
            own = os.environ.get("IPWHL_CACHE_DIR") or Path.home() / ".cache" / "ipwhl"
            if not (cache_folder / "wheels").exists() and (Path(own) / "wheels").is_dir():
                copy = shutil.copytree
                copy(Path(own) / "wheels", cache_folder / "wheels", copy_function=link_or_copy)
            command = [room.world.before, "build", "--root-only"]
            done = subprocess.run(
                command,
                cwd=room.world.source,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=dict(os.environ, IPWHL_CACHE_DIR=str(cache_folder)),
            )
            words = done.stderr.decode().strip().splitlines()
            room.world.kept["real"] = None if done.returncode == 0 else (words or ["no word"])[0]
    if room.world.kept["real"] is not None:
        raise Skipped(f"the project's own wheels cannot be had: {room.world.kept['real']}")
    # Names of the same files; what is known of the wheels is found out anew.
    place = room.folder / "cache"
    place.mkdir(mode=0o700)
    shutil.copytree(
        cache_folder / "wheels",
        place / "wheels",
        copy_function=link_or_copy,
        ignore=lambda _, names: [name for name in names if not name.endswith(".whl")],
    )
    shutil.copytree(room.world.source, room.repo, dirs_exist_ok=True)


def link_or_copy(source, target):
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


@case("real/build")
def _(room):
    real_wheels(room)
    room.run("build", "--unsigned", OFFLINE, "--output", room.folder / "release", expect=0)
    room.files("release")
    room.run("check", "--wheels", OFFLINE, "--message-format", "json")
    room.run("build", "--root-only", OFFLINE, "--profile", "unixfs-v0-2015")
    release = room.folder / "release"
    room.run("hollow", release)
    room.run("verify", release / "release.hollow.car")
    room.run(
        "build",
        "--root-only",
        OFFLINE,
        "--reuse",
        release / "release.hollow.car",
        "--reuse-unsigned",
    )
    room.run("diff", release, "--format", "json", "--members", "none")
    room.files("release")


@case("real/questions")
def _(room):
    shutil.copytree(room.world.source, room.repo, dirs_exist_ok=True)
    room.each_format("check", OFFLINE, "--deny", "warnings")
    questions(room, ["httpx", "markupsafe", "click", "numpy"])
    room.run("fmt", "--check")


@case("real/original-tree")
def _(room):
    script = room.world.source / "ci" / "original-tree"
    shutil.rmtree(room.repo)
    subprocess.run([sys.executable, script, room.repo], check=True, stdout=subprocess.DEVNULL)
    room.each_format("check", OFFLINE, "--deny", "warnings")
    room.run("list", "--format", "json")
    room.run("fmt", "--check")
    room.run("migrate", "--dry-run")
    room.run("migrate", "--output", room.folder / "other")
    room.run("migrate")
    room.files("repo", "other")
    room.run("check", OFFLINE, "--message-format", "json")


# check


def check_set(room, made, *options):
    room.write(made)
    room.each_format("check", *options)
    for more in (
        ["--deny", "warnings"],
        ["--waivers", "somebody looked at it"],
        ["-v"],
        ["-q"],
        ["--color", "always"],
        ["--waivers", "somebody looked at it", "--message-format", "json"],
    ):
        room.run("check", *options, *more)
    room.run("check", *options, COLUMNS="60")


def add_defects():
    wheel_codes = {
        "content-id-mismatch",
        "sha256-mismatch",
        "size-mismatch",
        "missing-source",
        "invalid-archive",
        "invalid-metadata",
        "legacy-metadata",
        "record-mismatch",
        "name-mismatch",
        "version-mismatch",
        "tag-mismatch",
        "requires-python-mismatch",
        "dependencies-mismatch",
        "extras-mismatch",
    }
    names = sorted({path.stem for path in INVALID.glob("*.toml")} | set(defects()))
    for name in names:

        @case(f"check/{name}")
        def _(room, name=name):
            options = ["--wheels"] if name in wheel_codes or name == "several-at-once" else []
            check_set(room, defects()[name], *options)
            room.run("check", *options, "--allow", name, "--message-format", "json")
            room.run("build", OFFLINE, "--root-only", "--allow", name, "--message-format", "json")
            room.run("build", "--root-only", "--message-format", "sarif")
            # After a run that has looked at the wheels.
            room.run("check", "--message-format", "json")
            room.run("list", "--format", "json")
            room.run("fmt")
            room.files("repo", skip=("wheels/",))
            room.requests()


add_defects()


@case("check/broken-wheels")
def _(room):
    for name, wheel in sets.broken_wheels().items():
        room.write(sets.sound().project(wheel, automatic=True))
        room.run("check", "--wheels", "--message-format", "json", note=name)
        room.run("check", "--wheels", note=name)
        room.run("build", "--root-only", "--message-format", "json", note=name)
        room.run("cache", "clean", note=name)


@case("check/severities")
def _(room):
    words = ("error", "warning", "off", "note")
    codes = sorted(defects())[::4]
    for number, code in enumerate(codes):
        made = defects()["several-at-once"]
        text = made.files["ipwhl.toml"].partition("\n[severity]")[0]
        severity = f'\n[severity]\n{code} = "{words[number % 4]}"\n'
        room.write(sets.Set(text + severity).project(sets.APPLE))
        room.run("check", OFFLINE, "--message-format", "json", note=code)


def mutated(room, seed):
    texts = [path.read_bytes() for path in sorted(INVALID.glob("*.toml"))]
    texts += [
        text.encode() for text in (sets.declaration(sets.BANANA), sets.declaration([sets.APPLE]))
    ]
    for number, text in sets.mutations(texts, seed, 25):
        room.write(sets.sound().file("declarations/example.toml", text))
        room.run("check", OFFLINE, "--message-format", "json", note=str(number))
        room.run("fmt", note=str(number))
        room.files("repo/declarations/example.toml")


def mutated_settings(room, seed):
    texts = [
        (PROJECT / "ipwhl.toml").read_bytes(),
        defects()["waived"].files["ipwhl.toml"].encode(),
        (sets.settings() + TARGETS + '[mirrors]\ngateways = ["http://127.0.0.1:1"]\n').encode(),
    ]
    for number, text in sets.mutations(texts, seed, 25):
        room.write(sets.sound().file("ipwhl.toml", text))
        room.run("check", OFFLINE, "--message-format", "json", note=str(number))
        room.run("publish", "--dry-run", note=str(number))


def add_mutations():
    for seed in range(6):
        CASES[f"check/mutated-{seed}"] = lambda room, seed=seed: mutated(room, seed)
    for seed in range(3):
        CASES[f"check/mutated-settings-{seed}"] = lambda room, seed=seed: mutated_settings(
            room, seed
        )


add_mutations()


@case("check/generated-300")
def _(room):
    check_set(room, generated(300), OFFLINE)
    room.run(
        "check",
        OFFLINE,
        "--allow",
        "missing-dependency,unsatisfied-dependency",
        "--allow",
        "syntax",
    )
    room.run("check", OFFLINE, "--message-format", "json", now=NOW + 400 * DAY)
    room.run("check", "--message-format", "json", note="with an index")


@case("check/generated-3000")
def _(room):
    room.write(generated(3000))
    for chosen in ("json", "text", "sarif", "markdown"):
        room.run("check", OFFLINE, "--message-format", chosen)
    room.run("list", "--format", "json")
    room.run("tree", "--format", "json")
    room.run("why", "alder-0", "--format", "json")
    room.run("remove", "--dry-run", "--with-dependencies", "alder-0", "laurel-2999")


def questions(room, names):
    for options in (
        [],
        ["--wanted"],
        ["--automatic"],
        ["--platform", "cp312"],
        ["--platform", "win_amd64"],
        ["--sort", "needed-by", "--reverse"],
        ["--sort", "size"],
        ["*-1*", "c*"],
        ["nothing-at-all"],
        ["--platform", "cp27"],
    ):
        room.run("list", *options)
        room.run("list", *options, "--format", "json")
    for name in [*names, "nothing-at-all"]:
        for chosen in ("text", "json"):
            room.run("show", name, "--format", chosen)
        for chosen in TREE_FORMATS:
            room.run("tree", name, "--format", chosen)
            room.run("tree", "-i", name, "--format", chosen)
            room.run("why", name, "--format", chosen)
        room.run("why", "--all", "--platform", "win_amd64", name)
        room.run("why", f"{name}[all]")
        room.run("tree", f"{name}[all]", "--charset", "utf8", "--depth", "4")
        room.run("tree", "--no-extras", "--platform", "cp313", name)
        room.run("tree", "--extra", "all", "--no-dedupe", "--depth", "3", name)
        for options in ([], ["--with-dependencies"], ["--keep-needed"]):
            room.run("remove", "--dry-run", *options, name)
    room.run("show", *names)
    room.run("tree", "--depth", "2")
    for chosen in TREE_FORMATS[1:]:
        room.run("tree", "--format", chosen)


@case("query/generated-300")
def _(room):
    room.write(generated(300))
    questions(room, ["alder-0", "birch-1", "laurel-299", "fern-125"])


@case("query/sound")
def _(room):
    room.write(sets.sound())
    questions(room, ["apple", "banana", "cherry", "damson"])


@case("query/defects")
def _(room):
    for name in ("several-at-once", "missing-extra", "syntax", "unavailable-dependency", "waived"):
        room.write(defects()[name])
        for command in (["list"], ["tree"], ["show", "cherry"], ["why", "damson"]):
            for chosen in ("text", "json"):
                room.run(*command, "--format", chosen, note=name)


@case("check/since-generated")
def _(room):
    room.write(generated(300))
    room.commit("before")
    room.write(generated(300, since=1))
    room.each_format("check", OFFLINE, "--since", "HEAD")
    room.commit("after")
    room.git("branch", "work", "HEAD~1")
    room.each_format(
        "check", OFFLINE, "--since", "work", "--deny", "warnings", formats=("text", "json")
    )
    room.run("check", OFFLINE, "--since", "nowhere")
    for chosen in ("text", "json", "markdown"):
        room.run("diff", "work", "main", "--format", chosen, OFFLINE)


@case("check/since-small")
def _(room):
    room.write(sets.sound())
    room.commit("before")
    changes = {
        "damson": lambda made: made.project(sets.damson("6.0"), automatic=True),
        "waiver": lambda made: made.configure(
            '\n[[waiver]]\ncode = "unneeded"\nproject = "damson"\n'
            'reason = "x"\nexpires = 2027-01-01\n'
        ),
        "settings": lambda made: made.file(
            "ipwhl.toml",
            sets.settings(
                "other", ["cp312"], more='\n[index]\nurl = "http://127.0.0.1:9/simple/"\n'
            ),
        ),
        "attributes": lambda made: made.file(".gitattributes", "*.toml -diff linguist-generated\n"),
        "comment": lambda made: made.file(
            "declarations/damson.toml",
            "# \u202ea comment\n" + made.files["declarations/damson.toml"],
        ),
        "dead": lambda made: made.project(
            sets.damson(),
            automatic=True,
            hosted=False,
            source='["file:wheels/damson-5.0.1-py3-none-any.whl", '
            '"file:x/damson-5.0.1-py3-none-any.whl"]',
        ).file("wheels/damson-5.0.1-py3-none-any.whl", sets.damson().bytes),
        "other bytes": lambda made: made.file("wheels/damson-5.0.1-py3-none-any.whl", b"other"),
    }
    for name, change in changes.items():
        room.write(change(sets.sound()))
        room.each_format("check", "--since", "HEAD", note=name)
        room.run("check", "--since", "HEAD", "--public-only", "--message-format", "json", note=name)
        room.run("check", "--sources", "--message-format", "json", note=name)
        room.run("diff", "HEAD", "--format", "json", note=name)
        (room.repo / ".gitattributes").unlink(missing_ok=True)
    room.requests()


# What the program says of itself


@case("self/explain")
def _(room):
    room.run("explain")
    room.run("explain", "--format", "json")
    for code in sorted(defects()):
        room.run("explain", code)
        room.run("explain", code, "--format", "json")
    room.run("explain", "missing-dependancy")


@case("self/help")
def _(room):
    room.run("--version", kind="exact")
    for command in [(), *commands(room.program)]:
        room.run(*command, "--help")
        room.run(*command, "-h")
        room.run(*command, "--no-such-option")
        # Without what it needs, in a folder that has no repository. A new key is tried elsewhere.
        if command and command != ("key", "new"):
            room.run(*command, note="bare", PATH="", IPWHL_INDEX_URL=None, CI="true")
    room.run("nothing")
    room.run("chekc")
    room.record("commands", json.dumps(commands(room.program)))
    room.record(
        "options",
        "\n".join(
            " ".join(command) + line.rpartition("  ")[0]
            for command in commands(room.program)
            for line in help_lines(room.program, *command)
            if line.lstrip().startswith("-")
        ),
    )


@case("self/completions")
def _(room):
    for shell in ("bash", "elvish", "fish", "powershell", "zsh", "tcsh"):
        room.run("completions", shell)


@case("self/man")
def _(room):
    room.run("man")
    room.run("man", "--output", "pages")
    for page in sorted((room.repo / "pages").glob("*")):
        room.record(f"page {page.name}", page.read_bytes(), "options")


# Releases


def trusting(world, *names, threshold=1, more=""):
    keys = json.dumps([world.key(name) for name in names])
    return f"\n[signing]\ntrusted = {keys}\nthreshold = {threshold}\n{more}"


def workshop(room):
    """Two releases of `large`, signed by a key that the repository trusts, in all parts; and the
    same unsigned. `first` and `second` are folders of releases, `old` and `new` repositories."""

    def make(room):
        for name, made in (("old", sets.large()), ("new", sets.large_second())):
            made.configure(trusting(room.world, "one", more=TARGETS))
            made.write(room.folder / name)
        key = ["--key", room.key()]
        first, second = room.folder / "first", room.folder / "second"
        previous = ["--previous", first / "release.toml"]
        for repo, output, options in (
            ("old", first, [*key, "--expires", "180d"]),
            ("old", room.folder / "unsigned", ["--unsigned", "--tree", room.folder / "tree"]),
            ("new", second, [*key, *previous]),
            ("new", room.folder / "delta", [*key, *previous, "--car", "delta"]),
            ("new", room.folder / "hollow", [*key, *previous, "--car", "hollow"]),
        ):
            later = NOW + DAY if repo == "new" else NOW
            options = ["build", OFFLINE, "--output", output, *options]
            room.run(*options, cwd=room.folder / repo, now=later, expect=0)
        stated = (first / "release.toml").read_text()
        assert "created = 2026-11-20T12:00:00Z" in stated, "the clock is not held"

    return room.world.made("workshop", make)


TARGETS = """
[publish.site]
kind = "directory"
path = "../site"
url = "https://index.example.org"
keep = 2

[publish.history]
kind = "git"
repository = "../history"
branch = "releases"
holders = ["site"]

[publish.name]
kind = "ipns"
file = "../name/ipns-record"
holders = []
"""
KEEP = ("first", "second", "old", "new")


@case("build/unsigned")
def _(room):
    sets.large().write(room.repo)
    room.run("build", OFFLINE, "--unsigned", "--tree", "tree", expect=0)
    room.files("repo")
    for profile in ("unixfs-v1-2025", "unixfs-v0-2015", "kubo-cidv1"):
        room.run("build", "--root-only", "--profile", profile, "--jobs", "1")
        room.run(
            "build", "--unsigned", "--profile", profile, "--output", profile, "--car", "hollow"
        )
        room.files(f"repo/{profile}")
    for chosen in FORMATS:
        room.run("build", "--root-only", "--message-format", chosen)
    room.run(
        "build", "--unsigned", "--car", "delta", "--output", "delta", "--previous-car", "release"
    )
    room.run("build", "--unsigned", "--output", "declarations")
    room.run("build", "--unsigned", "--output", "ipwhl.toml")
    room.run("build", "--unsigned", "--tree", "wheels")
    room.run("build", "--unsigned", "--verbose")
    room.run("build", "--unsigned", "--quiet")
    room.run("cache", "size", "--format", "json")
    room.files("repo")


@case("build/original")
def _(room):
    wheel = Wheel("yak", "1.0", members={"yak.py": "1\n" * 100})
    old = sets.settings("old", ["cp312"], ["win_amd64"], 'layout = "ipwhl-1"\n')
    room.write(
        sets.Set(old)
        .file("wheels/" + wheel.file_name, wheel.bytes)
        .file("pkgs/45/yak/yak-1.0-py3-none-any.toml", wheel.keys(sha256=None, size=None))
    )
    cid = room.run("cid", "--profile", "unixfs-v0-2015", f"wheels/{wheel.file_name}").stdout
    room.write(
        sets.Set(old)
        .file("wheels/" + wheel.file_name, wheel.bytes)
        .file(
            "pkgs/45/yak/yak-1.0-py3-none-any.toml",
            wheel.keys(sha256=None, size=None, content_id=f'"{cid.decode().split()[0]}"'),
        )
    )
    room.each_format("check", "--wheels")
    room.run("build", "--unsigned", "--tree", "tree")
    room.run("verify", "release")
    room.run("hollow", "release")
    room.run("build", "--root-only", "--reuse", "release", "--reuse-unsigned")
    room.files("repo")


@case("build/signed")
def _(room):
    made = sets.large()
    made.configure(trusting(room.world, "one", "two"))
    made.write(room.repo)
    key = ["--key", room.key()]
    build = ["build", OFFLINE]
    room.run(*build, "--key", room.key("three"))
    room.run(*build, CI="true")
    room.run(*build, *key, "--expires", "30d")
    room.run(*build, *key)
    room.run(*build, *key, "--unsigned")
    room.run(*build, *key, "--renew", "--expires", "30d", now=NOW + DAY)
    room.run(*build, *key, "--expires", "30d", "--renew-within", "5d", now=NOW + 2 * DAY)
    room.run(*build, *key, "--expires", "30d", "--renew-within", "5d", now=NOW + 28 * DAY)
    locked = ["--key", room.key("locked"), "--renew"]
    room.run(*build, *locked, now=NOW + 28 * DAY)
    room.run(*build, *locked, now=NOW + 28 * DAY, IPWHL_SIGNING_KEY_PASSPHRASE="another")
    room.run(*build, *locked, now=NOW + 28 * DAY, IPWHL_SIGNING_KEY_PASSPHRASE="a secret")
    room.run(*build, "--key", room.key("two"), "--renew", "--expires", "30d", now=NOW + 28 * DAY)
    room.files("repo/release")
    room.write(sets.large_second().configure(trusting(room.world, "two")))
    room.run(*build, "--key", room.key("two"), "--expires", "30d", now=NOW + 29 * DAY)
    room.run(*build, "--key", room.key("two"), "--car", "delta", now=NOW + 29 * DAY)
    room.run(*build, "--key", room.key("two"), now=NOW + 100 * DAY)
    room.run(*build, "--key", room.key("two"), "--after-expiry", now=NOW + 100 * DAY)
    room.run(*build, "--key", room.folder / "keys/none")
    secret = (room.folder / "keys/two").read_text()
    room.run(*build, "--renew", now=NOW + 101 * DAY, IPWHL_SIGNING_KEY=secret)
    room.files("repo/release")
    room.run(
        "build",
        *key,
        "--output",
        "other",
        "--previous",
        "release/release.toml",
        now=NOW + 102 * DAY,
    )
    room.run(
        "build",
        "--key",
        room.key("two"),
        "--output",
        "other",
        "--previous",
        "release/release.toml",
        now=NOW + 102 * DAY,
    )
    (room.repo / "release/release.toml").unlink()
    room.run(*build, "--key", room.key("two"), now=NOW + 103 * DAY)
    room.files("repo/release", "repo/other")


@case("build/own-key")
def _(room):
    sets.sound().write(room.repo)
    folder = room.home / ".config" / "ipwhl"
    folder.mkdir(parents=True)
    room.run("key", "show")
    for name in (".config/ipwhl/signing-key", ".config/ipwhl/key"):
        shutil.copy2(room.folder / "keys/one", room.home / name)
    done = room.run("build", "--output", "a", CI="true")
    if done.returncode == 0:
        room.run("verify", "a", "--statement", "a/release.toml")
        room.run("verify", "a", "--statement", "a/release.toml", "--any-signer")
        room.files("repo/a")


@case("build/threshold")
def _(room):
    made = sets.sound().configure(trusting(room.world, "one", "two", "three", threshold=2))
    made.write(room.repo)
    room.run("build", "--key", room.key(), expect=0)
    verify = ["verify", "release", "--statement", "release/release.toml"]
    room.run(*verify)
    for name in ("one", "two", "two", "three"):
        room.run("sign", "release/release.toml", "--key", room.key(name), note=name)
        room.run(*verify)
    room.files("repo/release")
    room.run("build", "--key", room.key("two"), "--renew", now=NOW + DAY)
    room.run(
        "sign",
        "release/release.toml",
        "--key",
        room.key("one"),
        "--previous",
        "release/statements/1/release.toml",
        now=NOW + DAY,
    )
    room.run("sign", "release/release.toml", "--key", room.key("one"), now=NOW + 2000 * DAY)
    room.run("sign", "release/nothing.toml", "--key", room.key("one"))
    room.files("repo/release")


@case("build/reuse")
def _(room):
    room.use(workshop(room), *KEEP, "unsigned", "hollow")
    new = room.folder / "new"
    for wheel in ("large", "library"):
        # What is reused is not looked for.
        for path in (new / "wheels").glob(f"{wheel}*") if wheel == "large" else ():
            path.rename(path.with_suffix(".away"))
    first, unsigned = room.folder / "first", room.folder / "unsigned/release.car"
    room.run("hollow", first)
    later = {"cwd": new, "now": NOW + 2 * DAY}
    root = ["build", OFFLINE, "--root-only"]
    room.run(*root, "--reuse", first, **later)
    room.run(*root, "--reuse", first / "release.hollow.car", **later)
    room.run(*root, "--reuse", unsigned, **later)
    room.run(*root, "--reuse", unsigned, "--reuse-unsigned", **later)
    room.run(*root, "--reuse", unsigned, "--reuse-statement", first / "release.toml", **later)
    room.run(*root, "--reuse", first, cwd=new, now=NOW + 400 * DAY)
    room.run(*root, "--reuse", room.folder / "nothing.car", "--reuse", first, **later)
    key = ["--key", room.key(), "--previous", first / "release.toml"]
    for extent in ("full", "delta", "hollow"):
        output = room.folder / f"built-{extent}"
        options = ["build", OFFLINE, "--reuse", first, "--car", extent, "--output", output]
        room.run(*options, *key, **later)
        room.files(f"built-{extent}")
    hollow = ["--reuse", first / "release.hollow.car", "--output", room.folder / "x"]
    room.run("build", OFFLINE, *hollow, *key, **later)
    with room.serve(first / "release.car") as gateway:
        statement = first / "release.toml"
        root_cid = next(
            line.split('"')[1]
            for line in statement.read_text().splitlines()
            if line.startswith("root")
        )
        address = f"{gateway.address}/ipfs/{root_cid}/"
        with open(new / "ipwhl.toml", "a") as settings:
            settings.write(f'\n[mirrors]\ngateways = ["{gateway.address}"]\n')
        for place in (address, root_cid):
            room.run(
                "build", "--root-only", "--reuse", place, "--reuse-statement", statement, **later
            )
            room.run("build", "--root-only", "--reuse", place, "--reuse-unsigned", **later)
            output = ["--output", room.folder / "from-gateway", "--car", "delta"]
            room.run("build", "--reuse", place, *key, *output, **later)
            room.files("from-gateway")
        room.run("diff", root_cid, new, "--format", "json", **later)
        room.run("diff", address, new, "--format", "json", "--members", "none", **later)


@case("verify/all")
def _(room):
    room.use(workshop(room), *KEEP, "unsigned", "delta", "hollow")
    old = {"cwd": room.folder / "old"}
    first, second = room.folder / "first", room.folder / "second"
    room.run("hollow", first, **old)
    statement = ["--statement", first / "release.toml"]
    for release in (
        first,
        first / "release.car",
        first / "release.hollow.car",
        room.folder / "unsigned",
        room.folder / "delta",
        room.folder / "hollow/release.hollow.car",
        room.folder / "nothing",
        first / "release.toml",
    ):
        room.run("verify", release, **old)
        room.run("verify", release, *statement, **old)
    room.run("verify", first, *statement, cwd=room.folder / "old", now=NOW + 400 * DAY)
    room.run("verify", first, *statement, cwd=room.folder / "old", now=NOW - 10 * DAY)
    signers = room.folder / "signers"
    for name in ("one", "two"):
        kind, key, _ = room.world.key(name).split()
        signers.write_text(f'{name} namespaces="ipwhl-release" {kind} {key}\n')
        room.run(
            "verify", first, *statement, "--allowed-signers", signers, cwd=room.folder, note=name
        )
    room.run("verify", first, *statement, cwd=room.folder)
    room.run("verify", first, *statement, "--any-signer", cwd=room.folder)
    later = {"cwd": room.folder, "now": NOW + 2 * DAY}
    for trusted in (first, second):
        for release in (first, second):
            room.run(
                "verify",
                release,
                "--statement",
                release / "release.toml",
                "--trusted-statement",
                trusted / "release.toml",
                **later,
            )
    # Keys change from one to two over three statements.
    repo = room.folder / "change"
    for number, (keys, signer) in enumerate(
        [(("one",), "one"), (("one", "two"), "one"), (("one", "two"), "two"), (("two",), "two")]
    ):
        made = sets.sound(sets.settings("change") + trusting(room.world, *keys))
        room.write(made, repo)
        room.run("build", "--key", room.key(signer), "--renew", cwd=repo, now=NOW + number * DAY)
        if (repo / "release/release.toml").exists():
            shutil.copytree(
                repo / "release", room.folder / f"step-{number}", ignore=lambda *_: ["statements"]
            )
    steps = sorted(room.folder.glob("step-*"))
    for base in steps[:2]:
        follow = [word for step in steps[1:-1] for word in ("--follow", step / "release.toml")]
        last = ["verify", steps[-1], "--statement", steps[-1] / "release.toml"]
        room.run(*last, "--trusted-statement", base / "release.toml", *follow, now=NOW + 9 * DAY)
        room.run(*last, "--trusted-statement", base / "release.toml", now=NOW + 9 * DAY)
    room.files("change/release")


@case("verify/contradictions")
def _(room):
    """Releases of sets with findings that were let pass."""
    for name in ("legacy-metadata", "dependencies-mismatch", "requires-python-mismatch", "waived"):
        room.write(defects()[name])
        output = room.folder / name
        room.run("build", "--unsigned", "--allow", name, "--output", output, note=name)
        room.run("verify", output, note=name)
        room.run("verify", output, "--allow", name, note=name)
        room.files(name)


@case("fill/places")
def _(room):
    room.use(workshop(room), *KEEP, "delta", "hollow", "unsigned")
    later = {"cwd": room.folder / "new", "now": NOW + 2 * DAY}
    hollow = room.folder / "hollow/release.hollow.car"
    wheels = room.folder / "new/wheels"
    for name, archive, places in (
        ("wheels", hollow, [wheels]),
        ("archive", hollow, [room.folder / "second/release.car"]),
        ("sources", hollow, ["sources"]),
        ("nothing", hollow, [room.folder / "keys"]),
        ("part", hollow, [room.folder / "first"]),
        ("delta", room.folder / "delta/release.delta.car", [room.folder / "first"]),
        ("mirrors", hollow, ["mirrors"]),
        ("full", room.folder / "first/release.car", [wheels]),
    ):
        output = room.folder / f"{name}.car"
        options = [word for place in places for word in ("--from", place)]
        cache_folder = str(room.folder / f"cache-{name}")
        room.run(
            "fill", archive, "--output", output, *options, IPWHL_CACHE_DIR=cache_folder, **later
        )
        room.files(f"{name}.car")
    room.run("fill", hollow, OFFLINE, **later)
    room.run("hollow", room.folder / "second", "--output", room.folder / "again.car", **later)
    room.run("hollow", room.folder / "delta/release.delta.car", **later)
    room.run("hollow", room.folder / "nothing.car", **later)
    room.files("hollow", "again.car")


@case("fill/gateway")
def _(room):
    room.use(workshop(room), *KEEP, "delta", "hollow")
    later = {"cwd": room.folder / "new", "now": NOW + 2 * DAY}
    output = room.folder / "filled.car"
    for release, archive in (
        ("second", "hollow/release.hollow.car"),
        ("first", "delta/release.delta.car"),
        ("first", "hollow/release.hollow.car"),
    ):
        with room.serve(room.folder / release) as gateway:
            options = ["--from", gateway.address, "--jobs", "1", "--output", output]
            room.run("fill", room.folder / archive, *options, **later)
        room.files("filled.car")
    room.run("fill", room.folder / "hollow/release.hollow.car", *options, **later)


def site(room):
    """A folder that a target of the kind `directory` has written, with both releases."""
    made = workshop(room)

    def make(room):
        room.use(made, *KEEP)
        for number, (repo, release) in enumerate((("old", "first"), ("new", "second"))):
            room.run(
                "publish",
                "site",
                "--release",
                room.folder / release,
                cwd=room.folder / repo,
                now=NOW + number * DAY,
                expect=0,
            )

    return room.world.made("site", make)


@case("fetch/site")
def _(room):
    room.use(site(room), "site", *KEEP)
    later = {"cwd": room.folder / "old", "now": NOW + 2 * DAY}
    for name, place in (("folder", room.folder / "site"), ("address", f"{room.url}/room/site/")):
        room.run("verify", place, **later)
        room.run("fetch", place, "--output", room.folder / name, "--jobs", "1", **later)
        room.run("fetch", place, "--output", room.folder / name, "--jobs", "1", **later)
        room.files(name)
        # From the release before on.
        shutil.copytree(room.folder / "first", room.folder / f"{name}-next")
        room.run("fetch", place, "--output", room.folder / f"{name}-next", **later)
        room.files(f"{name}-next")
        room.run(
            "fetch",
            place,
            "--output",
            room.folder / "any",
            "--any-signer",
            cwd=room.folder,
            now=NOW + 2 * DAY,
        )
        room.run(
            "fetch", place, "--output", room.folder / "none", cwd=room.folder, now=NOW + 2 * DAY
        )
        room.run("fetch", place, OFFLINE, "--output", room.folder / "offline", **later)
        room.run(
            "fetch",
            place,
            "--output",
            room.folder / f"{name}-trusted",
            "--trusted-statement",
            room.folder / "first/release.toml",
            cwd=room.folder,
            now=NOW + 2 * DAY,
        )
        room.files("any", "none", f"{name}-trusted")
        shutil.rmtree(room.folder / "any", ignore_errors=True)
    room.requests()
    # A forge keeps the archive beside the statement.
    shutil.copytree(room.folder / "second", room.folder / "forge")
    room.run(
        "fetch",
        f"{room.url}/room/forge/release.toml",
        "--output",
        room.folder / "from-forge",
        **later,
    )
    room.run("fetch", f"{room.url}/room/nothing/", "--output", room.folder / "x", **later)
    room.files("from-forge")
    # A rollback: the older release is held out.
    room.run("fetch", room.folder / "first", "--output", room.folder / "folder", **later)
    room.run(
        "init",
        "--carry",
        f"{room.url}/room/site/release.toml",
        room.folder / "carried",
        now=NOW + 2 * DAY,
    )
    room.run(
        "init",
        "--carry",
        room.folder / "site/release.toml",
        room.folder / "carried-2",
        now=NOW + 2 * DAY,
    )
    room.files("carried", "carried-2", prose=True)


@case("fetch/damaged-site")
def _(room):
    made = site(room)
    later = {"cwd": room.folder / "old", "now": NOW + 2 * DAY}
    numbers = random.Random("site")
    room.use(made, *KEEP)
    for number in range(12):
        room.use(made, "site")
        files = sorted(path for path in (room.folder / "site").rglob("*") if path.is_file())
        path = numbers.choice(files)
        data = next(iter(sets.damages(path.read_bytes(), f"site {number}", 1)))
        path.unlink()
        if number % 4:
            path.write_bytes(data)
        note = f"{number} {path.relative_to(room.folder)}"
        room.run("verify", room.folder / "site", note=note, **later)
        output = room.folder / f"out-{number}"
        room.run("fetch", room.folder / "site", "--output", output, note=note, **later)
        room.files(f"out-{number}")
        room.run(
            "publish",
            "site",
            "--check",
            "--format",
            "json",
            "--release",
            room.folder / "second",
            note=note,
            **later,
        )
        options = ["--repair", "--release", room.folder / "second"]
        room.run("publish", "site", "--check", *options, "--rate", "1GiB", note=note, **later)
    room.files("site")


@case("publish/directory")
def _(room):
    made = workshop(room)
    room.use(made, *KEEP, "delta")
    formats = [[], ["--format", "json"]]
    for number, (repo, release) in enumerate(
        (("old", "first"), ("new", "second"), ("old", "first"))
    ):
        options = {"cwd": room.folder / repo, "now": NOW + number * DAY}
        publish = ["publish", "site", "--release", room.folder / release]
        for more in formats:
            room.run(*publish, "--dry-run", *more, **options)
        if number == 1:
            room.run("publish", "site", "--release", room.folder / "delta", **options)
            room.files("site")
        room.run(*publish, "--format", "json", **options)
        room.run(*publish, **options)
        for more in formats:
            room.run(
                "publish", "site", "--status", "--release", room.folder / release, *more, **options
            )
            room.run(
                "publish", "site", "--check", "--release", room.folder / release, *more, **options
            )
        room.files("site")
    room.run("publish", "site", "--status", cwd=room.folder / "new", now=NOW + 400 * DAY)
    room.run(
        "publish",
        "site",
        "--release",
        room.folder / "second",
        cwd=room.folder / "new",
        now=NOW + 400 * DAY,
    )
    room.run("publish", "nowhere", cwd=room.folder / "new")
    room.run(
        "publish",
        "site",
        "--unsigned",
        "--release",
        room.folder / "second",
        cwd=room.folder / "new",
    )
    room.files("site")


@case("publish/every-local-kind")
def _(room):
    room.use(workshop(room), *KEEP)
    history = room.folder / "history"
    history.mkdir()
    room.git("init", "-q", "-b", "main", cwd=history)
    room.git("commit", "-q", "--allow-empty", "-m", "first", cwd=history)
    (room.folder / "name").mkdir()
    for number, (repo, release) in enumerate((("old", "first"), ("new", "second"))):
        options = {"cwd": room.folder / repo, "now": NOW + number * DAY}
        publish = ["publish", "--key", room.key(), "--release", room.folder / release]
        room.run(*publish, "--dry-run", "--format", "json", **options)
        room.run(*publish, "--format", "json", **options)
        room.run(*publish, **options)
        room.run(
            "publish", "--status", "--format", "json", "--release", room.folder / release, **options
        )
        room.run(
            "publish", "--check", "--format", "json", "--release", room.folder / release, **options
        )
        room.files("site", "name")
        refs = room.git("for-each-ref", "--format=%(refname) %(objectname)", cwd=history)
        room.record("references", refs)
        room.record("log", room.git("log", "--stat", "releases", cwd=history))
    room.run("publish", "history", cwd=room.folder / "old", now=NOW + 3 * DAY)
    room.run(
        "publish",
        "--key",
        room.key("two"),
        "--release",
        room.folder / "second",
        cwd=room.folder / "new",
        now=NOW + DAY,
    )


@case("publish/unsigned")
def _(room):
    sets.large().configure(TARGETS.partition("[publish.history]")[0]).write(room.repo)
    room.run("build", "--unsigned")
    room.run("publish", "site")
    for more in (
        ["--dry-run"],
        ["--format", "json"],
        ["--status"],
        ["--check", "--format", "json"],
    ):
        room.run(
            "publish",
            "site",
            *([] if more[0] in ("--status", "--check") else ["--unsigned"]),
            *more,
        )
    room.files("site")
    room.run("verify", "../site")


# diff


@case("diff/all")
def _(room):
    room.use(workshop(room), *KEEP, "unsigned", "hollow", "delta")
    sets.large().configure(trusting(room.world, "one")).write(room.repo)
    room.commit("first")
    room.write(sets.large_second().configure(trusting(room.world, "two", threshold=1)))
    room.commit("second")
    room.write(
        sets.large_second().project(sets.damson()).project(Wheel("fig", "3.1", requires=["plum"]))
    )
    first, second = room.folder / "first", room.folder / "second"
    for sides in (
        [first, second],
        [second, first],
        [first, first],
        [first],
        ["HEAD~1"],
        ["HEAD~1", "HEAD"],
        [first, "HEAD"],
        ["HEAD", second],
        [room.folder / "old", room.folder / "new"],
        [room.folder / "hollow/release.hollow.car", first],
        ["git:HEAD~1", f"path:{second}"],
        ["nowhere"],
        [room.folder / "delta", first],
        [first, "HEAD~5"],
    ):
        for chosen in ("text", "json", "markdown"):
            room.run("diff", *sides, "--format", chosen, OFFLINE, now=NOW + 2 * DAY)
        room.run(
            "diff", *sides, "-v", "--exit-code", OFFLINE, "--members", "none", now=NOW + 2 * DAY
        )
    room.run("diff", "HEAD~1", "HEAD", "--members", "fetch", "--format", "json")


@case("diff/members")
def _(room):
    room.write(sets.sound())
    room.commit("sound")
    for name, wheel in sets.broken_wheels().items():
        room.write(sets.sound().project(wheel, automatic=True))
        for chosen in ("text", "json"):
            room.run("diff", "HEAD", "--format", chosen, note=name)


# An index


def index(room):
    world = room.world
    with world.lock:
        if "index" in world.kept:
            return
        world.kept["index"] = None
        for made in ([sets.APPLE], sets.BANANA, [sets.CHERRY], [sets.damson()]):
            more = []
            name = made[0].name
            if name == "damson":
                more = [
                    sets.damson("5.2"),
                    sets.damson("6.0"),
                    sets.damson("6.1rc1"),
                    (sets.damson("7.0"), "bad"),
                ]
            if name == "apple":
                more = [
                    Wheel(
                        "apple",
                        "1.1",
                        python=">=3.12",
                        requires=["banana>=2", "elder"],
                        extras=["juice"],
                    ),
                    Wheel("apple", "1.2", python=">=3.13"),
                ]
            world.host(name, *made, *more)
        world.host("elder", Wheel("elder", "0.1", requires=["damson<6"], extras=["wine"]))
        world.host("old", Wheel("old", "1.0", python="<3"))
        world.host("broken", Wheel("broken", "1.0", metadata="Metadata-Version: 2.1\nName: x\n\n"))
        native = [Wheel("native", "1.0", tag) for tag in sets.PLATFORM_TAGS]
        world.host("native", *native)


@case("index/questions")
def _(room):
    index(room)
    for kind in ("simple", "html"):
        room.write(sets.sound())
        address = {"IPWHL_INDEX_URL": f"{room.url}/{kind}/"}
        for chosen in ("text", "json"):
            room.run("list", "--outdated", "--format", chosen, **address)
            room.run("show", "--outdated", "apple", "damson", "--format", chosen, **address)
        room.run("list", "--outdated", "--index-url", f"{room.url}/nothing/")
        room.run("list", "--outdated", OFFLINE)
        for name in (
            "unsatisfied-dependency",
            "missing-extra",
            "unavailable-dependency",
            "several-at-once",
        ):
            room.write(defects()[name])
            for chosen in ("text", "json"):
                room.run("check", "--message-format", chosen, note=name, **address)
        room.requests()


@case("index/add")
def _(room):
    index(room)
    for kind in ("simple", "html"):
        address = {"IPWHL_INDEX_URL": f"{room.url}/{kind}/"}
        for names in (
            ["damson"],
            ["--with-dependencies", "apple[juice]"],
            ["apple==1.0"],
            ["damson>=6,<7"],
            ["native"],
            ["--prefer", "pure", "native"],
            ["--automatic", "elder[wine]"],
            ["old"],
            ["nothing"],
            ["broken"],
            ["elder[beer]"],
            ["--with-dependencies", "apple<1.1", "elder"],
            ["damson==9"],
            ["not a name!"],
        ):
            room.write(sets.Set())
            room.run("add", *names, **address)
            room.files("repo")
        # Onto a set: updates, and what they break.
        for names in (
            ["damson"],
            ["--with-dependencies", "apple"],
            ["banana"],
            ["damson==6.0", "elder"],
        ):
            room.write(sets.sound())
            room.run("add", *names, **address)
            room.files("repo", skip=("wheels/",))
        room.write(sets.sound())
        room.run("add", OFFLINE, "damson", **address)
        room.requests()


@case("index/build")
def _(room):
    index(room)
    made = sets.sound()
    for wheels in ([sets.APPLE], sets.BANANA, [sets.CHERRY], [sets.damson()]):
        wheel = wheels[0]
        path = f"declarations/{wheel.name}.toml"
        for one in wheels:
            made.files[path] = made.files[path].replace(
                f'"file:wheels/{one.file_name}"',
                f'"pkg:pypi/{one.name}@{one.version}?file_name={one.file_name}"',
            )
            del made.files[f"wheels/{one.file_name}"]
    made.write(room.repo)
    room.run("build", OFFLINE, "--root-only")
    room.run("check", "--wheels", "--message-format", "json", expect=0)
    room.run("build", "--root-only", OFFLINE, expect=0)
    room.run("build", "--unsigned", "--jobs", "2", expect=0)
    room.run("cache", "size", "--format", "json")
    room.files("repo")
    room.run("cache", "clean", "damson")
    room.run("check", "--sources", "--message-format", "json")
    room.run("hollow", "release")
    room.run("cache", "clean")
    room.run("fill", "release/release.hollow.car", "--output", "filled.car")
    room.files("repo")
    room.requests()


# Commands that change texts


@case("edit/remove")
def _(room):
    for names in (
        ["apple"],
        ["--with-dependencies", "apple"],
        ["damson"],
        ["--keep-needed", "banana"],
        ["--keep-needed", "apple", "cherry"],
        ["nothing"],
        ["--with-dependencies", "apple", "cherry"],
    ):
        room.write(sets.sound())
        room.run("remove", *names)
        room.files("repo", skip=("wheels/",))


@case("edit/fmt")
def _(room):
    texts = {
        "plum": "#: an editor\n# about the file\nsize=3 # size\n"
        "dependencies=['b>=1,<2','a ;  extra==\"x\"','a;extra==\"x\"']\nextras=['z',\"x\"]\n\n\n"
        "source='https://example.org/plum-1.0-py3-none-any.whl'\n",
        "crlf": "extras = []\r\ndependencies = []\r\n",
        "mark": "\ufeffextras = []\n",
        "broken": "extras = [\n",
        "unknown": "zebra = 1\nextras = []\n[table]\nx = 1\n",
        "many": "[[wheel]]\nsource='https://example.org/many-1.0-py3-none-win_amd64.whl'\n"
        "# two\n[[wheel]]\nsource=['https://example.org/many-1.0-py3-none-any.whl', "
        "'file:x/many-1.0-py3-none-any.whl']\n",
    }
    made = sets.sound()
    for name, text in texts.items():
        made.file(f"declarations/{name}.toml", text)
    room.run("fmt")
    made.write(room.repo)
    for options in (
        ["--check"],
        ["--diff"],
        ["declarations/plum.toml"],
        ["declarations", "x"],
        [],
        ["--check"],
    ):
        room.run("fmt", *options)
        room.files("repo/declarations")


def old_yaks():
    made = sets.Set()
    del made.files["ipwhl.toml"]
    made.file(
        "SUPPORTED",
        "cp37 manylinux1_x86_64\ncp37 win_amd64\ncp38 manylinux1_x86_64\ncp38 win_amd64\n",
    )
    head = "# a comment of all\n"
    for number, (python, system) in enumerate(
        [("cp37", "win_amd64"), ("cp38", "win_amd64"), ("cp38", "manylinux1_x86_64")]
    ):
        abi = "cp37m" if python == "cp37" else python
        stem = f"yak-1.0-{python}-{abi}-{system}"
        text = (
            f"{head}source = 'https://example.org/{stem}.whl'\n# of {number}\n"
            "content-id = 'QmSnuWmxptJZdLJpKRarxBMS2Ju2oANVrgbr2xWbie9b2D'\n"
            f"extras = ['b', 'a']\ndependencies = ['owl>={number // 2}']\n"
        ).replace("Wbie9b2D", f"Wbie9b2{'DEF'[number]}")
        made.file(f"pkgs/25/Yak/{stem}.toml", text)
    made.file(
        "pkgs/44/owl/owl-1.0-py2.py3-none-any.toml",
        "source = 'https://example.org/owl-1.0-py2.py3-none-any.whl'\nrequires-python = '>=2.7'\n"
        "content-id = 'QmSnuWmxptJZdLJpKRarxBMS2Ju2oANVrgbr2xWbie9b2G'\n"
        "extras = []\ndependencies = []\n",
    )
    return made


@case("edit/migrate")
def _(room):
    def again(made=None):
        shutil.rmtree(room.repo)
        room.repo.mkdir()
        (made or old_yaks()).write(room.repo)

    for options in (
        [],
        ["--name", "old", "--dry-run"],
        ["--name", "old", "--output", "../new"],
        ["--name", "old"],
    ):
        again()
        room.run("migrate", *options)
        room.files("repo", "new")
        room.run("check", OFFLINE, "--message-format", "json")
    again(
        old_yaks().file(
            "ipwhl.toml",
            '# ours\n[repository]\nformat = 1\nname = "old"\nlayout = "ipwhl-1" # old\n',
        )
    )
    room.run("check", OFFLINE, "--message-format", "json")
    room.run("migrate")
    room.files("repo")
    room.run("migrate")
    again(
        old_yaks()
        .file("pkgs/25/Yak/notes", "x")
        .file("declarations/zebra.toml", "x")
        .file("pkgs/00/emu/emu-1.0-py3-none-any.toml", "x =")
    )
    room.run("migrate", "--name", "old")
    room.files("repo")


@case("edit/init")
def _(room):
    forges = ("github", "gitlab", "sourcehut", "forgejo")
    room.run("init", room.folder / "plain")
    room.run("init", room.folder / "plain")
    room.run(
        "init",
        "--name",
        "a name",
        "--python",
        "cp312",
        "--python",
        "cp313>=3.13.1",
        "--system",
        "win_amd64",
        room.folder / "named",
    )
    for forge in forges:
        room.run("init", "--ci", forge, room.folder / forge)
        room.run(
            "init",
            "--ci",
            forge,
            "--install",
            "sh tools/install-ipwhl",
            room.folder / f"{forge}-install",
        )
    room.run("init", *[word for forge in forges for word in ("--ci", forge)], room.folder / "all")
    room.run("init", "--ci", "github", room.folder / "plain")
    for install in (
        "git+https://example.org/ipwhl@0123456789012345678901234567890123456789",
        "pipx install ipwhl==1.0",
        "https://example.org/ipwhl.tar.gz#sha256=" + "0123456789abcdef" * 4,
        "https://example.org/ipwhl",
        "git+https://example.org/ipwhl",
    ):
        room.run("init", "--ci", "gitlab", "--install", install, room.folder / "install")
        room.files("install", prose=True)
        shutil.rmtree(room.folder / "install", ignore_errors=True)
    room.run("init", "--python", "nonsense", room.folder / "wrong")
    room.run("init", "--ci", "jenkins", room.folder / "wrong")
    room.run("check", OFFLINE, cwd=room.folder / "plain")
    room.files(
        "plain",
        "named",
        "all",
        "wrong",
        *forges,
        *[f"{forge}-install" for forge in forges],
        prose=True,
    )


# Smaller commands


@case("small/cid")
def _(room):
    sets.large().write(room.repo)
    (room.repo / "empty").mkdir()
    (room.repo / "link").symlink_to("ipwhl.toml")
    (room.repo / "many").mkdir()
    for number in range(3000):
        (
            room.repo
            / "many"
            / f"a file with a long name so that the folder becomes large {number:08}"
        ).touch()
    (room.repo / ".hidden").write_text("x")
    room.run("cid", ".", "wheels", "ipwhl.toml", "empty", "link", "many")
    room.run(
        "cid",
        "--all-profiles",
        ".",
        "many",
        *sorted(str(path) for path in (room.repo / "wheels").iterdir()),
    )
    for profile in ("unixfs-v1-2025", "unixfs-v0-2015", "kubo-cidv1", "other"):
        room.run("cid", "--profile", profile, "wheels", "many")
    room.run("cid", "nothing", "ipwhl.toml")


@case("small/key")
def _(room):
    for name in ("one", "two"):
        room.run("key", "show", "--key", room.key(name))
        room.run("key", "show", "--key", room.key(name) + ".pub", "--name", "somebody")
        room.run("key", "show", "--key", room.world.key(name))
    room.run("key", "show")
    room.run("key", "show", "--key", room.folder / "keys/none")
    room.run("key", "show", "--key", "ssh-ed25519 AAAA nonsense")
    # A new key is another one each time, so it is looked at for its form.
    made = subprocess.run(
        [room.program, "key", "new", "--key", room.folder / "keys/new"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        cwd=room.repo,
        env=room.environment(),
    )
    words = [len(text.splitlines()) for text in (made.stdout, made.stderr)]
    files = [
        (path.name, oct(path.stat().st_mode), len(path.read_bytes()))
        for path in sorted((room.folder / "keys").iterdir())
    ]
    room.record("key new", json.dumps([made.returncode, words, files]))
    room.run("key", "new", "--key", room.folder / "keys/one")
    room.run("key", "new", "--passphrase", "--key", room.folder / "keys/locked")


@case("small/cache")
def _(room):
    sets.large().write(room.repo)
    for chosen in ("text", "json"):
        room.run("cache", "size", "--format", chosen)
    room.run("check", "--wheels")
    for chosen in ("text", "json"):
        room.run("cache", "size", "--format", chosen)
    (room.folder / "cache/wheels/.x.partial").write_text("left")
    room.run("cache", "prune")
    room.run("cache", "clean", "library", "nothing")
    room.run("cache", "size", "--format", "json")
    for number, path in enumerate(
        sorted(path for path in (room.folder / "cache").rglob("*") if path.is_file())
    ):
        # The order of last use decides what goes.
        os.utime(path, (NOW - 5 * DAY + number, NOW - 5 * DAY + number))
    room.run("cache", "prune", "--limit", "1MiB")
    room.run("cache", "size", "--format", "json")
    room.run("cache", "prune", "--limit", "much")
    room.run("cache", "prune", "--limit", "0B", IPWHL_CACHE_LIMIT="5 GiB")
    room.run("cache", "size", "--format", "json")
    room.run("cache", "clean")
    room.files("cache")
    other = room.folder / "other"
    other.mkdir()
    (other / "a file").touch()
    room.run("cache", "clean", IPWHL_CACHE_DIR=str(other))
    room.files("other")
    inside = room.repo / "declarations"
    room.run("check", "--wheels", IPWHL_CACHE_DIR=str(inside))
    room.files("repo", skip=("wheels/",))


# The gateway


@case("serve/requests")
def _(room):
    made = workshop(room)
    room.use(made, "unsigned", "tree", "first", "second")
    (room.repo / "ipwhl.toml").write_text(sets.settings())
    with room.serve("../unsigned", "--host", "example.org") as gateway:
        gateway.ask("GET", "/")
        head, _ = gateway.ask("HEAD", "/")
        root = head.decode().lower().partition("location: ")[2].split()[0]
        files = sorted(
            path.relative_to(room.folder / "tree").as_posix()
            for path in (room.folder / "tree").rglob("*")
        )
        for path in files:
            path = path.replace("+", "%2B")
            head, _ = gateway.ask("GET", root + path)
            gateway.ask("HEAD", root + path)
            gateway.ask("GET", f"{root}{path}?format=raw")
            tag = next(
                (
                    line.partition(": ")[2]
                    for line in head.decode().splitlines()
                    if line.lower().startswith("etag")
                ),
                '"x"',
            )
            for header in (
                f"If-None-Match: {tag}",
                f"If-Match: {tag}",
                f"If-None-Match: W/{tag}, *",
                'If-Match: "other"',
            ):
                gateway.ask("GET", root + path, header)
        wheel = next(path for path in files if path.startswith("large/") and path.endswith(".whl"))
        for span in (
            "bytes=0-9",
            "bytes=-10",
            "bytes=1048570-1048580",
            "bytes=5-",
            "bytes=0-0,5-9",
            "bytes=9999999-",
            "bytes=9-3",
            "bytes=x-y",
            "items=0-1",
            "bytes=0-99999999",
        ):
            gateway.ask("GET", root + wheel, f"Range: {span}")
            gateway.ask("HEAD", root + wheel, f"Range: {span}")
            gateway.ask("GET", root + wheel, f"Range: {span}", 'If-Range: "other"')
        json_page, html_page = (
            "application/vnd.pypi.simple.v1+json",
            "application/vnd.pypi.simple.v1+html",
        )
        for accept in (
            json_page,
            html_page,
            "text/html",
            "*/*",
            "image/png",
            f"{json_page}, {html_page};q=0.1",
            "text/html;q=0",
            "application/vnd.ipld.raw",
            "application/vnd.ipld.car; version=1",
            "nonsense",
            "application/vnd.ipfs.ipns-record",
            "application/x-tar",
        ):
            for path in ("", "library/", wheel):
                gateway.ask("GET", root + path, f"Accept: {accept}")
        for query in (
            "format=raw",
            "format=car",
            "format=tar",
            "format=dag-json",
            "format=dag-cbor",
            f"format={json_page}",
            "format=text/html",
            "format=",
            "download=true&filename=x.whl",
            "format=ipns-record",
            "x=y",
            "format=car&dag-scope=all",
            "format=raw&format=car",
        ):
            gateway.ask("GET", f"{root}library/?{query}")
            gateway.ask("GET", f"{root}{wheel}?{query}")
        cid = root.split("/")[2]
        for path in (
            "/ipfs/",
            "/ipfs",
            "/ipns/x",
            f"/ipfs/{cid}",
            f"/ipfs/{cid}/library",
            f"/ipfs/{cid}/nothing",
            f"/ipfs/{cid}/library//",
            f"/ipfs/{cid}/../x",
            f"/ipfs/{cid}/%2e%2e/x",
            f"/ipfs/{cid}/library/%2F",
            "/ipfs/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku",
            "/ipfs/nonsense",
            "/favicon.ico",
            "/ipfs/" + cid.upper(),
            "/%ff",
            "/a%00b",
            "*",
            "//",
            f"/ipfs/{cid}/library/declaration.toml/x",
            "http://example.org/",
            f"http://other.example.org/ipfs/{cid}/",
        ):
            for method in ("GET", "HEAD"):
                gateway.ask(method, path)
        for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "NONSENSE"):
            gateway.ask(method, root)
        for host in (
            "example.org",
            "localhost:8503",
            "other.example.org",
            "192.0.2.1",
            "[::1]:80",
            "a b",
        ):
            gateway.ask("GET", root + "library/", host=host)
        for request in (
            b"nonsense\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nA b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
        ):
            gateway.send(request, repr(request[:80]))


@case("serve/releases")
def _(room):
    room.use(workshop(room), "unsigned", "hollow", "delta", "first")
    (room.repo / "ipwhl.toml").write_text(sets.settings())
    with room.serve("../hollow/release.hollow.car") as gateway:
        head, _ = gateway.ask("HEAD", "/")
        root = head.decode().lower().partition("location: ")[2].split()[0]
        gateway.ask("GET", root)
        gateway.ask("GET", f"{root}library/")
        gateway.ask("GET", f"{root}library/library-2.2-py3-none-any.whl")
        gateway.ask("GET", f"{root}large/large-1.0-py3-none-any.whl")
        gateway.ask("GET", f"{root}large/large-1.0-py3-none-any.whl?format=raw")
    for arguments in (
        ["../delta"],
        ["../nothing"],
        ["../unsigned/release.car", "--listen", "nonsense"],
        ["../unsigned", "--host", "a b"],
        ["../unsigned", "--trusted-proxy", "x"],
    ):
        room.run("serve", *arguments)
    # Damaged below: a block that does not hash is not sent.
    archive = room.folder / "unsigned/release.car"
    data = bytearray(archive.read_bytes())
    at = data.rindex(b"size = 2500000")
    data[at] ^= 1
    archive.write_bytes(data)
    with room.serve("../unsigned") as gateway:
        head, _ = gateway.ask("HEAD", "/")
        root = head.decode().lower().partition("location: ")[2].split()[0]
        gateway.ask("GET", f"{root}library/")
        gateway.ask("GET", f"{root}large/large-1.0-py3-none-any.whl", "Range: bytes=0-10")


# Damage


def damaged(room, path, seed, count, work):
    data = path.read_bytes()
    for number, copy in enumerate(sets.damages(data, seed, count)):
        path.write_bytes(copy)
        work(f"{seed} {number}")
    path.write_bytes(data)


def small_release(room):
    def make(room):
        sets.sound().configure(trusting(room.world, "one")).write(room.repo)
        room.run("build", "--key", room.key(), expect=0)
        room.run("hollow", "release", expect=0)

    room.use(room.world.made("small", make), "repo")


@case("damage/archive")
def _(room):
    small_release(room)

    def work(note):
        room.run("verify", "release/release.car", note=note)
        room.run("diff", "release", "--format", "json", "--members", "none", note=note)

    damaged(room, room.repo / "release/release.car", "archive", 30, work)


@case("damage/archive-in-use")
def _(room):
    small_release(room)

    def work(note):
        room.run("hollow", "release", "--output", "hollow.car", note=note)
        room.run("build", "--root-only", "--reuse", "release", note=note)
        room.run(
            "fill",
            "release/release.hollow.car",
            "--from",
            "release/release.car",
            "--output",
            "f.car",
            note=note,
        )
        room.files("repo/hollow.car", "repo/f.car")
        for name in ("hollow.car", "f.car"):
            (room.repo / name).unlink(missing_ok=True)

    damaged(room, room.repo / "release/release.car", "use", 12, work)


@case("damage/hollow")
def _(room):
    small_release(room)

    def work(note):
        room.run("verify", "release/release.hollow.car", note=note)
        room.run(
            "fill", "release/release.hollow.car", "--output", "f.car", "--from", "wheels", note=note
        )
        room.files("repo/f.car")
        (room.repo / "f.car").unlink(missing_ok=True)

    damaged(room, room.repo / "release/release.hollow.car", "hollow", 20, work)


@case("damage/statement")
def _(room):
    small_release(room)

    def work(note):
        room.run("verify", "release", "--statement", "release/release.toml", note=note)
        room.run(
            "build",
            "--key",
            room.key(),
            "--renew",
            "--output",
            "other",
            "--previous",
            "release/release.toml",
            note=note,
        )
        room.run("sign", "release/release.toml", "--key", room.key(), note=note)
        shutil.rmtree(room.repo / "other", ignore_errors=True)

    statement = room.repo / "release/release.toml"
    damaged(room, statement, "statement", 25, work)
    signature = statement.with_suffix(".toml.sig")
    damaged(room, signature, "signature", 15, work)


@case("damage/wheel")
def _(room):
    def work(copy, note):
        wheel = sets.damson(edit=lambda _: copy)
        room.write(sets.sound().project(wheel, automatic=True))
        room.run("check", "--wheels", "--message-format", "json", note=note)

    for number, copy in enumerate(sets.damages(sets.damson().bytes, "wheel", 40)):
        work(copy, str(number))
    for number, copy in enumerate(sets.damages(sets.damson().bytes, "wheel", 5)):
        # The declaration is still that of the sound one.
        room.write(sets.sound().file("wheels/damson-5.0.1-py3-none-any.whl", copy))
        room.run("check", "--wheels", "--message-format", "json", note=str(number))
        room.run("build", "--unsigned", note=str(number))


@case("damage/release-folder")
def _(room):
    """What a killed switch may leave, and files that are not there."""
    for gone in ("release.car", "release.toml", "release.toml.sig", "release.hollow.car"):
        small_release(room)
        (room.repo / "release" / gone).unlink()
        room.run("verify", "release", "--statement", "release/release.toml", note=gone)
        room.run("build", "--key", room.key(), "--renew", now=NOW + DAY, note=gone)
        room.run("publish", "--dry-run", note=gone)
        room.files("repo/release")
    for name in (".release.car.partial", ".release.toml.partial"):
        small_release(room)
        (room.repo / "release" / name).write_bytes(b"left by a run that was killed")
        room.run("build", "--key", room.key(), "--renew", now=NOW + DAY, note=name)
        room.files("repo/release")
