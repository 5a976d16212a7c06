"""What `ci/parity` runs both programs on: wheels, declarations and whole sets, made by code.

Everything is a function of its arguments and of fixed seeds, so each run makes the same bytes.
"""

import base64
import hashlib
import io
import json
import random
import struct
import zipfile

CHUNK = 1 << 20
PYTHONS = ["cp312", "cp313"]
SYSTEMS = ["manylinux_2_28_x86_64", "win_amd64"]
# The CID of a wheel that exists nowhere.
NO_WHEEL = "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"


def settings(name="example", pythons=PYTHONS, systems=SYSTEMS, repository="", more=""):
    return (
        f'[repository]\nformat = 1\nname = "{name}"\n{repository}\n'
        f"[platforms]\npython = {json.dumps(pythons)}\nsystem = {json.dumps(systems)}\n{more}"
    )


def noise(seed, size):
    return random.Random(seed).randbytes(size)


def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def cid_text(codec, data):
    raw = bytes([1, codec, 0x12, 0x20]) + hashlib.sha256(data).digest()
    return raw, "b" + base64.b32encode(raw).decode().lower().rstrip("=")


def cid(data):
    """The CID of a file of less than a thousand chunks under the profile `unixfs-v1-2025`."""
    if len(data) <= CHUNK:
        return cid_text(0x55, data)[1]
    chunks = [data[start : start + CHUNK] for start in range(0, len(data), CHUNK)]

    def field(number, value):
        return varint(number << 3 | 2) + varint(len(value)) + value

    links = b"".join(
        field(2, field(1, cid_text(0x55, chunk)[0]) + field(2, b"") + b"\x18" + varint(len(chunk)))
        for chunk in chunks
    )
    unixfs = b"\x08\x02\x18" + varint(len(data))
    unixfs += b"".join(b"\x20" + varint(len(chunk)) for chunk in chunks)
    return cid_text(0x70, links + field(1, unixfs))[1]


class Wheel:
    """A wheel: its file name and its bytes, right in everything that is not given otherwise."""

    def __init__(
        self,
        name,
        version,
        tag="py3-none-any",
        requires=(),
        extras=(),
        python=None,
        members=None,
        metadata=None,
        wheel_file=None,
        without=(),
        record=None,
        dist_info=None,
        edit=None,
        stored=False,
    ):
        self.name, self.version = name, version
        stem = name.replace("-", "_").replace(".", "_")
        self.file_name = f"{stem}-{version}-{tag}.whl"
        self.requires, self.extras, self.python = list(requires), list(extras), python
        folder = (dist_info or f"{stem}-{version}") + ".dist-info"
        if metadata is None:
            lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
            lines += [f"Requires-Python: {python}"] if python else []
            lines += [f"Provides-Extra: {extra}" for extra in extras]
            lines += [f"Requires-Dist: {requirement}" for requirement in requires]
            metadata = "\n".join(lines) + "\n\n"
        if wheel_file is None:
            pure = "true" if tag.endswith("none-any") else "false"
            pythons, abis, systems = tag.split("-")
            wheel_file = (
                f"Wheel-Version: 1.0\nGenerator: parity\nRoot-Is-Purelib: {pure}\n"
                + "".join(
                    f"Tag: {one}-{abi}-{system}\n"
                    for one in pythons.split(".")
                    for abi in abis.split(".")
                    for system in systems.split(".")
                )
            )
        files = dict(members if members is not None else {f"{stem.lower()}.py": f"'{name}'\n"})
        files[f"{folder}/METADATA"] = metadata
        files[f"{folder}/WHEEL"] = wheel_file
        files = {
            path: text.encode() if isinstance(text, str) else text
            for path, text in files.items()
            if path.rpartition("/")[2] not in without
        }
        rows = [
            [path, "sha256=" + url_safe(hashlib.sha256(data).digest()), str(len(data))]
            for path, data in files.items()
        ]
        rows.append([f"{folder}/RECORD", "", ""])
        if record:
            record(rows)
        if "RECORD" not in without:
            files[f"{folder}/RECORD"] = "".join(",".join(row) + "\n" for row in rows).encode()
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for path, data in files.items():
                entry = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
                entry.external_attr = 0o100644 << 16
                # Its bytes must not change with the version of a compressor.
                entry.compress_type = zipfile.ZIP_STORED
                if not stored and len(data) > 40:
                    entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, data)
        self.metadata = files.get(f"{folder}/METADATA", b"")
        self.bytes = edit(out.getvalue()) if edit else out.getvalue()

    def keys(self, **changes):
        """The keys of its declaration as TOML; `None` leaves one out, `_` stands for a hyphen."""
        keys = {
            "source": json.dumps(f"file:wheels/{self.file_name}"),
            "content-id": f'"{cid(self.bytes)}"',
            "requires-python": json.dumps(self.python) if self.python else None,
            "extras": json.dumps(self.extras),
            "dependencies": json.dumps(self.requires),
            "sha256": f'"{hashlib.sha256(self.bytes).hexdigest()}"',
            "size": str(len(self.bytes)),
        }
        keys.update({key.replace("_", "-"): value for key, value in changes.items()})
        return "".join(f"{key} = {value}\n" for key, value in keys.items() if value is not None)


