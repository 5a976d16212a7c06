"""Plays as much of the interfaces of GitLab and Forgejo as the workflows use, over a folder.

`forge.py FOLDER` prints the address that it listens on. FOLDER/packages/<version>/ is a package in GitLab's registry,
FOLDER/releases/<number>/ a release of Forgejo. Where FOLDER/broken exists, every answer is 500.
"""

import json
import re
import sys
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

STATE = Path(sys.argv[1])
RELEASES = "/api/v1/repos/owner/my-wheels/releases"
PACKAGES = "/api/v4/projects/7/packages"
# What separates the numbers that GitLab gives to packages from their versions.
FIRST_ID = 1000


def releases():
    found = []
    for folder in sorted((STATE / "releases").iterdir()):
        release = json.loads((folder / "release.json").read_text())
        names = sorted(file.name for file in folder.iterdir() if file.name != "release.json")
        download = f"{ADDRESS}/owner/my-wheels/releases/download/{release['tag_name']}"
        release["assets"] = [{"name": name, "browser_download_url": f"{download}/{name}"} for name in names]
        found.append(release)
    return found


class Forge(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, status, body=b""):
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def file(self, path):
        self.answer(200, path.read_bytes()) if path.is_file() else self.answer(404)

    def refused(self):
        if (STATE / "broken").exists():
            self.answer(500)
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
        # One on a page, whatever is asked for: a server has limits of its own.
        page = int(query.get("page", "1")[0])
        if match := re.fullmatch(PACKAGES + "/generic/ipwhl-release/([0-9]+)/(.+)", path):
            self.file(STATE / "packages" / match[1] / match[2])
        elif path == PACKAGES:
            assert query["package_type"] == ["generic"]
            # A name is searched for, so others come along.
            found = [{"name": "ipwhl-release-old", "version": "99", "id": 1}]
            for folder in sorted((STATE / "packages").iterdir()):
                found.append({"name": "ipwhl-release", "version": folder.name, "id": FIRST_ID + int(folder.name)})
            self.answer(200, found[page - 1 : page])
        elif match := re.fullmatch(PACKAGES + "/([0-9]+)/package_files", path):
            folder = STATE / "packages" / str(int(match[1]) - FIRST_ID)
            found = [{"file_name": file.name} for file in sorted(folder.iterdir())]
            self.answer(200, found[page - 1 : page])
        elif path == RELEASES:
            wanted = query["draft"] == ["true"]
            found = [release for release in releases() if release["draft"] == wanted]
            self.answer(200, found[page - 1 : page])
        elif match := re.fullmatch(RELEASES + "/tags/(.+)", path):
            found = [one for one in releases() if one["tag_name"] == match[1] and not one["draft"]]
            self.answer(200, found[0]) if found else self.answer(404)
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
            (STATE / "releases" / match[1] / name).write_bytes(part.get_payload(decode=True))
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
