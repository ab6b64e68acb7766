"""A stage's command run a second time, in a clean copy of what it reads, to see whether it writes the same again.

The copy holds what git tracks and the stage's deps, so a file that the stage reads and does not declare is missing.
Nothing the second run writes is kept.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from runner.engine.aside import remove
from runner.engine.workspace import SCRATCH, Workspace, refusals
from runner.errors import ConfigError
from runner.git import index
from runner.hashes import differing
from runner.pipeline import documents
from runner.store.state import State
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from runner.engine.executor import Executor, Task
    from runner.git import Git
    from runner.hashes import Hash, Tree
    from runner.pipeline.model import LockEntry, Out, Stage

_MOST = 3
_ABSENT = object()


@dataclass(frozen=True)
class Again:
    """Runs commands a second time.

    Attributes:
        workspace: the working tree, in which the first run has just ended.
        git: says which files are tracked.
        prefix: the project's folder inside the repository, ending in `/`; empty at the top.
        executor: runs commands.
        strict: whether a difference fails the stage; otherwise it is a warning.

    """

    workspace: Workspace
    git: Git
    prefix: str
    executor: Executor
    strict: bool = True

    def differs(self, stage: Stage, entry: LockEntry, task: Task, output: Callable[[bytes], object]) -> str:
        """Run the command of `stage` again; say in words what it did otherwise, empty if nothing.

        Args:
            stage: the stage, whose outs lie in the workspace.
            entry: what the first run wrote.
            task: what ran.
            output: takes what the second run prints.

        """
        if any(out.persist for out in stage.outs):
            return "it cannot be told: an out persists, so that a second run begins with what the first left"
        with self._copy(stage) as copy:
            env = {**task.env, "DVC_ROOT": str(copy)}
            again = replace(task, wdir=str(copy / self.prefix / stage.wdir), env=env)
            output(b"> a second time, in a clean copy\n")
            try:
                ran = self.executor.run(again, output)
            except OSError as error:
                return f"in a clean copy the command could not be started: {error}"
            if ran.why:
                return f"in a clean copy, of what git tracks and the deps alone, {ran.why}"
            other = Workspace(copy / self.prefix, State())
            return "; ".join(filter(None, (self._compared(out, entry, other) for out in stage.outs)))

    @contextmanager
    def _copy(self, stage: Stage) -> Iterator[Path]:
        """Make a folder of what git tracks and `stage` reads, and of nothing that it writes."""
        copy = self.workspace.path(f"{SCRATCH}/copy-{os.urandom(6).hex()}")
        try:
            with refusals(copy.name, "written"):
                for path in index.staged(self.git):
                    _take(self.git.root / path, copy / path)
                for dep in stage.local_deps:
                    _take(self.workspace.path(dep.path), copy / self.prefix / dep.path)
                for out in stage.outs:
                    place = copy / self.prefix / out.path
                    remove(place)
                    place.parent.mkdir(parents=True, exist_ok=True)
                (copy / self.prefix / stage.wdir).mkdir(parents=True, exist_ok=True)
            yield copy
        finally:
            shutil.rmtree(copy, ignore_errors=True)

    def _compared(self, out: Out, entry: LockEntry, other: Workspace) -> str:
        recorded = entry.out(out.spelled)
        was = recorded.hash if recorded else None
        try:
            content = other.observe(out.path, was.name) if was else None
        except ConfigError as error:
            return error.message
        if was is None or content is None:
            return f"{out.path} was not written"
        if content.hash == was:
            return ""
        return f"{out.path}{self._detail(out, was, content.hash, other)}"

    def _detail(self, out: Out, was: Hash, now: Hash, other: Workspace) -> str:
        """Name the files of a directory, or the keys of a metrics file, that differ."""
        if was.is_dir and now.is_dir:
            self.workspace.observe(out.path, was.name)
            return _some(_files(self.workspace.tree(out.path, was.name), other.tree(out.path, was.name)))
        if not out.metric or was.is_dir or now.is_dir:
            return ""
        first = _values(out.path, self.workspace.path(out.path))
        second = _values(out.path, other.path(out.path))
        return "" if first is None or second is None else _some(_keys(first, second))


def _take(source: Path, target: Path) -> None:
    """Copy a file, a link or a folder that is not there yet; one that is gone is left out."""
    if os.path.lexists(target) or not os.path.lexists(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir() and not source.is_symlink():
        shutil.copytree(source, target, symlinks=True)
    elif source.is_file():
        shutil.copy2(source, target, follow_symlinks=True)


def _some(named: list[str]) -> str:
    more = f" and {len(named) - _MOST} more" if len(named) > _MOST else ""
    return f" ({', '.join(named[:_MOST])}{more})" if named else ""


def _files(was: Tree, now: Tree) -> list[str]:
    return [path for path, _, _ in differing(was, now)]


def _values(path: str, place: Path) -> dict[str, Any] | None:
    try:
        return dict(_flat(documents.parse(path, place.read_text(encoding="utf-8"))))
    except (OSError, ValueError, ConfigError):
        return None


def _flat(node: Any, above: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - a document is of any shape
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else None
    if items is None:
        yield above, node
        return
    for key, inner in items:
        yield from _flat(inner, f"{above}.{key}" if above else str(key))


def _keys(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    pairs = ((key, was.get(key, _ABSENT), now.get(key, _ABSENT)) for key in dict.fromkeys((*was, *now)))
    return [f"{key}: {_shown(old)} and {_shown(new)}" for key, old, new in pairs if repr(old) != repr(new)]


def _shown(value: Any) -> str:  # noqa: ANN401 - of any shape
    return "nothing" if value is _ABSENT else str(value)