def url_safe(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def declaration(wheels, automatic=False, **changes):
    head = "automatic = true\n" if automatic else ""
    if len(wheels) == 1:
        return wheels[0].keys(**changes) + head
    return head + "".join("\n[[wheel]]\n" + wheel.keys(**changes) for wheel in wheels)


class Set:
    """A repository to be: files by path. Projects can be replaced one by one."""

    def __init__(self, configuration=None):
        self.files = {"ipwhl.toml": configuration or settings()}

    def project(self, *wheels, automatic=False, hosted=True, **changes):
        name = wheels[0].name.lower().replace("_", "-").replace(".", "-")
        self.files[f"declarations/{name}.toml"] = declaration(wheels, automatic, **changes)
        for wheel in wheels if hosted else ():
            self.files[f"wheels/{wheel.file_name}"] = wheel.bytes
        return self

    def file(self, path, data):
        self.files[path] = data
        return self

    def configure(self, more):
        self.files["ipwhl.toml"] += more
        return self

    def write(self, folder):
        for path, data in self.files.items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data.encode() if isinstance(data, str) else data)


APPLE = Wheel(
    "apple",
    "1.0",
    python=">=3.8",
    extras=["juice"],
    members={"apple/__init__.py": "import banana\n"},
    requires=["banana>=2", 'cherry[pit] ; python_version >= "3.8"', 'damson ; extra == "juice"'],
)


def banana(tag):
    members = {"banana/_native.bin": f"for {tag}\n" * 50}
    return Wheel("banana", "2.1", tag, python=">=3.9", members=members)


BANANA = [
    banana("cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64"),
    banana("cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64"),
    banana("cp312-abi3-win_amd64"),
]
PIT = "damson>=5,<6 ; extra == 'pit'"
CHERRY = Wheel("cherry", "0.3", python=">=3.7", extras=["pit"], requires=[PIT])


def damson(version="5.0.1", **changes):
    changes.setdefault("members", {"damson.py": f"COLOUR = 'blue {version}'\n"})
    return Wheel("damson", version, **changes)


def sound(configuration=None):
    """Four projects without a finding, with extras, markers and native wheels."""
    made = Set(configuration).project(APPLE).project(*BANANA, automatic=True)
    return made.project(CHERRY, automatic=True).project(damson(), automatic=True)


def large():
    """A set whose wheels have one block, several blocks, and a name that has to be escaped.

    There are three of them, since a publication reads back three that it picks by chance."""
    members = {"large.py": "size = 2500000\n", "large.bin": noise("large", 2_500_000)}
    made = Set(settings(pythons=["cp312"]))
    made.project(Wheel("library", "2.1.post1", python=">=3.8"), automatic=True)
    made.project(Wheel("Native.Thing", "2.0+local.1", extras=["all"], stored=True))
    return made.project(
        Wheel("large", "1.0", members=members, requires=["library>=2"], stored=True)
    )


