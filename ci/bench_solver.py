"""The rows of `ci/bench` on the choice of versions, with an index that is made up.

    python3 ci/bench_solver.py PROJECTS

serves such an index on a free port of 127.0.0.1 until it is ended, and prints its address. A process of its
own does so, hence its share of the processors can be measured. All is a function of the numbers below:

- PROJECTS projects in VERSIONS versions, `1.0`, `2.0` and so on. One in NATIVE has a wheel for each of the
  12 platforms, the others have one for all.
- The first ROOTS projects are asked for, and reach all others: each other project is required by one whose
  number is at most half of its own. Besides that, each requires MORE projects of higher numbers.
- Version N of a project requires `>=N-5`, so new versions go with new ones. Of all requirements, EXCLUDING
  do not accept the newest version: they exclude one to three of the newest. MARKED of them hold on some
  platforms only. There is always an answer; the newest versions of all projects are none.
- Pages have digests, Requires-Python and the digest of METADATA, which is beside each wheel (PEP 658). They
  may be kept for ten minutes. Pages in JSON and HTML and all METADATA are ready before the first request;
  wheels of a kilobyte are made when they are asked for.
- Below `/before`, one project in LATER lacks its newest version.

The rows:

- "from nothing" is `ipwhl add` of the first projects, in an empty repository and with an empty cache. It
  ends with the wheels fetched, nearly four for each project here, and the declarations flushed to the disk.
- "search, empty cache" is the search alone: `ipwhl update --dry-run` of the set, as it was before LATER.
  uv resolves the same projects for all platforms, with an empty cache, too.
- "update, known set" is the same with a full cache. This program asks for all pages again. uv does not ask
  for pages that it got in the last ten minutes.
- "update --one-by-one" lists the changes of the known set, with a full cache. The bound is on the time for
  each change.
"""

import asyncio
import base64
import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import statistics
import struct
import subprocess
import sys
import time
import urllib.request
import zlib
from pathlib import Path

SEED = 20261128
SIZES = (600, 2_000)
VERSIONS = 20
ROOTS = 20
MORE = 2
NATIVE = 4
EXCLUDING = 0.10
MARKED = 0.10
LATER = 20
PYTHONS = ("cp311", "cp312", "cp313")
SYSTEMS = ("manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "macosx_12_0_arm64", "win_amd64")
MARKERS = ("sys_platform == 'win32'", "python_version < '3.13'", "sys_platform != 'darwin'")
REQUIRES_PYTHON = ">=3.9"
JSON_PAGE = "application/vnd.pypi.simple.v1+json"

FROM_NOTHING = 5.0
KNOWN_SET = 0.5
ONE_BY_ONE = 0.3


def name(number):
    return f"project-{number:04}"


def wheel_names(number, version):
    """The file names of a version's wheels."""
    if number % NATIVE:
        tags = ["py3-none-any"]
    else:
        tags = [f"{python}-{python}-{system}" for python in PYTHONS for system in SYSTEMS]
    return [f"{name(number).replace('-', '_')}-{version}.0-{tag}.whl" for tag in tags]


def requirements(projects):
    """The numbers of the projects that each one requires."""
    chance = random.Random(SEED)
    required = [[] for _ in range(projects)]
    for number in range(ROOTS, projects):
        required[chance.randint(number // 4, number // 2)].append(number)
    for number in range(projects - 1):
        for _ in range(MORE):
            other = chance.randint(number + 1, projects - 1)
            if other not in required[number]:
                required[number].append(other)
    return required


def metadata(number, version, required):
    chance = random.Random(f"{SEED} {number} {version}")
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name(number)}",
        f"Version: {version}.0",
        f"Requires-Python: {REQUIRES_PYTHON}",
    ]
    for other in required:
        specifiers = f">={max(1, version - 5)}.0"
        if chance.random() < EXCLUDING:
            specifiers += f",<{VERSIONS + 1 - chance.randint(1, 3)}.0"
        # The marker stays with the requirement from version to version.
        marks = random.Random(f"{SEED} {number} {other}")
        marker = f" ; {marks.choice(MARKERS)}" if marks.random() < MARKED else ""
        lines.append(f"Requires-Dist: {name(other)}{specifiers}{marker}")
    return ("\n".join(lines) + "\n").encode()


def wheel(file_name, text):
    """The bytes of a wheel with this METADATA. `zipfile` would take many times as long."""
    stem = "-".join(file_name.split("-")[:2])
    tag = file_name.removesuffix(".whl").split("-", 2)[2]
    pure = str(tag.endswith("-any")).lower()
    module = f"{stem.split('-')[0]}.py"
    members = [
        (module, f"TAG = {tag!r}\n".encode()),
        (f"{stem}.dist-info/METADATA", text),
        (
            f"{stem}.dist-info/WHEEL",
            f"Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: {pure}\nTag: {tag}\n".encode(),
        ),
    ]
    record = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},"
        f"{len(data)}\n"
        for path, data in members
    )
    members.append((f"{stem}.dist-info/RECORD", f"{record}{stem}.dist-info/RECORD,,\n".encode()))
    local, central, at = [], [], 0
    for path, data in members:
        path = path.encode()
        # Stored, on the first day that a ZIP file can name.
        shared = struct.pack(
            "<HHHHHIIIHH", 20, 0, 0, 0, 0x21, zlib.crc32(data), len(data), len(data), len(path), 0
        )
        piece = b"PK\3\4" + shared + path + data
        central.append(
            b"PK\1\2" + struct.pack("<H", 0x0314) + shared
            + struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, at) + path
        )
        local.append(piece)
        at += len(piece)
    entries = b"".join(central)
    end = struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(members), len(members), len(entries), at, 0)
    return b"".join(local) + entries + end


