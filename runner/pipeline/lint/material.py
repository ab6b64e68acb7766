"""What the linter is given: a project as text and types, and what git says of its paths; and where things stand."""

from __future__ import annotations

import posixpath
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from runner.errors import ConfigError, Location
from runner.pipeline import lock, params, yaml12
from runner.pipeline.addresses import LOCK_FILE, PROJECT_FILE
from runner.pipeline.lint import shell
from runner.pipeline.lint.finding import Finding
from runner.pipeline.lint.scripts import scripts_of
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from runner.errors import RunnerError
    from runner.pipeline.config import Config
    from runner.pipeline.lint.finding import Rule
    from runner.pipeline.lint.scripts import Script
    from runner.pipeline.lint.shell import Simple
    from runner.pipeline.lock import Lock
    from runner.pipeline.model import Stage
    from runner.pipeline.pipeline import Pipeline

_KEYS = ("deps", "params", "outs", "metrics", "plots")


@dataclass(frozen=True, kw_only=True)
class Material:
    """A project to lint. Paths are relative to the project's root.

    Attributes:
        pipeline: every stage that could be read.
        errors: what could not be read.
        read: gives a file's text; `None` where there is none, or none that is text.
        exists: whether there is a file or folder in the workspace.
        tracked: gives those of some paths that git has, or folders with a file in it.
        checked_out: the same, and what lies in a submodule or behind a link that git has.
        ignored: gives those of some paths that git ignores.
        gates: the metrics files that gates name, each with the place of its gate.
        config: DVC's configuration; `None` where it could not be read.
        root: absolute path of the project.
        unread: the params files that could not be read, as far as they were asked for.

    """

    pipeline: Pipeline
    errors: Sequence[RunnerError] = ()
    read: Callable[[str], str | None]
    exists: Callable[[str], bool]
    tracked: Callable[[Iterable[str]], set[str]]
    checked_out: Callable[[Iterable[str]], set[str]]
    ignored: Callable[[Iterable[str]], set[str]]
    gates: Sequence[tuple[str, Location]] = ()
    config: Config | None = None
    root: str = ""
    unread: dict[str, ConfigError] = field(default_factory=dict, repr=False)
    _outlines: dict[str, yaml12.Outline] = field(default_factory=dict, repr=False)
    _documents: dict[str, Any] = field(default_factory=dict, repr=False)
    _commands: dict[str, tuple[Simple, ...]] = field(default_factory=dict, repr=False)
    _scripts: dict[str, tuple[Script, ...]] = field(default_factory=dict, repr=False)

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The stages of the dvc.yaml files that were read without a mistake."""
        return tuple(stage for stage in self.pipeline.stages if stage.name and stage.file not in self._broken)

    @cached_property
    def _broken(self) -> frozenset[str]:
        return frozenset(error.where.file for error in self.errors if error.where)

    @cached_property
    def projects(self) -> Mapping[str, tuple[Stage, ...]]:
        """The same stages by their dvc.yaml."""
        found: dict[str, list[Stage]] = {}
        for stage in self.stages:
            found.setdefault(stage.file, []).append(stage)
        return {file: tuple(stages) for file, stages in found.items()}

    @cached_property
    def locks(self) -> Mapping[str, Lock]:
        """Every dvc.lock beside those files, by the path of the dvc.yaml."""
        sound = [file for file in self.projects if lock_beside(file) not in self._broken]
        texts = {file: self.read(lock_beside(file)) for file in sound}
        return {file: lock.parse(text, lock_beside(file)) for file, text in texts.items() if text is not None}

    def commands(self, stage: Stage) -> tuple[Simple, ...]:
        """Give the simple commands of a stage's cmd."""
        if stage.address not in self._commands:
            self._commands[stage.address] = tuple(shell.commands(stage.cmd))
        return self._commands[stage.address]

    def scripts(self, stage: Stage) -> tuple[Script, ...]:
        """Give the files of the repository that a stage's cmd runs."""
        if stage.address not in self._scripts:
            self._scripts[stage.address] = scripts_of(self.commands(stage), stage.wdir, self.exists)
        return self._scripts[stage.address]

    def document(self, path: str) -> Any:  # noqa: ANN401 - a document is of any shape
        """Give what a params file holds; `None` where it is not there, or is in `unread`."""
        if path not in self._documents:
            text = self.read(path)
            try:
                self._documents[path] = None if text is None else params.parse(path, text)
            except ConfigError as error:
                self._documents[path] = None
                self.unread[path] = error
        return self._documents[path]

    def is_covered(self, stage: Stage, path: str) -> bool:
        """Whether a change of the path makes the stage stale: it is a dep, or inside one."""
        return any(dep.path in {path, "."} or path.startswith(f"{dep.path}/") for dep in stage.deps)

    def finding(
        self, rule: Rule, stage: Stage, message: str, hint: str = "", at: tuple[str, str] = ("", "")
    ) -> Finding:
        """Make a finding in the DVC file of a stage.

        Args:
            rule: what is broken.
            stage: whose.
            message: what is wrong.
            hint: what to do next.
            at: the stage's key it is about, and a text in that key. Without a key: whichever has the text, and without
                a text too the stage as a whole.

        """
        key, word = at
        outline = self.outline(stage.file)
        top = _written_at(outline, stage)
        line, column = outline.locate(*top[:2])
        keys = [key] if key else [key for key in _KEYS if word]
        found = _first(outline, [(*top, key) for key in keys if outline.has(*top, key)], word)
        return Finding(rule, Location(stage.file, *(found or (line, column))), message, hint, line)

    def written(self, stage: Stage, key: str) -> str:
        """Give the YAML text of one key of a stage."""
        outline = self.outline(stage.file)
        return outline.text(*_written_at(outline, stage), key)

    def outline(self, file: str) -> yaml12.Outline:
        """Give where things stand in a YAML file; read once."""
        if file not in self._outlines:
            self._outlines[file] = yaml12.Outline(self.read(file) or "")
        return self._outlines[file]


def lock_beside(file: str) -> str:
    """Give the path of the dvc.lock that belongs to a dvc.yaml."""
    return posixpath.join(posixpath.dirname(file), LOCK_FILE)


def _written_at(outline: yaml12.Outline, stage: Stage) -> tuple[str, ...]:
    """Give the path of a stage's definition; a generated one is written once, below its group's name."""
    if posixpath.basename(stage.file) != PROJECT_FILE:
        return ()
    name = stage.name if outline.has("stages", stage.name) else stage.name.partition("@")[0]
    return ("stages", name, "do") if outline.has("stages", name, "do") else ("stages", name)


def _first(outline: yaml12.Outline, paths: Sequence[tuple[str, ...]], word: str) -> tuple[int, int] | None:
    """Give the first place of the word below one of the paths; else the first path itself."""
    spots = [spot for path in paths if word and (spot := outline.spot(word, *path))]
    return next((place for place in (*spots, *(outline.locate(*path) for path in paths))), None)
