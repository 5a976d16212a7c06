"""Plays as much of the interfaces of GitLab and Forgejo as the workflows use, over a folder.

`forge.py FOLDER` prints the address that it listens on. FOLDER/packages/<version>/ is a package in GitLab's registry,
FOLDER/releases/<number>/ a release of Forgejo, FOLDER/requests what was asked for. Where FOLDER/broken exists, the answer
to every path that has its text is 500; where FOLDER/busy exists, the first one to each request is 429; where FOLDER/cut exists, only the first file of a
release arrives; where FOLDER/late exists, no list has the newest release yet.
"""

import json
import re
import subprocess
import sys
import zlib
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

STATE = Path(sys.argv[1])
RELEASES = "/api/v1/repos/owner/my-wheels/releases"
BRANCHES = "/api/v1/repos/owner/my-wheels/branches"
PACKAGES = "/api/v4/projects/7/packages"
# What separates the numbers that GitLab gives to packages from their versions.
FIRST_ID = 1000
ASKED = []


def releases():
    found = []
    for folder in sorted((STATE / "releases").iterdir(), key=lambda folder: int(folder.name)):
        release = json.loads((folder / "release.json").read_text())
        names = sorted(file.name for file in folder.iterdir() if file.name != "release.json")
        download = f"{ADDRESS}/owner/my-wheels/releases/download/{release['tag_name']}"
        release["assets"] = [
            {"id": zlib.crc32(name.encode()), "name": name, "browser_download_url": f"{download}/{name}"} for name in names
        ]
        found.append(release)
    return found


def listed(found):
    return found[:-1] if (STATE / "late").exists() else found


class Forge(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def file(self, path):
        self.answer(200, path.read_bytes()) if path.is_file() else self.answer(404)

    def page(self, found, page):
        """One on a page, whatever is asked for: a server has limits of its own."""
        following = str(page + 1) if page < len(found) else ""
        self.answer(200, found[page - 1 : page], [("X-Next-Page", following)])

    def refused(self):
        request = f"{self.command} {self.path}"
        is_first = request not in ASKED
        ASKED.append(request)
        (STATE / "requests").write_text("".join(f"{one}\n" for one in ASKED))
        # Without a time to wait, an asker would wait for seconds.
        later = [("Retry-After", "0")]
        broken = STATE / "broken"
        if broken.exists() and broken.read_text() in self.path:
            self.answer(500, headers=later)
        elif (STATE / "busy").exists() and is_first:
            self.answer(429, headers=later)
        elif self.headers["JOB-TOKEN"] != "job-token" and self.headers["Authorization"] != "token forge-token":
            self.answer(401)
        else:
            return False
        return True

    def do_GET(self):
        address = urlsplit(self.path)
        path, query = address.path, parse_qs(address.query)
        if self.refused():
            return
        page = int(query.get("page", "1")[0])
        if match := re.fullmatch(PACKAGES + "/generic/ipwhl-release/([0-9]+)/(.+)", path):
            self.file(STATE / "packages" / match[1] / match[2])
        elif path == PACKAGES:
            assert query["package_type"] == ["generic"]
            # A name is searched for, so others come along.
            found = [{"name": "ipwhl-release-old", "version": "99", "id": 1}]
            for folder in listed(sorted((STATE / "packages").iterdir())):
                found.append({"name": "ipwhl-release", "version": folder.name, "id": FIRST_ID + int(folder.name)})
            self.page(found, page)
        elif match := re.fullmatch(PACKAGES + "/([0-9]+)/package_files", path):
            folder = STATE / "packages" / str(int(match[1]) - FIRST_ID)
            found = [{"file_name": file.name} for file in sorted(folder.iterdir())]
            self.page(found, page)
        elif path == RELEASES:
            wanted = query["draft"] == ["true"]
            found = listed([release for release in releases() if release["draft"] == wanted])
            self.page(found, page)
        elif match := re.fullmatch(RELEASES + "/tags/(.+)", path):
            # Drafts as well: Forgejo knows a release by its tag from the moment that somebody begins it.
            found = [one for one in releases() if one["tag_name"] == match[1]]
            self.answer(200, found[0]) if found else self.answer(404)
        elif match := re.fullmatch(BRANCHES + "/(.+)", path):
            git = ["git", "--git-dir", STATE.parent / "origin.git", "rev-parse", f"refs/heads/{match[1]}"]
            commit = subprocess.run(git, check=True, capture_output=True, text=True).stdout.strip()
            self.answer(200, {"name": match[1], "commit": {"id": commit}})
        elif match := re.fullmatch("/owner/my-wheels/releases/download/([^/]+)/([^/]+)", path):
            number = [one["id"] for one in releases() if one["tag_name"] == match[1]][0]
            self.file(STATE / "releases" / str(number) / unquote(match[2]))
        else:
            self.answer(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        address = urlsplit(self.path)
        if self.refused():
            return
        if address.path == RELEASES:
            release = json.loads(body)
            if any(one["tag_name"] == release["tag_name"] for one in releases()):
                return self.answer(409)
            release["id"] = len(releases()) + 1
            folder = STATE / "releases" / str(release["id"])
            folder.mkdir()
            (folder / "release.json").write_text(json.dumps(release))
            self.answer(201, release)
        elif match := re.fullmatch(RELEASES + "/([0-9]+)/assets", address.path):
            head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
            [part] = BytesParser().parsebytes(head + body).get_payload()
            assert part.get_param("name", header="content-disposition") == "attachment"
            name = parse_qs(address.query)["name"][0]
            place = STATE / "releases" / match[1] / name
            if (STATE / "cut").exists() and len(list(place.parent.iterdir())) > 1:
                return self.answer(500)
            assert not place.exists(), "two files of one name"
            place.write_bytes(part.get_payload(decode=True))
            self.answer(201, {})
        else:
            self.answer(404)

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.refused():
            return
        match = re.fullmatch(PACKAGES + "/generic/ipwhl-release/([0-9]+)/(.+)", self.path)
        file = STATE / "packages" / match[1] / match[2]
        file.parent.mkdir(exist_ok=True)
        # What is kept stays as it is; a release without its statement was never finished.
        if (file.parent / "release.toml").exists():
            self.answer(403)
        else:
            file.write_bytes(body)
            self.answer(201, {})

    def do_DELETE(self):
        if self.refused():
            return
        number, asset = re.fullmatch(RELEASES + "/([0-9]+)/assets/([0-9]+)", self.path).groups()
        [release] = [one for one in releases() if str(one["id"]) == number]
        [name] = [one["name"] for one in release["assets"] if str(one["id"]) == asset]
        (STATE / "releases" / number / name).unlink()
        self.answer(204)

    def do_PATCH(self):
        change = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.refused():
            return
        number = re.fullmatch(RELEASES + "/([0-9]+)", self.path)[1]
        file = STATE / "releases" / number / "release.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | change))
        self.answer(200, {})


SERVER = ThreadingHTTPServer(("127.0.0.1", 0), Forge)
ADDRESS = f"http://127.0.0.1:{SERVER.server_port}"
print(ADDRESS, flush=True)
SERVER.serve_forever()
