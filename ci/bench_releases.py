"""The rows of `ci/bench` on releases that follow one another.

The release before is the real set, but one, ten or all of its projects have other wheels: the same files
compressed anew. So the declared, checked and installed content is the same, and all blocks of these wheels
differ. To choose N projects, the set is sorted by the size of the wheels and cut into N equal parts; each
part gives the project in its middle.
"""

import contextlib
import http.server
import io
import json
import os
import re
import shutil
import subprocess
import threading
import tomllib
import zipfile
from pathlib import Path
from urllib.parse import parse_qs

# A hollow archive has pages, METADATA and inner nodes; a delta those of what it has, and its wheels.
HOLLOW_SHARE = 0.05
FASTER = 2
LESS = 20
# What is held here at once would count as a child's memory.
PIECE = 1 << 20


class Declared:
    """A project of the set: its declaration, and the wheels in the cache."""

    def __init__(self, path, cache):
        self.path = path
        self.text = path.read_text()
        read = tomllib.loads(self.text)
        wheels = read.get("wheel", [read])
        # All sources of the real set are of the index.
        self.wheels = {
            file_name(wheel["source"]): cache / "wheels" / f"{wheel['content-id']}.whl"
            for wheel in wheels
        }
        self.size = sum(wheel.stat().st_size for wheel in self.wheels.values())


def file_name(source):
    return parse_qs(source.partition("?")[2])["file_name"][0]