class Index:
    """The answers to all requests."""

    def __init__(self, projects):
        self.answers = {}
        self.files = {}
        self.requests = 0
        for number, required in enumerate(requirements(projects)):
            files = []
            for version in range(1, VERSIONS + 1):
                text = metadata(number, version, required)
                digest = hashlib.sha256(text).hexdigest()
                told = self.answer(text, "text/plain")
                for file_name in wheel_names(number, version):
                    data = wheel(file_name, text)
                    self.files[f"/files/{file_name}".encode()] = text
                    self.answers[f"/files/{file_name}.metadata".encode()] = told
                    files.append((version, file_name, hashlib.sha256(data).hexdigest(), len(data), digest))
            later = VERSIONS if number % LATER == LATER - 1 else VERSIONS + 1
            for folder, end in (("/simple", VERSIONS + 1), ("/before", later)):
                self.page(folder, name(number), [file for file in files if file[0] < end])

    def page(self, folder, project, files):
        listed = [
            {
                "filename": file_name,
                "url": f"/files/{file_name}",
                "hashes": {"sha256": sha256},
                "size": size,
                "requires-python": REQUIRES_PYTHON,
                "yanked": False,
                "core-metadata": {"sha256": digest},
                "upload-time": f"20{version:02}-01-01T00:00:00Z",
            }
            for version, file_name, sha256, size, digest in files
        ]
        text = json.dumps({"meta": {"api-version": "1.1"}, "name": project, "files": listed})
        links = "".join(
            f'<a href="/files/{file_name}#sha256={sha256}" data-requires-python="&gt;=3.9" '
            f'data-core-metadata="sha256={digest}">{file_name}</a>\n'
            for _, file_name, sha256, _, digest in files
        )
        path = f"{folder}/{project}/".encode()
        self.answers[path] = self.answer(text.encode(), JSON_PAGE)
        self.answers[b"html " + path] = self.answer(f"<!DOCTYPE html>\n{links}".encode(), "text/html")

    @staticmethod
    def answer(body, media):
        tag = hashlib.sha256(body).hexdigest()[:16]
        head = (
            f'HTTP/1.1 200 OK\r\nContent-Type: {media}\r\nContent-Length: {len(body)}\r\n'
            f'ETag: "{tag}"\r\nCache-Control: max-age=600\r\n\r\n'
        )
        return head.encode() + body

    def reply(self, head):
        """The whole answer to a request."""
        path = head.split(b" ", 2)[1]
        if path == b"/usage":
            usage = {"seconds": time.process_time(), "requests": self.requests}
            return self.answer(json.dumps(usage).encode(), "application/json")
        self.requests += 1
        if text := self.files.get(path):
            return self.answer(wheel(path.decode().rpartition("/")[2], text), "application/zip")
        if not path.startswith(b"/files/") and JSON_PAGE.encode() not in head:
            path = b"html " + path
        return self.answers.get(path, b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    async def serve(self):
        index = self

        class Connection(asyncio.Protocol):
            def connection_made(self, transport):
                self.transport, self.read = transport, b""

            def data_received(self, data):
                self.read += data
                while (end := self.read.find(b"\r\n\r\n")) >= 0:
                    head, self.read = self.read[:end], self.read[end + 4 :]
                    self.transport.write(index.reply(head))

        loop = asyncio.get_running_loop()
        server = await loop.create_server(Connection, "127.0.0.1", 0)
        print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
        await server.serve_forever()


@contextlib.contextmanager
def serving(projects):
    """The address of such an index, as long as it runs."""
    command = [sys.executable, __file__, str(projects)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
    try:
        yield child.stdout.readline().strip()
    finally:
        child.terminate()
        child.wait()


def usage(address):
    with urllib.request.urlopen(f"{address}/usage") as answer:
        return json.load(answer)


class Scene:
    """An index of so many projects, and a repository of all of them."""

    def __init__(self, bench, folder, projects, address, uv):
        self.bench, self.folder, self.projects, self.address = bench, folder, projects, address
        self.cache, self.uv_cache = folder / "cache", folder / "uv-cache"
        self.repository, self.used = folder / "repository", folder / "used"
        self.roots = [name(number) for number in range(ROOTS)]
        self.environment = dict(os.environ, IPWHL_CACHE_DIR=str(self.cache))
        asked = folder / "asked.txt"
        asked.write_text("\n".join(self.roots) + "\n")
        self.compile = [
            uv, "--no-config", "--cache-dir", self.uv_cache, "pip", "compile", "--universal", "--quiet",
            "--python-version", "3.11", "--only-binary", ":all:", "--no-header", "--no-annotate",
            "--index-url", f"{address}/simple/", "--output-file", folder / "compiled.txt", asked,
        ]

    def put_away(self, path):
        """Makes room without removing files: ext4 is slow to make files right after many were removed."""
        if path.exists():
            self.used.mkdir(exist_ok=True)
            path.rename(self.used / str(len(list(self.used.iterdir()))))

    def new_repository(self):
        self.put_away(self.repository)
        (self.repository / "declarations").mkdir(parents=True)
        (self.repository / "ipwhl.toml").write_text(
            '[repository]\nformat = 1\nname = "made-up"\n\n'
            f"[platforms]\npython = {json.dumps(PYTHONS)}\nsystem = {json.dumps(SYSTEMS)}\n"
        )

    def forget(self):
        self.put_away(self.cache)

    def forget_uv(self):
        self.put_away(self.uv_cache)
        self.forget_compiled()

    def forget_compiled(self):
        (self.folder / "compiled.txt").unlink(missing_ok=True)

    def ipwhl(self, *line, index="simple", before=None):
        line = self.line(*line, index=index)
        return self.bench.ipwhl(*line, before=before, environment=self.environment)

    def line(self, *line, index="simple"):
        return ["--repository", self.repository, *line, "--index-url", f"{self.address}/{index}/"]

    def changes(self):
        """The number of changes that `update --one-by-one` lists."""
        command = [self.bench.options.program, *self.line("update", "--one-by-one", "--json")]
        return len(json.loads(self.bench.text(command, self.environment))["changes"])

    def add(self, index="simple"):
        def before():
            self.new_repository()
            self.forget()

        return self.ipwhl("add", *self.roots, index=index, before=before)

    def declared(self):
        return len(list((self.repository / "declarations").iterdir()))

    def compiled(self):
        text = (self.folder / "compiled.txt").read_text()
        return len(set(re.findall(r"^project-\d+", text, re.MULTILINE)))


def share(scene, work):
    """The seconds of the index's process for each second of a work, and the number of requests."""
    before = usage(scene.address)
    seconds = work.time()
    after = usage(scene.address)
    return (after["seconds"] - before["seconds"]) / seconds, after["requests"] - before["requests"]


def compare(bench, row, ours, peer_name, peer, bound):
    """Pairs as in other rows, but the bound is on our time: the ratio is only shown."""
    ours.time(), peer.time()
    pairs = []
    for number in range(max(3, bench.options.runs // 2)):
        first, second = (ours, peer) if number % 2 == 0 else (peer, ours)
        times = {first: first.time()}
        times[second] = second.time()
        pairs.append((times[ours], times[peer]))
    seconds = statistics.median(mine for mine, _ in pairs)
    ratio = statistics.median(theirs / mine for mine, theirs in pairs)
    bench.note(row, ours)
    bench.row(
        row, seconds, peer_name, statistics.median(theirs for _, theirs in pairs),
        f"{seconds * 1000:.0f} ms, {ratio:.2f}×",
        f"≤ {bound * 1000:.0f} ms" if bound else "", not bound or seconds <= bound,
    )
    return seconds


def measure(bench, folder, uv):
    """The rows. Bounds hold for the smaller index; the larger one shows the growth."""
    rows = ("from nothing", "search, empty cache", "update, known set", "update --one-by-one")
    times = {}
    for projects in SIZES:
        names = {row: f"solver, {projects} projects: {row}" for row in rows}
        if not any(bench.wanted(row) for row in names.values()):
            continue
        is_bound = projects == SIZES[0]
        place = folder / str(projects)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        with serving(projects) as address:
            scene = Scene(bench, place, projects, address, uv)
            if bench.wanted(names["from nothing"]):
                work = scene.add()
                work.time()
                runs = [work.time() for _ in range(max(3, bench.options.runs // 2))]
                seconds = times[projects, "from nothing"] = statistics.median(runs)
                served, requests = share(scene, work)
                bench.note(names["from nothing"], work)
                bench.row(
                    names["from nothing"], seconds, f"{requests} requests; the index used {served:.0%} of it",
                    None, f"{seconds:.2f} s", f"≤ {FROM_NOTHING:.1f} s" if is_bound else "",
                    not is_bound or seconds <= FROM_NOTHING,
                )
            # The set as it was before some projects got their newest version.
            scene.add("before").time()
            if scene.declared() != projects:
                raise bench.failed(f"{scene.declared()} of {projects} projects are declared")
            # A dry run of an update asks for pages and METADATA only, as uv does.
            for row, before, before_peer, bound in (
                ("search, empty cache", scene.forget, scene.forget_uv, FROM_NOTHING),
                ("update, known set", None, scene.forget_compiled, KNOWN_SET),
            ):
                bound = bound if is_bound else None
                if bench.wanted(names[row]):
                    ours = scene.ipwhl("update", "--dry-run", before=before)
                    peer = bench.work(scene.compile, before_peer)
                    times[projects, row] = compare(
                        bench, names[row], ours, "uv pip compile --universal", peer, bound
                    )
                    if scene.compiled() != projects:
                        raise bench.failed(f"uv chose {scene.compiled()} of {projects} projects")
            row = "update --one-by-one"
            if bench.wanted(names[row]):
                work, changes = scene.ipwhl("update", "--one-by-one"), scene.changes()
                seconds = times[projects, row] = bench.median(work)
                each = seconds / changes
                bench.note(names[row], work)
                bench.row(
                    names[row], seconds, f"{changes} changes", None, f"{each * 1000:.0f} ms for each",
                    f"≤ {ONE_BY_ONE * 1000:.0f} ms" if is_bound else "",
                    not is_bound or each <= ONE_BY_ONE,
                )
        shutil.rmtree(place)
    small, large = SIZES
    for row in rows:
        if (small, row) in times and (large, row) in times:
            growth = times[large, row] / times[small, row] / (large / small)
            bench.row(
                f"solver, growth: {row}", None, f"time for each project, {large} to {small} projects",
                None, f"{growth:.2f}×", "", True,
            )


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(Index(int(sys.argv[1])).serve())
