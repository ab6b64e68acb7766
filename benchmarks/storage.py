"""What moving data costs: `retrain` against `dvc`, s5cmd and rclone; many small files, one large one; folder and S3.

`python benchmarks/storage.py` takes two hours on two quiet cores, and publishes each section of docs/performance.md
when it is complete; `--section NAME` measures one; `--quick` moves less data, once, in minutes, and writes nothing;
`--only TEXT` measures the cases whose name holds TEXT, and writes nothing.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import page
from harness import Case, Outcome, clean_environ, compare, machine, publish
from moving import SMALL, Moving
from projects import DVC, RETRAIN
from servers import BUCKET, KEYS, Counter, program, quick_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from servers import Counted

    Counting = Callable[[], AbstractContextManager[Counted]]

PAIRS = 5
_VERBS = {
    "add": "repro",
    "status, nothing known": "status",
    "status, known": "status",
    "checkout by copy": "checkout",
    "checkout by hardlink": "checkout",
    "nothing to push": "push",
    "nothing to pull": "pull",
}
NOTE = (
    "One directory of many files of 4 KiB, or one large file, made by one stage (`mv`, which costs nothing). Each "
    "side has its own project, cache and remote; the commands run in turn, each from the same state: `add` hashes "
    "the out and brings it into the cache, `push` sends all of it to an empty remote, `pull` starts without cache "
    "and workspace, `fetch` too and fills only the cache, `checkout` starts without workspace, `status` without or "
    "with what each program remembers of files. retrain hashes everything before it is sent, when it arrives and "
    "when it is put in place unless it has just been, and asks for every object when there is nothing to push; dvc "
    "does none of that. Numbers are medians with the least and the most, CPU seconds, peak memory and requests "
    "(counted in a run that was not timed) retrain / peer; ratios are medians of pairs."
)
QUICK = (
    "S3 is `benchmarks/s3server.rs` on the same machine, which keeps objects in memory, checks no signature and takes "
    "a few microseconds a request, so that it bounds nobody's wall time."
)
PACE = "s5cmd and rclone move the objects and nothing else: they neither name, hash nor place what they move."


@dataclass(frozen=True)
class Section:
    """What is moved, in which cases: so many files of so many bytes, in at least `PAIRS` pairs; a long one in one."""

    note: str
    parts: tuple[str, ...]
    count: int = 10_000
    size: int = SMALL
    is_long: bool = False


SECTIONS = {
    "storage": Section(NOTE, ("local",)),
    "storage-S3": Section(f"The same, to and from S3. {QUICK}", ("S3",)),
    "storage-directory": Section("The same, to and from a directory.", ("directory",)),
    "storage-pace": Section(f"The same, to and from S3, against other programs. {PACE} {QUICK}", ("pace",)),
    "storage-large": Section(
        f"The same with one file of 1 GiB. {PACE} {QUICK}",
        ("local", "directory", "S3", "pace"),
        1,
        1 << 30,
    ),
    "storage-long": Section(
        "The same with 100,000 files of 4 KiB, in one pair, for that takes DVC minutes: nothing ran before it, and "
        f"there is no spread. {QUICK}",
        ("local", "directory", "S3"),
        100_000,
        is_long=True,
    ),
}


def main() -> None:
    """Measure what was asked for, show it, and publish each section that is complete."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--section", choices=SECTIONS, action="append", help="only this one; all if not given")
    parser.add_argument("--quick", action="store_true", help="fewer files, 32 MiB, 1 pair; nothing written")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases with TEXT in their name; nothing written")
    parser.add_argument("--budget", type=float, default=30, metavar="SECONDS", help="time for each case, about")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what is running is ended, and what is written removed
    for name in asked.section or SECTIONS:
        section = _quick(SECTIONS[name]) if asked.quick else SECTIONS[name]
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:  # whose removal may take longer than a case
            outcomes = measured(Path(folder), section, asked.only, asked.budget, 1 if asked.quick else PAIRS)
            page.show(machine(), outcomes)
            if not (asked.quick or asked.only):
                publish(name, outcomes, section.note)


def _quick(section: Section) -> Section:
    return replace(section, count=min(section.count, 500), size=min(section.size, 32 << 20))


def measured(folder: Path, section: Section, only: str, budget: float, pairs: int) -> list[Outcome]:
    """Measure the cases of a section whose names hold `only`."""
    outcomes = []
    with quick_server(folder / "s3") as endpoint:
        counter = Counter(endpoint)
        with counter.running():
            moving = Moving(folder, environ_of(folder), endpoint, section.count, section.size)
            for case in cases(moving, counter, section):
                if only in case.name:
                    outcomes.append(compare(case, moving.environ, budget if pairs > 1 else 0, pairs))
                    print(time.strftime("%H:%M:%S"), case.name, case.peer, file=sys.stderr, flush=True)
    return outcomes


