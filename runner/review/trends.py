"""What the base branch recorded before: metrics, sizes and times over its last commits, from git and the lock.

A commit counts if it changed a metrics file, or the lock that names one: that is where a training was recorded. One
walk of `git rev-list` finds them, one `git cat-file --batch` reads them; the cost is that of the commits asked for.
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from runner.errors import ConfigError, GitError
from runner.git import fetching
from runner.git.history import mainline
from runner.pipeline import dvcfile, lock, yaml12
from runner.pipeline.shape import Page
from runner.regexes import regex
from runner.review.commit import Commit
from runner.review.measured import History, Mark, Trend
from runner.review.metrics import Unreadable, decimal, flatten
from runner.review.sides import Side
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from runner.engine.objects import Objects
    from runner.engine.project import Place
    from runner.git import Git
    from runner.pipeline.model import LockEntry, Stage
    from runner.pipeline.pipeline import Pipeline

logger = logging.getLogger("retrain")
LAST: Final = 20
"""How many commits are looked at where nobody asks for more."""
MOST_TRENDS: Final = 500
LARGEST: Final = 512 << 10
"""Bytes of a metrics file that is read for a trend alone, once a commit."""
_DEPTHS: Final = (50, 500)


@dataclass(frozen=True, slots=True)
class Moment:
    """The project at one commit of the line: its files, and what its lock said of the stages of today."""

    sha: str
    git: Git
    prefix: str
    pipeline: Pipeline | None

    def content(self, path: str) -> bytes | None:
        """Give a file's bytes; `None` where the commit has none."""
        return self.git.show(self.sha, f"{self.prefix}{path}")

    def side(self, objects: Objects | None, largest: int = 0) -> Side:
        """Give the side of a comparison that this commit is.

        Args:
            objects: where cached files are had.
            largest: bytes of a file of git beyond which it is not read; 0: whatever it takes.

        """

        def content(path: str) -> bytes | Unreadable | None:
            found = self.content(path)
            too_large = bool(largest and found) and len(found or b"") > largest
            return Unreadable("is too large to be followed over many commits") if too_large else found

        return Side(content, lambda _: (), self._weigh, self.pipeline, objects)

    def _weigh(self, path: str) -> int | None:
        content = self.content(path)
        return None if content is None else len(content)


@dataclass(frozen=True, slots=True)
class Line:
    """The last commits of a branch that recorded something, oldest first.

    Attributes:
        moments: the commits.
        note: why there are fewer than asked for; empty: there are not, or the branch has no more.

    """

    moments: tuple[Moment, ...] = ()
    note: str = ""


def line(place: Place, base: tuple[str, Side], files: Iterable[str], last: int, *, deepen: bool) -> Line:
    """Find the last commits of the base branch that recorded any of `files`.

    Args:
        place: the project's.
        base: the newest commit that counts, and its side.
        files: metrics files, outs, or addresses of stages.
        last: how many at most.
        deepen: fetch more history where a shallow clone lacks it.

    """
    (sha, side), git, prefix = base, place.git, place.prefix
    files = list(files)
    paths = [f"{prefix}{path}" for path in dict.fromkeys(_kept_in(side.pipeline, files))]
    try:
        found = mainline(git, sha, paths, last)
        if deepen and len(found) < last:
            found = _deepened(git, sha, paths, last, found)
    except GitError as error:
        return Line(note=f"the history of the base branch cannot be read: {error}")
    short = len(found) < last and git.is_shallow()
    locks = _Locks(place, side.pipeline, files)
    moments = tuple(Moment(one, git, prefix, locks.at(one)) for one in reversed(found))
    return Line(moments, "this clone is shallow, and its history ends there" if short else "")


def _kept_in(pipeline: Pipeline | None, files: Iterable[str]) -> Iterator[str]:
    """Give the files of git in which a change of `files` shows: themselves, or the lock that names their bytes."""
    named = {stage.address: stage for stage in pipeline.stages} if pipeline else {}
    for path in files:
        made = pipeline.producer(path) if pipeline else None
        if path in named:
            yield _lock_of(named[path])
        elif made and (made[1].cache or made[1].path != path):
            yield _lock_of(made[0])
        else:
            yield path


