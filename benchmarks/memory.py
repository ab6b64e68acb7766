"""What very large data costs in memory: the peak of each command, on a directory of very many files or a large file.

`python benchmarks/memory.py [--write] [FILES ...]` (100,000 and 1,000,000 where none are given) measures directories,
`--large GIB ...` files of so many GiB instead; each command is a process of its own, on a project made for it. First
the files of a directory are nowhere, and known from their listing alone; then all of them are made and added, and are
in the workspace, the cache and the remote. A large file takes three times its size of disk for a while. With
`--write` the table goes into docs/performance.md.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness import clean_environ, machine
from projects import RETRAIN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NOWHERE = {
    "`plan`": ("plan", "--json"),
    "`push --check`": ("push", "--check"),
    "`status`": ("status",),
    "`status --cloud`": ("status", "--cloud"),
    "`status --cloud --json`": ("status", "--cloud", "--json"),
    "`push --check --json`": ("push", "--check", "--json"),
    "`diff`, all modified": ("diff", "HEAD~2", "HEAD"),
    "`diff --json`, all modified": ("diff", "--json", "HEAD~2", "HEAD"),
    "`diff`, nothing in common": ("diff", "HEAD~3", "HEAD"),
    "`diff --json`, nothing in common": ("diff", "--json", "HEAD~3", "HEAD"),
    "`diff`, all renamed": ("diff", "HEAD~4", "HEAD"),
    "`diff` with a workspace that lacks all": ("diff",),
    "`fetch` of what is nowhere": ("fetch",),
}
ADD = "`repro`: hash and add"
THERE = {
    "`plan`, hashing all of it": ("plan", "--json"),
    "`status`, all there": ("status",),
    "`push`, nothing to push": ("push",),
    "`push --check`, all there": ("push", "--check"),
    "`pull`, all there": ("pull",),
    "`status --cloud`, all there": ("status", "--cloud"),
    "`gc`, nothing to remove": ("gc", "--workspace", "--dry"),
    "`gc --cloud`, nothing to remove": ("gc", "--workspace", "--cloud", "--dry"),
    "`verify` of all of it": ("verify", "data.dvc"),
    "`diff` of two commits": ("diff", "HEAD~1", "HEAD"),
    "`gate`, comparing two commits": ("gate", "--base", "HEAD~1"),
}
GROWN = {
    "`status`, 100,000 grown to 64 KiB": ("status",),
    "`status`, those remembered": ("status",),
}
LARGE = {
    "`repro`: hash and add": ("repro",),
    "`push`": ("push",),
    "`fetch`": ("fetch",),
    "`checkout`": ("checkout",),
}
PIPELINE = """\
stages:
  one:
    cmd: ls data > out
    deps: [data]
    outs: [out]