def large_second():
    """The release after `large`: one project is new, one has another version, one is gone."""
    made = large()
    for path in [path for path in made.files if "native" in path.lower() or "library" in path]:
        del made.files[path]
    later = {"library.py": "2\n", "start.pth": "import library\n"}
    made.project(Wheel("library", "2.2", members=later, extras=["fast"]))
    return made.project(Wheel("fig", "3.0", extras=["leaf"], requires=["library"]))


def defects(invalid):
    """A set for each code that a check may find; `invalid` has those that are one declaration."""
    example = "declarations/example.toml"
    pure = f'content-id = "{NO_WHEEL}"\nextras = []\ndependencies = []\n'
    many = [f"https://example.org/{number}/example-1.0-py3-none-any.whl" for number in range(101)]
    head = "Metadata-Version: 2.1\nName: damson\n"

    def broken(**changes):
        return sound().project(damson(**changes), automatic=True)

    def other_name(data):
        return data.replace(b"damson.py", b"plumss.py", 1)

    def other_row(rows):
        rows[0][1] = "sha256=" + "A" * 43

    old_settings = settings("old", ["cp312"], ["win_amd64"], 'layout = "ipwhl-1"\n')
    waiver = (
        '\n[[waiver]]\ncode = "{}"\nproject = "{}"\n{}reason = "see its changelog"\nexpires = {}\n'
    )
    sets = {path.stem: Set().file(example, path.read_bytes()) for path in sorted(invalid)}
    sets |= {
        "hidden-character": Set().file(
            example,
            "# reviewed \u202eyb desufer\n"
            f'source = "https://example.org/example-1.0-py3-none-any.whl"\n{pure}',
        ),
        "too-large": Set().file(example, f"source = {json.dumps(many)}\n{pure}"),
        "ignored-file": sound().file("declarations/plum.tml", "dependencies = []"),
        "content-id-mismatch": sound().project(
            damson(), automatic=True, content_id=f'"{NO_WHEEL}"', sha256=None, size=None
        ),
        "sha256-mismatch": large().project(
            Wheel("large", "1.0", members={"large.bin": noise("large", 2_500_000)}),
            sha256='"' + "0123456789abcdef" * 4 + '"',
        ),
        "size-mismatch": sound().project(damson(), automatic=True, size="97941"),
        "missing-source": sound().project(
            damson(), automatic=True, source='"file:elsewhere/damson-5.0.1-py3-none-any.whl"'
        ),
        "invalid-archive": broken(edit=other_name),
        "invalid-metadata": broken(metadata="Metadata-Version: 2.1\nName: damson\n\n"),
        "legacy-metadata": broken(metadata=head + "Version: 5.0.1\nRequires-Dist: stone>=2.*\n\n"),
        "noncanonical-place": Set(old_settings).file(
            "pkgs/45/yak/yak-1.0-py3.py2-none-any.toml",
            "source = 'https://example.org/yak-1.0-py3.py2-none-any.whl'\n"
            "content-id = 'QmSnuWmxptJZdLJpKRarxBMS2Ju2oANVrgbr2xWbie9b2D'\n"
            "extras = []\ndependencies = []\n",
        ),
        "record-mismatch": broken(record=other_row),
        "name-mismatch": broken(metadata=head.replace("damson", "plum") + "Version: 5.0.1\n\n"),
        "version-mismatch": broken(metadata=head + "Version: 5.0.2\n\n"),
        "tag-mismatch": broken(
            wheel_file="Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: cp312-none-any\n"
        ),
        "requires-python-mismatch": sound().project(
            CHERRY, automatic=True, requires_python='">=3.6"'
        ),
        "dependencies-mismatch": sound().project(
            APPLE, dependencies='["banana>=2", "cherry[pit] ; python_version >= \'3.8\'"]'
        ),
        "extras-mismatch": sound().project(APPLE, extras='["juice", "jucie"]'),
        "unsatisfied-dependency": sound().project(
            CHERRY, automatic=True, dependencies="[\"damson>=6 ; extra == 'pit'\"]"
        ),
        "missing-extra": sound().project(CHERRY, automatic=True, extras="[]", dependencies="[]"),
        "unavailable-dependency": sound().project(BANANA[0], BANANA[2], automatic=True),
        "undefined-marker": sound().project(
            CHERRY,
            automatic=True,
            dependencies="[\"damson ; extra == 'pit' and platform_machine >= 'x86'\"]",
        ),
        "expired-waiver": sound().configure(
            waiver.format(
                "unsatisfied-dependency", "cherry", 'requirement = "damson>=6"\n', "2026-11-19"
            )
        ),
        "unused-waiver": sound().configure(
            waiver.format(
                "unavailable-dependency", "apple", 'platforms = ["win_amd64"]\n', "2027-03-01"
            )
        ),
        # Findings of many stages at once.
        "several-at-once": sound()
        .project(CHERRY, automatic=True, extras="[]", dependencies='["plum", "apple>=2"]')
        .project(damson(without=["RECORD"]), sha256=None, colour='"blue"')
        .file(
            "declarations/fig.toml",
            f'source = "http://example.org/fig-1.0-py3-none-any.whl"\n{pure}',
        )
        .configure('\n[severity]\nmissing-dependency = "warning"\nunneeded = "error"\n'),
        "waived": sound()
        .project(CHERRY, automatic=True, dependencies="[\"damson>=6 ; extra == 'pit'\"]")
        .configure(
            waiver.format(
                "unsatisfied-dependency", "cherry", 'requirement = "damson>=6"\n', "2027-03-01"
            )
        ),
    }
    return sets