def _lock_of(stage: Stage) -> str:
    return f"{stage.file.removesuffix('dvc.yaml')}dvc.lock" if stage.name else stage.file


def _deepened(git: Git, sha: str, paths: Sequence[str], last: int, found: list[str]) -> list[str]:
    """Fetch history in steps until there is enough of it; what cannot be fetched is said by what is then lacking."""
    for depth in _DEPTHS:
        if len(found) >= last or not git.is_shallow():
            break
        try:
            fetching.deepen(git, "origin", [sha], depth)
        except GitError as error:
            logger.debug("history could not be fetched: %s", error)
            break
        found = mainline(git, sha, paths, last)
    return found


class _Locks:
    """What the lock files of commits say of some stages; the same text is read once."""

    def __init__(self, place: Place, pipeline: Pipeline | None, files: Sequence[str]) -> None:
        self._git, self._prefix, self._pipeline = place.git, place.prefix, pipeline
        self._files: dict[str, list[Stage]] = {}
        for stage in (
            (*_with_upstream(pipeline, _makers(pipeline, files)), *_tracking(pipeline, files)) if pipeline else ()
        ):
            self._files.setdefault(_lock_of(stage), []).append(stage)
        self._parsed: dict[tuple[str, str], Mapping[str, LockEntry]] = {}

    def at(self, sha: str) -> Pipeline | None:
        """Give the pipeline of today with the lock entries of a commit."""
        if self._pipeline is None:
            return None
        entries = {}
        for file, stages in self._files.items():
            text = (self._git.show(sha, f"{self._prefix}{file}") or b"").decode("utf-8", "replace")
            found = (
                (one.address, self._entry(file, text, one.name) if one.name else _said(file, text)) for one in stages
            )
            entries.update({address: entry for address, entry in found if entry})
        return replace(self._pipeline, entries=entries)

    def _entry(self, file: str, text: str, name: str) -> LockEntry | None:
        """Give one entry: from its own lines where DVC wrote them, which spares reading all of a large lock."""
        block = _block(text, name)
        found = self._read(file, f"schema: '2.0'\nstages:\n{block}") if block else {}
        other = regex(rf"^\s*[\"']?{re.escape(name)}[\"']?\s*:", re.MULTILINE)
        return found.get(name) or (self._read(file, text).get(name) if other.search(text) else None)

    def _read(self, file: str, text: str) -> Mapping[str, LockEntry]:
        """Read a lock; one that cannot be read recorded nothing."""
        if (file, text) not in self._parsed:
            try:
                self._parsed[file, text] = lock.parse(text, file).entries
            except ConfigError as error:
                logger.debug("%s of an earlier commit cannot be read: %s", file, error)
                self._parsed[file, text] = {}
        return self._parsed[file, text]


def _said(file: str, text: str) -> LockEntry | None:
    """Give what a `.dvc` file says of its data; one that was not there, or cannot be read, recorded nothing."""
    try:
        page, document = Page(file, text), yaml12.parse(text, file)
        entry = dvcfile.parse(page, document or {}, "")[1]
    except ConfigError as error:
        logger.debug("%s of an earlier commit cannot be read: %s", file, error)
        return None
    return None if page.mistakes else entry


def _makers(pipeline: Pipeline, files: Iterable[str]) -> Iterator[str]:
    yield from (_maker(pipeline, path) or path for path in files)


def _tracking(pipeline: Pipeline, files: Iterable[str]) -> list[Stage]:
    """Give the `.dvc` files that say what `files` hold."""
    made = (pipeline.producer(path) for path in files)
    return list({one[0].address: one[0] for one in made if one and not one[0].name}.values())


