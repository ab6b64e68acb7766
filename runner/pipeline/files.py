"""dvc.yaml and `.dvc` files to the model: reads every file, checks it, and names every mistake at once.

Reads through the function it is given, so the same code reads the disk and any git commit.
"""

from __future__ import annotations

import posixpath
from dataclasses import field
from typing import TYPE_CHECKING, Any

from runner.errors import ConfigError, ConfigErrors, Location
from runner.pipeline import checks, dvcfile, lock, sections, shape, yaml12
from runner.pipeline.addresses import LOCK_FILE, PROJECT_FILE, address
from runner.pipeline.context import Sources
from runner.pipeline.declared import Declared
from runner.pipeline.lock import Lock
from runner.pipeline.pipeline import Pipeline
from runner.pipeline.projectfile import ProjectFile
from runner.pipeline.unpack import Unpacking
from runner.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from runner.errors import RunnerError
    from runner.pipeline.model import LockEntry, Stage
    from runner.pipeline.shape import Page, Where

    Read = Callable[[str], str | None]


def load(
    paths: Iterable[str], read: Read, root: str = "", unpacking: Unpacking | None = None, sight: Sight | None = None
) -> Pipeline:
    """Read a repository's DVC files and check them one by one and against each other.

    Args:
        paths: every `dvc.yaml` and `*.dvc`, repository-relative, in DVC's order of collection. Those in a folder
            that is an out of a file before them are left out, as DVC does not enter it.
        read: gives a file's text, or `None` where there is none; asked for each dvc.lock too, and for the files
            that variables of templates come from.
        root: the repository's absolute path; absolute paths inside it are then understood.
        unpacking: how templates make options of mappings, the section `parsing` of `.dvc/config`.
        sight: what ignore files hide.

    Raises:
        ConfigErrors: every mistake in every file, each with file, line and column.

    """
    reading = _read(paths, read, root, unpacking, sight)
    pipeline = reading.pipeline  # one, for it keeps the edges that it was asked for
    errors = reading.problems or list(reading.clashes(pipeline))
    if errors:
        raise ConfigErrors(errors)
    return pipeline


def survey(
    paths: Iterable[str], read: Read, root: str = "", unpacking: Unpacking | None = None, sight: Sight | None = None
) -> tuple[Pipeline, list[RunnerError]]:
    """Read all that can be read, as `load` does, and give every mistake beside it instead of raising.

    What clashes between the stages that could be read is told even where others could not.
    """
    reading = _read(paths, read, root, unpacking, sight)
    pipeline = reading.pipeline
    return pipeline, [*reading.problems, *reading.clashes(pipeline)]


def _read(paths: Iterable[str], read: Read, root: str, unpacking: Unpacking | None, sight: Sight | None) -> _Reading:
    reading = _Reading(read, root, Sources(read), unpacking or Unpacking(), sight or Sight())
    for path in paths:
        if reading.walk.enters(posixpath.dirname(path)):
            reading.file(path)
    return reading


@dataclass(frozen=True, slots=True)
class Sight:
    """What ignore files hide from DVC and from git.

    Attributes:
        hiding: names the line of a .dvcignore that hides a path; empty where the path is seen.
        ignored_locks: each dvc.lock that git ignores, whether it is there or not.

    """

    hiding: Callable[[str], str] = lambda _: ""
    ignored_locks: Collection[str] = ()


@dataclass
class _Walk:
    """DVC's walk through the folders: it does not enter one that is an out of a file read before.

    Whether a folder is entered is settled when the files of the folder above have been read.
    """

    read: int = 0
    outs: dict[str, int] = field(default_factory=dict)
    settled: dict[str, int] = field(default_factory=dict)

    def enters(self, folder: str) -> bool:
        """Whether a file in `folder` is found, after those noted so far."""
        while folder:
            above = posixpath.dirname(folder)
            if self.outs.get(folder, self.read + 1) <= self.settled.setdefault(above, self.read):
                return False
            folder = above
        return True

    def note(self, stages: Iterable[Stage]) -> None:
        """Count one more file that was read, and its outs."""
        self.read += 1
        for stage in stages:
            for out in stage.outs:
                self.outs.setdefault(out.path, self.read)