def broken_wheels():
    """Wheels of `damson` with one defect each, or with something rare that is none."""
    info = "damson-5.0.1.dist-info"

    def wheel(**members):
        files = {"damson.py": "COLOUR = 'blue'\n"}
        return damson(members=files | members.pop("files", {}), **members)

    def tail(data):
        return data + b"hidden"

    def comment(data):
        return data[:-2] + struct.pack("<H", 9) + b"a comment"

    tag = "Root-Is-Purelib: true\nTag: py3-none-any\n"
    later = f"Wheel-Version: 2.0\n{tag}"
    commands = "[console_scripts]\n{}\n\n[gui_scripts]\nshown = damson:show\n"
    return {
        "no-metadata": wheel(without=["METADATA"]),
        "no-wheel": wheel(without=["WHEEL"]),
        "no-record": wheel(without=["RECORD"]),
        "wheel-no-text": wheel(wheel_file=b"\xff"),
        "wheel-later": wheel(wheel_file=later),
        "wheel-old": wheel(wheel_file=later.replace("2.0", "0.1")),
        "no-tag": wheel(wheel_file="Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"),
        "renamed": wheel(dist_info="plum-5.0.1"),
        "row-lacks": wheel(record=lambda rows: rows.pop(0)),
        "row-more": wheel(record=lambda rows: rows.append(["plum.py", "", ""])),
        "no-name": wheel(metadata="Metadata-Version: 2.1\nVersion: 5.0.1\n\n"),
        "command-is-code": wheel(
            files={f"{info}/entry_points.txt": commands.format("damson = os;system('id'):x")}
        ),
        "commands": wheel(
            files={f"{info}/entry_points.txt": commands.format("damson = damson:main")}
        ),
        "interpreter": wheel(
            files={f"{info}/entry_points.txt": commands.format("python = damson:main")}
        ),
        "bytecode": wheel(files={"__pycache__/damson.cpython-312.pyc": b"\xcb\x0d\r\n\x01\0\0\0"}),
        "data": wheel(
            files={
                "damson-5.0.1.data/scripts/damson": "#!python\n",
                "damson-5.0.1.data/purelib/plum.py": "1\n",
                "damson-5.0.1.data/data/share/damson.txt": "1\n",
                "damson-5.0.1.data/headers/damson.h": "1\n",
            }
        ),
        "data-of-another": wheel(files={"plum-1.data/purelib/plum.py": "1\n"}),
        "two-places": wheel(files={"damson-5.0.1.data/purelib/damson.py": "1\n"}),
        "case": wheel(files={"Damson.py": "1\n", "con/nul.py": "2\n", "a:b": "3\n"}),
        "egg-info": wheel(files={"damson.egg-info/PKG-INFO": "1\n"}),
        "direct-url": wheel(files={f"{info}/direct_url.json": "{}"}),
        "startup": wheel(files={"damson.pth": "import os\n", "sitecustomize.py": "1\n"}),
        "upwards": wheel(files={"../plum.py": "1\n"}),
        "backslash": wheel(files={"a\\b.py": "1\n"}),
        "after-the-end": wheel(edit=tail),
        "comment": wheel(edit=comment),
        "empty": damson(edit=lambda data: b""),
        "no-archive": damson(edit=lambda data: b"<html>not found</html>"),
    }