def environ_of(folder: Path) -> dict[str, str]:
    """Give the environment in which everything runs."""
    return clean_environ(folder) | KEYS


def cases(moving: Moving, counter: Counter, section: Section) -> Iterator[Case]:
    """Give the cases of a section one by one."""
    what = f"{section.count:,} files" if section.count > 1 else f"1 file of {section.size >> 20:,} MiB"
    parts = {
        "local": lambda: _local(moving, what),
        "directory": lambda: _moved(moving, f"{what}, directory", "directory", counter),
        "S3": lambda: _moved(moving, f"{what}, S3", "S3", counter),
        "pace": lambda: _paced(moving, f"{what}, S3", counter),
    }
    for part in section.parts:
        yield from (replace(case, is_long=section.is_long) for case in parts[part]())


def _local(moving: Moving, what: str) -> Iterator[Case]:
    """Give what moves nothing to a remote."""
    target = 1 if moving.count > 1 else 0
    case = partial(_case, what, None)
    yield case("add", 2.6 * target, moving.unmade)
    yield case("status, nothing known", 3 * target, moving.unknown)
    yield case("status, known", 4.5 * target, moving.in_place)
    yield case("checkout by copy", 2.8 * target, partial(moving.not_checked_out, link="copy"))
    yield case("checkout by hardlink", 8 * target, partial(moving.not_checked_out, link="hardlink"))


def _moved(moving: Moving, what: str, where: str, counter: Counter) -> Iterator[Case]:
    """Give what goes to and comes from a remote."""
    s3 = where == "S3"
    target = 1 if moving.count > 1 else 0
    counting = partial(_through, moving, counter) if s3 else None
    case = partial(_case, what, counting)
    yield case("push", (5 if s3 else 0) * target, partial(moving.unpushed, where=where))
    yield case("nothing to push", (8 if s3 else 0) * target, partial(moving.pushed, where=where))
    yield case("pull", (8 if s3 else 6) * target or 1.6 * s3, partial(moving.unpulled, where=where))
    yield case("nothing to pull", 0, partial(moving.pushed, where=where))


def _case(what: str, counting: Counting | None, verb: str, target: float, place: Callable[[str], Path]) -> Case:
    """Give a case of `retrain` and `dvc`."""
    command = _VERBS.get(verb, verb)
    return Case(f"{verb}: {what}", (*RETRAIN, command), (*DVC, command), target, place, counting=counting)


@contextmanager
def _through(moving: Moving, counter: Counter) -> Iterator[Counted]:
    """Let the projects ask through the counter inside the block."""
    direct, moving.endpoint = moving.endpoint, counter.address
    try:
        with counter.counting() as counted:
            yield counted
    finally:
        moving.endpoint = direct


def _paced(moving: Moving, what: str, counter: Counter) -> Iterator[Case]:
    """Give the same work of programs that move objects and nothing else, where they are there."""
    for name, commands in (("s5cmd", _s5cmd), ("rclone", _rclone)):
        path = program(name)
        if path is None:
            print(f"{name} is not installed (`make bench` installs it): its rows are left out")
            continue
        for verb, place in (
            ("push", partial(moving.unpushed, where="S3")),
            ("nothing to push", partial(moving.pushed, where="S3")),
            ("fetch", partial(moving.unpulled, where="S3")),
        ):
            ours = (*RETRAIN, "fetch" if verb == "fetch" else "push")
            theirs = partial(commands, path, moving, verb)
            counting = partial(_through, moving, counter)
            yield Case(f"{verb}: {what}", ours, theirs, 0, place, peer=name, counting=counting)


_HERE = ".dvc/cache/files/md5"


def _s5cmd(path: str, moving: Moving, verb: str, root: Path) -> tuple[str, ...]:
    begin = (path, "--endpoint-url", moving.endpoint, "--log", "error")
    there = f"s3://{BUCKET}/{moving.remote(root)}/files/md5/"
    if verb == "fetch":
        return (*begin, "cp", f"{there}*", f"{_HERE}/")
    return (*begin, *(("cp",) if verb == "push" else ("sync", "--size-only")), f"{_HERE}/", there)


def _rclone(path: str, moving: Moving, verb: str, root: Path) -> tuple[str, ...]:
    server = f':s3,provider=Other,env_auth=true,region=us-east-1,endpoint="{moving.endpoint}"'
    there = f"{server}:{BUCKET}/{moving.remote(root)}/files/md5"
    options = ("--config", os.devnull, "--size-only", "--transfers", "32", "--checkers", "32")
    return (path, "copy", *options, *((there, _HERE) if verb == "fetch" else (_HERE, there)))


if __name__ == "__main__":
    main()