@dataclass
class _Reading:
    """What has been read so far, of all files."""

    read: Read
    root: str
    sources: Sources
    unpacking: Unpacking
    sight: Sight
    walk: _Walk = field(default_factory=_Walk)
    stages: list[Stage] = field(default_factory=list)
    entries: dict[str, LockEntry] = field(default_factory=dict)
    errors: list[RunnerError] = field(default_factory=list)
    projects: dict[str, ProjectFile] = field(default_factory=dict)
    data: dict[str, tuple[Page, Any]] = field(default_factory=dict)
    declared: Declared = field(default_factory=Declared)

    @property
    def problems(self) -> list[RunnerError]:
        """What is wrong in the files themselves."""
        return [*self.errors, *self.sources.errors]

    @property
    def pipeline(self) -> Pipeline:
        """What could be read of all files, together."""
        groups = {address(path, name) for path, project in self.projects.items() for name in project.groups}
        return Pipeline(tuple(self.stages), self.entries, frozenset(groups), self.declared)

    def clashes(self, pipeline: Pipeline) -> Iterator[ConfigError]:
        """Give what the files may not say together."""
        return checks.problems(pipeline, self.place, self.sight.hiding)

    def file(self, path: str) -> None:
        """Read one file; its mistakes are kept, whatever they are."""
        before = len(self.stages)
        try:
            if posixpath.basename(path) == PROJECT_FILE:
                self._project(path)
            else:
                self._data(path)
        except ConfigError as error:
            self.errors += error.problems
        self.walk.note(self.stages[before:])

    def _page(self, path: str) -> Page:
        text = self.read(path)
        if text is None:
            message = f"there is no {path}"
            raise ConfigError(message, "a DVC file is named dvc.yaml or ends in .dvc")
        return shape.Page(path, text)

    def _project(self, path: str) -> None:
        page = self._page(path)
        document, spans = yaml12.parse_spans(page.text, path, "stages")
        project = ProjectFile(page, document or {}, spans, self.sources, self.root, self.unpacking)
        self.projects[path] = project
        stages = list(project.stages())
        declared = sections.read(page, document, project.template.value, self.root)
        self.errors += page.errors()
        self.stages += stages
        recorded = self._lock(posixpath.join(posixpath.dirname(path), LOCK_FILE))
        self.declared += declared.recorded(recorded.datasets)
        entries = recorded.entries
        self.entries.update({stage.address: entries[stage.name] for stage in stages if stage.name in entries})

    def _lock(self, path: str) -> Lock:
        if path in self.sight.ignored_locks:
            message = f"git ignores {path}, so what stages wrote would be recorded for nobody"
            raise ConfigError(
                message, "take it out of the .gitignore that names it", Location(path), kind="ignored-lock"
            )
        text = None if self.sight.hiding(path) else self.read(path)
        return Lock({}) if text is None else lock.parse(text, path)

    def _data(self, path: str) -> None:
        page = self._page(path)
        document = yaml12.parse(page.text, path)
        self.data[path] = (page, document)
        stage, entry = dvcfile.parse(page, document or {}, self.root)
        self.errors += page.errors()
        self.stages.append(stage)
        self.entries[stage.address] = entry

    def place(self, stage: Stage, spelled: str) -> Location:
        """Look up where the stage names the path; the stage itself where that cannot be told."""
        page, at, spec = self._written(stage)
        for section in ("outs", "metrics", "plots", "deps", "params"):
            for number, written in enumerate(spec.get(section) or ()):
                if spelled == written or (isinstance(written, dict) and spelled in {*written, written.get("path")}):
                    return page.where(*at, section, number)
        return stage.where or page.where(*at)

    def _written(self, stage: Stage) -> tuple[Page, Where, Mapping[str, Any]]:
        """Give the file of a stage, its place there, and its keys and values, filled in."""
        if stage.name:
            project = self.projects[stage.file]
            definition = project.definitions[stage.name]
            return project.page, definition.at, definition.spec
        page, document = self.data[stage.file]
        return page, (), document
