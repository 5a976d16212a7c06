"""Where `ci/parity` runs a program: a folder that is made anew, one clock, one web server."""

import functools
import hashlib
import http.server
import json
import os
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
import urllib.parse
from pathlib import Path

# The present time of every run that names no other: 2026-11-20T12:00:00Z.
NOW = 1795176000
DAY = 24 * 60 * 60
PATIENCE = 300
FORMATS = ("text", "json", "sarif", "github", "gitlab", "markdown")

CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static time_t present(void) { const char *now = getenv("PARITY_NOW"); return now ? atoll(now) : 0; }

int clock_gettime(clockid_t clock, struct timespec *to) {
    static int (*next)(clockid_t, struct timespec *);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) {
        to->tv_sec = present();
        to->tv_nsec = 0;
        return 0;
    }
    if (!next) next = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    return next(clock, to);
}

int gettimeofday(struct timeval *restrict to, void *restrict zone) {
    (void)zone;
    to->tv_sec = present();
    to->tv_usec = 0;
    return 0;
}

time_t time(time_t *to) {
    time_t now = present();
    if (to) *to = now;
    return now;
}
"""


# How fast it was, and the lines that work of more than ten seconds writes meanwhile.
SPEED = re.compile(rb"[0-9.]+ (?:[KMG]i)?B/s\b|(?<= in )(?:[0-9.]+ s|[0-9]+ minutes?)\b")
MEANWHILE = re.compile(rb"(?m)^(?:verified|fetched) [0-9]+ of .*\n")
SIZE = re.compile(rb'(?<="bytes":)[0-9]+|[0-9.]+ (?:[KMG]i)?B\b')


class Skipped(Exception):
    """A case that cannot be run on this machine."""


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Web(http.server.BaseHTTPRequestHandler):
    """`/<slot>/simple/` and `/<slot>/html/` are an index, `/<slot>/files/` its wheels, and
    `/<slot>/room/` are the files of a room."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "parity", ""

    def date_time_string(self, timestamp=None):
        return "Fri, 20 Nov 2026 12:00:00 GMT"

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = urllib.parse.unquote(self.path.partition("?")[0])
        slot, _, rest = path.lstrip("/").partition("/")
        room = self.server.rooms[int(slot)]
        asked = [self.command, rest, self.headers.get("Range", ""), self.headers.get("Accept", "")]
        room["log"].append(" ".join(asked).rstrip())
        kind, _, rest = rest.partition("/")
        if kind in ("simple", "html"):
            return self.page(rest.strip("/"), kind == "html")
        data = None
        if kind == "files":
            data = self.server.files.get(rest)
        elif kind == "room":
            place = room["folder"] / rest
            if place.is_dir():
                place /= "index.html"
            data = place.read_bytes() if place.is_file() else None
        if data is None:
            return self.answer(404, b"not found\n")
        tag = '"' + hashlib.sha256(data).hexdigest() + '"'
        wanted = self.headers.get("Range", "")
        if wanted.startswith("bytes=") and self.headers.get("If-Range", tag) == tag:
            first, _, last = wanted[6:].partition("-")
            first = int(first) if first else len(data) - int(last)
            last = min(int(last) if last and wanted[6] != "-" else len(data) - 1, len(data) - 1)
            if first <= last:
                span = f"bytes {first}-{last}/{len(data)}"
                return self.answer(
                    206, data[first : last + 1], ("Content-Range", span), ("ETag", tag)
                )
        return self.answer(200, data, ("ETag", tag), ("Accept-Ranges", "bytes"))

    def page(self, project, only_html):
        wheels = self.server.index.get(project)
        if wheels is None:
            return self.answer(404, b"no such project\n")
        rows = []
        for wheel, yanked in wheels:
            rows.append(
                {
                    "filename": wheel.file_name,
                    "url": "../../files/" + urllib.parse.quote(wheel.file_name),
                    "hashes": {"sha256": hashlib.sha256(wheel.bytes).hexdigest()},
                    "size": len(wheel.bytes),
                    "requires-python": wheel.python,
                    "yanked": yanked,
                    "core-metadata": {"sha256": hashlib.sha256(wheel.metadata).hexdigest()},
                }
            )
        if not only_html and "vnd.pypi.simple.v1+json" in self.headers.get("Accept", ""):
            page = {"meta": {"api-version": "1.1"}, "name": project, "files": rows}
            kind = "application/vnd.pypi.simple.v1+json"
            return self.answer(200, json.dumps(page).encode(), ("Content-Type", kind))
        lines = ["<!DOCTYPE html><html><body>"]
        for row in rows:
            python = (row["requires-python"] or "").replace(">", "&gt;").replace("<", "&lt;")
            lines.append(
                f'<a href="{row["url"]}#sha256={row["hashes"]["sha256"]}"'
                + (f' data-requires-python="{python}"' if python else "")
                + (' data-yanked=""' if row["yanked"] else "")
                + f">{row['filename']}</a>"
            )
        return self.answer(200, "\n".join(lines).encode(), ("Content-Type", "text/html"))

    def answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """A client may go whenever it likes."""


