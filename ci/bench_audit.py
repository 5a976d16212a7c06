"""The rows of `ci/bench` on the audit and on locks, with a set and a database that are made up.

All is a function of the numbers below:

- PROJECTS projects of three wheels each, for nine platforms. None is fetched: audits and locks read
  declarations. A project requires three later ones, one of them on some platforms only and one with an
  extra, and two later ones for its own extra.
- ENTRIES advisories in JSON, in one folder: a third are about malicious versions of other projects, and one
  in ten is about a project of the set, mostly about older versions than the declared one. Each has some
  lines of text, four references, a vector of CVSS and up to 70 single versions, 1.8 KB in all.

The rows:

- "anew" has an empty cache: each entry is read and hashed, and the index is written.
- "index cached" is the same again: the state of each file is read.
- The peer is `osv-scanner` with the same entries in an archive, and a file of requirements for the same
  versions. It has no index, so it is compared with the audit that has none either.
- "lock" writes a `pylock.toml` with an extra for each project and for each extra.
"""

import base64
import hashlib
import json
import os
import random
import shutil
import time
import zipfile
from pathlib import Path

SEED = 20261128
PROJECTS = 396
ENTRIES = 20_000
SYSTEMS = ("manylinux_2_17_x86_64", "macosx_11_0_arm64", "win_amd64")
SETTINGS = """[repository]
format = 2
name = "audit"

[platforms]
python = ["cp311", "cp312", "cp313"]
system = ["manylinux_2_28_x86_64", "macosx_12_0_arm64", "win_amd64"]
"""
VERSIONS = [f"{a}.{b}.{c}" for a in range(1, 5) for b in range(6) for c in range(3)]


def content_id(text):
    digest = hashlib.sha256(text.encode()).digest()
    return "b" + base64.b32encode(b"\x01\x55\x12\x20" + digest).decode().lower().rstrip("=")


def version(project):
    return f"5.{project % 10}.1"


def write_set(folder):
    (folder / "declarations").mkdir(parents=True)
    (folder / "ipwhl.toml").write_text(SETTINGS)
    requirements = []
    chance = random.Random(SEED)
    markers = ("", " ; sys_platform == 'win32'", "[more]", " ; extra == 'more'", " ; extra == 'more'")
    for project in range(PROJECTS):
        name, number = f"project-{project:03}", version(project)
        text = 'extras = ["more"]\ndependencies = [\n'
        for marker in markers if project + 1 < PROJECTS else ():
            text += f'    "project-{chance.randrange(project + 1, PROJECTS):03}{marker}",\n'
        text += "]\n"
        for system in SYSTEMS:
            file = f"{name.replace('-', '_')}-{number}-cp311-abi3-{system}.whl"
            source = f"pkg:pypi/{name}@{number}?file_name={file}"
            digest = hashlib.sha256(file.encode()).hexdigest()
            text += f'\n[[wheel]]\nsource = "{source}"\ncontent-id = "{content_id(file)}"\n'
            text += f'sha256 = "{digest}"\nsize = {len(file)}\n'
        (folder / "declarations" / f"{name}.toml").write_text(text)
        requirements.append(f"{name}=={number}\n")
    (folder / "requirements.txt").write_text("".join(requirements))


def entry(number, chance):
    kind = ("PYSEC", "GHSA", "MAL")[number % 3]
    is_own = number % 10 == 0 and kind != "MAL"
    name = f"project-{chance.randrange(PROJECTS):03}" if is_own else f"other-{chance.randrange(9_000)}"
    events = [{"introduced": "0"}, {"fixed": "6.0" if chance.random() < 0.01 else "4.5.2"}]
    affected = {
        "package": {"ecosystem": "PyPI", "name": name, "purl": f"pkg:pypi/{name}"},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
        "versions": VERSIONS[: chance.randrange(5, 70)],
    }
    if kind == "MAL":
        affected |= {"ranges": [], "versions": ["1.0", "1.1"]}
    return {
        "schema_version": "1.6.0",
        "id": f"{kind}-2026-{number}",
        "modified": f"2026-11-{1 + number % 20:02}T00:00:00Z",
        "published": "2026-01-01T00:00:00Z",
        "aliases": [] if kind == "MAL" else [f"CVE-2026-{number // 2}"],
        "summary": f"A vulnerability in {name} that is made up",
        "details": "Some text, as advisories have it. " * chance.randrange(4, 40),
        "references": [{"type": "WEB", "url": f"https://example.org/{number}/{one}"} for one in range(4)],
        "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
        "affected": [affected],
    }


def write_database(folder):
    """The entries as files, and as the archive where the peer looks for it."""
    chance = random.Random(SEED)
    entries = folder / "advisories"
    entries.mkdir()
    place = folder / "osv-scalibr" / "PyPI" / "all.zip"
    place.parent.mkdir(parents=True)
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(ENTRIES):
            one = entry(number, chance)
            text = json.dumps(one)
            (entries / f"{one['id']}.json").write_text(text)
            archive.writestr(f"{one['id']}.json", text)


def measure(bench, folder: Path, osv_scanner):
    if not any(bench.wanted(name) for name in NAMES):
        return
    shutil.rmtree(folder, ignore_errors=True)
    write_set(folder)
    write_database(folder)
    # No index is kept of files that have just changed.
    time.sleep(3)
    cache = folder / "cache"
    environment = dict(os.environ, IPWHL_CACHE_DIR=str(cache))
    audit = ("audit", "--offline", "--now", "2026-11-21T00:00:00Z")
    line = ("--repository", folder, *audit, "--database", folder / "advisories")
    anew = lambda: bench.ipwhl(  # noqa: E731
        *line, environment=environment, before=lambda: shutil.rmtree(cache, ignore_errors=True)
    )
    bench.alone(NAMES[0], anew(), 0.3)
    bench.alone(NAMES[1], bench.ipwhl(*line, environment=environment), 0.05)
    scan = (
        f"OSV_SCALIBR_LOCAL_DB_CACHE_DIRECTORY='{folder}' HOME='{folder}' '{osv_scanner}' scan source "
        f"--offline --format json -L 'requirements.txt:{folder}/requirements.txt' >/dev/null || [[ $? == 1 ]]"
    )
    bench.alone(NAMES[3], bench.ipwhl("--repository", folder, "lock", "-o", folder / "pylock.toml"), 0.2)
    bench.compare(NAMES[2], anew(), "osv-scanner, the same entries", bench.work(["bash", "-c", scan]), 2)


NAMES = (
    "audit of 1,188 wheels, 20,000 advisories, anew",
    "audit of 1,188 wheels, 20,000 advisories, index cached",
    "audit, anew, beside a peer",
    "audit's set: lock of 1,188 wheels, 9 platforms",
)