def changed(projects, count):
    """One project out of each of so many equal parts of the set, sorted by size."""
    by_size = sorted(projects, key=lambda project: (project.size, project.path.name))
    return [by_size[(2 * part + 1) * len(by_size) // (2 * count)] for part in range(count)]


def compressed_anew(wheel, target):
    """The same members in the same order, at another level of compression."""
    with zipfile.ZipFile(wheel) as before, zipfile.ZipFile(
        target, "w", zipfile.ZIP_DEFLATED, compresslevel=1
    ) as after:
        for member in before.infolist():
            if not member.is_dir():
                with before.open(member) as source, after.open(member.filename, "w") as copy:
                    shutil.copyfileobj(source, copy, PIECE)


def declared_as(text, files):
    """The declaration with these files as its wheels: by name, their CID, SHA-256 and size."""
    lines, current = [], None
    for line in text.splitlines():
        if line.startswith("source = "):
            name = file_name(json.loads(line.removeprefix("source = ")))
            current = files[name]
            line = f'source = "file:wheels/{name}"'
        elif match := re.match("(content-id|sha256|size) = ", line):
            line = f"{match[1]} = {json.dumps(current[match[1]])}"
        lines.append(line)
    return "\n".join(lines) + "\n"


def write_previous(folder, project, projects, count, program, environment):
    """The repository of the release before, with so many projects that are other ones."""
    (folder / "wheels").mkdir(parents=True)
    shutil.copy(project / "ipwhl.toml", folder)
    shutil.copytree(project / "declarations", folder / "declarations")
    for one in changed(projects, count):
        files = {}
        for name, wheel in one.wheels.items():
            path = folder / "wheels" / name
            compressed_anew(wheel, path)
            said = [program, "--repository", project, "cid", path]
            cid = subprocess.run(said, env=environment, check=True, capture_output=True, text=True)
            digest = subprocess.run(["sha256sum", path], check=True, capture_output=True, text=True)
            files[name] = {
                "content-id": re.search("bafk[a-z0-9]+|bafy[a-z0-9]+", cid.stdout)[0],
                "sha256": digest.stdout.split()[0],
                "size": path.stat().st_size,
            }
        (folder / "declarations" / one.path.name).write_text(declared_as(one.text, files))


class Index:
    """The wheels of the set in an index on this machine; it counts what it sends."""

    def __init__(self, projects):
        self.pages = {project.path.stem: list(project.wheels) for project in projects}
        self.files = {name: path for project in projects for name, path in project.wheels.items()}
        self.lock = threading.Lock()
        self.forget()

    def forget(self):
        self.requests = self.bytes = 0

    def count(self, size):
        with self.lock:
            self.requests += 1
            self.bytes += size

    def page(self, name):
        files = [{"filename": file, "url": f"/files/{file}", "hashes": {}} for file in self.pages[name]]
        return json.dumps({"meta": {"api-version": "1.0"}, "name": name, "files": files}).encode()

    @contextlib.contextmanager
    def serving(self):
        """Its address, as long as it is served."""
        index = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16

            def do_GET(self):
                kind, _, name = self.path.strip("/").partition("/")
                if kind == "simple" and name in index.pages:
                    page = index.page(name)
                    self.answer(io.BytesIO(page), len(page), "application/vnd.pypi.simple.v1+json")
                elif kind == "files" and name in index.files:
                    path = index.files[name]
                    with path.open("rb") as wheel:
                        self.answer(wheel, path.stat().st_size, "application/octet-stream")
                else:
                    self.send_error(404)

            def answer(self, body, size, media):
                index.count(size)
                self.send_response(200)
                self.send_header("Content-Type", media)
                self.send_header("Content-Length", str(size))
                self.end_headers()
                shutil.copyfileobj(body, self.wfile, PIECE)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/simple/"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


@contextlib.contextmanager
def gateway(program, archive, root, environment):
    """The address of a release behind this program's own gateway, as long as it runs."""
    command = [program, "serve", "--listen", "127.0.0.1:0", archive]
    child = subprocess.Popen(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    try:
        line = child.stdout.readline()
        origin = re.search(r"http://127\.0\.0\.1:[0-9]+", line)[0]
        yield f"{origin}/ipfs/{root}/"
    finally:
        child.terminate()
        child.wait()


def megabytes(size):
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{size / 1e3:.1f} kB"


def measure(bench, project, folder, cache, root):
    """The rows. `root` is the one of the set as it is."""
    program, environment = bench.options.program, bench.environment
    projects = [Declared(path, cache) for path in sorted((project / "declarations").glob("*.toml"))]
    names = {1: "one", 10: "ten", len(projects): "all"}
    rows = {count: f"release, {name} of {len(projects)} changed" for count, name in names.items()}
    reuse = "build --reuse, empty cache, one changed"
    for count, name in names.items():
        if not (bench.wanted(rows[count]) or count == 1 and bench.wanted(reuse)):
            continue
        place = folder / name
        shutil.rmtree(place, ignore_errors=True)
        write_previous(place, project, projects, count, program, environment)
        before = built(bench, place, cache)
        if before == root:
            raise bench.failed(f"the release before is the same one: {root}")
        archive = place / "release" / "release.car"
        if bench.wanted(rows[count]):
            compare_parts(bench, rows[count], changed(projects, count), archive, place)
        if count == 1:
            compare_reuse(bench, reuse, projects, archive, before, folder, root)
        shutil.rmtree(place)


def built(bench, repository, cache):
    """Builds the release before, and gives back its root. What it adds to the cache is no part of the set."""
    own = repository / "cache"
    shutil.copytree(cache, own, copy_function=os.link)
    line = ["--repository", repository, "build", "--unsigned", "--output", repository / "release"]
    environment = dict(os.environ, IPWHL_CACHE_DIR=str(own))
    return bench.text([bench.options.program, *line], environment)


def compare_parts(bench, row, other, previous, place):
    """Full, delta and hollow: how large, and how long with all facts known."""
    new = sum(project.size for project in other)
    sizes = {}
    for part in ("full", "delta", "hollow"):
        output = place / part
        line = ["build", "--unsigned", "--car", part, "--output", output]
        if part == "delta":
            line += ["--previous-car", previous]
        name = "release.car" if part == "full" else f"release.{part}.car"
        work = bench.ipwhl(*line)
        seconds = bench.median(work)
        sizes[part] = (output / name).stat().st_size
        most = {
            "full": None,
            "hollow": HOLLOW_SHARE * sizes["full"],
            "delta": new + HOLLOW_SHARE * sizes["full"],
        }[part]
        share = "" if part == "full" else f", {sizes[part] / sizes['full']:.2%} of full"
        bench.note(row, work)
        bench.row(
            f"{row}: {part}",
            seconds,
            f"its wheels: {megabytes(new)}" if part == "delta" else "",
            None,
            f"{megabytes(sizes[part])}{share}",
            f"≤ {megabytes(most)}" if most else "",
            most is None or sizes[part] <= most,
        )
        shutil.rmtree(output)


def compare_reuse(bench, row, projects, archive, before, folder, root):
    """A runner that has nothing, with an index and a gateway on this machine."""
    if not bench.wanted(row):
        return
    empty = folder / "empty-cache"
    environment = dict(os.environ, IPWHL_CACHE_DIR=str(empty))

    def forget():
        shutil.rmtree(empty, ignore_errors=True)

    index = Index(projects)
    with (
        index.serving() as index_url,
        gateway(bench.options.program, archive, before, bench.environment) as release,
    ):
        line = ["build", "--root-only", "--index-url", index_url]
        nothing = bench.ipwhl(*line, before=forget, environment=environment)
        again = [*line, "--reuse", release, "--reuse-unsigned"]
        reused = bench.ipwhl(*again, before=forget, environment=environment)
        bench.compare(f"{row}: time", reused, "from nothing", nothing, FASTER)
        # The same work, and what each of them asked for.
        fetched = {}
        for name, command in (("nothing", line), ("reuse", again)):
            forget()
            index.forget()
            done = subprocess.run(
                [bench.options.program, *command],
                env=environment,
                cwd=bench.project,
                check=True,
                capture_output=True,
                text=True,
            )
            if done.stdout.strip() != root:
                raise bench.failed(f"from {name} the root is {done.stdout.strip()}, and it is {root}")
            fetched[name] = (index.requests, index.bytes, done.stderr)
    forget()
    said = re.search(r"reused .*: ([0-9,]+) blocks, (.*) over the network", fetched["reuse"][2])
    blocks, size = said[1], in_bytes(said[2])
    ours = fetched["reuse"][1] + size
    theirs = fetched["nothing"][1]
    bench.row(
        f"{row}: transferred",
        None,
        f"from nothing: {fetched['nothing'][0]} requests, {megabytes(theirs)}",
        None,
        f"{fetched['reuse'][0]} requests, {megabytes(fetched['reuse'][1])}; "
        f"{blocks} blocks, {megabytes(size)}; {theirs / ours:.0f}× less",
        f"≥ {LESS}×",
        theirs / ours >= LESS,
    )


def in_bytes(text):
    """What `1.5 MiB` is."""
    number, unit = text.split()
    return float(number) * 1024 ** ["B", "KiB", "MiB", "GiB"].index(unit)