metrics: [metrics.json]
"""
GIT = ("git", "-c", "user.name=b", "-c", "user.email=b@example.com")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into docs/performance.md")
    parser.add_argument("--large", action="store_true", help="sizes are of single files, in GiB")
    parser.add_argument("sizes", nargs="*", type=lambda text: int(text.replace(",", "")))
    asked = parser.parse_args()
    measured = large(asked.sizes or [1, 2, 8]) if asked.large else directories(asked.sizes or [100_000, 1_000_000])
    lines = [f"| {'GiB' if asked.large else 'files'} | command | CPU, s | peak MiB |", "|---|---|---|---|"]
    for line in measured:
        lines.append(line)
        print(line, flush=True)
    if asked.write:
        import page  # noqa: PLC0415 - what this process takes, those that it starts have taken too

        page.write("memory-large" if asked.large else "memory", f"{machine()}.\n\n" + "\n".join(lines))


def directories(sizes: list[int]) -> Iterator[str]:
    """Measure directories of so many files."""
    for count in sizes:
        with tempfile.TemporaryDirectory() as folder:
            root = project(Path(folder), count)
            for name, command in NOWHERE.items():
                yield row(f"{count:,}", name, root, command)
            make(root.parent, count)
            yield row(f"{count:,}", ADD, adding(root), ("repro",))
            link(root, count)
            for name, command in THERE.items():
                yield row(f"{count:,}", name, root, command)
            grow(root)
            for name, command in GROWN.items():
                yield row(f"{count:,}", name, root, command)


def large(sizes: list[int]) -> Iterator[str]:
    """Measure files of so many GiB."""
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder) / "root"
            begin(root)
            stage = f"stages:\n  one:\n    cmd: truncate -s {size}G out\n    outs: [out]\n"
            (root / "dvc.yaml").write_text(stage)
            commit(root)
            for name, command in LARGE.items():
                if command == ("fetch",):  # as on another machine
                    shutil.rmtree(root / ".dvc" / "cache")
                    (root / "out").unlink()
                yield row(str(size), name, root, command)


def project(folder: Path, count: int) -> Path:
    """Make a project whose only data is a directory of `count` files, of which there is the listing alone.

    The commit before knew another content of the first file, the one before that of all files, before that there were
    other files, and first the same ones by other names.
    """
    root = folder / "root"
    begin(root)
    (root / "dvc.yaml").write_text(PIPELINE)
    (root / "metrics.json").write_text('{"a": 1}\n')
    (root / "retrain.yaml").write_text("gates:\n  - metric: metrics.json:$.a\n    better: higher\n    at-least: 0\n")
    versions = [
        ("renamed", ((f"other-{relpath(number)}", md5_of(str(number))) for number in range(count))),
        ("others", ((f"other-{relpath(number)}", md5_of(f"other {number}")) for number in range(count))),
        ("modified", ((relpath(number), md5_of(f"modified {number}")) for number in range(count))),
        ("one", ((relpath(number), md5_of(str(number or "one"))) for number in range(count))),
        ("there", ((relpath(number), md5_of(str(number))) for number in range(count))),
    ]
    for version, rows in versions:
        listing = folder / f"listing-{version}"
        name = write_listing(listing, rows)
        for place in objects(root):
            (place / name[:2]).mkdir(parents=True, exist_ok=True)
            os.link(listing, place / name[:2] / f"{name[2:]}.dir")
        (root / "data.dvc").write_text(f"outs:\n- md5: {name}.dir\n  nfiles: {count}\n  hash: md5\n  path: data\n")
        commit(root)
    return root


def begin(root: Path) -> None:
    """Make a repository whose objects are kept in the folder beside it."""
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text(f"[core]\n    remote = r\n['remote \"r\"']\n    url = {root.parent}/remote\n")
    (root / ".dvc" / ".gitignore").write_text("/cache\n/tmp\n")
    (root / ".gitignore").write_text("/data\n/out\n")
    subprocess.run([*GIT, "init", "-q", "-b", "main"], cwd=root, check=True)


def commit(root: Path) -> None:
    """Commit everything."""
    subprocess.run([*GIT, "add", "-A"], cwd=root, check=True)
    subprocess.run([*GIT, "commit", "-qm", "w"], cwd=root, check=True)


def objects(root: Path) -> list[Path]:
    """Give where the objects are kept."""
    return [top / "files" / "md5" for top in (root / ".dvc" / "cache", root.parent / "remote")]


def write_listing(place: Path, rows: Iterable[tuple[str, str]]) -> str:
    """Write a listing as DVC does; give its md5.

    Row by row: the peak of a process that this one starts is never less than what this one takes (getrusage(2)).
    """
    digest = hashlib.md5(usedforsecurity=False)
    with place.open("wb") as file:
        before = "["
        for path, md5 in rows:
            line = f"{before}{json.dumps({'md5': md5, 'relpath': path}, sort_keys=True)}".encode()
            digest.update(line)
            file.write(line)
            before = ", "
        digest.update(b"]")
        file.write(b"]")
    return digest.hexdigest()


def md5_of(text: str) -> str:
    """Give the md5 of a file that holds `text`."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def relpath(number: int) -> str:
    """Give the path of a file in the directory, a thousand to a folder."""
    return f"part-{number // 1000:04}/{number:07}.txt"


def make(folder: Path, count: int) -> None:
    """Write the files themselves."""
    for number in range(count):
        place = folder / "source" / relpath(number)
        if not number % 1000:
            place.parent.mkdir(parents=True)
        place.write_bytes(str(number).encode())


def adding(root: Path) -> Path:
    """Make a project with the same cache, one stage of which puts the files in place: all of them are to be added."""
    added = root.parent / "added"
    begin(added)
    with (added / ".dvc" / "config").open("a") as file:
        file.write(f"[cache]\n    dir = {root}/.dvc/cache\n")
    (added / "dvc.yaml").write_text(f"stages:\n  one:\n    cmd: mv {root.parent}/source data\n    outs: [data]\n")
    commit(added)
    return added


def link(root: Path, count: int) -> None:
    """Put the files that were added in place, and link their objects into the remote."""
    (root.parent / "added" / "data").rename(root / "data")
    cache, remote = objects(root)
    for number in range(256):
        (remote / f"{number:02x}").mkdir(exist_ok=True)
    for number in range(count):
        md5 = md5_of(str(number))
        os.link(cache / md5[:2] / md5[2:], remote / md5[:2] / md5[2:])


def grow(root: Path) -> None:
    """Make files so large that their hashes are remembered, without taking any disk; wait till they have held still."""
    for number in range(100_000):
        os.truncate(root / "data" / relpath(number), 1 << 16)
    time.sleep(3)


def row(size: str, name: str, root: Path, command: tuple[str, ...]) -> str:
    """Run one command and give its row."""
    print(f"{time.strftime('%H:%M:%S')} {size} {name}", file=sys.stderr, flush=True)
    process = subprocess.Popen(
        [*RETRAIN, *command],
        cwd=root,
        env=clean_environ(root.parent),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    told = f" (exit code {process.returncode})" if process.returncode else ""
    return f"| {size} | {name}{told} | {used.ru_utime + used.ru_stime:.1f} | {used.ru_maxrss / 1024:.0f} |"


if __name__ == "__main__":
    main()