MARKERS = [
    'sys_platform == "win32"',
    'sys_platform != "win32"',
    'python_version < "3.13"',
    'python_version >= "3.13"',
    'platform_machine == "aarch64"',
    'os_name == "posix"',
    'platform_python_implementation == "CPython" and python_full_version >= "3.11.5"',
    'platform_release >= "5"',
    'python_version not in "3.12, 3.13"',
    'implementation_name == "pypy"',
    '(sys_platform == "darwin" or os_name == "nt") and python_version > "3.11"',
]
PLATFORM_TAGS = [
    "cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64",
    "cp313-cp313-manylinux_2_28_x86_64",
    "cp312-cp312-win_amd64",
    "cp313-cp313-win_amd64",
    "cp311-abi3-macosx_11_0_arm64",
    "cp311-abi3-manylinux_2_28_aarch64",
    "cp39-abi3-win_amd64",
    "py2.py3-none-any",
]


REQUIRES_PYTHON = [">=3.8", ">=3.9,<4", ">=3.11", ">=3.12", ">=3.11.6"]


def generated(seed, count, defects=0.02, since=0):
    """A set of so many projects with everything that a graph may have: cycles, extras, markers,
    native wheels of some platforms, versions that do not fit, projects that are not there. No
    wheel exists. `since` changes some of the projects, for a comparison with the set before."""
    numbers = random.Random(f"{seed} {count}")
    later = random.Random(f"{seed} {count} {since}")
    systems = [*SYSTEMS, "macosx_12_0_arm64"]
    words = "alder birch cedar dahlia ember fern garnet hazel iris juniper kelp laurel".split()
    names = [f"{words[number % len(words)]}-{number}" for number in range(count)]
    versions = [f"{numbers.randrange(1, 9)}.{numbers.randrange(20)}" for _ in names]
    extras = [
        numbers.sample(["all", "cli", "fast", "docs"], numbers.choice([0, 0, 0, 1, 2]))
        for _ in names
    ]
    made = Set(settings(f"generated-{count}", ["cp311>=3.11.5", "cp312", "cp313"], systems))
    for number, name in enumerate(names):
        changed = since and later.random() < 0.03
        if changed and later.random() < 0.2:
            continue
        requirements = []
        for _ in range(numbers.choice([0, 1, 2, 3, 5, 8])):
            # Mostly downwards, and sometimes anywhere, which makes cycles.
            far = numbers.random() < 0.05
            other = numbers.randrange(count) if far else numbers.randrange(number // 2, number + 1)
            if other == number:
                continue
            text = names[other]
            if extras[other] and numbers.random() < 0.4:
                text += f"[{numbers.choice(extras[other])}]"
            elif numbers.random() < defects:
                text += "[lacking]"
            other_major = int(versions[other].split(".")[0])
            bad = numbers.random() < defects
            text += numbers.choice(
                [
                    "",
                    f">={other_major}",
                    f">={other_major},<{other_major + 1}",
                    f"=={versions[other]}",
                    "!=0.1",
                ]
                if not bad
                else [f">{other_major + 1}", f"<{other_major}", "===1.foo"]
            )
            marker = numbers.choice(MARKERS) if numbers.random() < 0.3 else ""
            if extras[number] and numbers.random() < 0.3:
                extra = f"extra == '{numbers.choice(extras[number])}'"
                marker = f"{extra} and ({marker})" if marker else extra
            requirements.append(f"{text} ; {marker}" if marker else text)
        if numbers.random() < defects:
            requirements.append(
                numbers.choice(
                    [
                        "nowhere>=1",
                        "nowhere ; os_name == 'nt'",
                        "away @ https://example.org/a.whl",
                        "bad=1",
                    ]
                )
            )
        if changed:
            requirements.append(
                later.choice(
                    ["nowhere", f"{names[0]}<0.1", f"{names[1]}>=0", "elsewhere ; os_name == 'nt'"]
                )
            )
        tags = ["py3-none-any"]
        if numbers.random() < 0.2:
            tags = sorted(numbers.sample(PLATFORM_TAGS, numbers.randrange(1, 5)))
        lines = [
            f'requires-python = "{numbers.choice(REQUIRES_PYTHON)}"'
            if numbers.random() < 0.5
            else "",
            f"extras = {json.dumps(sorted(extras[number]))}",
            f"dependencies = {json.dumps(requirements)}",
            "automatic = true" if number < count * 0.9 else "",
        ]
        text = "".join(line + "\n" for line in lines if line)
        for tag in tags:
            file_name = f"{name.replace('-', '_')}-{versions[number]}-{tag}.whl"
            # Of a later build, which is other bytes.
            build = f"{since}" if changed else ""
            fake = cid_text(0x55, f"{file_name}{build}".encode())[1]
            source = f"pkg:pypi/{name}@{versions[number]}?file_name={file_name}"
            text += f'\n[[wheel]]\nsource = "{source}"\ncontent-id = "{fake}"\n'
            text += f"size = {numbers.randrange(1000, 1_000_000)}\n"
        if numbers.random() < defects / 4:
            text = text.replace("extras", numbers.choice(["extra", "extras = 3\n#", "Extras"]), 1)
        made.file(f"declarations/{name}.toml", text)
    waivers = "".join(
        f'\n[[waiver]]\ncode = "{code}"\nproject = "{numbers.choice(names)}"\n'
        f'reason = "known"\nexpires = {day}\n'
        for code, day in [
            ("unsatisfied-dependency", "2027-01-01"),
            ("missing-dependency", "2026-01-01"),
            ("missing-extra", "2026-11-20"),
            ("uncovered-platform", "2026-11-21"),
        ]
        * 3
    )
    return made.configure(
        '\n[severity]\nuncovered-platform = "off"\nmissing-extra = "warning"\n' + waivers
    )


def mutations(texts, seed, count):
    """So many texts with a random change each: characters, lines, values, the end cut away."""
    numbers = random.Random(seed)
    for number in range(count):
        data = bytearray(numbers.choice(texts))
        for _ in range(numbers.choice([1, 1, 2, 4])):
            at = numbers.randrange(len(data) + 1)
            kind = numbers.randrange(6)
            if kind == 0:
                data[at : at + 1] = bytes([numbers.choice(b'"[]{}=,\n#\\ \t\0.1ax\xff\xc3')])
            elif kind == 1:
                del data[at:]
            elif kind == 2:
                del data[at : at + numbers.randrange(1, 30)]
            elif kind == 3:
                lines = bytes(data).split(b"\n")
                lines.insert(numbers.randrange(len(lines)), numbers.choice(lines))
                data = bytearray(b"\n".join(lines))
            elif kind == 4:
                data[at:at] = numbers.choice(
                    ["\u202e", "é", "日本", "\r\n", "key = 1\n", "'''", "- "]
                ).encode()
            else:
                word = numbers.choice(
                    [b"extras", b"dependencies", b"source", b"1.0", b"py3", b"example"]
                )
                other = numbers.choice([b"", b"extra", b"9.9", b"cp27", b"plum", b"size"])
                data = bytearray(bytes(data).replace(word, other, 1))
            data = data or bytearray(b"\n")
        yield number, bytes(data)


def damages(data, seed, count):
    """So many damaged copies: cut, with bits turned, with parts left out or doubled."""
    numbers = random.Random(seed)
    for _ in range(count):
        copy = bytearray(data)
        kind = numbers.randrange(5)
        # The head of a file is what most decisions hang from.
        at = numbers.randrange(min(len(copy), numbers.choice([64, 1024, len(copy)])))
        if kind == 0:
            del copy[at:]
        elif kind == 1:
            del copy[at : at + numbers.randrange(1, 64)]
        elif kind == 2:
            copy[at:at] = copy[at : at + numbers.randrange(1, 64)]
        else:
            copy[at] ^= 1 << numbers.randrange(8)
        yield bytes(copy)
