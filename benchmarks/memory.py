"""What a directory of very many files costs in memory: peak of `retrain` while it plans, proves and hashes one.

`python benchmarks/memory.py [FILES ...]` (100,000 and 1,000,000 where none are given) prints a table; each command is a
process of its own, on a project made for it. The files of the larger one are never made: planning and proving know them
from their listing alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import clean_environ
from projects import RETRAIN

COMMANDS = {
    "plan": ("plan", "--json"),
    "push --check": ("push", "--check"),
}
MOST_MADE = 100_000
"""Files that are really written, for the commands that read them."""


def main() -> None:
    """Measure and print."""
    sizes = [int(text.replace(",", "")) for text in sys.argv[1:]] or [100_000, 1_000_000]
    print("| files | command | seconds | peak MiB |\n|---|---|---|---|")
    for count in sizes:
        with tempfile.TemporaryDirectory() as folder:
            root = project(Path(folder), count)
            for name, command in COMMANDS.items():
                show(count, name, root, command)
            if count <= MOST_MADE:
                make(root, count)
                show(count, "status, hashing all of it", root, ("status",))


def project(folder: Path, count: int) -> Path:
    """Make a project whose only data is a directory of `count` files, of which there is the listing alone."""
    root, remote = folder / "root", folder / "remote"
    listing = folder / "listing"
    name = write_listing(listing, count)
    for place in (remote, root / ".dvc" / "cache"):
        (place / "files" / "md5" / name[:2]).mkdir(parents=True)
        os.link(listing, place / "files" / "md5" / name[:2] / f"{name[2:]}.dir")
    (root / ".dvc" / "config").write_text(f"[core]\n    remote = r\n['remote \"r\"']\n    url = {remote}\n")
    (root / "data.dvc").write_text(f"outs:\n- md5: {name}.dir\n  nfiles: {count}\n  hash: md5\n  path: data\n")
    (root / "dvc.yaml").write_text("stages:\n  one:\n    cmd: ls data > out\n    deps: [data]\n    outs: [out]\n")
    for command in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "w")):
        identity = ("-c", "user.name=b", "-c", "user.email=b@example.com")
        subprocess.run(["git", *identity, *command], cwd=root, check=True)
    return root


def write_listing(place: Path, count: int) -> str:
    """Write a listing of `count` files as DVC does; give its md5.

    Row by row: the peak of a process that this one starts is never less than what this one takes (see getrusage(2)).
    """
    digest = hashlib.md5(usedforsecurity=False)
    with place.open("wb") as file:
        for number in range(count):
            row = json.dumps({"md5": md5_of(number), "relpath": relpath(number)}, sort_keys=True)
            line = f"{', ' if number else '['}{row}{']' if number == count - 1 else ''}".encode()
            digest.update(line)
            file.write(line)
    return digest.hexdigest()


def md5_of(number: int) -> str:
    """Give the md5 of a file in the directory."""
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


def relpath(number: int) -> str:
    """Give the path of a file in the directory, a thousand to a folder."""
    return f"part-{number // 1000:04}/{number:07}.txt"


def make(root: Path, count: int) -> None:
    """Write the files themselves."""
    for number in range(count):
        place = root / "data" / relpath(number)
        if not number % 1000:
            place.parent.mkdir(parents=True)
        place.write_bytes(str(number).encode())


def show(count: int, name: str, root: Path, command: tuple[str, ...]) -> None:
    """Run one command and print its row."""
    start = time.monotonic()
    process = subprocess.Popen(
        [*RETRAIN, *command],
        cwd=root,
        env=clean_environ(root.parent),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, _, used = os.wait4(process.pid, 0)
    peak = used.ru_maxrss / 1024
    print(f"| {count:,} | {name} | {time.monotonic() - start:.1f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
