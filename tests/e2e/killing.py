"""A project to be killed in, the points at which the runner can be killed, and what must hold afterwards.

A point is one system call of the undisturbed run that changes something below the project's place: the n-th of its
kind in its thread. strace kills the process as it enters that call.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runner.pipeline import yaml12
from tests.support.pipelines import workshop
from tests.support.tools import require

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

CALLS = (
    *(
        "openat",
        "write",
        "pwrite64",
        "fsync",
        "rename",
        "renameat",
        "renameat2",
        "link",
        "linkat",
        "unlink",
        "unlinkat",
    ),
    *("mkdir", "rmdir", "symlink", "symlinkat", "copy_file_range", "ftruncate"),
)
PIPELINE = """\
stages:
  split:
    cmd: mkdir parts && cp seed parts/x && echo more > parts/y && echo ${rate} > parts/z
    deps: [seed]
    outs: [parts]
  fit:
    cmd: cat parts/x parts/y > model && cat tail >> history
    deps: [parts, tail]
    params: [rate]
    outs:
    - model
    - history: {cache: false}
  score:
    cmd: wc -c < model > size && echo '{"size":' $(cat size) '}' > metrics.json
    deps: [model]
    outs: [size]
    metrics: [{metrics.json: {cache: false}}]
"""
TRACING = ("-f", "--seccomp-bpf")
"""Options of strace: all processes and threads, and none stops but at the calls that are asked for."""
_HARMLESS = re.compile(r"(root/\.dvc/cache|remote)/(files/md5/../[0-9a-f]{30}(\.dir)?\Z|.*\.tmp\Z)")
_OTHERWISE = re.compile(r"root/\.git/|root/\.dvc/tmp/|log|trace|(root/\.dvc/cache|remote)/retrain/times/")
"""What is never the same twice: git's index, our notes, and how long a run took."""
GATES = "gates:\n- metric: metrics.json:$.size\n  better: higher\n  at-least: 1\n"
FILES = {"seed": "seed\n", "tail": "tail\n", "params.yaml": "rate: 1 # kept\n", "retrain.yaml": GATES}


@dataclass(frozen=True)
class Point:
    """Where a run is killed: as its process or thread enters the n-th call of a kind."""

    call: str
    number: int


@dataclass(frozen=True)
class Scene:
    """What is killed.

    Attributes:
        template: a place with a project `root` and its `remote`, copied for each point.
        verb: the command line after `retrain`.
        environ: its environment.

    """

    template: Path
    verb: tuple[str, ...]
    environ: Mapping[str, str]

    def copy(self, place: Path) -> Path:
        """Give a new copy of the place, as if nothing had ever run in it."""
        return shutil.copytree(self.template, place, symlinks=True)

    def command(self) -> list[str]:
        return [sys.executable, "-I", "-m", "runner", *self.verb]

    def run(self, place: Path, *before: str) -> int:
        """Run the command in the copy, behind other words; give its exit code."""
        log = (place / "log").open("ab")
        with log:
            return subprocess.run(
                [*before, *self.command()], cwd=place / "root", env=self.environ, stdout=log, stderr=log, check=False
            ).returncode

    def points(self, place: Path) -> list[Point]:
        """Run it once undisturbed, and give every point there is."""
        trace = place / "trace"
        where = (*TRACING, "-y", "-o", str(trace), "-e", f"trace={','.join(CALLS)}")
        code = self.run(place, str(require("strace", "kills the runner")), *where)
        assert code == 0, (place / "log").read_text()
        return _points(trace.read_text(errors="replace"), str(place))

    def killed(self, place: Path, point: Point) -> int:
        """Run it, and kill it at the point; whatever it started goes on by itself."""
        inject = f"inject={point.call}:signal=KILL:when={point.number}"
        strace = str(require("strace", "kills the runner"))
        return self.run(place, strace, *TRACING, "-o", os.devnull, "-e", f"trace={point.call}", "-e", inject)

    def killed_after(self, place: Path, seconds: float) -> None:
        """Run it, and kill it after some time, unless it has ended by then."""
        with (place / "log").open("ab") as log:
            running = subprocess.Popen(self.command(), cwd=place / "root", env=self.environ, stdout=log, stderr=log)
        with suppress(subprocess.TimeoutExpired):
            running.wait(seconds)
        running.kill()
        running.wait()

    def recovers(self, place: Path, wanted: Mapping[str, str]) -> list[str]:
        """Run it again; give everything that is not as if nobody had ever been killed."""
        found = lies(place)
        code = self.run(place)
        found += [] if code == 0 else [f"exit code {code}: {(place / 'log').read_text()[-2000:]}"]
        return found + lies(place) + left_over(place) + differences(state(place), wanted)