def _block(text: str, name: str) -> str:
    """Give the lines of a stage as DVC writes them: its name two blanks in, everything of it further; empty: none."""
    start = text.find("\nstages:\n")
    spelled = re.escape(name)
    lines = regex(rf"^  (?:{spelled}|'{spelled}'|\"{spelled}\"):\n(?:    .*\n?|[ ]*\n)+", re.MULTILINE)
    found = lines.search(text, start + 1) if start >= 0 else None
    return found.group() if found else ""


def keys(past: Mapping[str, Sequence[object]]) -> list[tuple[str, str]]:
    """Name the metrics in documents of several commits, by file and dotted key; the newest commit's first."""
    return [
        (path, key) for path, documents in past.items() for document in reversed(documents) for key in flatten(document)
    ]


def history(line_: Line, keys: Sequence[tuple[str, str]], past: Mapping[str, Sequence[object]]) -> History:
    """Give the trends of metrics over a line, and where inputs of the stages behind them changed.

    Args:
        line_: the commits.
        keys: metrics file and dotted key of each trend; those that matter first.
        past: the documents of each metrics file, one a commit.

    """
    flat = {path: [flatten(document) for document in documents] for path, documents in past.items()}
    known = [(path, key) for path, key in dict.fromkeys(keys) if path in flat][:MOST_TRENDS]
    newest = line_.moments[-1].pipeline if line_.moments else None
    trends = [Trend(path, key, _values(flat[path], key), _maker(newest, path)) for path, key in known]
    shown = [one for one in trends if any(value is not None for value in one.values)]
    return History(
        tuple(Commit(sha=one.sha, subject=one.git.subject(one.sha)) for one in line_.moments),
        tuple(shown),
        tuple(_marks(line_, {one.stage for one in shown if one.stage})),
        line_.note,
    )


def _values(documents: Sequence[Mapping[str, object]], key: str) -> tuple[float | int | None, ...]:
    found = (document.get(key) for document in documents)
    return tuple(value if decimal(value) is not None else None for value in found)  # type: ignore[misc]  # a number then


def _maker(pipeline: Pipeline | None, path: str) -> str:
    made = pipeline.producer(path) if pipeline else None
    return made[0].address if made else ""


def _marks(line_: Line, makers: Iterable[str]) -> Iterator[Mark]:
    """Say where the inputs changed of the stages that make metrics, and of all that they need."""
    newest = line_.moments[-1].pipeline if line_.moments else None
    stages = _with_upstream(newest, makers) if newest else []
    for before, after in pairwise(line_.moments):
        for stage in stages:
            inputs = _changed_inputs(stage, before.pipeline, after.pipeline)
            if inputs:
                yield Mark(stage.address, after.sha, inputs)


def _with_upstream(pipeline: Pipeline, makers: Iterable[str]) -> list[Stage]:
    wanted = set(makers)
    for stage in reversed(pipeline.in_order()):
        if stage.address in wanted:
            wanted.update(upper.address for upper in pipeline.upstream(stage))
    return [stage for stage in pipeline.in_order() if stage.address in wanted and stage.name]


def _changed_inputs(stage: Stage, before: Pipeline | None, after: Pipeline | None) -> tuple[str, ...]:
    """Name the command, the params and the deps that no stage makes: causes, not what followed from them."""
    was = before.entries.get(stage.address) if before else None
    now = after.entries.get(stage.address) if after else None
    if was is None or now is None or after is None or was == now:
        return ()
    found = ["cmd"] if was.cmd != now.cmd else []
    for dep in stage.deps:
        made = after.producer(dep.path)
        old, new = was.dep(dep.spelled), now.dep(dep.spelled)
        if (made is None or not made[0].name) and (old and old.hash) != (new and new.hash):
            found.append(f"dep {dep.path}")
    for param in stage.params:
        old_values, new_values = was.params.get(param.spelled, {}), now.params.get(param.spelled, {})
        keys = dict.fromkeys((*old_values, *new_values))
        found += [f"param {param.path}:{key}" for key in keys if old_values.get(key) != new_values.get(key)]
    return tuple(found)