class World:
    """What all rooms share."""

    def __init__(self, folder, source, before, slots):
        self.folder, self.source, self.before = folder, source, before
        self.lock = threading.RLock()
        self.is_closed = False
        self.kept = {}
        # Not below the project, where a room without a repository would be in the project's own.
        self.rooms = Path(tempfile.mkdtemp(prefix="parity-")).resolve()
        self.clock = folder / "clock.so"
        compiler = [os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-x", "c", "-"]
        subprocess.run([*compiler, "-o", self.clock, "-ldl"], input=CLOCK.encode(), check=True)
        self.keys = folder / "keys"
        self.keys.mkdir(mode=0o700, exist_ok=True)
        for name in ("one", "two", "three"):
            if not (self.keys / name).exists():
                make = [
                    "ssh-keygen",
                    "-q",
                    "-t",
                    "ed25519",
                    "-N",
                    "",
                    "-C",
                    name,
                    "-f",
                    self.keys / name,
                ]
                subprocess.run(make, check=True)
        if not (self.keys / "locked").exists():
            shutil.copy2(self.keys / "one", self.keys / "locked")
            make = [
                "ssh-keygen",
                "-q",
                "-p",
                "-P",
                "",
                "-N",
                "a secret",
                "-f",
                self.keys / "locked",
            ]
            subprocess.run(make, check=True, stdout=subprocess.DEVNULL)
        self.ports = [free_port() for _ in range(slots)]
        self.web = Server(("127.0.0.1", 0), Web)
        self.web.rooms, self.web.files, self.web.index = {}, {}, {}
        self.address = f"http://127.0.0.1:{self.web.server_address[1]}"
        threading.Thread(target=self.web.serve_forever, daemon=True).start()

    def key(self, name):
        return " ".join((self.keys / f"{name}.pub").read_text().split()[:3])

    def host(self, project, *wheels):
        """Offers wheels through the index; one that was yanked is a pair with the reason."""
        pairs = [wheel if isinstance(wheel, tuple) else (wheel, False) for wheel in wheels]
        self.web.index[project] = pairs
        for wheel, _ in pairs:
            self.web.files[wheel.file_name] = wheel.bytes
            self.web.files[wheel.file_name + ".metadata"] = wheel.metadata

    def made(self, name, make):
        """A folder that the program before has made, once for all cases."""
        with self.lock:
            if name not in self.kept:
                room = Room(self, f"made-{name}", self.before)
                try:
                    make(room)
                finally:
                    room.close()
                self.kept[name] = self.rooms / f"kept-{name}"
                room.folder.rename(self.kept[name])
            return self.kept[name]

    def close(self):
        self.web.shutdown()
        # Where the run was cut, a case may still be at work.
        self.is_closed = True
        for _ in range(50):
            shutil.rmtree(self.rooms, ignore_errors=True)
            if not self.rooms.exists():
                break
            time.sleep(0.1)


def value_after(arguments, *options):
    for option, value in zip(arguments, arguments[1:]):
        if option in options:
            return value
    return None


def kinds(arguments):
    """What standard output holds after such a command line, for `--without-prose`."""
    words = [word for word in arguments if not word.startswith("-")]
    command = words[0] if words else "help"
    if "--help" in arguments or "-h" in arguments or command == "help":
        return "help"
    if command in ("completions", "man"):
        return "options"
    chosen = value_after(arguments, "--message-format", "--format")
    if command == "explain":
        return "explained" if chosen == "json" else "headings"
    if chosen in ("json", "sarif", "gitlab"):
        return "json"
    if chosen in ("github", "markdown"):
        return chosen
    if "--waivers" in arguments:
        return "toml"
    if command == "show":
        return "indented"
    if command in ("publish", "verify", "cache", "serve"):
        return "prose"
    return "exact"


class Room:
    """A folder of its own for one program, which is always at the same place, and what the program
    did there: records of a name, a kind (see `without_prose`) and bytes."""

    def __init__(self, world, slot, program):
        if world.is_closed:
            raise Skipped("the run has ended")
        self.world, self.slot, self.program = world, slot, program
        self.folder = world.rooms / str(slot)
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.repo = self.folder / "repo"
        self.home = self.folder / "home"
        for folder in (self.repo, self.home):
            folder.mkdir(parents=True)
        shutil.copytree(world.keys, self.folder / "keys", copy_function=shutil.copy2)
        self.port = world.ports[slot] if isinstance(slot, int) else free_port()
        self.number = slot if isinstance(slot, int) else len(world.ports) + len(world.kept)
        world.web.rooms[self.number] = {"folder": self.folder, "log": []}
        self.url = f"{world.address}/{self.number}"
        self.records = []
        self.running = []

    def close(self):
        for process in self.running:
            if process.poll() is None:
                process.kill()
                process.wait()

    def key(self, name="one"):
        return str(self.folder / "keys" / name)

    def record(self, name, data, kind="exact"):
        data = data.encode() if isinstance(data, str) else data
        self.records.append((f"{len(self.records)} {name}", kind, data))

    def environment(self, now=NOW, **more):
        environment = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.home),
            "IPWHL_CACHE_DIR": str(self.folder / "cache"),
            "IPWHL_INDEX_URL": f"{self.url}/simple/",
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "LD_PRELOAD": str(self.world.clock),
            "PARITY_NOW": str(now),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PIP_CONFIG_FILE": "/dev/null",
            **{f"GIT_{who}_NAME": "One" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "one@example.org" for who in ("AUTHOR", "COMMITTER")},
        }
        environment.update(more)
        return {name: value for name, value in environment.items() if value is not None}

    def run(self, *arguments, cwd=None, now=NOW, kind=None, note="", expect=None, **environment):
        """Runs the program to its end and records how it ended and what it said."""
        arguments = [str(argument) for argument in arguments]
        done = subprocess.run(
            [self.program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd or self.repo,
            env=self.environment(now, **environment),
            timeout=PATIENCE,
        )
        name = " ".join(["ipwhl", *arguments])
        name = name if len(name) < 200 else name[:200] + "…"
        name = f"{note}: {name}" if note else name
        self.record(f"{name} exit", str(done.returncode))
        output = done.stdout
        if arguments[0] == "cache":
            # What is kept beside wheels has times of files in it, of more digits or fewer.
            output, done.stderr = (SIZE.sub(b"(size)", text) for text in (output, done.stderr))
        self.record(f"{name} stdout", output, kind or kinds(arguments))
        self.record(
            f"{name} stderr", SPEED.sub(b"(speed)", MEANWHILE.sub(b"", done.stderr)), "prose"
        )
        if expect is not None and done.returncode != expect:
            raise RuntimeError(f"{name}: exit code {done.returncode}\n{done.stderr.decode()}")
        return done

    def each_format(self, *arguments, formats=FORMATS, **options):
        for name in formats:
            self.run(*arguments, "--message-format", name, **options)

    def git(self, *arguments, cwd=None):
        done = subprocess.run(
            ["git", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=cwd or self.repo,
            env=self.environment(),
            check=True,
        )
        return done.stdout

    def commit(self, words="a change"):
        if not (self.repo / ".git").exists():
            self.git("init", "-q", "-b", "main")
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", words)

    def write(self, made, folder=None):
        """Writes a set, in the place of the files that were there."""
        folder = folder or self.repo
        for name in ("declarations", "wheels", "pkgs"):
            shutil.rmtree(folder / name, ignore_errors=True)
        made.write(folder)

    def use(self, made, *names):
        """Copies what another room has made."""
        for name in names:
            place = self.folder / name
            if place.is_dir():
                shutil.rmtree(place)
            if (made / name).is_dir():
                shutil.copytree(made / name, place, symlinks=True)
            else:
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(made / name, place)

    def files(self, *names, prose=False, skip=()):
        """Records every file below a folder of the room: kind, mode, hash, and short texts."""
        texts = []
        lines = []
        for name in names:
            top = self.folder / name
            paths = (
                sorted([top, *top.rglob("*")]) if top.is_dir() and not top.is_symlink() else [top]
            )
            for path in paths:
                below = path.relative_to(self.folder).as_posix()
                if ".git" in path.parts or any(part in below for part in skip):
                    continue
                if not os.path.lexists(path):
                    lines.append(f"absent {below}")
                    continue
                kind = os.lstat(path)
                mode = f"{stat.S_IMODE(kind.st_mode):o}"
                if path.is_symlink():
                    lines.append(f"link {below} -> {os.readlink(path)}")
                elif path.is_dir():
                    lines.append(f"folder {mode} {below}")
                else:
                    data = path.read_bytes()
                    is_text = len(data) < 100_000 and b"\0" not in data
                    if is_text:
                        texts.append((below, data))
                    links = f" {kind.st_nlink} links" if kind.st_nlink > 1 else ""
                    digest = f"{len(data)} {hashlib.sha256(data).hexdigest()}"
                    lines.append(f"file {mode} {below}{links}" + ("" if is_text else f" {digest}"))
        self.record(f"files of {' '.join(names)}", "\n".join(lines))
        for below, data in texts:
            kind = "exact"
            if prose:
                kind = "toml" if below.endswith((".toml", ".yml", ".gitignore")) else "prose"
            self.record(f"file {below}", data, kind)

    def requests(self):
        """Records what was asked of the web server, in the order of its words."""
        log = self.world.web.rooms[self.number]["log"]
        self.record("requests", "\n".join(sorted(log)))
        log.clear()

    def serve(self, *arguments, **environment):
        return Serving(self, [str(argument) for argument in arguments], environment)


class Serving:
    """`ipwhl serve` while a block of `with` runs."""

    def __init__(self, room, arguments, environment):
        self.room, self.port = room, room.port
        listen = [] if "--listen" in arguments else ["--listen", f"127.0.0.1:{room.port}"]
        self.command = ["serve", *arguments, *listen]
        self.environment = environment

    def __enter__(self):
        room = self.room
        self.errors = open(room.folder / "serve.log", "wb")
        self.process = subprocess.Popen(
            [room.program, *self.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            cwd=room.repo,
            env=room.environment(**self.environment),
        )
        room.running.append(self.process)
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE)
        line = self.process.stdout.readline() if ready else b"no line"
        room.record(f"ipwhl {' '.join(self.command)} line", line)
        self.address = f"http://127.0.0.1:{self.port}"
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        rest, _ = self.process.communicate(timeout=PATIENCE)
        self.errors.close()
        room = self.room
        name = f"ipwhl {' '.join(self.command)}"
        room.record(f"{name} exit", str(self.process.returncode))
        room.record(f"{name} stdout", rest, "prose")
        room.record(f"{name} stderr", (room.folder / "serve.log").read_bytes(), "prose")

    def ask(self, method, path, *headers, host="127.0.0.1"):
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close", *headers]
        return self.send(("\r\n".join(lines) + "\r\n\r\n").encode(), f"{method} {path} {headers}")

    def send(self, request, name):
        """Sends bytes and records the answer: its head as it is, its body by its status."""
        answer = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as stream:
            try:
                stream.sendall(request)
                while piece := stream.recv(1 << 16):
                    answer += piece
            except OSError:
                answer += b"(reset)"
        head, _, body = answer.partition(b"\r\n\r\n")
        name = name if len(name) < 150 else name[:150] + "…"
        fails = head.split(b" ")[1:2] >= [b"400"]
        self.room.record(f"{name} head", head.replace(b"\r\n", b"\n"), "head")
        self.room.record(f"{name} body", body, "prose" if fails else "exact")
        return head, body


@functools.cache
def help_lines(program, *command):
    done = subprocess.run([program, *command, "--help"], stdout=subprocess.PIPE, check=True)
    return done.stdout.decode().splitlines()


def commands(program, *above):
    """All commands of the program and those below them, from its own help."""
    names = []
    lines = iter(help_lines(program, *above))
    for line in lines:
        if line == "Commands:":
            break
    for line in lines:
        if not line.strip():
            break
        name = line.split()[0]
        if line.startswith("  ") and not line.startswith("   ") and name != "help":
            names.append((*above, name))
            names += commands(program, *above, name)
    return names
