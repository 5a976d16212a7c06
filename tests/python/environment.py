"""Makes a virtual environment from a lock file, once, and prints the folder of its programs.

    python3 environment.py LOCK FOLDER

The environment lies in FOLDER, under a name for this interpreter and the content of LOCK. Processes that
ask at the same time wait for the first. pip takes its index, proxy and certificates from its own settings.
"""

import hashlib
import pathlib
import shutil
import subprocess
import sys

try:
    import fcntl
except ImportError:  # Windows: two processes at once are not kept apart there.
    fcntl = None


def run(*command):
    # What a program prints on standard output is no answer of this script.
    subprocess.run(command, check=True, stdout=sys.stderr)


def make(place, lock):
    # What a run that was ended has left.
    shutil.rmtree(place, ignore_errors=True)
    run(sys.executable, "-I", "-m", "venv", place)
    pip = [programs(place) / "python", "-I", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    run(*pip, "install", "--no-input", "--no-deps", "--only-binary=:all:", "--require-hashes", "-r", lock)
    complete(place).touch()


def programs(place):
    return place / ("Scripts" if sys.platform == "win32" else "bin")


def complete(place):
    return place / "complete"


def main(lock, folder):
    lock = pathlib.Path(lock).resolve()
    folder = pathlib.Path(folder).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    # Scripts in an environment hold its path, so a folder that was moved has none.
    parts = [lock.read_bytes(), sys.executable.encode(), sys.version.encode(), bytes(folder)]
    key = hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]
    place = folder / f"{lock.stem}-{key}"
    with open(f"{place}.lock", "w") as guard:
        if fcntl:
            fcntl.flock(guard, fcntl.LOCK_EX)
        if not complete(place).exists():
            make(place, lock)
    print(programs(place))


try:
    main(*sys.argv[1:])
except subprocess.CalledProcessError:
    # The program has said why.
    sys.exit(1)