def _points(trace: str, place: str) -> list[Point]:
    """Find the calls below `place` among all of a trace, each with its number among those of its thread."""
    counts: Counter[tuple[str, str]] = Counter()
    found: dict[Point, None] = {}
    ended = {"trace", "log"}
    for line in trace.splitlines():
        match = re.match(r"(\d+) +(\w+)\((.*)", line)
        if not match:
            continue
        thread, call, rest = match.groups()
        counts[thread, call] += 1
        changes = call != "openat" or re.search(r"O_(WRONLY|RDWR|CREAT)", rest)
        inside = re.search(re.escape(place) + r"/([\w.]+)", rest)
        if changes and inside and inside.group(1) not in ended:
            found[Point(call, counts[thread, call])] = None
    return list(found)


def made(folder: Path, verb: tuple[str, ...], environ: Mapping[str, str]) -> Scene:
    """Make the project: run once, so that outs and a lock are there, then changed, so that all has to run again."""
    shop = workshop(folder / "template", PIPELINE, FILES)
    report = shop.run(push="always")
    assert report.exit_code == 0, report
    shop.commit("Run")
    shop.put({"seed": "another\n", "tail": "other\n"})
    shop.commit("Change")
    return Scene(folder / "template", verb, environ)


LENT = """\
stages:
  split:
    cmd: cat raw/sub/x raw/y seed > parts
    deps: [raw/sub, raw/y, seed]
    outs: [parts]
  fit:
    cmd: cat parts raw/y > model && wc -c < model > size
    deps: [parts, raw/y]
    outs: [model, size]
"""


def made_lent(folder: Path, environ: Mapping[str, str]) -> Scene:
    """Make a fresh clone without data, whose stages read files of a directory, and have to run again."""
    raw = {"raw/sub/x": "x\n", "raw/y": "y\n", "raw/z": "z\n"}
    files = {"seed": "seed\n", "raw.dvc": "outs:\n- path: raw\n", ".gitignore": "/raw\n", **raw}
    shop = workshop(folder / "made", LENT, files)
    report = shop.run(push="always")
    assert report.exit_code == 0, report
    shop.put({"seed": "another\n"})
    shop.commit("Change")
    (folder / "template").mkdir()
    shop.remote.rename(folder / "template/remote")
    shop.clone("../template/root").pull("split", "fit")
    return Scene(folder / "template", ("repro",), environ)


def state(place: Path) -> dict[str, str]:
    """Give all that a finished run leaves, in the workspace, the caches and the remote: each file's digest."""
    found = {}
    for file in sorted(place.rglob("*")):
        name = str(file.relative_to(place))
        if file.is_file() and not _OTHERWISE.match(name):
            found[name] = hashlib.md5(file.read_bytes()).hexdigest()
    return found


def differences(found: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """Name what is not as after an undisturbed run.

    What may be there besides, and takes room alone: whole objects (bytes that were saved), and in caches and remotes
    temporary files, which `retrain gc` sweeps when they are old.
    """
    more = [name for name in found.keys() - wanted.keys() if not _HARMLESS.search(name)]
    return sorted([*more, *(name for name in wanted if found.get(name) != wanted[name])])


def left_over(place: Path) -> list[str]:
    """Give what a run that was killed left beside the user's files, or moved out of its place."""
    scratch = place / "root/.dvc/tmp/retrain"
    kept = [entry.name for entry in scratch.iterdir() if re.match(r"aside-|params-|left-|lent-|appended", entry.name)]
    return kept + [str(file) for file in place.glob("root/**/*.tmp") if ".dvc/" not in str(file)]


def lies(place: Path) -> list[str]:
    """Give what must never be, however a run ended: an object with other bytes, a lock that names what is nowhere."""
    found = []
    for store in (place / "root/.dvc/cache/files/md5", place / "remote/files/md5"):
        for file in store.glob("??/*"):
            name = file.parent.name + file.name.removesuffix(".dir")
            if re.fullmatch(r"[0-9a-f]{32}", name) and hashlib.md5(file.read_bytes()).hexdigest() != name:
                found.append(f"{file} has other bytes")
    entries = yaml12.parse((place / "root/dvc.lock").read_text(), "dvc.lock")["stages"].values()
    outs = [out for entry in entries for out in entry["outs"] if out["path"] in {"parts", "model", "size"}]
    kept = place / "root/.dvc/cache/files/md5"
    lost = [out for out in outs if not (kept / out["md5"][:2] / out["md5"][2:]).exists()]
    return found + [f"dvc.lock names {out['path']}, which the cache has not" for out in lost]
